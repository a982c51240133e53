"""The summary of a window: exact statistics of all readings of each series."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict

from analysis.answer import Method, Moment, Table
from analysis.bins import product, slices
from analysis.pauses import PauseFinder
from analysis.quantiles import quantiles
from analysis.question import Observed, Question
from data.arrays import Floats
from data.view.reduce import cut
from data.view.statistics import SeriesStatistics, statistics, vector_mean


class Options(BaseModel):
    """The summary has no options."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Summary:
    """``rows`` readings, ``flagged`` of them; the rest is over those that count. Numbers are in the
    sensor's unit.

    ``expected`` readings were due by the usual step (null: unknown), ``complete`` is the share that
    is there (0..1), ``gaps`` how many pauses lack readings. ``min_time`` is that of the first of
    ``min_count`` readings with that value. ``total`` only of a sensor that is
    summed. A direction has a mean vector and a circular standard deviation (degrees), and no
    quantiles.
    """

    rows: int
    flagged: int
    expected: int | None
    complete: float | None
    gaps: int
    min: float | None
    min_time: Moment | None
    min_count: int | None
    max: float | None
    max_time: Moment | None
    max_count: int | None
    p10: float
    median: float
    p90: float
    mean: float | None
    std: float
    total: float | None


METHOD = (
    Method("quantiles", "linear interpolation of order statistics, of all readings: Hyndman & Fan, Am. Stat. 50 (1996), type 7"),
    Method("standard deviation", "of the sample (n - 1); of a direction sqrt(-2 ln R): Mardia & Jupp (2000), 2.3"),
    Method("complete", "readings that are there, of those due by the usual step of each month"),
)


def run(question: Question, observed: Observed, options: Options) -> Summary:  # noqa: ARG001 - every analysis has options
    """Return the summary of one series."""
    span, flagged = (question.start_ms, question.end_ms), observed.rows == "all"
    found = statistics(observed.series, observed.sensor, *span, step_ms=observed.step_ms, include_flagged=flagged)
    return summarised(question, observed, found)


def summarised(question: Question, observed: Observed, found: SeriesStatistics) -> Summary:
    """Return the summary of one series of which the statistics are ``found`` already."""
    is_direction = observed.sensor.is_direction
    finder = PauseFinder(question, observed)
    values, count = np.empty(0 if is_direction else observed.series.rows), 0
    for moments, part in observed.chunks():
        finder.add(moments)
        if not is_direction:
            values[count : count + len(part)] = part
            count += len(part)
    values = values[:count]
    p10, median, p90 = quantiles(values, (0.1, 0.5, 0.9)).tolist()
    return Summary(
        rows=found.rows,
        flagged=found.flagged,
        expected=round(found.rows / found.completeness) if found.completeness else None,
        complete=found.completeness,
        gaps=len(finder.found()),
        min=found.min,
        min_time=None if found.min_time is None else Moment(found.min_time),
        min_count=None if is_direction or not count else int(np.count_nonzero(values == found.min)),
        max=found.max,
        max_time=None if found.max_time is None else Moment(found.max_time),
        max_count=None if is_direction or not count else int(np.count_nonzero(values == found.max)),
        p10=p10,
        median=median,
        p90=p90,
        mean=found.mean,
        std=_circular_deviation(question, observed) if is_direction else _deviation(values),
        total=found.sum if observed.sensor.aggregation == "sum" else None,
    )


def _deviation(values: Floats) -> float:
    """Of the sample; slice by slice, since arrays of a cache's size are quicker."""
    if len(values) < 2:
        return math.nan
    mean, squares = float(values.mean()), 0.0
    for part in slices(len(values)):
        apart = values[part] - mean
        squares += product(apart, apart)
    return math.sqrt(squares / (len(values) - 1))


def _circular_deviation(question: Question, observed: Observed) -> float:
    """From the sums of unit vectors that each block of rows has."""
    columns = cut(observed.series, np.array([question.start_ms, question.end_ms])).columns(observed.rows)
    if columns.sin is None or columns.cos is None or columns.count[0] < 2:
        return math.nan
    if math.isnan(float(vector_mean(columns.sin, columns.cos, columns.count)[0])):
        return math.nan
    length = math.hypot(columns.sin[0], columns.cos[0]) / int(columns.count[0])
    return math.degrees(math.sqrt(-2 * math.log(min(1.0, length))))


def table(result: Summary, unit: str) -> Table:
    """Return the summary as a table of one row."""
    return Table([*vars(result), "unit"], [[*vars(result).values(), unit]])
