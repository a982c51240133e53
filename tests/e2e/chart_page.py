"""The page of a chart that is loaded, as its user handles it:
mouse, keys, fingers, and what the axis shows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from dash.testing.browser import Browser
from selenium.common.exceptions import JavascriptException

from data.request import HistoryRequest
from tests.e2e.history_page import PATIENCE_S
from tests.processes import wait_until

START, END = 1_356_998_400_000, 1_388_534_400_000  # 2013, UTC
DAY = 86_400_000
REQUEST = HistoryRequest(("EWR", "JFK"), ("temperature", "rainfall"), START, END, "raw", "America/New_York")
GRAPH = "document.querySelector('#chart .js-plotly-plot')"
STRIP = "document.querySelector('#overview .js-plotly-plot')"
# Looks for a second; a script that throws is a fault of the test, as where it is run once.
LOOK = """
const [done] = arguments, began = performance.now();
(function look() {
  let value;
  try {
    value = (() => { SCRIPT
    })();
  } catch (error) {
    return void done({ thrown: String(error) });
  }
  if (value || performance.now() - began > 1000) done({ value });
  else setTimeout(look, 20);
})();
"""


class Chart:
    """The page of a job, as its user handles it. Gestures are counted from :meth:`begin_again`."""

    def __init__(self, browser: Browser, url: str, job_id: str) -> None:
        self.browser = browser
        self.driver = browser.driver
        self.url, self.job_id = url, job_id
        self._address = f"{url}/?job={job_id}"
        self._gestures_before = 0
        self.open()

    def open(self) -> None:
        """Load the page, and wait for its figure."""
        self.driver.get(self._address)
        self.wait(
            f"return !!({GRAPH} && {GRAPH}.layout.meta && {GRAPH}.querySelector('.scatterlayer .trace'))", "the first figure"
        )
        self.wait_for_rest()
        self._gestures_before = 0

    def begin_again(self) -> None:
        """Show the whole range and all series, as after a load, which takes four times as long;
        load the page where another one is open.
        """
        if not self.driver.current_url.startswith(self._address):
            self.open()
            return
        self.run("document.querySelectorAll('.rail-eye[aria-pressed=true]').forEach((eye) => eye.click())")
        self.press("Escape")  # cursors would take the arrows
        self.after(lambda: self.press("0"))
        self.wait(f"return {GRAPH}._fullData.every(({{visible}}) => visible === true)", "all series")
        self._gestures_before += self.sequence()
        self.driver.get_log("browser")

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def wait(self, script: str, what: str) -> Any:
        """Wait until a script returns something that is true, and return it: the page itself looks,
        each look from here would cost three processes some milliseconds.
        """
        return wait_until(lambda: self._looked(script), what, PATIENCE_S)

    def _looked(self, script: str) -> Any:
        try:
            found = self.driver.execute_async_script(LOOK.replace("SCRIPT", script))
        except JavascriptException as error:
            if "document unloaded" in str(error):  # it looks again on the page that comes
                return None
            raise
        assert "thrown" not in found, found["thrown"]
        return found.get("value")

    def meta(self) -> dict[str, Any]:
        found: dict[str, Any] = self.run(f"return {GRAPH}.layout.meta")
        return found

    def window(self) -> tuple[int, int]:
        meta = self.meta()
        return meta["start"], meta["end"]

    def sequence(self) -> int:
        """The number of the gesture whose figure is drawn."""
        return int(self.meta()["sequence"]) - self._gestures_before

    def wait_for_answer(self, after: int) -> None:
        self.wait(f"return {GRAPH}.layout.meta.sequence > {after + self._gestures_before}", "the figure of the gesture")

    def wait_for_rest(self) -> None:
        self.wait(
            "return document.getElementById('chart-frame').getAttribute('aria-busy') === 'false'", "the page to come to rest"
        )

    def mouse(self, kind: str, x: float, y: float, clicks: int = 1) -> None:
        pressed = 0 if kind == "mouseReleased" else 1
        event = {"type": kind, "x": x, "y": y, "button": "left", "buttons": pressed, "clickCount": clicks}
        self.driver.execute_cdp_cmd("Input.dispatchMouseEvent", event)

    def hover(self, x: float, y: float) -> None:
        self.driver.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": x, "y": y})

    def drag(self, selector: str, start: float, end: float) -> None:
        """Drag across an element, from and to a share of its width."""
        left, top, width, height = self.box(selector)
        y = top + height * 0.3
        self.mouse("mousePressed", left + width * start, y)
        for step in range(1, 9):
            self.mouse("mouseMoved", left + width * (start + (end - start) * step / 8), y)
        self.mouse("mouseReleased", left + width * end, y)

    def swipe_up(self, selector: str, distance_px: float) -> None:
        """Move a finger upwards from within an element."""
        left, top, width, _height = self.box(selector)
        for step in range(11):
            kind = "touchMove" if step else "touchStart"
            point = {"x": left + width / 2, "y": top + 60 - distance_px * step / 10}
            self.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
        self.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def box(self, selector: str) -> list[float]:
        script = (
            "const b = document.querySelector(arguments[0]).getBoundingClientRect(); return [b.left, b.top, b.width, b.height]"
        )
        found: list[float] = self.run(script, selector)
        return found

    def press(self, key: str) -> None:
        event = "new KeyboardEvent('keydown', {key: arguments[0], bubbles: true})"
        self.run(f"document.getElementById('chart-frame').dispatchEvent({event})", key)

    def click(self, x: float, y: float, times: int = 1) -> None:
        for clicks in range(1, times + 1):
            self.mouse("mousePressed", x, y, clicks)
            self.mouse("mouseReleased", x, y, clicks)

    def axis(self) -> tuple[int, int]:
        """What the axis shows, ms UTC."""
        script = (
            "const axis = dash_clientside.riwayat_chart.axisTime;"
            f"return {GRAPH}._fullLayout.xaxis.range.map((end) => axis(end, {GRAPH}.layout.meta.offset))"
        )
        start, end = self.run(script)
        return start, end

    def rows(self) -> tuple[int, int]:
        """What the link to the rows is of, ms UTC."""
        query = parse_qs(urlsplit(self.run("return document.getElementById('download-csv').href")).query)
        return int(query["from"][0]), int(query["to"][0])

    def after(self, gesture: Callable[[], None]) -> int:
        """The length in ms of the window that a gesture leads to;
        fails where anything that is shown is of another one.
        """
        sequence = self.sequence()
        gesture()
        self.wait_for_answer(sequence)
        self.wait_for_rest()
        self.wait_for(lambda: self.rows() == self.window(), "the link of the window")
        assert self.axis() == self.window()
        return self.window()[1] - self.window()[0]

    def wait_for(self, condition: Callable[[], Any], what: str) -> Any:
        return wait_until(condition, what, PATIENCE_S)

    def badge(self) -> str:
        return str(self.run("return document.getElementById('badge').textContent"))
