"""The period of a report: a year, a quarter, a month, a week, or from one time to another. Pure;
the time is passed in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal, get_args
from zoneinfo import ZoneInfo

from data.request import parse_time
from data.time.epoch import HOUR_MS, ms_of
from errors import InvalidRequest
from i18n import format_month, format_range, local_time
from i18n import gettext as _

Every = Literal["month", "week"]
EVERY: Final[tuple[Every, ...]] = get_args(Every)

MOST_DAYS: Final = 31  # of a period whose days are listed, and that is compared with 30 years
LEAST_YEAR_DAYS: Final = 365  # of a period that is a year or more
LATE_MS: Final = 2 * HOUR_MS  # after a period, until its last readings have come in
_LONGEST: Final = 60  # characters of a period
_NAMED: Final = re.compile(r"(\d{4})(?:-(?:(\d\d)|Q([1-4])|W(\d\d)))?", re.ASCII)


@dataclass(frozen=True)
class Period:
    """A span of the clock of a time zone: ``name`` as it is written, such as ``2024-05``;
    [start, end) as that clock shows them, without a zone.
    """

    name: str
    start: datetime
    end: datetime
    timezone: str

    @property
    def span(self) -> tuple[int, int]:
        """[start, end) in int ms UTC."""
        return _ms(self.start, self.timezone), _ms(self.end, self.timezone)

    @property
    def days(self) -> float:
        """How many days it has."""
        return (self.end - self.start) / timedelta(days=1)

    @property
    def is_of_dates(self) -> bool:
        """Whether it begins and ends at midnight."""
        return self.start.time() == self.end.time() == time.min

    @property
    def is_month(self) -> bool:
        """Whether it is one month of the calendar."""
        return bool(re.fullmatch(r"\d{4}-\d\d", self.name))

    @property
    def title(self) -> str:
        """The period in words of the current language: ``May 2024``, ``2nd quarter of 2024``."""
        if self.is_month:
            return format_month(self.start.year * 12 + self.start.month - 1)
        match = _NAMED.fullmatch(self.name)
        if match and match[3]:
            return _("Quarter {number} of {year}").format(number=match[3], year=match[1])
        if match and match[4]:
            return _("Week {number} of {year}").format(number=int(match[4]), year=match[1])
        return self.name if match else format_range(*self.span, self.timezone)

    def years_before(self, years: int) -> tuple[int, int] | None:
        """Return the same dates of an earlier year, [start, end) in int ms UTC; None where the
        calendar has none, or the clock was not set back then within them as in this year.
        """
        start, end = (_year_before(moment, years) for moment in (self.start, self.end))
        if start is None or end is None:
            return None
        try:
            start_ms, end_ms = _ms(start, self.timezone), _ms(end, self.timezone)
        except OverflowError:
            return None
        return (start_ms, end_ms) if start_ms < end_ms else None


def read_period(text: str, timezone: str) -> Period:
    """Return the period that a text means: ``2024``, ``2024-Q2``, ``2024-05``, ``2024-W23``, or
    ``2024-05-01..2024-06-15``, whose end is no longer part of it; on the clock of a zone.

    Raises:
        InvalidRequest: it is none.
    """
    name = text.strip()
    if ".." in name and len(name) <= _LONGEST:
        first, _dots, last = name.partition("..")
        start, end = (local_time(parse_time(part, timezone, field="period"), timezone) for part in (first, last))
        found = Period(name, start.replace(tzinfo=None), end.replace(tzinfo=None), timezone)
    else:
        found = _named(name, timezone)
    start_ms, end_ms = found.span
    if start_ms >= end_ms:  # not by the clock, which is set back within some
        raise InvalidRequest("The start must be before the end.", field="period")
    return found


def read_every(text: str) -> Every:
    """Return the rhythm of a name.

    Raises:
        InvalidRequest: there is none.
    """
    for known in EVERY:
        if text == known:
            return known
    value, known_ones = repr(text)[:40], ", ".join(EVERY)
    raise InvalidRequest("There is no {name} {value}; use {known}.", field="every", name="every", value=value, known=known_ones)


def last_complete(every: Every, now_ms: int, timezone: str) -> Period:
    """Return the latest month or week that has ended at ``now_ms`` (int ms UTC), and whose last
    readings have had time to come in.
    """
    today = local_time(now_ms - LATE_MS, timezone).date()
    if every == "month":
        last = today.replace(day=1) - timedelta(days=1)
        return _named(f"{last:%Y-%m}", timezone)
    year, week, _day = (today - timedelta(days=7)).isocalendar()
    return _named(f"{year:04d}-W{week:02d}", timezone)


def due_ms(every: Every, period: Period) -> int:
    """Return when the report of the period after a given one is due, int ms UTC."""
    end = period.end
    following = (end + timedelta(days=32)).replace(day=1) if every == "month" else end + timedelta(days=7)
    return _ms(following, period.timezone) + LATE_MS


def _named(name: str, timezone: str) -> Period:
    match = _NAMED.fullmatch(name)
    try:
        if not match:
            raise ValueError(name)
        year, (month, quarter, week) = int(match[1]), (int(part) if part else None for part in match.groups()[1:])
        if week is not None:
            monday = date.fromisocalendar(year, week, 1)
            start, end = monday, monday + timedelta(days=7)
        else:
            first, length = (month, 1) if month is not None else (3 * quarter - 2, 3) if quarter else (1, 12)
            start = date(year, first, 1)
            end = date(year + (first + length - 1) // 12, (first + length - 1) % 12 + 1, 1)
        found = Period(name, _midnight(start), _midnight(end), timezone)
        if found.span[0] >= found.span[1]:  # OverflowError: its moments lie beyond the calendar of UTC
            raise ValueError(name)
    except (ValueError, OverflowError):
        raise InvalidRequest(
            "{text} is not a period; write it like 2024-05, 2024, 2024-Q2, 2024-W23 or 2024-05-01..2024-06-15.",
            field="period",
            text=repr(name[:_LONGEST]),
        ) from None
    return found


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - of the clock of the period's zone


def _ms(wall: datetime, timezone: str) -> int:
    return ms_of(wall.replace(tzinfo=ZoneInfo(timezone)).astimezone(UTC))


def _year_before(moment: datetime, years: int) -> datetime | None:
    try:
        return moment.replace(year=moment.year - years)
    except ValueError:
        if moment.year - years < 1:
            return None
        return moment.replace(year=moment.year - years, day=28)  # of 29 February
