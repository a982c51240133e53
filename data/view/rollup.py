"""Rollups: the aggregates of a month, kept as a tile of their own,
for when buckets are more than pixel columns.

A rollup is a series of its own (``temperature@10min@Asia/Jakarta…``): times are bucket starts,
values the aggregates. So it is written, published, reduced and evicted as any series. Its tiles
carry as generation a digest of the base tiles that they were made of, so they are made again when
those change. Only the job makes them, as it publishes the months; a view draws what there is.
There are two, of the unflagged and of all rows, and only the first where no row is flagged; where
flags of rules count, one more of what they leave, of months in which they leave something out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from data.arrays import Floats, Integers
from data.catalogue import Sensor
from data.flag_choice import LEFT_OUT
from data.flag_layer import OverlaidSeries
from data.overlay import flag_layer
from data.range_rows import lag_ms
from data.readings import Observations
from data.request import HistoryRequest
from data.site_like import SiteLike
from data.tiles.format import TileEntry
from data.tiles.paths import keys_beside
from data.tiles.series import BlockTable, Rows, Series, SeriesKey
from data.tiles.tile_store import TileStore
from data.time.buckets import BY_NAME, Bucket, bucket_edges
from data.time.months import month_bounds_ms, month_of, months_between
from data.time.resolution import Resolution
from data.view.aggregate import totals_value
from data.view.window import SeriesContext, Window

# Months are few enough to be made from blocks whenever they are drawn.
ROLLED_UP: tuple[Resolution, ...] = ("1min", "10min", "1h", "1d")
BOTH: tuple[Rows, Rows] = ("good", "all")
_THIS_BITS, _NEXT_BITS = 32, 24  # of the digests in a generation


def rollup_key(key: SeriesKey, sensor: Sensor, bucket: Bucket, timezone: str, rows: Rows = "good") -> SeriesKey:
    """Return the key of the rollup of a series."""
    parts = [key.sensor, bucket.name, timezone, str(sensor.day_start_min), sensor.stamp]
    return key._replace(sensor="@".join(parts if rows == "good" else [*parts, rows]))


def write_rollups(
    site: SiteLike, request: HistoryRequest, published: Mapping[SeriesKey, Collection[int]] | None = None
) -> Collection[tuple[SeriesKey, int]]:
    """Make the rollups that a request will be drawn from;
    return the (key, month) pairs that it uses, for touch and evict.

    Only those that the ``published`` months of some series bear on, when given. Cheap when they are
    there already; nothing at raw or where sums are drawn as bars (those come from blocks).
    """
    used: list[tuple[SeriesKey, int]] = []
    for rollup in _rollups(site, request):
        months = rollup.months(request.start_ms, request.end_ms)
        if published is not None:
            new = published.get(rollup.base, ())
            months = [month for month in months if month in new or month + 1 in new]
        rollup.ensure(months)
        used += [(rollup.key, month) for month in months]
    return used


def renew_rollups(site: SiteLike, request: HistoryRequest) -> None:
    """Make anew the rollups beside a request's series, of any bucket and zone, that its months have
    and that are outdated.

    Flags and corrections are made whatever resolution was asked for, and charts of other buckets
    must not lack the months until somebody loads these again.
    """
    for series in request.series:
        for resolution, timezone in _kinds_beside(site, SeriesKey(site.source_id, *series)):
            other = replace(request, stations=series[:1], sensors=series[1:], resolution=resolution, timezone=timezone)
            for rollup in _rollups(site, other):
                rollup.ensure(rollup.renewed_months(other.start_ms, other.end_ms))


def _kinds_beside(site: SiteLike, key: SeriesKey) -> Iterator[tuple[Resolution, str]]:
    """Yield buckets and zones of the rollups that a series has."""
    for each in keys_beside(site.tiles.root, key, [f"@{name}@" for name in ROLLED_UP]):
        name, zone, *_ = each.sensor.removeprefix(f"{key.sensor}@").split("@")
        if each == rollup_key(key, site.catalogue[key.sensor], BY_NAME[name], zone):  # not of all rows, or of other days
            yield next(resolution for resolution in ROLLED_UP if resolution == name), zone


def rollups_missing(site: SiteLike, request: HistoryRequest) -> set[int]:
    """Return months of which tiles are there and a rollup that the request will be drawn
    from is not. Reads indices only.
    """
    start, end = request.start_ms, request.end_ms
    wanted = months_between(start, end)
    found = (rollup.outdated_months(rollup.months(start, end), end) for rollup in _rollups(site, request))
    return {month for months in found for month in months if month in wanted}


def open_rollup(tiles: TileStore, context: SeriesContext, bucket: Bucket, window: Window, span: tuple[int, int]) -> Series:
    """Return the aggregates of buckets that begin in a span [start, end), int ms UTC,
    of months whose rollup is up to date.

    Raises:
        TileDamaged: a rollup is damaged, and out of the index now.
    """
    of = partial(_Rollup, tiles, context.series.key, context.sensor, bucket, window.timezone)
    good, other = of("good"), of("all") if window.rows == "all" else of("good", context.overlaid)
    differ = other.months(*span) if other.key != good.key else []  # months with a row that is flagged
    usable = {good.key: good.usable_months([month for month in good.months(*span) if month not in differ], span[1])}
    usable |= {other.key: other.usable_months(differ, span[1])} if differ else {}
    tiles.touch((key, month) for key, months in usable.items() for month in months)
    opened = [tiles.open_series(key, *span) for key in usable]
    if len(opened) == 1 and all(entry.month in usable[good.key] for entry in opened[0].entries):
        return opened[0]
    found = [tile for series in opened for tile in series.table.tiles if tile.entry.month in usable[series.key]]
    found.sort(key=lambda tile: tile.entry.month)
    return Series(good.key, tuple(tile.entry for tile in found), BlockTable(found), *span)


def _rollups(site: SiteLike, request: HistoryRequest) -> Iterator[_Rollup]:
    """Yield the rollups that a request will be drawn from."""
    if request.resolution not in ROLLED_UP:
        return
    for station, name in request.series:
        sensor = site.catalogue[name]
        if sensor.drawing != "bars":
            key, layer = SeriesKey(site.source_id, station, name), flag_layer(site, station, name)
            of = partial(_Rollup, site.tiles, key, sensor, BY_NAME[request.resolution], request.timezone)
            yield from (of(rows) for rows in BOTH)
            yield from (of("good", OverlaidSeries(layer, choice)) for choice in LEFT_OUT)


@dataclass(frozen=True)
class RollupGeneration:
    """What a month's rollup tile was made of: digests of the base tiles of that month (32 bits)
    and of the next one (24 bits).

    The month's last bucket may reach into the next month, so a rollup is outdated when either tile
    changes. But no bucket that is drawn of a range reaches beyond its end: where a range ends with
    the month, the next month's tile may change, as that of today does with each load. So the two
    are told apart, packed into the one number that a tile has to say what it was made of.
    """

    this_month: int
    next_month: int

    @classmethod
    def of(cls, base: Mapping[int, TileEntry], month: int, measured: Mapping[int, TileEntry] | None = None) -> RollupGeneration:
        """Return what a rollup of a month would be made of now; ``base``: tiles by month.

        Of tiles with flags the fingerprints of those ``measured`` count: limits and decisions that
        leave a month as it is make no rollup outdated.
        """
        marked = base if measured is None else measured
        this, following = ((base.get(each), marked.get(each)) for each in (month, month + 1))
        return cls(_digest(*this, _THIS_BITS), _digest(*following, _NEXT_BITS))

    @classmethod
    def unpack(cls, generation: int) -> RollupGeneration:
        """Return what a rollup tile's generation says; :meth:`pack` is the inverse."""
        return cls(generation >> _NEXT_BITS, generation & ((1 << _NEXT_BITS) - 1))

    def pack(self) -> int:
        """Return the generation of a rollup tile: a positive int64."""
        return self.this_month << _NEXT_BITS | self.next_month


