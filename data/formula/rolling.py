"""Windows that roll along readings: those in (time − length, time]."""

from __future__ import annotations

from typing import Literal

import numpy as np

from data.arrays import Floats, Integers

COMPLETE = 0.8  # of the readings that a window usually has must be there
_HOUR_S = 1000.0


def rolled(
    kind: Literal["mean", "min", "max", "sum", "rate"], times: Integers, values: Floats, at: Integers, length_ms: int
) -> Floats:
    """Return a statistic of the readings in (t − length, t] for each t of ``at``, f8[len(at)].

    ``times`` i8 ms strictly increasing, ``values`` f8 finite, of one length. NaN where fewer than
    four fifths of the readings are there that the usual step (the median pause) makes one expect,
    or none is. ``rate`` is the sum divided by the length in seconds.
    """
    if not len(times):
        return np.full(len(at), np.nan)
    begin, end = np.searchsorted(times, at - length_ms, "right"), np.searchsorted(times, at, "right")
    if kind in ("min", "max"):
        found = _extremes(values if kind == "max" else -values, begin, end)
        found = found if kind == "max" else -found
    else:
        middle = float(values.mean())  # so that running totals stay small
        totals = np.concatenate([[0.0], np.cumsum(values - middle)])
        number = end - begin
        sums = totals[end] - totals[begin]
        with np.errstate(divide="ignore", invalid="ignore"):
            found = sums / number + middle if kind == "mean" else sums + number * middle
        found = found / (length_ms / _HOUR_S) if kind == "rate" else found
    return np.where(end - begin >= _least_rows(times, length_ms), found, np.nan)


def _least_rows(times: Integers, length_ms: int) -> float:
    step_ms = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    return max(1.0, np.floor(length_ms / step_ms) * COMPLETE) if step_ms else 1.0


def _extremes(values: Floats, begin: Integers, end: Integers) -> Floats:
    """Return the greatest of values[begin:end] for each pair, NaN where that is empty.

    Every range is two that overlap, of the greatest power of two that fits; those powers' maxima
    are made one after the other, so that one array is held at a time.
    """
    found = np.full(len(begin), np.nan)
    number = end - begin
    power = np.where(number > 0, np.frexp(np.maximum(number, 1))[1] - 1, -1)
    table = values
    for level in range(int(power.max(initial=-1)) + 1):
        width = 1 << level
        mine = np.flatnonzero(power == level)
        found[mine] = np.maximum(table[begin[mine]], table[end[mine] - width])
        table = np.maximum(table[:-width], table[width:]) if len(table) > width else table[:0]
    return found
