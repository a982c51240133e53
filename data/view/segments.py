"""Segments of an array, reduced all at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from data.arrays import Integers
from data.tiles.blocks import Array


@dataclass(frozen=True)
class Segments:
    """Items [begin_i, end_i) of some array belong to column_i:
    increasing, none is empty, none overlaps another; i8[n] each.
    """

    column: Integers
    begin: Integers
    end: Integers

    @classmethod
    def of(cls, column: Integers, begin: Integers, end: Integers) -> Segments:
        """Return those of the given segments that are not empty."""
        there = np.flatnonzero(end > begin)
        return cls(column[there], begin[there], end[there])

    def __len__(self) -> int:
        return len(self.column)

    def over(self, ufunc: Any, values: Array) -> Array:
        """Return ``ufunc`` over the values of each segment."""
        bounds = np.stack([self.begin, self.end], axis=1).reshape(-1)
        if bounds[-1] == len(values):
            bounds = bounds[:-1]
        found: Array = ufunc.reduceat(values, bounds)[::2]
        return found

    def first_of(self, values: Array, found: Array) -> Integers:
        """Return where ``found_i`` comes first among the values of each segment, which hold it."""
        # Segments with what lies between them cover one range:
        # compare all at once, then look up the first hit of each.
        start, stop = self.begin[0], self.end[-1]
        pauses = self.begin[1:] - self.end[:-1]
        if pauses.any():
            counts = np.empty(2 * len(self) - 1, np.int64)
            counts[::2], counts[1::2] = self.end - self.begin, pauses
            wanted = np.repeat(np.repeat(found, 2)[:-1], counts)
        else:
            wanted = np.repeat(found, self.end - self.begin)
        hits = np.flatnonzero(values[start:stop] == wanted) + start
        at: Integers = hits[np.searchsorted(hits, self.begin)]
        return at

    def ends(self, takes_part: Array | None) -> tuple[Integers, Integers, Integers]:
        """Return columns with an item that takes part (bool; None:
        all do), and the first and the last of these in each.
        """
        if takes_part is None or (takes_part[self.begin].all() and takes_part[self.end - 1].all()):
            return self.column, self.begin, self.end - 1
        items = np.flatnonzero(takes_part)
        some = Segments.of(self.column, np.searchsorted(items, self.begin), np.searchsorted(items, self.end))
        return some.column, items[some.begin], items[some.end - 1]
