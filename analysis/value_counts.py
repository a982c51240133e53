"""How often each value is there, by group. A sensor's readings are multiples of a decimal step as a
rule, and so have a few hundred different values; of others the cells of a fine grid are counted.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.bins import FINE, SLICE_ROWS, Bins, DecimalSteps, Grid, Keys, slices, tally
from data.arrays import Floats, Integers


@dataclass(frozen=True)
class ValueCounts(ABC):
    """Some values by group and cell: ``counts`` i8[groups][cells]. A cell of a greater number holds
    greater values.
    """

    counts: Integers

    @property
    def rows(self) -> Integers:
        """How many values each group has, i8[groups]."""
        found: Integers = self.counts.sum(axis=1)
        return found

    @abstractmethod
    def sums(self) -> Floats:
        """Return the sum of each group's values, f8[groups]."""

    @abstractmethod
    def regrouped(self, group_of: Integers, groups: int) -> ValueCounts:
        """Return the same values in other ``groups``; ``group_of`` i8[groups now] says in which."""

    def together(self) -> ValueCounts:
        """Return the same values as one group."""
        return self.regrouped(np.zeros(len(self.counts), np.int64), 1)

    @abstractmethod
    def histogram(self, bins: Bins) -> Integers:
        """Return how many values of all groups each bin holds, i8[bins]; none may be outside."""

    @abstractmethod
    def _ranked(self, groups: Integers, cells: Integers, within: Integers) -> Floats:
        """The values at some places ``within`` cells, from 0 on; i8[n][k] of n ``groups``."""

    def quantiles(self, probabilities: Sequence[float]) -> Floats:
        """Return quantiles of the values of each group, f8[groups][k]; NaN where it has none.

        Linear interpolation of order statistics, as :func:`numpy.quantile` (Hyndman & Fan, 1996,
        type 7).
        """
        rows = self.rows
        place = (rows[:, None] - 1) * np.asarray(probabilities, np.float64)[None, :]
        low = np.maximum(np.floor(place), 0).astype(np.int64)
        high = np.minimum(low + 1, np.maximum(rows[:, None] - 1, 0))
        there, found = rows > 0, np.full(place.shape, np.nan)
        if not there.any():
            return found
        least, greatest = np.hsplit(self._order(np.flatnonzero(there), np.concatenate([low, high], axis=1)[there]), 2)
        share, apart = (place - low)[there], greatest - least
        found[there] = np.where(share < 0.5, least + apart * share, greatest - apart * (1 - share))
        return found

    def _order(self, groups: Integers, ranks: Integers) -> Floats:
        """The order statistics of some ``ranks`` i8[group][k], from 0 on."""
        before = np.zeros((len(groups), self.counts.shape[1] + 1), np.int64)
        np.cumsum(self.counts[groups], axis=1, out=before[:, 1:])
        cells = np.stack([np.searchsorted(own, wanted, "right") - 1 for own, wanted in zip(before, ranks, strict=True)])
        return self._ranked(groups, cells, ranks - np.take_along_axis(before, cells, axis=1))


@dataclass(frozen=True)
class StepCounts(ValueCounts):
    """Values each of which has a cell of its own."""

    steps: DecimalSteps

    @property
    def values(self) -> Floats:
        """The value of each cell, f8[cells]."""
        return self.steps.values(np.arange(self.steps.number))

    def sums(self) -> Floats:
        """As :class:`ValueCounts` has it."""
        found: Floats = np.einsum("ij,j->i", self.counts, self.values)
        return found

    def regrouped(self, group_of: Integers, groups: int) -> ValueCounts:
        """As :class:`ValueCounts` has it."""
        return replace(self, counts=_added(self.counts, group_of, groups))

    def histogram(self, bins: Bins) -> Integers:
        """As :class:`ValueCounts` has it."""
        there = np.flatnonzero(number := self.counts.sum(axis=0))
        found = np.zeros(bins.number, np.int64)
        np.add.at(found, bins.of(self.values[there]), number[there])
        return found

    def _ranked(self, groups: Integers, cells: Integers, within: Integers) -> Floats:  # noqa: ARG002 - a cell has one value
        return self.steps.values(cells)


@dataclass(frozen=True)
class GridCounts(ValueCounts):
    """Values by the cells of a grid; of those that are looked for, only these are sorted."""

    grid: Grid
    listed: Floats
    key: Keys | None

    def sums(self) -> Floats:
        """As :class:`ValueCounts` has it."""
        return np.array([self.listed.sum()]) if self.key is None else tally(self.key, len(self.counts), self.listed)

    def regrouped(self, group_of: Integers, groups: int) -> ValueCounts:
        """As :class:`ValueCounts` has it."""
        key = None if self.key is None or groups == 1 else group_of[self.key]
        return replace(self, counts=_added(self.counts, group_of, groups), key=key)

    def histogram(self, bins: Bins) -> Integers:
        """As :class:`ValueCounts` has it."""
        return bins.count(self.listed)

    def _ranked(self, groups: Integers, cells: Integers, within: Integers) -> Floats:
        cells = cells + groups[:, None] * FINE
        cell, value, number = self._exact(np.unique(cells))
        total = np.concatenate([[0], np.cumsum(number)])
        first = total[np.searchsorted(cell, cells)]  # values of earlier cells that were looked at
        found: Floats = value[np.searchsorted(total, first + within, "right") - 1]
        return found

    def _exact(self, cells: Integers) -> tuple[Integers, Floats, Integers]:
        """The different values of some cells, by cell and value, and how often each is there."""
        is_wanted = np.zeros(self.counts.size, bool)
        is_wanted[cells] = True
        parts = []
        for part in slices(len(self.listed)):
            own = _keyed(self.grid.cells(self.listed[part]), None if self.key is None else self.key[part], FINE)
            at = np.flatnonzero(is_wanted.take(own))
            parts.append(_once(own[at], self.listed[part][at], np.ones(len(at), np.int64)))
        return _once(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def count_values(values: Floats, key: Keys | None, groups: int) -> ValueCounts:
    """Return the counts of finite values; ``key`` is the group of each value, None where there is
    one group.
    """
    if not len(values):
        return GridCounts(np.zeros((groups, FINE), np.int64), Grid(0.0, 0.0), values, key)
    steps = DecimalSteps.of(values)
    if steps is not None:
        return StepCounts(_counts(steps.cells, steps.number, values, key, groups), steps)
    grid = Grid(float(values.min()), float(values.max()))
    return GridCounts(_counts(grid.cells, FINE, values, key, groups), grid, values, key)


def _counts(cells_of: Callable[[Floats], Integers], number: int, values: Floats, key: Keys | None, groups: int) -> Integers:
    """How many values each cell of each group has, i8[groups][number]."""
    flat = np.zeros(groups * number, np.int64)
    for part in slices(len(values), max(SLICE_ROWS, len(flat))):  # adding up is to cost less than counting
        some = np.bincount(_keyed(cells_of(values[part]), None if key is None else key[part], number))
        flat[: len(some)] += some
    return flat.reshape(groups, number)


def _added(counts: Integers, group_of: Integers, groups: int) -> Integers:
    found = np.zeros((groups, counts.shape[1]), np.int64)
    np.add.at(found, group_of, counts)
    return found


def _keyed(cells: Integers, key: Keys | None, number: int) -> Integers:
    if key is not None:
        cells += key.astype(np.int64) * number
    return cells


def _once(cells: Integers, values: Floats, number: Integers) -> tuple[Integers, Floats, Integers]:
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
