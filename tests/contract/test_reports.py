"""Reports as jobs: what is in them, for whom, and when they are made anew."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from access.audit.entries import AuditFilter
from access.decisions.deciding import decide
from access.grants import EVERYTHING, Grant, Rights
from access.identity import owner_identity
from access.notes.note import NoteContent
from access.notes.note_table import add_note
from access.store import AccessStore, open_access
from app import create_app
from callbacks.report_menu import reports_of
from config import Settings
from data.decision import Decision
from data.ingest.file_plan import ImportOptions
from data.ingest.importing import import_files
from data.request import parse_time
from data.site import Site, open_site
from errors import ConfigurationError, NotPermitted, PrintFailed
from figures.job_window import JobWindow
from jobs.attempt_in_hand import AttemptInHand
from jobs.job import Job, Status
from jobs.ledger.ledger import Ledger, open_ledger
from jobs.policy import REPORT
from jobs.services import Services
from jobs.worker.child import make_run_job
from reports.definition import ReportDefinition, make_definition
from reports.inquiry import ReportInquiry
from reports.period import read_period
from reports.printing import print_page
from reports.starting import start_report
from reports.writing import fresh_report, report_of_job, write_report
from tests.people import grant_everyone


class Closing(FlaskClient):
    """Reads answers to their end and closes them, as a server does: they may be files."""

    def open(self, *args: Any, **how: Any) -> TestResponse:
        return super().open(*args, **{"buffered": True, **how})


ZONE = "America/New_York"
SENSORS = ("humidity", "pressure", "rainfall", "temperature", "wind_direction", "wind_speed")


@dataclass(frozen=True)
class World:
    """A site with the sample and no worker, on which everybody may do everything."""

    settings: Settings
    site: Site
    ledger: Ledger
    access: AccessStore

    def start(self, period: str = "2013-05", form: str = "html", user: str = "sari", **parts: Any) -> Job:
        """Submit the job of a report."""
        identity = owner_identity(self.settings, self.access, user)
        inquiry = ReportInquiry(defined(**parts), period, form)  # type: ignore[arg-type]
        return start_report(self.site, self.ledger, identity, inquiry, lambda: None)

    def run(self) -> Job:
        """Do what a worker does with the next job; the job as it ended."""
        job = self.ledger.claim("w", ["history", "history-large"])
        assert job is not None
        make_run_job(self.settings, {REPORT: write_report})(job.id, job.attempt)
        return self.ledger.get(job.id)

    def made(self, period: str = "2013-05", form: str = "html", **parts: Any) -> Path:
        """The file of a report that is made now."""
        self.start(period, form, **parts)
        job = self.run()
        assert job.status is Status.COMPLETED, job.error
        found = report_of_job(self.site, job)
        assert found is not None
        return found


def defined(**parts: Any) -> ReportDefinition:
    return make_definition("test", **{"stations": ["JFK"], "sensors": SENSORS, "timezone": ZONE, **parts})


@pytest.fixture(scope="module")
def granted(sample_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample with grants, and with what its first report loads; tests take a copy."""
    made = Path(shutil.copytree(sample_data_dir, tmp_path_factory.mktemp("reports") / "var"))
    settings = Settings(data_dir=made, auth="proxy", _env_file=None)
    grant_everyone(settings)
    return made


@pytest.fixture
def world(granted: Path, tmp_path: Path) -> Iterator[World]:
    settings = Settings(data_dir=Path(shutil.copytree(granted, tmp_path / "site")), auth="proxy", _env_file=None)
    ledger = open_ledger(settings)
    access = open_access(settings, engine=ledger.engine)
    site = open_site(settings, decisions=access.decisions)
    yield World(settings, site, ledger, access)
    site.engine.dispose()
    ledger.engine.dispose()


def test_a_page_has_every_section_in_its_language_and_no_address_and_no_script(world):
    text = world.made(language="id").read_text()
    headings = re.findall(r"<h3>(.*?)</h3>", text)
    assert headings == [
        *("Kelengkapan", "Penanda per aturan", "Keputusan petugas", "Catatan dan riwayat", "Nilai ekstrem", "Per hari"),
        *("Laporan bulanan (CLIMAT)", "Angin", "Hujan", "Tahun-tahun sebelumnya"),
    ]
    assert '<html lang="id">' in text
    assert "Mei 2013" in text
    assert not re.search(r"https?:|//\w|<script|<link|<img|\bon\w+=", text)
    assert "default-src 'none'" in text


