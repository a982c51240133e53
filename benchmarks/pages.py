"""The page where much is: 1,200 stations in its form, forty series in its chart.
Real processes, real Chromium; times are those of the browser's clock.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

from plotly.io.json import to_json_plotly
from selenium import webdriver

from access.names import LOCAL_USER
from access.store import open_access
from benchmarks.measurement import Measurement
from benchmarks.processor_time import processor_ms
from benchmarks.web import GRAPH, WIDTH_PX, browser, load_request, prepare, timed_ms
from callbacks.pictures import ViewQuery
from callbacks.selection import Selection
from callbacks.view import draw
from config import Settings, load_settings
from data.request import HistoryRequest
from data.site import open_site
from jobs.ledger.ledger import open_ledger
from jobs.services import Services
from tests.people import person
from tests.processes import SiteProcess, wait_until

STATIONS, SERIES = 1200, 40
ROUNDS = 5
ZOOMS = (1.0, 0.5, 0.1, 0.03, 0.003)  # parts of the range
OPENED = "document.querySelectorAll('.dash-dropdown-option').length > 0"
FOUND = "document.querySelector('.dash-dropdown-option').textContent.startsWith('demo-117')"
INTERACTIVE = "(document.getElementById('estimate') || {}).textContent"
WRITE = """
const field = document.querySelector(%s);
Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(field, %s);
field.dispatchEvent(new Event('input', { bubbles: true }));
"""


def measure(quick: bool) -> Iterator[Measurement]:
    """The rows of the table that are about pages."""
    stations = STATIONS // 10 if quick else STATIONS
    with _site(stations=stations, years=0.1, step_s=21_600) as (site, _here), browser() as driver:
        yield from _form(site, driver, stations, ROUNDS)
    with _site(stations=SERIES, years=0.1 if quick else 1, step_s=600) as (site, here), browser() as driver:
        yield from _chart(site, here, driver)


@contextmanager
def _site(*, stations: int, years: float, step_s: int) -> Iterator[tuple[SiteProcess, Path]]:
    """A site of its own in a temporary folder, and that folder."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        settings = {"data_dir": here / "var", "timezone": "UTC", "log_level": "warning"}
        prepare(here, settings, stations=stations, years=years, step_s=step_s)
        with SiteProcess(cwd=here, **settings).start() as site:
            yield site, here


def _form(site: SiteProcess, driver: webdriver.Chrome, stations: int, rounds: int) -> Iterator[Measurement]:
    found: dict[str, list[float]] = {}
    for _ in range(rounds + 1):  # the first warms the server
        driver.get(site.url)
        wait_until(lambda: driver.execute_script(f"return {INTERACTIVE}"), "the form", 120)
        took = driver.execute_script("return performance.now()")
        found.setdefault("page interactive, warm server", []).append(took)
        found.setdefault("opened", []).append(timed_ms(driver, "document.getElementById('station').click()", OPENED))
        search = WRITE % tuple(map(json.dumps, (".dash-dropdown-search", "demo-117")))
        found.setdefault("searched", []).append(timed_ms(driver, search, FOUND))
        choose = "document.querySelector('.dash-dropdown-option input').click()"
        found.setdefault("chosen", []).append(
            timed_ms(driver, choose, "document.querySelector('.dash-dropdown-option input').checked")
        )
        driver.execute_script(WRITE % tuple(map(json.dumps, (".dash-dropdown-search", ""))))
        wait_until(lambda: not driver.execute_script(f"return {FOUND}"), "the list of all")
        every = "document.querySelector('.dash-dropdown-action-button').click()"
        many = f"document.querySelectorAll('#station .dash-dropdown-value-item').length === {stations}"
        found.setdefault("chosen as a whole", []).append(timed_ms(driver, every, many))
    limits = {"page interactive, warm server": 1500}
    for name, times in found.items():
        what = name if name in limits else f"station list of the form {name}"
        yield Measurement(what, median(times[1:]), "ms", limits.get(name, 200), note=f"{stations} stations, median of {rounds}")
    own = sum(driver.execute_script(OWN_SCRIPTS)) / 1000
    note = "before compression; scripts of the page's head, without those that come when they are needed"
    yield Measurement("JavaScript of our own at the opening of the page", own, "kB", 60, note=note)


OWN_SCRIPTS = """
const later = Object.values(JSON.parse(document.documentElement.dataset.later)).map((path) => new URL(path, location.href).href);
const scripts = performance.getEntriesByType('resource').filter(({ name }) => /\\/assets\\/.*\\.js/.test(name));
return scripts.filter(({ name }) => !later.includes(name)).map(({ decodedBodySize }) => decodedBodySize);
"""


def _chart(site: SiteProcess, here: Path, driver: webdriver.Chrome) -> Iterator[Measurement]:
    settings = load_settings(data_dir=here / "var", timezone="UTC")
    request = _request(settings)
    job = load_request(open_ledger(settings), request)
    note = f"{SERIES} series, {request.resolution}, {(request.end_ms - request.start_ms) // 86_400_000} days"
    first, zooms = [], []
    for _ in range(3):
        driver.get(f"{site.url}/?job={job.id}")
        wait_until(lambda: driver.execute_script(f"return Boolean({GRAPH} && {GRAPH}.layout.meta)"), "the chart", 60)
        first.append(float(driver.execute_script("return performance.now()")))
        zooms += [timed_ms(driver, _zoom(part), f"{GRAPH}.layout.meta.sequence > window.before") for part in (0.5, 0.1)]
    yield Measurement("forty series of a year: address to picture", median(first), "ms", 2000, note=note)
    yield Measurement("forty series of a year: zoom", median(zooms), "ms", 500, note=note)
    yield _web_process(settings, request, note)


def _web_process(settings: Settings, request: HistoryRequest, note: str) -> Measurement:
    """What answers to zooms take of the processor of the web process: the slowest, JSON and all."""
    ledger = open_ledger(settings)
    services = Services(settings, open_site(settings), ledger, open_access(settings), lambda: person(LOCAL_USER), lambda: None)
    job, length = ledger.record_completed(LOCAL_USER, request, {}), request.end_ms - request.start_ms
    taken = {}
    for part in ZOOMS:
        window = {"job": job.id, "start": request.start_ms, "end": request.start_ms + int(length * part), "sequence": 1}
        asked = ViewQuery(job.id, Selection.of(window), include_flagged=False, theme="light", width_px=WIDTH_PX)
        asked = replace(asked, overview=asked.overview_version(job, ""))  # which the page has
        taken[part] = processor_ms(partial(_answered, services, asked))
    shown = ", ".join(f"{part:.1%} {ms:.0f}" for part, ms in taken.items())
    return Measurement("forty series of a year: web process", max(taken.values()), "ms", 200, note=f"{note}; {shown} ms")


def _answered(services: Services, asked: ViewQuery) -> str:
    return str(to_json_plotly(draw(services, asked).whole))


def _request(settings: Settings) -> HistoryRequest:
    """All of one sensor of all stations."""
    stations = open_site(settings).inventory.stations()
    spans = [one.span for one in stations if one.span]
    first, last = min(start for start, _end in spans), max(end for _start, end in spans)
    return HistoryRequest(tuple(one.name for one in stations), ("temperature",), first, last + 1, "raw", "UTC")


def _zoom(part: float) -> str:
    """A gesture that shows a part of the range."""
    start = "const { chart } = window.riwayatChart; const { start, end } = chart.whole; window.before = chart.meta.sequence;"
    return f"{start} chart.want({{ start, end: start + (end - start) * {part:g} }}, 0);"
