"""Rows of all sensors of a station, a UTC month at a time, flagged ones too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import merge
from itertools import groupby
from typing import Final

import numpy as np
import numpy.typing as npt

from analysis.quality.silence import aligned
from analysis.question import Observed
from data.arrays import Bools, Floats, Integers
from data.time.months import month_of


@dataclass(frozen=True)
class MonthRows:
    """Rows of a series within one month: stamps i8[n] ms UTC, values f8[n], flags u1[n]."""

    times: Integers
    values: Floats
    flags: npt.NDArray[np.uint8]

    @cached_property
    def good(self) -> tuple[Integers, Floats]:
        """Stamps and values of those that carry no flag."""
        if not self.flags.any():
            return self.times, self.values
        kept = self.flags == 0
        return self.times[kept], self.values[kept]

    def at(self, stamps: Integers) -> Floats:
        """Return the values without a flag at some increasing stamps, NaN where there is none."""
        return aligned(stamps, *self.good)

    def any_at(self, stamps: Integers) -> Floats:
        """Return the values at some increasing stamps, NaN where there is none."""
        return aligned(stamps, self.times, self.values)


EMPTY: Final = MonthRows(np.empty(0, np.int64), np.empty(0), np.empty(0, np.uint8))


def station_months(observed: Sequence[Observed]) -> Iterator[list[MonthRows]]:
    """Return the rows of each UTC month in which a series has any, one for each series."""
    streams = (_stamped(place, each) for place, each in enumerate(observed))
    for _, found in groupby(merge(*streams, key=lambda each: each[:2]), key=lambda each: each[0]):
        rows = [EMPTY] * len(observed)
        for _, place, own in found:
            rows[place] = own
        yield rows


def _stamped(place: int, observed: Observed) -> Iterator[tuple[int, int, MonthRows]]:
    for times, values, flags in observed.series.chunks():
        observed.told(observed.station, observed.sensor.name, int(times[-1]))
        yield month_of(int(times[0])), place, MonthRows(times, values, flags)


def blowing(speed: Floats, calm: float) -> Bools:
    """Return where there is wind, by its speed; where that is not known, too."""
    found: Bools = ~(speed <= calm)
    return found
