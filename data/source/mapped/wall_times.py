"""Wall-clock times of a column become UTC, also where clocks change:
a window of UTC is cut so that each part has one offset.

Times of the hour that occurs twice are ambiguous; see
:func:`is_second_pass_of_doubled_hour`. Times of the hour that does not exist are kept as the
instant that the offset before the change gives (02:30 becomes 03:30).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo

import numpy as np
import numpy.typing as npt

from data.time.epoch import DAY_MS
from data.time.zones import OffsetChange, ZoneOffsets, changes, zone_offset_ms

Int64Array = npt.NDArray[np.int64]


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
    """Wall-clock segments whose instants cover [start, end) (ms UTC);
    they may hold instants outside, in a doubled hour.
    """
    found: list[Segment] = []
    at = start_ms
    offset = zone_offset_ms(zone, start_ms - DAY_MS)
    for change in changes(zone, start_ms - DAY_MS, end_ms + DAY_MS):
        found += _around(change, at, start_ms, end_ms)
        at, offset = max(at, change.at_ms + max(0, change.before_ms - change.after_ms)), change.after_ms
    if at < end_ms:
        found.append(Segment(at + offset, end_ms + offset, offset))
    return found


def _around(change: OffsetChange, at: int, start_ms: int, end_ms: int) -> Iterator[Segment]:
    """The time before a change from ``at`` on, and the doubled or the missing hour itself."""
    before, after, change_ms = change.before_ms, change.after_ms, change.at_ms
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


def to_utc(wall_ms: Int64Array, segment: Segment) -> Int64Array:
    """Return the instants (ms UTC) of a segment's times;
    of a doubled hour in the order in which the rows were written.
    """
    if segment.second_offset_ms is None or not len(wall_ms):
        return wall_ms - segment.offset_ms if segment.offset_ms else wall_ms
    second = is_second_pass_of_doubled_hour(wall_ms, segment.offset_ms - segment.second_offset_ms)
    return wall_ms - np.where(second, segment.second_offset_ms, segment.offset_ms)


def is_second_pass_of_doubled_hour(wall_ms: Int64Array, doubled_ms: int) -> npt.NDArray[np.bool_]:
    """Return a mask of the rows, in the order in which they were written,
    that are of the second pass of a doubled hour.

    The second pass begins where the clock jumps back by half of the hour or more, or, where all
    rows have one and the same time, with the second row. Otherwise all are of the first pass: a
    single pass says nothing, and small jumps are late rows.
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


def instants_of(wall_ms: Int64Array, zone: tzinfo) -> Int64Array:
    """Instants of wall-clock times by the segments of their whole span."""
    if not len(wall_ms):
        return wall_ms
    utc = np.zeros(len(wall_ms), np.int64)
    for segment in segments(zone, int(wall_ms.min()) - DAY_MS, int(wall_ms.max()) + DAY_MS):
        inside = (wall_ms >= segment.start_ms) & (wall_ms < segment.end_ms)
        utc[inside] = to_utc(wall_ms[inside], segment)
    return utc


def wall_ms(utc_ms: Int64Array, zone: tzinfo) -> Int64Array:
    """What the clock of a zone shows at instants."""
    return ZoneOffsets(zone, int(utc_ms.min()), int(utc_ms.max())).to_wall(utc_ms)
