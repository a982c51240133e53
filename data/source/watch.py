"""What has changed in a mapped table: by high-water marks that name the changed months, or by fingerprints of months.

A transaction may commit a row below the mark after the mark was taken, and a time of change of whole seconds stays the same when
a row is corrected twice in its second. So a mark remembers what its last stretch held (``OVERLAP_IDS`` ids, some minutes of the
time of change, the mark itself included); when that differs, the stretch is looked at again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, Date, DateTime, Numeric, String, case, func, select, type_coerce

from data.months import month_of, months_of
from data.source import mapped_sql
from data.source.digest import digests
from data.source.shape import SEPARATOR, Shape

OVERLAP_IDS = 1_000
OVERLAP_S = 300
CLOCK_BACK_S = 3_900  # a wall clock with daylight saving goes back an hour
MOST_HASHED = 100_000  # a longer stretch, as a correction of the whole table leaves, is counted only


@dataclass(frozen=True)
class Mark:
    """Where a column stood: its greatest value, where the stretch below it begins, and what that held, both ends included.

    ``None``: the table was empty.
    """

    column: str
    high: str | int | None
    low: str | int | None
    held: str = ""


@dataclass(frozen=True)
class Change:
    """Rows of a month that are new or corrected: how many, first and last (ms UTC). 0 rows: some are no longer of the source."""

    rows: int
    first_ms: int
    last_ms: int


Changes = Mapping[tuple[str, int], Change]  # by station and month


def marks(connection: Connection, shape: Shape) -> tuple[Mark, ...]:
    """Where the table stands now; () where it has no column that tells."""
    return tuple(_mark(connection, shape, column) for column in _columns(shape))


def dump(found: tuple[Mark, ...]) -> str:
    """Marks as JSON."""
    return json.dumps([asdict(mark) for mark in found])


def parse(text: str) -> tuple[Mark, ...]:
    """Inverse of :func:`dump`; of an older version's marks the stretch counts as changed."""
    return tuple(Mark(each["column"], each["high"], each["low"], each.get("held", "")) for each in json.loads(text))


def changes(connection: Connection, shape: Shape, before: tuple[Mark, ...]) -> dict[tuple[str, int], Change]:
    """Months that have new or corrected rows since some marks."""
    found: dict[tuple[str, int], Change] = {}
    for mark in before:
        if mark.column not in shape.types:
            continue
        condition = _since(connection, shape, mark)
        for key, change in _changed(connection, shape, condition):
            found[key] = _merged(found.get(key), change)
        if mark.column == shape.updated and shape.mapping.where:
            for key, change in _changed(connection, shape, condition, kept=False):
                found[key] = _merged(found.get(key), Change(0, change.first_ms, change.last_ms))
    return found


def _since(connection: Connection, shape: Shape, mark: Mark) -> list[ColumnElement[bool]]:
    """Rows that may have changed since a mark; all of a table that was empty, or was emptied and numbers its rows anew."""
    if mark.high is None or mark.low is None:
        return []
    column, low, high = _column(shape, mark.column), _value(shape, mark.column, mark.low), _value(shape, mark.column, mark.high)
    if _held(connection, shape, mark.column, low, high) == mark.held:
        return [column > high]
    greatest = connection.execute(select(func.max(column))).scalar()
    return [column >= low] if greatest is not None and greatest >= low else []


def rows_between(
    connection: Connection, shape: Shape, start_ms: int, end_ms: int, station: str | None = None
) -> dict[tuple[str, int], Change]:
    """Months that have rows in [start, end), of one station or of all; the bounds may be a little wider."""
    segments = shape.clock.segments(start_ms, end_ms)
    low, high = min(each.start_ms for each in segments), max(each.end_ms for each in segments)
    where = [shape.clock.within(shape.table.c[shape.mapping.time], low, high)]
    found: dict[tuple[str, int], Change] = {}
    for key, change in _changed(connection, shape, [*where, *([mapped_sql.of_station(shape, station)] if station else [])]):
        if start_ms <= change.last_ms and change.first_ms < end_ms:
            found[key] = _sum(found[key], change) if key in found else change
    return found


