"""No name breaks a page, its rail or a neighbour, and no number of an axis is cut."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from selenium.webdriver.common.by import By

from callbacks.view import ViewAnswer
from data.catalogue import load_catalogue
from data.view.records import HistoryView
from escaping import visible
from figures.history import history_figure
from figures.rail import railed
from tests.e2e.chart_page import GRAPH, STRIP, Chart
from tests.unit.views import DAY_MS, START_MS, line, view

WIDTH_PX = 880  # of the plot
NAMES = (
    *("%{y} x", "<b>bold</b>", "A &amp; B", "{y}", "$&", "sensor__proto__7", "__proto__", "constructor", "toString"),
    *('it\'s "quoted"', "hujan 🌧️", "evil\u202egnp", "bell\x07\x1b[31m", "n" * 124),
)


def show(chart: Chart, made: HistoryView) -> None:
    """Draw a view as if the server had answered the last gesture with it."""
    catalogue = load_catalogue()
    last = {name: chart.meta()[name] for name in ("revision", "sequence")}
    figure = railed(history_figure(made, catalogue, width_px=WIDTH_PX, **last), made, catalogue)
    answer = {"job": last["revision"], "sequence": last["sequence"], "figure": figure, "view": "trend", "options": {}}
    chart.run(
        "dash_clientside.set_props('chart-answer', {data: JSON.parse(arguments[0])})",
        json.dumps(ViewAnswer(answer, "drawn", None, None).whole),
    )
    chart.wait("return document.getElementById('badge').textContent === 'drawn'", "the figure")


def steps(station: str, first: float) -> Any:
    times = [START_MS + hour * DAY_MS // 24 for hour in range(24)]
    return line(times, list(np.linspace(first, first + 20, 24)), station=station)


def test_every_name_is_in_the_rail_as_it_is_and_can_be_hidden(chart: Chart) -> None:
    made = view(*(steps(name, place) for place, name in enumerate(NAMES)))
    show(chart, made)
    wanted = [f"{visible(name)}, Air temperature" for name in sorted(NAMES)]
    named = "return [...document.querySelectorAll('.rail-eye')].map((eye) => eye.getAttribute('aria-label').replace('Hide ', ''))"
    chart.wait_for(lambda: chart.run(named) == wanted, "the rail")
    rail = "const {clientHeight, scrollHeight} = document.getElementById('rail');"
    assert chart.run(f"{rail} return scrollHeight > clientHeight && clientHeight < 240")  # it scrolls in itself
    for name in ("%{y} x", "__proto__", "n" * 124):
        place = sorted(NAMES).index(name)
        chart.run("document.querySelectorAll('.rail-eye')[arguments[0]].click()", place)
        chart.wait(f"return {GRAPH}._fullData[{place}].visible === 'legendonly'", f"{name} to be hidden")


def test_long_numbers_of_an_axis_are_whole_and_an_overview_that_is_drawn_late_or_again_lies_under_the_plot(chart: Chart) -> None:
    show(chart, view(steps("low", -123_456_789.0)))
    labels = (
        f"const edge = {GRAPH}.getBoundingClientRect().left; const found = [...{GRAPH}.querySelectorAll('.ytick text')];"
        "return found.map((text) => [text.textContent, text.getBoundingClientRect().left - edge])"
    )
    found = chart.run(labels)
    assert len(found) > 2
    assert all(text.startswith("−123\u202f456\u202f7") and left >= 0 for text, left in found), found
    edges = f"return [{GRAPH}, {STRIP}].map((plot) => plot._fullLayout._size.l)"
    chart.wait_for(lambda: len(set(chart.run(edges))) == 1, "the overview to lie under the plot")
    again = "const {data, layout} = %s; Plotly.react(%s, data, {...layout, margin: {...layout.margin, l: 54}})"
    chart.run(again % (STRIP, STRIP))  # as Dash draws its figure
    chart.wait_for(lambda: len(set(chart.run(edges))) == 1, "the overview to lie under the plot again")


def test_the_buttons_over_the_chart_cover_none_above_them(chart: Chart) -> None:
    tools, head = chart.box("#chart .modebar-group"), chart.box("#picture-menu")
    assert tools[1] >= head[1] + head[3]


def test_a_long_name_leaves_the_numbers_of_the_statistics_their_room(chart: Chart) -> None:
    name = "document.querySelector('#stats .stats-station').firstChild.data"
    before = chart.run(f"const before = {name}; {name} = 'n'.repeat(124); return before")
    room = "const stats = document.getElementById('stats'); return [stats.scrollWidth, stats.clientWidth]"
    wide, shown = chart.run(room)
    chart.run(f"{name} = arguments[0]", before)
    assert wide <= shown


def test_a_station_of_any_name_is_found_in_the_form_and_changes_no_other_object(chart: Chart) -> None:
    options = [{"value": name, "search": name, "label": visible(name)} for name in NAMES]
    chart.run("dash_clientside.set_props('station', {options: arguments[0], value: []})", options)
    chart.driver.find_element(By.ID, "station").click()
    chart.wait("return document.querySelector('.dash-dropdown-search')", "the list")
    chart.driver.switch_to.active_element.send_keys("proto")
    found = "return [...document.querySelectorAll('.dash-dropdown-option')].map((option) => option.textContent)"
    chart.wait_for(lambda: chart.run(found) == ["sensor__proto__7", "__proto__"], "both")
    assert chart.run("const names = []; for (const name in {}) names.push(name); return names;") == []
    assert not [entry for entry in chart.driver.get_log("browser") if entry["level"] == "SEVERE"]
