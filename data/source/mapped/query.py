"""A query of a mapping as something to select from, and the types of its columns,
which only the driver knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    Boolean,
    Connection,
    Date,
    DateTime,
    Integer,
    Numeric,
    Select,
    String,
    Subquery,
    TextClause,
    Time,
    Uuid,
    column,
    func,
    literal_column,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import DOUBLE, REAL, NullType, TypeEngine

from data.database import duckdb_dialect

_SAMPLE = 1_000

# By the numbers of PostgreSQL's catalogue pg_type.
_POSTGRESQL: dict[int, TypeEngine[Any]] = {
    16: Boolean(), 20: Integer(), 21: Integer(), 23: Integer(), 25: String(), 1042: String(), 1043: String(), 700: REAL(),
    701: DOUBLE(), 1082: Date(), 1083: Time(), 1114: DateTime(), 1184: DateTime(timezone=True), 1700: Numeric(), 2950: Uuid(),
}  # fmt: skip
# By the numbers of the protocol of MariaDB and MySQL.
_MYSQL: dict[int, TypeEngine[Any]] = {
    0: Numeric(), 1: Integer(), 2: Integer(), 3: Integer(), 4: REAL(), 5: DOUBLE(), 7: DateTime(), 8: Integer(), 9: Integer(),
    10: Date(), 11: Time(), 12: DateTime(), 13: Integer(), 15: String(), 246: Numeric(), 252: String(), 253: String(),
    254: String(),
}  # fmt: skip
_SQLITE: dict[str, TypeEngine[Any]] = {"integer": Integer(), "real": DOUBLE(), "text": String()}


class _Verbatim(TextClause):
    """Text in which a colon is no parameter."""

    inherit_cache = True

    def __init__(self, text: str) -> None:
        super().__init__("")
        self.text = text


@compiles(_Verbatim)
def _as_written(element: _Verbatim, compiler: Any, **_: Any) -> str:
    # a comment at its end ends there
    return "\n" + str(compiler.post_process_text(element.text)) + "\n"


def subquery_of(query: str, types: dict[str, TypeEngine[Any]]) -> Subquery:
    """The query as a subquery with typed columns."""
    return _Verbatim(query).columns(*(column(name, kind) for name, kind in types.items())).subquery("q")


def described(connection: Connection, query: str) -> dict[str, TypeEngine[Any]]:
    """The columns of a query by name. SQLite, whose columns have no types,
    is asked for what the first rows hold.

    Raises:
        SQLAlchemyError: the driver's: the query is wrong.
    """
    if connection.dialect.name == "duckdb":
        return duckdb_dialect.described(connection, query)
    of_nothing: Select[Any] = select(literal_column("*")).select_from(subquery_of(query, {}))
    with connection.execute(of_nothing.limit(0)) as result:
        found = [(str(each[0]), each[1]) for each in result.cursor.description]
    if connection.dialect.name == "sqlite":
        return _sampled(connection, query, [name for name, _ in found])
    kinds: Mapping[Any, TypeEngine[Any]] = _POSTGRESQL if connection.dialect.name == "postgresql" else _MYSQL
    return {name: kinds.get(code, NullType()) for name, code in found}


def _sampled(connection: Connection, query: str, names: list[str]) -> dict[str, TypeEngine[Any]]:
    """Return the type of all values of a column that are not NULL; mixed numbers are doubles."""
    some = select(*(column(name) for name in names)).select_from(subquery_of(query, {})).limit(_SAMPLE).subquery()
    seen: dict[str, set[str]] = {}
    for name in names:
        held = select(func.typeof(some.c[name])).distinct()
        seen[name] = set(connection.execute(held).scalars()) - {"null"}
    return {name: _common(kinds) for name, kinds in seen.items()}


def _common(kinds: set[str]) -> TypeEngine[Any]:
    if kinds == {"integer", "real"}:
        return DOUBLE()
    return _SQLITE.get(next(iter(kinds)), NullType()) if len(kinds) == 1 else NullType()
