"""What is granted decides what the page lists, offers, says and draws."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dash import no_update

from access.grants import Grant
from access.identity import Identity
from access.restricted_site import restricted_site
from access.store import open_access
from app import create_app
from callbacks.arrival import arrival, arrived
from callbacks.form import preset_text
from callbacks.job_words import not_found
from callbacks.jobs_page import JobsPageQuery as JobsAsked
from callbacks.jobs_page import act, shown
from callbacks.link import Link
from callbacks.pictures import ViewQuery
from callbacks.run import _find, tab_fits
from callbacks.selection import Selection
from callbacks.start import start_values
from callbacks.submit import refusal, start_load, start_reload
from callbacks.view import draw
from config import Settings
from data.load_plan import plan
from data.request import HistoryRequest, request_of
from data.site import open_site
from errors import JobNotFound, NotPermitted, UnknownStation
from figures.history import empty_figure
from jobs.job import WorkerInfo
from jobs.kinds.history import load_history
from jobs.ledger.ledger import migrate_jobs, open_ledger
from jobs.services import Services
from layouts import ids
from layouts.form import SITE_TIME
from layouts.notices import Notice
from tests.people import grant_everyone, granted, person

MAY_MS, JUNE_MS = 1_367_366_400_000, 1_370_044_800_000  # 2013-05-01 and 2013-06-01 UTC
ONLY_EWR = granted("sari", Grant(("EWR",)))
ONLY_JFK = granted("sari", Grant(("JFK",)))
EWR_FROM_MAY = granted("sari", Grant(("EWR",), from_ms=MAY_MS))
NOTHING = granted("sari")


def asked(station: str = "EWR", start: str = "2013-01-01", end: str = "2014-01-01", resolution: str = "raw") -> HistoryRequest:
    return request_of([station], ["temperature"], start, end, resolution, "UTC")


@pytest.fixture(scope="module")
def folder(sample_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of which the temperature of EWR is loaded."""
    made = Path(shutil.copytree(sample_data_dir, tmp_path_factory.mktemp("rights") / "var"))
    site = open_site(Settings(data_dir=made, timezone="UTC", _env_file=None))
    load_history(site, asked(), lambda progress: None)
    site.engine.dispose()
    return made


@pytest.fixture
def services(folder: Path) -> Iterator[Services]:
    """Asked by an administrator, until a test says somebody else."""
    settings = Settings(data_dir=folder, timezone="UTC", auth="proxy", _env_file=None)
    site, ledger = open_site(settings), open_ledger(settings)
    migrate_jobs(ledger.engine)
    ledger.prune(older_than_s=-3600)
    ledger.heartbeat(WorkerInfo("w", "here", os.getpid(), ("history", "history-large"), 1, 0, 0))
    yield Services(settings, site, ledger, open_access(settings, engine=ledger.engine), lambda: person("root"), lambda: None)
    ledger.engine.dispose()
    site.engine.dispose()


def by(services: Services, identity: Identity) -> Services:
    return replace(services, identify=lambda: identity)


def stations(services: Services, identity: Identity) -> list[str]:
    return [station.name for station in by(services, identity).seen().inventory.stations()]


# -- lists and bounds ------------------------------------------------------------------------------


def test_lists_hold_what_is_granted(services):
    assert stations(services, person("root")) == ["EWR", "JFK", "LGA"]
    assert stations(services, granted("sari", Grant(("[EJ]*",)))) == ["EWR", "JFK"]
    assert stations(services, granted("sari", Grant(("ewr",)))) == []  # case counts
    assert stations(services, NOTHING) == []
    known = by(services, ONLY_EWR).seen().inventory.known()
    assert [station.name for station in known.stations] == ["EWR"]


def test_a_station_has_the_sensors_and_bounds_that_are_granted_of_it(services):
    whole = services.site.inventory.station("EWR")
    two = granted("sari", Grant(("EWR",), ("temp*",), from_ms=MAY_MS, to_ms=JUNE_MS), Grant(("JFK",), ("rainfall",)))
    site = by(services, two).seen()
    part = site.inventory.station("EWR")
    assert (part.sensors, part.first_ms, part.last_ms) == (("temperature",), MAY_MS, JUNE_MS - 1)
    assert part.rows == pytest.approx(whole.rows / 365 * 31, rel=0.01)
    assert [sensor.name for sensor in site.catalogue] == ["temperature", "rainfall"]
    never = by(services, granted("sari", Grant(("EWR",), from_ms=2 * JUNE_MS))).seen().inventory.station("EWR")
    assert (never.first_ms, never.last_ms, never.rows) == (None, None, 0)


