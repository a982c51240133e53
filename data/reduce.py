"""Reduce a series to columns: whole blocks from their summaries, raw rows only in blocks that an edge cuts.

So the cost is that of the columns, whatever lies between them, and nothing is lost: extremes, first, last and sums are
those of all rows. Everything is vectorised over the columns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from data.blocks import BLOCK_ROWS, Array, Blocks, sector_bits
from data.series import BlockTable, Gathered, Integers, Place, Rows, Series

Floats = npt.NDArray[np.float64]
_FEW = 300  # segments below which a loop is faster than comparing everything
_LATEST, _EARLIEST = np.iinfo(np.int64).max, np.iinfo(np.int64).min


@dataclass(frozen=True)
class Columns:
    """One element a column, [n] each. Times i8 ms UTC; values are NaN and times 0 where ``count`` is 0.

    ``count`` i8 rows that were reduced, ``flagged`` i8 flagged rows, ``total`` i8 both kinds. ``sin``/``cos`` are sums of unit
    vectors and ``sectors`` u8 the occupied 64ths of the circle (None unless values are angles). Equal extremes: the earliest.
    """

    count: Integers
    flagged: Integers
    total: Integers
    sum: Floats
    min: Floats
    min_time: Integers
    max: Floats
    max_time: Integers
    first: Floats
    first_time: Integers
    last: Floats
    last_time: Integers
    sin: Floats | None = None
    cos: Floats | None = None
    sectors: npt.NDArray[np.uint64] | None = None


@dataclass(frozen=True)
class Cut:
    """A series cut at edges: may be reduced several times (unflagged, flagged) without reading anything again.

    ``total`` i8[n] counts each column's rows, ``flagged`` i8[n] the flagged ones of them.
    """

    table: BlockTable
    place: Place
    raw: Gathered
    total: Integers
    flagged: Integers

    def columns(self, rows: Rows, *, sums: bool = True) -> Columns:
        """The columns of unflagged, flagged or all rows; without ``sums`` the sum, sin and cos are not made (zero)."""
        draft = _Draft(len(self.total), self.table.direction)
        count = {"good": self.total - self.flagged, "flagged": self.flagged, "all": self.total}[rows]
        if count.any():
            _take_blocks(draft, self.table, self.place.block, self.table.blocks(rows), sums)
            _take_raw(draft, self, _chosen(self.raw, rows), sums)
        return draft.finish(count, self.flagged, self.total)


def cut(series: Series, edges: Integers) -> Cut:
    """Cut a series at increasing ``edges`` i8[n+1] (ms UTC), clipped to the series' own range."""
    place, raw = series.locate(np.asarray(edges, np.int64))
    return Cut(series.table, place, raw, np.diff(place.rank), np.diff(_flagged_before(series.table, place, raw)))


def reduce(series: Series, edges: Integers, *, include_flagged: bool = False) -> Columns:
    """The columns [edge_i, edge_i+1) of increasing ``edges`` i8[n+1] (ms UTC), of unflagged rows or of all."""
    return cut(series, edges).columns("all" if include_flagged else "good")


def _flagged_before(table: BlockTable, place: Place, raw: Gathered) -> Integers:
    """Flagged rows of the series before each edge."""
    if not len(table.start):
        return place.rank
    begin = place.slot * BLOCK_ROWS
    end = np.minimum(place.flat, begin + table.rank[place.block + 1] - table.rank[place.block])
    within = np.searchsorted(raw.flagged, end) - np.searchsorted(raw.flagged, begin)
    before: Integers = table.flagged_rank[place.block] + within
    return before


