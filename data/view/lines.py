"""Lines: all rows when they are few, else M4, which is pixel for
pixel the line through all of them.

M4: first, minimum, maximum and last of each pixel column. Jugel, Jerzak, Hackenbroich, Markl: M4, a
visualization-oriented time series data aggregation, VLDB 2014.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from data.arrays import Bools, Floats, Integers
from data.tiles.blocks import Array
from data.tiles.series import Series
from data.view.column_reducers import ENDS, POINTS
from data.view.gaps import gaps_between
from data.view.records import Points
from data.view.reduce import Columns, Cut, cut
from data.view.window import POINTS_A_COLUMN, SeriesContext, Window, column_points


def raw_line(subject: SeriesContext, window: Window, columns: Cut) -> Points:
    """The line of observations; ``columns`` is the series cut at the window's pixel columns."""
    exact = int(columns.total.sum()) <= POINTS_A_COLUMN * window.width_px
    if exact:
        times, y = subject.drawn_rows(window)
        x, rows, group = times.astype(np.float64), np.ones(len(times), np.int64), np.arange(len(times))
    else:
        reduced = columns.columns(window.rows, want=POINTS)
        x, y, group = m4(reduced)
        rows = reduced.count[reduced.count > 0][group]
    before, after = neighbours(subject.series, window)
    x, y, rows, group = with_ends((x, y, rows, group), before and (*before, 1), after and (*after, 1))
    return broken(Points(x, y, rows, exact=exact), line_gaps(subject, x, group))


def m4(columns: Columns) -> tuple[Floats, Floats, Integers]:
    """X f8, y f8 of first, minimum, maximum, last of each column with rows, by time;
    and which of those columns it is.
    """
    return column_points(columns, "first", "min", "max", "last")


def with_ends(points: tuple[Array, ...], before: Sequence[float] | None, after: Sequence[float] | None) -> tuple[Array, ...]:
    """Return arrays of points, the last of which is their groups, with one more point on each side
    (of groups of their own), where there is one: so that the line runs to the window's edges.
    """
    end = len(points[0])
    for point, at, group in ((after, end, end), (before, 0, -1)):
        if point is not None:
            points = tuple(np.insert(many, at, one) for many, one in zip(points, (*point, group), strict=True))
    return points


def neighbours(series: Series, window: Window) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
    """(time, value) of the last drawn observation before the window
    and of the first at or after its end.
    """
    is_before = max(series.start_ms, series.first_ms) < window.start_ms
    is_after = window.end_ms <= min(series.end_ms, series.last_ms)
    if not is_before and not is_after:
        return None, None
    outside = np.array([series.start_ms, window.start_ms, window.end_ms, series.end_ms], np.int64)
    sides = cut(series, np.clip(outside, series.start_ms, series.end_ms)).columns(window.rows, want=ENDS)
    before = (float(sides.last_time[0]), float(sides.last[0])) if sides.count[0] else None
    after = (float(sides.first_time[2]), float(sides.first[2])) if sides.count[2] else None
    return before, after


def line_gaps(subject: SeriesContext, x: Floats, group: Integers, allowance_ms: int = 0) -> Bools:
    """Return where a line breaks, bool [n-1]: never within a group (a pixel column).
    ``allowance_ms`` is added for points that stand for a bucket.
    """
    gaps = gaps_between(subject.series, subject.sensor, x.astype(np.int64), subject.step_ms, allowance_ms)
    return np.asarray(gaps & (group[1:] != group[:-1]), np.bool_)


def broken(points: Points, gaps: Bools) -> Points:
    """The points with a NaN in the middle of each gap."""
    at = np.flatnonzero(gaps) + 1
    middles = (points.x[at] + points.x[at - 1]) / 2
    changes: dict[str, Any] = {"x": np.insert(points.x, at, middles), "rows": np.insert(points.rows, at, 0)}
    values = {name: getattr(points, name) for name in ("y", "lower", "upper")}
    changes |= {name: np.insert(array, at, np.nan) for name, array in values.items() if array is not None}
    return replace(points, **changes) if len(at) else points
