"""First and last times of the stations of a mapped table, and how many rows have no readable time.

By steps of an index led by the station; without one, by one scan of the table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, not_, or_, select
from sqlalchemy.exc import DBAPIError

from data.source.connection.failures import took_too_long
from data.source.connection.session import STREAMED
from data.source.mapped import sql
from data.source.mapped.changes import instants, station_of
from data.source.mapped.clock import Kind
from data.source.mapped.index_hint import index_statement
from data.source.mapped.readable_times import MOST_UNREADABLE, EndTime, end_time
from data.source.mapped.reflected import ReflectedTable
from data.time.months import month_of, month_start_ms
from errors import SourceMismatch

MOST_STATIONS = 10_000


@dataclass(frozen=True)
class Bounds:
    """``span``: first and last time (ms UTC) of a station that can be read; None where none can.

    ``unreadable``: how many rows have another time (None: some, which were not counted);
    0 where its ends are readable.
    """

    name: str
    span: tuple[int, int] | None
    unreadable: int | None = 0


def spans(found: Sequence[Bounds]) -> list[tuple[str, int, int]]:
    """(station, first, last), ms UTC, of those that have a time."""
    return [(each.name, *each.span) for each in found if each.span is not None]


def bounds(connection: Connection, reflected: ReflectedTable, stations: Sequence[str] = ()) -> list[Bounds]:
    """Return the bounds of every station that has a row, or of some, by name.

    Raises:
        SourceMismatch: see :func:`survey`; or neither the first nor the last
            times of a station can be read.
    """
    try:
        return sorted(_bounds(connection, reflected, stations or reflected.mapping.stations), key=lambda each: each.name)
    except DBAPIError as exc:
        if reflected.station_led or reflected.mapping.stations or not took_too_long(exc):
            raise
        raise _too_long(connection, reflected) from exc


def _too_long(connection: Connection, reflected: ReflectedTable) -> SourceMismatch:
    file, table, columns = reflected.mapping.file, reflected.mapping.label, ", ".join(reflected.mapping.station)
    statement = index_statement(connection.dialect, reflected)
    if statement is None:
        return SourceMismatch(
            "{file}: finding the stations of {table} takes too long. List them in the mapping: "
            "stations = [NAME, …]; or give its tables an index that begins with {columns} (names as "
            "in {table}).",
            file=file,
            table=table,
            columns=columns,
        )
    return SourceMismatch(
        "{file}: finding the stations of {table} takes too long, since no index begins with "
        "{columns}. Create one: {statement} Or list them in the mapping: stations = [NAME, …].",
        file=file,
        table=table,
        columns=columns,
        statement=statement,
    )


def untimed(connection: Connection, reflected: ReflectedTable, *where: ColumnElement[bool]) -> int:
    """Rows that tell no time: NULL, a zero date, a text or number that is
    before the year 1000 or after 9989.
    """
    query = select(func.count()).select_from(reflected.table).where(reflected.lacking(), sql.kept(reflected), *where)
    return int(connection.execute(query).scalar_one())


def unreadable(connection: Connection, reflected: ReflectedTable, found: Sequence[Bounds]) -> int:
    """Rows besides those of :func:`untimed` whose time cannot be read,
    of stations whose first or last is such.
    """
    uncounted = [each.name for each in found if each.unreadable is None]
    counted = _bounds_by_reading(connection, reflected, uncounted) if uncounted else []
    return sum(each.unreadable or 0 for each in (*found, *counted))


def unreadable_beyond(connection: Connection, reflected: ReflectedTable, stations: Sequence[str]) -> int:
    """The same of some stations, of rows that stand before their first month or after their last,
    so that no month has them.
    """
    if reflected.clock.kind is not Kind.TEXT or not reflected.clock.sorts:
        return 0
    rows = 0
    for name, first_ms, last_ms in spans([each for each in bounds(connection, reflected, stations) if each.unreadable != 0]):
        edges = reflected.clock.shown_span(month_start_ms(month_of(first_ms)), month_start_ms(month_of(last_ms) + 1))
        if edges is None:
            continue
        beyond = reflected.clock.beyond(reflected.time, *edges)
        query = select(reflected.time).where(beyond, sql.of_station(reflected, name), sql.kept(reflected), reflected.timed())
        for chunk in connection.execute(query, execution_options=STREAMED).partitions():
            rows += len(chunk) - len(instants(reflected, [row[0] for row in chunk]))
    return rows


def _bounds(connection: Connection, reflected: ReflectedTable, stations: Sequence[str]) -> list[Bounds]:
    if not reflected.clock.sorts:
        return _bounds_by_reading(connection, reflected, stations)
    if stations or reflected.station_led or not reflected.mapping.station:
        named_values = (reflected.values_of(name) for name in stations) if stations else _station_values(connection, reflected)
        ends = [(values, *_ends(connection, reflected, values)) for values in named_values if values or not stations]
    else:
        ends = _ends_by_scan(connection, reflected)
    _refuse_many(reflected, ends)
    found: list[Bounds] = []
    hidden: list[str] = []  # behind more unreadable times than are passed over
    for values, first, last in ends:
        name = station_of(reflected, values)
        if name is None:
            continue
        if first.too_far or last.too_far:
            hidden.append(name)
        else:
            span = (first.ms, last.ms) if first.ms is not None and last.ms is not None else None
            found.append(Bounds(name, span, 0 if first.example is None and last.example is None else None))
    return [*found, *(_bounds_by_reading(connection, reflected, hidden) if hidden else [])]


def _ends_by_scan(connection: Connection, reflected: ReflectedTable) -> list[tuple[tuple[Any, ...], EndTime, EndTime]]:
    """The first and the last time of every station by one scan,
    which passes over no row that cannot be read.
    """
    time = reflected.time
    columns = [reflected.table.c[name] for name in reflected.mapping.station]
    query = select(*columns, func.min(time), func.max(time)).where(*_usable(reflected)).group_by(*columns)
    rows = connection.execute(query.limit(MOST_STATIONS + 1)).all()
    return [(tuple(row[:-2]), _as_end(reflected, row[-2]), _as_end(reflected, row[-1])) for row in rows]


def _as_end(reflected: ReflectedTable, shown: Any) -> EndTime:
    times = instants(reflected, [shown])
    return EndTime(int(times[0])) if len(times) else EndTime(None, shown, too_far=True)


def _usable(reflected: ReflectedTable) -> list[ColumnElement[bool]]:
    return [
        reflected.timed(),
        sql.kept(reflected),
        sql.tagged(reflected, reflected.mapping.sensors),
    ]


def _refuse_many(reflected: ReflectedTable, found: Sequence[Any]) -> None:
    if len(found) > MOST_STATIONS:
        raise SourceMismatch(
            "{file}: station = {columns}: there are more than {most} stations in the table; is this the right column?",
            file=reflected.mapping.file,
            columns=", ".join(reflected.mapping.station),
            most=MOST_STATIONS,
        )


def _station_values(connection: Connection, reflected: ReflectedTable) -> Iterator[tuple[Any, ...]]:
    """Each station's columns, one jump along the index a station (a loose index scan)."""
    columns = [reflected.table.c[name] for name in reflected.mapping.station]
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


