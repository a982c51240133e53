"""Lines: all rows when they are few, else M4, which is pixel for pixel the line through all of them.

M4: first, minimum, maximum and last of each pixel column. Jugel, Jerzak, Hackenbroich, Markl: M4, a visualization-oriented
time series data aggregation, VLDB 2014.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from data.gaps import gaps_between
from data.reduce import ENDS, POINTS, Columns, Cut, Floats, cut
from data.series import Series
from data.window import POINTS_A_COLUMN, Integers, Points, Subject, Window, unique_points


def raw_line(subject: Subject, window: Window, columns: Cut) -> Points:
    """The line of observations; ``columns`` is the series cut at the window's pixel columns."""
    if int(columns.total.sum()) <= POINTS_A_COLUMN * window.width_px:
        return _exact(subject, window)
    reduced = columns.columns(window.rows, want=POINTS)
    x, y, group = m4(reduced)
    rows = reduced.count[reduced.count > 0][group]
    x, y, rows, group = with_neighbours(subject.series, window, x, y, rows, group)
    return broken(x, y, rows, line_gaps(subject, x, group))


def _exact(subject: Subject, window: Window) -> Points:
    times, values, flags = subject.series.read(window.start_ms, window.end_ms)
    if not window.include_flagged and flags.any():
        times, values = times[flags == 0], values[flags == 0]
    ones = np.ones(len(times), np.int64)
    x, y, rows, group = with_neighbours(
        subject.series, window, times.astype(np.float64), values, ones, np.arange(len(times), dtype=np.int64)
    )
    points = broken(x, y, rows, line_gaps(subject, x, group))
    return Points(points.x, points.y, points.rows, "raw", exact=True)


def m4(columns: Columns) -> tuple[Floats, Floats, Integers]:
    """X f8, y f8 of first, minimum, maximum, last of each column with rows, by time; and which of those columns it is."""
    there = columns.count > 0
    names = ("first", "min", "max", "last")
    times = np.stack([getattr(columns, f"{name}_time")[there] for name in names], axis=1)
    values = np.stack([getattr(columns, name)[there] for name in names], axis=1)
    return unique_points(times, values)


def with_neighbours(
    series: Series, window: Window, x: Floats, y: Floats, rows: Integers, group: Integers
) -> tuple[Floats, Floats, Integers, Integers]:
    """The same with the observation before and the one after the window, so that the line runs to its edges."""
    before, after = neighbours(series, window)
    if before:
        x, y, rows, group = (
            np.concatenate([[one], many]) for one, many in zip((*before, 1, -1), (x, y, rows, group), strict=True)
        )
    if after:
        x, y, rows, group = (
            np.concatenate([many, [one]]) for one, many in zip((*after, 1, len(x)), (x, y, rows, group), strict=True)
        )
    return x, y, rows, group


def neighbours(series: Series, window: Window) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
    """(time, value) of the last drawn observation before the window and of the first at or after its end."""
    outside = np.array([series.start_ms, window.start_ms, window.end_ms, series.end_ms], np.int64)
    sides = _outer_columns(series, np.clip(outside, series.start_ms, series.end_ms), window)
    before = (float(sides.last_time[0]), float(sides.last[0])) if sides.count[0] else None
    after = (float(sides.first_time[2]), float(sides.first[2])) if sides.count[2] else None
    return before, after


def _outer_columns(series: Series, edges: Integers, window: Window) -> Columns:
    return cut(series, edges).columns(window.rows, want=ENDS)


def line_gaps(subject: Subject, x: Floats, group: Integers) -> npt.NDArray[np.bool_]:
    """Where a line of observations breaks, bool [n-1]: never within a group (a pixel column)."""
    gaps = gaps_between(subject.series, subject.sensor, x.astype(np.int64), subject.step_ms)
    return gaps & (group[1:] != group[:-1]) if len(x) else gaps


def broken(x: Floats, y: Floats, rows: Integers, gaps: npt.NDArray[np.bool_]) -> Points:
    """The points with a NaN in the middle of each gap."""
    at = np.flatnonzero(gaps) + 1
    if not len(at):
        return Points(x, y, rows)
    middles = (x[at] + x[at - 1]) / 2
    return Points(np.insert(x, at, middles), np.insert(y, at, np.nan), np.insert(rows, at, 0))
