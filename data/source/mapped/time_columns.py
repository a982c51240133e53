"""The time of a relation: one column, or several that make it up together,
as one expression and as the columns behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    Float,
    FromClause,
    Integer,
    Interval,
    Numeric,
    String,
    Time,
    and_,
    case,
    cast,
    func,
    literal,
    type_coerce,
)
from sqlalchemy.types import NullType, TypeEngine

from data.source.mapped.clock import Clock, Kind, clock_of
from data.source.mapped.mapping import SourceMapping
from data.time.epoch import DAY_MS

_NUMBER = re.compile("(%[YmdHMSyj])+")
_FROM_YEAR = re.compile("%Y(%m(%d(%H(%M(%S)?)?)?)?|%j)?")  # numbers that ascend as time does
_RANGES = {
    "Y": ("1000", "9999"),
    "y": ("00", "99"),
    "m": ("01", "12"),
    "d": ("01", "31"),
    "j": ("001", "366"),
    "H": ("00", "24"),
    "M": ("00", "59"),
    "S": ("00", "59"),
}


@dataclass(frozen=True)
class TimeExpression:
    """``columns`` of the mapping; ``days`` is the clock of the first where that is a day,
    which an index may begin with.

    ``formats``: of columns that are not a date and a time, how each is written, as far as the
    mapping says. ``sorted``: the columns ascend as time does, one after the other. ``bounds``: the
    format of the first where it is a number that does.
    """

    columns: tuple[str, ...]
    clock: Clock
    native: bool = False
    days: Clock | None = None
    formats: tuple[str, ...] = ()
    sorted: bool = False
    bounds: str | None = None

    def expression(self, table: FromClause, dialect: str) -> ColumnElement[Any]:
        """The time as one column."""
        parts = [table.c[name] for name in self.columns]
        if len(parts) == 1 and not self.formats:
            # SQLite's column of times may hold numbers, which its own type could not read,
            # and texts, whose offset it would drop.
            loose = self.clock.kind in {Kind.EPOCH, Kind.DAYS, Kind.TEXT}
            plain = isinstance(parts[0].type, Integer | Numeric | Float | String)
            return type_coerce(parts[0], NullType()) if loose and not plain else parts[0]
        if not self.native:
            formats = self.formats or [""] * len(parts)
            hours = "24" if self.clock.reader.hour24 else "23"
            return _joined([_text(part, each, dialect, hours) for part, each in zip(parts, formats, strict=True)])
        if dialect == "postgresql":
            return type_coerce(cast(parts[0], DateTime()) + cast(parts[1], Interval()), DateTime())
        if dialect == "duckdb":
            return type_coerce(parts[0].op("+")(parts[1]), DateTime())
        # A TIME of MariaDB is a span, of 838 hours at most; outside a day it is no time of day.
        of_day = parts[1].between(literal("00:00:00", String()), literal("24:00:00", String()))
        return case((of_day, func.timestamp(*parts, type_=DateTime())))

    def ordered(self, table: FromClause, dialect: str) -> list[ColumnElement[Any]]:
        """Columns in whose order the time ascends: an index serves it."""
        if self.sorted or (len(self.columns) > 1 and dialect == "sqlite" and not self.formats):
            return [table.c[name] for name in self.columns]
        return [self.expression(table, dialect)]

    def within(self, table: FromClause, dialect: str, start_ms: int, end_ms: int) -> ColumnElement[bool]:
        """Rows in [start, end), and perhaps a few more; both in ms of what the column shows."""
        exactly = self.clock.within(self.expression(table, dialect), start_ms, end_ms)
        first = table.c[self.columns[0]]
        if self.days is not None:
            return and_(self.days.within(first, start_ms, end_ms), exactly)
        if self.bounds is not None:
            texts = (self.clock.shown(ms, self.bounds) for ms in (start_ms - DAY_MS, end_ms + DAY_MS))
            is_number = isinstance(first.type, Integer)
            low, high = (literal(int(text), BigInteger()) if is_number else literal(text, String()) for text in texts)
            return and_(first.between(low, high), exactly)
        return exactly

    def lacking(self, table: FromClause, dialect: str) -> ColumnElement[bool]:
        """Rows that tell no time."""
        return self.clock.lacking(self.expression(table, dialect))


def time_expression_of(mapping: SourceMapping, types: Mapping[str, TypeEngine[Any]], dialect: str) -> TimeExpression | str:
    """How a mapping's columns of reflected types tell the time;
    or, as text, what the mapping must say of them.
    """
    kinds = [types[name] for name in mapping.time]
    written = mapping.time_unit is None and mapping.time_format is not None  # 202401312350
    if len(kinds) == 1 and not (isinstance(kinds[0], Integer) and written):
        clock = clock_of(kinds[0], mapping, dialect)
        return clock if isinstance(clock, str) else TimeExpression(mapping.time, clock)
    if dialect != "sqlite" and len(kinds) == 2 and isinstance(kinds[0], Date | DateTime) and isinstance(kinds[1], Time):
        if mapping.time_format is not None:
            return "no time_format, since the columns hold a date and a time"
        days = Clock(Kind.WALL, mapping.timezone, dates=True)
        return TimeExpression(mapping.time, Clock(Kind.WALL, mapping.timezone), True, days, sorted=True)
    return _of_texts(mapping, kinds, dialect)


def _of_texts(mapping: SourceMapping, kinds: Sequence[TypeEngine[Any]], dialect: str) -> TimeExpression | str:
    """Several columns as one text, with blanks between."""
    formats = tuple((mapping.time_format or "").split())
    if formats and len(formats) != len(kinds):
        return f"a time_format of {len(kinds)} parts with blanks between, one a column"
    if not formats and any(isinstance(kind, Integer) for kind in kinds):
        return 'a time_format such as "%Y-%m-%d %H%M", since one of the columns holds whole numbers'
    clock = clock_of(String(), mapping, dialect)
    if isinstance(clock, str):
        return clock
    if formats and _FROM_YEAR.fullmatch(formats[0]) and (isinstance(kinds[0], Integer) or dialect == "duckdb"):
        in_order = clock.sorts and all(isinstance(kind, Integer) for kind in kinds)
        return TimeExpression(mapping.time, clock, formats=formats, sorted=in_order, bounds=formats[0])
    days = None if formats or isinstance(kinds[0], Integer) else clock_of(kinds[0], mapping, dialect)
    return TimeExpression(mapping.time, clock, days=days if isinstance(days, Clock) else None, formats=formats)


def _text(part: ColumnElement[Any], written: str, dialect: str, hours: str) -> ColumnElement[Any]:
    """A column as text, NULL where it is blank; a number with the digits that its part
    of the format has: 930 is 0930.

    NULL where a number is none of its part (month 0): as the first or last of a station
    it would hide all of the others.
    """
    is_number = _NUMBER.fullmatch(written) is not None
    if is_number and not isinstance(part.type, Integer) and isinstance(part.type, Numeric | Float):
        whole = cast(part, BigInteger())
        part = case((whole == part, whole))
    plain = part if isinstance(part.type, String) or dialect == "sqlite" else cast(part, String(40))
    text = func.nullif(func.trim(type_coerce(plain, String())), "", type_=String())
    if not is_number:
        return text
    pieces = written.split("%")[1:]
    width = sum(len(_RANGES[piece][0]) for piece in pieces)
    zeros = literal("0" * width, String())
    padded = func.substr(zeros + text, -width) if dialect == "sqlite" else func.lpad(text, width, "0")
    return case((and_(func.length(text) <= width, *_within_ranges(padded, pieces, hours)), type_coerce(padded, String())))


def _within_ranges(digits: ColumnElement[Any], pieces: Sequence[str], hours: str) -> Iterator[ColumnElement[bool]]:
    at = 1
    for piece in pieces:
        least, greatest = _RANGES[piece]
        yield func.substr(digits, at, len(least), type_=String()).between(least, hours if piece == "H" else greatest)
        at += len(least)


def _joined(parts: Sequence[ColumnElement[Any]]) -> ColumnElement[Any]:
    """Join texts with blanks between; NULL where one is."""
    whole = parts[0]
    for part in parts[1:]:
        whole = whole + " " + part
    return whole
