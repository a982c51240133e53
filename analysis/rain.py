"""Rain: totals of days, months and years, wettest days, dry and wet spells, greatest
intensities, return levels.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator

from analysis.answer import Method, Moment, Table
from analysis.days import Periods, periods
from analysis.extremes import LEAST_YEARS, ReturnLevel, return_levels
from analysis.question import Observed, Question
from data.arrays import Floats, Integers
from data.catalogue import Sensor
from data.time.epoch import MINUTE_MS

DURATIONS_MIN: Final = (5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 4320)
DAYS_FROM_MM: Final = (1.0, 10.0, 20.0, 50.0)
COMPLETE_YEAR: Final = 0.9  # of the readings due, so that its wettest day counts as that of the year


_CLOCK: Final = re.compile(r"([01]\d|2[0-3])(?::([0-5]\d))?", re.ASCII)


class Options(BaseModel):
    """A day with ``wet_from`` or more (in the sensor's unit) is wet; ``most`` is how many days
    and spells are listed. ``day_start`` is when a day begins, ``07`` or ``07:30``; default: as the
    catalogue says.
    """

    model_config = ConfigDict(extra="forbid")

    wet_from: Annotated[float, Field(gt=0)] = 1.0
    most: Annotated[int, Field(ge=1, le=1000)] = 10
    day_start: str = ""

    @field_validator("day_start")
    @classmethod
    def _of_a_clock(cls, value: str) -> str:
        if value and not _CLOCK.fullmatch(value):
            raise ValueError("give a time of the clock such as 07 or 07:30")
        return value


@dataclass(frozen=True)
class Total:
    """A day, month or year: its ``start`` as a date of the rain day's clock, total, and the
    share of readings due (0..1).
    """

    start: str
    total: float
    complete: float
    whole: bool


@dataclass(frozen=True)
class YearDays:
    """How many days of the year that begins at ``start`` had each amount of :data:`DAYS_FROM_MM`
    or more; of a year that is not ``whole``, of its part in the window.
    """

    start: str
    whole: bool
    complete: float
    days_from: dict[str, int]


@dataclass(frozen=True)
class Spell:
    """Days in a row, ``days`` of them, from the first to the last date; ``total`` is their rain."""

    from_: str
    to_: str
    days: int
    total: float


@dataclass(frozen=True)
class Intensity:
    """The most rain within ``minutes``, and when that time began."""

    minutes: int
    max: float
    time: Moment


@dataclass(frozen=True)
class Rain:
    """Totals are in the sensor's unit. A day without readings has no total and ends a spell. Of
    equal days the first is named. ``running`` f8[day] is the rain of a day's year up to its end,
    null of a day without readings.
    """

    days: tuple[Total, ...]
    months: tuple[Total, ...]
    years: tuple[Total, ...]
    wettest: tuple[Total, ...]
    dry_spells: tuple[Spell, ...]
    wet_spells: tuple[Spell, ...]
    days_from: dict[str, int]
    days_from_by_year: tuple[YearDays, ...]
    running: Floats
    intensity: tuple[Intensity, ...]
    return_levels: tuple[ReturnLevel, ...]
    return_levels_note: str
    total: float


METHOD = (
    Method(
        "rain day",
        "begins where the catalogue or the option day_start says, in the zone; rain counts to the day in which it fell",
    ),
    Method("spells", "days in a row below, or from, the limit of a wet day; a day without readings ends a spell"),
    Method("intensity", "greatest sum of whole readings within the duration, from the station's own step upwards"),
    Method("return levels", "GEV of yearly maxima by L-moments: Hosking & Wallis, Regional Frequency Analysis (1997), A.7"),
    Method("interval of return levels", "90 % of 1,000 parametric bootstrap samples: Efron & Tibshirani (1993)"),
)


def run(question: Question, observed: Observed, options: Options) -> Rain:
    """Return the rain of one gauge."""
    observed = replace(observed, sensor=with_day_start(observed.sensor, options.day_start))
    daily = periods(question, observed, "1d")
    days = _totals(question, observed, daily)
    years = periods(question, observed, "1y")
    there = [day for day in days if math.isfinite(day.total)]
    maxima, note = _yearly_maxima(daily, years)
    return Rain(
        days=days,
        months=_totals(question, observed, periods(question, observed, "1mo")),
        years=_totals(question, observed, years),
        wettest=tuple(sorted((day for day in there if day.total > 0), key=lambda day: -day.total)[: options.most]),
        dry_spells=_spells(days, options, wet=False),
        wet_spells=_spells(days, options, wet=True),
        days_from=_days_from(daily.total),
        days_from_by_year=_by_year(question, observed, daily, years),
        running=_running(daily, years),
        intensity=_intensity(observed),
        return_levels=return_levels(maxima) if not note else (),
        return_levels_note=note,
        total=float(np.nansum(daily.total)),
    )


def with_day_start(sensor: Sensor, day_start: str) -> Sensor:
    """Return a sensor whose days begin at a time of :class:`Options`; else as it is."""
    match = _CLOCK.fullmatch(day_start)
    return replace(sensor, day_start_min=int(match[1]) * 60 + int(match[2] or 0)) if match else sensor


def _days_from(totals: Floats) -> dict[str, int]:
    return {f"{limit:g}": int((totals >= limit).sum()) for limit in DAYS_FROM_MM}


def _by_year(question: Question, observed: Observed, daily: Periods, years: Periods) -> tuple[YearDays, ...]:
    year_of = _year_of(daily, years)
    columns = zip(question.dates(years.start, observed.sensor), years.whole.tolist(), years.complete.tolist(), strict=True)
    return tuple(YearDays(*row, _days_from(daily.total[year_of == year])) for year, row in enumerate(columns))


def _running(daily: Periods, years: Periods) -> Floats:
    """Sums since each year began, NaN of days without readings."""
    sums = np.nancumsum(daily.total)
    first = np.searchsorted(daily.start, years.start)  # of each year
    before = np.concatenate([[0.0], sums])[first]
    return np.where(np.isfinite(daily.total), sums - before[_year_of(daily, years)], np.nan)


def _year_of(daily: Periods, years: Periods) -> Integers:
    return np.searchsorted(years.start, daily.start, "right") - 1


def _totals(question: Question, observed: Observed, found: Periods) -> tuple[Total, ...]:
    dates = question.dates(found.start, observed.sensor)
    lists = (found.total.tolist(), found.complete.tolist(), found.whole.tolist())
    return tuple(Total(*row) for row in zip(dates, *lists, strict=True))


def _spells(days: Sequence[Total], options: Options, *, wet: bool) -> tuple[Spell, ...]:
    """The longest spells, longest first; of equal ones the earlier first."""
    found: list[Spell] = []
    run: list[Total] = []
    for day in (*days, None):
        if day is not None and math.isfinite(day.total) and (day.total >= options.wet_from) == wet:
            run.append(day)
            continue
        if run:
            found.append(Spell(run[0].start, run[-1].start, len(run), float(sum(each.total for each in run))))
        run = []
    return tuple(sorted(found, key=lambda spell: -spell.days)[: options.most])


def _intensity(observed: Observed) -> tuple[Intensity, ...]:
    """Greatest sums within each duration, none shorter than the station's step."""
    step_ms = observed.step_ms
    durations = [minutes for minutes in DURATIONS_MIN if step_ms and minutes * MINUTE_MS >= step_ms]
    if not durations or step_ms is None:
        return ()
    wet = [(moments[values > 0], values[values > 0]) for moments, values in observed.chunks()]  # the most begins with rain
    began = observed.begins(np.concatenate([np.empty(0, np.int64), *(part[0] for part in wet)]))
    if not len(began):
        return ()
    before = np.cumsum(np.concatenate([[0.0], *(part[1] for part in wet)]))
    return tuple(_greatest(began, before, minutes, step_ms) for minutes in durations)


def _greatest(began: Integers, before: Floats, minutes: int, step_ms: int) -> Intensity:
    last = np.searchsorted(began, began + minutes * MINUTE_MS - step_ms, "right")
    sums = before[last] - before[:-1]
    at = int(sums.argmax())
    return Intensity(minutes, float(sums[at]), Moment(began[at]))


def _yearly_maxima(daily: Periods, years: Periods) -> tuple[Floats, str]:
    """The wettest day of each year that is complete enough; and why there are too few of them."""
    complete = (years.complete >= COMPLETE_YEAR) & years.whole
    year_of = _year_of(daily, years)
    maxima = [
        float(np.nanmax(daily.total[year_of == year]))
        for year in np.flatnonzero(complete).tolist()
        if np.isfinite(daily.total[year_of == year]).any()
    ]
    note = "" if len(maxima) >= LEAST_YEARS else f"{len(maxima)} complete years; return levels need {LEAST_YEARS} or more"
    return np.array(maxima), note


def table(result: Rain, unit: str) -> Table:
    """Return the days as a table."""
    rows: list[tuple[Any, ...]] = [tuple(vars(day).values()) for day in result.days]
    return Table(("date", f"total [{unit}]", "complete", "whole"), rows)
