"""Saved views on the page: what the address of one does, the home, the star, and the lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import pytest

from access.embeds.spec import parse_last
from access.grants import Grant
from access.identity import Identity
from access.saved.saved_selection import SavedSelection
from access.saved.saved_view import SavedView, save_view, visible_views
from access.store import open_access
from callbacks.arrival import InitialState, arrival
from callbacks.link import Link, parse_link
from callbacks.saved import MOST_RECENT, act_on, listed, saved_request, shown, with_saved
from callbacks.search import meant_range
from callbacks.selection import Selection
from config import Settings
from data.request import HistoryRequest, request_of
from errors import Conflict, InvalidRequest, NoData, RiwayatError
from jobs.job import Job, Status, WorkerInfo
from jobs.kinds.history import load_history
from jobs.ledger.ledger import open_ledger
from jobs.services import Services
from jobs.start import start_job
from layouts import ids
from layouts.saved import FIXED, HOME, SHARED, range_choices
from tests.people import granted, person

SARI, BUDI = person("sari"), person("budi")
JULY = request_of(["EWR"], ["temperature"], "2013-07-01", "2013-08-01", "raw", "Asia/Jakarta")
DAY_MS = 86_400_000
WINDOW = (JULY.start_ms + 12 * DAY_MS, JULY.start_ms + 20 * DAY_MS)
HEAT = SavedSelection(
    JULY.stations,
    JULY.sensors,
    JULY.start_ms,
    JULY.end_ms,
    window=WINDOW,
    timezone=JULY.timezone,
    view="calendar",
    options={"show": "mean"},
    hidden=("EWR.temperature",),
    flagged=True,
)
NEWEST = SavedSelection(("EWR",), ("temperature",), preset="30d", timezone="Asia/Jakarta")


@pytest.fixture
def services(site, data_dir) -> Iterator[Services]:
    """Those of sari, with July of EWR loaded and a worker that never takes a job."""
    settings = Settings(data_dir=data_dir, _env_file=None)
    ledger, access = open_ledger(settings), open_access(settings)
    load_history(site, JULY, lambda _progress: None)
    ledger.heartbeat(WorkerInfo("w", "here", 1, ("history",), 1, 0, 0))
    yield Services(settings, site, ledger, access, lambda: SARI, lambda: None)
    for engine in (ledger.engine, access.engine, site.engine):
        engine.dispose()


def saved(services: Services, shows: SavedSelection = HEAT, by: Identity = SARI, **more: Any) -> SavedView:
    return save_view(services.access, services.site, by, "Heat", shows, **more)


def opened(services: Services, view_id: str, shown_now: str | None = None, *, by: Identity = SARI) -> InitialState:
    return arrival(replace(services, identify=lambda: by), Link(saved=view_id), shown_now)


def words(state: InitialState) -> str:
    assert state.notice is not None
    return state.notice.sentence


def test_a_saved_view_opens_one_load_with_its_window_and_tab_however_often_it_is_opened(services):
    view_id = saved(services).id
    first, second = opened(services, view_id), opened(services, view_id)
    (job,) = services.ledger.jobs()
    assert (first.job_id, second.job_id, job.request, job.status) == (job.id, job.id, JULY, Status.COMPLETED)
    assert parse_qs(first.address) == {"job": [job.id], "saved": [view_id], "hidden": ["EWR.temperature"]}
    assert first.flagged is True
    assert first.wanted(None) == Selection(job.id, *WINDOW).with_view("calendar", {"show": "mean"}).stored
    assert first.form[ids.RANGE_START] == "2013-07-01 00:00"
    # what nobody has loaded yet waits for a worker, once
    newest = save_view(services.access, services.site, SARI, "Newest", NEWEST).id
    assert opened(services, newest).job_id == opened(services, newest).job_id
    assert services.ledger.jobs()[0].status is Status.QUEUED


def test_a_range_that_ends_with_the_newest_data_is_told_when_it_is_opened(services):
    request = saved_request(services, NEWEST)
    assert request == HistoryRequest(
        ("EWR",), ("temperature",), request.end_ms - 30 * DAY_MS, request.end_ms, "raw", "Asia/Jakarta"
    )
    (ewr,) = services.site.inventory.named(["EWR"])
    assert ewr.last_ms is not None
    assert 0 < request.end_ms - ewr.last_ms <= 60_000
    nothing = replace(services, identify=lambda: granted("budi", Grant(("JFK",))))
    with pytest.raises(NoData):
        saved_request(nothing, NEWEST)


def test_the_plain_address_opens_the_home_unless_something_else_is_wanted(services):
    view_id = saved(services, home=True).id
    (job,) = services.ledger.jobs() or [opened(services, view_id) and services.ledger.jobs()[0]]
    assert arrival(services, Link(), None).job_id == job.id
    assert arrival(services, Link(), job.id).job_id is None  # Back, from what was opened
    filled = arrival(services, Link(stations=("JFK",)), None)
    assert (filled.form, filled.notice) == ({ids.STATION: ["JFK"]}, None)
    assert arrival(replace(services, identify=lambda: BUDI), Link(), None) == InitialState()


def test_a_saved_view_outlives_the_job_of_its_address(services):
    view_id = saved(services).id
    found = arrival(services, parse_link(f"?job=gone&saved={view_id}"), None)
    assert found.wanted(None)["view"] == "calendar"


def test_what_is_gone_private_or_not_granted_is_told_alike_and_starts_nothing(services):
    private, shared = saved(services).id, save_view(services.access, services.site, SARI, "x", HEAT, shared=True).id
    stranger = granted("budi", Grant(("JFK",)))
    found = [opened(services, "0" * 16), opened(services, private, by=BUDI), opened(services, shared, by=stranger)]
    assert len({words(state) for state in found}) == 1
    assert all(state.job_id is None and not state.form for state in found)
    until_june = granted("budi", Grant(("EWR",), to_ms=JULY.start_ms))
    assert "access" in words(opened(services, shared, by=until_june))  # says what is granted, as of any link
    assert services.ledger.jobs() == []
    assert opened(services, shared, by=BUDI).job_id == services.ledger.jobs(owner="budi")[0].id


def job_of(services: Services) -> Job:
    return start_job(services.site, services.ledger, SARI, JULY, lambda: None)


def press(services: Services, button: str, search: str, name: Any = "Heat", range_: Any = FIXED, switches: Any = ()) -> str:
    job = job_of(services)
    selection = Selection(job.id, *WINDOW).with_view("calendar", {"show": "mean"})
    fields = {"name": name, "range": range_, "switches": list(switches), "flagged": True}
    return act_on(services, button, job.id, selection, search, fields)


def test_the_star_saves_changes_copies_and_removes_what_is_shown(services):
    first = press(services, ids.SAVED_SAVE, "?job=x&hidden=EWR.temperature", switches=[SHARED])
    (view,) = visible_views(services.access, SARI)
    assert (view.id, view.name, view.shows, view.shared, view.home) == (first, "Heat", HEAT, True, False)
    address = f"?job=x&saved={first}"
    assert press(services, ids.SAVED_SAVE, address, "July", "preset:7d", [HOME]) == first
    (view,) = visible_views(services.access, SARI)
    assert (view.name, view.shows.preset, view.shows.window, view.shared, view.home) == ("July", "7d", None, False, True)
    with pytest.raises(Conflict):
        press(services, ids.SAVED_NEW, address, "July")
    second = press(services, ids.SAVED_NEW, address, "Until now", "last:7d")
    assert [one.id for one in visible_views(services.access, SARI)] == [first, second]
    assert press(services, ids.SAVED_REMOVE, address) == ""
    assert [one.id for one in visible_views(services.access, SARI)] == [second]
    # of a view of somebody else's one saves one's own
    theirs = saved(services, by=BUDI, shared=True).id
    assert press(services, ids.SAVED_SAVE, f"?job=x&saved={theirs}", "mine") not in (theirs, second)


@pytest.mark.parametrize(
    ("name", "range_"), [("", FIXED), (None, FIXED), ("a", "preset:8d"), ("a", "last:x"), ("a\u202e", None), ("x" * 121, FIXED)]
)
def test_what_cannot_be_saved_is_an_error_with_a_sentence(services, name, range_):
    with pytest.raises(InvalidRequest):
        press(services, ids.SAVED_SAVE, "", name, range_)
    assert visible_views(services.access, SARI) == []


@pytest.mark.parametrize(
    ("last", "words"), [("90d", "Last 90\u202fd until now"), ("36h", "Last 1\u202fd 12\u202fh until now"), ("7d", None)]
)
def test_a_range_until_now_of_any_length_is_a_choice_of_the_view_that_has_it(last, words):
    last_ms = parse_last(last)
    choices = {choice["value"]: choice["label"] for choice in range_choices(WINDOW, "UTC", last_ms)}
    plain = {choice["value"]: choice["label"] for choice in range_choices(WINDOW, "UTC")}
    assert choices == plain | ({f"last:{last}": words} if words else {})


def test_the_whole_of_a_job_is_saved_without_a_window(services):
    job = job_of(services)
    assert shown(job, Selection(), None).window is None
    assert shown(job, Selection("another", *WINDOW), None).window is None


def test_the_address_keeps_the_rest_of_what_it_names():
    search = "?job=a&from=2013-07-01T00:00:00Z&saved=1&view=wind&by="
    assert with_saved(search, "2") == "job=a&from=2013-07-01T00:00:00Z&view=wind&by=&saved=2"
    assert with_saved(search, "") == "job=a&from=2013-07-01T00:00:00Z&view=wind&by="


def test_the_lists_name_each_load_once_newest_first_and_are_not_there_when_empty(services):
    assert listed(services) == []
    for day in range(1, MOST_RECENT + 3):
        job_of(services)
        services.ledger.record_completed("sari", replace(JULY, start_ms=JULY.start_ms + day * DAY_MS), {})
    services.ledger.record_completed("budi", JULY, {})
    saved(services, by=BUDI, shared=True)
    shared_list, recent = (str(part) for part in listed(services))
    assert "budi" in shared_list
    assert recent.count("?job=") == MOST_RECENT
    assert recent.count("1 Jul 2013 –") == 1


def test_words_of_time_count_from_the_newest_data_of_what_is_shown(services):
    found = meant_range(services, "last July", job_of(services).id)
    assert found is not None
    assert (found["start"], found["end"], found["from"], found["to"]) == (
        JULY.start_ms,
        JULY.end_ms,
        "2013-07-01 00:00",
        "2013-08-01 00:00",
    )
    assert found["words"] == "1 Jul 2013 – 31 Jul 2013 WIB"
    own = meant_range(services, "last July", None, ["EWR"])
    assert own is not None
    assert (own["from"], own["to"], own["words"]) == (found["from"], found["to"], "1 Jul 2013 – 31 Jul 2013 EDT")
    assert meant_range(services, "2013-07", "another's", ["gone"]) == found | {"text": "2013-07"}
    assert [meant_range(services, text, None) for text in ("EWR", None, ["2013"])] == [None] * 3


def test_lists_of_a_database_that_does_not_answer_are_none(services):
    def away() -> Identity:
        raise RiwayatError

    assert listed(replace(services, identify=away)) is None
