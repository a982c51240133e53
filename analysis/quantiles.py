"""Exact quantiles of groups of values, of which only those close to a quantile are sorted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.bins import FINE, Grid, Keys, slices
from data.arrays import Floats, Integers


def quantiles(values: Floats, probabilities: Sequence[float]) -> Floats:
    """Return quantiles of finite values, f8[k]; NaN where there is no value."""
    found: Floats = grouped_quantiles(values, None, 1, probabilities)[0]
    return found


def grouped_quantiles(values: Floats, key: Keys | None, groups: int, probabilities: Sequence[float]) -> Floats:
    """Return quantiles of the values of each group, f8[groups][k]; ``key`` is the group of each
    value, None where there is one group; NaN where a group has no value.

    Linear interpolation of order statistics, as :func:`numpy.quantile` (Hyndman & Fan, 1996, type
    7). Values are counted by group and cell of a grid; the order statistics that are wanted lie in
    a few of these cells, and only values in them are sorted.
    """
    wanted = np.full((groups, len(probabilities)), np.nan)
    if not len(values):
        return wanted
    grid = Grid(float(values.min()), float(values.max()))
    flat = np.zeros(groups * FINE, np.int64)
    for part in slices(len(values)):
        some = np.bincount(_cells(grid, values[part], None if key is None else key[part]))
        flat[: len(some)] += some
    counts = flat.reshape(groups, FINE)
    rows = counts.sum(axis=1)
    place = (rows[:, None] - 1) * np.asarray(probabilities, np.float64)[None, :]
    low = np.maximum(np.floor(place), 0).astype(np.int64)
    high = np.minimum(low + 1, np.maximum(rows[:, None] - 1, 0))
    there = rows > 0
    ranks = np.concatenate([low, high], axis=1)[there]
    found = _ranked(grid, values, key, counts, np.flatnonzero(there), ranks)
    least, greatest = np.hsplit(found, 2)
    share = (place - low)[there]
    apart = greatest - least
    wanted[there] = np.where(share < 0.5, least + apart * share, greatest - apart * (1 - share))
    return wanted


def _cells(grid: Grid, values: Floats, key: Keys | None) -> Integers:
    cells = grid.cells(values)
    if key is not None:
        cells += key.astype(np.int64) * FINE
    return cells


def _ranked(grid: Grid, values: Floats, key: Keys | None, counts: Integers, groups: Integers, ranks: Integers) -> Floats:
    """The order statistics of some ``ranks`` i8[group][k], from 0 on."""
    before = np.zeros((len(groups), FINE + 1), np.int64)
    np.cumsum(counts[groups], axis=1, out=before[:, 1:])
    cells = np.empty_like(ranks)
    for at, group in enumerate(groups.tolist()):
        cells[at] = group * FINE + np.searchsorted(before[at], ranks[at], "right") - 1
    cell, value, number = _exact(grid, values, key, np.unique(cells), counts.size)
    total = np.concatenate([[0], np.cumsum(number)])
    first = total[np.searchsorted(cell, cells)]  # values of earlier cells that were looked at
    within = ranks - np.take_along_axis(before, cells % FINE, axis=1)
    found: Floats = value[np.searchsorted(total, first + within, "right") - 1]
    return found


def _exact(grid: Grid, values: Floats, key: Keys | None, cells: Integers, number: int) -> tuple[Integers, Floats, Integers]:
    """The different values of some cells, by cell and value, and how often each is there."""
    is_wanted = np.zeros(number, bool)
    is_wanted[cells] = True
    parts = []
    for part in slices(len(values)):
        own = _cells(grid, values[part], None if key is None else key[part])
        at = np.flatnonzero(is_wanted.take(own))
        parts.append(_counted(own[at], values[part][at], np.ones(len(at), np.int64)))
    return _counted(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def _counted(cells: Integers, values: Floats, number: Integers) -> tuple[Integers, Floats, Integers]:
    """The same with each value of a cell once: few where readings are rounded."""
    cells, values, number = _runs(cells, values, number)  # rain is mostly 0: nothing to sort
    order = np.lexsort((values, cells))
    return _runs(cells[order], values[order], number[order])


def _runs(cells: Integers, values: Floats, number: Integers) -> tuple[Integers, Floats, Integers]:
    """Equal neighbours as one."""
    if not len(cells):
        return cells, values, number
    first = np.flatnonzero(np.concatenate([[True], (cells[1:] != cells[:-1]) | (values[1:] != values[:-1])]))
    return cells[first], values[first], np.add.reduceat(number, first)
