"""Whether a station drifts away from its neighbours, or broke away from them: monthly differences,
their trend, and their most likely break.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from analysis.answer import Method, Moment, Table
from analysis.homogeneity import LEAST_MONTHS, LevelShift, LinearTrend, shift_of, trend_of, without_season
from analysis.neighbour_months import (
    Compared,
    daily_values,
    differences,
    least_days,
    levelled,
    nearest,
    ratios,
    related,
    weighted_middle,
)
from analysis.quality.companions import weights
from analysis.question import Observed, Question
from data.arrays import Floats, Integers

Lacks = Literal["", "neighbours", "months"]
_PERCENT: Final = "%"


class Options(BaseModel):
    """No options."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Break:
    """The most likely break: the first month after it, how much the level changed there, the levels
    before and after, the statistic of the test with its critical value, and whether that is
    exceeded.
    """

    month: Moment
    size: float
    before: float
    after: float
    statistic: float
    critical: float
    significant: bool


@dataclass(frozen=True)
class Drift:
    """A series beside its ``neighbours``; those ``left_out`` have too few months in common.

    ``starts`` of the months of the window; ``value`` f8[m] the median difference (station less
    neighbours; of a sum its total in percent of theirs) in ``unit``, NaN where a month does not
    count; ``low`` and ``high`` f8[m] the quartiles of its days; ``seasonless`` f8[m] the value
    without what returns each year, of which trend and break are; ``days`` i8[m] and ``stations``
    i8[m] behind each. ``lacks`` says why there is neither trend nor break.
    """

    unit: str
    neighbours: tuple[str, ...]
    left_out: tuple[str, ...]
    starts: tuple[Moment, ...]
    value: Floats
    low: Floats
    high: Floats
    seasonless: Floats
    days: Integers
    stations: Integers
    months: int
    lacks: Lacks
    trend: LinearTrend | None
    likely_break: Break | None


METHOD = (
    Method("day", "mean or sum of a day with 80 % or more of its readings; months with 10 missing days or fewer (WMO-No. 1203)"),
    Method("value", "median of the daily differences of a month; of sums the ratio of totals of the same days"),
    Method(
        "reference",
        "median over neighbours, weighted by the inverse square of the distance, levels by median polish (Tukey 1977)",
    ),
    Method("season", "means of the months of the year, fitted together with a straight line by least squares"),
    Method("trend", "Theil-Sen slope with Sen's 95 % interval (Sen 1968)"),
    Method("p", "Mann-Kendall test, variance for lag-one autocorrelation (Mann 1945; Kendall 1975; Yue and Wang 2004)"),
    Method("break", "standard normal homogeneity test for one shift, 95 % (Alexandersson and Moberg 1997)"),
    Method(
        "critical",
        "grows with lag-one autocorrelation as the variance of a mean (Wilks 2011), and with n / (n - 11) for the season",
    ),
)


@dataclass(frozen=True)
class MonthsAsked:
    """The months of a window: when they begin within it, ``numbers`` i8[m] that grow by one from
    month to month, and how many days each needs so that it counts, ``least`` i8[m].
    """

    starts: tuple[Moment, ...]
    numbers: Integers
    least: Integers


@dataclass(frozen=True)
class _Months:
    """What neighbours say of each month, f8[m], and the days and neighbours behind it, i8[m]."""

    value: Floats
    low: Floats
    high: Floats
    days: Integers
    stations: Integers


def run(question: Question, observed: Observed, options: Options) -> Drift:  # noqa: ARG001 - there are none
    """Return how a series goes with the same sensor of the question's other stations."""
    sensor = observed.sensor
    others = [each for each in question.series if each.sensor.name == sensor.name and each.station != observed.station]
    positions = [each.metadata.position if each.metadata else None for each in (observed, *others)]
    own, *theirs = (daily_values(question, each) for each in (observed, *others))
    edges = question.edges("1mo", sensor)
    dates = np.array(question.dates(edges[:-1], sensor), "datetime64[D]")
    starts = tuple(map(Moment, np.maximum(edges[:-1], question.start_ms).tolist()))
    asked = MonthsAsked(starts, dates.astype("datetime64[M]").astype(np.int64), least_days(edges))
    neighbours = {each.station: days for each, days in zip(others, theirs, strict=True)}
    unit = _PERCENT if sensor.aggregation == "sum" else sensor.unit
    return drift_of(own, neighbours, weights(positions)[0, 1:], asked, unit, is_ratio=sensor.aggregation == "sum")