def fingerprints(connection: Connection, shape: Shape, stations: Sequence[str], start_ms: int, end_ms: int) -> dict[str, str]:
    """By station, what the rows in [start, end) hold: any change of them gives another text."""
    parts: dict[str, list[str]] = {station: [] for station in stations}
    time = shape.table.c[shape.mapping.time]
    for segment in shape.clock.segments(start_ms, end_ms):
        where = [
            shape.clock.within(time, segment.start_ms, segment.end_ms),
            mapped_sql.kept(shape),
            mapped_sql.tagged(shape, shape.mapping.sensors),
        ]
        for station, digest in digests(connection, shape, where, stations).items():
            parts[station].append(digest)
    return {station: json.dumps(held) for station, held in parts.items()}


def station_of(shape: Shape, values: tuple[Any, ...]) -> str | None:
    """The name of a station from its columns; None where a part is NULL or holds the separator."""
    if not shape.mapping.station:
        return shape.mapping.station_name
    parts = [None if value is None else str(value) for value in values]
    if None in parts or (len(parts) > 1 and any(SEPARATOR in str(part) for part in parts)):
        return None
    return SEPARATOR.join(str(part) for part in parts)


def _columns(shape: Shape) -> list[str]:
    return [column for column in (shape.high_water, shape.updated) if column is not None]


def _mark(connection: Connection, shape: Shape, name: str) -> Mark:
    column = _column(shape, name)
    high = connection.execute(select(func.max(column))).scalar()
    if high is None:
        return Mark(name, None, None)
    low = _low(shape, name, high)
    return Mark(name, _text(high), _text(low), _held(connection, shape, name, low, high))


def _held(connection: Connection, shape: Shape, name: str, low: Any, high: Any) -> str:
    """What the rows from low to high hold, whatever their station and whether or not the mapping keeps them.

    Of a number of rows only which there are: it tells nothing of corrections, and its stretch may go back through many months.
    """
    column = _column(shape, name)
    within = (column >= low, column <= high)
    if name != shape.updated:
        rows, total = connection.execute(select(func.count(), func.sum(column)).where(*within)).one()
        return f"{rows} {int(total or 0)}"
    some = select(column).where(*within).limit(MOST_HASHED + 1).subquery()
    if int(connection.execute(select(func.count()).select_from(some)).scalar_one()) <= MOST_HASHED:
        return digests(connection, shape, within)[""]
    return str(connection.execute(select(func.count()).select_from(shape.table).where(*within)).scalar_one())


def _column(shape: Shape, name: str) -> ColumnElement[Any]:
    """A column of marks; SQLite's times as the text that they are."""
    column = shape.table.c[name]
    as_text = shape.mapping.url.get_backend_name() == "sqlite" and isinstance(shape.types[name], DateTime | Date)
    return type_coerce(column, String()) if as_text else column


def _low(shape: Shape, name: str, high: Any) -> Any:
    """Where the stretch below a mark begins."""
    if isinstance(high, datetime):
        return high - _overlap(shape, high)
    if isinstance(high, date):
        return high - timedelta(days=1)
    if isinstance(high, str):
        return _low_text(shape, high)
    if name != shape.updated:
        return high - OVERLAP_IDS
    per_second = 1 if high < 1e11 else 1_000 if high < 1e14 else 1_000_000  # since 1970
    return high - OVERLAP_S * per_second


def _low_text(shape: Shape, high: str) -> str:
    """The same of a time in ISO 8601, written alike; of other text the mark itself."""
    try:
        moment = datetime.fromisoformat(high[:19])
    except ValueError:
        return high
    low = str(moment - _overlap(shape, moment))
    return (low[:10] + high[10:11] + low[11:])[: len(high)]


def _overlap(shape: Shape, moment: datetime) -> timedelta:
    """How far below a mark to look again: an hour more where clocks go back."""
    zone = shape.mapping.timezone
    offsets = {zone.utcoffset(datetime(moment.year, month, 1)) for month in (1, 7)}  # noqa: DTZ001
    return timedelta(seconds=OVERLAP_S if moment.tzinfo or len(offsets) == 1 else CLOCK_BACK_S)