class _Draft:
    """Columns in the making: parts are merged in, later ones win only where they are lower, higher, earlier or later."""

    def __init__(self, n: int, direction: bool) -> None:
        self.sum = np.zeros(n)
        self.min, self.max = np.full(n, np.inf), np.full(n, -np.inf)
        self.first, self.last = np.full(n, np.nan), np.full(n, np.nan)
        self.min_time, self.first_time = np.full(n, _LATEST), np.full(n, _LATEST)
        self.max_time, self.last_time = np.full(n, _LATEST), np.full(n, _EARLIEST)
        self.sin: Array | None = np.zeros(n) if direction else None
        self.cos: Array | None = np.zeros(n) if direction else None
        self.sectors: Array | None = np.zeros(n, np.uint64) if direction else None

    def extreme(self, name: str, at: Array, value: Array, time: Array) -> None:
        """Merge minima or maxima (with their times) of some columns."""
        values, times = getattr(self, name), getattr(self, f"{name}_time")
        better = value < values[at] if name == "min" else value > values[at]
        better |= (value == values[at]) & (time < times[at])
        values[at[better]], times[at[better]] = value[better], time[better]

    def end(self, name: str, at: Array, value: Array, time: Array) -> None:
        """Merge first or last rows of some columns."""
        values, times = getattr(self, name), getattr(self, f"{name}_time")
        better = time < times[at] if name == "first" else time > times[at]
        values[at[better]], times[at[better]] = value[better], time[better]

    def finish(self, count: Integers, flagged: Integers, total: Integers) -> Columns:
        """The columns; those without rows are NaN."""
        arrays: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(Columns) if hasattr(self, field.name)}
        empty = count == 0
        if empty.any():
            for name in ("min", "max", "first", "last"):
                arrays[name][empty], arrays[f"{name}_time"][empty] = np.nan, 0
        return Columns(count=count, flagged=flagged, total=total, **arrays)


def _take_raw(draft: _Draft, cut: Cut, chosen: Array | None, sums: bool) -> None:
    """Merge the gathered rows: a column's are neighbours, since between two edges there is no other edge's block."""
    at = np.flatnonzero(np.diff(cut.place.flat) > 0)
    if not len(at):
        return
    begin, end = cut.place.flat[at], cut.place.flat[at + 1]
    times, values = cut.raw.times.reshape(-1), cut.raw.values.reshape(-1)
    _extremes(draft, at, begin, end, times, values, chosen)
    _ends(draft, at, begin, end, times, values, chosen)
    if sums:
        real = _without_repeats(cut.table, cut.raw, chosen)
        draft.sum[at] += _segments(np.add, values if real is None else np.where(real, values, 0.0), begin, end)
        if draft.sin is not None and draft.cos is not None:
            angle, weight = np.deg2rad(values), 1.0 if real is None else real
            draft.sin[at] += _segments(np.add, np.sin(angle) * weight, begin, end)
            draft.cos[at] += _segments(np.add, np.cos(angle) * weight, begin, end)
    if draft.sectors is not None:
        bits = sector_bits(values)
        bits = bits if chosen is None else np.where(chosen, bits, np.uint64(0))
        draft.sectors[at] |= _segments(np.bitwise_or, bits, begin, end)


def _chosen(raw: Gathered, rows: Rows) -> Array | None:
    """Which gathered rows take part (bool); None when all do."""
    if rows == "all" or (rows == "good" and not len(raw.flagged)):
        return None
    chosen = np.full(raw.times.size, rows == "good")
    chosen[raw.flagged] = rows != "good"
    return chosen


def _without_repeats(table: BlockTable, raw: Gathered, chosen: Array | None) -> Array | None:
    """The same without the repeated last row that fills a tile's last block: it would count twice in a sum."""
    rows = table.rank[raw.block + 1] - table.rank[raw.block]
    short = np.flatnonzero(rows < BLOCK_ROWS)
    if not len(short):
        return chosen
    real = np.ones(raw.times.shape, bool) if chosen is None else chosen.reshape(raw.times.shape).copy()
    real[short] &= np.arange(BLOCK_ROWS) < rows[short, None]
    flat: Array = real.reshape(-1)
    return flat


def _extremes(draft: _Draft, at: Array, begin: Array, end: Array, times: Array, values: Array, chosen: Array | None) -> None:
    for name, ufunc, neutral in (("min", np.minimum, np.inf), ("max", np.maximum, -np.inf)):
        masked = values if chosen is None else np.where(chosen, values, neutral)
        value = _segments(ufunc, masked, begin, end)
        # In wide columns the whole blocks hold nearly every extreme: look for the time only where they do not.
        may = np.flatnonzero(value <= draft.min[at] if name == "min" else value >= draft.max[at])
        if len(may) < _FEW:
            argument = np.argmin if name == "min" else np.argmax
            pieces = zip(begin[may].tolist(), end[may].tolist(), strict=True)
            where = np.array([low + argument(masked[low:high]) for low, high in pieces], int)
            draft.extreme(name, at[may], value[may], times[where])
        else:
            _, where = _extreme_at(ufunc, masked, begin, end)
            draft.extreme(name, at, value, times[where])