def test_bounds_come_from_granted_sensors_alone(services):
    """par_sensor was never recorded here: neither it nor its grant's range
    says when the other sensors were.
    """
    other = Grant(("EWR",), ("par_sensor",))
    alone = by(services, granted("sari", other)).seen().inventory.station("EWR")
    assert (alone.sensors, alone.first_ms, alone.last_ms, alone.rows, alone.step_ms) == ((), None, None, 0, None)
    both = granted("sari", other, Grant(("EWR",), ("temperature",), from_ms=MAY_MS, to_ms=JUNE_MS))
    part = by(services, both).seen().inventory.station("EWR")
    assert (part.sensors, part.first_ms, part.last_ms) == (("temperature",), MAY_MS, JUNE_MS - 1)


def test_a_station_that_is_not_granted_is_as_unknown_as_one_that_is_not_there(services):
    site, words = by(services, ONLY_JFK).seen(), []
    for name in ("EWR", "ZZZ"):
        with pytest.raises(UnknownStation) as caught:
            site.inventory.named(["JFK", name])
        words.append(caught.value.message.replace(name, "…"))
    assert words == ["There is no station …. Known stations: JFK."] * 2
    with pytest.raises(UnknownStation, match=r"There is no station EWR\.$"):
        by(services, NOTHING).seen().inventory.station("EWR")


def test_presets_and_the_first_visits_start_lie_within_what_is_granted(services):
    early = by(services, granted("sari", Grant(("EWR",), to_ms=MAY_MS)))
    assert preset_text(early, "all", ["EWR"], zone_choice=SITE_TIME)[1] == "2013-05-01 00:00"
    assert preset_text(early, "7d", []) == ["2013-04-24 00:00", "2013-05-01 00:00"]
    assert preset_text(early, "all", ["JFK"]) is None
    assert set(start_values(early, ["JFK"])) == {no_update}
    assert start_values(early, ["EWR"], SITE_TIME)[4] == "2013-05-01 00:00"


def nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every object of a JSON document."""
    if isinstance(tree, dict):
        yield tree
        tree = list(tree.values())
    for child in tree if isinstance(tree, list) else ():
        yield from nodes(child)


def form_is_hidden(layout: str) -> bool:
    """Whether the form of a page's layout (JSON) is hidden."""
    (form,) = (node for node in nodes(json.loads(layout)) if node.get("id") == "form")
    return bool(form.get("hidden"))


def test_the_form_begins_at_the_finest_resolution_that_is_granted(services):
    server = create_app(services.settings).server
    numbers = [services.access.add_grant("user", "sari", Grant(finest=finest), by="test") for finest in ("1d", "1h")]
    try:
        answer = server.test_client().get("/_dash-layout", headers={"X-Forwarded-User": "sari"})
        (dropdown,) = (node for node in nodes(json.loads(answer.text)) if node.get("id") == "resolution")
        chosen = {option["value"]: option["disabled"] for option in dropdown["options"]}
        assert dropdown["value"] == "1h"
        assert [name for name, disabled in chosen.items() if disabled] == ["raw", "1min", "10min"]
    finally:
        for number in numbers:
            services.access.remove_grant(number)


def test_the_page_names_nothing_that_is_not_granted(services, folder):
    settings = services.settings
    server = create_app(settings).server

    def page(user: str) -> str:
        answer = server.test_client().get("/_dash-layout", headers={"X-Forwarded-User": user})
        assert answer.status_code == 200
        return answer.text

    services.access.add_grant("user", "sari", Grant(("EWR",), ("temperature",)), by="test")
    try:
        text = page("sari")
        assert '"EWR"' in text
        assert not any(name in text for name in ("JFK", "LGA", "rainfall", "do not have access to any"))
        assert not form_is_hidden(text)
        nobody = page("budi")
        assert "You do not have access to any stations yet. Ask your administrator." in nobody
        assert form_is_hidden(nobody)
        assert not any(name in nobody for name in ("EWR", "JFK", "LGA", "temperature"))
    finally:
        for row in services.access.grants():
            services.access.remove_grant(row.id)


