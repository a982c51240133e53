"""Rollups: the aggregates of a month, kept as a tile of their own, for when buckets are more than pixel columns.

A rollup is a derived series (``temperature@10min@Asia/Jakarta…``): times are bucket starts, values the aggregates. So it is
written, published, reduced and evicted as any series. Its tiles carry as generation a digest of the base tiles that they
were made of, so they are made again when those change. Only the job makes them, as it publishes the months; a view draws those
that are there. There are two, of the unflagged and of all rows, and only the first where no row is flagged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping

import numpy as np

from data.aggregate import shift_ms, totals_value
from data.buckets import BY_NAME, Bucket, bucket_edges
from data.catalogue import Catalogue, Sensor
from data.clean import Cleaned
from data.months import month_bounds_ms, months_between
from data.reduce import Floats
from data.request import HistoryRequest
from data.series import BlockTable, Integers, Rows, Series, SeriesKey
from data.tilefile import TileEntry
from data.tiles import TileStore

# Months are few enough to be made from blocks whenever they are drawn.
ROLLED_UP = ("1min", "10min", "1h", "1d")
BOTH: tuple[Rows, Rows] = ("good", "all")
_NEXT_BITS = 24


def rollup_key(key: SeriesKey, sensor: Sensor, bucket: Bucket, timezone: str, rows: Rows = "good") -> SeriesKey:
    """The derived series of a base series."""
    parts = [key.sensor, bucket.name, timezone, str(sensor.day_start_min), sensor.stamp]
    return key._replace(sensor="@".join(parts if rows == "good" else [*parts, rows]))


def write_rollups(
    tiles: TileStore,
    catalogue: Catalogue,
    source: str,
    request: HistoryRequest,
    published: Mapping[SeriesKey, Collection[int]] | None = None,
) -> Collection[tuple[SeriesKey, int]]:
    """Make the rollups that a request will be drawn from; the (key, month) pairs that it uses, for touch and evict.

    Only those that the ``published`` months of some series bear on, when given. Cheap when they are there already; nothing at
    raw or where sums are drawn as bars (those come from blocks).
    """
    used: list[tuple[SeriesKey, int]] = []
    for maker in _makers(tiles, catalogue, source, request):
        months = maker.months(request.months)
        if published is not None:
            new = published.get(maker.base, ())
            months = [month for month in months if month in new or month + 1 in new]
        maker.ensure(months)
        used += [(maker.key, month) for month in months]
    return used


def rollups_missing(tiles: TileStore, catalogue: Catalogue, source: str, request: HistoryRequest) -> set[int]:
    """Months of which tiles are there and a rollup that the request will be drawn from is not. Reads indices only."""
    wanted = request.months
    makers = _makers(tiles, catalogue, source, request)
    return {month for maker in makers for month in maker.stale(maker.months(wanted), wanted[-1]) if month in wanted}


def open_rollup(
    tiles: TileStore, base: Series, sensor: Sensor, bucket: Bucket, timezone: str, rows: Rows, start_ms: int, end_ms: int
) -> Series:
    """The aggregates whose buckets begin in [start_ms, end_ms), int ms UTC, of the months whose rollup is there and fresh.

    Raises:
        TileDamaged: a rollup is damaged, and out of the index now.
    """
    wanted = months_between(start_ms, end_ms)
    good, every = (_Maker(tiles, base.key, sensor, bucket, timezone, kind) for kind in BOTH)
    differ = every.months(wanted) if rows == "all" else []
    there = {good.key: good.fresh([month for month in good.months(wanted) if month not in differ], wanted[-1])}
    there |= {every.key: every.fresh(differ, wanted[-1])} if differ else {}
    tiles.touch((key, month) for key, months in there.items() for month in months)
    opened = [tiles.open_series(key, start_ms, end_ms) for key in there]
    if len(opened) == 1 and all(entry.month in there[good.key] for entry in opened[0].entries):
        return opened[0]
    found = [tile for series in opened for tile in series.table.tiles if tile.entry.month in there[series.key]]
    found.sort(key=lambda tile: tile.entry.month)
    return Series(good.key, tuple(tile.entry for tile in found), BlockTable(found), start_ms, end_ms)


def _makers(tiles: TileStore, catalogue: Catalogue, source: str, request: HistoryRequest) -> Iterator[_Maker]:
    if request.resolution not in ROLLED_UP:
        return
    for station, name in request.series:
        sensor = catalogue[name]
        if sensor.drawing != "bars":
            for rows in BOTH:
                key = SeriesKey(source, station, name)
                yield _Maker(tiles, key, sensor, BY_NAME[request.resolution], request.timezone, rows)


class _Maker:
    """Makes the rollups of one series and kind of bucket."""

    def __init__(self, tiles: TileStore, base: SeriesKey, sensor: Sensor, bucket: Bucket, timezone: str, rows: Rows) -> None:
        self.key = rollup_key(base, sensor, bucket, timezone, rows)
        self.base = base
        self._tiles, self._sensor = tiles, sensor
        self._bucket, self._timezone, self._rows = bucket, timezone, rows

    def months(self, wanted: range) -> list[int]:
        """Months with a rollup of this kind: a local day that begins in one UTC month may have all its rows in the next."""
        base = self._tiles.entries(self.base)
        around = range(wanted.start - 1, wanted.stop)
        if self._rows == "good":
            return [month for month in around if month in base or month + 1 in base]
        flagged = {month for month, entry in base.items() if entry.flagged}
        return [month for month in around if month in flagged or (month + 1 in flagged and month != wanted[-1])]  # see stale

    def stale(self, months: Collection[int], last: int | None = None) -> list[int]:
        """Those of the months whose rollup is missing, or made of other tiles than there are.

        Of the ``last`` month of a range no bucket is drawn that reaches into the next: then that one may have changed.
        """
        base, there = self._tiles.entries(self.base), self._tiles.entries(self.key)
        differ = {month: there[month].generation ^ _generation(base, month) for month in months if month in there}
        return [month for month in months if month not in there or differ[month] >> (_NEXT_BITS if month == last else 0)]

    def fresh(self, months: Collection[int], last: int) -> list[int]:
        """The others."""
        stale = set(self.stale(months, last))
        return [month for month in months if month not in stale]

    def ensure(self, months: Collection[int]) -> None:
        """Write what is missing or stale."""
        base = self._tiles.entries(self.base)
        made = [self._write(month, base) for month in self.stale(months)]
        self._tiles.publish(self.key, made, ordered=False)  # generations are digests here

    def _write(self, month: int, base: Mapping[int, TileEntry]) -> TileEntry:
        made = self._make(month)
        generation = _generation(base, month)
        return self._tiles.write(self.key, month, made, generation=generation, fingerprint=self._sensor.fingerprint)

    def _make(self, month: int) -> Cleaned:
        """Aggregates of the buckets that begin in a month; the last one may reach into the next month's tile."""
        start, end = month_bounds_ms(month)
        edges = bucket_edges(self._bucket, start, end, self._timezone, self._sensor.day_start_min)
        edges = edges[edges >= start]
        last = int(edges[-1]) + shift_ms(self._sensor)
        series = self._tiles.open_series(self.base, start, max(end, last))
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
    """What the month's rollup is made of: the tiles of the month and (lowest 24 bits) of the next one, by their checksums."""
    return _digest(base.get(month), 4) << _NEXT_BITS | _digest(base.get(month + 1), 3)


def _digest(entry: TileEntry | None, size: int) -> int:
    parts = (entry.generation, entry.fingerprint, entry.crc) if entry else ()
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=size).digest(), "little")
