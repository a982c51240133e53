"""The web process and the page: memory after many zooms, click to running, click to figure.
Real processes, real Chromium.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import psutil
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.common.by import By

from access.names import LOCAL_USER
from benchmarks.measurement import Measurement
from config import load_settings
from data.request import HistoryRequest
from data.time.months import iso_utc
from jobs.job import Job, Status
from jobs.ledger.ledger import Ledger, open_ledger
from tests.processes import SiteProcess, run_manage, wait_until

SENSORS = ("temperature", "humidity", "rainfall")
STEP_S = 60
YEARS = 3
ZOOMS, WARM_UP_ZOOMS = 1000, 100
CLICKS = 11
WIDTH_PX = 1200
TABS = ("calendar", "distribution", "rain")
GRAPH = "document.querySelector('#chart .js-plotly-plot')"
DAY_MS = 86_400_000
NOTE_CLICK = "from the click event in the browser to started_ms in the ledger"

# The time of the click is taken in the page, before any handler of ours sees it.
WATCH_CLICK = "document.getElementById('load').addEventListener('click', () => { window.clickedAt = Date.now(); }, true);"
WATCH_FIGURE = """
(function look() {
  if (window.clickedAt && document.querySelector('#chart .trace path')) { window.drawnAt = Date.now(); }
  else { requestAnimationFrame(look); }
})();
"""


@dataclass(frozen=True)
class Bench:
    """A running site with one synthetic station, and its ledger."""

    site: SiteProcess
    ledger: Ledger
    station: str
    first_ms: int
    last_ms: int

    def request(self, start_ms: int, end_ms: int) -> HistoryRequest:
        """All sensors of the station over [start, end)."""
        return HistoryRequest((self.station,), SENSORS, start_ms, end_ms, "raw", "UTC")

    def link(self, start_ms: int, end_ms: int) -> str:
        """The page with its form filled in."""
        fields = {"station": self.station, "sensor": SENSORS, "from": iso_utc(start_ms), "to": iso_utc(end_ms)}
        return f"{self.site.url}/?{urlencode(fields, doseq=True)}"


def measure(*, quick: bool = False) -> Iterator[Measurement]:
    """Start a site of its own in a temporary folder and measure it."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        settings = {"data_dir": here / "var", "timezone": "UTC", "log_level": "warning"}
        prepare(here, settings, stations=1, years=0.5 if quick else YEARS, step_s=STEP_S)
        with SiteProcess(cwd=here, **settings).start() as site:
            bench = _bench(site, here)
            _wait_for_worker(bench)
            with browser() as driver:
                yield _click_to_running(bench, driver, clicks=3 if quick else CLICKS)
                whole = load_request(bench.ledger, bench.request(bench.first_ms, bench.last_ms))
                yield _click_to_figure(bench, driver, clicks=3 if quick else CLICKS)
                yield from _tab_to_picture(bench, driver)
            yield _memory_after_zooms(bench, whole, zooms=50 if quick else ZOOMS)


def prepare(here: Path, settings: dict[str, object], *, stations: int, years: float, step_s: int) -> None:
    """Make the databases of a site below ``here``, with synthetic stations."""
    for arguments in (("migrate",), ("demo", "--stations", str(stations), "--years", str(years), "--step", str(step_s))):
        done = run_manage(*arguments, cwd=here, timeout_s=600, **settings)
        if done.returncode:
            raise RuntimeError(done.stderr)


def _bench(site: SiteProcess, here: Path) -> Bench:
    from data.site import open_site

    settings = load_settings(data_dir=here / "var", timezone="UTC")
    station = open_site(settings).inventory.stations()[0]
    assert station.first_ms is not None
    assert station.last_ms is not None
    return Bench(site, open_ledger(settings), station.name, station.first_ms, station.last_ms + 1)


def _wait_for_worker(bench: Bench) -> None:
    wait_until(bench.ledger.workers, "a worker")


def load_request(ledger: Ledger, request: HistoryRequest) -> Job:
    """Return the job of a request, completed."""
    job = ledger.submit(LOCAL_USER, request)
    wait_until(lambda: ledger.get(job.id).status is Status.COMPLETED, "the load", 300)
    return ledger.get(job.id)


def _memory_after_zooms(bench: Bench, job: Job, zooms: int) -> Measurement:
    process = psutil.Process(bench.site.pid)
    chance = random.Random(5)
    for _ in range(WARM_UP_ZOOMS):
        _zoom(bench, job, chance)
    before, mapped_before = _anonymous_bytes(process.pid), process.memory_full_info().uss
    started = time.perf_counter()
    for _ in range(zooms):
        _zoom(bench, job, chance)
    each_ms = (time.perf_counter() - started) / zooms * 1000
    grown_mb = (_anonymous_bytes(process.pid) - before) / 1e6
    mapped_mb = (process.memory_full_info().uss - mapped_before) / 1e6
    note = f"{before / 1e6:.0f} MB before, after {WARM_UP_ZOOMS}; mapped tiles: {mapped_mb:.0f} MB more; {each_ms:.0f} ms a zoom"
    return Measurement(f"web process: private memory grown by {zooms} zooms", grown_mb, "MB", 20, note=note)


