"""The calendar: what each day or hour holds, and the gaps between readings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from analysis.answer import Method, Moment, Table
from analysis.clock_hours import HOURS, clock_hours
from analysis.days import between, periods
from analysis.pauses import PauseFinder, Pauses
from analysis.question import Observed, Question
from data.arrays import Floats
from data.time.epoch import HOUR_MS
from errors import TooLarge

MOST_GAPS: Final = 1000
MOST_HOURS: Final = 100_000  # 11 years


class Options(BaseModel):
    """Each day alone, or each ``hour`` as well."""

    model_config = ConfigDict(extra="forbid")

    by: Literal["day", "hour"] = "day"


@dataclass(frozen=True)
class Day:
    """A day of the sensor's clock: ``expected`` readings by the usual step (null: unknown).
    Numbers are in the sensor's unit.
    """

    date: str
    rows: int
    expected: int | None
    mean: float
    min: float
    max: float
    total: float | None


@dataclass(frozen=True)
class Gap:
    """No reading between two stamps, where ``missing`` were due; of the window's first or last
    gap one end is the window's.
    """

    from_: Moment
    to_: Moment
    missing: int


@dataclass(frozen=True)
class Hours:
    """Hours of the clock: arrays f8[date][hour 0..23] in the sensor's unit. Where the window or the
    clock has no such hour, all are NaN; where nothing is known, all but ``rows``.
    """

    dates: tuple[str, ...]
    rows: Floats
    expected: Floats
    mean: Floats
    min: Floats
    max: Floats
    total: Floats


@dataclass(frozen=True)
class Calendar:
    """``days`` that touch the window, with and without readings; ``gaps`` by time, the longest
    :data:`MOST_GAPS` of them; ``hours`` where they were asked for.
    """

    days: tuple[Day, ...]
    gaps: tuple[Gap, ...]
    gaps_in_all: int
    missing: int
    hours: Hours | None = None


METHOD = (
    Method(
        "readings that are due",
        "length of the day divided by the usual step, the median of those of each 256 readings",
    ),
    Method("gap", "a pause of two or more usual steps; what is counted is stamps, not time"),
)


def run(question: Question, observed: Observed, options: Options) -> Calendar:
    """Return days and gaps of one series, and its hours where they are asked for.

    Raises:
        TooLarge: the window has more days or hours than are listed at once.
    """
    hours = _hours(question, observed) if options.by == "hour" else None
    found = periods(question, observed, "1d")
    is_sum = observed.sensor.aggregation == "sum"
    days = tuple(
        Day(date, rows, None if expected < 0 else expected, mean, least, most, total if is_sum else None)
        for date, rows, expected, mean, least, most, total in zip(
            question.dates(found.start, observed.sensor),
            found.rows.tolist(),
            found.expected.tolist(),
            found.value.tolist() if observed.sensor.is_direction else found.mean.tolist(),
            found.min.tolist(),
            found.max.tolist(),
            found.total.tolist(),
            strict=True,
        )
    )
    finder = PauseFinder(question, observed)
    for moments, _ in observed.chunks():
        finder.add(moments)
    gaps = finder.found()
    return Calendar(days, _longest(gaps), len(gaps), int(gaps.missing.sum()), hours)


def _hours(question: Question, observed: Observed) -> Hours:
    """The hours of a series as its clock shows them, exact, of all rows."""
    span = (question.start_ms, question.end_ms)
    number = (span[1] - span[0]) // HOUR_MS
    if number > MOST_HOURS:
        raise TooLarge(
            "This window has {number} hours, and {most} are shown at once. Choose a shorter window, or days.",
            field="by",
            number=f"{number:,}",
            most=f"{MOST_HOURS:,}",
        )
    clock = clock_hours(*span, question.timezone)
    found = between(observed, clock.edges, span, most=len(clock.hour))

    def placed(values: Any) -> Floats:
        cells = np.full((clock.days, HOURS), np.nan)
        cells[clock.at] = values
        return cells

    sums = observed.sensor.aggregation == "sum"
    first = np.datetime64(int(clock.day[0]), "D")
    return Hours(
        dates=tuple(str(first + day) for day in range(clock.days)),
        rows=placed(found.rows),
        expected=placed(np.where(found.expected < 0, np.nan, found.expected)),
        mean=placed(found.value if observed.sensor.is_direction else found.mean),
        min=placed(found.min),
        max=placed(found.max),
        total=placed(found.total if sums else np.nan),
    )


def _longest(gaps: Pauses) -> tuple[Gap, ...]:
    """The longest pauses by time; of equal ones the earlier."""
    at = np.sort(np.argsort(-gaps.missing, kind="stable")[:MOST_GAPS])
    columns = (each[at].tolist() for each in (gaps.start, gaps.end, gaps.missing))
    return tuple(Gap(Moment(start), Moment(end), missing) for start, end, missing in zip(*columns, strict=True))


def table(result: Calendar, unit: str) -> Table:
    """Return the days as a table; the hours where they were asked for."""
    numbers = ("rows", "expected", f"mean [{unit}]", f"min [{unit}]", f"max [{unit}]", f"total [{unit}]")
    if result.hours is None:
        days: list[tuple[Any, ...]] = [tuple(vars(day).values()) for day in result.days]
        return Table(("date", *numbers), days)
    dates, *cells = vars(result.hours).values()
    known = np.argwhere(~np.isnan(result.hours.rows)).tolist()
    columns = [each.tolist() for each in cells]
    rows = [
        (dates[day], hour, *(_whole(each[day][hour]) if at < 2 else each[day][hour] for at, each in enumerate(columns)))
        for day, hour in known
    ]
    return Table(("date", "hour", *numbers), rows)


def _whole(count: float) -> int | None:
    return None if np.isnan(count) else int(count)
