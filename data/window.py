"""The window of a view: which part of a request is looked at, how wide, and what may be drawn there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.catalogue import Sensor
from data.reduce import EXTREMES, Columns, Cut, Floats
from data.series import Rows, Series

Integers = npt.NDArray[np.int64]
POINTS_A_COLUMN = 4  # first, minimum, maximum, last


@dataclass(frozen=True)
class Window:
    """[start_ms, end_ms) as asked, int ms UTC, ``width_px`` columns wide; data is taken from within the series' range."""

    start_ms: int
    end_ms: int
    width_px: int
    timezone: str
    include_flagged: bool = False

    @property
    def span_ms(self) -> int:
        """Length in ms."""
        return self.end_ms - self.start_ms

    @property
    def rows(self) -> Rows:
        """Which rows are drawn."""
        return "all" if self.include_flagged else "good"

    def edges(self, pixels: int = 1) -> Integers:
        """Edges i8[n+1] of columns that are ``pixels`` wide: a time t is in column floor((t - start) * n / span)."""
        columns = max(1, min(self.width_px // pixels, self.span_ms))
        return self.start_ms - (-np.arange(columns + 1, dtype=np.int64) * self.span_ms) // columns


@dataclass(frozen=True)
class Subject:
    """What is drawn: a series, its sensor, and its usual step in ms (None when unknown)."""

    series: Series
    sensor: Sensor
    step_ms: int | None


@dataclass(frozen=True)
class Points:
    """The drawn part of one series: as in :class:`data.drawn.SeriesView`."""

    x: Floats
    y: Floats
    rows: Integers
    bucket: str = "raw"
    exact: bool = False
    width: Floats | None = None
    lower: Floats | None = None
    upper: Floats | None = None


def flagged_markers(cut: Cut) -> tuple[Floats, Floats]:
    """(x, y) of the least and the greatest flagged observation of each column: at most two a column."""
    if not cut.flagged.any():
        return np.empty(0), np.empty(0)
    columns = cut.columns("flagged", want=EXTREMES)
    return two_a_column(columns)


def two_a_column(columns: Columns) -> tuple[Floats, Floats]:
    """(x, y) of minimum and maximum of each column with rows, by time, once where they are the same."""
    there = columns.count > 0
    times = np.stack([columns.min_time[there], columns.max_time[there]], axis=1)
    values = np.stack([columns.min[there], columns.max[there]], axis=1)
    return unique_points(times, values)[:2]


def unique_points(times: Integers, values: Floats) -> tuple[Floats, Floats, Integers]:
    """Points of columns ([n, k] each) by time, equal ones once: x f8, y f8, and the row that each came from."""
    order = np.argsort(times, axis=1, kind="stable")
    x = np.take_along_axis(times, order, axis=1)
    y = np.take_along_axis(values, order, axis=1)
    fresh = np.ones(x.shape, bool)
    fresh[:, 1:] = x[:, 1:] != x[:, :-1]
    return x[fresh].astype(np.float64), y[fresh], np.nonzero(fresh)[0]
