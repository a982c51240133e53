"""Ranges of time as people write them: ``2013``, ``2013-03``, ``13 Jul 2013``, ``last July``,
``now-7d``, ``2013-03-01 to 2013-04-15``; in all languages of the site at once.

Words without a year count from the newest data, which may be years ago; ``now-…``, ``today`` and
``yesterday`` count from now. Pure; times are int ms UTC.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from data.time.epoch import EARLIEST_MS, HOUR_MS, LATEST_MS, MINUTE_MS, ms_of
from i18n import local_time, month_numbers

Span = tuple[int, int]

LONGEST: Final = 80  # characters

_UNITS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("h", "hour", "hours", "jam"), "h"),
    **dict.fromkeys(("d", "day", "days", "hari"), "d"),
    **dict.fromkeys(("w", "week", "weeks", "minggu", "pekan"), "w"),
    **dict.fromkeys(("mo", "month", "months", "bulan"), "mo"),
    **dict.fromkeys(("y", "year", "years", "tahun"), "y"),
}
_LAST: Final = frozenset({"last", "lalu", "terakhir"})
_THIS: Final = frozenset({"this", "ini"})
_TODAY: Final = frozenset({"today", "hari ini"})
_PRESENT: Final = frozenset({"now", "sekarang"})
_YESTERDAY: Final = frozenset({"yesterday", "kemarin"})
_ENDS: Final = re.compile(r"\s*(?:\.\.|–|—|\s-\s|\bto\b|\bsampai\b|\bs/d\b)\s*")
_NOW: Final = re.compile(r"now-([1-9]\d{0,3}) ?([a-z]+)", re.ASCII)
_CLOCK: Final = re.compile(r"(.+?) (\d\d?)[:.](\d\d)", re.ASCII)
_DATE: Final = re.compile(r"(\d{4})(?:-(\d\d?)(?:-(\d\d?))?)?", re.ASCII)
_MOST: Final = 9_999  # of a unit
_LONGEST_DAY_MS: Final = 30 * HOUR_MS  # where a clock is set back


@dataclass(frozen=True)
class _Moments:
    """The zone in which words are meant, now, and the time of the newest data, on its clock."""

    zone: ZoneInfo
    now: datetime
    newest: datetime

    def day(self, year: int, month: int, day: int) -> datetime:
        return datetime(year, month, day, tzinfo=self.zone)


def parse_range_words(text: str, timezone: str, *, now_ms: int, newest_ms: int) -> Span | None:
    """[start, end) of what somebody wrote, in a zone; None where it is no range of time."""
    words = " ".join(text.casefold().split()).replace("now - ", "now-")
    if not words or len(words) > LONGEST:
        return None
    moments = _Moments(ZoneInfo(timezone), local_time(now_ms, timezone), local_time(newest_ms, timezone))
    try:
        found = _range(words, moments)
    except (ValueError, OverflowError):  # no such day, or beyond the calendar
        return None
    if found is None:
        return None
    start, end = (ms_of(each) for each in found)
    return (start, end) if EARLIEST_MS <= start < end <= LATEST_MS else None


def parse_end_words(text: str, timezone: str, *, last: bool, now_ms: int, newest_ms: int) -> int | None:
    """Return the moment (ms UTC) that one end of a range means: the first one of what somebody
    wrote, or where ``last`` the end of it; None where it means none.

    Besides ranges there are ``now`` and a day with a time, such as ``13 Jul 2013 14:30``.
    """
    words = " ".join(text.casefold().split())
    if words in _PRESENT:
        return now_ms
    clock = _CLOCK.fullmatch(words)
    span = parse_range_words(clock[1] if clock else text, timezone, now_ms=now_ms, newest_ms=newest_ms)
    if span is None or clock is None:
        return span and span[last]
    hour, minute = int(clock[2]), int(clock[3])
    if span[1] - span[0] > _LONGEST_DAY_MS or hour > 23 or minute > 59:
        return None
    return ms_of(local_time(span[0], timezone).replace(hour=hour, minute=minute, fold=0))


def _range(words: str, moments: _Moments) -> tuple[datetime, datetime] | None:
    ends = [_period(each, moments) for each in _ENDS.split(words)]
    if len(ends) == 1:
        return ends[0]
    first, last = ends[0], ends[-1]
    return (first[0], last[1]) if len(ends) == 2 and first and last else None


def _period(words: str, moments: _Moments) -> tuple[datetime, datetime] | None:
    ways: tuple[Callable[[str, _Moments], tuple[datetime, datetime] | None], ...] = (_date, _until, _calendar, _named)
    return next((found for way in ways if (found := way(words, moments))), None)


def _date(words: str, moments: _Moments) -> tuple[datetime, datetime] | None:
    """``2013``, ``2013-03``, ``2013-03-05``."""
    match = _DATE.fullmatch(words)
    if match is None:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    return _whole(moments, year or 0, month, day)


def _until(words: str, moments: _Moments) -> tuple[datetime, datetime] | None:
    """``now-7d`` until now; ``last 7 days`` until the newest data."""
    match = _NOW.fullmatch(words)
    if match is not None:
        unit = _UNITS.get(match[2])
        return (_before(moments.now, int(match[1]), unit), moments.now) if unit else None
    parts = [part for part in words.split() if part not in _LAST]
    if len(parts) != 2 or len(words.split()) != 3 or not parts[0].isdecimal() or parts[1] not in _UNITS:
        return None
    end = moments.newest + timedelta(milliseconds=MINUTE_MS)
    end = end.replace(second=0, microsecond=0)
    return _before(end, min(int(parts[0]), _MOST), _UNITS[parts[1]]), end


def _calendar(words: str, moments: _Moments) -> tuple[datetime, datetime] | None:
    """``today``, ``yesterday``; ``this`` or ``last`` month or year."""
    if words in _TODAY | _YESTERDAY:
        day = moments.now - timedelta(days=words in _YESTERDAY)
        return _whole(moments, day.year, day.month, day.day)
    parts = words.split()
    which = {part for part in parts if part in _THIS | _LAST}
    unit = next((_UNITS[part] for part in parts if part in _UNITS), "")
    if len(parts) != 2 or len(which) != 1 or unit not in ("mo", "y"):
        return None
    at = moments.newest if which <= _THIS else _before(moments.newest.replace(day=1), 1, unit)
    return _whole(moments, at.year, at.month if unit == "mo" else None, None)


def _named(words: str, moments: _Moments) -> tuple[datetime, datetime] | None:
    """``July``, ``last July``, ``July 2013``, ``13 July 2013``."""
    months, newest = month_numbers(), moments.newest
    parts = words.replace(",", " ").split()
    last = any(part in _LAST for part in parts)
    parts = [part.rstrip(".") for part in parts if part not in _LAST]
    month = next((months[part] for part in parts if part in months), None)
    numbers = [int(part) for part in parts if part.isdecimal() and len(part) <= 4]
    if month is None or len(numbers) != len(parts) - 1 or (last and numbers):
        return None
    if numbers:
        year, day = max(numbers), min(numbers) if len(numbers) == 2 else None
        return _whole(moments, year, month, day) if year > 31 and len(numbers) <= 2 else None
    begun = month < newest.month if last else month <= newest.month  # the last one is over
    return _whole(moments, newest.year if begun else newest.year - 1, month, None)


def _whole(moments: _Moments, year: int, month: int | None, day: int | None) -> tuple[datetime, datetime]:
    """A year, a month or a day; raises ValueError where there is none."""
    start = moments.day(year, month or 1, day or 1)
    if day is not None:
        following = start.date() + timedelta(days=1)
        return start, moments.day(following.year, following.month, following.day)
    if month is not None and month < 12:
        return start, moments.day(year, month + 1, 1)
    return start, moments.day(year + 1, 1, 1)


def _before(moment: datetime, count: int, unit: str) -> datetime:
    """So many hours, or so many days, weeks, months or years on the clock, before a moment."""
    if unit == "h":
        return datetime.fromtimestamp(moment.timestamp() - 3_600 * count, moment.tzinfo)
    if unit in ("d", "w"):
        return moment - timedelta(days=count * (7 if unit == "w" else 1))
    months = moment.year * 12 + moment.month - 1 - count * (12 if unit == "y" else 1)
    year, month = divmod(months, 12)
    for day in range(moment.day, moment.day - 4, -1):  # the last of a shorter month
        try:
            return moment.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    raise ValueError(months)
