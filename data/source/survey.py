"""What a mapped table holds, found by its indexes and by samples: stations, first and last, usual step, months with rows.

Rows are estimated from the step; nothing is counted. Without an index led by the station, one scan of the table finds the
stations with their first and last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, and_, func, or_, select
from sqlalchemy.exc import DBAPIError

from data.months import month_bounds_ms, month_of, month_start_ms
from data.source import mapped_sql
from data.source.failures import took_too_long
from data.source.indexing import index_statement
from data.source.shape import Shape
from data.source.watch import instants, station_of
from errors import SourceMismatch

MOST_STATIONS = 10_000
SAMPLE_ROWS = 400
_FAR_MS = 253_402_300_799_000  # the year 9999


@dataclass(frozen=True)
class FoundMonth:
    """A UTC month of a station; rows are an estimate."""

    month: int
    rows: int
    first_ms: int
    last_ms: int


@dataclass(frozen=True)
class FoundStation:
    """A station: first and last time (ms UTC), usual step, its months."""

    name: str
    first_ms: int
    last_ms: int
    step_ms: int | None
    months: tuple[FoundMonth, ...]


def survey(connection: Connection, shape: Shape, stations: Sequence[str] = ()) -> Iterator[FoundStation]:
    """All stations of the table (those that the mapping lists, or only some), by name.

    Raises:
        SourceMismatch: more than MOST_STATIONS stations: the station's column is none; or it takes too long to find them.
    """
    for name, first_ms, last_ms in sorted(bounds(connection, shape, stations)):
        step_ms = usual_step(connection, shape, name, first_ms, last_ms)
        months = tuple(_estimated(span, step_ms) for span in _spans(connection, shape, name, first_ms, last_ms))
        yield FoundStation(name, first_ms, last_ms, step_ms, months)


def bounds(connection: Connection, shape: Shape, stations: Sequence[str] = ()) -> list[tuple[str, int, int]]:
    """(station, first, last) of every station, or of some, that has a row with a time. Raises: see :func:`survey`."""
    stations = stations or shape.mapping.stations
    try:
        return _bounds(connection, shape, stations)
    except DBAPIError as exc:
        if shape.station_led or stations or not took_too_long(exc):
            raise
        raise SourceMismatch(
            "{file}: finding the stations of {table} takes too long, since no index begins with {columns}. Make one: "
            "{statement} Or list them in the mapping: stations = [NAME, …].",
            file=shape.mapping.file,
            table=shape.mapping.table,
            columns=", ".join(shape.mapping.station),
            statement=index_statement(connection.dialect, shape),
        ) from exc


def untimed(connection: Connection, shape: Shape, *where: ColumnElement[bool]) -> int:
    """Rows whose time is NULL or a zero date, so that they are of no month."""
    column = shape.table.c[shape.mapping.time]
    query = select(func.count()).select_from(shape.table).where(shape.clock.lacking(column), mapped_sql.kept(shape), *where)
    return int(connection.execute(query).scalar_one())


def _bounds(connection: Connection, shape: Shape, stations: Sequence[str]) -> list[tuple[str, int, int]]:
    if not shape.clock.sorts:
        return list(_bounds_of_text(connection, shape, stations))
    if stations or shape.station_led or not shape.mapping.station:
        named_values = (shape.values_of(name) for name in stations) if stations else _station_values(connection, shape)
        found = [(values, *_ends(connection, shape, values)) for values in named_values if values or not stations]
    else:
        time = shape.table.c[shape.mapping.time]
        columns = [shape.table.c[name] for name in shape.mapping.station]
        query = select(*columns, func.min(time), func.max(time)).where(*_usable(shape)).group_by(*columns)
        found = [(tuple(row[:-2]), row[-2], row[-1]) for row in connection.execute(query.limit(MOST_STATIONS + 1))]
    _refuse_many(shape, found)
    named = [(station_of(shape, values), instants(shape, [first, last])) for values, first, last in found]
    return [(name, int(both[0]), int(both[1])) for name, both in named if name is not None and len(both) == 2]


def usual_step(connection: Connection, shape: Shape, station: str, first_ms: int, last_ms: int) -> int | None:
    """The most usual pause between observations, from samples near the beginning, the middle and the end."""
    steps: list[int] = []
    for at in (first_ms, (first_ms + last_ms) // 2, max(first_ms, last_ms - 86_400_000)):
        times = np.unique(sample_times(connection, shape, station, at, last_ms))
        steps += np.diff(times).tolist()
    if not steps:
        return None
    values, counts = np.unique(np.array(steps, np.int64), return_counts=True)
    return int(values[np.argmax(counts)])


def sample_times(connection: Connection, shape: Shape, station: str, from_ms: int, until_ms: int) -> Any:
    """Instants of the first rows from a time on, int64 ms UTC."""
    time = shape.table.c[shape.mapping.time]
    for segment in shape.clock.segments(from_ms, min(until_ms + 1, from_ms + 40 * 86_400_000)):
        query = (
            select(time)
            .where(
                shape.clock.within(time, segment.start_ms, segment.end_ms),
                mapped_sql.of_station(shape, station),
                mapped_sql.kept(shape),
                mapped_sql.tagged(shape, shape.mapping.sensors[:1]),
            )
            .order_by(*([time] if shape.clock.sorts else []))
            .limit(SAMPLE_ROWS)
        )
        found = instants(shape, list(connection.execute(query).scalars()))
        if len(found) > 1:
            return found
    return np.empty(0, np.int64)


def _usable(shape: Shape) -> list[ColumnElement[bool]]:
    return [
        shape.clock.until(shape.table.c[shape.mapping.time], _FAR_MS),
        mapped_sql.kept(shape),
        mapped_sql.tagged(shape, shape.mapping.sensors),
    ]


def _refuse_many(shape: Shape, found: Sequence[Any]) -> None:
    if len(found) > MOST_STATIONS:
        raise SourceMismatch(
            "{file}: station = {columns}: there are more than {most} stations in the table; is this the right column?",
            file=shape.mapping.file,
            columns=", ".join(shape.mapping.station),
            most=MOST_STATIONS,
        )


def _station_values(connection: Connection, shape: Shape) -> Iterator[tuple[Any, ...]]:
    """Each station's columns, one jump along the index a station (a loose index scan)."""
    columns = [shape.table.c[name] for name in shape.mapping.station]
    if not columns:
        yield ()
        return
    last: tuple[Any, ...] | None = None
    for _ in range(MOST_STATIONS + 1):
        after = [] if last is None else [_after(columns, last)]
        present = [each.is_not(None) for each in columns]
        row = connection.execute(select(*columns).where(*after, *present).order_by(*columns).limit(1)).first()
        if row is None:
            return
        last = tuple(row)
        yield last


