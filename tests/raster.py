"""A small exact rasteriser: which pixels a polyline touches, column by column."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def rasterise(
    x: Floats, y: Floats, window: tuple[int, int], size: tuple[int, int], limits: tuple[float, float]
) -> npt.NDArray[np.bool_]:
    """Pixels [width, height] that the polyline x (ms), y touches; NaN in y breaks it.
    A lone point is one pixel.

    In each pixel column the line covers the whole rows from its lowest to its highest point there;
    a column's part of a segment is found by interpolating at the column's edges. Time t is in
    column floor((t - start) * width / span).
    """
    width, height = size
    marks = np.zeros((width, height + 1), np.int64)
    column = np.floor((x - window[0]) * width / (window[1] - window[0]))
    row = (y - limits[0]) / (limits[1] - limits[0]) * (height - 1)
    real = np.isfinite(y)
    inside = real & (column >= 0) & (column < width)
    _cover(marks, column[inside], row[inside], row[inside])
    joined = real[:-1] & real[1:]
    near = joined & (column[:-1] == column[1:]) & inside[:-1]
    _cover(marks, column[:-1][near], row[:-1][near], row[1:][near])
    scale = width / (window[1] - window[0])
    for at in np.flatnonzero(joined & (column[:-1] != column[1:])):
        _segment(marks, (x[at : at + 2] - window[0]) * scale, column[at : at + 2], row[at : at + 2])
    return np.cumsum(marks, axis=1)[:, :height] > 0


def _segment(marks: npt.NDArray[np.int64], x: Floats, column: Floats, row: Floats) -> None:
    """A segment that crosses columns, cut at their edges."""
    first, last = max(0, int(column[0])), min(len(marks) - 1, int(column[1]))
    if first > last:
        return
    columns = np.arange(first, last + 1)
    slope = (row[1] - row[0]) / (x[1] - x[0])
    left = np.where(columns <= x[0], row[0], row[0] + (columns - x[0]) * slope)
    right = np.where(columns + 1 >= x[1], row[1], row[0] + (columns + 1 - x[0]) * slope)
    _cover(marks, columns, left, right)


def _cover(marks: npt.NDArray[np.int64], column: npt.NDArray[np.generic], one: Floats, other: Floats) -> None:
    low, high = np.floor(np.minimum(one, other)).astype(int), np.floor(np.maximum(one, other)).astype(int)
    # What lies outside the picture is cut off, as a plot does.
    seen = (high >= 0) & (low < marks.shape[1] - 1)
    at = column.astype(int)[seen]
    np.add.at(marks, (at, np.maximum(low[seen], 0)), 1)
    np.add.at(marks, (at, np.minimum(high[seen] + 1, marks.shape[1] - 1)), -1)
