"""High-water marks of a mapped table: where its id and its time of change stood at the last sync.

A transaction may commit a row below the mark after the mark was taken, and a time of change of
whole seconds stays the same when a row is corrected twice in its second. So a mark remembers what
its last stretch held (``OVERLAP_IDS`` ids, some minutes of the time of change, the mark itself
included); when that differs, the stretch is looked at again.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, Date, DateTime, Numeric, String, func, select, type_coerce

from data.source.mapped.digest import digests
from data.source.mapped.reflected import ReflectedTable

OVERLAP_IDS = 1_000
OVERLAP_S = 300
CLOCK_BACK_S = 3_900  # a wall clock with daylight saving goes back an hour
# a longer stretch, as a correction of the whole table leaves, is counted only
MOST_HASHED = 100_000


@dataclass(frozen=True)
class HighWaterMark:
    """Where a column stood: its greatest value, where the stretch below it begins,
    and what that held, both ends included.

    ``None``: the table was empty.
    """

    column: str
    high: str | int | None
    low: str | int | None
    held: str = ""


def take_marks(connection: Connection, reflected: ReflectedTable) -> tuple[HighWaterMark, ...]:
    """Return where the table stands now; () where it has no column that tells."""
    return tuple(_mark(connection, reflected, column) for column in _columns(reflected))


@dataclass(frozen=True)
class SyncCheckpoint:
    """What a look leaves for the next one: marks, the digest of a table of names,
    and how many tables there were.
    """

    marks: tuple[HighWaterMark, ...]
    names: str = ""
    tables: int = 1


def dump_checkpoint(checkpoint: SyncCheckpoint) -> str:
    """Return JSON: a list of the marks, then the rest where there is any."""
    rest = {"names": checkpoint.names, "tables": checkpoint.tables}
    return json.dumps([*(asdict(mark) for mark in checkpoint.marks), *([rest] if rest != {"names": "", "tables": 1} else [])])


def parse_checkpoint(text: str) -> SyncCheckpoint:
    """Parse what :func:`dump_checkpoint` wrote; of marks of an older version the stretch
    counts as changed.
    """
    read = json.loads(text)
    rest = next((each for each in read if "column" not in each), {"names": "", "tables": 1})
    marks = (each for each in read if "column" in each)
    return SyncCheckpoint(
        tuple(HighWaterMark(each["column"], each["high"], each["low"], each.get("held", "")) for each in marks), **rest
    )


def rows_since(connection: Connection, reflected: ReflectedTable, mark: HighWaterMark) -> list[ColumnElement[bool]]:
    """Rows that may have changed since a mark; all of a table that was empty,
    or was emptied and numbers its rows anew.
    """
    if mark.high is None or mark.low is None:
        return []
    column, low, high = (
        _column(reflected, mark.column),
        _value(reflected, mark.column, mark.low),
        _value(reflected, mark.column, mark.high),
    )
    if _held(connection, reflected, mark.column, low, high) == mark.held:
        return [column > high]
    greatest = connection.execute(select(func.max(column))).scalar()
    return [column >= low] if greatest is not None and greatest >= low else []


def _columns(reflected: ReflectedTable) -> list[str]:
    return [column for column in (reflected.high_water, reflected.updated) if column is not None]


def _mark(connection: Connection, reflected: ReflectedTable, name: str) -> HighWaterMark:
    column = _column(reflected, name)
    high = connection.execute(select(func.max(column))).scalar()
    if high is None:
        return HighWaterMark(name, None, None)
    low = _low(reflected, name, high)
    return HighWaterMark(name, _text(high), _text(low), _held(connection, reflected, name, low, high))


def _held(connection: Connection, reflected: ReflectedTable, name: str, low: Any, high: Any) -> str:
    """What the rows from low to high hold, whatever their station and whether
    or not the mapping keeps them.

    Of a number of rows only which there are: it tells nothing of corrections,
    and its stretch may go back through many months.
    """
    column = _column(reflected, name)
    within = (column >= low, column <= high)
    if name != reflected.updated:
        rows, total = connection.execute(select(func.count(), func.sum(column)).where(*within)).one()
        return f"{rows} {int(total or 0)}"
    some = select(column).where(*within).limit(MOST_HASHED + 1).subquery()
    if int(connection.execute(select(func.count()).select_from(some)).scalar_one()) <= MOST_HASHED:
        return digests(connection, reflected, within)[""]
    return str(connection.execute(select(func.count()).select_from(reflected.table).where(*within)).scalar_one())


def _column(reflected: ReflectedTable, name: str) -> ColumnElement[Any]:
    """A column of marks; SQLite's times as the text that they are."""
    column = reflected.table.c[name]
    as_text = reflected.mapping.url.get_backend_name() == "sqlite" and isinstance(reflected.types[name], DateTime | Date)
    return type_coerce(column, String()) if as_text else column


def _low(reflected: ReflectedTable, name: str, high: Any) -> Any:
    """Return where the stretch below a mark begins."""
    if isinstance(high, datetime):
        return high - _overlap(reflected, high)
    if isinstance(high, date):
        return high - timedelta(days=1)
    if isinstance(high, str):
        return _low_text(reflected, high)
    if name != reflected.updated:
        return high - OVERLAP_IDS
    per_second = 1 if high < 1e11 else 1_000 if high < 1e14 else 1_000_000  # since 1970
    return high - OVERLAP_S * per_second


def _low_text(reflected: ReflectedTable, high: str) -> str:
    """The same of a time in ISO 8601, written alike; of other text the mark itself."""
    try:
        moment = datetime.fromisoformat(high[:19])
    except ValueError:
        return high
    low = str(moment - _overlap(reflected, moment))
    return (low[:10] + high[10:11] + low[11:])[: len(high)]


def _overlap(reflected: ReflectedTable, moment: datetime) -> timedelta:
    """Return how far below a mark to look again: an hour more where clocks go back."""
    zone = reflected.mapping.timezone
    offsets = {zone.utcoffset(datetime(moment.year, month, 1)) for month in (1, 7)}  # noqa: DTZ001
    return timedelta(seconds=OVERLAP_S if moment.tzinfo or len(offsets) == 1 else CLOCK_BACK_S)


def _text(value: Any) -> str | int:
    """A value as JSON can hold it."""
    if isinstance(value, int):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)


def _value(reflected: ReflectedTable, name: str, value: str | int) -> Any:
    """Inverse of :func:`_text`."""
    kind = reflected.types[name]
    if isinstance(value, int) or isinstance(_column(reflected, name).type, String):
        return value
    if isinstance(kind, DateTime):
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if getattr(kind, "timezone", False) and moment.tzinfo is None else moment
    if isinstance(kind, Date):
        return date.fromisoformat(value)
    return Decimal(value) if isinstance(kind, Numeric) and kind.asdecimal else float(value)
