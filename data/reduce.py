"""Reduce a series to columns: whole blocks from their summaries, raw rows only in blocks that an edge cuts.

So the cost is that of the columns, whatever lies between them, and nothing is lost: extremes, first, last and sums are
those of all rows. Everything is vectorised over the columns.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from data.blocks import BLOCK_ROWS, Array, Blocks, sector_bits
from data.segments import ends_among, first_hits, over_segments
from data.series import BlockTable, Gathered, Integers, Place, Rows, Series

Floats = npt.NDArray[np.float64]
Part = Literal["extremes", "ends", "sums", "sectors"]
Want = tuple[Part, ...]
EVERYTHING: Want = ("extremes", "ends", "sums", "sectors")
POINTS: Want = ("extremes", "ends")  # all that M4 needs
EXTREMES: Want = ("extremes",)
ENDS: Want = ("ends",)
OCCUPIED: Want = ("sectors",)

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

    def columns(self, rows: Rows, *, want: Want = EVERYTHING) -> Columns:
        """The columns of unflagged, flagged or all rows; what is not wanted is empty (zero, NaN)."""
        draft = _Draft(len(self.total), self.table.direction)
        count = {"good": self.total - self.flagged, "flagged": self.flagged, "all": self.total}[rows]
        if count.any():
            _take_blocks(draft, self, rows, want)
            _take_raw(draft, _raw_of(self, rows), want)
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


@dataclass(frozen=True)
class _Raw:
    """Gathered rows, flat, and where each column's begin and end among them; ``left_out`` are rows that take no part.

    ``repeats`` are the positions of the repeated last rows that fill a tile's last block: they would count twice in a sum.
    """

    times: Array
    values: Array
    bounds: Integers
    left_out: Integers
    repeats: Integers

    def without(self, neutral: float, *, repeats: bool = False) -> Array:
        """The values, with a neutral one where rows take no part; in place, since a copy costs more than all the rest."""
        self.values[self.left_out] = neutral
        if repeats:
            self.values[self.repeats] = neutral
        return self.values


def _raw_of(cut: Cut, rows: Rows) -> _Raw:
    times, values = cut.raw.times.reshape(-1), cut.raw.values.reshape(-1)
    none = np.empty(0, np.int64)
    repeats = _repeats(cut.table, cut.raw)
    if rows != "flagged":
        return _Raw(times, values, cut.place.flat, cut.raw.flagged if rows == "good" else none, repeats)
    some = np.setdiff1d(cut.raw.flagged, repeats, assume_unique=True)  # few: look at nothing else
    return _Raw(times[some], values[some], np.searchsorted(some, cut.place.flat), none, none)


def _repeats(table: BlockTable, raw: Gathered) -> Integers:
    rows = table.rank[raw.block + 1] - table.rank[raw.block]
    short = np.flatnonzero(rows < BLOCK_ROWS)
    found = [np.arange(at * BLOCK_ROWS + rows[at], (at + 1) * BLOCK_ROWS) for at in short.tolist()]
    return np.concatenate(found) if found else np.empty(0, np.int64)


def _take_raw(draft: _Draft, raw: _Raw, want: Want) -> None:
    """Merge the gathered rows: a column's are neighbours, since between two edges there is no other edge's block."""
    at = np.flatnonzero(np.diff(raw.bounds) > 0)
    if not len(at):
        return
    touched = np.concatenate([raw.left_out, raw.repeats])
    kept = raw.values[touched]
    _merge_raw(draft, raw, want, at)
    raw.values[touched] = kept  # the cut may be reduced again


def _merge_raw(draft: _Draft, raw: _Raw, want: Want, at: Array) -> None:
    begin, end = raw.bounds[at], raw.bounds[at + 1]
    if "extremes" in want:
        _extremes(draft, raw, at, begin, end)
    if "ends" in want:
        some, first, last = _raw_ends(raw, at, begin, end)
        draft.end("first", some, raw.values[first], raw.times[first])
        draft.end("last", some, raw.values[last], raw.times[last])
    if "sectors" in want and draft.sectors is not None:
        bits = sector_bits(raw.values)
        bits[raw.left_out] = 0
        draft.sectors[at] |= over_segments(np.bitwise_or, bits, begin, end)
    if "sums" in want:
        draft.sum[at] += over_segments(np.add, raw.without(0.0, repeats=True), begin, end)
        if draft.sin is not None and draft.cos is not None:
            angle = np.deg2rad(raw.values)
            nothing = np.concatenate([raw.left_out, raw.repeats])
            for total, function in ((draft.sin, np.sin), (draft.cos, np.cos)):
                parts = function(angle)
                parts[nothing] = 0.0
                total[at] += over_segments(np.add, parts, begin, end)


def _extremes(draft: _Draft, raw: _Raw, at: Array, begin: Array, end: Array) -> None:
    for name, ufunc, neutral in (("min", np.minimum, np.inf), ("max", np.maximum, -np.inf)):
        values = raw.without(neutral)
        found = over_segments(ufunc, values, begin, end)
        # In wide columns the whole blocks hold nearly every extreme: look for the time only where they do not.
        may = np.flatnonzero(found <= draft.min[at] if name == "min" else found >= draft.max[at])
        if len(may) < _FEW:
            argument = np.argmin if name == "min" else np.argmax
            pieces = zip(begin[may].tolist(), end[may].tolist(), strict=True)
            where = np.array([low + argument(values[low:high]) for low, high in pieces], int)
            draft.extreme(name, at[may], found[may], raw.times[where])
        else:
            draft.extreme(name, at, found, raw.times[first_hits(values, found, begin, end)])


def _raw_ends(raw: _Raw, at: Array, begin: Array, end: Array) -> tuple[Array, Array, Array]:
    """Columns with rows that take part, and the first and last of these in each."""
    if not len(raw.left_out):
        return at, begin, end - 1
    chosen = np.ones(len(raw.values), bool)
    chosen[raw.left_out] = False
    if chosen[begin].all() and chosen[end - 1].all():
        return at, begin, end - 1
    return ends_among(np.flatnonzero(chosen), at, begin, end)


def _take_blocks(draft: _Draft, cut: Cut, rows: Rows, want: Want) -> None:
    """Merge the whole blocks between the blocks of two edges."""
    at = np.flatnonzero(np.diff(cut.place.block) > 1)
    begin, end = cut.place.block[at] + 1, cut.place.block[at + 1]
    blocks, numbers = cut.table.blocks(rows)
    if numbers is not None:  # summaries of some blocks only
        begin, end = np.searchsorted(numbers, begin), np.searchsorted(numbers, end)
        there = end > begin
        at, begin, end = at[there], begin[there], end[there]
    if len(at):
        _merge_blocks(draft, cut.table, blocks, numbers, at, begin, end, want)


def _merge_blocks(
    draft: _Draft, table: BlockTable, blocks: Blocks, numbers: Integers | None, at: Array, begin: Array, end: Array, want: Want
) -> None:
    def times(name: str, where: Array) -> Array:
        return table.absolute(where if numbers is None else numbers[where], getattr(blocks, f"{name}_time")[where])

    if "extremes" in want:
        for name, ufunc in (("min", np.minimum), ("max", np.maximum)):
            values = getattr(blocks, name)
            found = over_segments(ufunc, values, begin, end)
            draft.extreme(name, at, found, times(name, first_hits(values, found, begin, end)))
    if "ends" in want:
        some, first, last = _block_ends(blocks, at, begin, end)
        draft.end("first", some, blocks.first[first], times("first", first))
        draft.end("last", some, blocks.last[last], times("last", last))
    if "sums" in want:
        for name in ("sum", "sin", "cos"):
            if getattr(blocks, name) is not None:
                getattr(draft, name)[at] += over_segments(np.add, getattr(blocks, name), begin, end)
    if "sectors" in want and draft.sectors is not None and blocks.sectors is not None:
        draft.sectors[at] |= over_segments(np.bitwise_or, blocks.sectors, begin, end)


def _block_ends(blocks: Blocks, at: Array, begin: Array, end: Array) -> tuple[Array, Array, Array]:
    if blocks.count[begin].all() and blocks.count[end - 1].all():
        return at, begin, end - 1
    return ends_among(np.flatnonzero(blocks.count), at, begin, end)
