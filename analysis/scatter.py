"""Two series against each other: the pairs or their density, correlation, and the line through
them with its interval.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from analysis.answer import Method, Moment, Table
from analysis.bins import Bins, product, slices
from analysis.distribution import nice_edges
from analysis.pairs import months, paired
from analysis.question import Observed, Question
from data.arrays import Floats, Integers

_Z95: Final = 1.959963984540054
_LEAST_PAIRS: Final = 3
MOST_POINTS: Final = 4000  # pairs that an answer tells one by one


class Options(BaseModel):
    """About ``bins`` cells a side of the density."""

    model_config = ConfigDict(extra="forbid")

    bins: Annotated[int, Field(ge=1, le=200)] = 60


@dataclass(frozen=True)
class Fit:
    """y = intercept + slope x by least squares, the intervals of 95 % of both, and the residuals'
    standard deviation.
    """

    slope: float
    intercept: float
    slope_low: float
    slope_high: float
    intercept_low: float
    intercept_high: float
    residual: float


@dataclass(frozen=True)
class Points:
    """Every pair, by time: ``x``, ``y`` f8[n] and what both readings are stamped with."""

    times: tuple[Moment, ...]
    x: Floats
    y: Floats


@dataclass(frozen=True)
class Scatter:
    """Pairs of readings with the same time: ``rows`` of them, ``unpaired`` readings without a
    partner.

    ``counts`` i8[x][y] of the cells between ``x_edges`` and ``y_edges``; ``correlation`` is
    Pearson's, null where one series does not vary; ``difference`` the mean of y - x where both have
    one unit. ``points`` are the pairs, null of more than :data:`MOST_POINTS`.
    """

    rows: int
    unpaired: int
    x_edges: Floats
    y_edges: Floats
    counts: Integers
    correlation: float
    fit: Fit | None
    difference: float
    points: Points | None = None


METHOD = (
    Method("correlation", "Pearson, of pairs of readings with the same time"),
    Method("line", "least squares; its interval takes residuals as independent, which readings in a row are not"),
)


def run(question: Question, one: Observed, other: Observed, options: Options) -> Scatter:  # noqa: ARG001 - as every analysis
    """Return the pairs of two series, the first along x."""
    x, y, stamps, unpaired = _pairs(one, other)
    same_unit = one.sensor.unit == other.sensor.unit
    if not len(x):
        nothing = np.empty(0)
        return Scatter(0, unpaired, nothing, nothing, np.empty((0, 0), np.int64), math.nan, None, math.nan)
    along_x, along_y = Bins(nice_edges(x, options.bins)), Bins(nice_edges(y, options.bins))
    counts = np.zeros(along_x.number * along_y.number, np.int64)
    for part in slices(len(x)):
        cell = along_x.of(x[part])
        cell *= along_y.number
        cell += along_y.of(y[part])
        counts += np.bincount(cell, minlength=len(counts))
    difference = float(y.mean() - x.mean()) if same_unit else math.nan
    cells = counts.reshape(along_x.number, along_y.number)
    points = None if len(x) > MOST_POINTS else Points(tuple(map(Moment, stamps.tolist())), x, y)
    return Scatter(len(x), unpaired, along_x.edges, along_y.edges, cells, *_line(x, y), difference, points)


def _pairs(one: Observed, other: Observed) -> tuple[Floats, Floats, Integers, int]:
    """Both series' values of the same times, the stamps of at least the first
    :data:`MOST_POINTS`, and how many readings have no partner.
    """
    most = min(one.series.rows, other.series.rows)
    x, y, count, unpaired = np.empty(most), np.empty(most), 0, 0
    stamps = [np.empty(0, np.int64)]
    for rows in months((one, other)):
        found = paired(rows[0], rows[1])
        if count < MOST_POINTS:
            stamps.append(found.stamps)
        own = slice(count, count + len(found.one))
        x[own], y[own] = found.one, found.other
        count, unpaired = own.stop, unpaired + found.unpaired
    return x[:count], y[:count], np.concatenate(stamps), unpaired


def _line(x: Floats, y: Floats) -> tuple[float, Fit | None]:
    middle_x, middle_y = float(x.mean()), float(y.mean())
    sxx = syy = sxy = 0.0
    for part in slices(len(x)):
        dx, dy = x[part] - middle_x, y[part] - middle_y
        sxx, syy, sxy = sxx + product(dx, dx), syy + product(dy, dy), sxy + product(dx, dy)
    if len(x) < _LEAST_PAIRS or not sxx > 0:
        return math.nan, None
    slope = sxy / sxx
    residual = math.sqrt(max(0.0, syy - slope * sxy) / (len(x) - 2))
    margin = _Z95 * residual / math.sqrt(sxx)
    at_zero = _Z95 * residual * math.sqrt(1 / len(x) + middle_x * middle_x / sxx)
    intercept = middle_y - slope * middle_x
    correlation = sxy / math.sqrt(sxx * syy) if syy > 0 else math.nan
    return correlation, Fit(slope, intercept, slope - margin, slope + margin, intercept - at_zero, intercept + at_zero, residual)


def table(result: Scatter, unit: str) -> Table:  # noqa: ARG001 - two units, named in the answer
    """Return the cells with pairs as a table."""
    x, y = result.x_edges.tolist(), result.y_edges.tolist()
    cells = zip(*(each.tolist() for each in np.nonzero(result.counts)), strict=True)
    rows: list[tuple[Any, ...]] = [(x[i], x[i + 1], y[j], y[j + 1], int(result.counts[i, j])) for i, j in cells]
    return Table(("x from", "x to", "y from", "y to", "rows"), rows)
