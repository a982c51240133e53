"""Reduce a series to columns: whole blocks from their summaries,
rows only of the blocks that an edge of a column cuts.

    edges              e0                     e1                    e2
                       ╎       column 0       ╎      column 1       ╎
    blocks      ┌──────╎──┬────────┬────────┬─╎───────┬────────┬────╎───┐
                └──────╎──┴────────┴────────┴─╎───────┴────────┴────╎───┘
    column 0           ╎rows  whole    whole  rows
    column 1                                  ╎rows     whole   rows╎

So the cost is that of the columns, whatever lies between them, and nothing is lost: extremes,
first, last and sums are those of all rows. What is made of a column: data/view/column_reducers.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from data.arrays import Floats, Integers
from data.tiles.block_table import BlockTable
from data.tiles.blocks import BLOCK_ROWS
from data.tiles.series import EdgeRows, RowPositions, Rows, Series
from data.view.column_reducers import EVERYTHING, CutBlocks, Want, WholeBlocks
from data.view.segments import Segments

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

    def _whole_blocks(self, rows: Rows) -> tuple[Segments, WholeBlocks]:
        """Return the whole blocks of each column, between those that its edges cut."""
        summaries, numbers = self.table.blocks(rows)
        begin, end = self.places.block_in_series[:-1] + 1, self.places.block_in_series[1:]
        if numbers is not None:  # there are summaries of some blocks only
            begin, end = np.searchsorted(numbers, begin), np.searchsorted(numbers, end)
        return Segments.of(np.arange(len(begin)), begin, end), WholeBlocks(self.table, summaries, numbers)

    def _cut_blocks(self, rows: Rows) -> tuple[Segments, CutBlocks]:
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
        return segments, CutBlocks(times, values, left_out, repeats)


def cut(series: Series, edges: Integers) -> Cut:
    """Cut a series at increasing ``edges`` i8[n+1] (ms UTC), clipped to the series' own range."""
    places, edge_rows = series.locate(np.asarray(edges, np.int64))
    return Cut(series.table, places, edge_rows, np.diff(places.row_in_series), np.diff(places.flagged_before))
