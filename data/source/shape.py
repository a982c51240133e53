"""What a mapped table really is: columns, types and indexes, as reflected, and held against the mapping."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Column as TypedColumn
from sqlalchemy import Connection, DateTime, Float, Inspector, Integer, Numeric, Table, inspect
from sqlalchemy import MetaData as Tables
from sqlalchemy.dialects.mysql import DOUBLE as MYSQL_DOUBLE
from sqlalchemy.types import DOUBLE, DOUBLE_PRECISION, TypeEngine

from data.source.clock import Clock, clock_of
from data.source.failures import place
from data.source.mapping import SourceMapping
from errors import SourceMismatch

SEPARATOR = " / "  # between the columns of a station's name


@dataclass(frozen=True)
class Shape:
    """A mapped table as it is now.

    ``order`` tells in which order rows of equal time were written; ``high_water`` grows with each new row, ``updated`` with
    each change (None: there is no such column). ``indexes`` are the leading columns of each index and key.
    """

    mapping: SourceMapping
    table: Table
    types: Mapping[str, TypeEngine[Any]]
    clock: Clock
    order: str | None
    high_water: str | None
    updated: str | None
    indexes: tuple[tuple[str, ...], ...]

    @property
    def time_led(self) -> bool:
        """Whether an index begins with the time."""
        return any(index[:1] == (self.mapping.time,) for index in self.indexes)

    @property
    def station_led(self) -> bool:
        """Whether an index begins with the station's columns, followed by the time."""
        count = len(self.mapping.station)
        led = (index for index in self.indexes if set(index[:count]) == set(self.mapping.station))
        return bool(count) and any(index[count : count + 1] == (self.mapping.time,) for index in led)

    def values_of(self, station: str) -> tuple[Any, ...]:
        """What the station's columns hold for a name, in the columns' own types; () where there is no such column."""
        columns = self.mapping.station
        parts = station.split(SEPARATOR) if len(columns) > 1 else [station]
        if len(parts) != len(columns):
            return ()
        return tuple(typed(self.types[column], part) for column, part in zip(columns, parts, strict=True))

    def is_exact(self, column: str) -> bool:
        """Whether every driver gives a column's values alike: doubles, integers, text. DECIMAL and single floats they do not.

        SQLite keeps doubles in any column, and its CAST makes a number of any text.
        """
        kind = self.types[column]
        if self.mapping.url.get_backend_name() == "sqlite" or not isinstance(kind, Numeric | Float):
            return True
        return isinstance(kind, DOUBLE | DOUBLE_PRECISION | MYSQL_DOUBLE)


def read_shape(connection: Connection, mapping: SourceMapping) -> Shape:
    """Reflect the table and check each name of the mapping.

    Raises:
        SourceMismatch: naming the file, the key, and what the table has.
    """
    inspector = inspect(connection)
    found = inspector.get_columns(mapping.table, schema=mapping.schema)
    types: dict[str, TypeEngine[Any]] = {str(column["name"]): column["type"] for column in found}
    _require(connection, mapping, types)
    clock = clock_of(
        types[mapping.time],
        time_unit=mapping.time_unit,
        time_format=mapping.time_format,
        zone=mapping.timezone,
        dialect=connection.dialect.name,
    )
    if isinstance(clock, str):
        kind = types[mapping.time]
        raise SourceMismatch(
            "{file}: time = {column}: the column is {kind}; expected {wanted}.",
            file=mapping.file,
            column=mapping.time,
            kind=kind,
            wanted=clock,
        )
    keys = _keys(inspector, mapping)
    counter = next((str(each["name"]) for each in found if _counts(each, keys, connection.dialect.name)), None)
    single = keys[0] if len(keys) == 1 and isinstance(types[keys[0]], Integer) and keys[0] != mapping.time else None
    indexes = _indexes(inspector, mapping, keys)
    stamped = any(index[:1] == ("updated_at",) for index in indexes) and isinstance(types.get("updated_at"), DateTime)
    return Shape(
        mapping=mapping,
        table=Table(mapping.table, Tables(), *(TypedColumn(name, kind) for name, kind in types.items()), schema=mapping.schema),
        types=types,
        clock=clock,
        order=mapping.order or counter or single,
        high_water=mapping.high_water or counter,
        updated=mapping.updated or ("updated_at" if stamped else None),
        indexes=indexes,
    )


def _require(connection: Connection, mapping: SourceMapping, types: Mapping[str, object]) -> None:
    qualities = [(f"sensors.{each.name}", each.quality.column) for each in mapping.sensors if each.quality]
    wanted: Iterable[tuple[str, str | None]] = [
        ("time", mapping.time),
        *(("station", column) for column in mapping.station),
        *((f"sensors.{each.name}", each.place) for each in mapping.sensors if not mapping.tall),
        *qualities,
        *(("where", each.column) for each in mapping.where),
        ("tall.tag", mapping.tag),
        ("tall.value", mapping.value),
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
            table=mapping.table,
            database=place(connection.engine.url),
            present=", ".join(sorted(types)),
        )


def _keys(inspector: Inspector, mapping: SourceMapping) -> Sequence[str]:
    return list(inspector.get_pk_constraint(mapping.table, schema=mapping.schema).get("constrained_columns") or [])


def _indexes(inspector: Inspector, mapping: SourceMapping, keys: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    try:
        found = inspector.get_indexes(mapping.table, schema=mapping.schema)
    except NotImplementedError:
        found = []
    named = (tuple(str(name) for name in index["column_names"]) for index in found)
    return tuple(index for index in (tuple(keys), *named) if index)


def _counts(column: Any, keys: Sequence[str], dialect: str) -> bool:
    """Whether a column numbers the rows in the order in which they are written."""
    if not isinstance(column["type"], Integer):
        return False
    if dialect == "sqlite":
        return list(keys) == [column["name"]] and str(column["type"]).upper() == "INTEGER"
    return column.get("autoincrement") is True or bool(column.get("identity")) or "nextval(" in str(column.get("default") or "")


def typed(kind: TypeEngine[Any], text: str) -> Any:
    """A text as a value of a column's type; as it is where it cannot be one (then it equals nothing)."""
    try:
        if isinstance(kind, Integer):
            return int(text)
        if isinstance(kind, Numeric):
            return Decimal(text)
        return uuid.UUID(text) if kind.__class__.__name__.upper() == "UUID" else text
    except (ValueError, ArithmeticError):
        return text
