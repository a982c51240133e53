"""Views, overviews and statistics from tiles, up to the bytes of the figure's JSON.
No database, no browser.

The tiles are made directly: what is measured does not depend on how they came.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
from plotly.io.json import to_json_plotly

from api.table_rows import BUSY_S
from benchmarks.measurement import Measurement
from benchmarks.tile_site import TileSite
from data.catalogue import load_catalogue
from data.export.row_index import RowIndex
from data.export.row_question import RowQuestion
from data.export.table import open_table
from data.readings import clean
from data.request import HistoryRequest
from data.tiles.tile_store import SeriesKey, TileStore
from data.time.months import month_bounds_ms, month_start_ms, months_between
from data.view.statistics import statistics
from data.view.view_request import view_request
from figures.history import history_figure

STATION = "bench"
SENSORS = ("temperature", "humidity", "pressure")
WIDTH_PX = 1200
START_MS = month_start_ms(2016 * 12)
TEN_YEARS_MS = month_start_ms(2026 * 12) - START_MS
ROUNDS = 15  # after one that does not count
PARTS = (1.0, 0.5, 0.1, 0.01)
_MEANS = {"temperature": 24.0, "humidity": 70.0, "pressure": 1010.0}
_ROOT = Path(__file__).resolve().parent.parent


def make_tiles(root: Path, rows: int, step_ms: float, sensors: tuple[str, ...] = SENSORS) -> tuple[TileSite, HistoryRequest]:
    """A site below ``root`` with ``rows`` rows a sensor,
    one each ``step_ms``: a daily cycle and noise, some of it flagged.
    """
    site = TileSite(TileStore(root), load_catalogue())
    end_ms = START_MS + round(rows * step_ms)
    random = np.random.default_rng(1)
    for name in sensors:
        sensor, key = site.catalogue[name], SeriesKey("own", STATION, name)
        entries = []
        for month in months_between(START_MS, end_ms):
            first, last = (min(bound, end_ms) - START_MS for bound in month_bounds_ms(month))
            number = np.arange(np.ceil(first / step_ms), np.ceil(last / step_ms))
            times = START_MS + np.floor(number * step_ms).astype(np.int64)
            values = _MEANS[name] + 5 * np.sin(times / 86_400_000 * 2 * np.pi) + random.normal(0, 1, len(times))
            values[random.random(len(times)) < 1e-5] = -9999.0
            entries.append(site.tiles.write(key, month, clean(times, values, sensor), generation=1, fingerprint=1))
        site.tiles.publish(key, entries)
    return site, HistoryRequest((STATION,), sensors, START_MS, end_ms)


def view_json(site: TileSite, request: HistoryRequest, start_ms: int, end_ms: int) -> bytes:
    """The figure of a window as it goes to the browser, without its statistics."""
    view = view_request(site, request, start_ms, end_ms, WIDTH_PX, with_statistics=False)
    figure = history_figure(view, site.catalogue, width_px=WIDTH_PX, whole=(request.start_ms, request.end_ms))
    text: str = to_json_plotly(figure)
    return text.encode()


def timed_ms(run: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Median of some rounds after one that does not count."""
    run()
    taken = []
    for _ in range(rounds):
        begun = time.perf_counter()
        run()
        taken.append((time.perf_counter() - begun) * 1000)
    return median(taken)


def first_view_ms(root: Path, request: HistoryRequest) -> float:
    """The first view of a fresh process, its imports not counted."""
    asked = [sys.executable, "-m", "benchmarks.view", str(root), request.to_json()]
    return float(subprocess.run(asked, cwd=_ROOT, check=True, capture_output=True, text=True, timeout=120).stdout)


