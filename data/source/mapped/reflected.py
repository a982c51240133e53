"""What a mapped table really is: columns, types and indexes, as reflected,
and held against the mapping.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, DateTime, Float, FromClause, Integer, Numeric, false, func, select
from sqlalchemy.dialects.mysql import DOUBLE as MYSQL_DOUBLE
from sqlalchemy.types import DOUBLE, DOUBLE_PRECISION, FLOAT, REAL, TypeEngine

from data.source.connection.failures import database_name
from data.source.mapped.clock import NUMBERS_NEED, Clock
from data.source.mapped.clock import Kind as TimeKind
from data.source.mapped.mapping import MappedSensor, SourceMapping
from data.source.mapped.relation import Relation, relation_of
from data.source.mapped.tag_names import keys_by_name
from data.source.mapped.time_columns import TimeExpression, time_expression_of
from errors import SourceMismatch

_FAR_MS = 2**62
SEPARATOR = " / "  # between the columns of a station's name


@dataclass(frozen=True)
class ReflectedTable:
    """A mapped table as it was reflected: its columns, types and indexes, held against the mapping.

    ``table`` is what rows are selected from. ``order`` tells in which order rows of equal time were
    written; ``high_water`` grows with each new row, ``updated`` with each change (None: there is no
    such column). ``keys`` are what a tag's column holds, by tag, where a table of names says so.
    """

    mapping: SourceMapping
    relation: Relation
    table: FromClause
    dialect: str
    when: TimeExpression
    order: str | None
    high_water: str | None
    updated: str | None
    keys: Mapping[str, tuple[Any, ...]] | None = None

    @property
    def types(self) -> Mapping[str, TypeEngine[Any]]:
        """The columns' types by name."""
        return self.relation.types

    @property
    def clock(self) -> Clock:
        """How the time is told."""
        return self.when.clock

    @property
    def time(self) -> ColumnElement[Any]:
        """The time as one column."""
        return self.when.expression(self.table, self.dialect)

    @property
    def by_time(self) -> list[ColumnElement[Any]]:
        """Columns in whose order the time ascends."""
        return self.when.ordered(self.table, self.dialect)

    @property
    def parts(self) -> tuple[ReflectedTable, ...]:
        """Return one of these for each of many tables; itself where there is one."""
        if self.table is not self.relation.table:
            return (self,)
        return tuple(replace(self, table=part) for part in self.relation.parts)

    def within(self, start_ms: int, end_ms: int) -> ColumnElement[bool]:
        """Rows in [start, end), and perhaps a few more; both in ms of what the time shows."""
        return self.when.within(self.table, self.dialect, start_ms, end_ms)

    def between(self, start_ms: int, end_ms: int) -> ColumnElement[bool]:
        """Rows in [start, end) ms UTC, and perhaps a few more."""
        shown = self.clock.shown_span(start_ms, end_ms)
        return self.within(*shown) if shown else false()

    def timed(self) -> ColumnElement[bool]:
        """Rows with a time after the year 1000, which leaves out NULL and MariaDB's zero dates."""
        return self.clock.until(self.time, _FAR_MS)

    def lacking(self) -> ColumnElement[bool]:
        """Rows that tell no time."""
        return self.when.lacking(self.table, self.dialect)

    def keys_of(self, sensor: MappedSensor) -> tuple[Any, ...]:
        """Return the keys that a tag's column holds for a sensor."""
        if self.keys is None:
            return sensor.places
        return tuple(key for tag in sensor.places for key in self.keys.get(tag, ()))

    @property
    def time_led(self) -> bool:
        """Return whether an index begins with the time."""
        return any(index[:1] == self.mapping.time[:1] for index in self.relation.indexes)

    @property
    def station_led(self) -> bool:
        """Return whether an index begins with the station's columns, followed by the time."""
        count = len(self.mapping.station)
        led = (index for index in self.relation.indexes if set(index[:count]) == set(self.mapping.station))
        return bool(count) and any(index[count : count + 1] == self.mapping.time[:1] for index in led)

    def values_of(self, station: str) -> tuple[Any, ...]:
        """Return what the station's columns hold for a name, in the columns' own types;
        () where there is no such column.
        """
        columns = self.mapping.station
        parts = station.split(SEPARATOR) if len(columns) > 1 else [station]
        if len(parts) != len(columns):
            return ()
        return tuple(typed(self.types[column], part) for column, part in zip(columns, parts, strict=True))

    def is_exact(self, column: str) -> bool:
        """Return whether all drivers give a column's values alike: doubles, integers, text;
        not DECIMAL and single floats.

        SQLite keeps doubles in any column, and its CAST makes a number of any text.
        """
        kind = self.types[column]
        if self.mapping.url.get_backend_name() == "sqlite" or not isinstance(kind, Numeric | Float):
            return True
        return isinstance(kind, DOUBLE | DOUBLE_PRECISION | MYSQL_DOUBLE)

    def is_single(self, column: str) -> bool:
        """Return whether a column holds numbers of single precision,
        which stand for shorter decimals than their doubles have.
        """
        kind, backend = self.types[column], self.mapping.url.get_backend_name()
        return isinstance(kind, (REAL, FLOAT) if backend in {"mysql", "mariadb"} else REAL) and backend != "sqlite"


