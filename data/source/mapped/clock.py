"""The time column of a mapped table: which rows of a window to ask for,
and what their times are in ms UTC.

The column is compared as it is, with literals of its own type, so that an index on it serves. Rows
a little outside the window may come along where a column says less than a time (dates, text with
offsets); the reader leaves them out afterwards.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    Double,
    Float,
    Integer,
    Numeric,
    String,
    and_,
    false,
    literal,
    or_,
)
from sqlalchemy.types import TypeEngine

from data.cells.times import TimeReader
from data.source.mapped import wall_times
from data.source.mapped.mapping import ISO, SourceMapping
from data.source.mapped.time_patterns import beginnings, month_patterns
from data.source.mapped.wall_times import Segment
from data.time.epoch import DAY_MS
from data.time.months import months_between

Int64Array = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

NUMBERS_NEED = 'time_unit = "s", "ms", "us", "ns" or "excel_day"'
_PER_SECOND = {"s": 1, "ms": 1000, "us": 1_000_000, "ns": 1_000_000_000}
_SPREADSHEET_1970 = 25_569  # the day that a spreadsheet gives 1970-01-01
_FIRST_DAY = 61.0  # before it a spreadsheet has a day that never was
_ISO_READER = TimeReader()
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock has no zone
# years 1000 to 9989: what every database knows
_LEAST_MS, _GREATEST_MS = -30_610_224_000_000, 253_070_784_000_000
_MISSING = np.iinfo(np.int64).min
_SORTABLE = re.compile(r"%Y([^%]*%m([^%]*%d([^%]*%H([^%]*%M([^%]*%S([^%]*%f)?)?)?)?)?)?[^%]*(%z)?")


class Kind(StrEnum):
    """What a time column holds."""

    EPOCH = "number since 1970"
    DAYS = "days of a spreadsheet"
    INSTANT = "time with a zone"
    WALL = "time without a zone"
    TEXT = "text"


@dataclass(frozen=True)
class Clock:
    """How a column tells time. ``zone`` is of wall-clock times, ``time_format`` of text,
    ``per_second`` of numbers.

    ``whole`` says that numbers are integers; ``loose`` that text may carry offsets, which only
    parsing tells; ``dates`` that the column holds days.
    """

    kind: Kind
    zone: tzinfo
    per_second: int = 1
    time_format: str = ISO
    reader: TimeReader = _ISO_READER
    whole: bool = True
    loose: bool = False
    dates: bool = False

    def segments(self, start_ms: int, end_ms: int) -> list[Segment]:
        """Parts of a window (ms UTC) to be asked for one by one."""
        start_ms, end_ms = max(start_ms, _LEAST_MS), min(end_ms, _GREATEST_MS)
        if start_ms >= end_ms:
            return []
        if self.kind in {Kind.EPOCH, Kind.INSTANT} or self.loose:
            return [Segment(start_ms, end_ms, 0)]
        return wall_times.segments(self.zone, start_ms, end_ms)

    def shown_span(self, start_ms: int, end_ms: int) -> tuple[int, int] | None:
        """Return [start, end) of what the column shows in a window (ms UTC); None of no time."""
        found = self.segments(start_ms, end_ms)
        return (min(each.start_ms for each in found), max(each.end_ms for each in found)) if found else None

    def within(self, column: ColumnElement[Any], start_ms: int, end_ms: int) -> ColumnElement[bool]:
        """Rows in [start, end), and perhaps a few more; both in ms of what the column shows."""
        if self.kind is Kind.EPOCH:
            low = -(-start_ms * self.per_second // 1000) if self.whole else start_ms * self.per_second // 1000
            high = -(-end_ms * self.per_second // 1000)
            return and_(column >= literal(_bounded(low), BigInteger()), column < literal(_bounded(high), BigInteger()))
        if self.kind is Kind.DAYS:
            days = [max(_FIRST_DAY, _days_of(ms)) for ms in (start_ms - 1000, end_ms + 1000)]
            return and_(column >= literal(days[0], Double()), column < literal(days[1], Double()))
        if self.kind is Kind.TEXT:
            return self._text_within(column, start_ms, end_ms)
        extra = DAY_MS if self.dates else 0
        kind = DateTime(timezone=self.kind is Kind.INSTANT)
        return and_(column >= literal(self._moment(start_ms - extra), kind), column < literal(self._moment(end_ms + extra), kind))

    def until(self, column: ColumnElement[Any], end_ms: int) -> ColumnElement[bool]:
        """Select rows before an end and after the year 1000: no NULL and no zero dates."""
        return self.within(column, _LEAST_MS + 2 * DAY_MS, min(end_ms, _GREATEST_MS))

    def lacking(self, column: ColumnElement[Any]) -> ColumnElement[bool]:
        """Rows that tell no time: NULL, and what sorts before the year 1000 or after 9989:
        zero dates, words, a year 9999.
        """
        if self.kind is Kind.TEXT:
            return or_(column.is_(None), self.beyond(column, _LEAST_MS, _GREATEST_MS)) if self.sorts else column.is_(None)
        if self.kind is Kind.DAYS:
            ends: list[ColumnElement[Any]] = [literal(_FIRST_DAY, Double()), literal(_days_of(_GREATEST_MS), Double())]
        elif self.kind is Kind.EPOCH:  # in SQLite any text lies above all numbers
            ends = [literal(_bounded(ms * self.per_second // 1000), BigInteger()) for ms in (_LEAST_MS, _GREATEST_MS)]
        else:
            kind = DateTime(timezone=self.kind is Kind.INSTANT)
            ends = [literal(self._moment(ms), kind) for ms in (_LEAST_MS, _GREATEST_MS)]
        return or_(column.is_(None), column < ends[0], column >= ends[1])

    def misplaced(self, column: ColumnElement[Any]) -> ColumnElement[bool]:
        """Rows of text that no window finds, since they do not begin as the format says:
        2024-1-5 for 2024-01-05.
        """
        if self.kind is not Kind.TEXT or not self.sorts:
            return false()
        return and_(column.is_not(None), *(column.not_like(start, escape="!") for start in beginnings(self.time_format)))

    def beyond(self, column: ColumnElement[Any], start_ms: int, end_ms: int) -> ColumnElement[bool]:
        """Rows whose text sorts before the day of a start (ms of what the column shows)
        or not before that of an end.
        """
        low, high = self._days(start_ms, end_ms)
        return or_(column < literal(low, String()), column >= literal(high, String()))

    def unreadable_within(self, column: Any, valid: Mask, start_ms: int, end_ms: int) -> int:
        """How many of the rows without a time belong to [start, end), ms of what the column shows:
        a text by its day.

        Windows that follow each other count each row once,
        though they ask for some rows of each other.
        """
        array = column if isinstance(column, pa.Array) else self._arrow(column)
        wrong = array.filter(pa.array(~valid))
        if (
            self.kind is not Kind.TEXT
            or not self.sorts
            or not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type))
        ):
            return len(wrong)
        low, high = self._days(start_ms, end_ms)
        return int(pc.sum(pc.and_(pc.greater_equal(wrong, low), pc.less(wrong, high))).as_py() or 0)

    def _days(self, *ends_ms: int) -> list[str]:
        day_format = "%Y-%m-%d" if self.time_format == ISO else self._day_format
        return [self._moment(ms).strftime(day_format) for ms in ends_ms]

    @property
    def _day_format(self) -> str:
        return self.time_format.split("%H")[0].rstrip(" T")

    @property
    def sorts(self) -> bool:
        """Return whether the column's own order is that of time."""
        return self.kind is not Kind.TEXT or self.time_format == ISO or _SORTABLE.fullmatch(self.time_format) is not None

    def shown(self, ms: int, time_format: str) -> str:
        """How a format writes a time."""
        return self._moment(ms).strftime(time_format)

    def _moment(self, ms: int) -> datetime:
        moment = _EPOCH + timedelta(milliseconds=min(max(ms, _LEAST_MS), _GREATEST_MS))
        return moment.replace(tzinfo=UTC) if self.kind is Kind.INSTANT else moment

    def _text_within(self, column: ColumnElement[Any], start_ms: int, end_ms: int) -> ColumnElement[bool]:
        # 24:00 is written on the day before; a text with an offset, perhaps, on another day.
        margin = DAY_MS if self.time_format == ISO or self.loose or self.reader.hour24 else 0
        start, last = self._moment(start_ms - margin), self._moment(end_ms + margin)
        if self.time_format == ISO:  # what follows the date sorts after it, whatever separates them
            low, high = f"{start:%Y-%m-%d}", f"{last + timedelta(days=1):%Y-%m-%d}"
            return and_(column >= literal(low, String()), column < literal(high, String()))
        if self.sorts:  # whole days, since an hour may be written with one digit
            day_format = self._day_format
            days = 1 if "%d" in day_format else 32 if "%m" in day_format else 367
            low, high = start.strftime(day_format), (last + timedelta(days=days)).strftime(day_format)
            return and_(column >= literal(low, String()), column < literal(high, String()))
        first_ms, last_ms = (min(max(ms, _LEAST_MS), _GREATEST_MS) for ms in (start_ms - margin, end_ms + margin))
        fitting = {
            pattern for month in months_between(first_ms, last_ms + 1) for pattern in month_patterns(self.time_format, month)
        }
        return or_(*(column.ilike(pattern, escape="!") for pattern in sorted(fitting)))

    def milliseconds(self, column: Any) -> tuple[Int64Array, Mask]:
        """Times as the column shows them (a wall clock's, or UTC), int64 ms rounded down;
        and which rows have one.

        ``column`` is Arrow's, or a list of what a driver gave.
        """
        array = column if isinstance(column, pa.Array) else self._arrow(column)
        if self.kind is Kind.EPOCH:
            return self._numbers(array)
        if self.kind is Kind.DAYS or (self.kind is Kind.TEXT and not pa.types.is_temporal(array.type)):
            return self._read(array)
        if not pa.types.is_temporal(array.type):
            return np.zeros(len(array), np.int64), np.zeros(len(array), np.bool_)
        valid = _mask(pc.is_valid(array))
        us = pc.cast(array, pa.timestamp("us", getattr(array.type, "tz", None)), safe=False)
        whole = pc.fill_null(pc.cast(us, pa.int64()), 0).to_numpy(zero_copy_only=False)
        return np.asarray(whole // 1000, np.int64), valid

    def _read(self, array: pa.Array) -> tuple[Int64Array, Mask]:
        """As :meth:`milliseconds`, of what is no time of the database's own;
        in UTC where the clock is ``loose``.
        """
        found = self.reader.read([array])
        ms, of = found.ms, np.flatnonzero(found.present & (found.utc != self.loose))
        if len(of):
            ms = ms.copy()
            to_clock = wall_times.instants_of if self.loose else wall_times.wall_ms
            ms[of] = to_clock(ms[of], self.zone)
        return ms, found.present

    def _arrow(self, column: list[Any]) -> pa.Array:
        numbers = (int, float, Decimal)
        kinds = {Kind.EPOCH: numbers, Kind.DAYS: numbers, Kind.TEXT: (str, datetime)}.get(self.kind, (datetime,))
        if self.dates:
            column = [value if value is None or isinstance(value, datetime) else _midnight(value) for value in column]
        try:
            return pa.array(column)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            usable = [value if type(value) in kinds else None for value in column]
            return pa.array([float(value) if isinstance(value, int | Decimal) else value for value in usable])

    def _numbers(self, array: pa.Array) -> tuple[Int64Array, Mask]:
        if pa.types.is_integer(array.type):
            valid = _mask(pc.is_valid(array)) if array.null_count else np.ones(len(array), np.bool_)
            whole = (pc.fill_null(array, 0) if array.null_count else array).to_numpy().astype(np.int64, copy=False)
            ms = (
                whole * 1000 if self.per_second == 1 else whole if self.per_second == 1000 else whole // (self.per_second // 1000)
            )
            return ms, valid
        if not (pa.types.is_floating(array.type) or pa.types.is_decimal(array.type)):
            return np.zeros(len(array), np.int64), np.zeros(len(array), np.bool_)
        values = pc.fill_null(pc.cast(array, pa.float64()), np.nan).to_numpy(zero_copy_only=False) * (1000 / self.per_second)
        valid = np.isfinite(values) & (values >= _LEAST_MS) & (values <= _GREATEST_MS)
        # A double of seconds holds milliseconds only nearly:
        # 0.001 s below the next one is the next one.
        return np.floor(np.where(valid, values, 0) + 0.001).astype(np.int64), valid


def clock_of(kind: TypeEngine[Any], mapping: SourceMapping, dialect: str) -> Clock | str:
    """How a column of a reflected type tells time; or, as text, what the mapping must say of it."""
    zone, reader, unit = mapping.timezone, mapping.time_reader, mapping.time_unit
    loosely_typed = dialect == "sqlite" and (isinstance(kind, DateTime | Date | String) or kind.__class__.__name__ == "NullType")
    if isinstance(kind, Integer | Numeric | Float) or (loosely_typed and unit is not None):
        if unit is None:
            return f"{NUMBERS_NEED}, since the column holds numbers"
        if unit == "excel_day":
            return Clock(Kind.DAYS, zone, reader=reader)
        return Clock(Kind.EPOCH, zone, _PER_SECOND[unit], whole=isinstance(kind, Integer))
    if unit is not None:
        return "no time_unit, since the column holds no numbers"
    if isinstance(kind, DateTime | Date) and dialect != "sqlite":
        if getattr(kind, "timezone", False):
            return Clock(Kind.INSTANT, zone)
        return Clock(Kind.WALL, zone, dates=isinstance(kind, Date))
    if isinstance(kind, DateTime | Date | String) or kind.__class__.__name__ == "NullType":
        text_format = mapping.time_format or ISO
        plain = isinstance(kind, DateTime | Date) and mapping.time_format is None
        offsets = text_format == ISO or "%z" in text_format or "%Z" in text_format
        return Clock(Kind.TEXT, zone, time_format=text_format, reader=reader, loose=not plain and offsets)
    return "a column of times, of numbers or of text"


def _days_of(ms: int) -> float:
    """A time as a spreadsheet counts days."""
    return ms / DAY_MS + _SPREADSHEET_1970


def _bounded(number: int) -> int:
    """Clip a number to 64 bits: nanoseconds do not reach the year 9989."""
    return min(max(number, -(2**63)), 2**63 - 1)


def _midnight(day: Any) -> datetime | None:
    return datetime(day.year, day.month, day.day) if hasattr(day, "year") else None  # noqa: DTZ001


def _mask(array: pa.Array) -> Mask:
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.bool_)
