"""Each analysis of a window of ten million readings in this process, from tiles read before.

Times are those of the processor, all threads together, since the web process shares its cores.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np

from analysis.codec import decode, encode
from analysis.question import Question, ask
from analysis.registry import ANALYSES, find
from analysis.wind import Options as WindOptions
from benchmarks.measurement import Measurement
from benchmarks.processor_time import processor_ms
from benchmarks.tile_site import TileSite
from benchmarks.view import START_MS
from data.arrays import Floats
from data.catalogue import load_catalogue
from data.readings import clean
from data.request import HistoryRequest
from data.tiles.tile_store import SeriesKey, TileStore
from data.time.epoch import MINUTE_MS
from data.time.months import month_bounds_ms, months_between

ROWS: Final = 10_000_000
LIMIT_MS: Final = 200  # of the web process; what takes longer is a job
JOB_LIMITS_MS: Final = {"quality": 1500}  # of what is always a job, of so many readings
QUALITY_MB: Final = 400
SECOND_LOOK_MS: Final = 50
ZONE: Final = "Asia/Jakarta"
STATIONS: Final = ("bench-1", "bench-2")
_SENSORS: Final = {
    "scatter": ("temperature", "humidity"),
    "wind": ("wind_speed", "wind_direction"),
    "rain": ("rainfall",),
}
_CONVERTED: Final = STATIONS[1]  # its temperatures are whole degrees Fahrenheit, kept as Celsius: no decimal steps
OPTIONS: Final = {"events": {"above": "38"}, "earlier": {"offset": "day"}}
_MORE: Final = {"wind": {"by": "hour"}, "distribution": {"by": "hour"}, "calendar": {"by": "hour"}}
_OF: Final = "humidity"  # from where it comes, in a rose
_AT_MOST: Final = {"wind": {"by": "hour", "of": _OF}, "distribution": {"by": "hour"}}  # choices that take long
_MOST_ROWS: Final = {"calendar": 10 * 365 * 24 * 60}  # of hours: ten years, about as many as are shown at once


def measure(quick: bool) -> Iterator[Measurement]:
    """The rows of the table that are about analyses."""
    rows = ROWS // 100 if quick else ROWS
    with tempfile.TemporaryDirectory() as folder:
        site = make_site(Path(folder), rows)
        for name in ANALYSES:
            yield _measured(site, rows, name, OPTIONS.get(name, {}))
            if name in _MORE:
                yield _measured(site, min(rows, _MOST_ROWS.get(name, rows)), name, _MORE[name])
        yield _memory(Path(folder), rows)
        yield from _in_the_web_process(site, rows)
        yield _rose(site, rows)


def make_site(root: Path, rows: int) -> TileSite:
    """A site of two stations with a row a minute, with as many digits as sensors have; those of
    the second are converted.
    """
    site = TileSite(TileStore(root), load_catalogue())
    random = np.random.default_rng(1)
    end_ms = START_MS + rows * MINUTE_MS
    for station in STATIONS:
        for name in ("temperature",) if station != STATIONS[0] else _VALUES:
            key, entries = SeriesKey("own", station, name), []
            for month in months_between(START_MS, end_ms):
                first, last = (min(bound, end_ms) for bound in month_bounds_ms(month))
                times = np.arange(first, last, MINUTE_MS)
                values = _VALUES[name](random, times)
                cleaned = clean(times, _celsius(values) if station == _CONVERTED else values, site.catalogue[name])
                entries.append(site.tiles.write(key, month, cleaned, generation=1, fingerprint=1))
            site.tiles.publish(key, entries)
    return site


def _temperature(random: np.random.Generator, times: np.ndarray) -> Floats:
    return np.round(24 + 5 * np.sin(times / 86_400_000 * 2 * np.pi) + random.normal(0, 2, len(times)), 1)


def _celsius(values: Floats) -> Floats:
    """Temperatures that were read as whole degrees Fahrenheit."""
    return (np.rint(values * 9 / 5 + 32) - 32) * 5 / 9


def _rain(random: np.random.Generator, times: np.ndarray) -> Floats:
    return np.where(random.random(len(times)) < 0.03, np.round(random.exponential(0.5, len(times)), 1), 0.0)


_VALUES: Final[dict[str, Callable[[np.random.Generator, np.ndarray], np.ndarray]]] = {
    "temperature": _temperature,
    "humidity": lambda random, times: np.round(np.clip(random.normal(70, 9, len(times)), 0, 100)),
    "wind_speed": lambda random, times: np.round(random.weibull(2.1, len(times)) * 4, 1),
    "wind_direction": lambda random, times: np.floor(random.random(len(times)) * 360),
    "rainfall": _rain,
}


def question_of(site: TileSite, rows: int, name: str, station: str = STATIONS[0], beside: tuple[str, ...] = ()) -> Question:
    """The last readings of what an analysis asks of, and sensors ``beside``; of ``earlier`` all but
    the first day.
    """
    end_ms = START_MS + rows * MINUTE_MS
    stations = STATIONS if name in {"differences", "drift"} else (station,)
    sensors = (*_SENSORS.get(name, ("temperature",)), *beside)
    request = HistoryRequest(stations, sensors, START_MS, end_ms, timezone=ZONE)
    start_ms = START_MS + (24 * 60 * MINUTE_MS if name == "earlier" else 0)
    return ask(site, request, (start_ms, end_ms))


def _measured(site: TileSite, rows: int, name: str, texts: dict[str, str]) -> Measurement:
    analysis = find(name)
    options, question = analysis.options(texts), question_of(site, rows, name)
    taken = processor_ms(lambda: analysis.answer(question, options))
    how = "".join(f", {key}={text}" for key, text in texts.items())
    readings = sum(each.series.rows for each in question.series)
    limit = JOB_LIMITS_MS.get(name, LIMIT_MS)
    return Measurement(f"{name}{how}", taken, "ms", limit, note=f"{readings:,} readings, {len(question.series)} series")


def _memory(root: Path, rows: int) -> Measurement:
    """What a process of its own takes that asks every rule, tiles and all."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        peak = process.submit(_quality_peak_mb, root, rows).result()
    return Measurement("quality: memory of the process", peak, "MB", QUALITY_MB, note=f"{rows:,} readings, the program included")


