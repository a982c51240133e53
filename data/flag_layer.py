"""Flags of the rules of quality control as tiles beside those of a series: which months have them,
and the series with them (docs/decisions/0039). Made by jobs/kinds/write_flags.py.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from data.flag_choice import LEFT_OUT, FlagChoice
from data.quality_limits import RULES_VERSION, QualityLimits
from data.request import HistoryRequest
from data.site_like import SiteLike
from data.tiles.format import TileEntry
from data.tiles.series import BlockTable, Series, SeriesKey
from data.tiles.tile_store import TileStore
from data.time.months import month_name, months_between
from data.usual_limits import limits_of

# Rules that flag readings; a tile keeps the place of one in this list, so new ones go last.
FLAG_RULES: Final = ("climate", "step", "spike", "stuck", "variation", "dark", "sun")

Entries = Mapping[int, TileEntry]
_MADE_OF = struct.Struct("<qII")


@dataclass(frozen=True)
class FlagLayer:
    """The flags of one series. ``rules`` is a digest of what decides them besides its rows: version
    of the rules, limits, position of the station.
    """

    tiles: TileStore
    base: SeriesKey
    rules: int

    @property
    def key(self) -> SeriesKey:
        """The series of flags: a row for each reading that a rule found, with the place of the rule
        in FLAG_RULES as its value; hard ones are flagged. A month without any is an empty tile.
        """
        return self.base._replace(sensor=f"{self.base.sensor}@flags")

    def mark(self, entry: TileEntry) -> int:
        """Return the fingerprint of flags that are made of a tile of the series."""
        return zlib.crc32(_MADE_OF.pack(entry.generation, entry.fingerprint, entry.crc), self.rules)

    def months(self, base: Entries) -> set[int]:
        """Return the months whose flags are made, of the tiles of the series as they are now."""
        made = self.tiles.entries(self.key)
        hard, every = (OverlaidSeries(self, choice).months(base) for choice in LEFT_OUT)
        return {
            month
            for month in self.fresh(made, base)
            if (not made[month].flagged or month in hard) and (not made[month].rows or month in every)
        }

    def open(self, start_ms: int, end_ms: int, *, lag_ms: int = 0) -> Series:
        """Return the flags of [start_ms, end_ms), of months where they are made of the tiles of
        now; raises as :meth:`TileStore.open_series`.
        """
        series = self.tiles.open_series(self.key, start_ms, end_ms, lag_ms=lag_ms)
        known = self.fresh({entry.month: entry for entry in series.entries}, self.tiles.entries(self.base))
        if len(known) == len(series.entries):
            return series
        tiles = [tile for tile in series.table.tiles if tile.entry.month in known]
        return Series(self.key, tuple(tile.entry for tile in tiles), BlockTable(tiles), start_ms, end_ms, lag_ms)

    def made(self, base: Entries) -> Entries:
        """Return the tiles of flags that are of today's rules and rows, by month."""
        found = self.tiles.entries(self.key)
        return {month: found[month] for month in self.fresh(found, base)}

    def fresh(self, made: Entries, base: Entries) -> set[int]:
        """Return the months whose tile of flags, or with them, is of today's rules and rows."""
        return {month for month, entry in made.items() if month in base and entry.fingerprint == self.mark(base[month])}


@dataclass(frozen=True)
class OverlaidSeries:
    """A series in which the flags of a choice count, too: the tiles with these flags in place of
    those without, of months where there are any.
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
        base, other = (self.layer.tiles.entries(key) for key in (self.layer.base, self.key))
        return {**base, **{month: other[month] for month in self.layer.fresh(other, base)}}

    def open(self, start_ms: int, end_ms: int, *, lag_ms: int = 0) -> Series:
        """Return the rows of [start_ms, end_ms); raises as :meth:`TileStore.open_series`."""
        tiles = self.layer.tiles
        series = tiles.open_overlaid(self.layer.base, self.key, self._instead, start_ms, end_ms, lag_ms=lag_ms)
        months = {entry.month for entry in series.entries}
        tiles.touch((key, month) for key in (self.layer.key, self.key) for month in months & tiles.entries(key).keys())
        return series

    def digest(self, base: Entries) -> bytes:
        """Return what differs whenever the flags of the series do."""
        made = [self.layer.tiles.entries(key) for key in (self.layer.key, self.key)]
        return repr([{month: each[month] for month in sorted(self.layer.fresh(each, base))} for each in made]).encode()

    def _instead(self, base: Entries, other: Entries) -> Collection[int]:
        return self.layer.fresh(other, base)


def flag_layer(site: SiteLike, station: str, sensor: str) -> FlagLayer | None:
    """Return the flags of a series; None of a derived sensor, of which no rule is asked."""
    known, metadata = site.catalogue[sensor], site.catalogue.stations.get(station)
    if known.formula:
        return None
    limits = limits_of(known, metadata)
    rules = _rules(limits, known.stamp, metadata.position if metadata else None)
    return FlagLayer(site.tiles, SeriesKey(site.source.id, station, sensor), rules)


def overlaid_series(site: SiteLike, station: str, sensor: str) -> OverlaidSeries | None:
    """Return a series with the flags that count at a site; None where it is as its tiles are."""
    layer = None if site.flags == "none" else flag_layer(site, station, sensor)
    return None if layer is None else OverlaidSeries(layer, site.flags)


def flags_missing(site: SiteLike, request: HistoryRequest) -> set[int]:
    """Return months of a request of which a tile is there and its flags are not made, or not by
    today's rules. Reads indices only.
    """
    return {entry.month for entry in tiles_without_flags(site, request)}


def unchecked_months(site: SiteLike, request: HistoryRequest) -> list[str]:
    """Return names of UTC months of :func:`flags_missing`, in order; none where no rule's flags
    count at the site.
    """
    return [] if site.flags == "none" else [month_name(month) for month in sorted(flags_missing(site, request))]


def tiles_without_flags(site: SiteLike, request: HistoryRequest) -> list[TileEntry]:
    """Return the tiles of a request that are there and whose flags are not made, or not by today's
    rules. Reads indices only.
    """
    wanted, found = months_with_flags(request), list[TileEntry]()
    for series in request.series:
        layer = flag_layer(site, *series)
        if layer is not None:
            base = {month: entry for month, entry in site.tiles.entries(layer.base).items() if month in wanted}
            found += [base[month] for month in base.keys() - layer.months(base)]
    return found


def months_with_flags(request: HistoryRequest) -> range:
    """Return the UTC months in which readings of a request may be stamped."""
    return months_between(request.start_ms, request.end_ms + 1)


@lru_cache(maxsize=4096)
def _rules(limits: QualityLimits, stamp: str, position: tuple[float, float] | None) -> int:
    return zlib.crc32(f"{RULES_VERSION} {limits.model_dump_json()} {stamp} {position}".encode())
