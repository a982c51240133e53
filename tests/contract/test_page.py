"""What the page's callbacks do, on a real ledger and the bundled sample: start, attach, links, cancel."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest
from dash import no_update
from sqlalchemy.exc import OperationalError

import callbacks.run
from access.store import open_access
from callbacks.estimate import DEFAULT_ROWS_A_SECOND, Speed, estimate_words
from callbacks.form import preset_text, start_values
from callbacks.link import Link
from callbacks.run import PROGRESS_OUTPUTS, RESULT_OUTPUTS, JobRenderer
from callbacks.services import Services
from callbacks.start import leave, refusal, start_again, start_load, start_reload
from callbacks.states import no_worker, not_found
from callbacks.submit import fresh_range
from callbacks.url import arrival, request_form
from config import Settings
from data.plan import plan
from data.request import HistoryRequest, request_of
from errors import JobNotFound, NoData, NotAuthenticated, UnknownStation
from jobs.history import load_history
from jobs.job import JobError, Progress, Status, WorkerInfo
from jobs.ledger import migrate_jobs, open_ledger
from jobs.start import start_job
from jobs.visible import visible_job
from layouts import ids
from layouts.status import Notice
from tests.people import person

SARI, BUDI, NOBODY, ADMIN = person("sari"), person("budi"), person(""), person("ana", admin=True)
ZONE = "Asia/Jakarta"


def asked(start: str = "2013-03-01", end: str = "2013-06-01", station: str = "JFK") -> HistoryRequest:
    return request_of([station], ["temperature"], start, end, "raw", ZONE)


@pytest.fixture
def woken() -> list[None]:
    return []


@pytest.fixture
def services(site, data_dir, woken) -> Iterator[Services]:
    settings = Settings(data_dir=data_dir)
    ledger = open_ledger(settings)
    migrate_jobs(ledger.engine)
    yield Services(settings, site, ledger, open_access(settings), lambda: SARI, lambda: woken.append(None))
    ledger.engine.dispose()
    site.engine.dispose()


@pytest.fixture
def worker(services) -> None:
    """A worker that is alive, but never takes a job."""
    services.ledger.heartbeat(WorkerInfo("w", "here", os.getpid(), ("history",), 1, 0, 0))


def statuses(services: Services) -> list[Status]:
    return [job.status for job in services.ledger.jobs()]


@pytest.mark.usefixtures("worker")
def test_what_is_missing_becomes_one_job_however_often_it_is_asked_for(services, woken):
    first = start_load(services, SARI, asked())
    second = start_load(services, SARI, asked())
    assert first.status is Status.QUEUED
    assert (second.id, statuses(services), len(woken)) == (first.id, [Status.QUEUED], 2)


@pytest.mark.usefixtures("worker")
def test_what_is_all_there_is_completed_from_the_start_and_wakes_nobody(services, woken):
    load_history(services.site, asked(), lambda _progress: None)
    job = start_load(services, SARI, asked())
    assert (job.status, job.metrics["tiles_read"], woken) == (Status.COMPLETED, 0, [])
    assert job.metrics["tiles_reused"] == plan(services.site, asked()).tiles_total


def test_without_a_worker_nothing_is_started_unless_nothing_is_missing(services):
    assert start_load(services, SARI, asked()) == no_worker()
    assert statuses(services) == []
    load_history(services.site, asked(), lambda _progress: None)
    assert start_load(services, SARI, asked()).status is Status.COMPLETED


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    ("request_", "identity", "error"),
    [
        (asked(station="nowhere"), SARI, UnknownStation),
        (asked("2020-01-01", "2020-02-01"), SARI, NoData),
        (asked(), NOBODY, NotAuthenticated),
    ],
)
def test_what_cannot_be_loaded_starts_no_job(services, request_, identity, error):
    with pytest.raises(error):
        start_load(services, identity, request_)
    assert statuses(services) == []


@pytest.mark.usefixtures("worker")
def test_a_reload_that_no_worker_would_run_leaves_the_tiles_as_they_are(services):
    load_history(services.site, asked(), lambda _: None)
    job = start_load(services, SARI, asked())
    assert job.status is Status.COMPLETED
    settings = services.site.settings.model_copy(update={"large_job_rows": 1})
    large = replace(services, site=replace(services.site, settings=settings))  # the worker serves history only
    assert start_reload(large, SARI, job) == no_worker()
    assert not plan(services.site, asked()).missing
    assert start_reload(services, SARI, job).status is Status.QUEUED
    assert plan(services.site, asked()).missing


def test_a_range_without_data_offers_the_range_there_is(services):
    with pytest.raises(NoData) as caught:
        start_load(services, SARI, asked("2020-01-01", "2020-02-01"))
    notice = refusal(caught.value, ZONE)
    assert notice.action == "jump"
    assert "1 Jan 2013 13:00 WIB" in notice.sentence
    assert preset_text(services, "all", ["JFK"]) == ["2013-01-01 13:00", "2013-12-31 06:01"]


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("end", ["cancel", "fail"])
def test_a_job_that_ended_badly_goes_on_as_the_same_job(services, end):
    job = start_load(services, SARI, asked())
    if end == "cancel":
        services.ledger.cancel(job.id)
    else:
        attempt = services.ledger.claim("w", ["history"])
        services.ledger.fail(job.id, attempt.attempt, JobError("x", "No."), jitter=0.0)
    again = start_again(services, SARI, services.ledger.get(job.id))
    assert (again.id, again.status) == (job.id, Status.QUEUED)


@pytest.mark.usefixtures("worker")
def test_a_job_that_a_program_began_goes_on_when_the_tab_that_shows_it_loads_something_else(services):
    theirs = start_job(services.site, services.ledger, SARI, asked(), services.wake)
    assert start_load(services, SARI, asked()).id == theirs.id  # the same is asked for on the page
    leave(services, SARI, theirs.id, start_load(services, SARI, asked("2013-01-02")), "this tab")
    assert services.ledger.get(theirs.id).status is Status.QUEUED


@pytest.mark.usefixtures("worker")
def test_a_new_load_takes_the_place_of_the_tabs_old_one_unless_somebody_watches_it(services):
    old, new = start_load(services, SARI, asked()), start_load(services, SARI, asked("2013-01-02"))
    services.ledger.seen(old.id, "another tab")
    leave(services, SARI, old.id, new, "this tab")
    assert services.ledger.get(old.id).status is Status.QUEUED
    services.ledger.seen(new.id, "this tab")
    leave(services, SARI, new.id, old, "this tab")
    assert services.ledger.get(new.id).status is Status.CANCELLED


@pytest.mark.usefixtures("worker")
def test_nobody_can_end_anothers_job_by_what_a_store_holds(services):
    theirs, mine = start_load(services, BUDI, asked()), start_load(services, SARI, asked())
    for store in (theirs.id, "nonsense", 7, None, {"a": 1}):
        leave(services, SARI, store, mine, "page")
    assert services.ledger.get(theirs.id).status is Status.QUEUED


@pytest.mark.usefixtures("worker")
def test_an_administrator_who_looked_at_a_job_and_goes_on_does_not_end_it(services):
    theirs, mine = start_load(services, BUDI, asked()), start_load(services, ADMIN, asked())
    leave(services, ADMIN, theirs.id, mine, "page")
    assert services.ledger.get(theirs.id).status is Status.QUEUED


@pytest.mark.usefixtures("worker")
def test_what_is_not_ones_own_is_not_there(services):
    theirs = start_load(services, BUDI, asked())
    for store in (theirs.id, "nonsense", 7, None, ["x"]):
        with pytest.raises(JobNotFound):
            visible_job(services.ledger, SARI, store)
    assert visible_job(services.ledger, replace(SARI, admin=True), theirs.id) == theirs


def test_a_preset_means_the_newest_data_at_the_moment_of_the_load(services):
    old = ["2013-11-01 00:00", "2013-12-01 00:00"]  # as the preset wrote them when the page was opened
    assert fresh_range(services, "30d", ["JFK"], old, old) == ["2013-12-01 06:01", "2013-12-31 06:01"]
    assert fresh_range(services, "30d", ["JFK"], ["2013-11-05", old[1]], old) == ["2013-11-05", old[1]]  # somebody's own
    assert fresh_range(services, None, ["JFK"], old, old) == old
    assert fresh_range(services, "30d", ["gone"], old, old) == old


def test_a_station_of_the_first_visit_fills_the_form_with_the_last_30_days_of_its_own_data(services):
    stations, sensors, preset, *times, of_preset = start_values(services, "JFK")
    assert (stations, sensors, preset) == (["JFK"], ["temperature", "rainfall"], "30d")
    assert times == of_preset == ["2013-12-01 06:01", "2013-12-31 06:01"]
    assert set(start_values(services, "gone")) == {no_update}


# -- links ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("worker")
def test_a_link_to_ones_own_job_attaches_and_fills_the_form(services):
    job = start_load(services, SARI, asked())
    arrived = arrival(services, Link(job=job.id), None)
    assert (arrived.job_id, arrived.form, arrived.notice) == (job.id, request_form(asked(), services.site.catalogue), None)
    assert arrived.form[ids.RANGE_START] == "2013-03-01 00:00"


@pytest.mark.usefixtures("worker")
def test_the_job_that_is_shown_stays_as_it_is(services):
    job = start_load(services, SARI, asked())
    assert set(arrival(services, Link(job=job.id), job.id).values) == {no_update}


@pytest.mark.usefixtures("worker")
def test_anothers_link_carries_the_request_and_makes_ones_own_job(services):
    theirs = start_load(services, BUDI, asked())
    arrived = arrival(services, Link(job=theirs.id), None)
    mine = services.ledger.get(arrived.job_id)
    assert (mine.owner, mine.request) == ("sari", theirs.request)
    assert mine.id != theirs.id
    assert arrived.address == mine.id


def test_a_finished_job_opens_although_the_observations_do_not_answer(services, monkeypatch):
    load_history(services.site, asked(), lambda _: None)
    job = start_load(services, SARI, asked())

    def away(*_):
        raise OperationalError("SELECT", {}, Exception("connection refused"))

    monkeypatch.setattr(callbacks.run, "plan", away)
    assert callbacks.run._find(services, job.id) == (job, None)


def test_a_link_to_a_job_that_is_gone_says_so(services):
    for job_id in ("gone", "goneforever", "no\0id", "x" * 5_000):
        arrived = arrival(services, Link(job=job_id), None)
        assert (arrived.job_id, arrived.notice) == (None, not_found())


def test_what_cannot_be_an_id_is_not_asked_of_a_database(services):
    nowhere = replace(services, ledger=None)
    assert arrival(nowhere, Link(job="no\0id"), None).notice == not_found()


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    ("link", "words", "form"),
    [
        (Link(stations=("Nowhere", "JFK")), "There is no station Nowhere", {ids.STATION: ["JFK"]}),
        (Link(stations=("JFK",), sensors=("bogus",)), "There is no sensor bogus", {ids.STATION: ["JFK"]}),
        (Link(start="yesterday"), "'yesterday' is not a time", {}),
        (Link(resolution="2h"), "There is no resolution 2h", {}),
    ],
)
def test_a_link_with_nonsense_says_what_is_wrong_fills_the_rest_and_starts_nothing(services, link, words, form):
    arrived = arrival(services, link, None)
    assert words in arrived.notice.sentence
    assert (arrived.form, arrived.job_id, statuses(services)) == (form, no_update, [])


def test_a_link_fills_the_form_with_wall_clock_times(services):
    link = Link(stations=("JFK",), sensors=("temperature",), start="2013-03-01T00:00:00Z", end="2013-04-01", resolution="1h")
    arrived = arrival(services, link, "some job")
    assert arrived.form == {
        ids.STATION: ["JFK"],
        ids.SENSOR: ["temperature"],
        ids.RANGE_START: "2013-03-01 07:00",
        ids.RANGE_END: "2013-04-01 00:00",
        ids.RANGE_PRESET: None,
        ids.RESOLUTION: "1h",
    }
    assert (arrived.job_id, arrived.notice) == (None, None)  # the page leaves the job that it showed


# -- what is rendered -------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("worker")
def test_each_rendering_has_a_value_for_each_output(services):
    renderer = JobRenderer(services)
    job = start_load(services, SARI, asked())
    assert len(renderer.progress(job)) == len(PROGRESS_OUTPUTS)
    for shown in (renderer.result(job), renderer.attached(job, None), renderer.attached(None, None)):
        assert len(shown) == len(RESULT_OUTPUTS)


@pytest.mark.usefixtures("worker")
def test_a_waiting_job_tells_its_place_and_a_running_one_what_it_reads(services):
    renderer = JobRenderer(services)
    first, second = start_load(services, SARI, asked()), start_load(services, SARI, asked("2013-01-02"))
    assert renderer.progress(second)[0] == "Queued at position 2"
    attempt = services.ledger.claim("w", ["history"]).attempt
    services.ledger.report(first.id, attempt, Progress(0.5, 1, 4, 744, 2_000, "JFK", 2013 * 12 + 2, None))
    words, value, version, note = renderer.progress(services.ledger.get(first.id))
    assert words.startswith("Reading JFK, March 2013 · 1 of 4 months")
    assert (value, note) == ("0.5000", None)
    assert version > first.version


@pytest.mark.usefixtures("worker")
def test_an_alert_about_something_else_stays_when_a_job_ends_well(services):
    renderer = JobRenderer(services)
    load_history(services.site, asked(), lambda _progress: None)
    job = start_load(services, SARI, asked())
    assert renderer.result(job)[-1] is no_update
    assert renderer.attached(job, Notice("info", "It has expired."))[-1] is not None


# -- the estimate -----------------------------------------------------------------------------------------------------


def test_the_estimate_says_what_is_on_disk(services):
    before = estimate_words(plan(services.site, asked()), DEFAULT_ROWS_A_SECOND)
    assert "0 % on disk" in before
    load_history(services.site, asked(), lambda _progress: None)
    assert estimate_words(plan(services.site, asked()), DEFAULT_ROWS_A_SECOND).endswith("all on disk · at once")


def test_without_measured_jobs_the_speed_is_the_default(services):
    assert Speed(services.ledger).rows_a_second() == DEFAULT_ROWS_A_SECOND


def test_the_speed_is_the_median_of_jobs_that_read_enough(services):
    for seconds in (1.0, 2.0, 4.0):
        services.ledger.record_completed("sari", asked(), {"rows": 1_000_000, "tiles_read": 9, "seconds_reading": seconds})
    services.ledger.record_completed("sari", asked(), {"rows": 10, "tiles_read": 1, "seconds_reading": 0.5})
    assert Speed(services.ledger).rows_a_second() == 500_000
