"""Sensors of one station that contradict each other at the same time."""

from __future__ import annotations

from typing import Final

import numpy as np

from analysis.quality.jumps import Beyond
from analysis.quality.spans import Spans, runs_of
from data.arrays import Bools, Floats, Integers
from data.time.epoch import HOUR_MS

LIVELY: Final = 3  # sensors that stand still together
FROZEN_HOURS: Final = 2.0


def above(lower: Floats, upper: Floats, allowed: float) -> Beyond:
    """Return where what must be the lesser of two is the greater, by more than ``allowed``: dew
    point above air temperature, mean wind above its gust. NaN is never.

    WMO-No. 8, volume V (internal consistency); WMO-No. 488.
    """
    beyond = lower - upper
    at = np.flatnonzero(beyond > allowed)
    return Beyond(at, upper[at] + allowed, 1.0 + (beyond[at] - allowed) / max(allowed, 0.1))


def rain_in_dry_air(rain: Floats, humidity: Floats, least_rain: float, driest: float) -> Beyond:
    """Return where there is rain of ``least_rain`` or more while the air is drier than ``driest``,
    both in the sensors' units: a hint, since rain falls through dry air under high clouds.
    """
    at = np.flatnonzero((rain >= least_rain) & (humidity < driest))
    return Beyond(at, np.full(len(at), least_rain), rain[at] / least_rain)


def without(direction: Floats, speed: Floats, least: int) -> Bools:
    """Return where a wind direction is told without a speed, in runs of ``least`` rows or more.

    WMO-No. 488: wind direction and speed belong together.
    """
    lonely = np.isfinite(direction) & ~np.isfinite(speed)
    first, last = runs_of(lonely)
    for begin, end in zip(first.tolist(), last.tolist(), strict=True):
        if end - begin + 1 < least:
            lonely[begin : end + 1] = False
    return lonely


def frozen_rows(values: list[Floats], quiet: list[Bools]) -> Bools:
    """Return the rows at which no sensor of a station differs from the row before, while three or
    more of them would by nature; f8[n] and bool[n] for each sensor, NaN where it has no reading.

    Each alone may stand still for hours; three together do not.
    """
    rows = len(values[0])
    same, lively = np.ones(rows, bool), np.zeros(rows, np.int64)
    for each, still in zip(values, quiet, strict=True):
        missing = np.isnan(each)
        same[1:] &= (each[1:] == each[:-1]) | (missing[1:] & missing[:-1])
        lively += ~missing & ~still
    same[:1] = False
    return same & (lively >= LIVELY)


def frozen_spans(times: Integers, frozen: Bools) -> Spans:
    """Return the runs of frozen rows; the row before the first one is the first of its value."""
    first, last = runs_of(frozen)
    start = times[np.maximum(first - 1, 0)]
    hours = (times[last] - start) / HOUR_MS
    return Spans(start, times[last], last - first + 2, hours, np.full(len(first), FROZEN_HOURS), hours)