def test_numbers_of_the_workbook_are_those_of_the_page_with_all_their_digits(world):
    book = openpyxl.load_workbook(world.made(form="xlsx"))
    climat = {row[2]: row for row in book["CLIMAT"].values if row[0] == "JFK"}
    assert climat["T"][3] == pytest.approx(15.21, abs=0.005)
    assert climat["T"][5] == 0
    assert climat["R1"][3] == pytest.approx(83.312)
    page = world.made(sections=["climat"]).read_text()
    assert '<td>R1</td><td class="n">83.3</td>' in page
    assert {"Completeness", "Extremes", "Days", "Wind rose", "Rain", "Checksums"} <= set(book.sheetnames)


@pytest.mark.parametrize(("allowed", "missing"), [(True, 0), (False, 1)], ids=["granted", "not granted"])
def test_a_month_of_days_from_seven_has_what_of_its_last_day_lies_in_the_next_month(world, allowed, missing):
    sensors = {**world.site.catalogue.sensors, "rainfall": replace(world.site.catalogue["rainfall"], day_start_min=7 * 60)}
    site = replace(world.site, catalogue=replace(world.site.catalogue, sensors=sensors))
    sari = replace(owner_identity(world.settings, world.access, "sari"), rights=EVERYTHING)
    if not allowed:
        until = parse_time("2013-06-01", ZONE, field="to")
        sari = replace(sari, rights=Rights((Grant(to_ms=until, may_export=True),)))
    job = world.start(form="xlsx", sections=["climat", "daily", "rain"])
    write_report(AttemptInHand(site, site, sari, world.access, job, "draft", lambda _progress: None))
    made = report_of_job(site, job)
    assert made is not None
    book = openpyxl.load_workbook(made)
    rain = next(row for row in book["CLIMAT"].values if row[2] == "R1")
    assert rain[5] == missing
    assert (rain[3] is None) == (not allowed)
    table = [row for row in book["Days"].values if row[0] in ("Station", "JFK")]
    begin, column = next(
        (place, at) for place, row in enumerate(table) for at, head in enumerate(row) if str(head).startswith("Rain")
    )
    days = {row[1]: row[column] for row in table[begin + 1 : begin + 32]}
    assert (min(days), max(days), len(days)) == ("2013-05-01", "2013-05-31", 31)
    total = next(row[2] for row in book["Rain"].values if str(row[1]).startswith("Total"))
    assert total == pytest.approx(sum(value or 0 for value in days.values()))
    if allowed:
        assert total == pytest.approx(rain[3])


def test_names_titles_and_notes_of_others_are_text(world):
    sari = owner_identity(world.settings, world.access, "sari")
    at = parse_time("2013-05-10", ZONE, field="from")
    hostile = "<script>alert(1)</script> \u202e %{y} =1+1"
    for shared in (True, False):
        add_note(world.access, world.site, sari, NoteContent("JFK", None, at, at, f"{hostile} {shared}", shared=shared))
    text = world.made(sections=["notes"], title='<img src="x">').read_text()
    assert "&lt;script&gt;alert(1)&lt;/script&gt; \\u202e %{y} =1+1 True" in text
    assert "&lt;img src=" in text
    assert "<script" not in text
    assert "<img" not in text
    assert "1+1 False" not in text  # a private note does not leave the page


def test_earlier_years_are_the_same_dates_as_far_as_they_are_granted(world):
    text = world.made("2013-03-01..2013-03-08", sections=["earlier"]).read_text()
    assert "no readings of the same dates of earlier years" in text


def test_the_queue_of_a_report_is_that_of_all_the_years_it_is_compared_with(world, tmp_path):
    few = world.settings.model_copy(update={"large_job_rows": 7_500})
    small = replace(world, site=replace(world.site, settings=few))
    assert small.start(sensors=["temperature"]).queue == "history"  # 745 rows, nothing is earlier
    file = tmp_path / "old.csv"
    file.write_text("timestamp_utc,station,temperature\n2003-06-10T00:00:00Z,JFK,20\n", encoding="utf-8")
    import_files(world.site.engine, world.site.catalogue, [file], ImportOptions(site_timezone=ZONE))
    assert small.start(sensors=["temperature"], title="nine years").queue == "history"  # 7,450
    assert small.start("2013-06", sensors=["temperature"]).queue == "history-large"  # 11 × 721
    assert small.start("2013-06", sensors=["temperature"], sections=["extremes"]).queue == "history"


