"""Wall-clock axes: Plotly knows no time zones, so a figure shifts its times to
the clock of the request's zone.

One figure has **one** offset, the zone's at the window's start: the axis is then linear, the shift
has an exact inverse, and no hour is drawn twice or left out. A window that holds a clock change
keeps that offset and says so. Only buckets of a day or longer, which begin at local midnights, are
placed at the clock of their own time.
"""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from data.time.zones import ZoneOffsets, changes, zone_offset_ms
from i18n import zone_name


def offset_ms(time_ms: int, timezone: str) -> int:
    """Wall clock minus UTC, in ms, at a time (int ms UTC)."""
    return zone_offset_ms(ZoneInfo(timezone), time_ms)


def offsets_ms(times_ms: npt.NDArray[np.float64], timezone: str) -> npt.NDArray[np.float64]:
    """Return wall clock minus UTC at each time, float64 ms; NaN gets the last time's."""
    finite = times_ms[np.isfinite(times_ms)]
    if not finite.size:
        return np.zeros_like(times_ms)
    return ZoneOffsets(ZoneInfo(timezone), int(finite.min()), int(finite.max())).at(times_ms).astype(np.float64)


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
    def window(self) -> tuple[float, float]:
        """The window on the axis, float64 ms."""
        return float(self.start_ms + self.offset_ms), float(self.end_ms + self.offset_ms)

    @property
    def name(self) -> str:
        """The zone's short name at the window's start, such as ``WIB``."""
        return zone_name(self.start_ms, self.timezone)

    @property
    def changes(self) -> bool:
        """Whether the clocks change inside the window."""
        return bool(changes(ZoneInfo(self.timezone), self.start_ms, max(self.start_ms, self.end_ms - 1)))

    def to_axis(self, times_ms: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Times (ms UTC) on the axis: float64 ms, of which Plotly shows the UTC date."""
        return times_ms + float(self.offset_ms)

    def bucket_to_axis(self, times_ms: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Starts of buckets of a day or longer on the axis, each at the clock of its own time."""
        return times_ms + offsets_ms(times_ms, self.timezone)
