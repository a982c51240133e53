"""Rollups: the aggregates of a month, kept as a tile of their own, for when buckets are more than pixel columns.

A rollup is a derived series (``temperature@10min@Asia/Jakarta…``): times are bucket starts, values the aggregates. So it is
written, published, reduced and evicted as any series. Its tiles carry as generation a digest of the base tiles that they
were made of, so they are made again when those change. The job writes them; a view makes what it lacks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping

import numpy as np
import structlog

from data.aggregate import shift_ms, totals_value
from data.buckets import BY_NAME, Bucket, bucket_edges
from data.catalogue import Catalogue, Sensor
from data.clean import Cleaned
from data.months import month_bounds_ms, months_between
from data.reduce import Floats
from data.request import HistoryRequest
from data.series import BlockTable, Integers, Rows, Series, SeriesKey
from data.tilefile import Tile, TileEntry, decode, encode
from data.tiles import TileStore

# Months are few enough to be made from blocks whenever they are drawn.
ROLLED_UP = ("1min", "10min", "1h", "1d")

_log = structlog.get_logger(__name__)


def rollup_key(key: SeriesKey, sensor: Sensor, bucket: Bucket, timezone: str, rows: Rows = "good") -> SeriesKey:
    """The derived series of a base series."""
    parts = [key.sensor, bucket.name, timezone, str(sensor.day_start_min), sensor.stamp]
    return key._replace(sensor="@".join(parts if rows == "good" else [*parts, rows]))


def write_rollups(
    tiles: TileStore, catalogue: Catalogue, source: str, request: HistoryRequest
) -> Collection[tuple[SeriesKey, int]]:
    """Make the rollups that a request will be drawn from; the (key, month) pairs that it uses, for touch and evict.

    Cheap when they are there already; nothing at raw or where sums are drawn as bars (those come from blocks).
    """
    used: list[tuple[SeriesKey, int]] = []
    for station, name in request.series:
        sensor = catalogue[name]
        if request.resolution not in ROLLED_UP or sensor.drawing == "bars":
            continue
        key = SeriesKey(source, station, name)
        maker = _Maker(tiles, key, sensor, BY_NAME[request.resolution], request.timezone, "good")
        used += [(maker.key, month) for month in maker.ensure(maker.months(request.months))]
    return used


def open_rollup(
    tiles: TileStore, base: Series, sensor: Sensor, bucket: Bucket, timezone: str, rows: Rows, start_ms: int, end_ms: int
) -> Series:
    """The aggregates whose buckets begin in [start_ms, end_ms), int ms UTC; made and kept where they are not there yet.

    Raises:
        TileDamaged: a rollup or a tile that it is made of is damaged, and out of the index now.
    """
    maker = _Maker(tiles, base.key, sensor, bucket, timezone, rows)
    months = maker.months(months_between(start_ms, end_ms))
    try:
        maker.ensure(months)
        tiles.touch((maker.key, month) for month in months)
    except OSError as exc:  # such as a full disk or a folder that may only be read: draw it all the same
        _log.warning("rollup not kept", series=maker.key, reason=str(exc))
        return Series(maker.key, (), BlockTable([maker.in_memory(month) for month in months]), start_ms, end_ms)
    return tiles.open_series(maker.key, start_ms, end_ms)


class _Maker:
    """Makes the rollups of one series and kind of bucket."""

    def __init__(self, tiles: TileStore, base: SeriesKey, sensor: Sensor, bucket: Bucket, timezone: str, rows: Rows) -> None:
        self.key = rollup_key(base, sensor, bucket, timezone, rows)
        self._tiles, self._base, self._sensor = tiles, base, sensor
        self._bucket, self._timezone, self._rows = bucket, timezone, rows

    def months(self, wanted: range) -> list[int]:
        """Months whose rollup has rows: a local day that begins in one UTC month may have all its rows in the next."""
        base = self._tiles.entries(self._base)
        return [month for month in range(wanted.start - 1, wanted.stop) if month in base or month + 1 in base]

    def ensure(self, months: list[int]) -> list[int]:
        """Write what is missing or stale; the same months."""
        base, there = self._tiles.entries(self._base), self._tiles.entries(self.key)
        stale = [month for month in months if month not in there or there[month].generation != _generation(base, month)]
        if stale:
            self._tiles.publish(self.key, [self._write(month, base) for month in stale])
        return months

    def _write(self, month: int, base: Mapping[int, TileEntry]) -> TileEntry:
        made = self._make(month)
        generation = _generation(base, month)
        return self._tiles.write(self.key, month, made, generation=generation, fingerprint=self._sensor.fingerprint)

    def in_memory(self, month: int) -> Tile:
        """The same without writing it."""
        _, pieces = encode(month, self._make(month), generation=0, fingerprint=0)
        data = b"".join(pieces)
        return decode(data, len(data), self._tiles.folder(self.key))

    def _make(self, month: int) -> Cleaned:
        """Aggregates of the buckets that begin in a month; the last one may reach into the next month's tile."""
        start, end = month_bounds_ms(month)
        edges = bucket_edges(self._bucket, start, end, self._timezone, self._sensor.day_start_min)
        edges = edges[edges >= start]
        last = int(edges[-1]) + shift_ms(self._sensor)
        series = self._tiles.open_series(self._base, start, max(end, last))
        times, values = self._values(series, edges[edges < end], last)
        return Cleaned(times, values, np.zeros(len(times), np.uint8), direction=self._sensor.aggregation == "direction")

    def _values(self, series: Series, starts: Integers, last: int) -> tuple[Integers, Floats]:
        """Starts and aggregates of buckets with rows: of all raw rows, since buckets are shorter than blocks here."""
        times, values, flags = series.read(int(starts[0]) + shift_ms(self._sensor) if len(starts) else last, last)
        if self._rows == "good" and flags.any():
            times, values = times[flags == 0], values[flags == 0]
        bounds = np.searchsorted(times, starts + shift_ms(self._sensor))
        there = np.diff(bounds, append=len(times)) > 0
        starts, bounds = starts[there], bounds[there]
        if not len(starts):
            return starts, np.empty(0)
        found = totals_value(values, bounds, self._sensor)
        known = np.isfinite(found)
        return starts[known], found[known]


def _generation(base: Mapping[int, TileEntry], month: int) -> int:
    """What the month's rollup is made of: the tiles of the month and of the next one, by their checksums."""
    parts = [(entry.generation, entry.fingerprint, entry.crc) for entry in map(base.get, (month, month + 1)) if entry]
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=7).digest(), "little")
