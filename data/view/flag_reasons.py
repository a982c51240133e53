"""Why single readings are flagged: by which rule, which limit they break, since when, and what a
person decided; from the tiles of flags and their limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from data.arrays import Bools, Floats, Integers
from data.decision import DecisionKind
from data.flag_layer import FlagLayer
from data.flag_names import FLAG_NAMES, unpacked
from data.overlay import flag_layer
from data.sensor import Sensor
from data.site_like import SiteLike
from data.tiles.blocks import BLOCK_ROWS
from data.tiles.series import Series
from data.time.months import month_of, month_start_ms, months_of

_RANGE, _SOURCE = FLAG_NAMES.index("range"), FLAG_NAMES.index("source")


@dataclass(frozen=True)
class FlagReason:
    """Why a reading is flagged: the ``rule`` (FLAG_NAMES), whether it cannot be right, the
    ``limit`` that it breaks (in the sensor's unit, of ``stuck`` in hours), ``since_ms``, the stamp
    of the first of the readings together with which the rule found it, int ms UTC, and number and
    kind of the decision that says so; None where there is none, or it is not known.
    """

    rule: str
    hard: bool
    limit: float | None = None
    since_ms: int | None = None
    decision: int | None = None
    kind: DecisionKind | None = None


@dataclass(frozen=True)
class FoundFlags:
    """Of some flagged readings the ``place`` of the rule i8[n] in FLAG_NAMES, which are ``hard``
    bool[n], the ``number`` of the decision i8[n], 0 where there is none, ``limit`` f8[n], NaN where
    there is none, and ``since`` i8[n], 0 where it is not known. ``kinds`` are those of decisions.
    """

    place: Integers
    hard: Bools
    number: Integers
    limit: Floats
    since: Integers
    kinds: Mapping[int, DecisionKind]

    def reason(self, at: int) -> FlagReason:
        """Return why one of them is flagged."""
        limit, since, number = float(self.limit[at]), int(self.since[at]), int(self.number[at])
        known = None if np.isnan(limit) else limit
        return FlagReason(
            FLAG_NAMES[self.place[at]], bool(self.hard[at]), known, since or None, number or None, self.kinds.get(number)
        )

    def is_other(self) -> Bools:
        """Return which are flagged for another reason than the one before, bool[n-1]."""
        same = (self.limit[1:] == self.limit[:-1]) | (np.isnan(self.limit[1:]) & np.isnan(self.limit[:-1]))
        for column in (self.place, self.hard, self.number, self.since):
            same &= column[1:] == column[:-1]
        found: Bools = ~same
        return found


def flag_reasons(site: SiteLike, station: str, sensor: Sensor, times: Integers, values: Floats) -> list[FlagReason]:
    """Return why readings of a series are flagged; see :func:`found_flags`."""
    found = found_flags(site, station, sensor, times, values)
    return [found.reason(at) for at in range(len(times))]


def found_flags(site: SiteLike, station: str, sensor: Sensor, times: Integers, values: Floats) -> FoundFlags:
    """Return why readings of a series are flagged: ``times`` i8[n] ms UTC, increasing, and
    ``values`` f8[n] are those of flagged readings, as the site's choice of flags has them.

    Raises:
        TileDamaged: a tile of flags is damaged; it is out of the index then.
    """
    layer = None if site.flags == "none" else flag_layer(site, station, sensor.name)
    kinds = {one.number: one.kind for one in layer.decisions} if layer is not None else {}
    found = _of_tile(sensor, values, kinds)
    return found if layer is None or not len(times) else _of_rules(layer, times, found)


def _of_tile(sensor: Sensor, values: Floats, kinds: Mapping[int, DecisionKind]) -> FoundFlags:
    """Return what readings are by themselves: out of range, else bad by their source."""
    low, high = values < sensor.valid_min, values > sensor.valid_max
    limit = np.where(low, sensor.valid_min, np.where(high, sensor.valid_max, np.nan))
    none = np.zeros(len(values), np.int64)
    return FoundFlags(np.where(low | high, _RANGE, _SOURCE), np.ones(len(values), bool), none, limit, none.copy(), kinds)


def _of_rules(layer: FlagLayer, times: Integers, found: FoundFlags) -> FoundFlags:
    first, stop = int(times[0]), int(times[-1]) + 1
    there, packed, hard = _at(layer.open(first, stop), times)
    place, number = (np.where(there, rule, own) for rule, own in zip(unpacked(packed), (found.place, found.number), strict=True))
    limit, since = np.where(there, np.nan, found.limit), found.since.copy()
    _add_limits(
        layer.open_limits(month_start_ms(month_of(first)), stop), times, np.where(there & (number == 0), place, -1), limit, since
    )
    return FoundFlags(place, np.where(there, hard, found.hard), number, limit, _since_decided(layer, number, since), found.kinds)


def _add_limits(series: Series, times: Integers, place: Integers, limit: Floats, since: Integers) -> None:
    """Set limit and since when of the readings that a rule found (place, -1: none): those of the
    last stretch of the rule that begins before, in the same block, and in the same month.
    """
    after, edge = series.locate(times + 1)
    if not len(edge.times):
        return
    rules = series.table.raw.flags(np.unique(after.block_in_series)).reshape(-1)
    for rule in np.unique(place[place >= 0]).tolist():
        at, own = np.flatnonzero(place == rule), np.flatnonzero(rules == rule + 1)
        before = np.searchsorted(own, after.edge_row[at]) - 1
        at, of = at[before >= 0], own[before[before >= 0]]
        near = of // BLOCK_ROWS == (after.edge_row[at] - 1) // BLOCK_ROWS  # what lies between was not read
        near &= months_of(edge.times[of]) == months_of(times[at])
        limit[at[near]], since[at[near]] = edge.values[of[near]], edge.times[of[near]]


def _since_decided(layer: FlagLayer, number: Integers, since: Integers) -> Integers:
    for one in layer.decisions:
        since[number == one.number] = one.start_ms
    return since


def _at(series: Series, times: Integers) -> tuple[Bools, Floats, Bools]:
    """Return at which of some times a series has a row, its value and whether it is flagged."""
    rows, edge = series.locate(times)
    if not len(edge.times):
        return np.zeros(len(times), bool), np.zeros(len(times)), np.zeros(len(times), bool)
    at = np.minimum(rows.edge_row, len(edge.times) - 1)
    there = edge.times[at] == times
    return there, np.where(there, edge.values[at], 0.0), np.isin(at, edge.flagged)
