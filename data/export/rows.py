"""Rows of a request as a table: a station's sensors joined by time, piece by piece,
in constant memory.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from data.arrays import Floats, Integers
from data.catalogue import Sensor
from data.range_rows import open_observations, published_months, refuse_cut_steps
from data.request import HistoryRequest
from data.site_like import SiteLike
from data.tiles.series import Series
from data.time.buckets import BY_NAME, bucket_edges
from data.view.aggregate import aggregate_edges
from errors import TileDamaged

PIECE_ROWS = 100_000
_MORE_DECIMALS = 4

Cell = TypeVar("Cell", bound=np.generic)
Column = tuple[Integers, Floats, npt.NDArray[np.uint8]]  # times, values, flags


@dataclass(frozen=True)
class Span:
    """[start_ms, end_ms), ms UTC, of some rows; ``done_ms`` is where the one before it ends, None
    at the first.
    """

    start_ms: int
    end_ms: int
    done_ms: int | None


@dataclass(frozen=True)
class Piece:
    """Some rows of a station: ``times`` int64[n] ms UTC, increasing; of each sensor ``values``
    float64[n], NaN where it has none, and ``flags`` uint8[n] (data/readings.py), 0 there.
    """

    station: str
    times: Integers
    values: tuple[Floats, ...]
    flags: tuple[npt.NDArray[np.uint8], ...]


def joined(site: SiteLike, request: HistoryRequest, start_ms: int, end_ms: int) -> Iterator[Piece]:
    """Yield all rows in [start_ms, end_ms) ∩ the request's range:
    stations one after the other, each by time.

    At raw they are the observations, flagged ones included. At other resolutions they are buckets
    in the request's zone, by their start, of unflagged observations within the window, by each
    sensor's rule. Only published tiles are read, and buckets are made only where these have rows.

    Raises:
        UnknownSensor: the catalogue lacks one.
        TileDamaged: a tile is damaged (it is out of the index then, and the next load reads it
            again), or one of a later station was evicted since the first row was given: better a
            broken stream than one that lacks rows in silence.
    """
    window = max(start_ms, request.start_ms), min(end_ms, request.end_ms)
    if window[0] >= window[1]:
        return
    sensors = permitted_sensors(site, request)
    there = {key: published_months(site, request, *key, window) for key in request.series}
    for station in request.stations:
        series = [open_whole(site, request, (station, sensor.name), window, there[station, sensor.name]) for sensor in sensors]
        for span in spans_of(series, raw=request.resolution == "raw"):
            piece = _join(station, read_columns(series, sensors, request, span))
            if len(piece.times):
                yield piece


def permitted_sensors(site: SiteLike, request: HistoryRequest) -> list[Sensor]:
    """Return the sensors of a request; raises NotPermitted where its buckets would not be made of
    whole steps of the site's floor.
    """
    sensors = [site.catalogue[name] for name in request.sensors]
    for sensor in sensors if request.resolution != "raw" else ():
        refuse_cut_steps(site.floor, sensor, BY_NAME[request.resolution])
    return sensors


def open_whole(
    site: SiteLike, request: HistoryRequest, key: tuple[str, str], window: tuple[int, int], there: Collection[int]
) -> Series:
    """Return the observations of a (station, sensor) in a window; raises TileDamaged where a tile
    of the months that were ``there`` is not there any more.
    """
    series = open_observations(site, request, *key, window)
    if set(there) - {entry.month for entry in series.entries}:
        raise TileDamaged("A tile of {station} is missing.", station=key[0])
    return series


def spans_of(series: Sequence[Series], *, raw: bool, piece_rows: int | None = None) -> list[Span]:
    """Return spans, increasing and apart, that hold every row of the series' ranges, each of about
    ``piece_rows`` (PIECE_ROWS) rows of a series or fewer.

    At raw they are of what rows are stamped with, so that sensors that stamp start and end of an
    interval are joined; else of the moments that rows count to.
    """
    months: dict[int, list[tuple[int, int, int]]] = {}
    for each in series:
        lag, shift = (0, each.lag_ms) if raw else (each.lag_ms, 0)
        for entry in each.entries:
            first, last = max(entry.first_ms - lag, each.start_ms + shift), min(entry.last_ms - lag + 1, each.end_ms + shift)
            if entry.rows and first < last:
                months.setdefault(entry.month, []).append((first, last, entry.rows))
    found: list[Span] = []
    done: int | None = None  # no span after it begins earlier
    for month in sorted(months):
        first, stop = min(low for low, _, _ in months[month]), max(high for _, high, _ in months[month])
        begin = first if done is None else max(first, done)
        pieces = -(-max(rows for _, _, rows in months[month]) // (piece_rows or PIECE_ROWS))
        cuts = [begin + (stop - begin) * piece // pieces for piece in range(pieces + 1)]
        for low, high in pairwise(cuts):
            if low < high:
                found.append(Span(low, high, found[-1].end_ms if found else None))
        done = max(stop, begin)
    return found


def read_columns(series: Sequence[Series], sensors: Sequence[Sensor], request: HistoryRequest, span: Span) -> list[Column]:
    """Return the rows of each series in a span of :func:`spans_of`: observations at raw, flagged
    ones included, else the buckets that begin there and have rows.
    """
    if request.resolution == "raw":
        return [each.stamped(span.start_ms, span.end_ms) for each in series]
    found = []
    for each, sensor in zip(series, sensors, strict=True):
        aggregate = aggregate_edges(each, sensor, fresh_edges(sensor, request, span), "good")
        found.append((aggregate.start, rounded(aggregate.value, sensor), np.zeros(len(aggregate.start), np.uint8)))
    return found


def read_times(series: Sequence[Series], sensors: Sequence[Sensor], request: HistoryRequest, span: Span) -> list[Integers]:
    """Return the times that :func:`read_columns` gives, without making the values of buckets."""
    if request.resolution == "raw" or any(sensor.is_direction for sensor in sensors):  # which may vanish
        return [times for times, _, _ in read_columns(series, sensors, request, span)]
    found = []
    for each, sensor in zip(series, sensors, strict=True):
        edges = fresh_edges(sensor, request, span)
        times, _, flags = each.read(int(edges[0]), int(edges[-1])) if len(edges) > 1 else each.read(0, 0)
        bucket = np.searchsorted(edges, times[flags == 0] - each.lag_ms, "right") - 1
        found.append(edges[bucket[np.diff(bucket, prepend=-1) > 0]])
    return found


def fresh_edges(sensor: Sensor, request: HistoryRequest, span: Span) -> Integers:
    """Return the edges of a sensor's buckets that begin in a span, i8 ms UTC."""
    edges = bucket_edges(BY_NAME[request.resolution], span.start_ms, span.end_ms, request.timezone, sensor.day_start_min)
    return edges if span.done_ms is None else edges[np.searchsorted(edges, span.done_ms) :]


def rounded(values: Floats, sensor: Sensor) -> Floats:
    """Aggregates without the noise of adding: four digits more than the sensor is shown with,
    more than gauges measure.
    """
    return np.round(values, sensor.decimals + _MORE_DECIMALS)


def _join(station: str, columns: Sequence[Column]) -> Piece:
    times = joined_times([own for own, _, _ in columns])
    values = tuple(spread(times, own, values, np.nan) for own, values, _ in columns)
    return Piece(station, times, values, tuple(spread(times, own, flags, 0) for own, _, flags in columns))


def joined_times(columns: Sequence[Integers]) -> Integers:
    """Return each time of some columns once, increasing."""
    first = columns[0]
    if all(len(times) == len(first) and np.array_equal(times, first) for times in columns[1:]):
        return first
    return np.unique(np.concatenate(columns))


def spread(times: Integers, own: Integers, cells: npt.NDArray[Cell], empty: float) -> npt.NDArray[Cell]:
    """Return the cells of a column, which are of its ``own`` times, at all times; ``empty`` where
    it has none.
    """
    if len(own) == len(times):
        return cells
    found = np.full(len(times), empty, cells.dtype)
    found[np.searchsorted(times, own)] = cells
    return found
