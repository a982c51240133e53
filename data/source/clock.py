"""The time column of a mapped table: which rows of a window to ask for, and what their times are in ms UTC.

The column is compared as it is, with literals of its own type, so that an index on it serves. Rows a little outside the window
may come along where a column says less than a time (dates, text with offsets); the reader leaves them out afterwards.
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
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import BigInteger, ColumnElement, Date, DateTime, Float, Integer, Numeric, String, and_, literal, or_
from sqlalchemy.types import TypeEngine

from data.source import zones
from data.source.mapping import ISO
from data.source.zones import Segment

Int64Array = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock has no zone
_DAY_MS = 86_400_000
_LEAST_MS, _GREATEST_MS = -30_610_224_000_000, 253_070_784_000_000  # years 1000 to 9989: what every database knows
_MISSING = np.iinfo(np.int64).min
_SORTABLE = re.compile(r"%Y([^%]*%m([^%]*%d([^%]*%H([^%]*%M([^%]*%S([^%]*%f)?)?)?)?)?)?[^%]*(%z)?")
_DIGITS = {"Y": 4, "m": 2, "d": 2, "H": 2, "I": 2, "M": 2, "S": 2, "y": 2, "j": 3, "b": 3, "p": 2}


class Kind(StrEnum):
    """What a time column holds."""

    EPOCH = "number since 1970"
    INSTANT = "time with a zone"
    WALL = "time without a zone"
    TEXT = "text"


@dataclass(frozen=True)
class Clock:
    """How a column tells time. ``zone`` is of wall-clock times, ``time_format`` of text, ``per_second`` of numbers.

    ``whole`` says that numbers are integers; ``loose`` that text may carry offsets, which only parsing tells; ``dates`` that
    the column holds days.
    """

    kind: Kind
    zone: tzinfo
    per_second: int = 1
    time_format: str = ISO
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
        return zones.segments(self.zone, start_ms, end_ms)

    def within(self, column: ColumnElement[Any], start_ms: int, end_ms: int) -> ColumnElement[bool]:
        """Rows in [start, end), and perhaps a few more; both in ms of what the column shows."""
        if self.kind is Kind.EPOCH:
            low = -(-start_ms * self.per_second // 1000) if self.whole else start_ms * self.per_second // 1000
            high = -(-end_ms * self.per_second // 1000)
            return and_(column >= literal(low, BigInteger()), column < literal(high, BigInteger()))
        if self.kind is Kind.TEXT:
            return self._text_within(column, start_ms, end_ms)
        extra = _DAY_MS if self.dates else 0
        kind = DateTime(timezone=self.kind is Kind.INSTANT)
        return and_(column >= literal(self._moment(start_ms - extra), kind), column < literal(self._moment(end_ms + extra), kind))

    def until(self, column: ColumnElement[Any], end_ms: int) -> ColumnElement[bool]:
        """Rows before an end and after the year 1000, which leaves out NULL and MariaDB's zero dates."""
        return self.within(column, _LEAST_MS + 2 * _DAY_MS, min(end_ms, _GREATEST_MS))

    def lacking(self, column: ColumnElement[Any]) -> ColumnElement[bool]:
        """Rows that tell no time: NULL, and MariaDB's zero dates, which lie before the year 1000."""
        if self.kind in {Kind.EPOCH, Kind.TEXT}:
            return column.is_(None)
        kind = DateTime(timezone=self.kind is Kind.INSTANT)
        return or_(column.is_(None), column < literal(self._moment(_LEAST_MS), kind))

    @property
    def sorts(self) -> bool:
        """Whether the column's own order is that of time."""
        return self.kind is not Kind.TEXT or self.time_format == ISO or _SORTABLE.fullmatch(self.time_format) is not None

    def _moment(self, ms: int) -> datetime:
        moment = _EPOCH + timedelta(milliseconds=min(max(ms, _LEAST_MS), _GREATEST_MS))
        return moment.replace(tzinfo=UTC) if self.kind is Kind.INSTANT else moment

    def _text_within(self, column: ColumnElement[Any], start_ms: int, end_ms: int) -> ColumnElement[bool]:
        margin = _DAY_MS if self.loose else 0
        start, last = self._moment(start_ms - margin), self._moment(end_ms + margin)
        if self.time_format == ISO:  # what follows the date sorts after it, whatever separates them
            low, high = f"{start:%Y-%m-%d}", f"{last + timedelta(days=1):%Y-%m-%d}"
            return and_(column >= literal(low, String()), column < literal(high, String()))
        if self.sorts:
            low, high = (moment.replace(tzinfo=UTC).strftime(self.time_format) for moment in (start, last))
            if self.loose:  # the offset at the end does not sort
                low, high = low.rsplit("+", 1)[0], high.rsplit("+", 1)[0]
            return and_(column >= literal(low, String()), column <= literal(high, String()))
        months = pd.period_range(start, last, freq="M")
        return or_(*(column.like(_pattern(self.time_format, month.to_timestamp()), escape="!") for month in months))

    def milliseconds(self, column: Any) -> tuple[Int64Array, Mask]:
        """Times as the column shows them (a wall clock's, or UTC), int64 ms rounded down; and which rows have one.

        ``column`` is Arrow's, or a list of what a driver gave.
        """
        array = column if isinstance(column, pa.Array) else self._arrow(column)
        if self.kind is Kind.EPOCH:
            return self._numbers(array)
        if self.kind is Kind.TEXT and not pa.types.is_temporal(array.type):
            array = _parsed(array, self.time_format, self.loose, self.zone)
        if not pa.types.is_temporal(array.type):
            return np.zeros(len(array), np.int64), np.zeros(len(array), np.bool_)
        valid = _mask(pc.is_valid(array))
        us = pc.cast(array, pa.timestamp("us", getattr(array.type, "tz", None)), safe=False)
        whole = pc.fill_null(pc.cast(us, pa.int64()), 0).to_numpy(zero_copy_only=False)
        return np.asarray(whole // 1000, np.int64), valid

    def _arrow(self, column: list[Any]) -> pa.Array:
        kinds = {Kind.EPOCH: (int, float, Decimal), Kind.TEXT: (str, datetime)}.get(self.kind, (datetime,))
        if self.dates:
            column = [value if value is None or isinstance(value, datetime) else _midnight(value) for value in column]
        try:
            return pa.array(column)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            usable = [value if type(value) in kinds else None for value in column]
            return pa.array([float(value) if isinstance(value, Decimal) else value for value in usable])

    def _numbers(self, array: pa.Array) -> tuple[Int64Array, Mask]:
        if pa.types.is_integer(array.type):
            valid = _mask(pc.is_valid(array))
            whole = pc.fill_null(array, 0).to_numpy(zero_copy_only=False).astype(np.int64)
            ms = whole * 1000 if self.per_second == 1 else whole // (self.per_second // 1000)
            return ms, valid
        if not (pa.types.is_floating(array.type) or pa.types.is_decimal(array.type)):
            return np.zeros(len(array), np.int64), np.zeros(len(array), np.bool_)
        values = pc.fill_null(pc.cast(array, pa.float64()), np.nan).to_numpy(zero_copy_only=False) * (1000 / self.per_second)
        valid = np.isfinite(values) & (values >= _LEAST_MS) & (values <= _GREATEST_MS)
        # A double of seconds holds milliseconds only nearly: 0.001 s below the next one is the next one.
        return np.floor(np.where(valid, values, 0) + 0.001).astype(np.int64), valid


def clock_of(kind: TypeEngine[Any], *, time_unit: str | None, time_format: str | None, zone: tzinfo, dialect: str) -> Clock | str:
    """How a column of a reflected type tells time; or, as text, what the mapping must say of it."""
    if isinstance(kind, Integer | Numeric | Float):
        if time_unit is None:
            return 'time_unit = "s", "ms" or "us", since the column holds numbers'
        return Clock(Kind.EPOCH, zone, {"s": 1, "ms": 1000, "us": 1_000_000}[time_unit], whole=isinstance(kind, Integer))
    if time_unit is not None:
        return "no time_unit, since the column holds no numbers"
    if isinstance(kind, DateTime | Date) and dialect != "sqlite":
        if getattr(kind, "timezone", False):
            return Clock(Kind.INSTANT, zone)
        return Clock(Kind.WALL, zone, dates=isinstance(kind, Date))
    if isinstance(kind, DateTime | Date | String) or kind.__class__.__name__ == "NullType":
        text_format = time_format or ISO
        plain = isinstance(kind, DateTime | Date) and time_format is None
        return Clock(Kind.TEXT, zone, time_format=text_format, loose=not plain and (text_format == ISO or "%z" in text_format))
    return "a column of times, of numbers or of text"


def _pattern(time_format: str, month: pd.Timestamp) -> str:
    """LIKE's pattern of all texts of a month."""

    def part(match: re.Match[str]) -> str:
        directive = match.group(1)
        if directive in "Yymb":
            return str(month.strftime(f"%{directive}"))
        return "_" * _DIGITS[directive] if directive in _DIGITS else "%"

    escaped = re.sub(r"(?<!%)([_!])", r"!\1", time_format)
    return re.sub(r"%([a-zA-Z])", part, escaped)


def _parsed(array: pa.Array, time_format: str, loose: bool, zone: tzinfo) -> pa.Array:
    """Texts as timestamps: on the wall clock, or, where offsets may occur, in UTC."""
    if pa.types.is_null(array.type):
        return array
    cells = pc.utf8_trim_whitespace(pc.cast(array, pa.string()))
    if time_format == ISO:
        found = _iso(cells, zone)
    else:
        series = pd.to_datetime(pd.Series(cells.to_pylist(), dtype="str"), format=time_format, errors="coerce", utc=loose)
        found = pa.Array.from_pandas(series)
    if not loose or found.type.tz is not None:
        return found
    wall, valid = pc.fill_null(pc.cast(pc.cast(found, pa.timestamp("ms"), safe=False), pa.int64()), 0), pc.is_valid(found)
    utc = _localized(np.asarray(wall.to_numpy(zero_copy_only=False), np.int64), zone)
    return pa.array(utc, pa.int64(), mask=~_mask(valid)).cast(pa.timestamp("ms"))


def _iso(cells: pa.Array, zone: tzinfo) -> pa.Array:
    for kind in (None, "UTC"):  # all of a column are mostly of one kind: then Arrow is quick
        try:
            return pc.cast(cells, pa.timestamp("us", kind))
        except pa.ArrowInvalid:
            continue
    return pa.array([_moment(text, zone) for text in cells.to_pylist()], pa.timestamp("us", "UTC"))


def _moment(text: str | None, zone: tzinfo) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _localized(wall_ms: Int64Array, zone: tzinfo) -> Int64Array:
    """Instants of wall-clock times by the segments of their whole span."""
    if not len(wall_ms):
        return wall_ms
    utc = np.zeros(len(wall_ms), np.int64)
    for segment in zones.segments(zone, int(wall_ms.min()) - _DAY_MS, int(wall_ms.max()) + _DAY_MS):
        inside = (wall_ms >= segment.start_ms) & (wall_ms < segment.end_ms)
        utc[inside] = zones.to_utc(wall_ms[inside], segment)
    return utc


def _midnight(day: Any) -> datetime | None:
    return datetime(day.year, day.month, day.day) if hasattr(day, "year") else None  # noqa: DTZ001


def _mask(array: pa.Array) -> Mask:
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.bool_)
