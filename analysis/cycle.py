"""The diurnal and the annual cycle: mean and spread by hour, by month, and by hour of each
month.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict

from analysis.angles import sines
from analysis.answer import Method, Table
from analysis.bins import tally
from analysis.question import Observed, Question, parts_of
from analysis.value_counts import count_values
from data.arrays import Floats, Integers
from data.view.statistics import vector_mean

_LEVELS: Final = (0.1, 0.5, 0.9)
_PARTS: Final = 12 * 24  # hours of months


class Options(BaseModel):
    """The cycle has no options."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Part:
    """Readings of an hour (00..23) or month (01..12) of the clock; a direction has a mean, and
    no quantiles.
    """

    name: str
    rows: int
    mean: float
    p10: float
    median: float
    p90: float


@dataclass(frozen=True)
class Cycle:
    """``hours`` and ``months`` that have readings; ``mean`` f8[12][24] of each hour of each
    month, null without readings.
    """

    hours: tuple[Part, ...]
    months: tuple[Part, ...]
    mean: Floats
    rows: Integers


METHOD = (
    Method("mean", "of all readings; a direction's is that of unit vectors: Mardia & Jupp, Directional Statistics (2000), 2.2"),
    Method("quantiles", "linear interpolation of order statistics: Hyndman & Fan (1996), type 7"),
)


def run(question: Question, observed: Observed, options: Options) -> Cycle:  # noqa: ARG001 - every analysis has options
    """Return the cycles of one series."""
    moments, values = observed.read()
    month, months = parts_of(question, moments, "month")
    hour, hours = parts_of(question, moments, "hour")
    key = month * 24 + hour
    spreads = [np.full((len(names), 3), np.nan) for names in (hours, months)]
    if observed.sensor.is_direction:
        rows, sums = tally(key, _PARTS), [tally(key, _PARTS, each) for each in sines(values)]
    else:
        counted = count_values(values, key, _PARTS)
        rows, sums = counted.rows, [counted.sums()]
        part = np.arange(_PARTS)
        spreads = [counted.regrouped(own, number).quantiles(_LEVELS) for own, number in ((part % 24, 24), (part // 24, 12))]
    rows, sums = rows.reshape(12, 24), [each.reshape(12, 24) for each in sums]
    of_hour, of_month = ([each.sum(axis=axis) for each in sums] for axis in (0, 1))
    return Cycle(
        hours=_parts(hours, rows.sum(axis=0), _means(of_hour, rows.sum(axis=0)), spreads[0]),
        months=_parts(months, rows.sum(axis=1), _means(of_month, rows.sum(axis=1)), spreads[1]),
        mean=_means(sums, rows),
        rows=rows,
    )


def _means(sums: Sequence[Floats], rows: Integers) -> Floats:
    """Of sums of values, or of sines and cosines; NaN without rows."""
    if len(sums) > 1:
        return vector_mean(sums[0], sums[1], rows)
    return np.where(rows > 0, sums[0] / np.maximum(rows, 1), np.nan)


def _parts(names: Sequence[str], rows: Integers, means: Floats, spread: Floats) -> tuple[Part, ...]:
    found = zip(names, rows.tolist(), means.tolist(), spread.tolist(), strict=True)
    return tuple(Part(name, number, mean, *levels) for name, number, mean, levels in found if number)


def table(result: Cycle, unit: str) -> Table:
    """Return the means of each hour of each month as a table, in the sensor's unit."""
    rows: list[tuple[Any, ...]] = [(f"{month + 1:02d}", *result.mean[month].tolist()) for month in range(12)]
    return Table((f"month [{unit}]", *(f"{hour:02d}" for hour in range(24))), rows)