def _text(value: Any) -> str | int:
    """A value as JSON can hold it."""
    if isinstance(value, int):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)


def _value(shape: Shape, name: str, value: str | int) -> Any:
    """Inverse of :func:`_text`."""
    kind = shape.types[name]
    if isinstance(value, int) or isinstance(_column(shape, name).type, String):
        return value
    if isinstance(kind, DateTime):
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if getattr(kind, "timezone", False) and moment.tzinfo is None else moment
    if isinstance(kind, Date):
        return date.fromisoformat(value)
    return Decimal(value) if isinstance(kind, Numeric) and kind.asdecimal else float(value)


def _changed(
    connection: Connection, shape: Shape, condition: list[ColumnElement[bool]], *, kept: bool = True
) -> Iterator[tuple[tuple[str, int], Change]]:
    """The changed months of each station; a station whose rows span several months is read row by row.

    ``kept``: of rows that the mapping's filters keep; else of those that they leave out, NULL included.
    """
    time = shape.table.c[shape.mapping.time]
    station = [shape.table.c[name] for name in shape.mapping.station]
    chosen = mapped_sql.kept(shape) if kept else case((mapped_sql.kept(shape), 0), else_=1) == 1
    where = [*condition, chosen, mapped_sql.listed(shape), mapped_sql.tagged(shape, shape.mapping.sensors)]
    if shape.clock.sorts:
        where.append(shape.clock.until(time, 2**62))
        query = select(*station, func.count(), func.min(time), func.max(time)).where(*where).group_by(*station)
        found = [(station_of(shape, tuple(row[:-3])), row[-3], row[-2], row[-1]) for row in connection.execute(query)]
    else:
        query = select(*station, func.count()).where(*where).group_by(*station)
        found = [(station_of(shape, tuple(row[:-1])), row[-1], None, None) for row in connection.execute(query)]
    for name, rows, first, last in found:
        bounds = instants(shape, [first, last])
        if name is None or not rows:
            continue
        if len(bounds) == 2 and month_of(int(bounds[0])) == month_of(int(bounds[1])):
            yield (name, int(month_of(int(bounds[0])))), Change(int(rows), int(bounds[0]), int(bounds[1]))
            continue
        times = select(time).where(*where, mapped_sql.of_station(shape, name))
        by_month: dict[tuple[str, int], Change] = {}
        for chunk in connection.execution_options(stream_results=True, yield_per=20_000).execute(times).partitions():
            for key, change in _by_month(name, instants(shape, [row[0] for row in chunk])):
                by_month[key] = _sum(by_month[key], change) if key in by_month else change
        yield from by_month.items()


def instants(shape: Shape, column: list[Any]) -> Any:
    """Instants (int64 ms UTC, of doubled hours the first) of what the time column shows; values without a time are left out."""
    shown, valid = shape.clock.milliseconds(column)
    shown = shown[valid]
    if not len(shown):
        return shown
    margin = 86_400_000
    utc = np.zeros(len(shown), np.int64)
    for segment in shape.clock.segments(int(shown.min()) - margin, int(shown.max()) + margin):
        inside = (shown >= segment.start_ms) & (shown < segment.end_ms)
        utc[inside] = shown[inside] - segment.offset_ms
    return utc


def _by_month(name: str, times: Any) -> Iterator[tuple[tuple[str, int], Change]]:
    numbers = months_of(times)
    for month in np.unique(numbers).tolist():
        part = times[numbers == month]
        yield (name, month), Change(len(part), int(part.min()), int(part.max()))


def _merged(one: Change | None, other: Change) -> Change:
    if one is None:
        return other
    return Change(max(one.rows, other.rows), min(one.first_ms, other.first_ms), max(one.last_ms, other.last_ms))


def _sum(one: Change, other: Change) -> Change:
    return Change(one.rows + other.rows, min(one.first_ms, other.first_ms), max(one.last_ms, other.last_ms))
