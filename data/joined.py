"""Rows of a request as a table: a station's sensors joined by time, piece by piece, in constant memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.aggregate import aggregate_edges
from data.buckets import BY_NAME, Bucket, bucket_edges
from data.catalogue import Sensor
from data.months import month_bounds_ms, months_between
from data.request import HistoryRequest
from data.series import Series, SeriesKey
from data.site import Site
from errors import TileDamaged

PIECE_ROWS = 100_000

Int64Array = npt.NDArray[np.int64]
Float64Array = npt.NDArray[np.float64]
Column = tuple[Int64Array, Float64Array]  # times and values


@dataclass(frozen=True)
class Piece:
    """Some rows of a station: ``times`` int64[n] ms UTC, increasing; ``values`` float64[n] a sensor, NaN where it has none."""

    station: str
    times: Int64Array
    values: tuple[Float64Array, ...]


def joined(site: Site, request: HistoryRequest, start_ms: int, end_ms: int) -> Iterator[Piece]:
    """All rows in [start_ms, end_ms) ∩ the request's range: stations one after the other, each by time.

    At raw they are the observations, flagged ones included. At other resolutions they are buckets in the request's zone,
    by their start, of unflagged observations within the window, by each sensor's rule. Only published tiles are read.

    Raises:
        UnknownSensor: the catalogue lacks one.
        TileDamaged: a tile is damaged (it is out of the index then, and the next load reads it again), or one of a later
            station was evicted since the first row was given: better a broken stream than one that lacks rows in silence.
    """
    sensors = [site.catalogue[name] for name in request.sensors]
    start, end = max(start_ms, request.start_ms), min(end_ms, request.end_ms)
    if start >= end:
        return
    keys = {name: [SeriesKey(site.source.id, name, sensor.name) for sensor in sensors] for name in request.stations}
    months = set(months_between(start, end))
    there = {key: site.tiles.entries(key).keys() & months for of_station in keys.values() for key in of_station}
    for station in request.stations:
        series = [site.tiles.open_series(key, start, end) for key in keys[station]]
        if any(there[each.key] - {entry.month for entry in each.entries} for each in series):
            raise TileDamaged("A tile of {station} is missing.", station=station)
        if request.resolution == "raw":
            found_columns = _observations(series, start, end)
        else:
            found_columns = _buckets(series, sensors, BY_NAME[request.resolution], request.timezone, start, end)
        for found in found_columns:
            piece = _join(station, found)
            if len(piece.times):
                yield piece


def _spans(series: Sequence[Series], start: int, end: int) -> Iterator[tuple[int, int]]:
    """[from, to) that together hold every row of [start, end), each of about PIECE_ROWS rows or fewer."""
    rows: dict[int, int] = {}
    for each in series:
        for entry in each.entries:
            rows[entry.month] = max(rows.get(entry.month, 0), entry.rows)
    for month in sorted(rows):
        begin, stop = month_bounds_ms(month)
        pieces = max(1, -(-rows[month] // PIECE_ROWS))
        for piece in range(pieces):
            low = max(start, begin + (stop - begin) * piece // pieces)
            high = min(end, begin + (stop - begin) * (piece + 1) // pieces)
            if low < high:
                yield low, high


def _observations(series: Sequence[Series], start: int, end: int) -> Iterator[list[Column]]:
    for low, high in _spans(series, start, end):
        yield [each.read(low, high)[:2] for each in series]


def _buckets(
    series: Sequence[Series], sensors: Sequence[Sensor], bucket: Bucket, timezone: str, start: int, end: int
) -> Iterator[list[Column]]:
    """(starts, values) a sensor of the buckets of a month after the other; a bucket belongs where it begins."""
    low = start - 1  # an observation stamped at the end of its interval is in the bucket before its time
    for _, high in _spans(series, start, end):
        found = []
        for each, sensor in zip(series, sensors, strict=True):
            edges = bucket_edges(bucket, low, high, timezone, sensor.day_start_min)
            inside = edges if low < start else edges[np.searchsorted(edges, low) :]
            aggregate = aggregate_edges(each, sensor, inside, "good")
            found.append((aggregate.start, aggregate.value))
        low = high
        yield found


def _join(station: str, columns: Sequence[Column]) -> Piece:
    first = columns[0][0]
    if all(len(times) == len(first) and np.array_equal(times, first) for times, _ in columns[1:]):
        return Piece(station, first, tuple(values for _, values in columns))
    times = np.unique(np.concatenate([times for times, _ in columns]))
    return Piece(station, times, tuple(_spread(times, *column) for column in columns))


def _spread(times: Int64Array, own: Int64Array, values: Float64Array) -> Float64Array:
    spread = np.full(len(times), np.nan)
    spread[np.searchsorted(times, own)] = values
    return spread
