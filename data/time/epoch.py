"""Times as they stand everywhere inside: int milliseconds since 1970, UTC."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Final

SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60 * SECOND_MS
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST_MS: Final = -62_135_596_800_000  # 0001-01-01: texts of times have years 1 to 9999
LATEST_MS: Final = 253_402_300_799_999  # 9999-12-31
ALL_TIME: Final = (EARLIEST_MS, LATEST_MS)


def epoch_ms() -> int:
    """Return the present time in ms since 1970 UTC, by this machine's clock."""
    return time.time_ns() // 1_000_000


def ms_of(moment: datetime) -> int:
    """Return a moment of any zone as ms since 1970 UTC, rounded down."""
    return (moment - EPOCH) // timedelta(milliseconds=1)
