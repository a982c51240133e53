"""What the axis shows is what badge, statistics and rows are of:
whatever is pressed, however slow or broken the line is.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from urllib.parse import urlsplit

import pytest

from tests.e2e.chart_page import END, GRAPH, START, Chart
from tests.e2e.relay import Relay

PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
CUT = 0
SAID = {429: "busy", 504: "could not draw", CUT: "does not answer"}


@pytest.fixture(scope="module")
def one_relay(loaded: tuple[str, str]) -> Iterator[Relay]:
    with Relay(urlsplit(loaded[0]).port or 0) as made:
        yield made


@pytest.fixture
def relay(one_relay: Relay) -> Iterator[Relay]:
    """At first all passes, and in the end."""
    yield one_relay
    one_relay.pass_on()


@pytest.fixture(scope="module")
def behind_relay(opened: Chart, one_relay: Relay, loaded: tuple[str, str]) -> Chart:
    """The page behind the relay, in the place of the other one."""
    return Chart(opened.browser, one_relay.url, loaded[1])


@pytest.fixture
def phone(opened: Chart) -> Iterator[Chart]:
    """The page as a telephone opens it."""
    opened.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    opened.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    opened.open()
    yield opened
    opened.driver.get("about:blank")
    opened.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    opened.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})


def assert_an_eye_moves_nothing(chart: Chart) -> None:
    """Hiding a series of the rail and showing it again moves neither chart nor overview."""
    before = chart.box("#chart"), chart.box("#overview-frame")
    assert before[0][1] + before[0][3] <= before[1][1]
    for hidden in (True, False, True, False):
        chart.run("document.querySelector('.rail-eye').click()")
        state = "'legendonly'" if hidden else "true"
        chart.wait(f"return {GRAPH}._fullData[0].visible === {state}", f"the series to be hidden: {hidden}")
        assert (chart.box("#chart"), chart.box("#overview-frame")) == before


def test_an_eye_of_the_rail_hides_and_shows_its_series_and_moves_nothing(chart: Chart) -> None:
    assert_an_eye_moves_nothing(chart)


def test_the_same_zoom_again_is_another_zoom(chart: Chart) -> None:
    def zoomed() -> None:
        chart.drag("#chart .nsewdrag", 0.4, 0.6)

    def whole() -> None:
        chart.run("document.getElementById('chart-reset').click()")

    def out() -> None:
        chart.run(f"{GRAPH}.querySelector('.modebar-btn[data-val=out]').click()")

    def panned(share: float) -> None:
        chart.run(f"Plotly.relayout({GRAPH}, {{dragmode: 'pan'}})")
        chart.drag("#chart .nsewdrag", 0.5, 0.5 + share)
        chart.run(f"Plotly.relayout({GRAPH}, {{dragmode: 'zoom'}})")

    fifth = (END - START) / 5
    lengths = {zoomed: fifth, whole: END - START}
    for gesture in (zoomed, whole, zoomed):
        assert chart.after(gesture) == pytest.approx(lengths[gesture], rel=0.05)
    first = chart.window()
    for share in (0.25, -0.25, 0.25):
        assert chart.after(partial(panned, share)) == pytest.approx(fifth, rel=0.05)
    assert chart.window()[0] == pytest.approx(first[0] - fifth / 4, abs=fifth / 50)
    for length in (fifth, fifth * 2, fifth * 4):  # the zoom first: quick presses add up
        assert chart.window()[1] - chart.window()[0] == pytest.approx(length, rel=0.05)
        chart.after(out)
    assert chart.window() == (START, END)


def test_on_a_telephone_a_finger_scrolls_the_page_over_the_chart_buttons_zoom_and_the_rail_moves_nothing(phone: Chart) -> None:
    assert_an_eye_moves_nothing(phone)
    whole = phone.window()
    phone.swipe_up("#chart .nsewdrag", 200)
    phone.wait("return window.scrollY > 100", "the page to scroll")
    assert phone.window() == phone.axis() == whole
    half = phone.after(lambda: phone.run("document.querySelector('[data-zoom=\"0.5\"]').click()"))
    assert half == pytest.approx((END - START) / 2, rel=0.01)
    assert phone.run("return getComputedStyle(document.querySelector('[data-zoom]')).display") != "none"


def test_on_a_slow_line_only_the_newest_window_comes_down(behind_relay: Chart, relay: Relay) -> None:
    chart = behind_relay
    whole, asked = chart.window(), len(relay.views)
    relay.hold()
    for count in range(1, 6):
        chart.press("+")
        chart.wait_for(partial(relay.has_heard, asked + count), "the question")
        assert chart.axis() == chart.rows() == whole  # what is wanted is not drawn yet
        assert chart.run("return document.getElementById('chart-frame').getAttribute('aria-busy')") == "true"
    relay.pass_on()
    chart.wait_for(lambda: chart.window()[1] - chart.window()[0] < (END - START) / 30, "the newest window")
    assert chart.axis() == chart.rows() == chart.window()
    aborted = chart.run(
        "return performance.getEntriesByType('resource').filter((each) => each.name.includes('_dash-update-component')"
        " && each.responseStatus === 0).length"
    )
    assert aborted >= 4  # of five the first four were given up, not fetched and thrown away


def test_a_view_that_fails_is_said_and_tried_again_and_nothing_claims_to_be_it(behind_relay: Chart, relay: Relay) -> None:
    chart = behind_relay
    chart.begin_again()
    for share, (status, words) in enumerate(SAID.items(), start=2):
        drawn, badge = chart.window(), chart.badge()
        relay.refuse(status)
        chart.drag("#chart .nsewdrag", 0.1, 1 - share / 10)
        said = chart.wait("const line = document.getElementById('chart-trouble'); return !line.hidden && line.textContent", "it")
        assert words in said
        assert (chart.axis(), chart.rows(), chart.badge()) == (drawn, drawn, badge)
        relay.pass_on()
        chart.wait("return document.getElementById('chart-trouble').hidden", "the next try")
        chart.wait(f"return {GRAPH}.layout.meta.start > {drawn[0]}", "the window")
        assert chart.axis() == chart.rows() == chart.window()

    drawn = chart.window()
    relay.refuse(503)
    chart.press("+")
    chart.wait("return !document.getElementById('chart-trouble').hidden", "the failure")
    # one notice is enough
    assert not chart.run("return document.getElementById('offline').checkVisibility()")
    chart.driver.execute_cdp_cmd("Network.enable", {})
    chart.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/embed/*"]})  # the preview takes seconds to draw
    chart.run("document.getElementById('embed-open').click()")
    embedded = chart.wait("return dash_component_api.getLayout('embed-shown').props.data", "the dialog")
    assert (embedded["start"], embedded["end"]) == drawn
