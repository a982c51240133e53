"""Series: the tiles of one station and sensor over a range, without copying more than is needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from data.blocks import BLOCK_ROWS, Array, Blocks, concatenate
from data.months import month_starts_ms
from data.tilefile import Tile, TileEntry

_ENOUGH_ROWS = 8  # for a median pause that one gap does not spoil

Integers = npt.NDArray[np.int64]
Rows = Literal["good", "flagged", "all"]
Chunk = tuple[Integers, npt.NDArray[np.float64], npt.NDArray[np.uint8]]


class SeriesKey(NamedTuple):
    """Names a series: the source's id, the station (any text), the sensor."""

    source: str
    station: str
    sensor: str


class BlockTable:
    """The blocks of several tiles one after the other; made once per set of tiles and shared by threads.

    ``start`` i8[n] is the time of each block's first row (ms UTC), ``step`` u4[n] its usual pause (ms, 0 unknown),
    ``rank`` i8[n+1] the rows before each block, ``flagged_rank`` i8[n+1] the flagged ones.
    """

    def __init__(self, tiles: Sequence[Tile]) -> None:
        self.tiles = tuple(tile for tile in tiles if tile.entry.rows)
        self.direction = any(tile.entry.direction for tile in self.tiles)
        self.base = month_starts_ms(np.array([tile.entry.month for tile in self.tiles], np.int64))
        sizes = [tile.entry.blocks for tile in self.tiles]
        self.tile_first = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)
        starts = [tile.start.astype(np.int64) + base for tile, base in zip(self.tiles, self.base, strict=True)]
        self.start = np.concatenate(starts) if starts else np.empty(0, np.int64)
        self.step = np.concatenate([tile.step for tile in self.tiles]) if starts else np.empty(0, np.uint32)
        self.good = concatenate([tile.good for tile in self.tiles], self.direction)
        self.rank = np.arange(len(self.start) + 1, dtype=np.int64) * BLOCK_ROWS
        for at, tile in zip(self.tile_first[1:], self.tiles, strict=True):  # each tile's last block may be short
            self.rank[at:] -= tile.entry.blocks * BLOCK_ROWS - tile.entry.rows
        counts = np.concatenate([[0], np.cumsum(self.good.count, dtype=np.int64)])
        self.flagged_rank = self.rank - counts
        self.first_ms = min((tile.entry.first_ms for tile in self.tiles), default=0)
        self.last_ms = max((tile.entry.last_ms for tile in self.tiles), default=0)

    @property
    def nbytes(self) -> int:
        """What it takes in memory, without the tiles."""
        arrays = [self.start, self.rank, self.flagged_rank, *(array for _, array in self.good.arrays())]
        return sum(array.nbytes for array in arrays)

    @cached_property
    def usual_step(self) -> Integers:
        """The usual pause around each block's rows (ms, 0 unknown): the longest of the block's own and its neighbours'.

        A step may change within a block, whose median then fits one part only; the coarser side decides for both. Blocks
        of a few rows (a month's last) do not decide, unless there is nothing else.
        """
        steps = np.where(np.diff(self.rank) >= _ENOUGH_ROWS, self.step, 0).astype(np.int64)
        around = steps.copy()
        around[1:] = np.maximum(around[1:], steps[:-1])
        around[:-1] = np.maximum(around[:-1], steps[1:])
        return np.where(around > 0, around, self.step)

    @cached_property
    def flagged(self) -> tuple[Blocks, Integers]:
        """Summaries of the flagged rows, and the numbers of the blocks that have any."""
        places = [tile.flagged_at.astype(np.int64) + first for tile, first in zip(self.tiles, self.tile_first, strict=False)]
        numbers = np.concatenate(places) if places else np.empty(0, np.int64)
        return concatenate([tile.flagged for tile in self.tiles], self.direction), numbers

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
        """Summaries of the unflagged, the flagged or all rows; and which blocks they are of (None: every block)."""
        if rows == "flagged":
            return self.flagged
        return (self.all if rows == "all" and self.flagged_rank[-1] else self.good), None

    def absolute(self, block: Array, since: Array) -> Integers:
        """Times of a block's summary in ms UTC."""
        tile = np.searchsorted(self.tile_first, block, "right") - 1
        times: Integers = self.base[tile] + since
        return times


def _merge(one: Blocks, other: Blocks) -> Blocks:
    """Summaries of the rows of both; a block without rows counts for nothing."""
    lower = (other.min < one.min) | ((other.min == one.min) & (other.min_time < one.min_time))
    upper = (other.max > one.max) | ((other.max == one.max) & (other.max_time < one.max_time))
    there = other.count > 0
    earlier = there & ((one.count == 0) | (other.first_time < one.first_time))
    later = there & ((one.count == 0) | (other.last_time > one.last_time))
    arrays: dict[str, Any] = {"sum": one.sum + other.sum, "count": one.count + other.count}
    for choice, names in ((lower, ("min", "min_time")), (upper, ("max", "max_time"))):
        arrays |= {name: np.where(choice, getattr(other, name), getattr(one, name)) for name in names}
    for choice, names in ((earlier, ("first", "first_time")), (later, ("last", "last_time"))):
        arrays |= {name: np.where(choice, getattr(other, name), getattr(one, name)) for name in names}
    if one.sin is not None:
        both = {name: (getattr(one, name), getattr(other, name)) for name in ("sin", "cos", "sectors")}
        arrays |= {name: np.bitwise_or(*pair) if name == "sectors" else np.add(*pair) for name, pair in both.items()}
    return Blocks(**arrays)


