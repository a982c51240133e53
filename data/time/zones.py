"""What wall clocks show: the offsets of a zone, and when they change.
All arithmetic of zones is here.

Between two changes of a zone's clocks lie at least 3.98 days (Africa/Freetown, 1939; all zones of
tzdata 2026, its rules until 2100), so a look every two days misses none. Before 1840 no zone had a
time of its own, and nobody knows what clocks will do after 2200: beyond both the offset is that of
the last look.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from data.arrays import Integers
from data.time.epoch import DAY_MS, EPOCH, ms_of

_MS = timedelta(milliseconds=1)
_PROBE_MS = 2 * DAY_MS
_SPAN_MS = 256 * _PROBE_MS  # as much as is looked through, and remembered, at a time
_FIRST_MS = ms_of(datetime(1840, 1, 1, tzinfo=UTC))
_LAST_MS = ms_of(datetime(2200, 1, 1, tzinfo=UTC))
_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?", re.ASCII)


@dataclass(frozen=True)
class OffsetChange:
    """A change of a zone's clocks at an instant (ms UTC): how far they were, and are then,
    ahead of UTC (ms).
    """

    at_ms: int
    before_ms: int
    after_ms: int


def zone_of(name: str) -> tzinfo:
    """A zone by its IANA name (``Asia/Jakarta``), or a fixed offset from UTC:
    ``-05:00``, ``UTC+7``.

    Raises:
        ValueError: when it is neither.
    """
    if name.upper() in {"UTC", "Z", "GMT"}:
        return UTC
    match = _OFFSET.fullmatch(name)
    if match:
        sign, hours, minutes = match.groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
        return timezone(offset if sign == "+" else -offset)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as exc:
        raise ValueError(f"{name!r} is neither an IANA time zone such as Asia/Jakarta nor an offset such as -05:00") from exc


def offset_text(offset_ms: int) -> str:
    """``+07:00``; with seconds where clocks were set by the sun."""
    minutes, seconds = divmod(abs(offset_ms) // 1000, 60)
    text = f"{'-' if offset_ms < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
    return f"{text}:{seconds:02d}" if seconds else text


def zone_offset_ms(zone: tzinfo, time_ms: int) -> int:
    """Return how far the clocks of a zone are ahead of UTC at an instant (ms UTC), in ms."""
    moment = EPOCH + min(max(time_ms, _FIRST_MS), _LAST_MS) * _MS
    return (moment.astimezone(zone).utcoffset() or timedelta()) // _MS


def changes(zone: tzinfo, start_ms: int, end_ms: int) -> list[OffsetChange]:
    """Return the changes of a zone's clocks in (start, end] (ms UTC), in order."""
    if not isinstance(zone, ZoneInfo):
        return []
    low, high = max(start_ms, _FIRST_MS), min(end_ms, _LAST_MS)
    spans = range(low // _SPAN_MS, high // _SPAN_MS + 1)
    return [change for span in spans for change in _changes_of(zone, span) if start_ms < change.at_ms <= end_ms]


@lru_cache(maxsize=8192)
def _changes_of(zone: tzinfo, span: int) -> tuple[OffsetChange, ...]:
    """Changes in (start, end] of one span: so that a long history finds each once."""
    found = []
    low = span * _SPAN_MS
    before = zone_offset_ms(zone, low)
    for high in range(low + _PROBE_MS, low + _SPAN_MS + 1, _PROBE_MS):
        after = zone_offset_ms(zone, high)
        if after != before:
            found.append(OffsetChange(_first_after(zone, high - _PROBE_MS, high), before, after))
        before = after
    return tuple(found)


def _first_after(zone: tzinfo, low: int, high: int) -> int:
    """The first instant with the later offset, between two of unequal offsets."""
    before = zone_offset_ms(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if zone_offset_ms(zone, middle) == before else (low, middle)
    return high


class ZoneOffsets:
    """The offsets of a zone over a span: ``starts`` int64[k] ms UTC, the first below all;
    ``offsets`` int64[k] ms.

    Right for the instants of [start, end], and for what clocks show then.
    """

    def __init__(self, zone: tzinfo, start_ms: int, end_ms: int) -> None:
        margin = _PROBE_MS  # clocks are never as far from UTC
        found = changes(zone, start_ms - margin, end_ms + margin)
        first = zone_offset_ms(zone, start_ms - margin)
        self.starts = np.array([np.iinfo(np.int64).min // 2, *(change.at_ms for change in found)], np.int64)
        self.offsets = np.array([first, *(change.after_ms for change in found)], np.int64)

    def at(self, times_ms: npt.ArrayLike) -> Integers:
        """Return the offsets at instants (ms UTC;
        int or float, NaN counts as late), int64 ms of the same shape.
        """
        found: Integers = self.offsets[np.searchsorted(self.starts, times_ms, "right") - 1]
        return found

    def to_wall(self, times_ms: Integers) -> Integers:
        """Return what clocks show at instants: int64 ms since 1970 on the clock."""
        return times_ms + self.at(times_ms)

    def to_utc(self, wall_ms: Integers) -> Integers:
        """Return when clocks show a time: the first time where they do twice,
        the change where they never do.
        """
        span = np.searchsorted(self.starts[1:] + self.offsets[:-1], wall_ms, "right")
        found: Integers = np.maximum(wall_ms - self.offsets[span], self.starts[span])
        return found

    def passes(self, wall_ms: Integers) -> tuple[Integers, Integers]:
        """Return both readings of times on the clock,
        by the offset before a change and by the one after it.

        They differ in a doubled hour, where the first is earlier, and in one that does not exist,
        where it is later.
        """
        before, after = self.offsets[:-1], self.offsets[1:]
        first = np.searchsorted(self.starts[1:] + np.maximum(before, after), wall_ms, "right")
        second = np.searchsorted(self.starts[1:] + np.minimum(before, after), wall_ms, "right")
        return wall_ms - self.offsets[first], wall_ms - self.offsets[second]