def drift_of(
    own: Floats, neighbours: Mapping[str, Floats], weight: Floats, asked: MonthsAsked, unit: str, *, is_ratio: bool
) -> Drift:
    """Return how the days f8[m][31] of a station go with those of neighbours by name, one or more,
    which count by their ``weight`` f8[k].
    """
    others = np.array(list(neighbours.values()))
    near = nearest(own, others, weight)
    names, weight = [name for place, name in enumerate(neighbours) if place in near], weight[near]
    compared = (ratios if is_ratio else differences)(own, others[near], asked.least)
    places = related(compared, weight, LEAST_MONTHS, is_ratio=is_ratio)
    if not len(places):
        places = np.flatnonzero(np.isfinite(compared.middle).any(axis=1))
    months = _months(compared, weight, places, is_ratio=is_ratio)
    number = int(np.isfinite(months.value).sum())
    lacks: Lacks = "neighbours" if not len(places) else "months" if number < LEAST_MONTHS else ""
    seasonless, trend, found = _tested(asked, months.value, enough=not lacks)
    return Drift(
        unit=unit,
        neighbours=tuple(names[place] for place in sorted(places)),
        left_out=tuple(name for place, name in enumerate(names) if place not in places),
        starts=asked.starts,
        value=months.value,
        low=months.low,
        high=months.high,
        seasonless=seasonless,
        days=months.days,
        stations=months.stations,
        months=number,
        lacks=lacks,
        trend=trend,
        likely_break=found,
    )


def _months(compared: Compared, weight: Floats, places: Integers, *, is_ratio: bool) -> _Months:
    """The neighbours of some places together; days as the one with the most of them."""
    there = np.isfinite(compared.middle[places])
    days = np.where(there, compared.days[places], 0).max(axis=0, initial=0)
    if not len(places):
        nothing = np.full(len(days), np.nan)
        return _Months(nothing, nothing, nothing, days, days)
    own = weight[places]
    value, usual = levelled(compared.middle[places], own, is_ratio=is_ratio)
    low, high = (weighted_middle(each[places] - usual[:, None], own) for each in (compared.low, compared.high))
    return _Months(value, low, high, days, there.sum(axis=0))


def _tested(asked: MonthsAsked, value: Floats, *, enough: bool) -> tuple[Floats, LinearTrend | None, Break | None]:
    """Values without the season, f8[m], their trend and break; none of them where there are not
    enough months.
    """
    seasonless, there = np.full(len(value), np.nan), np.flatnonzero(np.isfinite(value))
    if not enough:
        return seasonless, None, None
    number = asked.numbers[there]
    left = seasonless[there] = without_season(number, value[there])
    shift = shift_of(number, left)
    return seasonless, trend_of(number, left), _break(shift, asked.starts[int(there[shift.place])])


def _break(shift: LevelShift, month: Moment) -> Break:
    return Break(month, shift.size, shift.before, shift.after, shift.statistic, shift.critical, shift.significant)


def table(result: Drift, unit: str) -> Table:  # noqa: ARG001 - of sums it is percent
    """Return the series as one row: trend a year with its interval, and break."""
    header = (
        *("in", "months", "neighbours", "lacks", "drift a year", "low", "high", "p", "drift significant"),
        *("break", "size", "statistic", "critical", "break significant"),
    )
    trend, found, nothing = result.trend, result.likely_break, [math.nan] * 3
    slope = (trend.slope, trend.low, trend.high, trend.p, trend.significant) if trend else (*nothing, math.nan, None)
    size = (found.month, found.size, found.statistic, found.critical, found.significant) if found else (None, *nothing, None)
    return Table(header, [(result.unit, result.months, len(result.neighbours), result.lacks, *slope, *size)])
