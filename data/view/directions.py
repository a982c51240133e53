"""Dots for directions: a line would run the wrong way through north. Every observation when they
are few, else every direction that occurred: the occupied 64ths of the circle in columns as narrow
as the number of dots allows.
"""

from __future__ import annotations

import numpy as np

from data.arrays import Integers
from data.tiles.blocks import SECTORS, Array
from data.tiles.series import Rows
from data.view.column_reducers import EXTREMES, OCCUPIED
from data.view.records import Points
from data.view.reduce import Cut
from data.view.window import POINTS_A_COLUMN, SeriesContext, Window, column_points

_SECTOR_DEG = 360.0 / SECTORS


def raw_dots(subject: SeriesContext, window: Window, columns: Cut) -> Points:
    """Dots of observations; ``columns`` is the series cut at the window's pixel columns."""
    if int(columns.total.sum()) <= POINTS_A_COLUMN * window.width_px:
        times, values = subject.drawn_rows(window)
        return Points(times.astype(np.float64), values, np.ones(len(times), np.int64), exact=True)
    return occupied(columns, window, window.rows)


def occupied(cut: Cut, window: Window, rows: Rows) -> Points:
    """A dot in the middle of each occupied sector of each column, at most four a pixel:
    columns widen until they are.
    """
    if not cut.table.direction:
        x, y, _ = column_points(cut.columns(rows, want=EXTREMES), "min", "max")
        return Points(x, y, np.ones(len(x), np.int64))
    columns = cut.columns(rows, want=OCCUPIED)
    assert columns.sectors is not None  # noqa: S101 - it is a direction # nosec B101
    # a dot is wider than a pixel
    edges, masks, counts = _in_pairs(window.edges(), columns.sectors, columns.count)
    while int(np.bitwise_count(masks).sum()) > POINTS_A_COLUMN * window.width_px and len(masks) > 1:
        edges, masks, counts = _in_pairs(edges, masks, counts)
    bits = np.unpackbits(np.ascontiguousarray(masks, "<u8").view(np.uint8).reshape(-1, 8), axis=1, bitorder="little")
    column, sector = np.nonzero(bits)
    middles = ((edges[:-1] + edges[1:]) // 2).astype(np.float64)
    return Points(middles[column], (sector.astype(np.float64) + 0.5) * _SECTOR_DEG, counts[column])


def _in_pairs(edges: Integers, masks: Array, rows: Integers) -> tuple[Integers, Array, Integers]:
    """The same in columns twice as wide."""
    starts = np.arange(0, len(masks), 2)
    kept = np.append(edges[:-1][::2], edges[-1])
    return kept, np.bitwise_or.reduceat(masks, starts), np.add.reduceat(rows, starts)
