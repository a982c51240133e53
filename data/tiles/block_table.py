"""The summaries of all blocks of a series: what views and statistics are made of,
but for the rows at their edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal

import numpy as np

from data.arrays import Integers
from data.tiles.block_rows import BlockRows
from data.tiles.blocks import BLOCK_ROWS, Array, Blocks, concatenate
from data.tiles.file import Tile
from data.time.months import month_starts_ms

_ENOUGH_ROWS = 8  # for a median pause that one gap does not spoil

Rows = Literal["good", "flagged", "all"]


class BlockTable:
    """The blocks of several tiles one after the other;
    made once per set of tiles and shared by threads.

    ``start`` i8[n] is the time of each block's first row (ms UTC), ``step`` u4[n] its usual pause
    (ms, 0 unknown), ``rank`` i8[n+1] the rows before each block, ``flagged_rank`` i8[n+1] the
    flagged ones; ``raw`` reads the rows themselves.
    """

    def __init__(self, tiles: Sequence[Tile]) -> None:
        """Read and check the summaries of some tiles.

        Raises:
            TileDamaged: those of one are damaged.
        """
        self.tiles = tuple(tile for tile in tiles if tile.entry.rows)
        self.direction = any(tile.entry.direction for tile in self.tiles)
        self.base = month_starts_ms(np.array([tile.entry.month for tile in self.tiles], np.int64))
        sizes = [tile.entry.blocks for tile in self.tiles]
        self.tile_first = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)
        found = [tile.summaries() for tile in self.tiles]
        starts = [each["start"].astype(np.int64) + base for each, base in zip(found, self.base, strict=True)]
        self.start = np.concatenate(starts) if starts else np.empty(0, np.int64)
        self.step = np.concatenate([each["step"] for each in found]) if starts else np.empty(0, np.uint32)
        self.good = concatenate([each.blocks("good") for each in found], self.direction)
        self.raw = BlockRows(self.tiles, self.tile_first, found)
        self._flagged = [
            (each.blocks("flagged").copy(), each["flagged_at"] + first)
            for each, tile, first in zip(found, self.tiles, self.tile_first, strict=False)
            if tile.entry.flagged_blocks
        ]
        self.rank = np.arange(len(self.start) + 1, dtype=np.int64) * BLOCK_ROWS
        # each tile's last block may be short
        for at, tile in zip(self.tile_first[1:], self.tiles, strict=True):
            self.rank[at:] -= tile.entry.blocks * BLOCK_ROWS - tile.entry.rows
        counts = np.concatenate([[0], np.cumsum(self.good.count, dtype=np.int64)])
        self.flagged_rank = self.rank - counts
        self.first_ms = min((tile.entry.first_ms for tile in self.tiles), default=0)
        self.last_ms = max((tile.entry.last_ms for tile in self.tiles), default=0)

    @property
    def nbytes(self) -> int:
        """Return how many bytes the table takes in memory, without the tiles."""
        arrays = [self.start, self.rank, self.flagged_rank]
        for blocks in (self.good, *(flagged for flagged, _ in self._flagged)):
            arrays += [array for _, array in blocks.arrays()]
        return self.raw.nbytes + sum(int(array.nbytes) for array in arrays)

    @cached_property
    def usual_step(self) -> Integers:
        """The usual pause around each block's rows (ms,
        0 unknown): the longest of the block's own and its neighbours'.

        A step may change within a block, whose median then fits one part only; the coarser side
        decides for both. Blocks of a few rows (a month's last) do not decide, unless there is
        nothing else.
        """
        steps = np.where(np.diff(self.rank) >= _ENOUGH_ROWS, self.step, 0).astype(np.int64)
        around = steps.copy()
        around[1:] = np.maximum(around[1:], steps[:-1])
        around[:-1] = np.maximum(around[:-1], steps[1:])
        return np.where(around > 0, around, self.step)

    @cached_property
    def flagged(self) -> tuple[Blocks, Integers]:
        """Summaries of the flagged rows, and the numbers of the blocks that have any."""
        numbers = np.concatenate([np.empty(0, np.int64), *(places for _, places in self._flagged)])
        return concatenate([blocks for blocks, _ in self._flagged], self.direction), numbers

    @cached_property
    def all(self) -> Blocks:
        """Summaries of all rows, flagged or not."""
        sparse, numbers = self.flagged
        arrays = {name: array.copy() for name, array in self.good.arrays()}
        own = Blocks(**{name: array[numbers] for name, array in arrays.items()})
        for name, merged in _merge(own, sparse).arrays():
            arrays[name][numbers] = merged
        return Blocks(**arrays)

    def blocks(self, rows: Rows) -> tuple[Blocks, Integers | None]:
        """Summaries of the unflagged, the flagged or all rows; and which blocks they are of (None:
        every block).
        """
        if rows == "flagged":
            return self.flagged
        return (self.all if rows == "all" and self.flagged_rank[-1] else self.good), None

    def absolute(self, block: Array, since: Array) -> Integers:
        """Times of a block's summary in ms UTC."""
        times: Integers = self.base[self.raw.tile_of(block)] + since
        return times


def _merge(one: Blocks, other: Blocks) -> Blocks:
    """Summaries of the rows of both; a block without rows counts for nothing."""
    lower = (other.min < one.min) | ((other.min == one.min) & (other.min_time < one.min_time))
    upper = (other.max > one.max) | ((other.max == one.max) & (other.max_time < one.max_time))
    there = other.count > 0
    earlier = there & ((one.count == 0) | (other.first_time < one.first_time))
    later = there & ((one.count == 0) | (other.last_time > one.last_time))
    arrays: dict[str, Any] = {"sum": one.sum + other.sum, "count": one.count + other.count}
    for which, choice in {"min": lower, "max": upper, "first": earlier, "last": later}.items():
        names = (which, f"{which}_time")
        arrays |= {name: np.where(choice, getattr(other, name), getattr(one, name)) for name in names}
    if one.sin is not None:
        both = {name: (getattr(one, name), getattr(other, name)) for name in ("sin", "cos", "sectors")}
        arrays |= {name: np.bitwise_or(*pair) if name == "sectors" else np.add(*pair) for name, pair in both.items()}
    return Blocks(**arrays)
