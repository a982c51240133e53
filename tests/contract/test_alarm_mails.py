"""Alarms on new readings: each event noted and mailed once, whatever restarts, to whom it may."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import Select, event, select, update
from typer.testing import CliRunner

from access.alarm_rules.alarm_messages import due_mails, gather, note_sent_mail, note_unsent_mail, take_mail, unsent_of
from access.alarm_rules.alarm_rule import AlarmRule, AlarmWishes, add_alarm, all_alarms, find_alarm
from access.alarm_rules.alarm_states import AlarmStep, acknowledge, events_of, note_step, stations_of
from access.audit.entries import AuditFilter
from access.grants import Grant
from access.store import AccessStore, open_access
from access.tables import alarm_message, alarm_rule
from analysis.alarms import AlarmChange, AlarmCondition, AlarmState
from config import Settings
from data.request import parse_time
from data.site import Site, open_site
from errors import Conflict, InvalidRequest
from manage import build
from reports.alarm_evaluation import AlarmEvaluator
from reports.alarm_mails import send_alarms
from tests.mailbox import Mailbox
from tests.people import grant_everyone
from tests.processes import READY_S, ROOT, ServerProcess, site_environment, wait_until

MINUTE = 60_000
WARM = AlarmCondition("above", 25.0, hysteresis=2.0)


def at(text: str) -> int:
    return parse_time(text, "UTC", field="now")


@dataclass(frozen=True)
class World:
    """A site with the sample, a mail server, and no worker."""

    settings: Settings
    site: Site
    access: AccessStore
    mailbox: Mailbox

    def alarm(self, condition: AlarmCondition = WARM, *, since: str = "2013-05-01", **more: object) -> AlarmRule:
        """An alarm of Sari's at JFK, as if it had been made then."""
        given = {"name": "Warm", "stations": ("JFK",), "sensor": "temperature", "recipients": ("a@example.org",), **more}
        made = add_alarm(self.access, "sari", AlarmWishes(condition=condition, **given))  # type: ignore[arg-type]
        with self.access.engine.begin() as connection:
            connection.execute(update(alarm_rule).where(alarm_rule.c.id == made.id).values(created_ms=at(since)))
        return find_alarm(self.access.engine, made.id)

    def look(self, now: str) -> int:
        """Do what the worker does; the mails that were sent."""
        AlarmEvaluator(self.site, self.access).run(at(now))
        return send_alarms(self.site, self.access, lambda: at(now))

    def events(self, rule: AlarmRule) -> list[tuple[str, int, str]]:
        return sorted(
            (each.station, each.change.at_ms, each.change.status) for each in events_of(self.access.engine, rule.id, 999)
        )


@pytest.fixture
def world(sample_data_dir: Path, tmp_path: Path) -> Iterator[World]:
    with Mailbox() as mailbox:
        settings = Settings(
            data_dir=Path(shutil.copytree(sample_data_dir, tmp_path / "var")),
            auth="proxy",
            smtp_host="127.0.0.1",
            smtp_port=mailbox.port,
            smtp_security="none",
            smtp_from="riwayat@example.org",
            _env_file=None,
        )
        grant_everyone(settings, Grant(stations=("JFK", "LGA")))
        access = open_access(settings)
        site = open_site(settings)
        yield World(settings, site, access, mailbox)
        site.engine.dispose()
        access.engine.dispose()


def test_an_event_is_mailed_once_however_often_and_in_whatever_pieces_it_is_looked_at(world):
    whole, pieces = world.alarm(), world.alarm(name="In pieces")
    world.look("2013-05-03")
    for day in range(4, 32):
        world.look(f"2013-05-{day:02d} 15:30")
    world.look("2013-06-01")
    assert world.look("2013-06-01") == 0
    at_once = world.alarm(name="At once")
    world.look("2013-06-01")
    assert world.events(whole) == world.events(pieces) != []
    assert world.events(at_once) == world.events(whole)
    told = [line for mail in world.mailbox.mails for line in mail.get_body(("plain",)).get_content().splitlines()[2:]]
    assert len(told) == len(set(told)) == 3 * len(world.events(whole))
    assert len({mail["Message-ID"] for mail in world.mailbox.mails}) == len(world.mailbox.mails)


