"""Buckets of time in a zone: minutes, hours, days, months as a clock on the wall shows them.

Up to an hour, buckets are aligned to the wall clock and a change of the clock always begins a new one, so the hour that
an autumn night has twice is two buckets. Longer ones begin at their wall-clock time, so a day may have 23 or 25 hours.
Buckets of a range are half-open, increasing, and cover it without a hole.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000
_MONDAY = 4 * _DAY  # 1970-01-05
_FIRST_YEAR, _LAST_YEAR = 1840, 2200  # no zone had a time of its own before; who knows what clocks will do after


@dataclass(frozen=True)
class Bucket:
    """A kind of bucket: ``count`` times a unit of ``ms`` (or a month). ``usual_ms`` is its length on most days."""

    name: str
    unit: Literal["ms", "month"]
    count: int

    @property
    def usual_ms(self) -> int:
        """Length in ms; a month counts 30 days."""
        return self.count if self.unit == "ms" else self.count * 30 * _DAY


BUCKETS: tuple[Bucket, ...] = (
    *(Bucket(f"{n}s", "ms", n * 1000) for n in (1, 2, 5, 10, 15, 30)),
    *(Bucket(f"{n}min", "ms", n * _MINUTE) for n in (1, 2, 5, 10, 15, 30)),
    *(Bucket(f"{n}h", "ms", n * _HOUR) for n in (1, 2, 3, 6, 12)),
    *(Bucket(f"{n}d", "ms", n * _DAY) for n in (1, 2, 7, 14)),
    *(Bucket(f"{n}mo", "month", n) for n in (1, 3, 6)),
    *(Bucket(f"{n}y", "month", 12 * n) for n in (1, 2, 5, 10, 20, 50, 100, 500)),
)
SINGLE = frozenset({"1s", "1min", "1h", "1d", "1mo", "1y"})
BY_NAME = {bucket.name: bucket for bucket in BUCKETS}


def nice_bucket(span_ms: int, most: int, least: Bucket | None = None, most_single: int | None = None) -> Bucket:
    """The shortest kind (not shorter than ``least``) of which ``span_ms`` holds at most ``most``.

    Single units (a minute, an hour, a day, a month, a year), which people expect, may be more: ``most_single``.
    """
    floor = least.usual_ms if least else 0

    def fits(bucket: Bucket) -> bool:
        number = most if most_single is None or bucket.name not in SINGLE else max(most, most_single)
        return bucket.usual_ms >= floor and bucket.usual_ms * number >= span_ms

    return next((bucket for bucket in BUCKETS if fits(bucket)), BUCKETS[-1])


def bucket_edges(bucket: Bucket, start_ms: int, end_ms: int, timezone: str, day_start_min: int = 0) -> Integers:
    """Edges i8[n+1] (ms UTC) of the buckets that touch [start_ms, end_ms); the first is <= start, the last >= end.

    ``day_start_min`` minutes after local midnight is where days, and all that is longer than an hour, begin.
    """
    margin = bucket.usual_ms * 31 // 28 + 2 * _DAY
    zone = _Zone(timezone, start_ms - margin, end_ms + margin)
    shift = day_start_min * _MINUTE if bucket.usual_ms > _HOUR else 0
    if bucket.unit == "month":
        edges = zone.to_utc(_month_edges(bucket.count, zone.to_wall(start_ms) - shift, zone.to_wall(end_ms) - shift) + shift)
    elif bucket.count > _HOUR:
        edges = zone.to_utc(_grid(bucket.count, zone.to_wall(start_ms) - shift, zone.to_wall(end_ms) - shift) + shift)
    else:
        edges = _short_edges(bucket.count, zone, start_ms, end_ms)
    edges = edges[np.diff(edges, prepend=edges[0] - 1) > 0]
    first = np.searchsorted(edges, start_ms, "right") - 1
    last = np.searchsorted(edges, end_ms, "left")
    return edges[first : last + 1]


def _grid(step: int, low: int, high: int) -> Integers:
    """Multiples of a step from below low to above high, with one to spare for a change of the clock; weeks from Mondays."""
    anchor = _MONDAY if step % (7 * _DAY) == 0 else 0
    return np.arange((low - anchor) // step - 1, (high - anchor) // step + 3, dtype=np.int64) * step + anchor


def _month_edges(count: int, low: int, high: int) -> Integers:
    first, last = (int(np.datetime64(wall, "ms").astype("datetime64[M]").astype(np.int64)) for wall in (low, high))
    # Counted from year 0, so that quarters, years and decades begin where people expect them.
    begin = ((first + 1970 * 12) // count - 1) * count - 1970 * 12
    months = np.arange(begin, last + 2 * count + 1, count, dtype=np.int64)
    return months.astype("datetime64[M]").astype("datetime64[ms]").astype(np.int64)


def _short_edges(step: int, zone: _Zone, start_ms: int, end_ms: int) -> Integers:
    parts: list[Integers] = []
    for begin, end, offset in zone.spans(start_ms - step, end_ms + step):
        low, high = begin + offset, end + offset
        inside = np.arange(-(-low // step), -(-high // step), dtype=np.int64) * step - offset
        parts += [np.array([begin], np.int64), inside] if zone.changes_at(begin) else [inside]
    return np.concatenate(parts)


class _Zone:
    """The offsets of a zone over a range: ``starts`` i8[k] ms UTC, ``offsets`` i8[k] ms east of UTC."""

    def __init__(self, name: str, start_ms: int, end_ms: int) -> None:
        first, last = (min(max(_year(time_ms), _FIRST_YEAR), _LAST_YEAR) for time_ms in (start_ms, end_ms))
        changes = [change for year in range(first, last + 1) for change in _changes(name, year)]
        before = _offset_ms(ZoneInfo(name), _year_start_ms(first) - 1)
        self.starts = np.array([np.iinfo(np.int64).min // 2, *(at for at, _ in changes)], np.int64)
        self.offsets = np.array([before, *(offset for _, offset in changes)], np.int64)

    def to_wall(self, time_ms: int) -> int:
        """What the wall clock shows, as ms since 1970 on that clock."""
        return time_ms + int(self.offsets[np.searchsorted(self.starts, time_ms, "right") - 1])

    def to_utc(self, wall: Integers) -> Integers:
        """When the wall clock shows it: the first time where it does twice, the change itself where it never does."""
        ends = self.starts[1:] + self.offsets[:-1]
        span = np.searchsorted(ends, wall, "right")
        times: Integers = np.maximum(wall - self.offsets[span], self.starts[span])
        return times

    def spans(self, start_ms: int, end_ms: int) -> list[tuple[int, int, int]]:
        """(begin, end, offset) of the stretches of one offset that make up [start_ms, end_ms)."""
        inner = self.starts[(self.starts > start_ms) & (self.starts < end_ms)].tolist()
        bounds = [start_ms, *inner, end_ms]
        return [(low, high, self.to_wall(low) - low) for low, high in pairwise(bounds)]

    def changes_at(self, time_ms: int) -> bool:
        """Whether the clock changes at that time."""
        return bool((self.starts == time_ms).any())


@lru_cache(maxsize=8192)
def _changes(name: str, year: int) -> tuple[tuple[int, int], ...]:
    """(ms UTC, new offset in ms) of every change of a zone's clock in a UTC year; found day by day, then by halving."""
    zone = ZoneInfo(name)
    found = []
    low, end = _year_start_ms(year) - 1, _year_start_ms(year + 1) - 1
    before = _offset_ms(zone, low)
    while low < end:
        high = min(low + _DAY, end)
        after = _offset_ms(zone, high)
        if after != before:
            found.append((_change_between(zone, low, high), after))
        low, before = high, after
    return tuple(found)


def _change_between(zone: ZoneInfo, low: int, high: int) -> int:
    before = _offset_ms(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset_ms(zone, middle) == before else (low, middle)
    return high


def _offset_ms(zone: ZoneInfo, time_ms: int) -> int:
    offset = (_EPOCH + timedelta(milliseconds=time_ms)).astimezone(zone).utcoffset() or timedelta()
    return offset.days * _DAY + offset.seconds * 1000 + offset.microseconds // 1000


def _year(time_ms: int) -> int:
    return int(np.datetime64(time_ms, "ms").astype("datetime64[Y]").astype(np.int64)) + 1970


def _year_start_ms(year: int) -> int:
    return int(np.datetime64(year - 1970, "Y").astype("datetime64[ms]").astype(np.int64))