def test_an_equal_report_that_waits_is_the_same_job_and_another_period_is_another(world):
    first = world.start()
    assert world.start().id == first.id
    assert world.start("2013-06").id != first.id
    assert world.start(user="budi").id != first.id


def test_a_killed_attempt_that_had_made_the_file_is_not_made_again(world):
    job = world.start()
    done = world.run()
    made = report_of_job(world.site, done)
    assert made is not None
    before = made.stat().st_mtime_ns
    sari = owner_identity(world.settings, world.access, "sari")
    assert fresh_report(world.site, world.access, sari, done) == made
    claimed = world.start("2013-05", title="again")
    assert claimed.id != job.id
    hand = AttemptInHand(world.site, world.site, sari, world.access, done, "again", lambda _progress: None)
    assert write_report(hand)["reused"] == 1
    assert made.stat().st_mtime_ns == before


def test_a_note_or_a_decision_makes_a_report_stale(world):
    world.start()
    done, sari = world.run(), owner_identity(world.settings, world.access, "sari")
    at = parse_time("2013-05-10", ZONE, field="from")
    add_note(world.access, world.site, sari, NoteContent("JFK", None, at, at, "cleaned", shared=True))
    assert fresh_report(world.site, world.access, sari, done) is None
    assert report_of_job(world.site, done) is not None


def test_whoever_may_not_export_the_whole_period_gets_no_report(world):
    for grant in world.access.grants():
        world.access.remove_grant(grant.id)
    until = parse_time("2013-05-20", ZONE, field="to")
    world.access.add_grant("user", "sari", Grant(to_ms=until, may_export=True), by="test")
    world.access.add_grant("user", "budi", Grant(may_export=False), by="test")
    for user in ("sari", "budi"):
        with pytest.raises(NotPermitted):
            world.start(user=user)


def test_a_right_that_is_taken_away_while_the_report_waits_makes_it_fail(world):
    world.start()
    for grant in world.access.grants():
        world.access.remove_grant(grant.id)
    assert world.run().status is Status.FAILED


def test_a_pdf_is_the_page_as_chromium_prints_it(world):
    content = world.made(form="pdf", sections=["completeness", "wind"]).read_bytes()
    assert content.startswith(b"%PDF-")
    assert b"/ObjStm" in content
    assert content.count(b"/Type /StructElem") == 0  # packed
    assert list((world.settings.tiles_path / ".workbooks").glob("*.draft")) == []


def test_without_a_browser_a_pdf_is_refused_with_what_to_install(world):
    site = replace(world.site, settings=world.settings.model_copy(update={"chromium": "no-such-browser"}))
    with pytest.raises(ConfigurationError, match="apt install chromium"):
        replace(world, site=site).start(form="pdf")