def _ends(draft: _Draft, at: Array, begin: Array, end: Array, times: Array, values: Array, chosen: Array | None) -> None:
    if chosen is None:
        first, last = begin, end - 1
    else:
        at, first, last = _chosen_ends(np.flatnonzero(chosen), at, begin, end)
    draft.end("first", at, values[first], times[first])
    draft.end("last", at, values[last], times[last])


def _chosen_ends(chosen: Array, at: Array, begin: Array, end: Array) -> tuple[Array, Array, Array]:
    """Columns that hold one of some positions (increasing), and the first and last of these in each."""
    low, high = np.searchsorted(chosen, begin), np.searchsorted(chosen, end)
    there = high > low
    return at[there], chosen[low[there]], chosen[high[there] - 1]


def _take_blocks(draft: _Draft, table: BlockTable, block: Integers, blocks: Blocks, sums: bool) -> None:
    """Merge the whole blocks between the blocks of two edges."""
    at = np.flatnonzero(np.diff(block) > 1)
    if not len(at):
        return
    begin, end = block[at] + 1, block[at + 1]
    for name, ufunc in (("min", np.minimum), ("max", np.maximum)):
        value, where = _extreme_at(ufunc, getattr(blocks, name), begin, end)
        draft.extreme(name, at, value, table.absolute(where, getattr(blocks, f"{name}_time")[where]))
    some, first, last = _block_ends(blocks, at, begin, end)
    draft.end("first", some, blocks.first[first], table.absolute(first, blocks.first_time[first]))
    draft.end("last", some, blocks.last[last], table.absolute(last, blocks.last_time[last]))
    if sums:
        for name in ("sum", "sin", "cos"):
            if getattr(blocks, name) is not None:
                getattr(draft, name)[at] += _segments(np.add, getattr(blocks, name), begin, end)
    if draft.sectors is not None and blocks.sectors is not None:
        draft.sectors[at] |= _segments(np.bitwise_or, blocks.sectors, begin, end)


def _block_ends(blocks: Blocks, at: Array, begin: Array, end: Array) -> tuple[Array, Array, Array]:
    if blocks.count[begin].all() and blocks.count[end - 1].all():
        return at, begin, end - 1
    return _chosen_ends(np.flatnonzero(blocks.count), at, begin, end)


def _segments(ufunc: Any, values: Array, begin: Array, end: Array) -> Array:
    """``ufunc`` over each values[begin_i:end_i]; none is empty, and they do not overlap."""
    bounds = np.stack([begin, end], axis=1).reshape(-1)
    if bounds[-1] == len(values):
        bounds = bounds[:-1]
    found: Array = ufunc.reduceat(values, bounds)[::2]
    return found


def _extreme_at(ufunc: Callable[..., Any], values: Array, begin: Array, end: Array) -> tuple[Array, Array]:
    """Minimum or maximum of each segment and the position of its first occurrence."""
    found = _segments(ufunc, values, begin, end)
    # Segments with what lies between them cover one range: compare all at once, then look up the first hit of each.
    start, stop = begin[0], end[-1]
    pauses = begin[1:] - end[:-1]
    if pauses.any():
        wanted = np.repeat(np.stack([found, np.append(found[1:], 0)], axis=1).reshape(-1)[:-1], _interleaved(end - begin, pauses))
    else:
        wanted = np.repeat(found, end - begin)
    hits = np.flatnonzero(values[start:stop] == wanted) + start
    return found, hits[np.searchsorted(hits, begin)]


def _interleaved(lengths: Array, pauses: Array) -> Array:
    counts = np.empty(2 * len(lengths) - 1, np.int64)
    counts[::2], counts[1::2] = lengths, pauses
    return counts
