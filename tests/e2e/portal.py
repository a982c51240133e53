"""A portal on another origin than the site: the example of deploy/,
in a browser that keeps no cookie of others.
"""

from __future__ import annotations

import json
import re
import shutil
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.by import By

from tests.conftest import pytest_setup_options
from tests.processes import ROOT, wait_until

EXAMPLE = ROOT / "deploy" / "portal-example"
PATIENCE_S = 90.0  # the machine may be busy

# What portal.js is told, kept for the test.
LISTEN = (
    "window.heard = []; window.addEventListener('message', (event) => window.heard.push({origin: event.origin, ...event.data}));"
)

META = "const chart = document.getElementById('chart'); return chart && chart.layout ? chart.layout.meta : null;"
POINTS = """
const found = document.getElementById('chart')._fullData || [];
return found.reduce((sum, trace) => sum + (trace.x ? trace.x.length : 0), 0);
"""


class Silent(SimpleHTTPRequestHandler):
    """Writes no log, and lets no browser keep a page that the next test changes."""

    def end_headers(self) -> None:
        """The headers, with one more."""
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Nothing."""


class Portal:
    """The example page with lines of a test, on ``portal.localhost``;
    ``other`` is the same page by another name.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(folder)))
        self._port = self._server.server_address[1]
        self.origin = f"http://portal.localhost:{self._port}"
        self.other = f"http://other.localhost:{self._port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def show(self, *lines: str) -> None:
        """Put lines of HTML in place of those of the example, of which there are two."""
        text = (EXAMPLE / "index.html").read_text(encoding="utf-8")
        frames = re.findall(r"<iframe .*?</iframe>", text)
        assert len(frames) == 2
        for frame, line in zip(frames, (*lines, ""), strict=False):
            text = text.replace(frame, line, 1)
        (self.folder / "index.html").write_text(text, encoding="utf-8")

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def portal_at(folder: Path) -> Iterator[Portal]:
    """A portal for as long as the test runs."""
    made = Portal(Path(shutil.copytree(EXAMPLE, folder)))
    try:
        yield made
    finally:
        made.close()


@contextmanager
def browser_without_foreign_cookies(downloads: Path) -> Iterator[webdriver.Chrome]:
    """A Chromium that blocks third-party cookies, and saves what is downloaded into a folder."""
    options = pytest_setup_options()
    options.add_argument("--test-third-party-cookie-phaseout")
    prefs = {
        "profile.cookie_controls_mode": 1,
        "download.default_directory": str(downloads),
        "download.prompt_for_download": False,
    }
    options.add_experimental_option("prefs", prefs)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options)
    try:
        driver.execute_cdp_cmd("Page.enable", {})
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": LISTEN})
        driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(downloads)})
        yield driver
    finally:
        driver.quit()


class Frame:
    """One chart as its viewer sees it, in the page of a portal (``number`` 0 or 1) or alone."""

    def __init__(self, driver: webdriver.Chrome, number: int | None = 0) -> None:
        self.driver = driver
        self.number = number

    def run(self, script: str) -> Any:
        """The value of a script inside of the frame."""
        self.driver.switch_to.default_content()
        if self.number is None:
            return self.driver.execute_script(script)
        frames = self.driver.find_elements(By.TAG_NAME, "iframe")
        self.driver.switch_to.frame(frames[self.number])
        try:
            return self.driver.execute_script(script)
        finally:
            self.driver.switch_to.default_content()

    @property
    def state(self) -> str:
        """loading, drawn, closed, failed, nothing or trouble; empty before there is a page."""
        return str(self.run("return document.querySelector('.frame')?.dataset.state || ''"))

    @property
    def message(self) -> str:
        """What stands in place of the chart."""
        return str(
            self.run("const found = document.getElementById('message'); return found && !found.hidden ? found.innerText : ''")
        )

    @property
    def note(self) -> str:
        """The line over the chart."""
        return str(self.run("return document.getElementById('note').textContent"))

    @property
    def meta(self) -> dict[str, Any]:
        """What the figure says of itself; empty before there is one."""
        return dict(self.run(META) or {})

    @property
    def points(self) -> int:
        """Points of the figure."""
        return int(self.run(POINTS))

    @property
    def progress(self) -> float | None:
        """The thin line: 0 to 1, None while it is hidden."""
        found = self.run("const bar = document.getElementById('progress'); return bar.hidden ? null : bar.value")
        return None if found is None else float(found)

    def become(self, state: str) -> None:
        """Wait for a state."""
        try:
            wait_until(lambda: self.state == state, f"the frame to be {state}", PATIENCE_S)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {self.state} and says {self.message!r}") from None

    def drag(self, first: float, last: float) -> None:
        """Draw a window with the mouse, from a share of the plot's width to another."""
        left, top, width, height = self._plot()
        y = top + height * 0.4
        self._mouse("mousePressed", left + width * first, y)
        for step in range(1, 9):
            self._mouse("mouseMoved", left + width * (first + (last - first) * step / 8), y)
        self._mouse("mouseReleased", left + width * last, y)

    def double_click(self) -> None:
        """Back to the whole range."""
        left, top, width, height = self._plot()
        for clicks in (1, 2):
            for kind in ("mousePressed", "mouseReleased"):
                self._mouse(kind, left + width * 0.3, top + height * 0.4, clicks)

    def is_back_at(self, whole: Sequence[int]) -> bool:
        """Whether it shows all; else double-click once more.

        On a busy machine two clicks may be too slow to be a double one.
        """
        if [self.meta["start"], self.meta["end"]] == whole:
            return True
        self.double_click()
        return False

    def _plot(self) -> list[float]:
        """left, top, width, height of where the mouse draws, in the window's coordinates,
        scrolled into sight.
        """
        self.driver.switch_to.default_content()
        around = [0.0, 0.0]
        if self.number is not None:
            frame = self.driver.find_elements(By.TAG_NAME, "iframe")[self.number]
            script = "arguments[0].scrollIntoView(); const box = arguments[0].getBoundingClientRect(); return [box.left, box.top]"
            around = self.driver.execute_script(script, frame)
        box: list[float] = self.run(
            "const box = document.querySelector('#chart .nsewdrag').getBoundingClientRect();"
            "return [box.left, box.top, box.width, box.height]"
        )
        return [box[0] + around[0], box[1] + around[1], box[2], box[3]]

    def _mouse(self, kind: str, x: float, y: float, clicks: int = 1) -> None:
        down = 0 if kind == "mouseReleased" else 1
        event = {"type": kind, "x": x, "y": y, "button": "left", "buttons": down, "clickCount": clicks}
        self.driver.execute_cdp_cmd("Input.dispatchMouseEvent", event)


def post(site_url: str, path: str, body: object) -> dict[str, Any]:
    """A request of a portal's server, or of a script."""
    request = urllib.request.Request(
        f"{site_url}{path}", data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return dict(json.load(answer))


def refusals(driver: webdriver.Chrome) -> Sequence[str]:
    """What the browser says of frames that it did not show, since the last look."""
    return [entry["message"] for entry in driver.get_log("browser") if "frame-ancestors" in entry["message"]]