def test_events_of_one_look_go_in_one_mail_to_each_address(world):
    rule = world.alarm(stations=("*",), recipients=("a@example.org", "b@example.org"))
    assert world.look("2013-06-01") == 2
    assert {station for station, *_ in world.events(rule)} == {"JFK", "LGA"}  # EWR is not granted to the owner
    assert sorted(mail["To"] for mail in world.mailbox.mails) == ["a@example.org", "b@example.org"]
    fired = [entry.subject for entry in world.access.audit.entries(AuditFilter(action="alarm_fired"), limit=999)]
    assert len(fired) == sum(status == "firing" for *_, status in world.events(rule))


class _Killed(BaseException):
    pass


@pytest.mark.parametrize("commits", range(6))
def test_killed_at_any_commit_no_event_is_lost_and_none_told_in_two_mails(world, commits):
    rules = [world.alarm(stations=("JFK", "LGA")), world.alarm(AlarmCondition("silent", within_ms=3 * 24 * 60 * MINUTE))]
    left = [commits]

    def killed(_connection: object) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise _Killed

    event.listen(world.access.engine, "commit", killed)
    try:
        world.look("2013-06-01")
    except _Killed:
        pass
    finally:
        event.remove(world.access.engine, "commit", killed)
    assert left[0] < 0, "nothing was killed"
    world.look("2013-06-01 00:11")
    assert world.look("2013-06-01 00:22") == 0
    by_id = {mail["Message-ID"]: mail.get_body(("plain",)).get_content() for mail in world.mailbox.mails}
    told = [line for text in by_id.values() for line in text.splitlines()[2:]]
    assert len(told) == len(set(told)) == sum(len(world.events(rule)) for rule in rules) > 0


def test_a_mail_that_the_server_does_not_take_is_tried_again_later_and_quiet_hours_hold_it_back(world):
    world.alarm(quiet="22:00-06:00")
    assert world.look("2013-05-31 23:00") == 0
    world.mailbox.answer = "451 Later"
    assert world.look("2013-06-01 05:59") == world.look("2013-06-01 06:00") == 0
    (note,) = set(world.access.engine.connect().scalars(select(alarm_message.c.note)))
    assert "451" in note
    world.mailbox.answer = "250 Taken"
    assert world.look("2013-06-01 06:00") == 0
    assert world.look("2013-06-01 06:01") == 1


def test_silence_fires_without_a_reading_and_who_has_seen_it_is_noted(world):
    rule = world.alarm(AlarmCondition("silent", within_ms=30 * 24 * 60 * MINUTE), since="2013-12-30")
    world.look("2014-01-15")
    with pytest.raises(Conflict, match="does not fire"):
        acknowledge(world.access, rule, "JFK", "sari")
    world.look("2014-03-15")
    assert [status for *_, status in world.events(rule)] == ["firing"]
    acknowledge(world.access, rule, "JFK", "sari")
    assert stations_of(world.access.engine, rule.id)[0].acknowledged_by == "sari"


def test_what_cannot_be_looked_at_says_why(world):
    rule = world.alarm(stations=("EWR",))
    world.look("2013-06-01")
    assert find_alarm(world.access.engine, rule.id).note == "There is no station EWR with temperature."
    assert world.events(rule) == []


def test_wishes_that_cannot_be_are_refused_by_their_field(world):
    wishes = world.alarm().wishes
    for field, wrong in {
        "to": {"recipients": ("nobody",)},
        "quiet": {"quiet": "25:00-06:00"},
        "timezone": {"timezone": "X"},
    }.items():
        with pytest.raises(InvalidRequest) as refused:
            add_alarm(world.access, "sari", replace(wishes, **wrong))
        assert refused.value.field == field


