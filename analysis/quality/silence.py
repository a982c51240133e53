"""Where readings are missing, or come at times at which none is due."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from analysis.quality.spans import NONE, Spans, joined
from data.arrays import Floats, Integers

_OFF: Final = 0.25  # part of a step by which a stamp may be off


def gaps(times: Integers, step_ms: Integers | int, least: int = 1) -> Spans:
    """Return the pauses in which ``least`` readings or more are missing; ``value`` is how many.

    ``times`` i8[n] increasing; ``step_ms`` the usual step, one or i8[n-1] for each pause. A span
    reaches from the reading before to the one after.
    """
    missing = np.rint(np.diff(times) / step_ms).astype(np.int64) - 1
    at = np.flatnonzero(missing >= least)
    if not len(at):
        return NONE
    number = missing[at].astype(np.float64)
    return Spans(times[at], times[at + 1], missing[at], number, np.full(len(at), float(least)), number / least)


def silent(times: Integers, station: Integers, step_ms: int, least: int) -> Spans:
    """Return where one sensor lacks ``least`` readings or more while its station sends others.

    ``times`` i8[n] are the sensor's stamps, ``station`` i8[m] those of all its sensors, these too;
    both increasing.
    """
    if len(times) == len(station):  # it has them all
        return NONE
    lacking = station[~np.isin(station, times, assume_unique=True)]
    ones = np.ones(len(lacking))
    place = np.searchsorted(times, lacking)  # those between the same two readings are one
    first = np.concatenate([[0], np.flatnonzero(np.diff(place)) + 1])
    rows = np.diff(np.concatenate([first, [len(lacking)]]))
    ends = np.concatenate([first[1:], [len(lacking)]]) - 1
    number = rows.astype(np.float64)
    found = Spans(lacking[first], lacking[ends], rows, number, ones[first] * least, number / least)
    found = found.chosen(rows >= least)
    return joined(found, step_ms)


def irregular(times: Integers, step_ms: Integers | int, join_ms: int) -> Spans:
    """Return where readings come earlier than a step after the one before, or between two steps;
    ``value`` is the pause in minutes.

    WMO-No. 8, volume V: time checks of messages.
    """
    pause = np.diff(times)
    steps = pause / step_ms
    off = np.abs(steps - np.maximum(np.rint(steps), 1.0))
    at = np.flatnonzero(off > _OFF)
    if not len(at):
        return NONE
    minutes, usual = pause[at] / 60_000, np.broadcast_to(step_ms, len(pause))[at] / 60_000
    ones = np.ones(len(at), np.int64)
    return joined(Spans(times[at + 1], times[at + 1], ones, minutes, usual, 1.0 + off[at]), join_ms)


def union(stamps: Sequence[Integers]) -> Integers:
    """Return the times at which any of some series has a reading, increasing."""
    some = [each for each in stamps if len(each)]
    if not some:
        return np.empty(0, np.int64)
    if all(np.array_equal(each, some[0]) for each in some[1:]):
        return some[0]
    return np.unique(np.concatenate(some))


def aligned(stamps: Integers, times: Integers, values: Floats) -> Floats:
    """Return the values of a series at some increasing stamps, NaN where it has none."""
    if np.array_equal(stamps, times):
        return values
    found = np.full(len(stamps), np.nan)
    at = np.searchsorted(stamps, times)
    inside = at < len(stamps)
    at, kept = at[inside], np.flatnonzero(inside)
    same = stamps[at] == times[kept]
    found[at[same]] = values[kept[same]]
    return found