def measure(quick: bool) -> Iterator[Measurement]:
    """The rows of the table that are about views."""
    scale = 100 if quick else 1
    with tempfile.TemporaryDirectory() as folder:
        yield from _views(Path(folder) / "ten-years", 10_000_000 // scale)
        yield from _overviews(Path(folder), 100_000_000 // scale, 1_000_000 // scale)


def _views(root: Path, rows: int) -> Iterator[Measurement]:
    site, request = make_tiles(root, rows, TEN_YEARS_MS / rows)
    tiles = len(site.tiles.entries(SeriesKey("own", STATION, SENSORS[0])))
    note = f"{rows:,} rows × {len(SENSORS)} series, {tiles} tiles a series, {WIDTH_PX} px"
    yield Measurement("first view of a process", first_view_ms(root, request), "ms", 250, note=note)
    sizes = []
    for part in PARTS:
        window = part_of(request, part)
        sizes.append(len(view_json(site, request, *window)) / len(SENSORS) / 1000)
        taken = timed_ms(partial(view_json, site, request, *window))
        yield Measurement(f"view of {part:.0%} of the range", taken, "ms", 30, note=note)
    yield Measurement("view payload a series", max(sizes), "kB", 100, note="the largest of these, JSON before compression")
    yield _statistics(site, request, note)
    yield from _tables(site, request, rows)


def part_of(request: HistoryRequest, part: float) -> tuple[int, int]:
    """A window of a part of the range, from its middle."""
    span, middle = request.end_ms - request.start_ms, (request.start_ms + request.end_ms) // 2
    return middle - round(span * part / 2), middle + round(span * part / 2)


def _statistics(site: TileSite, request: HistoryRequest, note: str) -> Measurement:
    random = np.random.default_rng(2)
    series = [site.tiles.open_series(SeriesKey("own", STATION, name), request.start_ms, request.end_ms) for name in SENSORS]
    windows = [(request.start_ms, request.end_ms)]
    windows += [tuple(np.sort(random.integers(request.start_ms, request.end_ms, 2)).tolist()) for _ in range(ROUNDS)]

    def run(window: tuple[int, int]) -> None:
        for one in series:
            statistics(one, site.catalogue[one.key.sensor], *window, step_ms=None)

    slowest = max(timed_ms(partial(run, window), 5) for window in windows)
    return Measurement("statistics of any window", slowest, "ms", 50, note=f"the slowest of {len(windows)} windows; {note}")


def _tables(site: TileSite, request: HistoryRequest, rows: int) -> Iterator[Measurement]:
    """A part of a table from its middle row, nothing counted before."""
    one = replace(request, sensors=SENSORS[:1])
    taken = timed_ms(lambda: next(table_answers(site, one, rows // 2)), 5)
    yield Measurement("middle of the table of a series", taken, "ms", 200, note=f"{rows:,} rows")
    found = list(table_answers(site, request, rows // 2))
    note = f"the slowest of {len(found)} until all rows are counted; {rows:,} rows × {len(SENSORS)} series"
    yield Measurement("answer while a table of three series is counted", max(found), "ms", 200, note=note)


def table_answers(site: TileSite, request: HistoryRequest, offset: int) -> Iterator[float]:
    """How long each answer takes, in ms, until all rows of a table are counted."""
    index = RowIndex(RowQuestion())
    while index.total is None:
        begun = time.perf_counter()
        out_of_time = partial(_is_after, begun + BUSY_S)
        table = open_table(site, request, request.start_ms, request.end_ms)
        index.count(table, out_of_time)
        index.rows(table, offset, 200, out_of_time)
        yield (time.perf_counter() - begun) * 1000


def _is_after(time_s: float) -> bool:
    return time.perf_counter() > time_s


def _overviews(root: Path, many: int, few: int) -> Iterator[Measurement]:
    found = []
    for rows in (few, many):
        site, request = make_tiles(root / str(rows), rows, 1000, SENSORS[:1])
        size = len(view_json(site, request, request.start_ms, request.end_ms))
        taken = timed_ms(partial(view_json, site, request, request.start_ms, request.end_ms))
        found.append((taken, size, len(site.tiles.entries(SeriesKey("own", STATION, SENSORS[0])))))
    (few_ms, few_bytes, few_tiles), (many_ms, many_bytes, many_tiles) = found
    note = f"{many_ms:.1f} ms, {many_tiles} tiles against {few_ms:.1f} ms, {few_tiles} tiles; step 1 s"
    yield Measurement(f"overview of {many:,} rows against {few:,}", many_ms / few_ms, "×", 3, note=note)
    yield Measurement("the same in bytes", many_bytes / few_bytes, "×", 1.05, note=f"{many_bytes:,} against {few_bytes:,} bytes")


def _first(root: str, request_json: str) -> None:
    site, request = TileSite(TileStore(Path(root)), load_catalogue()), HistoryRequest.from_json(request_json)
    begun = time.perf_counter()
    view_json(site, request, request.start_ms, request.end_ms)
    print((time.perf_counter() - begun) * 1000)


if __name__ == "__main__":
    _first(*sys.argv[1:])