def update(server: Any, user: str, outputs: list[str], inputs: dict[str, Any]) -> Any:
    """What a callback answers to a user."""
    named = [(name.rpartition(".")[0], name.rpartition(".")[2]) for name in outputs]
    body = {
        "output": f"..{'...'.join(outputs)}..",
        "outputs": [{"id": component, "property": prop} for component, prop in named],
        "inputs": [{"id": key.split(".")[0], "property": key.split(".")[1], "value": value} for key, value in inputs.items()],
        "changedPropIds": list(inputs),
    }
    client = server.test_client()
    endpoint = "/_dash-update-component"
    answer = client.post(endpoint, json=body, headers={"X-Forwarded-User": user, "Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 200, answer.text
    return answer.json["response"]


def test_the_estimate_says_what_is_granted_and_nothing_of_the_rest(services):
    server = create_app(services.settings).server
    number = grant_everyone(services.settings, Grant(("EWR",), from_ms=MAY_MS))
    form = {"sensor.value": ["temperature"], "range-start.value": "2013-01-01", "range-end.value": "2013-06-01"}
    form |= {"resolution.value": "raw", "zone.value": "site", "job-ended.data": None}
    try:

        def estimate(**changed: Any) -> str:
            values = {"station.value": ["EWR"], **form, **changed}
            return str(update(server, "sari", ["estimate.children", "estimate.className"], values)["estimate"]["children"])

        assert estimate() == "You have access to EWR from 1 May 2013 00:00 UTC on."
        assert "ready" in estimate(**{"range-start.value": "2013-05-01"})
        assert estimate(**{"station.value": ["JFK"]}) == "There is no station JFK. Known stations: EWR."
    finally:
        services.access.remove_grant(number)


# -- loads, views and links ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grant", "request_", "words", "action"),
    [
        (Grant(from_ms=MAY_MS), asked(), "You have access to EWR from 1 May 2013 00:00 UTC on.", "jump"),
        (Grant(longest_ms=86_400_000), asked(), "at most 1 d at a time", "form"),
        (Grant(finest="1h"), asked(), "access to EWR at 1h or coarser", "form"),
    ],
)
def test_a_refused_load_says_what_is_granted_and_offers_one_way_on(services, grant, request_, words, action):
    with pytest.raises(NotPermitted) as caught:
        start_load(services, granted("sari", grant), request_)
    notice = refusal(caught.value, "UTC")
    assert words in notice.sentence
    assert (notice.action, services.ledger.jobs()) == (action, [])


def draws(services: Services, identity: Identity, job_id: str) -> tuple[int, str, bool]:
    """How many traces are drawn, what the badge says, and whether rows may be fetched."""
    drawn = draw(by(services, identity), ViewQuery(job_id, Selection(), False, "light", 800))
    assert bool(drawn.statistics) == bool(drawn.answer["figure"]["data"])
    return len(drawn.answer["figure"]["data"]), drawn.badge, drawn.rows_href is not None


def test_a_result_is_drawn_as_long_as_it_is_granted(services):
    job = start_load(services, ONLY_EWR, asked())
    traces, badge, rows = draws(services, ONLY_EWR, job.id)
    assert (traces > 0, "EWR" in badge, rows) == (True, False, True)
    assert draws(services, granted("sari", Grant(may_export=False)), job.id)[2] is False
    for nobody in (NOTHING, ONLY_JFK, granted("budi", Grant())):
        assert draws(services, nobody, job.id) == (0, f"There is no job {job.id}.", False)
        overview = draw(by(services, nobody), ViewQuery(job.id, Selection(), False, "light", 800)).overview
        assert overview == empty_figure("light")
    assert draws(services, EWR_FROM_MAY, job.id) == (0, "You have access to EWR from 1 May 2013 00:00 UTC on.", False)


def test_attaching_to_a_result_says_why_it_is_closed(services):
    job = start_load(services, ONLY_EWR, asked())
    assert _find(by(services, ONLY_EWR), job.id)[0] is not None
    assert _find(by(services, ONLY_JFK), job.id) == (None, not_found())
    found, notice = _find(by(services, EWR_FROM_MAY), job.id)
    assert (found, notice) == (None, Notice("warning", "You have access to EWR from 1 May 2013 00:00 UTC on.", action="jump"))


def test_a_link_of_another_user_says_nothing_of_what_is_not_granted(services):
    theirs = start_load(services, granted("budi", Grant()), asked())
    came = arrival(by(services, ONLY_JFK), Link(job=theirs.id), None)
    assert (came.job_id, came.form, came.notice) == (None, {}, not_found())
    came = arrival(by(services, EWR_FROM_MAY), Link(job=theirs.id), None)
    assert (came.job_id, came.form, came.notice.action) == (None, {}, "jump")
    assert "access to EWR from" in came.notice.sentence
    assert [job.owner for job in services.ledger.jobs()] == ["budi"]
    came = arrival(by(services, ONLY_EWR), Link(job=theirs.id), None)
    assert services.ledger.get(came.job_id).owner == "sari"


def test_an_address_fills_the_form_with_what_is_granted_only(services):
    came = arrived(by(services, ONLY_JFK), "?station=EWR&station=JFK&sensor=temperature", None)
    assert came.form[ids.STATION] == ["JFK"]
    assert came.notice.sentence == "There is no station EWR. Known stations: JFK."


def test_the_jobs_page_lists_and_touches_what_is_granted_only(services):
    mine = start_load(services, ONLY_EWR, asked())
    start_load(services, granted("sari", Grant(("JFK",))), asked("JFK"))

    def rows(identity: Identity) -> list[str]:
        return [row["stations"] for row in shown(services, identity, JobsAsked(None, None, None, "light"), 0).rows]

    assert rows(ONLY_EWR) == ["EWR"]
    assert rows(granted("sari", Grant())) == ["JFK", "EWR"]
    assert (rows(NOTHING), rows(granted("budi", Grant()))) == ([], [])
    assert act(services, ONLY_JFK, mine.id, "retry").sentence == f"There is no job {mine.id}."
    assert "access to EWR from" in act(services, EWR_FROM_MAY, mine.id, "retry").sentence


def test_what_is_not_granted_cannot_be_read_again_either(services):
    job = start_load(services, ONLY_EWR, asked())
    with pytest.raises(UnknownStation):
        start_reload(services, ONLY_JFK, job)
    with pytest.raises(NotPermitted):
        start_reload(services, EWR_FROM_MAY, job)
    assert plan(services.site, asked()).is_complete  # no tile was made stale


def test_somebody_elses_job_is_not_found_whatever_is_granted(services):
    theirs = start_load(services, granted("budi", Grant()), asked())
    with pytest.raises(JobNotFound):
        services.ledger.get(theirs.id[::-1])
    assert draws(services, granted("sari", Grant()), theirs.id)[0] == 0


# -- a floor of resolution -------------------------------------------------------------------------


def test_whoever_sees_everything_gets_the_site_itself(services):
    assert restricted_site(services.site, person("root").rights) is services.site


# -- tabs ------------------------------------------------------------------------------------------


def fits(services: Services, identity: Identity, *sensors: str) -> dict[str, Any]:
    """What the row of views says of a load by somebody."""
    request = request_of(["EWR"], sensors, "2013-05-01", "2013-06-01", "raw", "UTC")
    found: dict[str, Any] = json.loads(tab_fits(by(services, identity), request))
    return found


def test_a_tab_says_what_it_needs_of_the_series_before_it_is_opened(services):
    one = fits(services, person("root"), "temperature")
    assert one["absent"] == []
    assert one["unfit"].keys() >= {"scatter", "wind", "rain"}
    assert one["unfit"]["wind"] == "Needs wind direction and wind speed of one station."
    wind = fits(services, person("root"), "wind_speed", "wind_direction")
    assert not wind["unfit"].keys() & {"scatter", "wind", "calendar", "compare"}


def test_a_tab_that_is_not_granted_is_absent(services):
    no_export = granted("sari", Grant(("EWR",), may_export=False))
    assert fits(services, no_export, "temperature")["absent"] == ["table"]
    whole_hours = granted("sari", Grant(("EWR",), finest="1h"))
    request = request_of(["EWR"], ["temperature"], "2013-05-01", "2013-06-01", "1h", "UTC")
    absent = json.loads(tab_fits(by(services, whole_hours), request))["absent"]
    assert {"calendar", "wind", "distribution"} <= set(absent)
    assert "table" not in absent