def test_a_browser_that_fails_says_why_and_is_tried_again(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<p>")
    with pytest.raises(PrintFailed) as failed:
        print_page(Settings(chromium="false", _env_file=None), page, tmp_path / "out.pdf", "t-1", 10)
    assert failed.value.retryable


# -- over HTTP -------------------------------------------------------------------------------------


@pytest.fixture
def client(world: World) -> FlaskClient:
    """Sari's."""
    server = create_app(world.settings).server
    server.test_client_class = Closing
    made = server.test_client()
    made.environ_base["HTTP_X_FORWARDED_USER"] = "sari"
    return made


NEW = {"stations": ["JFK"], "sensors": list(SENSORS), "period": "2013-05", "format": "html"}


def test_a_report_is_asked_for_waited_for_and_fetched_under_its_name(world, client):
    receipt = client.post("/api/reports", json={**NEW, "sections": ["rain"], "language": "id"})
    assert (receipt.status_code, receipt.headers["Retry-After"]) == (202, "5")
    path = f"{receipt.headers['Location']}/report"
    assert client.get(path).status_code == 202
    assert client.get(receipt.headers["Location"]).json["kind"] == "report"
    world.run()
    got = client.get(path)
    assert (got.status_code, got.mimetype) == (200, "text/html")
    assert got.headers["Content-Disposition"].endswith(".html")
    assert "Hujan" in got.text
    entries = world.access.audit.entries(AuditFilter(action="export"), limit=10)
    assert [entry.subject["format"] for entry in entries] == ["report html"]


def test_others_see_neither_the_report_nor_its_job(world, client):
    receipt = client.post("/api/reports", json=NEW)
    world.run()
    path = f"{receipt.headers['Location']}/report"
    assert client.get(path).status_code == 200
    client.environ_base["HTTP_X_FORWARDED_USER"] = "budi"
    assert client.get(path).status_code == 404


def test_a_link_of_a_chart_is_answered_by_a_job_and_then_by_its_file_until_something_changes(world, client):
    of = defined().request(read_period("2013-05", ZONE).span)
    history = world.ledger.record_completed("sari", of, {}).id
    path = f"/api/jobs/{history}/report?format=html&period=2013-05"
    first, second = client.get(path), client.get(path)
    assert (first.status_code, second.status_code, first.json["id"]) == (202, 202, second.json["id"])
    world.run()
    assert client.get(path).status_code == 200
    sari, at = owner_identity(world.settings, world.access, "sari"), of.start_ms
    add_note(world.access, world.site, sari, NoteContent("JFK", None, at, at, "cleaned", shared=True))
    assert client.get(path).status_code == 202


def test_a_report_that_failed_is_told_with_its_reason(world, client):
    receipt = client.post("/api/reports", json=NEW)
    for grant in world.access.grants():
        world.access.remove_grant(grant.id)
    world.run()
    grant_everyone(world.settings)
    answer = client.get(f"{receipt.headers['Location']}/report")
    assert answer.status_code == 409
    assert "could not be made" in answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"period": "May"}, 400),
        ({"stations": ["nowhere"]}, 400),
        ({"period": "1913-05"}, 400),
        ({"period": "0001", "timezone": "Asia/Jakarta"}, 400),
        ({"sections": ["everything"]}, 400),
        ({"title": "two\nlines"}, 400),
        ({"timezone": "Mars/Base"}, 400),
    ],
)
def test_what_cannot_be_reported_is_refused_before_a_job(world, client, changed, status):
    assert client.post("/api/reports", json={**NEW, **changed}).status_code == status
    assert world.ledger.jobs(limit=5) == []


def test_the_page_offers_the_month_the_year_and_the_window_as_far_as_they_are_granted(world):
    of = defined().request(read_period("2013-03-01..2013-05-20", ZONE).span)
    job = world.ledger.record_completed("sari", of, {})
    identity = owner_identity(world.settings, world.access, "sari")
    window = JobWindow(world.site, job, (of.start_ms, of.end_ms), identity.rights)
    services = Services(world.settings, world.site, world.ledger, world.access, lambda: identity, lambda: None)
    words = [each.words for each in reports_of(services, window)]
    assert words == ["May 2013", "2013", "1 Mar 2013 – 19 May 2013 EDT"]
    until = Grant(to_ms=of.end_ms)
    narrow = replace(window, rights=Rights((until,)))
    assert [each.words for each in reports_of(services, narrow)] == ["1 Mar 2013 – 19 May 2013 EDT"]


def test_the_page_offers_a_window_within_the_hour_that_a_clock_shows_twice(world):
    of = defined().request(read_period("2013-11", ZONE).span)
    job = world.ledger.record_completed("sari", of, {})
    identity = owner_identity(world.settings, world.access, "sari")
    span = (parse_time("2013-11-03T05:30Z", ZONE, field="from"), parse_time("2013-11-03T06:10Z", ZONE, field="to"))
    services = Services(world.settings, world.site, world.ledger, world.access, lambda: identity, lambda: None)
    offered = reports_of(services, JobWindow(world.site, job, span, identity.rights))
    assert [each.words for each in offered][:2] == ["November 2013", "2013"]
    assert len(offered) == 3


def test_decisions_of_people_stand_with_their_reason_and_author(world):
    sari, at = owner_identity(world.settings, world.access, "sari"), parse_time("2013-05-10", ZONE, field="from")
    sari = replace(sari, rights=EVERYTHING)
    draft = Decision(0, "JFK", "temperature", "offset", at, at + 3_600_000, amount=-0.0004)
    decide(world.access, world.site, sari, draft, reason="ventilator <stood>")
    shift = Decision(0, "JFK", "temperature", "shift", at, at + 3_600_000, amount=3_600_000.0)
    decide(world.access, world.site, sari, shift, reason="clock")
    text = world.made(sections=["decisions"]).read_text()
    assert '<td class="n">−0.0004</td>' in text
    assert '<td class="n">3\u202f600\u202f000</td>' in text
    assert "count none of these decisions" not in text
    assert "ventilator &lt;stood&gt;" in text
    assert "offset added" in text
    assert "<td>sari</td>" in text
    assert "count none of these decisions" in world.made(sections=["decisions"], flags="none").read_text()