def test_the_command_adds_lists_evaluates_tests_and_removes(world, monkeypatch):
    monkeypatch.setenv("RIWAYAT_DATA_DIR", str(world.settings.data_dir))
    monkeypatch.setenv("RIWAYAT_AUTH", "proxy")
    monkeypatch.setenv("RIWAYAT_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("RIWAYAT_SMTP_PORT", str(world.mailbox.port))
    monkeypatch.setenv("RIWAYAT_SMTP_SECURITY", "none")
    monkeypatch.setenv("RIWAYAT_SMTP_FROM", "riwayat@example.org")

    def manage(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(build(), ["alarms", *arguments])
        return done.exit_code, done.output

    what = ["--station", "JFK", "--sensor", "temperature", "--to", "a@example.org"]
    assert manage("add", "Warm", *what, "--above", "25")[0] == 2  # nobody's rights
    world.access.add_account("sari")
    assert manage("add", "Warm", *what, "--as", "sari")[0] == 2  # no condition
    assert manage("add", "Warm", *what, "--above", "25", "--as", "sari")[0] == 0
    (rule,) = all_alarms(world.access.engine)
    assert rule.id in manage("list")[1]
    assert manage("test", rule.id)[0] == 0
    assert world.mailbox.mails[0]["Subject"] == "Test of the alarm Warm"
    assert manage("evaluate")[0] == 0
    assert manage("remove", rule.id)[0] == 0
    assert all_alarms(world.access.engine) == []


def test_every_database_writes_a_step_once_and_gives_a_mail_to_one_sender(store):
    wishes = AlarmWishes("Warm", ("JFK",), "temperature", WARM, ("a@example.org", "b@example.org"))
    rule = add_alarm(store, "sari", wishes)
    before = AlarmState("normal", 0, 0)
    first = AlarmStep("JFK", None, before, [])
    seen = AlarmState("normal", 0, 3)
    further, behind = (AlarmStep("JFK", before, each, []) for each in (seen, AlarmState("normal", 0, 2)))
    fired = AlarmStep("JFK", seen, AlarmState("firing", 5, 5), [AlarmChange(5, "firing", 26.5)])
    for step, is_written in ((first, True), (first, False), (further, True), (behind, False), (fired, True), (fired, False)):
        assert note_step(store.engine, rule, step, 10) is is_written
    gather(store.engine, 9)
    assert due_mails(store.engine, 10) == []
    gather(store.engine, 10)
    first_mail, _second = due_mails(store.engine, 10)
    mail = take_mail(store.engine, first_mail, 10)
    assert mail is not None
    assert [(each.station, each.change) for each in mail.news] == [("JFK", AlarmChange(5, "firing", 26.5))]
    assert take_mail(store.engine, first_mail, 10) is None
    note_unsent_mail(store.engine, mail, "away", 10)
    assert unsent_of(store.engine, rule.id) == ["away"]
    note_sent_mail(store.engine, mail, 20)
    assert (unsent_of(store.engine, rule.id), len(due_mails(store.engine, 10**12))) == ([], 1)
    store.add_account("sari")
    store.add_account("admin", admin=True)
    store.remove_account("sari")
    assert (all_alarms(store.engine), events_of(store.engine, rule.id, 9), due_mails(store.engine, 10**12)) == ([], [], [])


def test_a_worker_looks_by_itself_and_killed_as_the_mail_arrives_the_next_sends_no_other(world, tmp_path):
    rule = world.alarm(since="2013-12-01", condition=AlarmCondition("above", 10.0))
    for engine in (world.access.engine, world.site.engine):
        engine.dispose()
    smtp = {"smtp_host": "127.0.0.1", "smtp_port": world.mailbox.port, "smtp_security": "none", "smtp_from": "r@example.org"}
    environment = site_environment(data_dir=world.settings.data_dir, auth="proxy", **smtp) | {"PYTHONPATH": str(ROOT)}
    worker = [str(ROOT / "manage.py"), "worker"]
    with ServerProcess(worker, cwd=tmp_path, env=environment) as first:
        world.mailbox.arrived = first.process.kill
        wait_until(lambda: world.mailbox.mails, "the mail", 60)
        first.process.wait(READY_S)
    events = world.events(rule)
    with world.access.engine.begin() as connection:  # as if the ten minutes of who took it were over
        connection.execute(update(alarm_message).where(alarm_message.c.sent_ms.is_(None)).values(next_ms=0))
    world.mailbox.arrived = lambda: None
    unsent = select(alarm_message.c.id).where(alarm_message.c.sent_ms.is_(None))
    with ServerProcess(worker, cwd=tmp_path, env=environment):
        wait_until(lambda: not _rows(world, unsent), "all to be sent", 60)
    assert len({mail["Message-ID"] for mail in world.mailbox.mails}) == 1
    assert world.events(rule) == events != []


def _rows(world: World, query: Select[tuple[str]]) -> list[str]:
    with world.access.engine.connect() as connection:
        return list(connection.scalars(query))