def _anonymous_bytes(pid: int) -> int:
    """What the process itself holds. Pages of mapped tiles are the kernel's cache:
    it takes them back when others need room.
    """
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("RssAnon:")]
    return int(line.split()[1]) * 1024


def _zoom(bench: Bench, job: Job, chance: random.Random) -> None:
    """One window of any size, anywhere in the job's range."""
    span = bench.last_ms - bench.first_ms
    length = int(span * 10 ** chance.uniform(-4, 0))
    start = bench.first_ms + chance.randrange(span - length + 1)
    query = urlencode({"from": iso_utc(start), "to": iso_utc(start + length), "width": WIDTH_PX})
    with urllib.request.urlopen(f"{bench.site.url}/api/jobs/{job.id}/figure?{query}", timeout=30) as answer:
        answer.read()


def browser() -> webdriver.Chrome:
    """Return a browser of the width that is measured."""
    options = Options()
    for argument in ("headless", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", f"window-size={WIDTH_PX + 360},1000"):
        options.add_argument(f"--{argument}")
    return webdriver.Chrome(options=options)


def _open_and_click(driver: webdriver.Chrome, link: str) -> int:
    """Open the page with its form filled in, press Load; returns the time of the click, ms UTC."""
    driver.get(link)
    wait_until(lambda: driver.find_elements(By.ID, "load"), "the form")
    wait_until(lambda: "rows" in driver.find_element(By.ID, "estimate").text, "the form to be filled in by the address")
    button = driver.find_element(By.ID, "load")
    driver.execute_script(WATCH_CLICK + WATCH_FIGURE)
    button.click()
    return int(driver.execute_script("return window.clickedAt"))


def _job_in_address(driver: webdriver.Chrome) -> str:
    return str(driver.execute_script("return new URLSearchParams(location.search).get('job') || ''"))


def _click_to_running(bench: Bench, driver: webdriver.Chrome, clicks: int) -> Measurement:
    """Each click asks for days that no tile holds yet."""
    times_ms = []
    for number in range(clicks):
        start = bench.first_ms + number * 40 * DAY_MS % (bench.last_ms - bench.first_ms - 2 * DAY_MS)
        clicked = _open_and_click(driver, bench.link(start, start + DAY_MS))
        job_id = str(wait_until(lambda: _job_in_address(driver), "the job in the address"))
        times_ms.append(_started_ms(bench.ledger, job_id) - clicked)
    return Measurement("click to running, median", statistics.median(times_ms), "ms", 150, note=f"{NOTE_CLICK}; {clicks} clicks")


def _started_ms(ledger: Ledger, job_id: str) -> int:
    started = wait_until(lambda: ledger.get(job_id).started_ms, "the start of the job")
    assert started is not None
    return started


def _click_to_figure(bench: Bench, driver: webdriver.Chrome, clicks: int) -> Measurement:
    """The whole range, every tile there: a new page each time,
    so nothing is drawn before the click.
    """
    times_ms = []
    for _ in range(clicks):
        clicked = _open_and_click(driver, bench.link(bench.first_ms, bench.last_ms))
        wait_until(lambda: driver.execute_script("return window.drawnAt || 0"), "the figure")
        times_ms.append(int(driver.execute_script("return window.drawnAt")) - clicked)
    rows = round((bench.last_ms - bench.first_ms) / 1000 / STEP_S)
    note = f"{len(SENSORS)} series of {rows} rows; {clicks} clicks, each on a page just opened"
    return Measurement("warm click to figure in the browser, median", statistics.median(times_ms), "ms", 600, note=note)


def _tab_to_picture(bench: Bench, driver: webdriver.Chrome) -> Iterator[Measurement]:
    """From the press on a tab, on the page of the whole load, until the picture is drawn."""
    rows = round((bench.last_ms - bench.first_ms) / 1000 / STEP_S)
    for view in TABS:
        taken = []
        for _ in range(2):
            for tab in (view, "trend"):
                shown = f"{GRAPH}.layout.meta.still === {str(tab != 'trend').lower()}".replace(
                    "still === false", "still === undefined"
                )
                press = f"document.querySelector('#views [data-view={tab}]').click()"
                taken.append(timed_ms(driver, press, f"{shown} && {GRAPH}.data.length > 0"))
        note = f"{len(SENSORS)} series of {rows} rows; back to Trend {taken[1]:.0f} ms"
        for look, took in (("first", taken[0]), ("second", taken[2])):
            yield Measurement(f"tab to picture in the browser: {view}, {look} look", took, "ms", 500, note=note)


# Milliseconds from the start of what is done until the frame after a condition holds.
TIMED = """
const [act, holds, done] = [new Function(arguments[0]), new Function(`return ${arguments[1]}`), arguments[2]];
const begun = performance.now();
act();
(function look() {
  if (holds()) requestAnimationFrame(() => done(performance.now() - begun));
  else requestAnimationFrame(look);
})();
"""


def timed_ms(driver: webdriver.Chrome, act: str, holds: str) -> float:
    """Return how long it takes from some JavaScript until a condition of the page holds, drawn."""
    driver.set_script_timeout(120)
    return float(driver.execute_async_script(TIMED, act, holds))
