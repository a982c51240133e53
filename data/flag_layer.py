"""Flags of the rules of quality control, and what people decided, as tiles beside those of a
series: which months have them, and the series with them (docs/decisions/0039, 0041). Made by
jobs/kinds/write_flags.py.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from data.arrays import Integers
from data.decision import Decision
from data.decision_reach import NOTHING, DecisionReach, Reach, reach_of, span_of
from data.flag_choice import LEFT_OUT, FlagChoice
from data.limit_overrides import NOTHING_SET
from data.quality_limits import QualityLimits
from data.tiles.format import TileEntry
from data.tiles.index import Marks
from data.tiles.series import BlockTable, Series, SeriesKey
from data.tiles.tile_store import TileStore
from data.time.months import month_start_ms, months_between

Entries = Mapping[int, TileEntry]
_MADE_OF = struct.Struct("<qII")
_PACKED: Final = np.dtype([("generation", "<i8"), ("fingerprint", "<u4"), ("crc", "<u4")])  # the same


@dataclass(frozen=True)
class FlagLayer:
    """The flags and corrections of one series. ``rules`` is a digest of what decides them besides
    rows and ``decisions``: version of the rules, ``limits``, position of the station.
    """

    tiles: TileStore
    base: SeriesKey
    rules: int
    decisions: tuple[Decision, ...] = ()
    limits: QualityLimits = NOTHING_SET

    @property
    def key(self) -> SeriesKey:
        """The series of flags: a row for each reading that is flagged, with the place of the rule
        and the decision (data/flag_names.py) as its value; hard ones are flagged. A month without
        any is an empty tile.
        """
        return self._beside("flags")

    @property
    def limits_key(self) -> SeriesKey:
        """The series of limits: a row for the first reading of each stretch of flagged ones, with
        the limit that they break as its value, and as flag the place of the rule, and 1.
        """
        return self._beside("limits")

    @property
    def corrected_key(self) -> SeriesKey:
        """The series of corrections: a row for each reading that is not as it was measured, with
        the number of the decision as its value.
        """
        return self._beside("corrected")

    def _beside(self, what: str) -> SeriesKey:
        return self.base._replace(sensor=f"{self.base.sensor}@{what}")

    @property
    def is_plain(self) -> bool:
        """Return whether it is made of the series and rules alone."""
        return not self.decisions

    @property
    def read_keys(self) -> tuple[SeriesKey, ...]:
        """Return all series that tell what is still to be made."""
        filling = (self.filling_key(one) for one in self.decisions if one.filled_from)
        return (self.base, *self.keys_made, *dict.fromkeys(filling))

    @property
    def made_by(self) -> tuple[object, ...]:
        """Return what decides the flags besides the tiles of :attr:`read_keys`."""
        return self.rules, self.decisions

    @cached_property
    def reach(self) -> DecisionReach:
        """Which decisions bear on which month."""
        return reach_of(self.decisions)

    def reach_in(self, month: int) -> Reach:
        """Return which decisions bear on a month."""
        return self.reach.of(month) if self.decisions else NOTHING

    def entries(self) -> Entries:
        """Published tiles of the series by month, and an empty one, of no file, of each month into
        which decisions bring readings of other months or series.
        """
        base = self.tiles.entries(self.base)
        if not self.decisions:
            return base
        return {**base, **{month: empty_entry(month) for month in self._gaining(base) if month not in base}}

    def _gaining(self, base: Entries) -> Iterator[int]:
        yield from self.reach.months_shifted_to(base)
        for one in self.decisions:
            if one.filled_from is not None:
                months = months_between(*span_of(one))
                yield from (month for month in self.tiles.entries(self.filling_key(one)) if month in months)

    def filling_key(self, one: Decision) -> SeriesKey:
        """Return the series that a decision fills in from."""
        return SeriesKey(self.base.source, *(one.filled_from or self.base[1:]))

    def mark(self, entry: TileEntry) -> int:
        """Return the fingerprint of flags that are made of a tile of the series as it is now."""
        made = zlib.crc32(_MADE_OF.pack(entry.generation, entry.fingerprint, entry.crc), self.rules)
        return self.decided(entry.month, made) if self.decisions else made

    def marks(self, base: Marks) -> Integers:
        """Return :meth:`mark` of all tiles of the series."""
        parts = np.empty(len(base.month), _PACKED)
        for name in _PACKED.names or ():
            parts[name] = getattr(base, name)
        packed, size = memoryview(parts.tobytes()), _MADE_OF.size
        made = [zlib.crc32(packed[at : at + size], self.rules) for at in range(0, len(packed), size)]
        if self.decisions:
            made = [self.decided(month, mark) for month, mark in zip(base.month.tolist(), made, strict=True)]
        return np.array(made, np.int64)

    def decided(self, month: int, made: int) -> int:
        """Return the mark of a month whose own tile gives ``made``: the same where nobody decided
        anything, else one that differs with decisions and all tiles that they read.
        """
        reach = self.reach.of(month)
        if not reach.decisions:
            return made
        told: list[object] = [reach.digest]
        for key, months in self.reads(reach):
            entries = self.tiles.entries(key)
            told += [
                (each.month, each.generation, each.fingerprint, each.crc) for month in months if (each := entries.get(month))
            ]
        return zlib.crc32(repr(told).encode(), made)

    def reads(self, reach: Reach) -> Iterator[tuple[SeriesKey, tuple[int, ...]]]:
        """Yield the series, and the months of each, that a month is made of besides its own."""
        if reach.months:
            yield self.base, reach.months
        yield from ((self.filling_key(fill.decision), fill.months) for fill in reach.fills)

    def months(self, base: Entries) -> set[int]:
        """Return the months whose flags are made, of the tiles of the series as they are now."""
        made = self.tiles.entries(self.key)
        hard, every = (OverlaidSeries(self, choice).months(base) for choice in LEFT_OUT)
        limits = self.fresh(self.tiles.entries(self.limits_key), base)
        corrected = self.fresh(self.tiles.entries(self.corrected_key), base) if self.decisions else ()

        def is_whole(month: int) -> bool:
            reach, entry = self.reach_in(month), made[month]
            needed = (
                (hard, reach.changes_tile or entry.flagged > 0),
                (every, reach.changes_tile or entry.rows > 0),
                (limits, entry.rows > 0),
                (corrected, reach.corrects),
            )
            return all(month in there for there, is_needed in needed if is_needed)

        return {month for month in self.fresh(made, base) if is_whole(month)}

    def open(self, start_ms: int, end_ms: int, *, lag_ms: int = 0) -> Series:
        """Return the flags of [start_ms, end_ms), of months where they are made of the tiles of
        now; raises as :meth:`TileStore.open_series`.
        """
        return self._open(self.key, start_ms, end_ms, lag_ms)

    def open_corrected(self, start_ms: int, end_ms: int) -> Series:
        """Return which readings stamped in [start_ms, end_ms) were corrected, as :meth:`open`."""
        return self._open(self.corrected_key, start_ms, end_ms)

    def open_limits(self, start_ms: int, end_ms: int) -> Series:
        """Return the limits of stretches that begin in [start_ms, end_ms), as :meth:`open`."""
        return self._open(self.limits_key, start_ms, end_ms)

    def _open(self, key: SeriesKey, start_ms: int, end_ms: int, lag_ms: int = 0) -> Series:
        series = self.tiles.open_series(key, start_ms, end_ms, lag_ms=lag_ms)
        known = self.fresh({entry.month: entry for entry in series.entries}, self.entries())
        if len(known) == len(series.entries):
            return series
        tiles = [tile for tile in series.table.tiles if tile.entry.month in known]
        return Series(key, tuple(tile.entry for tile in tiles), BlockTable(tiles), start_ms, end_ms, lag_ms)

    def made(self, base: Entries) -> Entries:
        """Return the tiles of flags that are of today's rules and rows, by month."""
        found = self.tiles.entries(self.key)
        return {month: found[month] for month in self.fresh(found, base)}

    def fresh(self, made: Entries, base: Entries) -> set[int]:
        """Return the months whose tile of flags, or with them, is of today's rules and rows."""
        return {month for month, entry in made.items() if month in base and entry.fingerprint == self.mark(base[month])}

    @property
    def keys_made(self) -> tuple[SeriesKey, ...]:
        """Return all series that hold what is made of this one."""
        overlaid = (OverlaidSeries(self, choice).key for choice in LEFT_OUT)
        return (self.key, *overlaid, *((self.limits_key, self.corrected_key) if self.decisions else (self.limits_key,)))


