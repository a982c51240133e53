"""The distribution of readings: histogram, how often a value is exceeded, and a box by month or
hour.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from analysis.answer import Method, Table
from analysis.bins import Bins
from analysis.question import Observed, Question, parts_of
from analysis.value_counts import ValueCounts, count_values
from data.arrays import Floats, Integers

PERCENTS: Final = (0.1, 0.5, 1, 2, 5, 10, 20, 25, 30, 40, 50, 60, 70, 75, 80, 90, 95, 98, 99, 99.5, 99.9)
_FINEST: Final = 1e-12  # of a value: narrower bins have edges that float64 cannot tell apart
_LEVELS: Final = {"min": 0, "p10": 0.1, "q1": 0.25, "median": 0.5, "q3": 0.75, "p90": 0.9, "max": 1}
_COMPASS_EDGES: Final = np.arange(0.0, 361.0, 10.0)


class Options(BaseModel):
    """About ``bins`` bins of a width that reads well; boxes by month, by hour, or none."""

    model_config = ConfigDict(extra="forbid")

    bins: Annotated[int, Field(ge=1, le=1000)] = 50
    by: Literal["month", "hour", "none"] = "month"


@dataclass(frozen=True)
class Box:
    """Readings of one month (01..12) or hour (00..23) of the clock; quartiles by linear
    interpolation.
    """

    name: str
    rows: int
    min: float
    p10: float
    q1: float
    median: float
    q3: float
    p90: float
    max: float
    mean: float


@dataclass(frozen=True)
class Distribution:
    """``counts`` i8[n] of readings in [edges_i, edges_i+1), the last bin with its end; ``edges``
    f8[n+1] in the sensor's unit.

    ``exceeded`` pairs a percent of readings with the value that they exceed or reach.
    """

    rows: int
    edges: Floats
    counts: Integers
    exceeded: tuple[tuple[float, float], ...]
    boxes: tuple[Box, ...]


METHOD = (
    Method("quantiles", "linear interpolation of order statistics, of all readings: Hyndman & Fan, Am. Stat. 50 (1996), type 7"),
    Method("bins", "of a width of 1, 2 or 5 times a power of ten, aligned to 0"),
)


def run(question: Question, observed: Observed, options: Options) -> Distribution:
    """Return the distribution of one series."""
    moments, values = observed.read()
    if not len(values):
        return Distribution(0, np.empty(0), np.empty(0, np.int64), (), ())
    is_direction = observed.sensor.is_direction
    edges = _COMPASS_EDGES if is_direction else nice_edges(values, options.bins)
    inside = values[(values >= 0) & (values <= edges[-1])] if is_direction else values  # a flagged one may be anything
    key, names = (None, [""]) if options.by == "none" else parts_of(question, moments, options.by)
    counted = count_values(values, key, len(names))
    counts = counted.histogram(Bins(edges)) if inside is values else Bins(edges).count(inside)
    levels = counted.together().quantiles((1 - np.array(PERCENTS) / 100).tolist())[0].tolist()
    boxes = () if key is None else _boxes(names, counted)
    return Distribution(len(values), edges, counts, tuple(zip(PERCENTS, levels, strict=True)), boxes)


def nice_width(span: float, most: int) -> float:
    """Return the least of 1, 2, 5 times a power of ten of which ``span`` holds at most ``most``;
    1 for no span.
    """
    if not span > 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(span / most))
    return next((power * factor for factor in (1, 2, 5, 10) if span / (power * factor) <= most), power * 10)


def nice_edges(values: Floats, most: int) -> Floats:
    """Return the edges f8[n+1] of about ``most`` bins that hold some values, at multiples of a
    nice width.
    """
    least, greatest = float(values.min()), float(values.max())
    width = max(nice_width(greatest - least, most), _FINEST * max(abs(least), abs(greatest)))
    return np.arange(math.floor(least / width), math.floor(greatest / width) + 2, dtype=np.float64) * width


def _boxes(names: Sequence[str], counted: ValueCounts) -> tuple[Box, ...]:
    levels = counted.quantiles(tuple(_LEVELS.values())).tolist()
    return tuple(
        Box(name, number, mean=total / number, **dict(zip(_LEVELS, level, strict=True)))
        for name, number, level, total in zip(names, counted.rows.tolist(), levels, counted.sums().tolist(), strict=True)
        if number
    )


def table(result: Distribution, unit: str) -> Table:
    """Return the histogram as a table."""
    edges = result.edges.tolist()
    rows: list[tuple[Any, ...]] = list(zip(edges[:-1], edges[1:], result.counts.tolist(), strict=True))
    return Table((f"from [{unit}]", f"to [{unit}]", "rows"), rows)
