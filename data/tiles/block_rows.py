"""Raw rows of the blocks of several tiles: copied out of their files,
and each block compared with its checksum once.
"""

from __future__ import annotations

from collections.abc import Sequence
from mmap import PAGESIZE

import numpy as np
import numpy.typing as npt

from data.arrays import Bools, Floats, Integers
from data.tiles.blocks import BLOCK_ROWS
from data.tiles.file import Tile
from data.tiles.file_map import FileCut, copied
from data.tiles.format import BLOCK_SUMS, FLAG_BYTES, TIME_BYTES, VALUE_BYTES, Summaries, flag_sums, row_sums
from data.tiles.scratch import Bytes

_WORD_BYTES = 8


class BlockRows:
    """The rows of blocks numbered through several tiles;
    ``first`` i8[tiles + 1] is each tile's first block.

    Whatever is read raises TileDamaged when a tile is damaged,
    or was cut short or removed meanwhile.
    """

    def __init__(self, tiles: Sequence[Tile], first: Integers, summaries: Sequence[Summaries]) -> None:
        self._tiles, self._first = tuple(tiles), first
        self._times_at, self._values_at, self._flags_at = (
            np.array([getattr(tile, name) for tile in tiles], np.int64) for name in ("times_at", "values_at", "flags_at")
        )
        ends = np.array([tile.ends_at for tile in tiles], np.int64)
        rows_end = self._flags_at + np.diff(first) * FLAG_BYTES
        self._last_word_at, self._is_short = ends - _WORD_BYTES, (rows_end - 1) // PAGESIZE == (ends - 1) // PAGESIZE
        self._row_sums, self._flag_sums = np.zeros(first[-1], np.uint32), np.zeros(first[-1], np.uint32)
        # of the first version all was checked when it was opened
        self._checked = np.ones(first[-1], bool)
        for tile, low, found in zip(tiles, first.tolist(), summaries, strict=False):
            if tile.version >= BLOCK_SUMS:
                own = slice(low, low + tile.entry.blocks)
                self._row_sums[own], self._flag_sums[own], self._checked[own] = found["row_sums"], found["flag_sums"], False
        self._unchecked_flags = ~self._checked

    @property
    def nbytes(self) -> int:
        """Return how many bytes the sums take in memory."""
        return self._row_sums.nbytes + self._flag_sums.nbytes + self._checked.nbytes + self._unchecked_flags.nbytes

    def tile_of(self, blocks: Integers) -> Integers:
        """Numbers of the tiles that hold some blocks."""
        tiles: Integers = np.searchsorted(self._first, blocks, "right") - 1
        return tiles

    def read(self, blocks: Integers) -> tuple[Integers, Floats]:
        """Times and values of increasing blocks, [n, 256] each."""
        tiles = self.tile_of(blocks)
        local = blocks - self._first[tiles]
        found = self._copied(
            tiles,
            (self._times_at[tiles] + local * TIME_BYTES, TIME_BYTES),
            (self._values_at[tiles] + local * VALUE_BYTES, VALUE_BYTES),
        )
        times, values = found[0].view("<i8").reshape(-1, BLOCK_ROWS), found[1].view("<f8").reshape(-1, BLOCK_ROWS)
        fresh = np.flatnonzero(~self._checked[blocks])
        if len(fresh):
            some = slice(None) if len(fresh) == len(blocks) else fresh
            self._refuse_damage(row_sums(times[some], values[some]) != self._row_sums[blocks[some]], tiles[some])
            self._checked[blocks[some]] = True
        return times, values

    def flags(self, blocks: Integers) -> npt.NDArray[np.uint8]:
        """Flags of increasing blocks, [n, 256]."""
        tiles = self.tile_of(blocks)
        (found,) = self._copied(tiles, (self._flags_at[tiles] + (blocks - self._first[tiles]) * FLAG_BYTES, FLAG_BYTES))
        flags = found.reshape(-1, BLOCK_ROWS)
        # Each time: most blocks have no flag, and of those it costs next to nothing.
        self._refuse_damage((flag_sums(flags) != self._flag_sums[blocks]) & self._unchecked_flags[blocks], tiles)
        return flags

    def _copied(self, tiles: Integers, *parts: tuple[Integers, int]) -> list[Bytes]:
        """Return what is at (addresses, size) of some tiles; raises TileDamaged where one was
        cut.

        Of a file that is cut, what is left of its last page comes as zeros, and no error. So the
        last word of each file is copied after all else: it is not there then. To ask each for its
        length costs more, and is only done where rows lie in the page of that word.
        """
        numbers = np.flatnonzero(np.bincount(tiles))
        try:
            *found, _ = copied(*parts, (self._last_word_at[numbers], _WORD_BYTES))
        except FileCut as cut:
            for number in numbers.tolist():
                self._tiles[number].refuse_cut()
            # which of them it was is not known any more
            raise self._tiles[int(tiles[0])].cut() from cut
        for number in numbers[self._is_short[numbers]].tolist():
            self._tiles[number].refuse_cut()
        return found

    def _refuse_damage(self, wrong: Bools, tiles: Integers) -> None:
        """Raise TileDamaged where a block's checksum is wrong; tell of every such tile."""
        damages = [self._tiles[number].rows_damaged() for number in _different(tiles[wrong])]
        if damages:
            raise damages[0]


def _different(numbers: Integers) -> list[int]:
    """Return each of some small numbers once, increasing (``np.unique`` is slow to import)."""
    found: list[int] = np.flatnonzero(np.bincount(numbers)).tolist()
    return found
