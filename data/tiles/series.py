"""Series: the tiles of one station and sensor over a range, without copying more than is needed.

Every row has three numbers, and these are the only words for them:

    tile               January, 600 rows            February, 300 rows
    block_in_series    0        1        2          3        4
                       ┌────────┬────────┬───┐      ┌────────┬──┐
                       └────────┴────────┴───┘      └────────┴──┘
    row_in_block       0…255    0…255    0…87       0…255    0…43
    row_in_series      0…255    256…511  512…599    600…855  856…899

A block is 256 rows of one tile; a tile's last one may have fewer. In a file, and so where rows are
read block by block, it is filled up with repeats of its last row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from data.arrays import Floats, Integers
from data.tiles.block_table import BlockTable, Rows
from data.tiles.blocks import BLOCK_ROWS
from data.tiles.format import TileEntry

__all__ = ["BlockTable", "Rows", "Series", "SeriesKey"]

Chunk = tuple[Integers, Floats, npt.NDArray[np.uint8]]


class SeriesKey(NamedTuple):
    """Names a series: the source's id, the station (any text), the sensor."""

    source: str
    station: str
    sensor: str


@dataclass(frozen=True)
class RowPositions:
    """Where some times fall, i8[n] each: the first row at or after each, its block,
    and the flagged rows before it in the series.

    ``edge_row`` is the position of that row among the :class:`EdgeRows` read with it. Where all
    rows of a block are earlier than a time, this is the row after them; the block stays the one
    that begins before the time.
    """

    block_in_series: Integers
    row_in_series: Integers
    flagged_before: Integers
    edge_row: Integers


@dataclass(frozen=True)
class EdgeRows:
    """Rows of some whole blocks, by time: ``times`` i8 ms UTC and ``values`` f8,
    [256 · blocks] each.

    ``rows`` i8[blocks] is how many of each block's are rows, ``flagged`` the positions of flagged
    ones, and ``repeats`` those of the repeats that fill a block (flagged, too, where the row is).
    """

    times: Integers
    values: Floats
    flagged: Integers
    rows: Integers

    @property
    def repeats(self) -> Integers:
        """The positions of what is no row but repeats a tile's last one."""
        short = np.flatnonzero(self.rows < BLOCK_ROWS).tolist()
        found = [np.arange(at * BLOCK_ROWS + self.rows[at], (at + 1) * BLOCK_ROWS) for at in short]
        return np.concatenate(found) if found else np.empty(0, np.int64)


@dataclass(frozen=True)
class Series:
    """Observations of one series within [start_ms, end_ms), int ms UTC, over published tiles.

    An observation stamped at the end of its interval is within (start_ms, end_ms]: ``lag_ms`` is
    then 1, else 0. Times that are given are moments of such a range; times that come out are the
    stamps (docs/decisions/0019).
    """

    key: SeriesKey
    entries: tuple[TileEntry, ...]
    table: BlockTable
    start_ms: int
    end_ms: int
    lag_ms: int = 0

    @cached_property
    def rows(self) -> int:
        """Return how many observations there are, flagged ones included."""
        ends, _ = self.locate(np.array([self.start_ms, self.end_ms], np.int64))
        return int(ends.row_in_series[1] - ends.row_in_series[0])

    @property
    def direction(self) -> bool:
        """Return whether values are angles."""
        return self.table.direction

    @property
    def first_ms(self) -> int:
        """The moment of the first row in the tiles, be it within the range or not."""
        return self.table.first_ms - self.lag_ms

    @property
    def last_ms(self) -> int:
        """The moment of the last row in the tiles."""
        return self.table.last_ms - self.lag_ms

    def chunks(self, start_ms: int | None = None, end_ms: int | None = None) -> Iterator[Chunk]:
        """(times i8 ms UTC, values f8, flags u1) of each tile in [start_ms, end_ms), copied.

        Raises:
            TileDamaged: what is read here, too: a tile is damaged (it is out of the index now),
                or was removed meanwhile.
        """
        start = max(self.start_ms, self.start_ms if start_ms is None else start_ms) + self.lag_ms
        end = min(self.end_ms, self.end_ms if end_ms is None else end_ms) + self.lag_ms
        for tile, (first, stop) in zip(self.table.tiles, pairwise(self.table.tile_first.tolist()), strict=True):
            if tile.entry.last_ms < start or tile.entry.first_ms >= end:
                continue
            low, high = np.searchsorted(self.table.start[first:stop], [start, end]).tolist()
            low = max(low - 1, 0)
            blocks, left = np.arange(first + low, first + high), tile.entry.rows - low * BLOCK_ROWS
            times, values = self.table.raw.read(blocks)
            times, values = times.reshape(-1)[:left], values.reshape(-1)
            begin, after = np.searchsorted(times, [start, end])
            if begin < after:
                yield times[begin:after], values[begin:after], self._flags(blocks)[begin:after]

    def _flags(self, blocks: Integers) -> npt.NDArray[np.uint8]:
        """Flags of the rows of neighbouring blocks; not read where the summaries say that there
        are none.
        """
        before = self.table.flagged_rank
        if before[blocks[-1] + 1] == before[blocks[0]]:
            return np.zeros(len(blocks) * BLOCK_ROWS, np.uint8)
        return self.table.raw.flags(blocks).reshape(-1)

    def read(self, start_ms: int | None = None, end_ms: int | None = None) -> Chunk:
        """Return the observations of [start_ms, end_ms) in one piece (copied)."""
        parts = list(self.chunks(start_ms, end_ms))
        if not parts:
            return np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.uint8)
        times, values, flags = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return times, values, flags

    def stamped(self, start_ms: int, end_ms: int) -> Chunk:
        """Rows of the range by what they are stamped with: start_ms <= time < end_ms."""
        return self.read(start_ms - self.lag_ms, end_ms - self.lag_ms)

    def locate(self, times: Integers) -> tuple[RowPositions, EdgeRows]:
        """Find the first row at or after each of some increasing times;
        with it come the rows of all blocks that were looked at.

        Raises:
            TileDamaged: as :meth:`chunks`.
        """
        table = self.table
        times = np.clip(times, self.start_ms, self.end_ms) + self.lag_ms
        if not table.tiles:
            return RowPositions(*[np.zeros(len(times), np.int64)] * 4), self._edge_rows(np.empty(0, np.int64))
        block = np.maximum(np.searchsorted(table.start, times, "right") - 1, 0)
        is_next = np.concatenate([[True], block[1:] > block[:-1]])
        edge = self._edge_rows(block[is_next])
        edge_row = np.searchsorted(edge.times, times)
        begin = (np.cumsum(is_next) - 1) * BLOCK_ROWS  # of the block, among the rows that were read
        row_in_block = np.minimum(edge_row - begin, table.rank[block + 1] - table.rank[block])
        flagged = np.searchsorted(edge.flagged, begin + row_in_block) - np.searchsorted(edge.flagged, begin)
        return RowPositions(block, table.rank[block] + row_in_block, table.flagged_rank[block] + flagged, edge_row), edge

    def _edge_rows(self, blocks: Integers) -> EdgeRows:
        """Read the rows of some blocks, increasing."""
        table = self.table
        times, values = table.raw.read(blocks)
        # Few blocks have any flag, so only those are looked at.
        some = np.flatnonzero(table.flagged_rank[blocks + 1] > table.flagged_rank[blocks])
        block, row_in_block = np.nonzero(table.raw.flags(blocks[some]))
        rows = table.rank[blocks + 1] - table.rank[blocks]
        return EdgeRows(times.reshape(-1), values.reshape(-1), some[block] * BLOCK_ROWS + row_in_block, rows)
