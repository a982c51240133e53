"""Reduce a series to columns: whole blocks from their summaries,
rows only of the blocks that an edge of a column cuts.

    edges              e0                     e1                    e2
                       ╎       column 0       ╎      column 1       ╎
    blocks      ┌──────╎──┬────────┬────────┬─╎───────┬────────┬────╎───┐
                └──────╎──┴────────┴────────┴─╎───────┴────────┴────╎───┘
    column 0           ╎rows  whole    whole  rows
    column 1                                  ╎rows     whole   rows╎

So the cost is that of the columns, whatever lies between them, and nothing is lost: extremes,
first, last and sums are those of all rows. Everything is vectorised over the columns, and each
reducer takes the whole blocks before the rows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from data.arrays import Floats, Integers
from data.tiles.block_table import BlockTable
from data.tiles.blocks import BLOCK_ROWS, Array, Blocks, sector_bits
from data.tiles.series import EdgeRows, RowPositions, Rows, Series
from data.view.segments import Segments

_FEW = 300  # segments below which a loop is faster than comparing everything
_LATEST, _EARLIEST = np.iinfo(np.int64).max, np.iinfo(np.int64).min
_NONE = np.empty(0, np.int64)
_not_wanted: Callable[[], Any] = partial(np.empty, 0)
_OF_A_ROW = {"min", "min_time", "max", "max_time", "first", "first_time", "last", "last_time"}


@dataclass(frozen=True)
class Columns:
    """One element a column, [n] each; what was not wanted has no elements.
    Values are NaN and times 0 where ``count`` is 0.

    ``count`` i8 rows that were reduced, ``flagged`` i8 flagged rows, ``total`` i8 both kinds. Times
    i8 ms UTC. ``sin``/``cos`` are sums of unit vectors and ``sectors`` u8 the occupied 64ths of the
    circle (None unless values are angles). Equal extremes: the earliest.
    """

    count: Integers
    flagged: Integers
    total: Integers
    sum: Floats = field(default_factory=_not_wanted)
    min: Floats = field(default_factory=_not_wanted)
    min_time: Integers = field(default_factory=_not_wanted)
    max: Floats = field(default_factory=_not_wanted)
    max_time: Integers = field(default_factory=_not_wanted)
    first: Floats = field(default_factory=_not_wanted)
    first_time: Integers = field(default_factory=_not_wanted)
    last: Floats = field(default_factory=_not_wanted)
    last_time: Integers = field(default_factory=_not_wanted)
    sin: Floats | None = None
    cos: Floats | None = None
    sectors: npt.NDArray[np.uint64] | None = None


@dataclass(frozen=True)
class _WholeBlocks:
    """Summaries of blocks: of all of a table, or of those with some ``numbers``."""

    table: BlockTable
    summaries: Blocks
    numbers: Integers | None

    def times(self, since: Array, at: Integers) -> Integers:
        """Return, in ms UTC, what ``since`` says of the summaries ``at`` some positions."""
        return self.table.absolute(at if self.numbers is None else self.numbers[at], since[at])


@dataclass(frozen=True)
class _CutBlocks:
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


class _Reducer(ABC):
    """Makes some ``fields`` of columns: of whole blocks first, of rows then;
    ``segments`` say which belong to which column.
    """

    fields: dict[str, Array]

    @abstractmethod
    def add_blocks(self, segments: Segments, blocks: _WholeBlocks) -> None:
        """Merge summaries of blocks into their columns."""

    @abstractmethod
    def add_rows(self, segments: Segments, rows: _CutBlocks) -> None:
        """Merge rows into their columns."""


class _Extreme(_Reducer):
    """The least or the greatest value of each column, and when it came first."""

    def __init__(
        self, name: str, ufunc: np.ufunc, argument: Any, beats: np.ufunc, worst: float, n: int, _direction: bool
    ) -> None:
        self._ufunc, self._argument, self._beats, self._worst = ufunc, argument, beats, worst
        self._values, self._times = np.full(n, worst), np.full(n, _LATEST)
        self.fields = {name: self._values, f"{name}_time": self._times}

    def add_blocks(self, segments: Segments, blocks: _WholeBlocks) -> None:
        values, since = (getattr(blocks.summaries, name) for name in self.fields)
        found = segments.over(self._ufunc, values)
        self._merge(segments.column, found, blocks.times(since, segments.first_of(values, found)))

    def add_rows(self, segments: Segments, rows: _CutBlocks) -> None:
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


class _Ends(_Reducer):
    """First and last rows."""

    def __init__(self, n: int, _direction: bool) -> None:
        self._first, self._first_time = np.full(n, np.nan), np.full(n, _LATEST)
        self._last, self._last_time = np.full(n, np.nan), np.full(n, _EARLIEST)
        self.fields = {"first": self._first, "first_time": self._first_time, "last": self._last, "last_time": self._last_time}

    def add_blocks(self, segments: Segments, blocks: _WholeBlocks) -> None:
        of = blocks.summaries
        column, first, last = segments.ends(of.count > 0)
        self._merge(column, of.first[first], blocks.times(of.first_time, first), of.last[last], blocks.times(of.last_time, last))

    def add_rows(self, segments: Segments, rows: _CutBlocks) -> None:
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


class _Sums(_Reducer):
    """Sums of the values; of angles those of their unit vectors, too."""

    def __init__(self, n: int, direction: bool) -> None:
        self.fields = {name: np.zeros(n) for name in (("sum", "sin", "cos") if direction else ("sum",))}

    def add_blocks(self, segments: Segments, blocks: _WholeBlocks) -> None:
        for name, total in self.fields.items():
            total[segments.column] += segments.over(np.add, getattr(blocks.summaries, name))

    def add_rows(self, segments: Segments, rows: _CutBlocks) -> None:
        nothing = np.concatenate([rows.left_out, rows.repeats])
        with rows.neutral(nothing, 0.0) as values:
            self.fields["sum"][segments.column] += segments.over(np.add, values)
        if "sin" in self.fields:
            angle = np.deg2rad(rows.values)
            for name, function in (("sin", np.sin), ("cos", np.cos)):
                parts = function(angle)
                parts[nothing] = 0.0
                self.fields[name][segments.column] += segments.over(np.add, parts)


class _Sectors(_Reducer):
    """The 64ths of the circle that angles lie in; nothing of other values."""

    def __init__(self, n: int, direction: bool) -> None:
        self.fields = {"sectors": np.zeros(n, np.uint64)} if direction else {}

    def add_blocks(self, segments: Segments, blocks: _WholeBlocks) -> None:
        for name, sectors in self.fields.items():
            sectors[segments.column] |= segments.over(np.bitwise_or, getattr(blocks.summaries, name))

    def add_rows(self, segments: Segments, rows: _CutBlocks) -> None:
        for sectors in self.fields.values():
            bits = sector_bits(rows.values)
            bits[rows.left_out] = 0
            sectors[segments.column] |= segments.over(np.bitwise_or, bits)


Want = tuple[Callable[[int, bool], _Reducer], ...]  # of the number of columns, and whether values are angles
EXTREMES: Want = (
    partial(_Extreme, "min", np.minimum, np.ndarray.argmin, np.less, np.inf),
    partial(_Extreme, "max", np.maximum, np.ndarray.argmax, np.greater, -np.inf),
)
ENDS: Want = (_Ends,)
POINTS: Want = (*EXTREMES, *ENDS)  # all that M4 needs
SUMS: Want = (_Sums,)
OCCUPIED: Want = (_Sectors,)
EVERYTHING: Want = (*POINTS, *SUMS, *OCCUPIED)


@dataclass(frozen=True)
class Cut:
    """A series cut at edges: may be reduced several times (unflagged, flagged)
    without reading anything again.

    ``places`` are those of the edges, ``edge_rows`` the rows of the blocks that they cut. ``total``
    i8[n] counts each column's rows, ``flagged`` i8[n] the flagged ones of them.
    """

    table: BlockTable
    places: RowPositions
    edge_rows: EdgeRows
    total: Integers
    flagged: Integers

    def columns(self, rows: Rows, *, want: Want = EVERYTHING) -> Columns:
        """Return the columns of unflagged, flagged or all rows,
        with the fields that the wanted reducers make.
        """
        count = {"good": self.total - self.flagged, "flagged": self.flagged, "all": self.total}[rows]
        reducers = [kind(len(count), self.table.direction) for kind in want]
        if count.any():
            (between, blocks), (at_edges, cut_blocks) = self._whole_blocks(rows), self._cut_blocks(rows)
            for reducer in reducers:
                if len(between):
                    reducer.add_blocks(between, blocks)
                if len(at_edges):
                    reducer.add_rows(at_edges, cut_blocks)
        empty = np.flatnonzero(count == 0)
        fields = {name: array for reducer in reducers for name, array in reducer.fields.items()}
        for name in _OF_A_ROW & fields.keys():
            fields[name][empty] = 0 if name.endswith("_time") else np.nan
        return Columns(count=count, flagged=self.flagged, total=self.total, **fields)

    def _whole_blocks(self, rows: Rows) -> tuple[Segments, _WholeBlocks]:
        """Return the whole blocks of each column, between those that its edges cut."""
        summaries, numbers = self.table.blocks(rows)
        begin, end = self.places.block_in_series[:-1] + 1, self.places.block_in_series[1:]
        if numbers is not None:  # there are summaries of some blocks only
            begin, end = np.searchsorted(numbers, begin), np.searchsorted(numbers, end)
        return Segments.of(np.arange(len(begin)), begin, end), _WholeBlocks(self.table, summaries, numbers)

    def _cut_blocks(self, rows: Rows) -> tuple[Segments, _CutBlocks]:
        """Return the rows of each column in the blocks that edges cut:
        neighbours, since no edge lies between its two.
        """
        edge = self.edge_rows
        times, values, bounds, left_out, repeats = edge.times, edge.values, self.places.edge_row, _NONE, edge.repeats
        if rows == "good":
            left_out = edge.flagged
        elif rows == "flagged":  # few: look at nothing else
            # no repeats
            some = edge.flagged[edge.flagged % BLOCK_ROWS < edge.rows[edge.flagged // BLOCK_ROWS]]
            times, values, bounds, repeats = times[some], values[some], np.searchsorted(some, bounds), _NONE
        segments = Segments.of(np.arange(len(bounds) - 1), bounds[:-1], bounds[1:])
        return segments, _CutBlocks(times, values, left_out, repeats)


def cut(series: Series, edges: Integers) -> Cut:
    """Cut a series at increasing ``edges`` i8[n+1] (ms UTC), clipped to the series' own range."""
    places, edge_rows = series.locate(np.asarray(edges, np.int64))
    return Cut(series.table, places, edge_rows, np.diff(places.row_in_series), np.diff(places.flagged_before))
