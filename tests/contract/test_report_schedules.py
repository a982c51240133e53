"""Reports that are sent by themselves: each period once, whatever restarts, and to whom it may."""

from __future__ import annotations

import os
import shutil
import signal
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, insert, update

from access.audit.entries import AuditFilter
from access.schedules.report_runs import ReportRun, anything_due, runs_of
from access.schedules.report_schedule import ReportSchedule, add_schedule, all_schedules, find_schedule, remove_schedule
from access.store import AccessStore, migrate_access, open_access
from access.tables import report_run, report_schedule
from config import Settings
from data.database.engine import make_engine
from data.request import parse_time
from data.site import Site, open_site
from data.time.epoch import epoch_ms
from errors import InvalidRequest, MailFailed, NotFound
from jobs.job import Job, Status
from jobs.ledger.ledger import Ledger, open_ledger
from jobs.policy import REPORT
from jobs.worker.child import make_run_job
from jobs.worker.chore import Chore
from reports.definition import make_definition
from reports.mail import Attachment, message_id_of, report_mail, send_mail
from reports.period import due_ms, last_complete
from reports.scheduling import MOST_LOOKS, Scheduler
from reports.writing import write_report
from tests.mailbox import Mailbox
from tests.people import grant_everyone
from tests.processes import READY_S, ROOT, ServerProcess, clean_forks, site_environment, wait_until
from tests.tls import make_certificate

ZONE = "America/New_York"
MINUTE = 60_000


def at(text: str) -> int:
    return parse_time(text, ZONE, field="now")


@dataclass(frozen=True)
class World:
    """A site with the sample, a mail server, and no worker."""

    settings: Settings
    site: Site
    ledger: Ledger
    access: AccessStore
    mailbox: Mailbox

    def schedule(self, first: str = "2013-06-01 02:00", owner: str = "sari", **where: object) -> ReportSchedule:
        """A monthly schedule whose first report is due then."""
        definition = make_definition("test", stations=["JFK"], sensors=["temperature"], timezone=ZONE, sections=["extremes"])
        how = {"every": "month", "form": "html", "recipients": ["bmkg@example.org"], "next_ms": at(first), **where}
        return add_schedule(self.access, owner, "JFK", definition.to_json(), **how)  # type: ignore[arg-type]

    def due(self, now: str) -> int:
        """Do what the worker starts when something is due."""
        return Scheduler(self.site, self.ledger, self.access, lambda: None).run(at(now))

    def work(self, settings: Settings | None = None) -> list[Job]:
        """Do what workers do with all jobs that wait; the jobs as they are then."""
        done = []
        while (job := self.ledger.claim("w", ["history", "history-large"])) is not None:
            make_run_job(settings or self.settings, {REPORT: write_report})(job.id, job.attempt)
            done.append(self.ledger.get(job.id))
        return done

    def runs(self, schedule: ReportSchedule) -> list[ReportRun]:
        return runs_of(self.access.engine, schedule.id)


