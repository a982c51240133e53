"""Days and longer periods of a series: what each holds by the sensor's rule, and how many
readings it should hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from analysis.question import Observed, Question
from data.arrays import Floats, Integers
from data.view.aggregate import value_of
from data.view.column_reducers import LIMITS, SUMS
from data.view.gaps import steps_at
from data.view.reduce import cut
from errors import TooLarge

MOST_PERIODS: Final = 40_000  # 109 years of days: an answer lists each


@dataclass(frozen=True)
class Periods:
    """Periods that touch the window, increasing: ``start``/``end`` i8[n] ms UTC, ``rows`` i8,
    ``expected`` i8 (-1: unknown), ``mean``, ``min``, ``max``, ``total`` f8 in the sensor's unit
    (NaN without rows), ``value`` f8 by the sensor's rule.

    The first and the last are cut by the window; they are whole where ``whole`` is true.
    """

    start: Integers
    end: Integers
    rows: Integers
    expected: Integers
    mean: Floats
    min: Floats
    max: Floats
    total: Floats
    value: Floats
    whole: np.ndarray

    @property
    def complete(self) -> Floats:
        """Shares of the readings that were due, f8[n] 0 to 1; NaN where none was due or no step
        is known.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.expected > 0, np.minimum(1.0, self.rows / self.expected), np.nan)


def periods(question: Question, observed: Observed, bucket: str) -> Periods:
    """Return the days (``1d``), months (``1mo``) or other buckets of a series: exact, of all
    rows.
    """
    edges = question.edges(bucket, observed.sensor)
    return between(observed, edges, (question.start_ms, question.end_ms))


def between(observed: Observed, edges: Integers, span: tuple[int, int], *, most: int = MOST_PERIODS) -> Periods:
    """Return the periods of a series between increasing ``edges`` i8[n+1] ms UTC that touch a
    span: exact, of all rows of the span. More than ``most`` are too many.
    """
    refuse_many(len(edges) - 1, most)
    start, end = np.maximum(edges[:-1], span[0]), np.minimum(edges[1:], span[1])
    inside = np.append(start, end[-1])
    columns = cut(observed.series, inside).columns(observed.rows, want=(*LIMITS, *SUMS))
    there = columns.count > 0
    nothing = np.full(len(start), np.nan)
    count = np.maximum(columns.count, 1)
    return Periods(
        start=edges[:-1],
        end=edges[1:],
        rows=columns.count,
        expected=_expected(observed, start, end),
        mean=np.where(there, columns.sum / count, nothing),
        min=np.where(there, columns.min, nothing),
        max=np.where(there, columns.max, nothing),
        total=np.where(there, columns.sum, nothing),
        value=np.where(there, value_of(columns, observed.sensor), nothing),
        whole=(edges[:-1] >= span[0]) & (edges[1:] <= span[1]),
    )


def refuse_many(number: int, most: int = MOST_PERIODS) -> None:
    """Raise TooLarge where an answer would list too many periods."""
    if number > most:
        raise TooLarge(
            "This window has {number} days or steps, and {most} are listed at once. Choose a shorter window or longer steps.",
            number=f"{number:,}",
            most=f"{most:,}",
        )


def _expected(observed: Observed, start: Integers, end: Integers) -> Integers:
    """How many readings are due in each span, by the usual step around it; -1 where none is
    known.
    """
    steps = steps_at(observed.series, start + observed.series.lag_ms, observed.step_ms)
    due = np.rint((end - start) / np.maximum(steps, 1)).astype(np.int64)  # of a day of 23 hours a daily gauge owes one, too
    return np.where(steps > 0, due, -1)
