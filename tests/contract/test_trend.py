"""Trend as its reader wants it, from tiles: where data is, what is drawn over it, and what is said
of what cannot be.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dash.exceptions import PreventUpdate
from plotly.utils import PlotlyJSONEncoder

from access.store import open_access
from analysis.question import Question, ask
from analysis.registry import ANALYSES
from callbacks.pictures import ViewQuery
from callbacks.selection import Selection
from callbacks.view import ViewAnswer, _size, draw
from config import Settings
from data.request import HistoryRequest
from data.site import open_site
from figures.trend_options import MOST_UNASKED
from i18n import set_language
from jobs.job import Job
from jobs.kinds.history import load_history
from jobs.ledger.ledger import open_ledger
from jobs.services import Services
from tests.contract.test_analyses import DAY, HOUR, at, store
from tests.databases import migrate_as_new
from tests.people import person

START, END = at("2024-01-01"), at("2024-04-01")
LAST, FIRST = at("2024-01-20T23:00"), at("2024-03-05")  # around a pause
REQUEST = HistoryRequest(("a", "b"), ("temperature", "rainfall"), START, END, "raw", "UTC")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with hourly readings of two stations, but for a pause, all loaded."""
    made = tmp_path_factory.mktemp("trend") / "var"
    settings = Settings(data_dir=made, _env_file=None)
    migrate_as_new(settings)
    site = open_site(settings)
    hours = np.concatenate([np.arange(START, LAST + 1, HOUR), np.arange(FIRST, END, HOUR)])
    for station, height in (("a", 20.0), ("b", 22.0)):
        temperature = height + 5 * np.sin(hours / DAY * 2 * np.pi)
        store(site, station, hours, temperature=temperature, rainfall=np.where(hours % DAY == 0, 1.0, 0.0))
    load_history(site, REQUEST, lambda progress: None)
    site.engine.dispose()
    return made


@pytest.fixture
def services(folder: Path) -> Iterator[Services]:
    set_language("en")
    settings = Settings(data_dir=folder)
    mine = person("local")
    yield Services(settings, open_site(settings), open_ledger(settings), open_access(settings), lambda: mine, lambda: None)
    set_language("en")


@pytest.fixture
def job(services: Services) -> Job:
    return services.ledger.record_completed("local", REQUEST, {})


def drawn(services: Services, job: Job, start: str = "2024-01-01", end: str = "2024-04-01", **options: str) -> ViewAnswer:
    stored = {"job": job.id, "start": at(start), "end": at(end), "sequence": 1, "options": options}
    return draw(services, ViewQuery(job.id, Selection.of(stored), False, "light", 800))


def doors(component: Any) -> list[tuple[str, int, int]]:
    """Words and windows of the buttons that lead to one."""
    found = [each for each in component._traverse() if getattr(each, "className", "") == "door"]
    return [(each.children, int(getattr(each, "data-from")), int(getattr(each, "data-to"))) for each in found]


def test_a_window_without_readings_leads_to_the_nearest_before_and_after_it(services: Services, job: Job) -> None:
    note = drawn(services, job, "2024-02-10", "2024-02-20").note
    (before, left, right), (after, begin, end) = doors(note)
    assert ("20 Jan 2024" in before, "5 Mar 2024" in after) == (True, True)
    assert left < LAST < right
    assert begin < FIRST < end
    assert (right - left, end - begin) == (10 * DAY, 10 * DAY)
    for since, until in (
        ("2024-01-10", "2024-02-20"),
        ("2024-01-10T00:10", "2024-01-10T00:20"),
    ):  # a line runs through the second
        assert drawn(services, job, since, until).note is None
    empty = drawn(services, job, "2024-02-10", "2024-02-20").answer["figure"]["layout"]
    assert empty["yaxis"]["showticklabels"] is False


def test_options_come_back_with_the_answer_and_what_is_wrong_is_said_beside_the_chart(services: Services, job: Job) -> None:
    answer = drawn(services, job, y="temperature:10..40,presure:1..2", unknown="x")
    assert answer.answer["options"] == {"y": "temperature:10..40,presure:1..2"}
    assert answer.answer["figure"]["layout"]["yaxis"]["range"] == [10, 40]
    assert "presure is not in this chart" in str(answer.controls)
    assert "is not in this chart" not in str(drawn(services, job).controls)


def test_statistics_are_of_readings_or_of_the_buckets_that_are_drawn(services: Services, job: Job) -> None:
    def rain(**options: str) -> dict[str, str]:
        _choice, table = drawn(services, job, **options).statistics
        head, *lines = (line.split("\t") for line in getattr(table, "data-tsv").splitlines())
        return next(dict(zip(head, line, strict=True)) for line in lines if line[:2] == ["a", "rainfall"])

    hourly, daily = rain(), rain(stats="drawn")
    # 19 midnights after the first until 20 January, 27 from 5 March on; each ends a half day
    assert [hourly[name] for name in ("rows", "min", "max", "mean", "sum")] == ["1127", "0", "1", "", "46"]
    assert [daily[name] for name in ("bucket", "rows", "min", "max", "mean", "sum")] == ["12h", "95", "0", "1", "0.48", "46"]
    assert (hourly["max_time"], daily["max_time"]) == ("2024-01-02T00:00:00Z", "2024-01-01T12:00:00Z")
    minutes = drawn(services, job, "2024-01-10T00:00", "2024-01-10T06:00", stats="drawn").statistics
    assert "readings" not in str(minutes)  # all that is drawn is readings: no choice