def _ends(connection: Connection, reflected: ReflectedTable, values: tuple[Any, ...]) -> tuple[EndTime, EndTime]:
    """The first and the last time of a station, of each of several tables by its own index.

    Raises:
        SourceMismatch: too many unreadable times are at both ends:
            then the mapping is likely to be wrong.
    """
    firsts: list[EndTime] = []
    lasts: list[EndTime] = []
    for part in reflected.parts:
        same = [part.table.c[name] == value for name, value in zip(reflected.mapping.station, values, strict=True)]
        where = [*same, *_usable(part)]
        first, last = end_time(connection, part, where), end_time(connection, part, where, last=True)
        if first.too_far and last.too_far:
            raise SourceMismatch(
                "{file}: {station}: neither its first nor its last {count} times can be read, such as {example}; expected "
                "{expected}. Correct the mapping, or list the stations to be read: stations = [NAME, …].",
                file=reflected.mapping.file,
                station=station_of(reflected, values) or reflected.mapping.label,
                count=MOST_UNREADABLE,
                example=str(first.example),
                expected=reflected.clock.reader.expected,
            )
        firsts.append(first)
        lasts.append(last)
    return _outermost(firsts, last=False), _outermost(lasts, last=True)


def _outermost(ends: Sequence[EndTime], *, last: bool) -> EndTime:
    found = [each.ms for each in ends if each.ms is not None]
    examples = (each.example for each in ends if each.example is not None)
    ms = (max(found) if last else min(found)) if found else None
    return EndTime(ms, next(examples, None), any(each.too_far for each in ends))


def _bounds_by_reading(connection: Connection, reflected: ReflectedTable, stations: Sequence[str]) -> list[Bounds]:
    """Return bounds by reading every different text, where order or ends do not tell them."""
    time = reflected.time
    columns = [reflected.table.c[name] for name in reflected.mapping.station]
    some = [sql.of_stations(reflected, stations)] if stations else []
    timed = reflected.timed() if reflected.clock.sorts else time.is_not(None)
    query = (
        select(*columns, time, func.count())
        .where(sql.kept(reflected), timed, not_(reflected.clock.misplaced(time)), *some)
        .group_by(*columns, time)
    )
    found: dict[str, tuple[int, int]] = {}
    bad: Counter[str] = Counter()
    for chunk in connection.execute(query, execution_options=STREAMED).partitions():
        by_name: dict[str, list[tuple[Any, int]]] = {}
        for row in chunk:
            name = station_of(reflected, tuple(row[:-2]))
            if name is not None:
                by_name.setdefault(name, []).append((row[-2], row[-1]))
        for name, texts in by_name.items():
            valid = reflected.clock.milliseconds([text for text, _ in texts])[1]
            bad[name] += sum(rows for (_, rows), good in zip(texts, valid.tolist(), strict=True) if not good)
            times = instants(reflected, [text for text, _ in texts])
            if len(times):
                low, high = found.get(name, (int(times.min()), int(times.max())))
                found[name] = (min(low, int(times.min())), max(high, int(times.max())))
    _refuse_many(reflected, list(bad))
    return [Bounds(name, found.get(name), rows) for name, rows in bad.items()]
