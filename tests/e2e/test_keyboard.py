"""The whole task by keyboard alone, and what leaves the page: a picture, and paper."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.e2e.chart_page import GRAPH, Chart
from tests.e2e.test_workbench import click, wait_for_view

MOST_TABS = 60  # from one place of the page to another
SEEN = """
const found = document.activeElement;
if (found === document.body) return true; // the browser's own, or what had the focus is just drawn anew
const {outlineStyle, boxShadow} = getComputedStyle(found);
const marked = outlineStyle !== 'none' || boxShadow !== 'none';
const around = found.closest('.dash-dropdown-wrapper, .dash-input-container, .search-field, .form-check');
const other = around && getComputedStyle(around);
return marked || Boolean(other && (other.outlineStyle !== 'none' || other.boxShadow !== 'none'));
"""
# The colour of a pixel of a picture, of its height and width a share
PIXEL = """
const [source, done] = [arguments[0], arguments[1]];
const image = new Image();
image.onload = () => {
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  done([image.width, image.height, ...context.getImageData(2, 2, 1, 1).data]);
};
image.src = source;
"""

# Keep what is drawn when the page is printed: what a browser prints is heard of by this event.
HEAR = f"""
window.heard = [];
addEventListener('beforeprint', () => {{
  const {{paper_bgcolor, font, annotations}} = {GRAPH}.layout;
  heard.push([paper_bgcolor, font.color, annotations.map(({{text}}) => text).join()]);
}});
"""


class Typist:
    """Who uses the page by its keys, and must see where they are."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        self.unseen: list[str] = []

    def press(self, key: str, *, held: str = "") -> None:
        """Press a key, or write a text, wherever the focus is; ``held`` is down meanwhile."""
        keys = ActionChains(self.chart.driver)
        keys = keys.key_down(held).send_keys(key).key_up(held) if held else keys.send_keys(key)
        keys.perform()

    def at(self, selector: str) -> bool:
        return bool(self.chart.run("return document.activeElement.matches(arguments[0])", selector))

    def go(self, selector: str, *, back: bool = False) -> None:
        """Go on by Tab until the focus is there; each place on the way shows that it has it."""
        for _step in range(MOST_TABS):
            self.press(Keys.TAB, held=Keys.SHIFT if back else "")
            if not self.chart.run(SEEN):
                self.unseen.append(self.chart.run("return document.activeElement.outerHTML.slice(0, 120)"))
            if self.at(selector):
                return
        raise AssertionError(f"no Tab leads to {selector}; the focus is in {self.focus()}")

    def focus(self) -> str:
        return str(self.chart.run("return document.activeElement.outerHTML.slice(0, 120)"))

    def write(self, text: str) -> None:
        """Write over what the field holds, a letter when the last one is there: dcc.Input puts the
        caret back a moment after each, and letters of the same moment change places.
        """
        self.press("a", held=Keys.CONTROL)
        for length, letter in enumerate(text, start=1):
            self.press(letter)
            self.chart.wait(f"return document.activeElement.value === '{text[:length]}'", text[:length])

    def choose(self, text: str) -> None:
        """Choose what the list of the dropdown that has the focus calls so, and leave the list."""
        self.press(Keys.ARROW_DOWN)
        self.chart.wait("return document.activeElement.matches('.dash-dropdown-search')", "the search of the list")
        self.press(text)
        named = "return [...document.querySelectorAll('.dash-dropdown-option')].length === 1"
        self.chart.wait(named, f"{text} alone")
        self.press(Keys.ARROW_DOWN)
        self.chart.wait("return !!document.activeElement.closest('.dash-dropdown-option')", f"the focus at {text}")
        self.press(Keys.SPACE)
        self.chart.wait("return !!document.querySelector('.dash-dropdown-option input:checked')", f"{text} to be chosen")
        self.press(Keys.ESCAPE)
        self.chart.wait("return !document.querySelector('.dash-dropdown-search')", "the list to be closed")