def _quality_peak_mb(root: Path, rows: int) -> float:
    site, analysis = TileSite(TileStore(root), load_catalogue()), find("quality")
    analysis.answer(question_of(site, rows, "quality"), analysis.options({}))
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1000


def _in_the_web_process(site: TileSite, rows: int) -> Iterator[Measurement]:
    """The slowest of what is answered at once, and of what a job has kept: with choices and
    readings that take long.
    """
    first, again = {}, {}
    for name, analysis in ANALYSES.items():
        station = STATIONS[0] if name in _SENSORS else _CONVERTED
        beside = (_OF,) if name == "wind" else ()
        options = analysis.options(_AT_MOST.get(name, OPTIONS.get(name, {})))
        whole = question_of(site, rows, name, station, beside)
        kept = encode(analysis.answer(whole, options))
        again[name] = processor_ms(partial(decode, kept))
        part = min(1.0, analysis.at_once / analysis.readings(whole, options))
        most = question_of(site, int(rows * part), name, station, beside)
        first[name] = processor_ms(partial(analysis.answer, most, options))
    yield _slowest("the slowest of as many readings as are answered at once", first, LIMIT_MS)
    yield _slowest("the slowest answer that a job has kept", again, SECOND_LOOK_MS)


def _slowest(what: str, taken: dict[str, float], limit_ms: int) -> Measurement:
    name = max(taken, key=lambda each: taken[each])
    others = ", ".join(f"{each} {ms:.0f}" for each, ms in taken.items())
    return Measurement(what, taken[name], "ms", limit_ms, note=f"{name}; of all: {others} ms")


def _rose(site: TileSite, rows: int) -> Measurement:
    """The rose from tiles against the plainest numpy of the same arrays in memory."""
    question, analysis = question_of(site, rows, "wind"), find("wind")
    speeds, angles = (next(each.read()[1] for each in question.series if each.sensor.name == name) for name in _SENSORS["wind"])
    classes = np.array(WindOptions().classes)
    cells = _cells(speeds, angles, classes)
    ours = processor_ms(lambda: analysis.answer(question, analysis.options({})))
    plain = processor_ms(lambda: np.bincount(_cells(speeds, angles, classes)))
    alone = processor_ms(partial(np.bincount, cells))
    note = f"{ours:.0f} ms with mean, constancy and Weibull against {plain:.0f} ms; bincount of ready cells {alone:.0f} ms"
    return Measurement("wind rose against numpy's bincount of sector and class", ours / plain, "×", 2, note=note)


def _cells(speeds: Floats, angles: Floats, classes: Floats) -> np.ndarray:
    sector = np.floor(angles / 22.5 + 0.5).astype(np.int64) % 16
    return sector * (len(classes) + 1) + np.searchsorted(classes, speeds, "right")
