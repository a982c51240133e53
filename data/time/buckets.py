"""Buckets of time in a zone: minutes, hours, days, months as a clock on the wall shows them.

Up to an hour, buckets are aligned to the wall clock and a change of the clock always begins a new
one, so the hour that an autumn night has twice is two buckets. Longer ones begin at their
wall-clock time, so a day may have 23 or 25 hours. Buckets of a range are half-open, increasing, and
cover it without a hole.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np

from data.arrays import Integers
from data.time.epoch import DAY_MS, HOUR_MS, MINUTE_MS
from data.time.zones import ZoneOffsets
from errors import TooLarge

_MONDAY_MS = 4 * DAY_MS  # 1970-01-05
# at once: 16 MB an array; those of a month or of a chart's width are far fewer
MOST_BUCKETS = 2_000_000


@dataclass(frozen=True)
class Bucket:
    """A kind of bucket: ``count`` times a unit of ``ms`` (or a month).
    ``usual_ms`` is its length on most days.
    """

    name: str
    unit: Literal["ms", "month"]
    count: int

    @property
    def usual_ms(self) -> int:
        """Length in ms; a month counts 30 days."""
        return self.count if self.unit == "ms" else self.count * 30 * DAY_MS


BUCKETS: tuple[Bucket, ...] = (
    *(Bucket(f"{n}s", "ms", n * 1000) for n in (1, 2, 5, 10, 15, 30)),
    *(Bucket(f"{n}min", "ms", n * MINUTE_MS) for n in (1, 2, 5, 10, 15, 30)),
    *(Bucket(f"{n}h", "ms", n * HOUR_MS) for n in (1, 2, 3, 6, 12)),
    *(Bucket(f"{n}d", "ms", n * DAY_MS) for n in (1, 2, 7, 14)),
    *(Bucket(f"{n}mo", "month", n) for n in (1, 3, 6)),
    *(Bucket(f"{n}y", "month", 12 * n) for n in (1, 2, 5, 10, 20, 50, 100, 500)),
)
SINGLE = frozenset({"1s", "1min", "1h", "1d", "1mo", "1y"})
BY_NAME = {bucket.name: bucket for bucket in BUCKETS}


def nice_bucket(span_ms: int, most: int, least: Bucket | None = None, most_single: int | None = None) -> Bucket:
    """The shortest kind (made of whole ``least``, where there is one)
    of which ``span_ms`` holds at most ``most``.

    Single units (a minute, an hour, a day, a month, a year), which people expect, may be more:
    ``most_single``.
    """

    def fits(bucket: Bucket) -> bool:
        number = most if most_single is None or bucket.name not in SINGLE else max(most, most_single)
        # A quarter of an hour is no number of ten minutes; a month is one of whatever is shorter.
        whole = least is None or (bucket.count % least.count == 0 if bucket.unit == least.unit else bucket.unit == "month")
        return bucket.usual_ms * number >= span_ms and whole

    return next((bucket for bucket in BUCKETS if fits(bucket)), BUCKETS[-1])


def bucket_bounds(bucket: Bucket, start_ms: int, end_ms: int, timezone: str, day_start_min: int = 0) -> tuple[int, int]:
    """[start, end) of the buckets that touch [start_ms,
    end_ms): the first and the last of :func:`bucket_edges`, made alone.
    """
    first = bucket_edges(bucket, start_ms, start_ms + 1, timezone, day_start_min)
    last = bucket_edges(bucket, end_ms - 1, end_ms, timezone, day_start_min)
    return int(first[0]), int(last[-1])


def bucket_edges(bucket: Bucket, start_ms: int, end_ms: int, timezone: str, day_start_min: int = 0) -> Integers:
    """Edges i8[n+1] (ms UTC) of the buckets that touch [start_ms, end_ms);
    the first is <= start, the last >= end.

    ``day_start_min`` minutes after local midnight is where days,
    and all that is longer than an hour, begin.

    Raises:
        TooLarge: they are more than :data:`MOST_BUCKETS`.
    """
    if (end_ms - start_ms) // bucket.usual_ms > MOST_BUCKETS:
        raise TooLarge(
            "This range has more than {most} steps of {bucket}; choose a coarser resolution or a shorter range.",
            field="resolution",
            most=f"{MOST_BUCKETS:,}",
            bucket=bucket.name,
        )
    margin = bucket.usual_ms * 31 // 28 + 2 * DAY_MS
    zone = ZoneOffsets(ZoneInfo(timezone), start_ms - margin, end_ms + margin)
    shift = day_start_min * MINUTE_MS if bucket.usual_ms > HOUR_MS else 0
    low, high = (zone.to_wall(np.array([start_ms, end_ms])) - shift).tolist()
    if bucket.unit == "month":
        edges = zone.to_utc(_month_edges(bucket.count, low, high) + shift)
    elif bucket.count > HOUR_MS:
        edges = zone.to_utc(_grid(bucket.count, low, high) + shift)
    else:
        edges = _short_edges(bucket.count, zone, start_ms - bucket.count, end_ms + bucket.count)
    edges = edges[np.diff(edges, prepend=edges[0] - 1) > 0]
    first = np.searchsorted(edges, start_ms, "right") - 1
    last = np.searchsorted(edges, end_ms, "left")
    return edges[first : last + 1]


def _grid(step: int, low: int, high: int) -> Integers:
    """Multiples of a step from below low to above high,
    with one to spare for a change of the clock; weeks from Mondays.
    """
    anchor = _MONDAY_MS if step % (7 * DAY_MS) == 0 else 0
    return np.arange((low - anchor) // step - 1, (high - anchor) // step + 3, dtype=np.int64) * step + anchor


def _month_edges(count: int, low: int, high: int) -> Integers:
    first, last = (int(np.datetime64(wall, "ms").astype("datetime64[M]").astype(np.int64)) for wall in (low, high))
    # Counted from year 0, so that quarters, years and decades begin where people expect them.
    begin = ((first + 1970 * 12) // count - 1) * count - 1970 * 12
    months = np.arange(begin, last + 2 * count + 1, count, dtype=np.int64)
    return months.astype("datetime64[M]").astype("datetime64[ms]").astype(np.int64)


def _short_edges(step: int, zone: ZoneOffsets, start_ms: int, end_ms: int) -> Integers:
    """Edges within each stretch of one offset; a change of the clock is one, too."""
    parts: list[Integers] = []
    changes = zone.starts[(zone.starts >= start_ms) & (zone.starts < end_ms)].tolist()
    inner = [change for change in changes if change > start_ms]
    for begin, end in pairwise([start_ms, *inner, end_ms]):
        offset = int(zone.at(begin))
        inside = np.arange(-(-(begin + offset) // step), -(-(end + offset) // step), dtype=np.int64) * step - offset
        parts += [np.array([begin], np.int64), inside] if begin in changes else [inside]
    return np.concatenate(parts)
