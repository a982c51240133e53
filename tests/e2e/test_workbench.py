"""The views of the history page in a real browser: tabs, options, doors, Undo, the address."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

from selenium.common.exceptions import (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    StaleElementReferenceException,
)
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.browser import write_over
from tests.e2e.chart_page import DAY, END, GRAPH, START, Chart
from tests.processes import wait_until

TYPES = f"return {GRAPH}.data.map((trace) => trace.type)"


def address(chart: Chart) -> dict[str, str]:
    """What the address names, without the job."""
    query = parse_qs(urlsplit(chart.driver.current_url).query)
    return {name: values[0] for name, values in query.items() if name != "job"}


def wait_for_view(chart: Chart, view: str, **options: str) -> None:
    """Wait until a view is drawn: the tab, the address and the picture say the same."""
    chosen = f"return document.querySelector('#views [aria-selected=true]').dataset.last === '{view}'"
    chart.wait(chosen, f"the tab of {view}")
    chart.wait(f"return Boolean({GRAPH}.layout.meta.still) === {str(view != 'trend').lower()}", f"the picture of {view}")
    expected = {} if view == "trend" else {"view": view, **options}

    def named() -> bool:
        shown = {name: text for name, text in address(chart).items() if name not in ("from", "to")}
        return shown == expected

    chart.wait_for(named, f"the address of {view}")
    chart.wait("return document.getElementById('chart-frame').getAttribute('aria-busy') === 'false'", "the answer")


def click(chart: Chart, selector: str) -> Any:
    """Click what a selector finds, when it is there and nothing lies over it."""

    def clicked() -> Any:
        for found in chart.driver.find_elements(By.CSS_SELECTOR, selector)[:1]:
            chart.run("arguments[0].scrollIntoView({block: 'center'})", found)
            with suppress(ElementClickInterceptedException, StaleElementReferenceException):
                found.click()
                return found
        return None

    return chart.wait_for(clicked, selector)


def fill(chart: Chart, selector: str, text: str) -> None:
    """Write into a field, and leave it. Controls come anew with each answer, and for a moment what
    is behind *Axes* is closed.
    """

    def filled() -> bool:
        with suppress(ElementNotInteractableException, StaleElementReferenceException):
            field = chart.driver.find_element(By.CSS_SELECTOR, selector)
            write_over(field, text)
            field.send_keys(Keys.TAB)
            return True
        return False

    chart.wait_for(filled, selector)


def click_middle(chart: Chart) -> bool:
    """Click the middle of the first plot, never so fast that two clicks are a double one; whether
    it led to Trend.
    """
    left, top, width, height = chart.box("#chart .nsewdrag")
    for step in (-3, 0):
        chart.mouse("mouseMoved", left + width * 0.5 + step, top + height * 0.5)
    if not chart.run(f"return ({GRAPH}._hoverdata || []).length"):
        return False
    chart.click(left + width * 0.5, top + height * 0.5)
    with suppress(AssertionError):
        return bool(wait_until(lambda: "view" not in address(chart), "Trend", 5.0))
    return False


def test_a_view_its_options_and_its_doors_are_selections_which_undo_back_and_reload_restore(chart: Chart) -> None:
    click(chart, "#views [data-view=calendar]")
    wait_for_view(chart, "calendar")
    assert "heatmap" in chart.run(TYPES)
    assert "from all " in chart.badge()
    click(chart, "[data-option=show][data-value=mean]")
    wait_for_view(chart, "calendar", show="mean")
    statistics = chart.run("return document.querySelectorAll('#stats tbody tr').length")
    assert statistics == 4  # of the same window in every view

    start, end = (int(chart.run(f"return document.querySelector('#view-lists .door').dataset.{side}")) for side in ("from", "to"))
    click(chart, "#view-lists .door")
    wait_for_view(chart, "trend")
    assert chart.window() == (max(start, START), min(end, END))
    chart.wait_for(lambda: chart.rows() == chart.window(), "the rows of the window")

    click(chart, "#undo")
    wait_for_view(chart, "calendar", show="mean")
    assert chart.window() == (START, END)
    chart.run("document.activeElement.blur()")
    chart.driver.find_element(By.TAG_NAME, "body").send_keys(Keys.BACKSPACE)
    wait_for_view(chart, "calendar")
    click(chart, "#redo")
    wait_for_view(chart, "calendar", show="mean")
    chart.driver.back()
    chart.driver.back()
    wait_for_view(chart, "trend")
    chart.wait("return document.getElementById('undo').disabled", "nothing left to undo")
    chart.driver.forward()
    wait_for_view(chart, "calendar")
    chart.driver.refresh()
    chart.wait(f"return !!({GRAPH} && {GRAPH}.layout.meta)", "the picture after a reload")
    wait_for_view(chart, "calendar")

    # a view that does not fit says what it needs, and the window stays
    click(chart, "#views [data-view=wind]")
    wait_for_view(chart, "wind")
    assert "wind direction and wind speed" in chart.run(f"return {GRAPH}.layout.annotations[0].text").replace("<br>", " ")
    click(chart, "#views [data-view=events]")
    wait_for_view(chart, "events")
    fill(chart, "label[data-option=above] input", "30")
    wait_for_view(chart, "events", above="30")
    chart.wait(f"return {GRAPH}.data.length > 0", "the events")

    # a point of a picture is a door as well, and a zoomed window keeps its view
    click(chart, "#views [data-view=trend]")
    wait_for_view(chart, "trend")
    chart.press("+")
    chart.wait(f"return {GRAPH}.layout.meta.start > {START}", "the zoom")
    click(chart, "#views [data-view=calendar]")
    wait_for_view(chart, "calendar")
    assert chart.window()[0] > START + 80 * DAY
    chart.run("document.getElementById('chart-frame').scrollIntoView()")
    chart.wait_for(lambda: click_middle(chart), "the day to be opened")
    wait_for_view(chart, "trend")
    assert chart.window()[1] - chart.window()[0] <= DAY + 3_600_000
    assert not [entry for entry in chart.driver.get_log("browser") if entry["level"] == "SEVERE"]


def test_axes_by_hand_are_chosen_by_keyboard_kept_by_the_address_and_a_threshold_leads_to_its_events(chart: Chart) -> None:
    def wait_for_options(**options: str) -> None:
        chart.wait_for(lambda: {name: text for name, text in address(chart).items() if name != "view"} == options, str(options))
        chart.wait_for_rest()

    def write(option: str, text: str) -> None:
        fill(chart, f"label[data-option={option}][data-of=temperature] input", text)

    chart.driver.find_element(By.CSS_SELECTOR, ".axes-summary").send_keys(Keys.ENTER)
    write("y", "10,5..30")
    wait_for_options(y="temperature:10.5..30")
    chart.wait(f"return String({GRAPH}.layout.yaxis.range) === '10.5,30'", "the limits")
    assert "readings reach" in chart.run(f"return {GRAPH}.layout.annotations[0].text")
    write("above", "30")  # the panel is still open
    wait_for_options(y="temperature:10.5..30", above="temperature:30")
    chart.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert chart.run("return !document.querySelector('.axes').open && document.activeElement.className") == "axes-summary"

    click(chart, ".crossings .door")
    wait_for_view(chart, "events", above="30")
    click(chart, "#undo")
    wait_for_options(y="temperature:10.5..30", above="temperature:30")
    click(chart, "#undo")
    wait_for_options(y="temperature:10.5..30")
    assert not [entry for entry in chart.driver.get_log("browser") if entry["level"] == "SEVERE"]
    chart.driver.get("about:blank")  # the next test loads the page


def search(chart: Chart, text: str, kind: str) -> None:
    """Ask the search by the keyboard alone, and take its first answer, which is of a kind."""
    chart.driver.find_element(By.TAG_NAME, "body").send_keys(Keys.CONTROL, "k")
    field = chart.driver.switch_to.active_element
    assert field.get_attribute("id") == "search"
    field.send_keys(text)
    first = "const first = document.querySelector('#search-list .search-kind'); return first && first.textContent"
    chart.wait_for(lambda: chart.run(first) == kind, f"{kind} that are found for {text}")
    field.send_keys(Keys.ENTER)
    chart.wait("return document.getElementById('search-list').hidden", "the list to be closed")


def test_what_is_shown_is_saved_by_the_star_and_found_again_by_the_search(chart: Chart) -> None:
    chart.press("+")
    chart.wait(f"return {GRAPH}.layout.meta.start > {START}", "the zoom")
    click(chart, "#views [data-view=calendar]")
    wait_for_view(chart, "calendar")
    window = chart.window()
    click(chart, "#saved-open")
    name = chart.wait_for(lambda: chart.driver.find_elements(By.CSS_SELECTOR, ".modal.show #saved-name"), "the dialog")[0]
    name.clear()
    name.send_keys("Spring days", Keys.ENTER)
    chart.wait("return document.getElementById('saved-open').textContent === '★'", "the full star")
    chart.wait("return !document.querySelector('.modal')", "the dialog to be gone, which gives the focus back")
    saved = address(chart)["saved"]

    # words of a time are a window, a name is a tab, and what was saved is all of it again
    search(chart, "last July", "Time")
    chart.wait(f"return {GRAPH}.layout.meta.end - {GRAPH}.layout.meta.start === 31 * {DAY}", "July")
    assert address(chart)["view"] == "calendar"
    search(chart, "tren", "Views")
    chart.wait("return document.querySelector('#views [data-view=trend]').ariaSelected === 'true'", "Trend")
    chart.driver.get(chart.url)
    chart.wait_for(lambda: chart.driver.find_elements(By.CSS_SELECTOR, ".saved-list a"), "the lists")
    search(chart, "spring", "Saved and recent")
    chart.wait_for(lambda: address(chart).get("view") == "calendar", "the saved view")
    chart.wait(f"return !!({GRAPH} && {GRAPH}.layout.meta)", "its picture")
    assert (chart.window(), address(chart)["saved"]) == (window, saved)

    # a recent load that is shown already is drawn as its link names it
    chart.run("document.querySelector(arguments[0]).click()", f"#saved-lists a[href$='job={chart.job_id}']")
    wait_for_view(chart, "trend")
    assert chart.window() == (START, END)
    assert chart.run("return document.getElementById('undo').disabled && document.getElementById('redo').disabled")
    assert not [entry for entry in chart.driver.get_log("browser") if entry["level"] == "SEVERE"]
