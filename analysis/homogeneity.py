"""Whether a series of months that should stay as it is drifts, or breaks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from data.arrays import Floats, Integers

LEAST_MONTHS: Final = 24  # two of each month of the year, of which one tells nothing of season and change apart
_YEAR: Final = 12
_NORMAL_95: Final = 1.959964  # of a standard normal distribution, two-sided
# The greatest T of n independent normal values, which one series in twenty exceeds: up to 100 those
# of Alexandersson and Moberg (1997); above, where their table ends, of 20,000 drawn series or so.
_CRITICAL: Final = (
    (20, 30, 40, 50, 70, 100, 200, 500, 1000, 1500),
    (6.95, 7.65, 8.10, 8.45, 8.80, 9.15, 9.69, 10.36, 10.64, 10.74),
)


@dataclass(frozen=True)
class LinearTrend:
    """A straight change: ``slope`` a year with its 95 % interval (NaN where months are too few for
    one), ``p`` of the test that there is none, and whether that is below 0.05. The line passes
    through ``middle`` at the first month.
    """

    slope: float
    low: float
    high: float
    p: float
    significant: bool
    middle: float


@dataclass(frozen=True)
class LevelShift:
    """The most likely break: the first month after it, as a place in the series, its ``size``,
    levels ``before`` and ``after``, the test's ``statistic`` and the ``critical`` value that it
    would exceed by chance once in twenty series.
    """

    place: int
    size: float
    before: float
    after: float
    statistic: float
    critical: float

    @property
    def significant(self) -> bool:
        """Whether it is more than chance."""
        return self.statistic > self.critical


def without_season(months: Integers, values: Floats) -> Floats:
    """Return values f8[n] without what returns each year; their mean stays.

    ``months`` i8[n] are numbers of months, increasing. Season and a straight line are fitted
    together by least squares, so that no part of a drift is taken for a season.
    """
    season = (months[:, None] % _YEAR == np.arange(_YEAR)).astype(np.float64)
    there = season.any(axis=0)
    since = (months - months[0])[:, None] / _YEAR
    fitted = np.linalg.lstsq(np.hstack([season[:, there], since]), values, rcond=None)[0]
    usual = season[:, there] @ fitted[:-1]
    found: Floats = values - usual + usual.mean()
    return found


def trend_of(months: Integers, values: Floats) -> LinearTrend:
    """Return the drift of values f8[n] in months i8[n]: Theil-Sen's slope a year, Sen's interval
    and the Mann-Kendall test, all with the variance that lag-one autocorrelation leaves
    (Sen 1968; Yue and Wang 2004).
    """
    one, other = np.triu_indices(len(values), 1)
    change, apart = values[other] - values[one], (months[other] - months[one]) / _YEAR
    slopes = np.sort(change / apart)
    slope = float(np.median(slopes))
    left = values - slope * (months - months[0]) / _YEAR
    score = int(np.sign(change).sum())
    deviation = math.sqrt(_score_variance(values) * inflation(months, left))
    z = (abs(score) - 1) / deviation if score and deviation > 0 else 0.0
    p = math.erfc(z / math.sqrt(2))
    low, high = _interval(slopes, _NORMAL_95 * deviation)
    return LinearTrend(slope, low, high, p, p < 0.05, float(np.median(left)))


def _score_variance(values: Floats) -> float:
    """The variance of Kendall's S, with ties."""
    number = len(values)
    ties = np.unique(values, return_counts=True)[1].astype(np.float64)
    return float(number * (number - 1) * (2 * number + 5) - (ties * (ties - 1) * (2 * ties + 5)).sum()) / 18


def _interval(slopes: Floats, reach: float) -> tuple[float, float]:
    """Sen's interval: the slopes at so many ranks from the middle; NaN where there are none."""
    number = len(slopes)
    low, high = math.floor((number - reach) / 2) - 1, math.ceil((number + reach) / 2)
    return (float(slopes[low]), float(slopes[high])) if low >= 0 and high < number else (math.nan, math.nan)


def shift_of(months: Integers, values: Floats) -> LevelShift:
    """Return the most likely break of values f8[n], n > 2, by the standard normal homogeneity test
    for one shift (Alexandersson and Moberg 1997).

    The critical value grows with the lag-one autocorrelation of what the break leaves, as the
    variance of a mean does (Wilks 2011, 5.2.4).
    """
    number = len(values)
    spread = values.std(ddof=1)
    places = np.arange(1, number)
    sums = np.cumsum((values - values.mean()) / spread if spread > 0 else np.zeros(number))[:-1]
    statistic = sums**2 * (1 / places + 1 / (number - places))  # k z1² + (n - k) z2², as z sums to nothing
    place = int(places[statistic.argmax()])
    after = np.arange(number) >= place
    before_mean, after_mean = float(values[~after].mean()), float(values[after].mean())
    left = values - np.where(after, after_mean, before_mean)
    limit = critical_value(number) * inflation(months, left)
    return LevelShift(place, after_mean - before_mean, before_mean, after_mean, float(statistic.max()), limit)


def critical_value(number: int) -> float:
    """Return which T one in twenty homogeneous series of so many independent values exceeds."""
    numbers, limits = _CRITICAL
    return float(np.interp(math.log(number), np.log(numbers), limits))


def inflation(months: Integers, left: Floats) -> float:
    """Return by how much the variance of a mean is more than what is left f8[n] of some months,
    n > 11, would show were it independent.

    That is (1 + r) / (1 - r) of the lag-one autocorrelation r, times what the season has taken of
    the variance: eleven of n degrees of freedom.
    """
    taken = len(left) / (len(left) - _YEAR + 1)
    next_to = np.diff(months) == 1
    apart = left - left.mean()
    whole = float((apart**2).sum())
    pairs = int(next_to.sum())
    if not pairs or whole <= 0:
        return taken
    found = float((apart[:-1] * apart[1:])[next_to].sum()) / whole * len(left) / (pairs + 1)
    # an autocorrelation of few values is too small by some (1 + 4 r) / n (Marriott and Pope 1954)
    r = min(max((len(left) * found + 1) / (len(left) - 4), 0.0), 0.95)
    return (1 + r) / (1 - r) * taken
