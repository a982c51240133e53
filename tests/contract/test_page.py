"""What the page's callbacks do, on a real ledger and the bundled sample:
start, attach, links, cancel.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import pytest
from dash import no_update
from flask import Flask
from sqlalchemy.exc import OperationalError

import callbacks.run
from access.store import open_access
from callbacks.arrival import arrival, arrived, request_form
from callbacks.estimate import Speed, estimate_words
from callbacks.following import next_load
from callbacks.form import preset_span, preset_text, written_request
from callbacks.job_words import no_worker, not_found
from callbacks.link import Link
from callbacks.run import PROGRESS_OUTPUTS, RESULT_OUTPUTS, JobRenderer
from callbacks.saved import _without_steps
from callbacks.selection import Selection
from callbacks.start import chosen_stations, start_values
from callbacks.submit import fresh_range, refusal, release_job, start_again, start_load, start_reload
from config import Settings
from data.inventory import KnownStations
from data.load_plan import plan
from data.request import HistoryRequest, parse_time, request_of
from data.time.months import iso_utc, month_of
from errors import JobNotFound, NoData, NotAuthenticated, UnknownStation
from jobs.authorized import authorized_job
from jobs.first_visit import expect_first_visit
from jobs.job import JobError, Progress, Status, WorkerInfo
from jobs.kinds.history import load_history
from jobs.ledger.ledger import migrate_jobs, open_ledger
from jobs.services import Services
from jobs.start import start_job
from layouts import ids
from layouts.form import SITE_TIME
from layouts.notices import Notice
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
    # the worker serves history only
    large = replace(services, site=replace(services.site, settings=settings))
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
    assert preset_text(services, "all", ["JFK"], zone_choice=SITE_TIME) == ["2013-01-01 12:59", "2013-12-31 06:01"]
    assert preset_text(services, "all", ["JFK"]) == ["2013-01-01 00:59", "2013-12-30 18:01"]  # of its own clock


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
    release_job(services, SARI, theirs.id, start_load(services, SARI, asked("2013-01-02")), "this tab")
    assert services.ledger.get(theirs.id).status is Status.QUEUED


@pytest.mark.usefixtures("worker")
def test_a_new_load_takes_the_place_of_the_tabs_old_one_unless_somebody_watches_it(services):
    old, new = start_load(services, SARI, asked()), start_load(services, SARI, asked("2013-01-02"))
    services.ledger.note_page(old.id, "another tab")
    release_job(services, SARI, old.id, new, "this tab")
    assert services.ledger.get(old.id).status is Status.QUEUED
    services.ledger.note_page(new.id, "this tab")
    release_job(services, SARI, new.id, old, "this tab")
    assert services.ledger.get(new.id).status is Status.CANCELLED


@pytest.mark.usefixtures("worker")
def test_nobody_can_end_anothers_job_by_what_a_store_holds(services):
    theirs, mine = start_load(services, BUDI, asked()), start_load(services, SARI, asked())
    for store in (theirs.id, "nonsense", 7, None, {"a": 1}):
        release_job(services, SARI, store, mine, "page")
    assert services.ledger.get(theirs.id).status is Status.QUEUED


@pytest.mark.usefixtures("worker")
def test_an_administrator_who_looked_at_a_job_and_goes_on_does_not_end_it(services):
    theirs, mine = start_load(services, BUDI, asked()), start_load(services, ADMIN, asked())
    release_job(services, ADMIN, theirs.id, mine, "page")
    assert services.ledger.get(theirs.id).status is Status.QUEUED


@pytest.mark.usefixtures("worker")
def test_what_is_not_ones_own_is_not_there(services):
    theirs = start_load(services, BUDI, asked())
    for store in (theirs.id, "nonsense", 7, None, ["x"]):
        with pytest.raises(JobNotFound):
            authorized_job(services.ledger, SARI, store)
    assert authorized_job(services.ledger, replace(SARI, admin=True), theirs.id) == theirs


def test_a_preset_means_the_newest_data_at_the_moment_of_the_load(services):
    # as the preset wrote them when the page was opened
    old = ["2013-11-01 00:00", "2013-12-01 00:00"]
    assert fresh_range(services, "30d", ["JFK"], [], old, old) == ["2013-11-30 18:01", "2013-12-30 18:01"]
    # somebody's own
    assert fresh_range(services, "30d", ["JFK"], [], ["2013-11-05", old[1]], old) == ["2013-11-05", old[1]]
    assert fresh_range(services, None, ["JFK"], [], old, old) == old
    assert fresh_range(services, "30d", ["gone"], [], old, old) == old


def test_a_station_of_the_first_visit_fills_the_form_with_the_last_30_days_of_its_own_data(services):
    stations, sensors, preset, *times, of_preset = start_values(services, ["JFK"])
    assert (stations, sensors, preset) == (["JFK"], ["temperature", "rainfall"], "30d")
    assert times == of_preset == ["2013-11-30 18:01", "2013-12-30 18:01"]
    assert start_values(services, ["LGA", "gone", "EWR"])[0] == ["EWR", "LGA"]
    assert set(start_values(services, ["gone"])) == set(start_values(services, [])) == {no_update}


@pytest.mark.parametrize("stored", [None, "JFK", ["JFK"], {}, {"stations": "JFK"}, {"stations": [1, {}]}, {"stations": None}])
def test_what_is_no_choice_of_stations_chooses_none(stored):
    assert chosen_stations(stored) == []


# -- the first visit of a new site -----------------------------------------------------------------


def test_the_first_visitor_of_a_new_site_sees_a_chart_though_no_worker_is_there_yet(services):
    expect_first_visit(services.settings)
    found = arrived(services, "", None)
    (job,) = services.ledger.jobs()
    assert (found.job_id, found.address, found.form, found.notice) == (job.id, f"job={job.id}", {}, None)
    assert job.request == request_of(
        ["EWR"], ["rainfall", "temperature"], "2013-11-30 18:01", "2013-12-30 18:01", "raw", "America/New_York"
    )


def test_of_two_users_who_both_find_the_site_new_one_is_the_first_visitor(services, monkeypatch):
    expect_first_visit(services.settings)
    monkeypatch.setattr("callbacks.start.is_first_visit", lambda settings: True)
    users = (replace(services, identify=lambda user=user: user) for user in (SARI, BUDI))
    greeted = [arrived(of_user, "", None).job_id is not no_update for of_user in users]
    assert greeted == [True, False]
    assert len(services.ledger.jobs()) == 1


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("first", ["?station=JFK", "?theme=dark", "?job=nonsense"])
def test_who_comes_by_a_link_gets_what_it_says_and_is_the_first_visitor(services, first):
    expect_first_visit(services.settings)
    arrived(services, first, None)
    assert arrived(services, "", None).job_id is no_update
    assert services.ledger.jobs() == []


@pytest.mark.usefixtures("worker")
def test_who_has_loaded_something_is_not_greeted(services):
    own = start_load(services, SARI, asked())
    expect_first_visit(services.settings)
    assert arrived(services, "", None).job_id is no_update
    assert [job.id for job in services.ledger.jobs()] == [own.id]


def test_a_site_that_was_not_just_made_begins_nothing(services):
    assert arrived(services, "", None).job_id is no_update
    assert services.ledger.jobs() == []


def test_the_first_visit_waits_for_a_database_that_is_away(services, monkeypatch):
    expect_first_visit(services.settings)
    with monkeypatch.context() as patch:
        patch.setattr(type(services.site.inventory), "known", lambda self: KnownStations((), away=True))
        assert arrived(services, "", None).job_id is no_update
    assert arrived(services, "", None).job_id is not no_update


# -- links -----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("worker")
def test_a_link_to_ones_own_job_attaches_and_fills_the_form(services):
    job = start_load(services, SARI, asked())
    arrived = arrival(services, Link(job=job.id), None)
    assert (arrived.job_id, arrived.form, arrived.notice) == (job.id, request_form(services, asked()), None)
    assert arrived.form[ids.RANGE_START] == "2013-03-01 00:00"


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    ("start", "end", "shown"),
    [
        ("2013-03-02T00:00:00Z", "2013-03-03T00:00:00.5Z", (1_362_182_400_000, 1_362_268_800_500)),
        # without an offset: the clock of the request
        ("2013-02-01", "2013-03-02", (asked().start_ms, 1_362_157_200_000)),
        *(("", "", None), ("2013-03-02", "", None), ("yesterday", "2013-03-02", None), ("2013-03-03", "2013-03-02", None)),
        ("2020-01-01", "2020-02-01", None),
    ],
)
def test_a_link_to_a_job_shows_the_part_that_it_names_and_all_where_it_names_none(services, start, end, shown):
    mine, theirs = (start_load(services, who, asked()) for who in (SARI, BUDI))
    for job in (mine, theirs):
        arrived = arrival(services, Link(job=job.id, start=start, end=end), None)
        assert arrived.notice is None
        # an answer of a lower number would be dropped
        found = Selection.of(arrived.wanted({"sequence": 7}))
        assert (found.job, found.sequence) == (arrived.job_id, 7)
        assert (found.start, found.end) == (shown or (None, None))


@pytest.mark.usefixtures("worker")
def test_the_job_that_is_shown_stays_as_it_is(services):
    job = start_load(services, SARI, asked())
    assert set(arrival(services, Link(job=job.id), job.id).values) == {no_update}


@pytest.mark.usefixtures("worker")
def test_anothers_link_carries_the_request_and_makes_ones_own_job(services):
    theirs = start_load(services, BUDI, asked())
    arrived = arrival(services, Link(job=theirs.id, hidden=("EWR.temperature",)), None)
    mine = services.ledger.get(arrived.job_id)
    assert (mine.owner, mine.request) == ("sari", theirs.request)
    assert mine.id != theirs.id
    assert arrived.address == f"job={mine.id}&hidden=EWR.temperature"


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
        (Link(stations=("Nowhere",)), "There is no station Nowhere", {ids.STATION: []}),
        (Link(stations=("JFK",), sensors=("bogus",)), "There is no sensor bogus", {ids.STATION: ["JFK"], ids.SENSOR: []}),
        (Link(start="soon"), "Cannot read “soon”", {}),
        (Link(resolution="2h"), "There is no resolution 2h", {}),
    ],
)
def test_a_link_with_nonsense_says_what_is_wrong_fills_the_rest_and_starts_nothing(services, link, words, form):
    arrived = arrival(services, link, None)
    assert words in arrived.notice.sentence
    assert (arrived.form, arrived.job_id, statuses(services)) == (form, no_update, [])


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    ("query", "parts"),
    [
        ("station=Atlantis&sensor=temperature", ("Atlantis", "JFK")),
        ("station=JFK&sensor=mood", ("mood", "temperature")),
        ("station=JFK&sensor=temperature&from=yesterday-ish", ("yesterday-ish",)),
        ("station=JFK&sensor=temperature&from=2013-02-30", ("2013-02-30",)),
        ("station=JFK&sensor=temperature&resolution=1parsec", ("1parsec", "1min")),
        ("job=nonsense", ("expired or is not yours",)),
        ("job=%00%FF..%2F..%2Fetc%2Fpasswd", ("expired or is not yours",)),
        ("station=JFK&job=jAAAAAAAAAAAAAAAA", ("expired or is not yours",)),
    ],
)
def test_a_wrong_address_is_said_and_starts_nothing(services, query, parts):
    told = str(arrived(services, f"?{query}", None).notice)
    assert [part for part in parts if part not in told] == []
    assert statuses(services) == []


@pytest.mark.parametrize("query", ["", "?%FF%00&&&===", f"?{'a' * 5000}", "?station=&sensor=&from=&to=", "?theme=dark"])
def test_an_address_of_strange_letters_or_of_nothing_is_that_of_a_first_visit(services, query):
    assert arrived(services, query, None) == arrived(services, None, None)


def test_a_link_fills_the_form_with_wall_clock_times(services):
    link = Link(stations=("JFK",), sensors=("temperature",), start="2013-03-01T00:00:00Z", end="2013-04-01", resolution="1h")
    arrived = arrival(services, link, "some job")
    assert arrived.form == {
        ids.STATION: ["JFK"],
        ids.SENSOR: ["temperature"],
        ids.RANGE_START: "2013-02-28 19:00",
        ids.RANGE_END: "2013-04-01",
        ids.RANGE_PRESET: None,
        ids.RESOLUTION: "1h",
    }
    # the page leaves the job that it showed
    assert (arrived.job_id, arrived.notice) == (None, None)


def test_a_link_may_say_its_range_as_the_form_reads_it_and_its_last_day_is_in_it(services):
    for start, end in (("2013-07-01", "2013-07-31"), ("2013-07", "2013-07"), ("July 2013", "31 Jul 2013")):
        form = arrival(services, Link(stations=("JFK",), start=start, end=end), None).form
        written = (form[ids.RANGE_START], form[ids.RANGE_END])
        meant = written_request(services, ("JFK",), ("temperature",), written, "raw", None)
        assert [iso_utc(each) for each in (meant.start_ms, meant.end_ms)] == ["2013-07-01T04:00:00Z", "2013-08-01T04:00:00Z"]


# -- what is rendered ------------------------------------------------------------------------------


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
    words, value, beat = renderer.progress(services.ledger.get(first.id))
    assert words.startswith("Reading JFK, March 2013 · 1 of 4 months")
    assert (value, beat["note"]) == ("0.5000", None)
    assert beat["version"] > first.version


@pytest.mark.usefixtures("worker")
def test_an_alert_about_something_else_stays_when_a_job_ends_well(services):
    renderer = JobRenderer(services)
    load_history(services.site, asked(), lambda _progress: None)
    job = start_load(services, SARI, asked())
    assert renderer.result(job)[-1] is no_update
    assert renderer.attached(job, Notice("info", "It has expired."))[-1] is not None


def test_stations_without_data_are_named_when_a_job_of_several_has_ended(services):
    renderer, server = JobRenderer(services), Flask("page")
    inventory = services.site.inventory
    with services.site.engine.begin() as connection:
        far = parse_time("1999-01-01", "UTC", field="start")
        inventory.describe(connection, "Far", sensors=dict.fromkeys(["temperature"]))
        inventory.record(connection, "Far", month=month_of(far), added=1, first_ms=far, last_ms=far)
    wanted = replace(asked(), stations=("Far", "JFK"))
    load_history(services.site, wanted, lambda _progress: None)
    job = services.ledger.record_completed("sari", wanted, {})
    with server.test_request_context():
        for shown in (renderer.result(job), renderer.attached(job, None)):
            assert "No data in this range: Far." in str(shown[-1])
        alone = services.ledger.record_completed("sari", asked(), {})
        assert renderer.attached(alone, None)[-1] is None


# -- the estimate ----------------------------------------------------------------------------------


def test_the_estimate_says_what_is_on_disk(services):
    before = estimate_words(plan(services.site, asked()), 1e6)
    assert before.startswith("About ")
    assert "readings · 0 % ready" in before
    load_history(services.site, asked(), lambda _progress: None)
    assert estimate_words(plan(services.site, asked()), 1e6).endswith("ready")


def test_the_estimate_names_no_duration_before_any_load_has_been_measured(services):
    speed = Speed(services.ledger).rows_a_second()
    assert speed is None
    assert "about" not in estimate_words(plan(services.site, asked()), speed)
    assert "about" in estimate_words(plan(services.site, asked()), 1e6)


# Following


@pytest.mark.usefixtures("worker")
def test_a_step_loads_what_the_preset_means_now_once_however_often_it_is_asked_for(services):
    load_history(services.site, asked(), lambda _: None)
    shown = start_load(services, SARI, asked())
    assert next_load(services, shown.id, None) == {"job": shown.id, "status": "completed"}
    step = next_load(services, shown.id, "7d")
    assert step["status"] == "queued"
    assert next_load(services, shown.id, "7d") == step
    moved = services.ledger.get(step["job"]).request
    assert moved == replace(shown.request, start_ms=moved.start_ms, end_ms=moved.end_ms)
    assert (moved.start_ms, moved.end_ms) == preset_span(services, "7d", ["JFK"], ["temperature"], moved.timezone)


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("preset", ["all", "never", 3_600_000, True, -1, 2**80, ["all"]])
def test_a_step_of_anothers_job_or_with_what_is_no_preset_begins_nothing_of_its_own(services, preset):
    load_history(services.site, asked(), lambda _: None)
    shown = start_load(services, SARI, asked())
    budi = replace(services, identify=lambda: BUDI)
    assert next_load(budi, shown.id, preset) == {"job": None, "status": None}
    assert len(services.ledger.jobs()) == 1
    if preset not in ("all", 3_600_000):
        assert next_load(services, shown.id, preset)["job"] == shown.id


def test_of_steps_the_list_of_what_was_loaded_last_has_the_newest_and_of_other_ranges_all():
    day = 86_400_000
    ranges = [(9, 12), (8, 11), (7, 10), (0, 3), (9, 11), (9, 10), (6, 10)]  # from newest; days
    jobs = [SimpleNamespace(request=replace(asked(), start_ms=a * day, end_ms=b * day)) for a, b in ranges]
    assert [each.request.start_ms // day for each in _without_steps(jobs)] == [9, 0, 6]
