"""What the guard measures: loading, views, statistics, JSON and every analysis, each against the
plainest way to something like it with the same rows.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from plotly.io.json import to_json_plotly

from analysis.registry import ANALYSES
from benchmarks import analyses
from benchmarks.guard import Pair
from benchmarks.load_cold import in_fresh_process, make_station, request_for
from benchmarks.processor_time import once_ms
from benchmarks.tile_site import TileSite
from benchmarks.view import PARTS, SENSORS, STATION, TEN_YEARS_MS, WIDTH_PX, make_tiles, part_of, view_json
from config import Settings
from data.arrays import Floats, Integers
from data.request import HistoryRequest
from data.tiles.tile_store import SeriesKey
from data.time.epoch import HOUR_MS
from data.view.statistics import statistics
from data.view.view_request import view_request
from figures.history import history_figure

VIEW_ROWS, ANALYSIS_ROWS, LOAD_ROWS = 3_000_000, 2_000_000, 500_000
LOAD_ROUNDS = 4


def pairs() -> Iterator[Pair]:
    """Make rows in temporary folders, and yield all pairs while these are there."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _views(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        yield from _analyses(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        yield _load(Settings(data_dir=Path(folder)))


def _pair(what: str, ours: Callable[[], object], yardstick: Callable[[], object]) -> Pair:
    return Pair(what, partial(once_ms, ours), partial(once_ms, yardstick))


def _views(folder: Path) -> Iterator[Pair]:
    site, request = make_tiles(folder, VIEW_ROWS, TEN_YEARS_MS / VIEW_ROWS)
    keys = [SeriesKey("own", STATION, name) for name in SENSORS]
    rows = [site.tiles.open_series(key, request.start_ms, request.end_ms).read()[:2] for key in keys]
    for part in PARTS:
        ours = partial(view_json, site, request, *part_of(request, part))
        yield _pair(f"view of {part:.0%} against minimum.reduceat of all rows", ours, partial(_columns, request, rows))
    whole = partial(_whole_statistics, site, request)
    yield _pair("statistics against min, max and sum of rows in memory", whole, partial(_plain_statistics, rows))
    view = view_request(site, request, request.start_ms, request.end_ms, WIDTH_PX, with_statistics=False)
    drawn = {"data": [{"x": one.x, "y": one.y} for one in view.series]}
    figure = partial(history_figure, view, site.catalogue, width_px=WIDTH_PX, whole=(request.start_ms, request.end_ms))
    yield _pair("figure and JSON against JSON of its arrays", lambda: to_json_plotly(figure()), partial(to_json_plotly, drawn))


def _columns(request: HistoryRequest, rows: list[tuple[Integers, Floats]]) -> list[Floats]:
    """Least and greatest of each pixel column, from arrays in memory."""
    begins = np.linspace(request.start_ms, request.end_ms, WIDTH_PX, endpoint=False)
    places = ((values, np.searchsorted(times, begins)) for times, values in rows)
    return [reduced.reduceat(values, at) for values, at in places for reduced in (np.minimum, np.maximum)]


def _whole_statistics(site: TileSite, request: HistoryRequest) -> None:
    for name in SENSORS:
        series = site.tiles.open_series(SeriesKey("own", STATION, name), request.start_ms, request.end_ms)
        statistics(series, site.catalogue[name], request.start_ms, request.end_ms, step_ms=None)


def _plain_statistics(rows: list[tuple[Integers, Floats]]) -> None:
    for _times, values in rows:
        values.min(), values.max(), values.sum(), len(values)


def _analyses(folder: Path) -> Iterator[Pair]:
    site = analyses.make_site(folder, ANALYSIS_ROWS)
    subject = analyses.question_of(site, ANALYSIS_ROWS, "summary").series[0]
    times, values, _flags = subject.series.read()
    for name, analysis in ANALYSES.items():
        question, options = analyses.question_of(site, ANALYSIS_ROWS, name), analysis.options(analyses.OPTIONS.get(name, {}))
        ours = partial(analysis.answer, question, options)
        yield _pair(f"{name} against bincount by hour of the day", ours, partial(_hourly_means, times, values))


def _hourly_means(times: Integers, values: Floats) -> Floats:
    """Means of the hours of the day, from arrays in memory."""
    hours = times // HOUR_MS % 24
    means: Floats = np.bincount(hours, values, 24) / np.bincount(hours, minlength=24)
    return means


def _load(settings: Settings) -> Pair:
    make_station(settings, LOAD_ROWS)
    request = request_for(LOAD_ROWS)
    ours, rival = (partial(_fresh_ms, what, settings, request) for what in ("load", "connectorx"))
    return Pair("cold load against connectorx", ours, rival, LOAD_ROUNDS)


def _fresh_ms(what: str, settings: Settings, request: HistoryRequest) -> float:
    """What a process of its own takes after its imports, where no tile is on disk."""
    shutil.rmtree(settings.tiles_path, ignore_errors=True)
    return float(in_fresh_process(what, settings, request)[0]["processor_s"]) * 1000
