"""What some rows hold, in one number: any change of them gives another one, whatever their order.

Each row is hashed as text and the hashes are added up: exactly, so that neither a tiny correction,
nor corrections that cancel, nor two values that changed places can hide. PostgreSQL, MariaDB and
MySQL hash and add by themselves, in one scan; of any other database the rows come here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    LargeBinary,
    String,
    case,
    cast,
    func,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.dialects.mysql import INTEGER as MYSQL_INTEGER
from sqlalchemy.types import NullType

from data.source.connection.session import STREAMED
from data.source.mapped import sql
from data.source.mapped.reflected import ReflectedTable

# Text between the columns of a row, and instead of NULL:
# control characters, which no number or time has.
_BETWEEN, _NULL = "\x1f", "\x1e"
_HEX_DIGITS = 15  # 60 bits, so that a hash fits every server's integers


def digests(
    connection: Connection, reflected: ReflectedTable, where: Sequence[ColumnElement[bool]], stations: Sequence[str] = ()
) -> dict[str, str]:
    """Return, by station, "count hash" of the rows that fulfil some conditions;
    without stations of all rows together, under ``""``.

    A station without such rows has "0 0".
    """
    numbers = [(sql.of_station(reflected, station), literal(at, Integer())) for at, station in enumerate(stations)]
    which = case(*numbers, else_=literal(-1, Integer())) if len(stations) > 1 else literal(0, Integer())
    conditions = [*where, *([sql.of_stations(reflected, stations)] if stations else [])]
    hashed = _HASHES.get(connection.dialect.name)
    if hashed is not None:
        rows = select(which.label("place"), hashed(_columns(reflected)).label("hash")).where(*conditions).subquery()
        query = select(rows.c.place, func.count(), func.sum(rows.c.hash)).group_by(rows.c.place)
        found = {int(row[0]): (int(row[1]), int(row[2])) for row in connection.execute(query)}
    else:
        found = _added_here(connection, reflected, which, conditions)
    return {name: "{} {:x}".format(*found.get(at, (0, 0))) for at, name in enumerate(stations or [""])}


def _columns(reflected: ReflectedTable) -> list[ColumnElement[Any]]:
    """Everything of a row that decides what a tile holds, values as the reader sees them."""
    mapping = reflected.mapping
    values = list(mapping.values) if mapping.tall else [sensor.place for sensor in mapping.sensors]
    others = [
        *mapping.station,
        *([mapping.tag] if mapping.tag else []),
        *(each.column for each in sql.qualities(mapping.sensors)),
        *(each.column for each in mapping.where),
        *([reflected.order] if reflected.order else []),
    ]
    read = [sql.number(reflected, name) for name in dict.fromkeys(values)]
    return [
        *(reflected.table.c[name] for name in mapping.time),
        *read,
        *(reflected.table.c[name] for name in dict.fromkeys(others)),
    ]


def _hash_of_postgresql(columns: Sequence[ColumnElement[Any]]) -> ColumnElement[Any]:
    texts = [func.coalesce(cast(column, String()), _NULL) for column in columns]
    return func.hashtextextended(func.concat_ws(_BETWEEN, *texts), literal(0, BigInteger()))


def _hash_of_mysql(columns: Sequence[ColumnElement[Any]]) -> ColumnElement[Any]:
    texts = [func.coalesce(cast(column, LargeBinary()), literal(_NULL.encode())) for column in columns]
    text = func.md5(func.concat_ws(literal(_BETWEEN.encode()), *texts))
    return cast(func.conv(func.left(text, _HEX_DIGITS), 16, 10), MYSQL_INTEGER(unsigned=True))


def _hash_of_duckdb(columns: Sequence[ColumnElement[Any]]) -> ColumnElement[Any]:
    texts = [func.coalesce(cast(column, String()), _NULL) for column in columns]
    digits = func.left(func.md5(func.concat_ws(_BETWEEN, *texts)), _HEX_DIGITS, type_=String())
    return cast(literal("0x", String()) + digits, BigInteger())


_HASHES = {
    "postgresql": _hash_of_postgresql,
    "mysql": _hash_of_mysql,
    "mariadb": _hash_of_mysql,
    "duckdb": _hash_of_duckdb,
}


def _added_here(
    connection: Connection, reflected: ReflectedTable, which: ColumnElement[Any], conditions: Sequence[ColumnElement[bool]]
) -> dict[int, tuple[int, int]]:
    # Without a type, so that nothing is converted:
    # SQLite's columns may hold what is none of their type.
    plain = [type_coerce(column, NullType()) for column in _columns(reflected)]
    query = select(which, *(column.label(f"c{at}") for at, column in enumerate(plain))).where(*conditions)
    found: dict[int, tuple[int, int]] = {}
    for chunk in connection.execute(query, execution_options=STREAMED).partitions():
        for place, *row in chunk:
            count, total = found.get(place, (0, 0))
            found[place] = count + 1, (total + _hash(row)) % 2**64
    return found


def _hash(row: Sequence[Any]) -> int:
    return int.from_bytes(hashlib.blake2b(repr(row).encode("utf-8", "backslashreplace"), digest_size=8).digest())
