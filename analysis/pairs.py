"""Readings of several series that have the same time, a month at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import groupby
from typing import Final

import numpy as np

from analysis.question import Observed
from data.arrays import Floats, Integers
from data.time.months import month_of

Rows = tuple[Integers, Floats]  # stamps i8 ms UTC, values f8
_NONE: Final = (np.empty(0, np.int64), np.empty(0))


@dataclass(frozen=True)
class Pairs:
    """Readings with the same stamp: ``stamps`` i8 ms UTC, and the values f8 of both.

    ``alone`` are the readings of the first series without a partner (stamps, values),
    ``other_alone`` how many of the second.
    """

    stamps: Integers
    one: Floats
    other: Floats
    alone: Rows
    other_alone: int

    @property
    def unpaired(self) -> int:
        """How many readings of both have no partner."""
        return len(self.alone[0]) + self.other_alone


def months(observed: Sequence[Observed]) -> Iterator[list[Rows]]:
    """Return the rows of each UTC month of stamps in which a series has any, a pair a series."""
    streams = (_stamped(place, each) for place, each in enumerate(observed))
    for _, found in groupby(merge(*streams, key=lambda each: each[:2]), key=lambda each: each[0]):
        rows: list[Rows] = [_NONE] * len(observed)
        for _, place, own in found:
            rows[place] = own
        yield rows


def _stamped(place: int, observed: Observed) -> Iterator[tuple[int, int, Rows]]:
    for moments, values in observed.chunks():  # of a tile each, which is a month of stamps
        stamps = observed.stamps(moments)
        yield month_of(int(stamps[0])), place, (stamps, values)


def paired(one: Rows, other: Rows) -> Pairs:
    """Return the readings of two series by their stamps, whether a sensor stamps the start or
    the end of its interval.
    """
    (stamps, values), (stamps_too, values_too) = one, other
    if np.array_equal(stamps, stamps_too):
        return Pairs(stamps, values, values_too, (stamps[:0], values[:0]), 0)
    _, at, at_too = np.intersect1d(stamps, stamps_too, assume_unique=True, return_indices=True)
    alone = np.ones(len(stamps), bool)
    alone[at] = False
    return Pairs(stamps[at], values[at], values_too[at_too], (stamps[alone], values[alone]), len(stamps_too) - len(at))