def test_series_range_load_view_cursor_and_file_are_reached_by_keys_alone(chart: Chart, tmp_path: Path) -> None:
    driver, typist = chart.driver, Typist(chart)
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    driver.get(chart.url)
    chart.wait_for(lambda: driver.find_elements(By.CSS_SELECTOR, ".station-list button"), "a first visit")
    typist.go(".skip-link")
    typist.go("#station")
    typist.choose("LGA")
    chart.wait("return document.getElementById('station').innerText.includes('LGA')", "LGA")
    typist.go("#range-preset input:checked")
    typist.press(Keys.TAB)
    assert typist.at("#range-start")  # the presets are one stop
    typist.write("2013-07-01 00:00")
    typist.go("#range-end")
    typist.write("2013-08-01 00:00")
    typist.go("#load")
    typist.press(Keys.ENTER)
    chart.wait(f"return !!({GRAPH} && {GRAPH}.layout.meta && {GRAPH}.layout.meta.series)", "the chart")
    chart.wait_for_rest()

    typist.go("#views [aria-selected=true]")

    def is_at_compare() -> bool:
        if not typist.at("#views [data-view=compare]"):  # the script of the arrows comes with the first focus
            typist.press(Keys.ARROW_RIGHT)
        return typist.at("#views [data-view=compare]")

    chart.wait_for(is_at_compare, "the next tab")
    typist.press(Keys.ENTER)
    wait_for_view(chart, "compare")
    assert typist.at("#views [data-view=compare]")
    typist.press(Keys.ARROW_LEFT)
    typist.press(Keys.ENTER)
    wait_for_view(chart, "trend")
    typist.go("#chart-frame")
    chart.wait("return !!window.riwayatCursors", "the cursor's script")
    typist.press(Keys.ENTER)
    told = "return document.querySelector('.readout-time')?.textContent"
    before = chart.wait(told, "the time of the cursor")
    typist.press(Keys.ARROW_RIGHT)
    chart.wait_for(lambda: chart.run(told) != before, "the next reading")

    typist.go("#picture-menu summary", back=True)
    typist.press(Keys.ENTER)
    typist.go("#chart-picture")
    typist.press(Keys.ENTER)
    assert_is_white(chart, chart.wait_for(lambda: next(tmp_path.glob("*.png"), None), "the picture"))
    typist.go("#saved-open", back=True)
    typist.press(Keys.ENTER)
    chart.wait("return !!document.activeElement.closest('.modal.show')", "the focus in the dialog")
    for _step in range(12):
        typist.press(Keys.TAB)
        inside = "document.activeElement === document.body || document.activeElement.closest('.modal')"  # or the browser's own
        assert chart.run(f"return !!({inside})")
    typist.press(Keys.ESCAPE)
    chart.wait("return !document.querySelector('.modal')", "the dialog to be gone")
    chart.wait_for(lambda: typist.at("#saved-open"), "the focus where it was")
    assert typist.unseen == []
    assert not [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]


def assert_is_white(chart: Chart, file: Path) -> None:
    """Fail where the corner of a picture is not white, or the picture is not twice as sharp."""
    source = f"data:image/png;base64,{base64.b64encode(file.read_bytes()).decode()}"
    width, height, *corner = chart.driver.execute_async_script(PIXEL, source)
    assert corner == [255, 255, 255, 255]
    assert width == 2 * chart.run(f"return {GRAPH}._fullLayout.width")
    assert height > 2 * chart.run(f"return {GRAPH}._fullLayout.height")


@contextmanager
def in_the_dark(chart: Chart) -> Iterator[None]:
    """Look at the page in its dark theme."""

    def become(shade: str) -> None:
        while chart.run("return document.documentElement.dataset.bsTheme") != shade:
            click(chart, ".theme-toggle")
        chart.wait(f"return ({GRAPH}.layout.meta.ground === '#ffffff') === {str(shade == 'light').lower()}", shade)
        chart.wait_for_rest()

    become("dark")
    try:
        yield
    finally:
        become("light")


def test_the_dark_page_is_white_in_a_picture_and_on_paper_and_dark_again_afterwards(chart: Chart, tmp_path: Path) -> None:
    driver = chart.driver
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    with in_the_dark(chart):
        chart.wait("return !!window.riwayatPicture", "the script of pictures")
        click(chart, "#picture-menu summary")
        click(chart, "#chart-picture")
        assert_is_white(chart, chart.wait_for(lambda: next(tmp_path.glob("*.png"), None), "the picture"))
        dark = chart.run(f"return {GRAPH}.layout.font.color")
        # what a browser prints is heard of by the events around it
        driver.execute_script(HEAR)
        driver.execute_cdp_cmd("Page.printToPDF", {})
        ground, font, words = chart.wait("return heard[0]", "the page to be printed")
        assert (ground, font != dark) == ("#ffffff", True)
        assert all(part in words for part in ("EWR, JFK", "31 Dec 2012 19:00", "America/New_York", "Source: Riwayat, 127.0.0.1"))
        chart.wait(f"return {GRAPH}.layout.font.color === '{dark}'", "the page as it was")
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        try:
            assert shown_on_paper(chart) == ["rgb(255, 255, 255)", "none", "none", "none"]
        finally:
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def shown_on_paper(chart: Chart) -> list[Any]:
    """The ground of the page, and whether what is pressed stands on it."""
    of = "getComputedStyle(document.querySelector('{}'))"
    parts = [f"{of.format(name)}.display" for name in (".site-header", ".form-panel", ".title-line")]
    found: list[Any] = chart.run(f"return [{of.format('body')}.backgroundColor, {', '.join(parts)}]")
    return found
