"""Years beside each other: the same days or months of each year, and what is usual of all of
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator

from analysis.answer import Method, Table
from analysis.days import periods
from analysis.question import Observed, Question
from data.arrays import Floats
from data.time.epoch import MINUTE_MS
from errors import InvalidRequest

_MONTHS: Final = range(1, 13)


class Options(BaseModel):
    """Days or months of each year, those with ``complete`` of their readings; running sums of
    each year with ``cumulative``. ``years`` are listed, and ``months`` (1 to 12) of each; default:
    all. What is usual is of all years.
    """

    model_config = ConfigDict(extra="forbid")

    bucket: Literal["1d", "1mo"] = "1d"
    cumulative: bool = False
    complete: Annotated[float, Field(ge=0, le=1)] = 0.8
    years: tuple[int, ...] = ()
    months: tuple[int, ...] = ()

    @field_validator("years", "months", mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        return tuple(part for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("months")
    @classmethod
    def _of_a_year(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(month not in _MONTHS for month in value):
            raise ValueError("give months as numbers from 1 to 12, such as 6,7,8")
        return value


@dataclass(frozen=True)
class Compare:
    """``labels`` month-day (``07-14``) or month (``07``) of the clock; ``years`` and their
    ``values`` f8[year][label] by the sensor's rule, null where too few readings are there.

    ``p10``, ``median`` and ``p90`` f8[label] are over all years that have a value, ``number`` of
    them, also over those that are not among ``years``; ``anomaly`` is value minus median.
    """

    labels: tuple[str, ...]
    years: tuple[int, ...]
    values: Floats
    number: np.ndarray
    p10: Floats
    median: Floats
    p90: Floats
    anomaly: Floats


METHOD = (
    Method("value", "mean, sum or mean direction of all readings of the day or month, by the sensor's rule"),
    Method("usual", "quantiles over years of the same day or month, linear interpolation: Hyndman & Fan (1996), type 7"),
)


def run(question: Question, observed: Observed, options: Options) -> Compare:
    """Return the years of one series beside each other.

    Raises:
        InvalidRequest: the window has none of a year that is asked for.
    """
    found = periods(question, observed, options.bucket)
    shift = observed.sensor.day_start_min * MINUTE_MS
    wall = (question.wall(found.start) - shift).astype("datetime64[ms]").astype("datetime64[D]")
    texts = [str(day)[-5:] if options.bucket == "1d" else str(day)[-5:-3] for day in wall]
    years = [int(str(day).split("-")[0]) for day in wall]
    wanted = [not options.months or int(text[:2]) in options.months for text in texts]
    labels = sorted({text for text, is_wanted in zip(texts, wanted, strict=True) if is_wanted})
    year_list = sorted(set(years))
    values = np.full((len(year_list), len(labels)), np.nan)
    enough = ~(found.complete < options.complete)  # where no step is known, what is there counts
    column = {label: number for number, label in enumerate(labels)}
    row = {year: number for number, year in enumerate(year_list)}
    for year, text, value, ok in zip(years, texts, found.value.tolist(), enough.tolist(), strict=True):
        if text in column:
            values[row[year], column[text]] = value if ok else np.nan
    if options.cumulative:
        values = np.where(np.isnan(values), np.nan, np.nancumsum(values, axis=1))
    listed = [row[year] for year in _listed(options.years, year_list)]
    number, p10, median, p90 = _usual(values)
    chosen = values[listed]
    return Compare(tuple(labels), tuple(year_list[at] for at in listed), chosen, number, p10, median, p90, chosen - median)


def _listed(wanted: tuple[int, ...], there: list[int]) -> list[int]:
    missing = [year for year in wanted if year not in there]
    if missing:
        raise InvalidRequest(
            "The window has nothing of {year}; it has {first} to {last}.",
            field="years",
            year=str(missing[0]),
            first=str(there[0]),
            last=str(there[-1]),
        )
    return sorted(set(wanted)) or there


def _usual(values: Floats) -> tuple[np.ndarray, Floats, Floats, Floats]:
    number = np.isfinite(values).sum(axis=0)
    quantiles = np.full((3, values.shape[1]), np.nan)
    there = number > 0
    if there.any():
        quantiles[:, there] = np.nanquantile(values[:, there], [0.1, 0.5, 0.9], axis=0)
    return number, quantiles[0], quantiles[1], quantiles[2]


def table(result: Compare, unit: str) -> Table:
    """Return a row a day or month: its values of each year, then what is usual."""
    columns = [*result.values, result.p10, result.median, result.p90]
    rows: list[list[Any]] = [[label, *(float(column[at]) for column in columns)] for at, label in enumerate(result.labels)]
    names = (f"{name} [{unit}]" for name in (*result.years, "p10", "median", "p90"))
    return Table(("day" if "-" in (result.labels or ("",))[0] else "month", *names), rows)
