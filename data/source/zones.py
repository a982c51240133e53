"""Wall-clock times of a column become UTC, also where clocks change: a window of UTC is cut so that each part has one offset.

Times of the hour that occurs twice are ambiguous; see :func:`told_apart`. Times of the hour that does not exist are kept as the
instant that the offset before the change gives (02:30 becomes 03:30).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

Int64Array = npt.NDArray[np.int64]

_MS = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock has no zone
_LEAST_MS = (datetime(1, 1, 3) - _EPOCH) // _MS  # noqa: DTZ001
_GREATEST_MS = (datetime(9999, 12, 29) - _EPOCH) // _MS  # noqa: DTZ001
_PROBE_MS = 6 * 3_600_000  # clocks never change twice within so short a time
_DAY_MS = 86_400_000
_SPAN_MS = 64 * _DAY_MS


@dataclass(frozen=True)
class Segment:
    """Wall-clock times [start, end) (ms) that are ``offset_ms`` ahead of UTC.

    ``second_offset_ms`` is set for a doubled hour: the offset of its second pass.
    """

    start_ms: int
    end_ms: int
    offset_ms: int
    second_offset_ms: int | None = None


def segments(zone: tzinfo, start_ms: int, end_ms: int) -> list[Segment]:
    """Wall-clock segments whose instants cover [start, end) (ms UTC); they may hold instants outside, in a doubled hour."""
    if not isinstance(zone, ZoneInfo):
        offset = (zone.utcoffset(None) or timedelta()) // _MS
        return [Segment(start_ms + offset, end_ms + offset, offset)]
    found: list[Segment] = []
    at = start_ms
    offset = offset_ms(zone, start_ms - _DAY_MS)
    for change_ms, after in _changes(zone, start_ms - _DAY_MS, end_ms + _DAY_MS):
        found += _around(offset, after, change_ms, at, start_ms, end_ms)
        at, offset = max(at, change_ms + max(0, offset - after)), after
    if at < end_ms:
        found.append(Segment(at + offset, end_ms + offset, offset))
    return found


def _around(before: int, after: int, change_ms: int, at: int, start_ms: int, end_ms: int) -> Iterator[Segment]:
    """The time before a change from ``at`` on, and the doubled or the missing hour itself."""
    doubled = max(0, before - after)
    until = min(end_ms, change_ms - doubled)
    if at < until:
        yield Segment(at + before, until + before, before)
    if doubled and change_ms - doubled < end_ms and change_ms + doubled > start_ms:
        yield Segment(change_ms + after, change_ms + before, before, after)
    missing = max(0, after - before)
    left, right = max(start_ms, change_ms), min(end_ms, change_ms + missing)
    if left < right:
        yield Segment(left + before, right + before, before)


def offset_ms(zone: tzinfo, utc_ms: int) -> int:
    """How far wall clocks are ahead of UTC at an instant; beyond the years 1 to 9999 as at their ends."""
    naive = _EPOCH + timedelta(milliseconds=min(max(utc_ms, _LEAST_MS), _GREATEST_MS))
    return ((naive.replace(tzinfo=zone).tzinfo or zone).fromutc(naive.replace(tzinfo=zone)).utcoffset() or timedelta()) // _MS


def _changes(zone: tzinfo, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """Instants (ms UTC) in (start, end] at which the offset changes, and the offset from then on."""
    spans = range(start_ms // _SPAN_MS, end_ms // _SPAN_MS + 1)
    return [change for span in spans for change in _changes_of(zone, span) if start_ms < change[0] <= end_ms]


@lru_cache(maxsize=8192)
def _changes_of(zone: tzinfo, span: int) -> tuple[tuple[int, int], ...]:
    """As :func:`_changes`, of one span: so that a long history computes each once."""
    start_ms, end_ms = span * _SPAN_MS, (span + 1) * _SPAN_MS
    found = []
    before = offset_ms(zone, start_ms)
    for probe in range(start_ms + _PROBE_MS, end_ms + 1, _PROBE_MS):
        after = offset_ms(zone, probe)
        if after != before:
            low, high = probe - _PROBE_MS, probe
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (low, middle) if offset_ms(zone, middle) != before else (middle, high)
            found.append((high, after))
        before = after
    return tuple(found)


def to_utc(wall_ms: Int64Array, segment: Segment) -> Int64Array:
    """Instants (ms UTC) of a segment's times; of a doubled hour in the order in which the rows were written."""
    if segment.second_offset_ms is None or not len(wall_ms):
        return wall_ms - segment.offset_ms
    second = told_apart(wall_ms, segment.offset_ms - segment.second_offset_ms)
    return wall_ms - np.where(second, segment.second_offset_ms, segment.offset_ms)


def told_apart(wall_ms: Int64Array, doubled_ms: int) -> npt.NDArray[np.bool_]:
    """Which rows of a doubled hour, in the order in which they were written, are of its second pass.

    The second pass begins where the clock jumps back by half of the hour or more, or, where all rows have one and the same time,
    with the second row. Otherwise all are of the first pass: a single pass says nothing, and small jumps are late rows.
    """
    steps = np.diff(wall_ms)
    second = np.zeros(len(wall_ms), np.bool_)
    if not len(steps):
        return second
    if not steps.any():
        second[1:] = True
        return second
    at = int(np.argmin(steps))
    if steps[at] <= -(doubled_ms // 2):
        second[at + 1 :] = True
    return second
