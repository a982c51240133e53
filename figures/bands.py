"""The outline of a band between least and greatest values."""

from __future__ import annotations

from typing import Final

import numpy as np

from data.arrays import Floats

_BAND_COLUMNS: Final = 600  # a band of more points is drawn in columns: keeps the payload bounded


def band_outline(x: Floats, lower: Floats, upper: Floats, window: tuple[float, float]) -> tuple[Floats, Floats]:
    """Return closed outlines, x and y f8, of the stretches without NaN, with NaN between them;
    ``window`` is that of the axis.
    """
    if x.size > 2 * _BAND_COLUMNS:
        x, lower, upper = _columns(x, lower, upper, window)
    return _polygons(x, lower, upper)


def _columns(x: Floats, lower: Floats, upper: Floats, window: tuple[float, float]) -> tuple[Floats, Floats, Floats]:
    """A band in equal columns of the window: least lower and greatest upper of each;
    NaN where a column is empty.
    """
    edges = np.linspace(*window, _BAND_COLUMNS + 1)
    ok = np.isfinite(x) & np.isfinite(lower) & np.isfinite(upper)
    column = np.clip(np.searchsorted(edges, x[ok], side="right") - 1, 0, _BAND_COLUMNS - 1)
    least, greatest = np.full(_BAND_COLUMNS, np.inf), np.full(_BAND_COLUMNS, -np.inf)
    np.minimum.at(least, column, lower[ok])
    np.maximum.at(greatest, column, upper[ok])
    empty = least > greatest
    return (edges[:-1] + edges[1:]) / 2, np.where(empty, np.nan, least), np.where(empty, np.nan, greatest)


def _polygons(x: Floats, lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
    """Closed outlines of the stretches without NaN, with NaN between them."""
    ok = np.concatenate(([False], np.isfinite(lower) & np.isfinite(upper) & np.isfinite(x), [False]))
    turns = np.flatnonzero(ok[1:] != ok[:-1])
    parts_x: list[Floats] = []
    parts_y: list[Floats] = []
    for first, stop in zip(turns[::2], turns[1::2], strict=True):
        parts_x += [x[first:stop], x[first:stop][::-1], x[first : first + 1] * np.nan]
        parts_y += [upper[first:stop], lower[first:stop][::-1], upper[first : first + 1] * np.nan]
    if not parts_x:
        return np.empty(0), np.empty(0)
    return np.concatenate(parts_x)[:-1], np.concatenate(parts_y)[:-1]