def _after(columns: Sequence[ColumnElement[Any]], last: Sequence[Any]) -> ColumnElement[bool]:
    """Rows after some values in the columns' order."""
    steps = []
    for at in range(len(columns)):
        equal = [columns[before] == last[before] for before in range(at)]
        steps.append(and_(*equal, columns[at] > last[at]))
    return or_(*steps)


def _ends(connection: Connection, shape: Shape, values: tuple[Any, ...]) -> tuple[Any, Any]:
    time = shape.table.c[shape.mapping.time]
    same = [shape.table.c[name] == value for name, value in zip(shape.mapping.station, values, strict=True)]
    ends = [
        connection.execute(select(time).where(*same, *_usable(shape)).order_by(order).limit(1)).scalar()
        for order in (time.asc(), time.desc())
    ]
    return ends[0], ends[1]


def _bounds_of_text(connection: Connection, shape: Shape, stations: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """Of text that does not sort as time does: every different text is read."""
    time = shape.table.c[shape.mapping.time]
    columns = [shape.table.c[name] for name in shape.mapping.station]
    some = [mapped_sql.of_stations(shape, stations)] if stations else []
    query = select(*columns, time).where(mapped_sql.kept(shape), time.is_not(None), *some).distinct()
    found: dict[str, tuple[int, int]] = {}
    for chunk in connection.execution_options(stream_results=True, yield_per=20_000).execute(query).partitions():
        by_name: dict[str, list[Any]] = {}
        for row in chunk:
            name = station_of(shape, tuple(row[:-1]))
            if name is not None:
                by_name.setdefault(name, []).append(row[-1])
        for name, texts in by_name.items():
            times = instants(shape, texts)
            if len(times):
                low, high = found.get(name, (int(times.min()), int(times.max())))
                found[name] = (min(low, int(times.min())), max(high, int(times.max())))
    _refuse_many(shape, list(found))
    yield from ((name, low, high) for name, (low, high) in found.items())


def _spans(connection: Connection, shape: Shape, station: str, first_ms: int, last_ms: int) -> Iterator[tuple[int, int, int]]:
    """(month, first, last) of months that may have rows: with an index led by the station, only of those that have."""
    by_index = shape.clock.sorts and (shape.station_led or (not shape.mapping.station and shape.time_led))
    month, last_month = int(month_of(first_ms)), int(month_of(last_ms))
    if not by_index:
        for number in range(month, last_month + 1):
            yield (number, max(first_ms, month_start_ms(number)), min(last_ms, month_start_ms(number + 1) - 1))
        return
    at = first_ms
    while month <= last_month:
        yield (month, at, min(last_ms, month_start_ms(month + 1) - 1))
        following = _next_time(connection, shape, station, month_start_ms(month + 1), last_ms)
        if following is None:
            return
        at, month = following, int(month_of(following))


def _next_time(connection: Connection, shape: Shape, station: str, from_ms: int, last_ms: int) -> int | None:
    """The first time from ``from_ms`` on, by one step of the index."""
    time = shape.table.c[shape.mapping.time]
    for segment in _upward(shape, from_ms, last_ms + 1):
        query = select(time).where(
            shape.clock.within(time, *segment), mapped_sql.of_station(shape, station), mapped_sql.kept(shape)
        )
        shown = connection.execute(query.order_by(time).limit(1)).scalar()
        found = instants(shape, [shown]) if shown is not None else []
        if len(found):
            return max(from_ms, int(found[0]))
    return None


def _upward(shape: Shape, from_ms: int, until_ms: int) -> list[tuple[int, int]]:
    segments = shape.clock.segments(from_ms, until_ms)
    return [(min(each.start_ms for each in segments), max(each.end_ms for each in segments))] if segments else []


def _estimated(span: tuple[int, int, int], step_ms: int | None) -> FoundMonth:
    month, first, last = span
    start, end = month_bounds_ms(month)
    rows = (min(last, end - 1) - max(first, start)) // step_ms + 1 if step_ms else 1
    return FoundMonth(month, int(rows), first, last)
