"""What has changed in a mapped table: by high-water marks that name the changed months, or by fingerprints of months.

A transaction may commit a row below the mark after the mark was taken. So a mark remembers how many rows its last stretch held
(``OVERLAP_IDS`` ids, ``OVERLAP_S`` seconds of the time of change); when that number differs, the stretch is looked at again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, DateTime, Double, Integer, cast, func, select

from data.months import month_of, months_of
from data.source import mapped_sql
from data.source.shape import SEPARATOR, Shape

OVERLAP_IDS = 1_000
OVERLAP_S = 300
_DIGITS = 9  # of sums: a server adds doubles in any order


@dataclass(frozen=True)
class Mark:
    """Where a column stood: its greatest value, and what the stretch below it held. ``None``: the table was empty."""

    column: str
    high: str | int | None
    low: str | int | None
    rows: int


@dataclass(frozen=True)
class Change:
    """Rows of a month that are new or corrected: how many, first and last (ms UTC)."""

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
    """Inverse of :func:`dump`."""
    return tuple(Mark(**each) for each in json.loads(text))


def changes(connection: Connection, shape: Shape, before: tuple[Mark, ...]) -> dict[tuple[str, int], Change]:
    """Months that have new or corrected rows since some marks."""
    found: dict[tuple[str, int], Change] = {}
    for mark in before:
        if mark.column not in shape.types:
            continue
        column = shape.table.c[mark.column]
        low = mark.high
        if mark.high is not None and _rows(connection, shape, column, mark.low, mark.high) != mark.rows:
            low = mark.low
        condition = [column > _value(shape, mark.column, low)] if low is not None else []
        for key, change in _changed(connection, shape, condition):
            found[key] = _merged(found.get(key), change)
    return found


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


def fingerprint(connection: Connection, shape: Shape, station: str, start_ms: int, end_ms: int) -> str:
    """Count, first, last, and count and sum of each column in [start, end) of a station, as text."""
    time, mapping = shape.table.c[shape.mapping.time], shape.mapping
    values = [str(mapping.value)] if mapping.tall else list(dict.fromkeys(sensor.place for sensor in mapping.sensors))
    codes = list(dict.fromkeys(each.column for each in mapped_sql.qualities(mapping.sensors)))
    sums: list[ColumnElement[Any]] = [
        func.sum(cast(mapped_sql.number(shape, name), Double())) for name in values if _is_number(shape, name)
    ]
    counts = [func.count(shape.table.c[name]) for name in [*values, *codes]]
    texts: list[ColumnElement[Any]] = [func.min(shape.table.c[name]) for name in values if not _is_number(shape, name)]
    texts += [func.max(shape.table.c[name]) for name in values if not _is_number(shape, name)]
    parts = []
    for segment in shape.clock.segments(start_ms, end_ms):
        query = select(func.count(), func.min(time), func.max(time), *counts, *sums, *texts).where(
            shape.clock.within(time, segment.start_ms, segment.end_ms),
            mapped_sql.of_station(shape, station),
            mapped_sql.kept(shape),
            mapped_sql.tagged(shape, mapping.sensors),
        )
        parts.append([_short(value) for value in connection.execute(query).one()])
    return json.dumps(parts)


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
    column = shape.table.c[name]
    high = connection.execute(select(func.max(column))).scalar()
    if high is None:
        return Mark(name, None, None, 0)
    if isinstance(high, datetime):
        low: Any = high - timedelta(seconds=OVERLAP_S)
        texts: tuple[Any, Any] = (high.isoformat(), low.isoformat())
    elif isinstance(high, int):
        low = high - OVERLAP_IDS
        texts = (high, low)
    else:
        low = high
        texts = (str(high), str(high))
    return Mark(name, *texts, _rows(connection, shape, column, *reversed(texts)))


def _rows(connection: Connection, shape: Shape, column: ColumnElement[Any], low: Any, high: Any) -> int:
    name = str(column.key)
    within = (column > _value(shape, name, low), column <= _value(shape, name, high))
    return int(connection.execute(select(func.count()).select_from(shape.table).where(*within)).scalar_one())


def _value(shape: Shape, name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    moment = datetime.fromisoformat(value) if isinstance(shape.types[name], DateTime) else value
    if isinstance(moment, datetime) and getattr(shape.types[name], "timezone", False) and moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    return moment


def _changed(
    connection: Connection, shape: Shape, condition: list[ColumnElement[bool]]
) -> Iterator[tuple[tuple[str, int], Change]]:
    """The changed months of each station; a station whose rows span several months is read row by row."""
    time = shape.table.c[shape.mapping.time]
    station = [shape.table.c[name] for name in shape.mapping.station]
    where = [*condition, mapped_sql.kept(shape), mapped_sql.tagged(shape, shape.mapping.sensors)]
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


def _is_number(shape: Shape, name: str) -> bool:
    kind = shape.types[name]
    return isinstance(kind, Integer) or hasattr(kind, "asdecimal")


def _short(value: Any) -> str:
    return f"{value:.{_DIGITS}g}" if isinstance(value, float) else str(value)
