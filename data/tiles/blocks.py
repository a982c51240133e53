"""Summaries of 256 rows each: what makes a window of millions of rows cheap to draw and to sum.

A tile holds two sets: one of the unflagged rows of every block,
one of the flagged rows of those blocks that have any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

BLOCK_ROWS = 256
SECTORS = 64  # of a circle, 5.625 degrees each
Array = npt.NDArray[Any]

_BITS = np.left_shift(np.uint64(1), np.arange(SECTORS, dtype=np.uint64))

# Widest first, so that every array is aligned to its own width in a file.
FIELDS = (
    ("sum", "<f8"),
    ("min", "<f8"),
    ("max", "<f8"),
    ("first", "<f8"),
    ("last", "<f8"),
    ("min_time", "<u4"),
    ("max_time", "<u4"),
    ("first_time", "<u4"),
    ("last_time", "<u4"),
    ("count", "<u2"),
)
DIRECTION_FIELDS = (("sin", "<f8"), ("cos", "<f8"), ("sectors", "<u8"))


@dataclass(frozen=True)
class Blocks:
    """One array a field, one element a block; times are ms since the tile's month began (u4).

    A block without rows has count 0, sum 0, min +inf, max -inf. ``sin``/``cos`` are sums of unit
    vectors and ``sectors`` the occupied 64ths of the circle as a bit mask; None unless values are
    angles.
    """

    sum: Array
    min: Array
    max: Array
    first: Array
    last: Array
    min_time: Array
    max_time: Array
    first_time: Array
    last_time: Array
    count: Array
    sin: Array | None = None
    cos: Array | None = None
    sectors: Array | None = None

    def __len__(self) -> int:
        return len(self.count)

    def arrays(self) -> list[tuple[str, Array]]:
        """(field, array) of all that are there, in the order of a file."""
        names = [name for name, _ in fields(self.sin is not None)]
        return [(name, getattr(self, name)) for name in names]

    def copy(self) -> Blocks:
        """Return a copy in memory of its own."""
        return Blocks(**{name: array.copy() for name, array in self.arrays()})


def fields(direction: bool) -> tuple[tuple[str, str], ...]:
    """(name, dtype) of every field, in the order of a file."""
    return DIRECTION_FIELDS + FIELDS if direction else FIELDS


def concatenate(parts: Sequence[Blocks], direction: bool) -> Blocks:
    """The blocks of several tiles one after the other."""
    arrays = {}
    for name, dtype in fields(direction):
        pieces = [getattr(part, name) for part in parts]
        arrays[name] = np.concatenate(pieces) if pieces else np.empty(0, dtype)
    return Blocks(**arrays)


def pad_rows(array: Array) -> Array:
    """The rows in whole blocks, [blocks, 256]: the last row is repeated, so minimum,
    maximum and last stay as they are.

    Not copied where there is nothing to repeat.
    """
    blocks = -(-len(array) // BLOCK_ROWS)
    if len(array) == blocks * BLOCK_ROWS:
        return array.reshape(blocks, BLOCK_ROWS)
    padded = np.empty(blocks * BLOCK_ROWS, array.dtype)
    padded[: len(array)] = array
    padded[len(array) :] = array[-1:] if len(array) else 0
    return padded.reshape(blocks, BLOCK_ROWS)


def summarise(times: Array, values: Array, chosen: Array | None, direction: bool) -> Blocks:
    """Summaries of the chosen rows (bool [blocks, 256]; None:
    all) of ``times`` (u4) and ``values`` (f8), [blocks, 256].
    """
    at = np.arange(len(times))
    if chosen is None:
        low = high = summed = values
        first, last = np.zeros(len(times), np.intp), np.full(len(times), BLOCK_ROWS - 1, np.intp)
        count = np.full(len(times), BLOCK_ROWS, np.uint16)
    else:
        low, high = np.where(chosen, values, np.inf), np.where(chosen, values, -np.inf)
        summed = np.where(chosen, values, 0.0)
        first, last = chosen.argmax(axis=1), BLOCK_ROWS - 1 - chosen[:, ::-1].argmax(axis=1)
        count = chosen.sum(axis=1, dtype=np.uint16)
    least, most = low.argmin(axis=1), high.argmax(axis=1)
    circle: dict[str, Array] = _circle(values, chosen) if direction else {}
    return Blocks(
        sum=summed.sum(axis=1),
        min=low[at, least],
        max=high[at, most],
        first=values[at, first],
        last=values[at, last],
        min_time=times[at, least],
        max_time=times[at, most],
        first_time=times[at, first],
        last_time=times[at, last],
        count=count,
        **circle,
    )


def sector_bits(values: Array) -> Array:
    """A bit mask (u8) with the bit of each angle's 64th of the circle (degrees; 360 is 0)."""
    # Clipped, since a flagged value may be too large for an integer;
    # & is a modulo that is right below zero too.
    scaled = np.multiply(values, SECTORS / 360.0)
    np.clip(np.floor(scaled, out=scaled), -1e9, 1e9, out=scaled)
    sector = scaled.astype(np.int64)
    sector &= SECTORS - 1
    bits: Array = _BITS[sector]
    return bits


def _circle(values: Array, chosen: Array | None) -> dict[str, Array]:
    angle = np.deg2rad(values)
    sin, cos, bits = np.sin(angle), np.cos(angle), sector_bits(values)
    if chosen is not None:
        sin, cos, bits = sin * chosen, cos * chosen, np.where(chosen, bits, np.uint64(0))
    return {"sin": sin.sum(axis=1), "cos": cos.sum(axis=1), "sectors": np.bitwise_or.reduce(bits, axis=1)}


def steps_of(times: Array, rows: int) -> Array:
    """Return the median pause of each block (u4 ms [blocks]); 0 where it has a single row."""
    pauses = np.diff(times, axis=1)
    steps = pauses[:, BLOCK_ROWS // 2].copy()
    uneven = np.flatnonzero(pauses.min(axis=1) != pauses.max(axis=1))
    if len(uneven):  # a median costs far more than a minimum, and most blocks are even
        steps[uneven] = np.partition(pauses[uneven], BLOCK_ROWS // 2 - 1, axis=1)[:, BLOCK_ROWS // 2 - 1]
    alone = rows - (len(times) - 1) * BLOCK_ROWS
    if len(times) and alone < BLOCK_ROWS:
        steps[-1] = np.median(pauses[-1, : alone - 1]) if alone > 1 else 0
    return steps
