"""Hours as a clock shows them: a date and an hour from 0 to 23 each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.arrays import Integers
from data.time.buckets import BY_NAME, bucket_edges
from data.time.epoch import HOUR_MS
from data.time.zones import ZoneOffsets, zone_of

HOURS = 24


@dataclass(frozen=True)
class ClockHours:
    """Hours that touch a window: ``edges`` i8[n+1] ms UTC, ``day`` i8[n] since 1970 and ``hour``
    i8[n] of each on the clock; each hour of a date once.
    """

    edges: Integers
    day: Integers
    hour: Integers

    @property
    def days(self) -> int:
        """How many dates there are from the first to the last."""
        return int(self.day[-1] - self.day[0]) + 1

    @property
    def at(self) -> tuple[Integers, Integers]:
        """The place of each hour in an array [days][24]."""
        return self.day - self.day[0], self.hour

    @property
    def doors(self) -> Integers:
        """[start, end) of the hours of each date, i8[days][2] in ms UTC; nothing of a date that
        the clock leaves out.
        """
        dates = np.arange(self.day[0], self.day[0] + self.days)
        begin, end = (np.searchsorted(self.day, dates, side) for side in ("left", "right"))
        return np.column_stack([self.edges[begin], self.edges[end]])


def clock_hours(start_ms: int, end_ms: int, timezone: str) -> ClockHours:
    """Return the hours of a window [start_ms, end_ms), int ms UTC, on the clock of a zone.

    What the clock shows twice is one hour of twice the length; what it leaves out is not there.
    """
    edges = bucket_edges(BY_NAME["1h"], start_ms, end_ms, timezone)
    zone = ZoneOffsets(zone_of(timezone), int(edges[0]), int(edges[-1]))
    hours = np.maximum.accumulate(zone.to_wall(edges[:-1]) // HOUR_MS)
    begins = np.diff(hours, prepend=hours[0] - 1) > 0
    return ClockHours(edges[np.append(begins, True)], hours[begins] // HOURS, hours[begins] % HOURS)
