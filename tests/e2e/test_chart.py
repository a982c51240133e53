"""The chart in a real browser: every gesture asks for its window, the newest wins, and nothing that its user did is lost."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dash.testing.browser import Browser

from config import Settings
from data.request import HistoryRequest
from data.site import open_site
from jobs.history import load_history
from jobs.ledger import open_ledger
from tests.e2e.history_page import PATIENCE_S
from tests.processes import SiteProcess, wait_until

START, END = 1_356_998_400_000, 1_388_534_400_000  # 2013, UTC
DAY = 86_400_000
REQUEST = HistoryRequest(("EWR", "JFK"), ("temperature", "rainfall", "wind_direction"), START, END, "raw", "America/New_York")
GRAPH = "document.querySelector('#chart .js-plotly-plot')"
STRIP = "document.querySelector('#overview .js-plotly-plot')"


AXIS_TIMES = (
    ("2013-07-01 12:00:00.1234", 1_372_680_000_123),
    ("2013-07-01 12:00", 1_372_680_000_000),
    ("2013-07-01", 1_372_636_800_000),
    ("0099-03-01", -59_037_897_600_000),
    (1_372_680_000_123.4, 1_372_680_000_123),
)


@pytest.fixture(scope="module")
def loaded(sample_data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """(address of a site, id of a completed job)."""
    folder = tmp_path_factory.mktemp("chart")
    made = Path(shutil.copytree(sample_data_dir, folder / "var"))
    settings = Settings(data_dir=made)
    load_history(open_site(settings), REQUEST, lambda progress: None)
    job = open_ledger(settings).record_completed("local", REQUEST, {})
    with SiteProcess(cwd=folder, data_dir=made) as site:
        yield site.start().url, job.id


class Chart:
    """The page of a job, as its user handles it."""

    def __init__(self, browser: Browser, url: str, job_id: str) -> None:
        self.browser = browser
        self.driver = browser.driver
        self.url = url
        self.driver.get(f"{url}/?job={job_id}")
        self.wait(
            f"return !!({GRAPH} && {GRAPH}.layout.meta && {GRAPH}.querySelector('.scatterlayer .trace'))", "the first figure"
        )

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def wait(self, script: str, what: str) -> Any:
        return wait_until(lambda: self.run(script), what, PATIENCE_S)

    def meta(self) -> dict[str, Any]:
        found: dict[str, Any] = self.run(f"return {GRAPH}.layout.meta")
        return found

    def window(self) -> tuple[int, int]:
        meta = self.meta()
        return meta["start"], meta["end"]

    def sequence(self) -> int:
        return int(self.meta()["sequence"])

    def wait_for_answer(self, after: int) -> None:
        self.wait(f"return {GRAPH}.layout.meta.sequence > {after}", "the figure of the gesture")

    def mouse(self, kind: str, x: float, y: float, clicks: int = 1) -> None:
        pressed = 0 if kind == "mouseReleased" else 1
        event = {"type": kind, "x": x, "y": y, "button": "left", "buttons": pressed, "clickCount": clicks}
        self.driver.execute_cdp_cmd("Input.dispatchMouseEvent", event)

    def drag(self, selector: str, start: float, end: float) -> None:
        """Drag across an element, from and to a share of its width."""
        left, top, width, height = self.box(selector)
        y = top + height * 0.3
        self.mouse("mousePressed", left + width * start, y)
        for step in range(1, 9):
            self.mouse("mouseMoved", left + width * (start + (end - start) * step / 8), y)
        self.mouse("mouseReleased", left + width * end, y)

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

    def badge(self) -> str:
        return str(self.run("return document.getElementById('badge').textContent"))


@pytest.fixture
def chart(dash_br: Browser, loaded: tuple[str, str]) -> Chart:
    return Chart(dash_br, *loaded)


def test_a_zoom_brings_the_rows_of_its_window_and_a_double_click_the_whole_again(chart: Chart) -> None:
    whole_badge = chart.badge()
    assert "every min and max" in whole_badge
    chart.drag("#chart .nsewdrag", 0.50, 0.52)
    chart.wait_for_answer(0)
    start, end = chart.window()
    assert abs(end - start - 0.02 * (END - START)) < 2 * DAY
    chart.wait("return document.getElementById('badge').textContent.startsWith('all ')", "every row drawn")
    left, top, width, _height = chart.box("#chart .nsewdrag")

    def clicked_back() -> bool:
        chart.click(left + width / 2, top + 40, times=2)  # on a busy machine two clicks may be too slow to be a double one
        return chart.window() == (START, END)

    wait_until(clicked_back, "the whole range", PATIENCE_S)
    assert not [entry for entry in chart.driver.get_log("browser") if entry["level"] == "SEVERE"]


def test_keys_and_brush_move_the_window(chart: Chart) -> None:
    chart.press("+")
    chart.wait_for_answer(0)
    start, end = chart.window()
    assert abs((end - start) - (END - START) / 2) < 10
    chart.press("ArrowRight")
    chart.wait_for_answer(1)
    assert abs(chart.window()[0] - start - 0.2 * (end - start)) < 10
    before, sequence = chart.window(), chart.sequence()
    chart.drag("#overview-brush", 0.5, 0.25)
    chart.wait_for_answer(sequence)
    wait_until(lambda: chart.window()[0] < before[0], "the brush to move the window", PATIENCE_S)
    start, end = chart.window()
    assert abs((end - start) - (before[1] - before[0])) < 10
    sequence = chart.sequence()
    chart.press("0")
    chart.wait_for_answer(sequence)
    assert chart.window() == (START, END)
    sequence = chart.sequence()
    for _ in range(6):  # quicker than any answer: only the last counts
        chart.press("+")
    chart.wait_for_answer(sequence + 5)
    start, end = chart.window()
    assert abs((end - start) - (END - START) / 64) < 100


def test_a_zoom_survives_progress_and_so_does_a_hidden_series(chart: Chart) -> None:
    left, top, width, height = chart.box("#chart .legend .traces .legendtoggle")
    chart.click(left + width / 2, top + height / 2)
    chart.wait(f"return {GRAPH}._fullData[0].visible === 'legendonly'", "the series to be hidden")
    chart.press("+")
    chart.wait_for_answer(0)
    window = chart.window()
    chart.run(f"window.before = {GRAPH}.layout; dash_clientside.set_props('job-version', {{data: 1000}})")
    chart.wait(f"return {GRAPH}.layout !== window.before", "the figure of the next progress")
    assert chart.window() == window
    shown = chart.run(f"return {GRAPH}._fullLayout.xaxis._rl.map(Number)")
    assert shown == [window[0] + chart.meta()["offset"], window[1] + chart.meta()["offset"]]
    assert chart.run(f"return {GRAPH}._fullData[0].visible") == "legendonly"


def test_an_answer_to_an_older_gesture_is_not_drawn_and_times_are_read_exactly(chart: Chart) -> None:
    chart.run("window.old = {job: arguments[0], sequence: 0, figure: {data: [], layout: {}}}", chart.meta()["revision"])
    chart.press("+")
    kept = "return dash_clientside.riwayat_chart.draw(window.old) === dash_clientside.no_update"
    assert chart.run(kept)  # the gesture has only begun, and the answer is already stale
    chart.wait_for_answer(0)
    assert chart.run(kept)
    hour = 3_600_000
    read = "return dash_clientside.riwayat_chart.axisTime(arguments[0], arguments[1])"
    assert {text: chart.run(read, text, -4 * hour) - 4 * hour for text, _time in AXIS_TIMES} == dict(AXIS_TIMES)


def test_statistics_are_copied_and_rows_downloaded(chart: Chart) -> None:
    chart.run("navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); }")
    chart.run("document.getElementById('stats-copy').click()")
    copied = chart.wait("return window.copied", "the statistics in the clipboard")
    lines = [line.split("\t") for line in copied.splitlines()]
    assert lines[0][:4] == ["station", "sensor", "unit", "rows"]
    assert len(lines) == 7
    chart.wait("return document.getElementById('stats-copy').textContent === 'Copied'", "the word that it is done")
    # … and the rows of the window are one click away.
    chart.press("+")
    chart.wait_for_answer(0)
    start, end = chart.window()
    href = chart.wait(
        "const link = document.getElementById('download-csv').href; return link.includes('from=') && link", "the link"
    )
    assert f"from={start}&to={end}" in href
    with urllib.request.urlopen(href) as answer:
        assert answer.readline() == b"timestamp_utc,station,rainfall,temperature,wind_direction\n"


def test_indonesian_months_need_no_network(dash_br: Browser, loaded: tuple[str, str]) -> None:
    url, job_id = loaded
    dash_br.driver.get(url)
    dash_br.driver.add_cookie({"name": "riwayat_language", "value": "id"})
    chart = Chart(dash_br, url, job_id)
    ticks = chart.run(f"return [...{GRAPH}.querySelectorAll('.xtick text')].map((tick) => tick.textContent)")
    assert any("Mei" in tick or "Agu" in tick or "Okt" in tick for tick in ticks), json.dumps(ticks)