@dataclass(frozen=True)
class Place:
    """Where times fall among the rows: ``block`` i8[n] holds the row, ``slot`` i8[n] that block in what was gathered,
    ``flat`` i8[n] the position among the gathered rows, ``rank`` i8[n] the rows before it in the series.
    """

    block: Integers
    slot: Integers
    flat: Integers
    rank: Integers


@dataclass(frozen=True)
class Gathered:
    """Raw rows of some blocks, [blocks, 256] each, in time order; ``flagged`` i8 are the positions of flagged rows."""

    block: Integers
    times: Integers
    values: npt.NDArray[np.float64]
    flagged: Integers


@dataclass(frozen=True)
class Series:
    """Observations of one series with start_ms <= time < end_ms (int ms UTC), over published tiles."""

    key: SeriesKey
    entries: tuple[TileEntry, ...]
    table: BlockTable
    start_ms: int
    end_ms: int

    @cached_property
    def rows(self) -> int:
        """How many observations there are, flagged ones included."""
        ends, _ = self.locate(np.array([self.start_ms, self.end_ms], np.int64))
        return int(ends.rank[1] - ends.rank[0])

    @property
    def direction(self) -> bool:
        """Whether values are angles."""
        return self.table.direction

    def chunks(self, start_ms: int | None = None, end_ms: int | None = None) -> Iterator[Chunk]:
        """(times i8 ms UTC, values f8, flags u1) of each tile in [start_ms, end_ms): views on the files, no copies."""
        start = max(self.start_ms, self.start_ms if start_ms is None else start_ms)
        end = min(self.end_ms, self.end_ms if end_ms is None else end_ms)
        for tile in self.table.tiles:
            if tile.entry.last_ms < start or tile.entry.first_ms >= end:
                continue
            times = tile.times.reshape(-1)[: tile.entry.rows]
            low, high = np.searchsorted(times, [start, end])
            if low < high:
                yield times[low:high], tile.values.reshape(-1)[low:high], tile.flags.reshape(-1)[low:high]

    def read(self, start_ms: int | None = None, end_ms: int | None = None) -> Chunk:
        """The same in one piece (copied)."""
        parts = list(self.chunks(start_ms, end_ms))
        if not parts:
            return np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.uint8)
        times, values, flags = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return times, values, flags

    def gather(self, blocks: Integers) -> Gathered:
        """Raw rows of blocks (increasing), one copy a tile."""
        table = self.table
        shape = (len(blocks), BLOCK_ROWS)
        times, values = np.empty(shape, np.int64), np.empty(shape, np.float64)
        tile_of = np.searchsorted(table.tile_first, blocks, "right") - 1
        cuts = np.flatnonzero(np.diff(tile_of, prepend=-1, append=len(table.tiles)))
        for low, high in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
            tile = table.tiles[tile_of[low]]
            local = blocks[low:high] - table.tile_first[tile_of[low]]
            tile.times.take(local, axis=0, out=times[low:high], mode="clip")
            tile.values.take(local, axis=0, out=values[low:high], mode="clip")
        return Gathered(blocks, times, values, self._flagged_positions(blocks, tile_of))

    def _flagged_positions(self, blocks: Integers, tile_of: Integers) -> Integers:
        """Where the rows of some blocks are flagged: few blocks have any, so only those are looked at."""
        table = self.table
        found = []
        for at in np.flatnonzero(table.flagged_rank[blocks + 1] > table.flagged_rank[blocks]).tolist():
            tile = table.tiles[tile_of[at]]
            found.append(np.flatnonzero(tile.flags[blocks[at] - table.tile_first[tile_of[at]]]) + at * BLOCK_ROWS)
        return np.concatenate(found) if found else np.empty(0, np.int64)

    def locate(self, times: Integers) -> tuple[Place, Gathered]:
        """The first row at or after each of some increasing times, with the raw rows of all blocks that hold one."""
        table = self.table
        times = np.clip(times, self.start_ms, self.end_ms)
        if not table.tiles:
            nowhere = np.zeros(len(times), np.int64)
            return Place(nowhere, nowhere, nowhere, nowhere), self.gather(np.empty(0, np.int64))
        block = np.maximum(np.searchsorted(table.start, times, "right") - 1, 0)
        fresh = np.diff(block, prepend=-1) > 0
        slot = np.cumsum(fresh) - 1
        gathered = self.gather(block[fresh])
        flat = np.searchsorted(gathered.times.reshape(-1), times)
        inside = np.minimum(flat - slot * BLOCK_ROWS, table.rank[block + 1] - table.rank[block])
        return Place(block, slot, flat, table.rank[block] + inside), gathered
