"""Series that should go together: the same quantity at neighbouring stations or twice at one, and
PAR beside global radiation.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from analysis.quality.spans import NONE, Spans, joined, runs_of
from data.arrays import Bools, Floats, Integers
from data.time.epoch import DAY_MS, HOUR_MS

LEAST_NEIGHBOURS: Final = 3
_SPREADS: Final = 5.0  # times the usual spread of a difference
_TO_DEVIATION: Final = 1.4826  # of a median absolute deviation, for a normal distribution
_EARTH_KM: Final = 6371.0
_NEAREST_KM: Final = 1.0  # nearer neighbours weigh no more


def weights(positions: list[tuple[float, float] | None]) -> Floats:
    """Return f8[n][n], how much each station counts for each: by the inverse square of the
    distance where all positions are known (degrees north, east), else alike; 0 for itself.
    """
    number = len(positions)
    known = [each for each in positions if each is not None]
    found = np.ones((number, number))
    if len(known) == number:
        north, east = np.deg2rad(np.array(known, np.float64)).T
        across = np.sin((north[:, None] - north) / 2) ** 2
        across += np.cos(north[:, None]) * np.cos(north) * np.sin((east[:, None] - east) / 2) ** 2
        found = 1.0 / np.maximum(2 * _EARTH_KM * np.arcsin(np.sqrt(np.clip(across, 0, 1))), _NEAREST_KM) ** 2
    np.fill_diagonal(found, 0.0)
    return found


def weighted_median(values: Floats, weight: Floats) -> Floats:
    """Return the weighted median over stations, f8[t], of f8[stations][t]; NaN counts for nothing,
    and fewer than three neighbours tell nothing.
    """
    there = np.isfinite(values) & (weight[:, None] > 0)
    order = np.argsort(np.where(there, values, np.inf), axis=0)
    sorted_weight = np.take_along_axis(np.where(there, weight[:, None], 0.0), order, axis=0)
    total = np.cumsum(sorted_weight, axis=0)
    middle = (total >= total[-1] / 2).argmax(axis=0)
    found: Floats = np.take_along_axis(np.take_along_axis(values, order, axis=0), middle[None], axis=0)[0]
    found[there.sum(axis=0) < LEAST_NEIGHBOURS] = np.nan
    return found


def departures(own: Floats, others: Floats, least: float) -> tuple[Floats, float]:
    """Return how far a series is from what it should go with, f8[t], without their usual
    difference; and the limit: ``least``, or five times its usual spread where that is more.

    Robust: median and median absolute deviation, so that the fault does not hide itself.
    """
    apart = own - others
    known = apart[np.isfinite(apart)]
    if not len(known):
        return np.full(len(own), np.nan), least
    usual = np.median(known)
    spread = float(np.median(np.abs(known - usual))) * _TO_DEVIATION
    return apart - usual, max(least, _SPREADS * spread)


def departed(start: Integers, departure: Floats, limit: float, hours: int) -> Spans:
    """Return the runs of hours, ``hours`` or more, in which a series departs beyond its limit;
    ``start`` i8[t] of each hour. A day's breaks do not end one.
    """
    beyond = np.abs(np.nan_to_num(departure)) > limit
    return _runs(start, beyond, departure, limit, hours)


def ratio_beyond(start: Integers, one: Floats, other: Floats, bounds: tuple[float, float], least: float) -> Spans:
    """Return where hourly means of one series are not between so many times another, while that
    is ``least`` or more: PAR in umol/m2/s beside global radiation in W/m2.

    McCree (1972), Agric. Meteorol. 10, 443-453: some 2 umol a joule of sunlight.
    """
    lit = other >= least
    ratio = np.full(len(one), np.nan)
    ratio[lit] = one[lit] / other[lit]
    low, high = bounds
    beyond = lit & ((ratio < low) | (ratio > high))
    limit = np.where(ratio < low, low, high)
    return _runs(start, beyond, ratio, limit, 3)


def _runs(start: Integers, beyond: Bools, value: Floats, limit: Floats | float, hours: int) -> Spans:
    first, last = runs_of(beyond)
    if not len(first):
        return NONE
    limits = np.broadcast_to(np.asarray(limit, np.float64), len(start))
    worst = [low + int(np.abs(value[low : high + 1]).argmax()) for low, high in zip(first.tolist(), last.tolist(), strict=True)]
    excess = np.abs(value[worst]) / limits[worst]
    found = Spans(start[first], start[last] + HOUR_MS - 1, last - first + 1, value[worst], limits[worst], excess)
    return joined(found.chosen(found.rows >= hours), DAY_MS)
