"""What columns are made of: each reducer makes some numbers of them, of whole blocks first, of rows
then. Everything is vectorised over the columns.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from data.arrays import Floats, Integers
from data.tiles.block_table import BlockTable
from data.tiles.blocks import Array, Blocks, sector_bits
from data.view.segments import Segments

_FEW = 300  # segments below which a loop is faster than comparing everything
_LATEST, _EARLIEST = np.iinfo(np.int64).max, np.iinfo(np.int64).min


@dataclass(frozen=True)
class WholeBlocks:
    """Summaries of blocks: of all of a table, or of those with some ``numbers``."""

    table: BlockTable
    summaries: Blocks
    numbers: Integers | None

    def times(self, since: Array, at: Integers) -> Integers:
        """Return, in ms UTC, what ``since`` says of the summaries ``at`` some positions."""
        return self.table.absolute(at if self.numbers is None else self.numbers[at], since[at])


@dataclass(frozen=True)
class CutBlocks:
    """Rows of the blocks that an edge cuts, one after the other.

    ``left_out`` are positions of rows that take no part. ``repeats`` are those of the last row's
    repetitions, which fill the last block of a tile: they change no extreme and no end, but would
    count twice in a sum.
    """

    times: Integers
    values: Floats
    left_out: Integers
    repeats: Integers

    @contextmanager
    def neutral(self, positions: Integers, value: float) -> Iterator[Floats]:
        """Give the values with a neutral one at some positions, for as long as the block lasts:
        copying all costs far more.
        """
        kept = self.values[positions]
        self.values[positions] = value
        try:
            yield self.values
        finally:
            self.values[positions] = kept


class Reducer(ABC):
    """Makes some ``fields`` of columns: of whole blocks first, of rows then;
    ``segments`` say which belong to which column.
    """

    fields: dict[str, Array]

    @abstractmethod
    def add_blocks(self, segments: Segments, blocks: WholeBlocks) -> None:
        """Merge summaries of blocks into their columns."""

    @abstractmethod
    def add_rows(self, segments: Segments, rows: CutBlocks) -> None:
        """Merge rows into their columns."""


class _Extreme(Reducer):
    """The least or the greatest value of each column, and when it came first."""

    def __init__(
        self, name: str, ufunc: np.ufunc, argument: Any, beats: np.ufunc, worst: float, n: int, _direction: bool
    ) -> None:
        self._ufunc, self._argument, self._beats, self._worst = ufunc, argument, beats, worst
        self._values, self._times = np.full(n, worst), np.full(n, _LATEST)
        self.fields = {name: self._values, f"{name}_time": self._times}

    def add_blocks(self, segments: Segments, blocks: WholeBlocks) -> None:
        values, since = (getattr(blocks.summaries, name) for name in self.fields)
        found = segments.over(self._ufunc, values)
        self._merge(segments.column, found, blocks.times(since, segments.first_of(values, found)))

    def add_rows(self, segments: Segments, rows: CutBlocks) -> None:
        with rows.neutral(rows.left_out, self._worst) as values:
            found = segments.over(self._ufunc, values)
            # In wide columns the whole blocks hold nearly every extreme:
            # look for the time only where they do not.
            may = np.flatnonzero(~self._beats(self._values[segments.column], found))
            if len(may) < _FEW:
                pieces = zip(segments.begin[may].tolist(), segments.end[may].tolist(), strict=True)
                at = np.array([low + self._argument(values[low:high]) for low, high in pieces], np.int64)
                self._merge(segments.column[may], found[may], rows.times[at])
            else:
                self._merge(segments.column, found, rows.times[segments.first_of(values, found)])

    def _merge(self, column: Integers, value: Floats, time: Integers) -> None:
        now, when = self._values[column], self._times[column]
        better = self._beats(value, now) | ((value == now) & (time < when))
        self._values[column[better]], self._times[column[better]] = value[better], time[better]


class _Limit(Reducer):
    """The least or the greatest value of each column, without its time: half the work."""

    def __init__(self, name: str, ufunc: np.ufunc, worst: float, n: int, _direction: bool) -> None:
        self._name, self._ufunc, self._worst = name, ufunc, worst
        self._values = np.full(n, worst)
        self.fields = {name: self._values}

    def add_blocks(self, segments: Segments, blocks: WholeBlocks) -> None:
        self._merge(segments.column, segments.over(self._ufunc, getattr(blocks.summaries, self._name)))

    def add_rows(self, segments: Segments, rows: CutBlocks) -> None:
        with rows.neutral(rows.left_out, self._worst) as values:
            self._merge(segments.column, segments.over(self._ufunc, values))

    def _merge(self, column: Integers, value: Floats) -> None:
        self._values[column] = self._ufunc(self._values[column], value)


class _Ends(Reducer):
    """First and last rows."""

    def __init__(self, n: int, _direction: bool) -> None:
        self._first, self._first_time = np.full(n, np.nan), np.full(n, _LATEST)
        self._last, self._last_time = np.full(n, np.nan), np.full(n, _EARLIEST)
        self.fields = {"first": self._first, "first_time": self._first_time, "last": self._last, "last_time": self._last_time}

    def add_blocks(self, segments: Segments, blocks: WholeBlocks) -> None:
        of = blocks.summaries
        column, first, last = segments.ends(of.count > 0)
        self._merge(column, of.first[first], blocks.times(of.first_time, first), of.last[last], blocks.times(of.last_time, last))

    def add_rows(self, segments: Segments, rows: CutBlocks) -> None:
        takes_part = None
        if len(rows.left_out):
            takes_part = np.ones(len(rows.values), bool)
            takes_part[rows.left_out] = False
        column, first, last = segments.ends(takes_part)
        self._merge(column, rows.values[first], rows.times[first], rows.values[last], rows.times[last])

    def _merge(self, column: Integers, first: Floats, first_time: Integers, last: Floats, last_time: Integers) -> None:
        earlier, later = first_time < self._first_time[column], last_time > self._last_time[column]
        self._first[column[earlier]], self._first_time[column[earlier]] = first[earlier], first_time[earlier]
        self._last[column[later]], self._last_time[column[later]] = last[later], last_time[later]


class _Sums(Reducer):
    """Sums of the values; of angles those of their unit vectors, too."""

    def __init__(self, n: int, direction: bool) -> None:
        self.fields = {name: np.zeros(n) for name in (("sum", "sin", "cos") if direction else ("sum",))}

    def add_blocks(self, segments: Segments, blocks: WholeBlocks) -> None:
        for name, total in self.fields.items():
            total[segments.column] += segments.over(np.add, getattr(blocks.summaries, name))

    def add_rows(self, segments: Segments, rows: CutBlocks) -> None:
        nothing = np.concatenate([rows.left_out, rows.repeats])
        with rows.neutral(nothing, 0.0) as values:
            self.fields["sum"][segments.column] += segments.over(np.add, values)
        if "sin" in self.fields:
            angle = np.deg2rad(rows.values)
            for name, function in (("sin", np.sin), ("cos", np.cos)):
                parts = function(angle)
                parts[nothing] = 0.0
                self.fields[name][segments.column] += segments.over(np.add, parts)


class _Sectors(Reducer):
    """The 64ths of the circle that angles lie in; nothing of other values."""

    def __init__(self, n: int, direction: bool) -> None:
        self.fields = {"sectors": np.zeros(n, np.uint64)} if direction else {}

    def add_blocks(self, segments: Segments, blocks: WholeBlocks) -> None:
        for name, sectors in self.fields.items():
            sectors[segments.column] |= segments.over(np.bitwise_or, getattr(blocks.summaries, name))

    def add_rows(self, segments: Segments, rows: CutBlocks) -> None:
        for sectors in self.fields.values():
            bits = sector_bits(rows.values)
            bits[rows.left_out] = 0
            sectors[segments.column] |= segments.over(np.bitwise_or, bits)


Want = tuple[Callable[[int, bool], Reducer], ...]  # of the number of columns, and whether values are angles
EXTREMES: Want = (
    partial(_Extreme, "min", np.minimum, np.ndarray.argmin, np.less, np.inf),
    partial(_Extreme, "max", np.maximum, np.ndarray.argmax, np.greater, -np.inf),
)
LIMITS: Want = (partial(_Limit, "min", np.minimum, np.inf), partial(_Limit, "max", np.maximum, -np.inf))
ENDS: Want = (_Ends,)
POINTS: Want = (*EXTREMES, *ENDS)  # all that M4 needs
SUMS: Want = (_Sums,)
OCCUPIED: Want = (_Sectors,)
EVERYTHING: Want = (*POINTS, *SUMS, *OCCUPIED)
