"""A series beside its neighbours month by month: what each month differs from all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from analysis.days import periods
from analysis.question import Observed, Question
from data.arrays import Floats, Integers
from data.time.epoch import DAY_MS

MOST_MISSING: Final = 10  # days of a month that counts (WMO-No. 1203, as of monthly means)
COMPLETE: Final = 0.8  # of the readings due, so that a day counts
MOST_NEIGHBOURS: Final = 8  # that a series is set beside: more say the same again, and take longer
LEAST_SHARED: Final = 12  # months that neighbours have together, so that their levels can be told apart
_MOST_DAYS: Final = 31  # of a month
_QUARTILES: Final = (0.25, 0.5, 0.75)
_LEAST_SUM: Final = 0.1  # of a neighbour's usual month; the ratio of less says nothing
_PERCENT: Final = 100.0


@dataclass(frozen=True)
class Compared:
    """A series less each of k neighbours in m months: ``middle``, ``low`` and ``high`` f8[k][m] are
    quartiles of daily differences (of sums the middle is the ratio of totals in percent, and there
    are no others), ``days`` i8[k][m] behind them; NaN where a month does not count.
    """

    low: Floats
    middle: Floats
    high: Floats
    days: Integers


def daily_values(question: Question, observed: Observed) -> Floats:
    """Return days by the sensor's rule, f8[months][31] in the order of the month, NaN where a day
    is not there or has fewer than 80 % of its readings.
    """
    key = ("days of months", observed.station, observed.sensor.name)
    if key not in question.worked_out:
        held = periods(question, observed, "1d")
        edges = question.edges("1mo", observed.sensor)
        month = np.searchsorted(edges, held.start, "right") - 1
        day = np.arange(len(month)) - np.searchsorted(month, month)
        counts = held.whole & (held.rows > 0) & ~(held.complete < COMPLETE)
        found = np.full((len(edges) - 1, _MOST_DAYS), np.nan)
        found[month[counts], day[counts]] = held.value[counts]
        question.worked_out[key] = found
        observed.told(observed.station, observed.sensor.name, question.end_ms)
    held_days: Floats = question.worked_out[key]
    return held_days


def least_days(edges: Integers) -> Integers:
    """Return how many days each month needs so that it counts, i8[months]."""
    return np.rint(np.diff(edges) / DAY_MS).astype(np.int64) - MOST_MISSING


def differences(own: Floats, others: Floats, least: Integers) -> Compared:
    """Return what the days f8[m][31] of a series differ from those f8[k][m][31] of neighbours."""
    apart = np.sort(own - others, axis=-1)  # NaN last
    days = np.isfinite(apart).sum(axis=-1)
    counts = (days > 0) & (days >= least)
    low, middle, high = (np.where(counts, _quantile(apart, days, share), np.nan) for share in _QUARTILES)
    return Compared(low, middle, high, days)


def _quantile(ordered: Floats, number: Integers, share: float) -> Floats:
    """A quantile of the first ``number`` values of each row, between two of them by their place."""
    at = np.maximum(number - 1, 0) * share
    below = np.floor(at).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(number - 1, 0))
    one, other = (np.take_along_axis(ordered, place[..., None], axis=-1)[..., 0] for place in (below, above))
    found: Floats = one + (other - one) * (at - below)
    return found


def ratios(own: Floats, others: Floats, least: Integers) -> Compared:
    """Return the totals of a series in percent of those of neighbours, of the days that both have;
    of months in which the neighbour has a tenth of its usual month or more.
    """
    both = np.isfinite(own) & np.isfinite(others)
    total, whole = (np.where(both, values, 0.0).sum(axis=-1) for values in (own, others))
    days = both.sum(axis=-1)
    counts = (days > 0) & (days >= least)
    usual = np.array([np.median(row[there]) if there.any() else 0.0 for row, there in zip(whole, counts, strict=True)])
    counts &= (whole > 0) & (whole >= _LEAST_SUM * usual[:, None])
    middle = np.full(total.shape, np.nan)
    np.divide(_PERCENT * total, whole, out=middle, where=counts)
    nothing = np.full(total.shape, np.nan)
    return Compared(nothing, middle, nothing, days)


def nearest(own: Floats, others: Floats, weight: Floats) -> Integers:
    """Return the places, increasing, of the neighbours that weigh most, eight at most; of those
    that weigh the same, the ones with the most days f8[k][m][31] beside those of the series.
    """
    days = (np.isfinite(own) & np.isfinite(others)).sum(axis=(1, 2))
    return np.sort(np.lexsort((-days, -weight))[:MOST_NEIGHBOURS])


def related(compared: Compared, weight: Floats, least: int, *, is_ratio: bool) -> Integers:
    """Return the places of neighbours that count: first the one that goes best with the others, of
    those with ``least`` months or more and half of the most that one has; the others share a year
    or more with it, which tells their levels apart.
    """
    there = np.isfinite(compared.middle)
    months = there.sum(axis=1)
    fit = np.flatnonzero(months >= max(least, months.max(initial=0) / 2))
    if not len(fit):
        return fit
    main = int(fit[np.lexsort((-weight[fit], -months[fit], _disagreement(compared.middle, is_ratio=is_ratio)[fit]))[0]])
    others = (there & there[main]).sum(axis=1) >= LEAST_SHARED
    others[main] = False
    return np.append(main, np.flatnonzero(others))


def _disagreement(values: Floats, *, is_ratio: bool) -> Floats:
    """How much each neighbour f8[k][m] changes against the others, f8[k]: the lower median of its
    spreads to them, so that one that drifts does not count against those that do not.
    """
    known = np.log(np.where(values > 0, values, np.nan)) if is_ratio else values
    found = np.zeros(len(values))
    for place, row in enumerate(known):
        apart = np.delete(known, place, axis=0) - row
        number = np.isfinite(apart).sum(axis=-1)
        away = np.abs(apart - _quantile(np.sort(apart, axis=-1), number, 0.5)[:, None])
        spreads = np.sort(_quantile(np.sort(away, axis=-1), number, 0.5)[number >= LEAST_SHARED])
        found[place] = round(float(spreads[(len(spreads) - 1) // 2]), 9) if len(spreads) else 0.0
    return found


def levelled(values: Floats, weight: Floats, *, is_ratio: bool) -> tuple[Floats, Floats]:
    """Return what all neighbours say of each month, f8[m], and by how much (or how many times) each
    is usually beyond that, f8[k], so that one that comes or goes makes no break.

    ``values`` f8[k][m] are NaN where there is none. The level of a neighbour is its median
    difference to the first, of the months that both have; the rest is a weighted median.
    """
    removed = _divided if is_ratio else np.subtract
    usual = np.array([_median(row, is_ratio=is_ratio) for row in removed(values, values[:1])])
    month = weighted_middle(removed(values, usual[:, None]), weight)
    level = float(weighted_middle(usual[:, None], weight)[0])
    return (month * level, usual / level) if is_ratio else (month + level, usual - level)


def _divided(values: Floats, by: Floats) -> Floats:
    """Ratios, NaN where there is nothing to divide by."""
    return values / np.where(by > 0, by, np.nan)


def _median(values: Floats, *, is_ratio: bool) -> float:
    """The median of what is there; of ratios above 0, as one of nothing is no level."""
    known = values[np.isfinite(values) & ((values > 0) | (not is_ratio))]
    return float(np.median(known)) if len(known) else float(is_ratio)


def weighted_middle(values: Floats, weight: Floats) -> Floats:
    """Return the weighted median of each column of f8[k][m], NaN where it has no value; between
    two that weigh the same it is their mean.
    """
    there = np.isfinite(values)
    order = np.argsort(np.where(there, values, np.inf), axis=0)
    ordered = np.take_along_axis(values, order, axis=0)
    share = np.cumsum(np.take_along_axis(np.where(there, weight[:, None], 0.0), order, axis=0), axis=0)
    half = share[-1] / 2
    at_least = (share >= half * (1 - 1e-12)).argmax(axis=0)[None]
    more = (share > half * (1 + 1e-12)).argmax(axis=0)[None]
    found: Floats = (np.take_along_axis(ordered, at_least, axis=0) + np.take_along_axis(ordered, more, axis=0))[0] / 2
    return np.where(there.any(axis=0), found, np.nan)
