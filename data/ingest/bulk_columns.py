"""Whole columns as parameters of one statement, on PostgreSQL with psycopg:
no work a row in Python, no text to parse.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from psycopg.adapt import Dumper
from psycopg.pq import Format
from sqlalchemy import Connection, Dialect, Table

from data.arrays import Floats, Integers

_HEADER = np.dtype([(name, ">i4") for name in ("dimensions", "has_nulls", "type", "length", "first")])


def takes_columns(dialect: Dialect) -> bool:
    """Return whether a database and its driver can be given columns."""
    return (dialect.name, dialect.driver) == ("postgresql", "psycopg")


class _BigInts(np.ndarray):
    """A parameter of type bigint[]."""


class _Doubles(np.ndarray):
    """A parameter of type double precision[]; NaN stays NaN."""


class _BigIntsDumper(Dumper):
    """Numbers of types as in the server's catalogue pg_type: of the array, and of its elements."""

    format = Format.BINARY
    oid = 1016
    element: ClassVar[int] = 20
    kind: ClassVar[str] = ">i8"

    def dump(self, obj: Any) -> bytes:
        """The array in the form in which the server sends and takes arrays."""
        rows = np.empty(len(obj), [("bytes", ">i4"), ("value", self.kind)])
        rows["bytes"], rows["value"] = 8, obj
        return np.array((1, 0, self.element, len(rows), 1), _HEADER).tobytes() + rows.tobytes()


class _DoublesDumper(_BigIntsDumper):
    oid = 1022
    element = 701
    kind = ">f8"


class ColumnWriter:
    """The two statements of an import on a table keyed (station, time), for some of its columns."""

    def __init__(self, dialect: Dialect, table: Table, sensors: Sequence[str]) -> None:
        quote = dialect.identifier_preparer.quote
        names = [quote(name) for name in sensors]
        into = ", ".join(["station", "time", *names])
        numbered = [f"v{number}" for number in range(len(names))]
        values = "".join(f", NULLIF({name}, 'NaN')" for name in numbered)
        given = ", ".join(["%s::bigint[]", *["%s::double precision[]"] * len(names)])
        update = f"UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in names)}" if names else "NOTHING"  # nosec B608
        self._upsert = (  # the names are the catalogue's, quoted
            f"INSERT INTO {table.name} ({into}) SELECT %s, t{values} FROM unnest({given}) AS given({', '.join(['t', *numbered])})"  # noqa: S608 # nosec B608
            f" ON CONFLICT (station, time) DO {update}"
        )
        columns = ", ".join(["time", *names])
        self._select = f"SELECT {columns} FROM {table.name} WHERE station = %s AND time = ANY(%s)"  # noqa: S608 # nosec B608

    def upsert(self, connection: Connection, station: str, times: Integers, values: Floats) -> None:
        """Insert rows, or set these columns where the key exists.
        ``values``: [n, sensors], NaN where missing.
        """
        columns = [column.view(_Doubles) for column in values.T]
        _prepared(connection).exec_driver_sql(self._upsert, (station, times.view(_BigInts), *columns))

    def existing(self, connection: Connection, station: str, times: Integers) -> Sequence[Sequence[Any]]:
        """(time, value …) of the rows that have one of these times."""
        return _prepared(connection).exec_driver_sql(self._select, (station, times.view(_BigInts))).all()


def _prepared(connection: Connection) -> Connection:
    adapters = connection.connection.driver_connection.adapters  # type: ignore[union-attr]
    adapters.register_dumper(_BigInts, _BigIntsDumper)
    adapters.register_dumper(_Doubles, _DoublesDumper)
    return connection