@pytest.fixture(scope="module")
def granted(sample_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = Path(shutil.copytree(sample_data_dir, tmp_path_factory.mktemp("schedules") / "var"))
    grant_everyone(Settings(data_dir=made, auth="proxy", _env_file=None))
    return made


@pytest.fixture
def world(granted: Path, tmp_path: Path) -> Iterator[World]:
    with Mailbox() as mailbox:
        settings = Settings(
            data_dir=Path(shutil.copytree(granted, tmp_path / "site")),
            auth="proxy",
            job_tries=1,
            smtp_host="127.0.0.1",
            smtp_port=mailbox.port,
            smtp_security="none",
            smtp_from="riwayat@example.org",
            _env_file=None,
        )
        ledger = open_ledger(settings)
        access = open_access(settings, engine=ledger.engine)
        site = open_site(settings, decisions=access.decisions)
        yield World(settings, site, ledger, access, mailbox)
        site.engine.dispose()
        ledger.engine.dispose()


def test_a_month_is_sent_once_after_its_end_with_the_file_and_a_name_of_its_own(world):
    schedule = world.schedule()
    assert world.due("2013-06-01 01:59") == 0
    assert world.due("2013-06-01 02:00") == 1
    (job,) = world.work()
    assert (job.status, job.owner, job.kind) == (Status.COMPLETED, "sari", "report")
    for again in ("2013-06-01 02:01", "2013-06-02", "2013-06-30"):
        world.due(again)
        assert world.work() == []
    (mail,) = world.mailbox.mails
    assert (mail["To"], mail["From"], mail["Subject"]) == ("bmkg@example.org", "riwayat@example.org", "JFK – May 2013")
    assert mail["Message-ID"] == f"<{schedule.id}.2013-05@example.org>"
    (file,) = mail.iter_attachments()
    assert file.get_content_type() == "text/html"
    assert b"Riwayat" in file.get_content().encode() if isinstance(file.get_content(), str) else file.get_content()
    (run,) = world.runs(schedule)
    assert (run.period, run.next_ms) == ("2013-05", None)
    assert run.sent_ms is not None
    entry = world.access.audit.entries(AuditFilter(action="report_sent"), limit=5)[0]
    assert (entry.subject["period"], entry.subject["again"]) == ("2013-05", False)


def test_a_month_whose_last_day_ends_at_seven_is_made_after_that(world):
    sensors = {**world.site.catalogue.sensors, "rainfall": replace(world.site.catalogue["rainfall"], day_start_min=7 * 60)}
    at_seven = replace(world, site=replace(world.site, catalogue=replace(world.site.catalogue, sensors=sensors)))
    definition = make_definition("test", stations=["JFK"], sensors=["rainfall"], timezone=ZONE, sections=["climat"])
    how = {"every": "month", "form": "html", "recipients": ["bmkg@example.org"], "next_ms": at("2013-06-01 02:00")}
    schedule = add_schedule(world.access, "sari", "JFK", definition.to_json(), **how)
    for now in ("2013-06-01 02:00", "2013-06-01 08:59"):
        at_seven.due(now)
        assert world.ledger.jobs(limit=5) == []
    at_seven.due("2013-06-01 09:00")
    assert [job.kind for job in world.ledger.jobs(limit=5)] == ["report"]
    assert [run.period for run in world.runs(schedule)] == ["2013-05"]


def test_periods_that_were_missed_are_sent_each_once(world):
    schedule = world.schedule("2013-04-01 02:00")
    assert world.due("2013-06-15") == 3
    assert {job.status for job in world.work()} == {Status.COMPLETED}
    assert [run.period for run in world.runs(schedule)] == ["2013-05", "2013-04", "2013-03"]
    assert len({mail["Message-ID"] for mail in world.mailbox.mails}) == len(world.mailbox.mails) == 3


def test_two_that_look_at_once_enter_a_period_once(world):
    schedule = world.schedule()
    others = [Scheduler(world.site, world.ledger, open_access(world.settings), lambda: None) for _ in range(2)]
    for each in (*others, *others):
        each.run(at("2013-06-01 03:00"))
    assert len(world.work()) == 1
    assert len(world.mailbox.mails) == len(world.runs(schedule)) == 1


def test_a_server_that_refuses_is_asked_again_later_and_the_reason_is_listed(world):
    schedule = world.schedule()
    world.mailbox.answer = "451 Try later"
    world.due("2013-06-01 02:00")
    (failed,) = world.work()
    assert failed.status is Status.FAILED
    assert "451 Try later" in failed.error.message
    assert world.due("2013-06-01 02:05") == 0
    world.due("2013-06-01 02:11")
    assert "451" in world.runs(schedule)[0].note
    world.mailbox.answer = "250 Taken"
    (done,) = world.work()
    assert (done.id, done.status) == (failed.id, Status.COMPLETED)
    assert done.metrics["reused"] == 1  # it was made before, and only sent now
    assert len(world.mailbox.mails) == 1


def test_what_cannot_be_delivered_is_given_up_after_a_while(world):
    schedule = world.schedule()
    world.mailbox.answer = "554 No"
    now = at("2013-06-01 02:00")
    scheduler = Scheduler(world.site, world.ledger, world.access, lambda: None)
    for _ in range(MOST_LOOKS + 2):
        scheduler.run(now)
        world.work()
        now = world.runs(schedule)[0].next_ms or now
    (run,) = world.runs(schedule)
    assert (run.next_ms, run.sent_ms, run.looks) == (None, None, MOST_LOOKS + 1)
    assert "554" in run.note


def _send(settings, job_id, attempt):
    make_run_job(settings, {REPORT: write_report})(job_id, attempt)


def test_killed_after_the_server_took_the_mail_it_is_sent_again_as_the_same_mail(world):
    schedule = world.schedule()
    world.due("2013-06-01 02:00")
    job = world.ledger.claim("w", ["history"])
    assert job is not None
    world.ledger.engine.dispose()
    world.site.engine.dispose()
    sender = clean_forks().Process(target=_send, args=(world.settings, job.id, job.attempt))
    # the server kills whoever sends before it says that it has taken the mail
    world.mailbox.arrived = lambda: os.kill(sender.pid, signal.SIGKILL)
    sender.start()
    sender.join(READY_S)
    assert sender.exitcode == -signal.SIGKILL
    assert world.runs(schedule)[0].sent_ms is None
    world.mailbox.arrived = lambda: None
    world.ledger.requeue(job.id, job.attempt)
    (done,) = world.work()
    assert (done.status, done.metrics["reused"]) == (Status.COMPLETED, 1)
    first, second = world.mailbox.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert world.access.audit.entries(AuditFilter(action="report_sent"), limit=5)[0].subject["again"] is True


def test_killed_between_entering_a_period_and_submitting_its_job_it_is_found(world):
    from access.schedules.report_runs import enter_run

    schedule = world.schedule()
    enter_run(world.access.engine, schedule.id, "2013-05", was_ms=schedule.next_ms, next_ms=at("2013-07-01 02:00"))
    assert anything_due(world.access.engine, at("2013-06-01 02:00"))
    world.due("2013-06-01 02:00")
    world.work()
    assert len(world.mailbox.mails) == 1


def test_it_runs_with_the_rights_that_its_owner_has_then(world):
    schedule = world.schedule()
    for grant in world.access.grants():
        world.access.remove_grant(grant.id)
    world.due("2013-06-01 02:00")
    assert world.work() == []
    (run,) = world.runs(schedule)
    assert run.note
    grant_everyone(world.settings)
    world.due("2013-06-01 02:30")
    world.work()
    assert len(world.mailbox.mails) == 1


def test_a_removed_schedule_sends_nothing_more_not_even_what_is_being_made(world):
    schedule = world.schedule()
    world.due("2013-06-01 02:00")
    remove_schedule(world.access, schedule.id)
    world.work()
    assert world.mailbox.mails == []
    with pytest.raises(NotFound):
        remove_schedule(world.access, schedule.id)


def test_with_an_account_go_its_schedules_so_that_none_is_left_to_the_next_of_that_name(world):
    world.access.add_account("sari")
    schedule, other = world.schedule(), world.schedule(owner="budi")
    world.due("2013-06-01 02:00")
    world.access.remove_account("sari")
    world.access.add_account("sari")
    assert (all_schedules(world.access.engine), world.runs(schedule)) == ([find_schedule(world.access.engine, other.id)], [])
    world.work()
    assert [mail["Message-ID"].partition(".")[0] for mail in world.mailbox.mails] == [f"<{other.id}"]
    (entry,) = world.access.audit.entries(AuditFilter(action="schedule_removed"), limit=5)
    assert (entry.subject["schedule"], entry.subject["owner"]) == (schedule.id, "sari")


def test_a_folder_gets_whole_files(world, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    world.schedule(recipients=[], folder=str(folder))
    world.due("2013-06-01 02:00")
    world.work()
    (file,) = folder.iterdir()
    assert (file.suffix, world.mailbox.mails) == (".html", [])
    assert file.read_text().endswith("</html>\n")


def test_two_schedules_of_a_station_leave_two_files_in_one_folder(world, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    ids = {world.schedule(recipients=[], folder=str(folder)).id for _ in range(2)}
    world.due("2013-06-01 02:00")
    world.work()
    assert {file.stem.rpartition("_")[2] for file in folder.iterdir()} == ids
    assert {file.stem.rpartition("_")[0] for file in folder.iterdir()} == {"riwayat_JFK_report_20130501_20130601"}


@pytest.mark.parametrize(
    "address", ["a@b\nBcc: c@d.org", "a@b\r\n.\r\n", "a b@c.org", "<a@b.org>", "a@b.org, c@d.org", "a", "a@", "@b.org", "a@b..\n"]
)
def test_no_address_can_hold_another_header(world, address):
    with pytest.raises(InvalidRequest):
        world.schedule(recipients=[address])
    assert all_schedules(world.access.engine) == []


def test_names_and_stations_in_a_mail_are_one_line_of_text(world):
    file = Attachment("r.html", "text/html", b"<p>")
    title = "May\r\nBcc: spy@example.org\r\n\r\n<script>"
    message = report_mail(world.settings, ["a@example.org"], title, ["<b>x</b>\n.\nQUIT"], file, "<1@example.org>")
    assert send_mail(world.settings, message) == []
    (mail,) = world.mailbox.mails
    assert mail["Bcc"] is None
    assert mail["Subject"].startswith("May\\u000d\\u000aBcc: spy")
    page = mail.get_body(("html",)).get_content()
    assert "<script>" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page


def test_one_signs_in_where_the_settings_say_so_and_a_wrong_password_is_told(granted):
    file, title = Attachment("r.html", "text/html", b"<p>"), "t"
    with Mailbox(auth_require_tls=False) as mailbox:
        settings = Settings(
            smtp_host="127.0.0.1",
            smtp_port=mailbox.port,
            smtp_security="none",
            smtp_from="a@example.org",
            smtp_user="sari",
            smtp_password="rahasia",
            _env_file=None,
        )
        message = report_mail(settings, ["b@example.org"], title, [], file, message_id_of(settings, "s", "2013-05"))
        send_mail(settings, message)
        assert mailbox.signed_in == ["sari"]
        wrong = settings.model_copy(update={"smtp_password": type(settings.smtp_password)("salah")})
        with pytest.raises(MailFailed, match="535"):
            send_mail(wrong, message)
        with pytest.raises(MailFailed):  # it offers no encryption, so nothing is told to it
            send_mail(settings.model_copy(update={"smtp_security": "starttls"}), message)
    assert len(mailbox.mails) == 1


def test_a_server_that_is_not_there_is_a_failure_to_be_tried_again(world):
    message = report_mail(world.settings, ["a@example.org"], "t", [], Attachment("r.html", "text/html", b""), "<1@x>")
    with pytest.raises(MailFailed) as failed:
        send_mail(world.settings.model_copy(update={"smtp_port": 1}), message)
    assert failed.value.retryable


def test_an_idle_worker_asks_once_a_minute_in_one_statement(world):
    clock, started, said = [0.0], [], []
    event.listen(world.access.engine, "before_cursor_execute", lambda *told: said.append(told[2]))
    chore = Chore(lambda engine: anything_due(engine, at("2013-06-01")), ("schedule", "run"), clock=lambda: clock[0])
    chore._start = lambda: started.append(clock[0])
    for second in range(181):
        clock[0] = float(second)
        chore.look(world.access.engine)
    assert (len([text for text in said if "SELECT" in text]), started) == (4, [])
    world.schedule()
    clock[0] = 240.0
    Chore(lambda engine: anything_due(engine, at("2013-06-01 02:00")), ("x",), clock=lambda: clock[0])
    assert anything_due(world.access.engine, at("2013-06-01 02:00"))


def test_every_database_enters_a_period_once(migrated_url):
    from access.schedules.report_runs import change_run, due_runs, due_schedules, enter_run, find_run, note_sent

    engine: Engine = make_engine(migrated_url)
    try:
        migrate_access(engine)
        store = AccessStore(engine)
        made = add_schedule(store, "sari", "n", "{}", every="month", form="pdf", recipients=["a@b.org"], next_ms=10)
        assert due_schedules(engine, 9) == []
        assert due_schedules(engine, 10) == [made.id]
        assert enter_run(engine, made.id, "2013-05", was_ms=10, next_ms=20)
        assert not enter_run(engine, made.id, "2013-05", was_ms=10, next_ms=20)
        assert not enter_run(engine, made.id, "2013-05", was_ms=20, next_ms=30)
        (run,) = due_runs(engine, 15)
        change_run(engine, run, job="j", next_ms=None)
        assert find_run(engine, made.id, "2013-05") == replace(run, job="j", next_ms=None)
        note_sent(engine, run, {})
        change_run(engine, run, note="too late")
        found = find_run(engine, made.id, "2013-05")
        assert found is not None
        assert found.note == ""
        remove_schedule(store, made.id)
        assert all_schedules(engine) == runs_of(engine, made.id) == []
    finally:
        engine.dispose()


def test_a_worker_makes_and_delivers_what_is_due_by_itself(world, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    world.schedule(recipients=[], folder=str(folder), first="2013-12-01 02:00", owner="sari")
    for engine in (world.ledger.engine, world.site.engine):
        engine.dispose()
    # Only the latest: the months since then would be many.
    with world.access.engine.begin() as connection:
        later = last_complete("month", epoch_ms(), ZONE)
        connection.execute(update(report_schedule).values(next_ms=due_ms("month", later)))
        values = {"schedule": all_schedules(world.access.engine)[0].id, "period": "2013-11", "looks": 0, "next_ms": 0, "note": ""}
        connection.execute(insert(report_run).values(values))
    environment = site_environment(data_dir=world.settings.data_dir, auth="proxy") | {"PYTHONPATH": str(ROOT)}
    with ServerProcess([str(ROOT / "manage.py"), "worker"], cwd=tmp_path, env=environment):
        wait_until(lambda: list(folder.glob("*.html")), "the report", 60)
        wait_until(lambda: world.runs(all_schedules(world.access.engine)[0])[0].sent_ms, "its note")


def test_starttls_is_spoken_to_a_server_whose_certificate_is_known_and_to_no_other(tmp_path, monkeypatch):
    authority = make_certificate(tmp_path / "tls")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority.parent / "server.crt", authority.parent / "server.key")
    with Mailbox(tls_context=context, require_starttls=True) as mailbox:
        settings = Settings(
            smtp_host="localhost",
            smtp_port=mailbox.port,
            smtp_from="a@example.org",
            smtp_user="sari",
            smtp_password="rahasia",
            _env_file=None,
        )
        message = report_mail(settings, ["b@example.org"], "t", [], Attachment("r.html", "text/html", b"<p>"), "<1@x>")
        with pytest.raises(MailFailed, match="certificate"):
            send_mail(settings, message)
        assert (mailbox.mails, mailbox.signed_in) == ([], [])  # nor was a password told
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        send_mail(settings, message)
    assert (len(mailbox.mails), mailbox.signed_in) == (1, ["sari"])
