"""Segments of an array, all at once: each is values[begin_i:end_i], none is empty, they do not overlap."""

from __future__ import annotations

from typing import Any

import numpy as np

from data.blocks import Array


def over_segments(ufunc: Any, values: Array, begin: Array, end: Array) -> Array:
    """``ufunc`` over each values[begin_i:end_i]; none is empty, and they do not overlap."""
    bounds = np.stack([begin, end], axis=1).reshape(-1)
    if bounds[-1] == len(values):
        bounds = bounds[:-1]
    found: Array = ufunc.reduceat(values, bounds)[::2]
    return found


def first_hits(values: Array, found: Array, begin: Array, end: Array) -> Array:
    """The position of the first occurrence of ``found_i`` in each values[begin_i:end_i]."""
    # Segments with what lies between them cover one range: compare all at once, then look up the first hit of each.
    start, stop = begin[0], end[-1]
    pauses = begin[1:] - end[:-1]
    if pauses.any():
        counts = np.empty(2 * len(begin) - 1, np.int64)
        counts[::2], counts[1::2] = end - begin, pauses
        wanted = np.repeat(np.repeat(found, 2)[:-1], counts)
    else:
        wanted = np.repeat(found, end - begin)
    hits = np.flatnonzero(values[start:stop] == wanted) + start
    at: Array = hits[np.searchsorted(hits, begin)]
    return at


def ends_among(chosen: Array, at: Array, begin: Array, end: Array) -> tuple[Array, Array, Array]:
    """Columns that hold one of some positions (increasing), and the first and last of these in each."""
    low, high = np.searchsorted(chosen, begin), np.searchsorted(chosen, end)
    there = high > low
    return at[there], chosen[low[there]], chosen[high[there] - 1]
