"""Observations of a month made into the bytes of a tile (docs/tiles.md)."""

from __future__ import annotations

import zlib

import numpy as np

from data.readings import Observations
from data.tiles.blocks import BLOCK_ROWS, Array, pad_rows, steps_of, summarise
from data.tiles.format import BLOCK_BYTES, HEADER_BYTES, TileEntry, flag_sums, header, layout_of, row_sums
from data.time.months import month_bounds_ms, month_name

SLICE_ROWS = 256 * BLOCK_ROWS  # summarised at a time


def encode(month: int, cleaned: Observations, *, generation: int, fingerprint: int) -> tuple[TileEntry, list[memoryview | bytes]]:
    """A tile's entry and the bytes of its file, in pieces.

    Raises:
        ValueError: a row lies outside the month.
    """
    begin, end = month_bounds_ms(month)
    rows = len(cleaned.times)
    if rows and not (begin <= cleaned.times[0] and cleaned.times[-1] < end):
        raise ValueError(f"rows outside {month_name(month)}")
    flagged_at = np.flatnonzero(pad_rows(cleaned.flags).any(axis=1)).astype(np.uint32)
    blocks = -(-rows // BLOCK_ROWS)
    parts = np.zeros((), layout_of(blocks, len(flagged_at), cleaned.direction))
    parts["flagged_at"] = flagged_at
    # A slice after the other: what they need in between is many times the rows,
    # and stays in the processor's cache this way.
    for low in range(0, rows, SLICE_ROWS):
        _summarise_slice(parts, cleaned, begin, low)
    tail, steps = parts.tobytes(), parts["step"][parts["step"] > 0]
    columns: list[memoryview | bytes] = []
    # not padded as a whole, which would copy it
    for column in (cleaned.times, cleaned.values, cleaned.flags):
        columns += [_bytes(column), np.repeat(column[-1:], -rows % BLOCK_ROWS).tobytes()]
    entry = TileEntry(
        month=month,
        fingerprint=fingerprint,
        generation=generation,
        rows=rows,
        flagged=int(np.count_nonzero(cleaned.flags)),
        first_ms=int(cleaned.times[0]) if rows else begin,
        last_ms=int(cleaned.times[-1]) if rows else begin,
        bytes=HEADER_BYTES + BLOCK_BYTES * blocks + len(tail),
        step_ms=int(np.median(steps)) if len(steps) else 0,
        crc=zlib.crc32(tail),
        blocks=blocks,
        flagged_blocks=len(flagged_at),
        direction=int(cleaned.direction),
    )
    return entry, [header(entry), *columns, tail]


def _bytes(array: Array) -> memoryview | bytes:
    return np.ascontiguousarray(array).data.cast("B") if array.size else b""


def _summarise_slice(parts: Array, cleaned: Observations, begin: int, low: int) -> None:
    """Set what ``parts`` (of a tile's summaries) say of the blocks of a slice of rows."""
    times, values, flags = (
        np.ascontiguousarray(pad_rows(array[low : low + SLICE_ROWS])) for array in (cleaned.times, cleaned.values, cleaned.flags)
    )
    rows, first = min(SLICE_ROWS, len(cleaned.times) - low), low // BLOCK_ROWS
    since, own = (times - begin).astype(np.uint32), slice(first, first + len(times))
    parts["start"][own], parts["step"][own] = since[:, 0], steps_of(since, rows)
    parts["row_sums"][own], parts["flag_sums"][own] = row_sums(times, values), flag_sums(flags)
    for name, array in summarise(since, values, None, cleaned.direction).arrays():
        parts[f"good.{name}"][own] = array
    # Blocks with flagged rows, and a last one that is filled up, are summarised by their own rows.
    is_row = np.arange(values.size).reshape(values.shape) < rows
    some = np.flatnonzero(flags.any(axis=1) | ~is_row[:, -1])
    good = summarise(since[some], values[some], (flags[some] == 0) & is_row[some], cleaned.direction)
    for name, array in good.arrays():
        parts[f"good.{name}"][first + some] = array
    at = np.flatnonzero(flags.any(axis=1))
    flagged = summarise(since[at], values[at], (flags[at] != 0) & is_row[at], cleaned.direction)
    places = np.searchsorted(parts["flagged_at"], first + at)
    for name, array in flagged.arrays():
        parts[f"flagged.{name}"][places] = array
