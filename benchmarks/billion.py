"""A view of about a billion rows: twenty years of a reading a second, and a hundred series of ten
million, against views of a million.

All months are alike but for their times, and ninety-nine of the hundred series are hard links to
the files of the first: 11 GB on disk, and what is read is what would be read of all.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np

from benchmarks.measurement import Measurement
from benchmarks.processor_time import in_turns, once_ms, processor_ms
from benchmarks.tile_site import TileSite
from benchmarks.view import SENSORS, START_MS, STATION, TEN_YEARS_MS, first_view_ms, make_tiles, view_json
from data.catalogue import load_catalogue
from data.readings import Observations
from data.request import HistoryRequest
from data.tiles.paths import prepare
from data.tiles.tile_store import SeriesKey, TileStore
from data.time.epoch import DAY_MS
from data.time.months import month_bounds_ms, month_of, months_between
from data.view.statistics import statistics

SENSOR: Final = SENSORS[0]
YEARS, SERIES = 20, 100
FEW: Final = 1_000_000  # rows that the others are compared with
ROWS_EACH: Final = 10_000_000  # of the hundred series
ROUNDS: Final = 9
OVERVIEW_LIMIT: Final = 2.0  # times that of FEW
FIRST_MS, STATISTICS_MS = 250, 50  # of a series, as for any number of rows
FIRST_OF_ALL_MS, STATISTICS_OF_ALL_MS = 1000, 200


def measure(quick: bool) -> Iterator[Measurement]:
    """The rows of the table that are about a billion rows."""
    scale = 100 if quick else 1
    with tempfile.TemporaryDirectory() as folder:
        few, few_asked = make_tiles(Path(folder) / "few", FEW // scale, 1000, (SENSOR,))
        long, long_asked = make_seconds(Path(folder) / "long", 1000 * scale)
        rows = (long_asked.end_ms - long_asked.start_ms) // (1000 * scale)
        what = f"{rows:,} rows in one series"
        yield _overview(f"{what} against {FEW // scale:,}", (long, long_asked), (few, few_asked))
        yield from _whole(what, long, long_asked, FIRST_MS, STATISTICS_MS)
    with tempfile.TemporaryDirectory() as folder:
        each, few_each = ROWS_EACH // scale, FEW // SERIES // scale
        few, few_asked = make_linked(Path(folder) / "few", few_each, TEN_YEARS_MS / each)
        many, many_asked = make_linked(Path(folder) / "many", each, TEN_YEARS_MS / each)
        what = f"{SERIES} series of {each:,} rows"
        yield _overview(f"{what} against {few_each:,}", (many, many_asked), (few, few_asked))
        yield from _whole(what, many, many_asked, FIRST_OF_ALL_MS, STATISTICS_OF_ALL_MS)


def make_seconds(root: Path, step_ms: int) -> tuple[TileSite, HistoryRequest]:
    """A site of one series of :data:`YEARS` years with a row each ``step_ms``, which divides a day;
    the values of every month are those of the longest, as far as it goes.
    """
    site, key = TileSite(TileStore(root), load_catalogue()), SeriesKey("own", STATION, SENSOR)
    end_ms = month_bounds_ms(month_of(START_MS) + 12 * YEARS)[0]
    since = np.arange(0, 31 * DAY_MS, step_ms)
    values = 24 + 5 * np.sin(since / DAY_MS * 2 * np.pi) + np.random.default_rng(1).normal(0, 1, len(since))
    entries = []
    for month in months_between(START_MS, end_ms):
        begin, end = month_bounds_ms(month)
        rows = (end - begin) // step_ms
        observed = Observations(begin + since[:rows], values[:rows], np.zeros(rows, np.uint8))
        entries.append(site.tiles.write(key, month, observed, generation=1, fingerprint=1))
    site.tiles.publish(key, entries)
    return site, HistoryRequest((STATION,), (SENSOR,), START_MS, end_ms)


def make_linked(root: Path, rows: int, step_ms: float) -> tuple[TileSite, HistoryRequest]:
    """A site of :data:`SERIES` stations with the same ``rows`` rows, one each ``step_ms``, which
    are on disk once.
    """
    site, request = make_tiles(root, rows, step_ms, (SENSOR,))
    first = SeriesKey("own", STATION, SENSOR)
    entries = site.tiles.entries(first).values()
    stations = (STATION, *(f"{STATION}-{number:02}" for number in range(1, SERIES)))
    for key in (SeriesKey("own", station, SENSOR) for station in stations[1:]):
        folder = site.tiles.folder(key)
        prepare(folder, key)
        for entry in entries:
            os.link(site.tiles.folder(first) / entry.file_name, folder / entry.file_name)
        site.tiles.publish(key, entries)
    return site, replace(request, stations=stations)


def _overview(what: str, many: tuple[TileSite, HistoryRequest], few: tuple[TileSite, HistoryRequest]) -> Measurement:
    """The whole range of both, in turns."""
    many_ms, few_ms = (
        median(taken) for taken in in_turns([partial(once_ms, partial(_draw, *each)) for each in (many, few)], ROUNDS)
    )
    note = f"{many_ms:.1f} ms of processor time against {few_ms:.1f} ms"
    return Measurement(f"overview of {what}", many_ms / few_ms, "×", OVERVIEW_LIMIT, note=note)


def _whole(what: str, site: TileSite, request: HistoryRequest, first_ms: int, statistics_ms: int) -> Iterator[Measurement]:
    """First view of a process, and statistics, of everything."""
    tiles = sum(len(site.tiles.entries(SeriesKey("own", station, SENSOR))) for station in request.stations)
    first = min(first_view_ms(site.tiles.root, request) for _ in range(3))
    yield Measurement(f"first view of a process: {what}", first, "ms", first_ms, note=f"{tiles:,} tiles; least of 3 processes")
    taken = processor_ms(partial(_statistics, site, request))
    yield Measurement(f"statistics of {what}", taken, "ms", statistics_ms, note="the whole range, processor time")


def _draw(site: TileSite, request: HistoryRequest) -> bytes:
    return view_json(site, request, request.start_ms, request.end_ms)


def _statistics(site: TileSite, request: HistoryRequest) -> None:
    for station in request.stations:
        series = site.tiles.open_series(SeriesKey("own", station, SENSOR), request.start_ms, request.end_ms)
        statistics(series, site.catalogue[SENSOR], request.start_ms, request.end_ms, step_ms=None)
