"""Tasks of an analyst, each begun on the page of a loaded year and done in at most five steps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config import Settings
from data.request import HistoryRequest
from data.site import open_site
from jobs.kinds.history import load_history
from jobs.ledger.ledger import open_ledger
from tests.e2e.chart_page import DAY, END, GRAPH, START, Chart
from tests.e2e.test_workbench import click, fill, search, wait_for_view
from tests.processes import SiteProcess

MOST_STEPS = 5
WIND = HistoryRequest(("EWR", "JFK"), ("wind_speed", "wind_direction"), START, END, "raw", "America/New_York")


class Analyst:
    """Who does a task on the page; every press and every word typed is a step."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        self.steps = 0

    def press(self, selector: str) -> None:
        self.steps += 1
        click(self.chart, selector)

    def write(self, selector: str, text: str) -> None:
        self.steps += 1
        fill(self.chart, selector, text)

    def open(self, view: str, **options: str) -> None:
        """Press a tab, and each option that is not its default."""
        self.press(f"#views [data-view={view}]")
        for name, value in options.items():
            self.press(f"[data-option={name}][data-value='{value}']")
        wait_for_view(self.chart, view, **options)

    def text(self, selector: str) -> str:
        found = f"const found = document.querySelector(`{selector}`); return found && found.innerText"
        return str(self.chart.wait(found, selector))


@pytest.fixture
def analyst(chart: Chart) -> Iterator[Analyst]:
    """An analyst at the page, who must be done in five steps."""
    yield from at_work(chart)


def at_work(chart: Chart) -> Iterator[Analyst]:
    who = Analyst(chart)
    yield who
    assert 0 < who.steps <= MOST_STEPS
    assert not [entry for entry in chart.driver.get_log("browser") if entry["level"] == "SEVERE"]
    chart.run("document.querySelector('#views [data-view=trend]').click()")
    wait_for_view(chart, "trend")


@contextmanager
def of_a_day(chart: Chart) -> Iterator[None]:
    """What is done here ends with Trend at about a day."""
    yield
    wait_for_view(chart, "trend")
    chart.wait(f"return {GRAPH}.layout.meta.end - {GRAPH}.layout.meta.start <= {2 * DAY}", "a day")


def test_the_hottest_hour_of_the_year(analyst: Analyst) -> None:
    row = "#stats tbody tr:first-child td[data-label=Maximum]"
    assert "18 Jul 2013" in analyst.text(row)
    with of_a_day(analyst.chart):
        analyst.press(f"{row} .door")


def test_the_year_of_two_stations_beside_each_other(analyst: Analyst) -> None:
    analyst.open("compare", **{"as": "side by side"})
    assert len(analyst.chart.run(f"return {GRAPH}.data")) >= 2


def test_what_one_station_is_warmer_than_the_other(analyst: Analyst) -> None:
    analyst.press("#views [data-view=compare]")
    analyst.press(".question[data-view=differences]")
    analyst.press("[data-option=as][data-value=difference]")
    wait_for_view(analyst.chart, "differences", **{"as": "difference"})
    assert "EWR" in analyst.text("#view-lists .list-block")
    analyst.chart.wait("return document.querySelector('#view-controls select').value === ' '", "the station compared with")


def test_a_month_beside_the_one_before_in_numbers(analyst: Analyst) -> None:
    analyst.steps += 2
    search(analyst.chart, "September 2013", "Time")
    analyst.press("#views [data-view=compare]")
    analyst.press(".question[data-view=earlier]")
    analyst.press("[data-option=offset][data-value=month]")
    wait_for_view(analyst.chart, "earlier", offset="month")
    assert "Aug 2013" in analyst.text("#view-lists .list-block")


def test_which_readings_look_wrong(analyst: Analyst) -> None:
    analyst.open("quality")
    assert "Spike" in analyst.text("#review")
    analyst.press("#review .review-acts .btn")
    wait_for_view(analyst.chart, "trend")
    assert analyst.chart.window() != (START, END)


def test_where_readings_are_missing(analyst: Analyst) -> None:
    analyst.open("calendar")
    analyst.press("#view-lists .door")
    wait_for_view(analyst.chart, "trend")
    assert analyst.chart.window() != (START, END)


def test_the_wettest_days(analyst: Analyst) -> None:
    analyst.open("rain")
    assert "mm" in analyst.text("#view-lists .list-table")
    with of_a_day(analyst.chart):
        analyst.press("#view-lists .list-table .door")


def test_how_often_and_when_it_was_hotter_than_35_degrees(analyst: Analyst) -> None:
    analyst.open("events")
    analyst.write("label[data-option=above] input", "35")
    wait_for_view(analyst.chart, "events", above="35")
    analyst.press("#view-lists .door")
    wait_for_view(analyst.chart, "trend")


def test_the_usual_day_and_year(analyst: Analyst) -> None:
    analyst.open("cycle")
    assert len(analyst.chart.run(f"return {GRAPH}.data")) > 2


def test_how_often_a_value_is_exceeded(analyst: Analyst) -> None:
    analyst.open("distribution", show="exceedance")
    assert analyst.chart.run(f"return {GRAPH}.data.length") > 0


def test_single_readings_as_a_table_and_a_file(analyst: Analyst) -> None:
    analyst.press("#views [data-view=table]")
    assert "2013" in analyst.text(".ag-center-cols-container .ag-row, .ag-pinned-left-cols-container .ag-row")
    assert "/data?format=csv" in analyst.chart.run("return document.getElementById('download-csv').href")


def test_a_month_by_its_name(analyst: Analyst) -> None:
    analyst.steps += 2
    search(analyst.chart, "July 2013", "Time")
    analyst.chart.wait(f"return {GRAPH}.layout.meta.end - {GRAPH}.layout.meta.start === {31 * DAY}", "the month")


def test_what_lies_between_two_moments(analyst: Analyst) -> None:
    chart = analyst.chart
    left, top, width, height = chart.box("#chart .nsewdrag")
    for pins, share in enumerate((0.4, 0.6), start=1):
        analyst.steps += 1
        chart.hover(left + width * share, top + height * 0.5)
        chart.wait("return !!window.riwayatCursors", "the cursor's script")
        chart.click(left + width * share, top + height * 0.5)
        chart.wait(f"return document.querySelectorAll('.cursor-pin').length === {pins}", "the pin")
    chart.wait("return document.getElementById('between').innerText.includes('mean')", "what lies between")
    chart.press("Escape")


def test_the_same_for_a_colleague(analyst: Analyst) -> None:
    analyst.open("calendar", show="max")
    address = analyst.chart.driver.current_url
    analyst.chart.driver.get("about:blank")
    analyst.chart.driver.get(address)
    analyst.chart.wait(f"return !!({GRAPH} && {GRAPH}.layout.meta)", "the picture")
    wait_for_view(analyst.chart, "calendar", show="max")


def test_the_wind_of_each_season(chart: Chart, shared_process: tuple[SiteProcess, Path]) -> None:
    settings = Settings(data_dir=shared_process[1], timezone="UTC", worker_slots=1)
    load_history(open_site(settings), WIND, lambda progress: None)
    job = open_ledger(settings).record_completed("local", WIND, {})
    who = Analyst(Chart(chart.browser, chart.url, job.id))
    who.open("wind", by="season")
    assert chart.run(f"return Object.keys({GRAPH}.layout).filter((name) => name.startsWith('polar')).length") == 8
    assert 0 < who.steps <= MOST_STEPS
