"""Values to bins, exactly and quickly: by a fine grid, of which no cell has more than one edge.

Everything goes slice by slice, so that what is made on the way stays in the processor's cache; that
is five times as fast as arrays of ten million.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from data.arrays import Floats, Integers

Keys = npt.NDArray[Any]  # small numbers of any integer type

SLICE_ROWS: Final = 1 << 14
FINE: Final = 2048  # cells of a grid: many against bins, few against a cache
_SCALES: Final = (1, 10, 100, 1000)
_EXACT: Final = 2.0**52  # a float64 below this has whole numbers exactly


def slices(rows: int, length: int = SLICE_ROWS) -> Iterator[slice]:
    """Slices of so many rows, which fit a processor's cache where nothing else is said."""
    return (slice(low, min(low + length, rows)) for low in range(0, rows, length))


def tally(key: Keys, number: int, weights: Floats | None = None) -> npt.NDArray[Any]:
    """Return how many rows have each key 0 .. ``number`` - 1, i8[number]; or the sum of their
    weights, f8[number].
    """
    found = np.zeros(number, np.int64 if weights is None else np.float64)
    for part in slices(len(key)):
        found += np.bincount(key[part], None if weights is None else weights[part], number)
    return found


def product(one: Floats, other: Floats) -> float:
    """Return the sum of products of two arrays, in this thread alone: the linear algebra behind
    ``@`` starts others, which takes twice the processor time.
    """
    return float(np.einsum("i,i->", one, other))


class Grid:
    """:data:`FINE` cells of equal width between the least and the greatest of some values.

    A greater value never has a smaller cell, whatever rounding does, so what is told of cells is
    true of values.
    """

    def __init__(self, least: float, greatest: float) -> None:
        span = greatest - least
        self.least = least
        self._factor = (FINE - 1) / span if span > 0 and np.isfinite((FINE - 1) / span) else 0.0

    def cells(self, values: Floats) -> Integers:
        """Return the cell of each value, i8[n]; those outside are in the first or last one."""
        found = values - self.least
        found *= self._factor
        return np.clip(found, 0, FINE - 1, out=found).astype(np.int64)


class DecimalSteps:
    """Cells of one value each, for values that are multiples of 1, 0.1, 0.01 or 0.001, as those of
    sensors are: ``number`` cells from the least value to the greatest.
    """

    def __init__(self, scale: int, least: int, greatest: int) -> None:
        self._scale, self._least = scale, least
        self.number = greatest - least + 1

    @classmethod
    def of(cls, values: Floats) -> DecimalSteps | None:
        """Return the steps of some finite values; None where one of them is no multiple, or they
        lie more than :data:`FINE` steps apart.
        """
        first, ends = values[:SLICE_ROWS], np.array([values.min(), values.max()])
        scale = next((each for each in _SCALES if _are_multiples(first, each)), None)
        if scale is None:
            return None
        with np.errstate(over="ignore"):
            low, high = np.rint(ends * scale).tolist()
        if high - low >= FINE or max(abs(low), abs(high)) >= _EXACT:
            return None
        rest = slices(len(values))
        return cls(scale, int(low), int(high)) if all(_are_multiples(values[part], scale) for part in rest) else None

    def cells(self, values: Floats) -> Integers:
        """Return the cell of each value, i8[n]."""
        steps = np.rint(values * self._scale)
        steps -= self._least
        return steps.astype(np.int64)

    def values(self, cells: Integers) -> Floats:
        """Return the values of some cells, f8[n]."""
        return (cells + self._least) / self._scale


def _are_multiples(values: Floats, scale: int) -> bool:
    with np.errstate(over="ignore"):  # infinite, and so none
        return np.array_equal(np.rint(values * scale) / scale, values)


class Bins:
    """Bins between increasing ``edges`` f8[n+1]: a value on an edge is in the upper bin, on the
    last edge in the last one, as in :func:`numpy.histogram`.
    """

    def __init__(self, edges: Floats) -> None:
        self.edges, self.number = edges, len(edges) - 1
        self._grid = Grid(float(edges[0]), float(edges[-1]))
        at = self._grid.cells(edges[:-1])  # what is on the last edge is in the last bin
        self._is_fine = bool((at[1:] > at[:-1]).all())
        self._edge = np.full(FINE, np.inf)  # of each cell that has one
        self._edge[at] = edges[:-1]
        self._before = np.searchsorted(at, np.arange(FINE)) - 1  # the bin before that edge

    def of(self, values: Floats) -> Integers:
        """Return the bin of each value, i8[n]; none may be outside the edges."""
        if not self._is_fine:
            return np.minimum(np.searchsorted(self.edges, values, "right") - 1, self.number - 1)
        cells = self._grid.cells(values)
        found: Integers = self._before.take(cells)
        found += values >= self._edge.take(cells)
        return found

    def count(self, values: Floats) -> Integers:
        """Return how many values each bin holds, i8[number]."""
        counts = np.zeros(self.number, np.int64)
        for part in slices(len(values)):
            counts += np.bincount(self.of(values[part]), minlength=self.number)
        return counts