def test_statistics_open_the_series_that_they_are_of_and_no_others(
    services: Services, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []

    def noted(site: Any, request: HistoryRequest, *args: Any, **named: Any) -> Question:
        opened.append(request.series)
        return ask(site, request, *args, **named)

    monkeypatch.setattr("callbacks.view.ask", noted)
    drawn(services, job, only="temperature")
    assert opened == [(("a", "temperature"), ("b", "temperature"))]
    many = replace(REQUEST, stations=tuple(f"station {number}" for number in range(MOST_UNASKED)))
    assert drawn(services, services.ledger.record_completed("local", many, {})).statistics is None  # it asks which to draw
    assert len(opened) == 1


def test_a_smoothed_trend_takes_readings_beside_the_window_and_says_so_in_the_badge(services: Services, job: Job) -> None:
    answer = drawn(services, job, "2024-01-05", "2024-01-06", smooth="7d")
    running = [trace for trace in answer.answer["figure"]["data"] if trace["uid"].endswith("smooth")]
    assert len(running) == 2  # of the lines, not of the bars
    assert "7-day running mean" in answer.badge.replace("\u00a0", " ").replace("\u2011", "-")
    values = np.frombuffer(base64.b64decode(running[0]["y"]["bdata"]), "<" + running[0]["y"]["dtype"])
    assert np.ptp(values) < 0.5  # whole days around each point: the daily wave is gone


def test_crossings_of_a_threshold_are_those_of_the_view_events_to_which_a_button_leads(services: Services, job: Job) -> None:
    answer = drawn(services, job, "2024-01-01", "2024-01-11", above="temperature:24", below="rainfall:0.5")
    said = answer.lists.to_plotly_json()["props"]["children"][0]
    first, second, rain, _more = (item.children for item in said.children)
    assert "a · Air temperature above 24.0 °C: 10 events" in first
    assert "b · Air temperature above 24.0 °C: 10 events" in second
    assert "Rainfall below 0.50 mm" in rain
    buttons = [each for each in answer.lists._traverse() if getattr(each, "className", "") == "door"]
    assert [json.loads(getattr(each, "data-options")) for each in buttons] == [{"above": "24"}, {"below": "0.5"}]
    stored = {"job": job.id, "start": at("2024-01-01"), "end": at("2024-01-11"), "view": "events", "options": {"above": "24"}}
    events = draw(services, ViewQuery(job.id, Selection.of(stored), False, "light", 800))
    assert "Air temperature" in str(events.lists)
    assert drawn(services, job).lists is None


def test_too_many_readings_for_events_are_said_and_the_line_is_drawn_all_the_same(
    services: Services, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ANALYSES, "events", replace(ANALYSES["events"], at_once=10))
    answer = drawn(services, job, above="temperature:24")
    assert answer.lists is None
    assert "Too many readings to count events" in str(answer.controls)
    assert len(answer.answer["figure"]["layout"]["shapes"]) == 1


def test_a_line_has_columns_of_the_screens_pixels_and_the_layout_those_of_the_page(services: Services, job: Job) -> None:
    def of(width_px: int, ratio: float) -> Any:
        selection = Selection.of({"job": job.id})
        return draw(services, ViewQuery(job.id, selection, False, "light", width_px, ratio=ratio)).answer["figure"]

    sharp, plain, wide = of(200, 2.0), of(200, 1.0), of(400, 1.0)
    assert sharp["data"][0]["x"] == wide["data"][0]["x"] != plain["data"][0]["x"]
    assert sharp["layout"]["xaxis"]["nticks"] == plain["layout"]["xaxis"]["nticks"]
    assert sharp["layout"]["height"] == plain["layout"]["height"]


@pytest.mark.parametrize(
    ("measured", "size"),
    [
        (800, (800, 1.0)),
        ([800, 2], (800, 2.0)),
        ([800.6, 1.25], (800, 1.25)),
        ([800, 99], (800, 1.0)),
        ([800, "2"], (800, 1.0)),
        ([9999, 3], (4000, 3.0)),
        ([10, 1], (120, 1.0)),
    ],
)
def test_a_size_is_within_reason_whatever_the_page_says(measured: object, size: tuple[int, float]) -> None:
    assert _size(measured) == size


@pytest.mark.parametrize("measured", [None, 0, -5, "800", ["800", 2], [], [0, 2], {}])
def test_without_a_width_nothing_is_drawn(measured: object) -> None:
    with pytest.raises(PreventUpdate):
        _size(measured)


def test_more_than_forty_series_are_not_drawn_before_it_is_said_which(services: Services) -> None:
    names = ("a", "b", *(f"s{number:02d}" for number in range(19)))
    many = services.ledger.record_completed("local", replace(REQUEST, stations=names), {})
    asked = drawn(services, many)
    assert asked.whole["figure"]["data"] == []
    assert asked.statistics is None
    said = json.dumps(asked.note, cls=PlotlyJSONEncoder)
    assert "42 series are too many" in said
    assert [word for word in ("Air temperature", "Rainfall", "All 42", "Compare years") if word in said] == [
        "Air temperature", "Rainfall", "All 42", "Compare years",
    ]  # fmt: skip
    one = drawn(services, many, only="rainfall")
    assert {trace["legendgroup"].rpartition(".")[2] for trace in one.whole["figure"]["data"]} == {"rainfall"}
    assert len(one.statistics[1].to_plotly_json()["props"]["children"][1].children) == len(names)
    whole = drawn(services, many, only="all")
    assert {trace["legendgroup"].rpartition(".")[2] for trace in whole.whole["figure"]["data"]} == {"rainfall", "temperature"}
    forty = services.ledger.record_completed("local", replace(REQUEST, stations=names[:20]), {})
    assert drawn(services, forty).whole["figure"]["data"]