def reflect_table(connection: Connection, mapping: SourceMapping) -> ReflectedTable:
    """Reflect the table and check each name of the mapping.

    Raises:
        SourceMismatch: naming the file, the key, and what the table has.
    """
    keys = keys_by_name(connection, mapping)
    relation = relation_of(connection, mapping, keys)
    types = relation.types
    _require(connection, mapping, types)
    when = time_expression_of(mapping, types, connection.dialect.name)
    is_text = not isinstance(when, str) and when.clock.kind is TimeKind.TEXT and not when.formats
    if isinstance(when, str) or (is_text and _holds_numbers(connection, relation, mapping)):
        raise SourceMismatch(
            "{file}: time = {column}: the column is {kind}; expected {wanted}.",
            file=mapping.file,
            column=", ".join(mapping.time),
            kind=", ".join(str(types[name]) for name in mapping.time),
            wanted=when if isinstance(when, str) else f"{NUMBERS_NEED}, which is what its first row holds",
        )
    if not when.clock.sorts and any(sensor.is_total for sensor in mapping.sensors):
        raise SourceMismatch(
            "{file}: running totals need a time whose text sorts as time does, year first; {column} does not.",
            file=mapping.file,
            column=", ".join(mapping.time),
        )
    indexed = any(index[:1] == ("updated_at",) for index in relation.indexes)
    stamped = indexed and isinstance(types.get("updated_at"), DateTime)
    single = (
        relation.key if relation.key and isinstance(types[relation.key], Integer) and (relation.key,) != mapping.time else None
    )
    return ReflectedTable(
        mapping=mapping,
        relation=relation,
        table=relation.table,
        dialect=connection.dialect.name,
        when=when,
        order=mapping.order or relation.counter or single,
        high_water=mapping.high_water or relation.counter,
        updated=mapping.updated or ("updated_at" if stamped else None),
        keys=keys,
    )


def _holds_numbers(connection: Connection, relation: Relation, mapping: SourceMapping) -> bool:
    """Return whether a column of SQLite, which may hold what is none of its type,
    begins with a number instead of a text.
    """
    if connection.dialect.name != "sqlite" or len(mapping.time) > 1:
        return False
    column = relation.table.c[mapping.time[0]]
    first = select(func.typeof(column)).where(column.is_not(None)).limit(1)
    return connection.execute(first).scalar() in {"integer", "real"}


def _require(connection: Connection, mapping: SourceMapping, types: Mapping[str, object]) -> None:
    qualities = [(f"sensors.{each.name}", each.quality.column) for each in mapping.sensors if each.quality]
    wanted: Iterable[tuple[str, str | None]] = [
        *(("time", column) for column in mapping.time),
        *(("station", column) for column in mapping.station),
        *((f"sensors.{each.name}", each.place) for each in mapping.sensors if not mapping.tall),
        *qualities,
        *(("where", each.column) for each in mapping.where),
        ("tall.tag", mapping.tag),
        *(("tall.value", column) for column in mapping.values),
        ("order", mapping.order),
        ("freshness.id", mapping.high_water),
        ("freshness.updated", mapping.updated),
    ]
    lacking = [f"{key} = {name}" for key, name in wanted if name is not None and name not in types]
    if lacking:
        raise SourceMismatch(
            "{file}: {keys}: the table {table} in {database} has no such column; it has {present}.",
            file=mapping.file,
            keys=", ".join(dict.fromkeys(lacking)),
            table=mapping.label,
            database=database_name(connection.engine.url),
            present=", ".join(sorted(types)),
        )


def typed(kind: TypeEngine[Any], text: str) -> Any:
    """Return a text as a value of a column's type, or unchanged where it cannot be one."""
    try:
        if isinstance(kind, Integer):
            return int(text)
        if isinstance(kind, Numeric):
            return Decimal(text)
        return uuid.UUID(text) if kind.__class__.__name__.upper() == "UUID" else text
    except (ValueError, ArithmeticError):
        return text
