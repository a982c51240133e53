"""Wall-clock axes: Plotly knows no time zones, so a figure shifts its times to the clock of the request's zone.

One figure has **one** offset, the zone's at the window's start: the axis is then linear, the shift has an exact inverse,
and no hour is drawn twice or left out. A window that holds a clock change keeps that offset and says so.
Only buckets of a day or longer, which begin at local midnights, are placed at the clock of their own time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from i18n import zone_name

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PROBE_MS = 7 * 86_400_000  # no zone has kept a clock change for less than about three weeks
_EDGE_MS = 2 * 86_400_000  # keeps the calendar's ends (years 1 and 9999) representable in every zone
_FIRST_MS, _LAST_MS = -62_135_596_800_000 + _EDGE_MS, 253_402_300_799_999 - _EDGE_MS


def offset_ms(time_ms: int, timezone: str) -> int:
    """Wall clock minus UTC, in ms, at a time (int ms UTC)."""
    moment = _EPOCH + timedelta(milliseconds=min(max(time_ms, _FIRST_MS), _LAST_MS))
    offset = moment.astimezone(ZoneInfo(timezone)).utcoffset()
    return round(offset.total_seconds() * 1000) if offset else 0


def offsets_ms(times_ms: npt.NDArray[np.float64], timezone: str) -> npt.NDArray[np.float64]:
    """Wall clock minus UTC at each time; float64 ms, shape as given; NaN times get the first time's offset."""
    finite = times_ms[np.isfinite(times_ms)]
    if not finite.size:
        return np.zeros_like(times_ms)
    starts, offsets = _spans(int(finite.min()), int(finite.max()), timezone)
    return offsets[np.clip(np.searchsorted(starts, times_ms, side="right") - 1, 0, len(offsets) - 1)]


def _spans(first_ms: int, last_ms: int, timezone: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Begin and offset of each span of constant offset in [first, last]."""
    starts, offsets = [float(first_ms)], [offset_ms(first_ms, timezone)]
    low = first_ms
    while low < last_ms:
        high = min(low + _PROBE_MS, last_ms)
        after = offset_ms(high, timezone)
        if after != offsets[-1]:
            starts.append(float(_change(low, high, timezone)))
            offsets.append(after)
        low = high
    return np.array(starts), np.array(offsets, dtype=np.float64)


def _change(low: int, high: int, timezone: str) -> int:
    """First ms with the later offset, between two times of unequal offsets."""
    before = offset_ms(low, timezone)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset_ms(middle, timezone) == before else (low, middle)
    return high


@dataclass(frozen=True)
class WallClock:
    """The time axis of one window [start, end), int ms UTC, in a zone."""

    start_ms: int
    end_ms: int
    timezone: str

    @property
    def offset_ms(self) -> int:
        """What is added to every time, in ms."""
        return offset_ms(self.start_ms, self.timezone)

    @property
    def name(self) -> str:
        """The zone's short name at the window's start, such as ``WIB``."""
        return zone_name(self.start_ms, self.timezone)

    @property
    def changes(self) -> bool:
        """Whether the clocks change inside the window."""
        return len(_spans(self.start_ms, max(self.start_ms, self.end_ms - 1), self.timezone)[0]) > 1

    def to_axis(self, times_ms: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Times (ms UTC) on the axis: float64 ms, of which Plotly shows the UTC date."""
        return times_ms + float(self.offset_ms)

    def bucket_to_axis(self, times_ms: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Starts of buckets of a day or longer on the axis, each at the clock of its own time."""
        return times_ms + offsets_ms(times_ms, self.timezone)