@dataclass(frozen=True)
class OverlaidSeries:
    """A series in which the flags of a choice count, too, and its readings are corrected: the
    tiles with these flags in place of those without, of months where they differ.
    """

    layer: FlagLayer
    choice: FlagChoice

    @property
    def key(self) -> SeriesKey:
        """The series of the tiles with these flags."""
        return self.layer.base._replace(sensor=f"{self.layer.base.sensor}@{self.choice}")

    def months(self, base: Entries) -> set[int]:
        """Return the months whose tile is another one, told from indices."""
        return self.layer.fresh(self.layer.tiles.entries(self.key), base)

    def entries(self) -> Entries:
        """Published tiles by month, as they count."""
        base, other = self.layer.entries(), self.layer.tiles.entries(self.key)
        found = {**base, **{month: other[month] for month in self.layer.fresh(other, base)}}
        return found if self.layer.is_plain else {month: entry for month, entry in found.items() if entry.bytes}

    def open(self, start_ms: int, end_ms: int, *, lag_ms: int = 0) -> Series:
        """Return the rows of [start_ms, end_ms); raises as :meth:`TileStore.open_series`."""
        tiles, layer = self.layer.tiles, self.layer
        series = tiles.open_overlaid(layer.base, self.key, self._instead, start_ms, end_ms, lag_ms=lag_ms)
        months = {entry.month for entry in series.entries}
        tiles.touch(self._used(months))
        return series

    def _used(self, months: Collection[int]) -> Iterator[tuple[SeriesKey, int]]:
        """Yield what some months are shown and told of, (key, month) pairs: also limits and
        corrections, which are not opened with them but must not be evicted before them.
        """
        tiles, layer = self.layer.tiles, self.layer
        flags, own = tiles.entries(layer.key), tiles.entries(self.key)
        yield from ((layer.key, month) for month in months if month in flags)
        yield from ((layer.limits_key, month) for month in months if month in flags and flags[month].rows)
        yield from ((self.key, month) for month in months if month in own)
        if not layer.decisions:
            return
        for month in months:
            reach = layer.reach.of(month)
            if reach.corrects:
                yield layer.corrected_key, month
            for key, others in layer.reads(reach):
                yield from ((key, other) for other in others if other in tiles.entries(key))

    def digest(self) -> bytes:
        """Return what differs whenever the flags of the series do."""
        base = self.layer.entries()
        made = [self.layer.tiles.entries(key) for key in (self.layer.key, self.key)]
        return repr([{month: each[month] for month in sorted(self.layer.fresh(each, base))} for each in made]).encode()

    def _instead(self, base: Entries, other: Entries) -> Collection[int]:
        return self.layer.fresh(other, base if self.layer.is_plain else self.layer.entries())


def within(entries: Entries, months: range) -> dict[int, TileEntry]:
    """Return the tiles of some months."""
    return {month: entry for month, entry in entries.items() if month in months}


def empty_entry(month: int) -> TileEntry:
    """Return what stands for a tile of a month in which nothing was measured."""
    begin = month_start_ms(month)
    return TileEntry(month, 0, 0, 0, 0, begin, begin, 0, 0, 0, 0, 0, 0)
