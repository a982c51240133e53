"""The monthly report of a station, in the elements and the order of WMO's CLIMAT message.

Manual on Codes (WMO-No. 306), volume I.1, FM 71 CLIMAT, sections 1, 3 and 4; how its elements
are made: Handbook on CLIMAT and CLIMAT TEMP Reporting (WMO/TD-No. 1188, 2009) and Guide to
Climatological Practices (WMO-No. 100); which months are given: WMO Guidelines on the Calculation
of Climate Normals (WMO-No. 1203, 2017).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from analysis.answer import Method
from analysis.days import Periods, between
from analysis.pairs import Rows, months, paired
from analysis.question import Observed, Question
from data.arrays import Bools, Floats, Integers
from data.catalogue import Sensor
from data.cells.units import UnitError, conversion
from data.formula.air_pressure import sea_level_pressure
from data.formula.humid_air import saturation_pressure

COMPLETE_DAY: Final = 0.8  # of the readings due; a day with fewer is missing
MOST_MISSING: Final = 10  # days of a month whose mean is given
MOST_IN_A_ROW: Final = 4
NORMAL_YEARS: Final = 30
LEAST_YEARS: Final = 24  # 80 % of them
ELEMENTS: Final = (
    "station_pressure",
    "sea_level_pressure",
    "temperature",
    "temperature_deviation",
    "max_temperature",
    "min_temperature",
    "vapour_pressure",
    "precipitation",
    "wet_days",
    "sunshine",
)
WARM_FROM: Final = (25.0, 30.0, 35.0, 40.0)  # °C, of the daily maximum
RAIN_FROM: Final = (1.0, 5.0, 10.0, 50.0, 100.0, 150.0)  # mm a day

METHOD: Final = (
    Method("elements and their order", "WMO-No. 306, Manual on Codes, volume I.1, FM 71 CLIMAT, sections 1, 3 and 4"),
    Method("daily values", "means of all readings of a day, its highest and its lowest: WMO/TD-No. 1188, WMO-No. 100"),
    Method("days of a month", "those that begin in it, where the catalogue says that the sensor's days begin: WMO/TD-No. 1188"),
    Method("missing day", "fewer than 80 % of the readings due, or not over where the readings end"),
    Method("mean of a month", "of daily values; not given from 11 missing days on, or 5 in a row: WMO-No. 1203"),
    Method("sum of a month", "given only where no day is missing: WMO-No. 1203"),
    Method(
        "vapour pressure", "of readings of temperature and humidity with the same time, by Magnus' form: Alduchov & Eskridge 1996"
    ),
    Method("pressure at sea level", "of readings with the same time, WMO-No. 8, volume I, chapter 3, equation 3.2; below 750 m"),
    Method("normal", "mean of the 30 years before, where 24 or more (80 %) have a value: WMO-No. 1203"),
    Method(
        "quintile", "limits of fifths of the normal's years, by ranks (i - 0.5) / n; 0 and 6: below and above all: WMO-No. 306"
    ),
)


@dataclass(frozen=True)
class Element:
    """The value of a month by its name in :data:`ELEMENTS`, NaN where it is not given; ``missing``
    of ``days`` days have none.
    """

    name: str
    value: float
    unit: str
    missing: int
    days: int


@dataclass(frozen=True)
class DayExtreme:
    """The day of the month (a date, ISO 8601) that had most or least of something."""

    name: str
    value: float
    unit: str
    date: str


@dataclass(frozen=True)
class DayCount:
    """How many days passed a limit, of those that have a value."""

    name: str
    limit: float
    unit: str
    days: int


@dataclass(frozen=True)
class Climat:
    """The month of one station; what it does not measure is left out."""

    elements: tuple[Element, ...]
    extremes: tuple[DayExtreme, ...]
    counts: tuple[DayCount, ...]

    def value(self, name: str) -> float:
        """Return the value of an element, NaN where there is none."""
        return next((each.value for each in self.elements if each.name == name), math.nan)


@dataclass(frozen=True)
class _Days:
    """Values of the days of a month, f8[n], and which of them are missing; of a sensor with its
    own day.
    """

    dates: list[str]
    mean: Floats
    min: Floats
    max: Floats
    total: Floats
    lacking: Bools


def climat(question: Question, observed: Sequence[Observed]) -> Climat:
    """Return the month of a station, of its series ``observed``; the window of the question is the
    month, of which the days that begin in it count. What is loaded has to reach to the end of the
    last; else that day is missing.
    """
    found = _Station(question, observed)
    return Climat(tuple(found.elements()), tuple(found.extremes()), tuple(found.counts()))


def normal(values: Sequence[float]) -> tuple[float, int]:
    """Return the mean of the values of earlier years that are there, and how many these are; NaN of
    none.
    """
    there = [value for value in values if math.isfinite(value)]
    return (float(np.mean(there)) if there else math.nan), len(there)


def quintile(value: float, earlier: Sequence[float]) -> int | None:
    """Return the fifth of earlier years in which a value lies, 1 to 5; 0 where it is less than all
    of them, 6 where it is more. None where they are too few.
    """
    there = np.array([each for each in earlier if math.isfinite(each)])
    if len(there) < LEAST_YEARS or not math.isfinite(value):
        return None
    if value < there.min() or value > there.max():
        return 0 if value < there.min() else 6
    limits = np.quantile(there, (0.2, 0.4, 0.6, 0.8), method="hazen")
    return int(np.searchsorted(limits, value, "left")) + 1


class _Station:
    """The series of a station by what they measure, in the units of the message."""

    def __init__(self, question: Question, observed: Sequence[Observed]) -> None:
        self._question = question
        self._observed = observed
        self._temperature = self._days("air_temperature", "degC")
        self._rain = self._days("thickness_of_rainfall_amount", "mm") or self._days("precipitation_amount", "mm")

    def elements(self) -> Iterator[Element]:
        pressure = self._days("air_pressure", "hPa")
        if pressure:
            yield _mean("station_pressure", pressure.mean, pressure, "hPa")
        sea = self._days("air_pressure_at_mean_sea_level", "hPa") or self._at_sea_level()
        if sea:
            yield _mean("sea_level_pressure", sea.mean, sea, "hPa")
        if self._temperature:
            yield from _temperatures(self._temperature)
        vapour = self._days("water_vapor_partial_pressure_in_air", "hPa") or self._vapour()
        if vapour:
            yield _mean("vapour_pressure", vapour.mean, vapour, "hPa")
        if self._rain:
            yield _sum("precipitation", self._rain.total, self._rain, "mm")
            wet = np.where(np.isfinite(self._rain.total), self._rain.total >= 1.0, np.nan)
            yield _sum("wet_days", wet, self._rain, "")
        sunshine = self._days("duration_of_sunshine", "hour")
        if sunshine:
            yield _sum("sunshine", sunshine.total, sunshine, "h")

    def extremes(self) -> Iterator[DayExtreme]:
        days = self._temperature
        if days:
            mean = np.where(days.lacking, np.nan, days.mean)
            yield from _extreme("highest_daily_mean", mean, days, "°C", most=True)
            yield from _extreme("lowest_daily_mean", mean, days, "°C", most=False)
            yield from _extreme("highest_temperature", days.max, days, "°C", most=True)
            yield from _extreme("lowest_temperature", days.min, days, "°C", most=False)
        if self._rain:
            yield from _extreme("greatest_precipitation", self._rain.total, self._rain, "mm", most=True)
        gust = self._days("wind_speed_of_gust", "m/s") or self._days("wind_speed", "m/s")
        if gust:
            yield from _extreme("highest_wind", gust.max, gust, "m/s", most=True)

    def counts(self) -> Iterator[DayCount]:
        days = self._temperature
        if days:
            most, least = (np.where(days.lacking, np.nan, each) for each in (days.max, days.min))
            yield from (DayCount("warm_days", limit, "°C", int((most >= limit).sum())) for limit in WARM_FROM)
            yield DayCount("frost_days", 0.0, "°C", int((least < 0).sum()))
            yield DayCount("ice_days", 0.0, "°C", int((most < 0).sum()))
        if self._rain:
            yield from (DayCount("rain_days", limit, "mm", int((self._rain.total >= limit).sum())) for limit in RAIN_FROM)

    def _find(self, standard_name: str, unit: str) -> tuple[Observed, Callable[[Floats], Floats]] | None:
        for each in self._observed:
            if each.sensor.standard_name == standard_name:
                try:
                    return each, conversion(each.sensor.unit_code, unit)
                except UnitError:  # of another dimension
                    continue
        return None

    def _days(self, standard_name: str, unit: str) -> _Days | None:
        found = self._find(standard_name, unit)
        if found is None:
            return None
        observed, to_unit = found
        edges, span = self._begun(observed.sensor)
        daily = between(self._question.opened(observed, span), edges, span)
        dates = self._question.dates(daily.start, observed.sensor)
        mean, least, most, total = (to_unit(each) for each in (daily.mean, daily.min, daily.max, daily.total))
        return _Days(dates, mean, least, most, total, _lacking(daily, daily.rows))

    def _begun(self, sensor: Sensor) -> tuple[Integers, tuple[int, int]]:
        """Edges i8[n+1] ms UTC of the days that begin in the month, and what of them is loaded."""
        edges = self._question.edges("1d", sensor)
        edges = edges[edges >= self._question.start_ms]
        return edges, (int(edges[0]), min(int(edges[-1]), self._question.loaded[1]))

    def _vapour(self) -> _Days | None:
        return self._computed(
            (("air_temperature", "degC"), ("relative_humidity", "percent")),
            lambda temperature, humidity: saturation_pressure(temperature) * humidity * 0.01,
        )

    def _at_sea_level(self) -> _Days | None:
        metadata = self._observed[0].metadata if self._observed else None
        elevation = metadata.elevation if metadata else None
        if elevation is None:
            return None
        height = np.array(elevation)
        needs = (("air_pressure", "hPa"), ("air_temperature", "degC"), ("relative_humidity", "percent"))
        return self._computed(
            needs, lambda pressure, temperature, humidity: sea_level_pressure(pressure, temperature, humidity, height)
        )

    def _computed(self, needs: Sequence[tuple[str, str]], of: Callable[..., Floats]) -> _Days | None:
        """Days of a quantity that is made of readings of the same time."""
        found = [each for each in (self._find(*need) for need in needs) if each]
        if len(found) < len(needs):
            return None
        edges, span = self._begun(found[0][0].sensor)
        opened = [self._question.opened(each, span) for each, _ in found]
        daily = between(opened[0], edges, span)
        sums, rows = np.zeros(len(daily.start)), np.zeros(len(daily.start), np.int64)
        for parts in months(opened):
            stamps, columns = _same_times(parts)
            values = of(*(to_unit(column) for (_, to_unit), column in zip(found, columns, strict=True)))
            day = np.searchsorted(daily.start, stamps - opened[0].series.lag_ms, "right") - 1
            good = np.isfinite(values) & (day >= 0)
            sums += np.bincount(day[good], values[good], len(sums))
            rows += np.bincount(day[good], minlength=len(rows))
        if not rows.any():
            return None
        mean = np.where(rows > 0, sums / np.maximum(rows, 1), np.nan)
        nothing = np.full(len(mean), np.nan)
        dates = self._question.dates(daily.start, found[0][0].sensor)
        return _Days(dates, mean, nothing, nothing, nothing, _lacking(daily, rows))


def _same_times(parts: Sequence[Rows]) -> tuple[Integers, list[Floats]]:
    """Return the stamps that all series have, and the values of each."""
    stamps = parts[0][0]
    for other, _ in parts[1:]:
        stamps = np.intersect1d(stamps, other, assume_unique=True)
    return stamps, [paired(part, (stamps, stamps.astype(float))).one for part in parts]


def _lacking(daily: Periods, rows: Integers) -> Bools:
    """Which days have too few readings; where no step is known, those without any, or cut."""
    few = (daily.expected > 0) & (rows < COMPLETE_DAY * daily.expected)
    found: Bools = few | (rows == 0) | ~daily.whole
    return found


def _temperatures(days: _Days) -> Iterator[Element]:
    mean = _mean("temperature", days.mean, days, "°C")
    yield mean
    there = days.mean[~days.lacking]
    deviation = float(np.std(there, ddof=1)) if math.isfinite(mean.value) and len(there) > 1 else math.nan
    yield Element("temperature_deviation", deviation, "°C", mean.missing, mean.days)
    yield _mean("max_temperature", days.max, days, "°C")
    yield _mean("min_temperature", days.min, days, "°C")


def _mean(name: str, values: Floats, days: _Days, unit: str) -> Element:
    missing = int(days.lacking.sum())
    given = missing <= MOST_MISSING and _longest_run(days.lacking) <= MOST_IN_A_ROW and missing < len(values)
    value = float(values[~days.lacking].mean()) if given else math.nan
    return Element(name, value, unit, missing, len(values))


def _sum(name: str, values: Floats, days: _Days, unit: str) -> Element:
    missing = int(days.lacking.sum())
    return Element(name, math.nan if missing else float(values.sum()), unit, missing, len(values))


def _longest_run(flags: Bools) -> int:
    longest = run = 0
    for each in flags.tolist():
        run = run + 1 if each else 0
        longest = max(longest, run)
    return longest


def _extreme(name: str, values: Floats, days: _Days, unit: str, *, most: bool) -> Iterator[DayExtreme]:
    if np.isfinite(values).any():
        at = int(np.nanargmax(values) if most else np.nanargmin(values))
        yield DayExtreme(name, float(values[at]), unit, days.dates[at])