def _digest(entry: TileEntry | None, marked: TileEntry | None, bits: int) -> int:
    parts = (entry.generation, marked.fingerprint if marked else 0, entry.crc) if entry else ()
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=bits // 8).digest(), "little")


class _Rollup:
    """The rollup of one series, kind of bucket and kind of rows; ``overlaid``: of the series with
    flags of rules, of the months where these make a difference.
    """

    def __init__(
        self,
        tiles: TileStore,
        base: SeriesKey,
        sensor: Sensor,
        bucket: Bucket,
        timezone: str,
        rows: Rows,
        overlaid: OverlaidSeries | None = None,
    ) -> None:
        self.key = rollup_key(overlaid.key if overlaid else base, sensor, bucket, timezone, rows)
        self._plain = rollup_key(base, sensor, bucket, timezone)
        self.base, self._overlaid = base, overlaid
        self._tiles, self._sensor = tiles, sensor
        self._bucket, self._timezone, self._rows = bucket, timezone, rows

    def months(self, start_ms: int, end_ms: int) -> list[int]:
        """Months with a rollup of this kind that buckets of [start, end) are from.

        A local day that begins in one UTC month may have all its rows in the next.
        """
        wanted, last = months_between(start_ms, end_ms), self._last(end_ms)
        base = self._tiles.entries(self.base)
        around = range(wanted.start - 1, wanted.stop)
        if self._overlaid:
            other = self._overlaid.months(self._overlaid.layer.entries())
            return sorted(month for month in other | {month - 1 for month in other} if month in around)
        of = {month for month, entry in base.items() if self._rows == "good" or entry.flagged}
        # see RollupGeneration
        into_next = {month - 1 for month in of if self._rows == "good" or month - 1 != last}
        return sorted(month for month in of | into_next if month in around)

    def renewed_months(self, start_ms: int, end_ms: int) -> list[int]:
        """Return those of :meth:`months` that somebody has loaded with these buckets, and those in
        which nothing was measured.
        """
        loaded, base = self._tiles.entries(self._plain), self._tiles.entries(self.base)
        return [month for month in self.months(start_ms, end_ms) if month in loaded or month not in base]

    def _last(self, end_ms: int) -> int:
        """The last month whose rows are in whole buckets that end by ``end_ms``."""
        return month_of(end_ms - 1 + lag_ms(self._sensor))

    def outdated_months(self, months: Collection[int], end_ms: int | None = None) -> list[int]:
        """Return those of the months whose rollup is missing,
        or made of other tiles than there are.

        Of a range that ends at ``end_ms`` the month after its last one does not matter.
        """
        last = None if end_ms is None else self._last(end_ms)
        base, there = self._base(), self._tiles.entries(self.key)

        def is_outdated(month: int) -> bool:
            if month not in there:
                return True
            made_of, now = RollupGeneration.unpack(there[month].generation), self._made_of(base, month)
            return made_of.this_month != now.this_month or (month != last and made_of.next_month != now.next_month)

        return [month for month in months if is_outdated(month)]

    def usable_months(self, months: Collection[int], end_ms: int) -> list[int]:
        """Return those of the months whose rollup is there and up to date for a
        range that ends at ``end_ms``.
        """
        outdated = set(self.outdated_months(months, end_ms))
        return [month for month in months if month not in outdated]

    def _base(self) -> Mapping[int, TileEntry]:
        return self._overlaid.entries() if self._overlaid else self._tiles.entries(self.base)

    def _made_of(self, base: Mapping[int, TileEntry], month: int) -> RollupGeneration:
        """Return what the rollup of a month would be made of now; ``base`` is :meth:`_base`."""
        return RollupGeneration.of(base, month, self._tiles.entries(self.base))

    def ensure(self, months: Collection[int]) -> None:
        """Write what is missing or outdated."""
        base = self._base()
        made = []
        for month in self.outdated_months(months):
            generation, fingerprint = self._made_of(base, month).pack(), self._sensor.fingerprint
            entry = self._tiles.write(self.key, month, self._make(month), generation=generation, fingerprint=fingerprint)
            made.append(entry)
        self._tiles.publish(self.key, made, ordered=False)  # generations are digests here

    def _make(self, month: int) -> Observations:
        """Aggregates of the buckets that begin in a month;
        the last one may reach into the next month's tile.
        """
        start, end = month_bounds_ms(month)
        edges = bucket_edges(self._bucket, start, end, self._timezone, self._sensor.day_start_min)
        edges = edges[edges >= start]
        last = int(edges[-1])
        lag = lag_ms(self._sensor)
        if self._overlaid:
            series = self._overlaid.open(start, max(end, last), lag_ms=lag)
        else:
            series = self._tiles.open_series(self.base, start, max(end, last), lag_ms=lag)
        times, values = self._values(series, edges[edges < end], last)
        return Observations(times, values, np.zeros(len(times), np.uint8), direction=self._sensor.is_direction)

    def _values(self, series: Series, starts: Integers, last: int) -> tuple[Integers, Floats]:
        """Starts and aggregates of buckets with rows:
        of all raw rows, since buckets are shorter than blocks here.
        """
        times, values, flags = series.read(int(starts[0]) if len(starts) else last, last)
        if self._rows == "good" and flags.any():
            times, values = times[flags == 0], values[flags == 0]
        bounds = np.searchsorted(times, starts + series.lag_ms)
        there = np.diff(bounds, append=len(times)) > 0
        starts, bounds = starts[there], bounds[there]
        if not len(starts):
            return starts, np.empty(0)
        found = totals_value(values, bounds, self._sensor)
        known = np.isfinite(found)
        return starts[known], found[known]
