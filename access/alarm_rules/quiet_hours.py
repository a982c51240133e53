"""Hours of the night in which mails are held back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from data.time.epoch import MINUTE_MS, ms_of
from errors import InvalidRequest

_HOURS: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_DAY_MIN: Final = 24 * 60


@dataclass(frozen=True)
class QuietHours:
    """From one minute of the day to another (exclusive) on the clock of a zone, also over
    midnight.
    """

    from_min: int
    to_min: int
    timezone: str

    def end_ms(self, now_ms: int) -> int:
        """Return when quiet hours end that hold ``now_ms`` (int ms UTC); itself outside of them."""
        wall = datetime.fromtimestamp(now_ms / 1000, ZoneInfo(self.timezone))
        minute = wall.hour * 60 + wall.minute
        if (minute - self.from_min) % _DAY_MIN >= (self.to_min - self.from_min) % _DAY_MIN:
            return now_ms
        day = wall.date() + timedelta(days=int(minute >= self.to_min))
        end = datetime(day.year, day.month, day.day, self.to_min // 60, self.to_min % 60, tzinfo=wall.tzinfo)
        return max(now_ms + MINUTE_MS, ms_of(end.astimezone(UTC)))


def read_quiet_hours(text: str, timezone: str) -> QuietHours:
    """Return the hours of a text such as ``22:00-06:00``.

    Raises:
        InvalidRequest: it is none.
    """
    found = _HOURS.fullmatch(text.strip())
    if not found or found.group(1, 2) == found.group(3, 4):
        raise InvalidRequest("Write quiet hours like 22:00-06:00.", field="quiet")
    first, last = (int(found[place]) * 60 + int(found[place + 1]) for place in (1, 3))
    return QuietHours(first, last, timezone)
