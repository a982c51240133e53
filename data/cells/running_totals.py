"""Running totals of rain become the increment of each interval.
Pure arithmetic on times and totals, no database.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta, tzinfo

import numpy as np

from data.arrays import Bools, Floats, Integers
from data.time.epoch import DAY_MS, EPOCH, HOUR_MS, ms_of
from data.time.zones import ZoneOffsets

# a millionth of a mm: subtracting totals leaves noise far below, no gauge measures that finely
_DECIMALS = 6


@dataclass(frozen=True)
class Totals:
    """Totals of one gauge as they were sent: int64 ms UTC, sorted, unique; float64, all finite."""

    times: Integers = field(default_factory=lambda: np.empty(0, np.int64))
    totals: Floats = field(default_factory=lambda: np.empty(0))

    def __add__(self, later: Totals) -> Totals:
        return Totals(np.concatenate([self.times, later.times]), np.concatenate([self.totals, later.totals]))


def increments(times: Integers, totals: Floats, day_zone: tzinfo | None = None) -> Floats:
    """Return the increments of running totals; shape as given, float64,
    NaN where one cannot be known.

    A total that fell was reset, so all of it is new. One that did not change is no new rain.
    ``day_zone`` is the zone of a day's total; None is for a total since the last reset, whose first
    increment is NaN, since nothing is known before it.

    Loggers reset a day's total at midnight, or some minutes or an hour after it. So a total of a
    new day that is greater than the last one of the day before is all new, unless it falls later on
    that day: then that fall was the reset, and the difference is new. A row of exactly midnight
    closes the old day, unless it fell. The first of all totals is all new. After a whole day
    without a row there was a reset, so there a total that is the same by chance is all new, too,
    unless it falls later on that day: then the logger had hung.
    """
    if not len(totals):
        return np.empty(0)
    steps = np.diff(totals, prepend=totals[0])
    fell = steps < -(10.0**-_DECIMALS)
    new = fell
    if day_zone is not None:
        days = local_days(times, day_zone, fell)
        new = fell | _opens_a_day(times, steps, fell, days) | _stayed_over_a_day(times, steps, fell, days, day_zone)
    found = np.maximum(np.round(np.where(new, totals, steps), _DECIMALS), 0.0)
    found[0] = np.nan if day_zone is None else np.round(totals[0], _DECIMALS)
    return found


def carried(times: Integers, totals: Floats, day_zone: tzinfo | None = None) -> Totals:
    """The last of these totals that :func:`increments` of later ones needs before them:
    ``(carried + later)``.

    Those of a day's total are all of the last day and the one before it,
    since a late reset says what the day began with.
    """
    if day_zone is None or not len(times):
        return Totals(times[-1:], totals[-1:])
    start = max(int(np.searchsorted(times, context_ms(int(times[-1]), int(times[-1]), day_zone)[0])) - 1, 0)
    return Totals(times[start:], totals[start:])


def context_ms(first_ms: int, last_ms: int, day_zone: tzinfo | None) -> tuple[int, int]:
    """The span whose increments may change where totals in [first, last] do,
    beside the one after ``last``; in ms UTC.

    All totals of the span, one before and one after it,
    are what :func:`increments` needs for [first, last].
    """
    if day_zone is None:
        return first_ms, last_ms
    return _midnight_ms(first_ms - 1, day_zone), _midnight_ms(last_ms, day_zone, days=1)


def local_days(times: Integers, zone: tzinfo, fell: Bools) -> Integers:
    """Return each time's local day; midnight is of the day before, unless the total ``fell``."""
    if not len(times):
        return times
    ms = ZoneOffsets(zone, int(times.min()), int(times.max())).to_wall(times)
    return np.where(fell, ms, ms - 1) // DAY_MS


def rate_to_sum(rates: Floats, step_ms: float) -> Floats:
    """Rates per hour become the sum over one interval."""
    return np.round(rates * (step_ms / HOUR_MS), _DECIMALS)


def _opens_a_day(times: Integers, steps: Floats, fell: Bools, days: Integers) -> Bools:
    """Which totals grew over a midnight at which they were reset."""
    grew = (np.diff(days, prepend=days[0]) > 0) & (steps > 10.0**-_DECIMALS)
    at = np.flatnonzero(grew)
    falls = np.append(np.flatnonzero(fell), len(times))
    following = falls[np.searchsorted(falls, at)]
    late = following < len(times)
    ends = np.minimum(following, len(times) - 1)
    # A whole day before the fall was reset, too: a total from before that says nothing of this one.
    late &= (days[ends] == days[at]) & (times[ends] - times[at - 1] < DAY_MS)
    grew[at[late]] = False
    return grew


def _stayed_over_a_day(times: Integers, steps: Floats, fell: Bools, days: Integers, zone: tzinfo) -> Bools:
    """Return which totals equal the one a day or more before, as with one row a day."""
    same = (np.abs(steps) <= 10.0**-_DECIMALS) & (np.diff(days, prepend=days[0]) > 0)
    if not same.any():
        return same
    # a day of 23 hours is one, too
    wall = ZoneOffsets(zone, int(times[0]), int(times[-1])).to_wall(times)
    same &= np.diff(wall, prepend=wall[0]) >= DAY_MS
    at = np.flatnonzero(same)
    falls = np.append(np.flatnonzero(fell), len(times))
    following = falls[np.searchsorted(falls, at)]
    hung = (following < len(times)) & (days[np.minimum(following, len(times) - 1)] == days[at])
    same[at[hung]] = False
    return same


def _midnight_ms(time_ms: int, zone: tzinfo, days: int = 0) -> int:
    """The midnight that begins the local day of an instant, or one some days later."""
    local = (EPOCH + timedelta(milliseconds=time_ms)).astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0) + timedelta(days=days)
    return ms_of(midnight)
