"""DuckDB for SQLAlchemy, as far as a mapped source needs it:
read-only sessions, reflection, nothing of transactions.

The dialect that others publish takes DuckDB for PostgreSQL and asks
it for catalogues that it lacks.
"""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

from sqlalchemy import URL, Boolean, Connection, Date, DateTime, Integer, Numeric, String, Time, Uuid, text
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.sql.compiler import IdentifierPreparer
from sqlalchemy.types import DOUBLE, REAL, NullType, TypeEngine

# No extension is fetched from the network; the two threads of a load read side by side as it is.
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "threads": 2,
}

_INTEGERS = r"U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)"
_TYPES: tuple[tuple[str, TypeEngine[Any]], ...] = (
    (_INTEGERS, Integer()),
    ("DOUBLE", DOUBLE()),
    ("FLOAT", REAL()),
    (r"DECIMAL\(.*\)", Numeric()),
    (r"VARCHAR|ENUM\(.*\)", String()),
    (r"TIMESTAMP(_S|_MS|_NS)?", DateTime()),
    ("TIMESTAMP WITH TIME ZONE", DateTime(timezone=True)),
    ("DATE", Date()),
    ("TIME", Time()),
    ("BOOLEAN", Boolean()),
    ("UUID", Uuid()),
)


def type_of(name: str) -> TypeEngine[Any]:
    """Return SQLAlchemy's type of one of DuckDB's; NullType for what is no time, number or text."""
    return next((kind for pattern, kind in _TYPES if re.fullmatch(pattern, name)), NullType())


def described(connection: Connection, query: str) -> dict[str, TypeEngine[Any]]:
    """The columns of a query by name."""
    rows = connection.exec_driver_sql(f"DESCRIBE {query}")
    return {str(row[0]): type_of(str(row[1])) for row in rows}


def connect(url: URL) -> Any:
    """A connection of DuckDB's own; of a file read-only,
    so that whoever writes it elsewhere is told apart from us.
    """
    import duckdb  # only where a mapping names it

    file = url.database not in {None, "", ":memory:"}
    return duckdb.connect(str(url.database) if file else ":memory:", read_only=file, config=CONFIG)


class _Quoting(IdentifierPreparer):
    def _requires_quotes(self, _value: str) -> bool:
        """Return True: DuckDB reserves words that SQLAlchemy does not know."""
        return True


class DuckdbDialect(DefaultDialect):
    """See the module."""

    name = "duckdb"
    driver = "duckdb"
    default_paramstyle = "qmark"
    preparer = _Quoting
    supports_statement_cache = True
    supports_native_boolean = True
    supports_native_decimal = True
    postfetch_lastrowid = False

    @classmethod
    def import_dbapi(cls) -> ModuleType:
        """The driver."""
        import duckdb

        return duckdb

    def create_connect_args(self, url: URL) -> Any:
        """Return the arguments of :meth:`connect`."""
        return (url,), {}

    def connect(self, *arguments: Any, **_: Any) -> Any:
        """A session."""
        return connect(arguments[0])

    def do_begin(self, dbapi_connection: Any) -> None:
        """Begin nothing: DuckDB refuses to end a transaction that it did not begin."""

    do_commit = do_rollback = do_begin

    def do_savepoint(self, connection: Connection, name: str) -> None:
        """The same."""

    do_release_savepoint = do_rollback_to_savepoint = do_savepoint

    def get_schema_names(self, connection: Connection, **_: Any) -> list[str]:
        """Return the names of all schemas."""
        return list(connection.exec_driver_sql("SELECT DISTINCT schema_name FROM information_schema.schemata").scalars())

    def get_table_names(self, connection: Connection, schema: str | None = None, **_: Any) -> list[str]:
        """Tables of a schema."""
        return self._names(connection, schema, "BASE TABLE")

    def get_view_names(self, connection: Connection, schema: str | None = None, **_: Any) -> list[str]:
        """Views of a schema."""
        return self._names(connection, schema, "VIEW")

    def has_table(self, connection: Connection, table_name: str, schema: str | None = None, **_: Any) -> bool:
        """Return whether there is a table or a view of that name."""
        return table_name in self.get_table_names(connection, schema) + self.get_view_names(connection, schema)

    def get_columns(self, connection: Connection, table_name: str, schema: str | None = None, **_: Any) -> Any:
        """Its columns, in order.

        Raises:
            ProgrammingError: there is no such table.
        """
        quote = self.identifier_preparer.quote
        name = ".".join(quote(each) for each in (schema, table_name) if each)
        found = described(connection, f"SELECT * FROM {name}")  # noqa: S608 - quoted # nosec B608
        return [{"name": column, "type": kind, "nullable": True, "default": None} for column, kind in found.items()]

    def get_pk_constraint(self, connection: Connection, table_name: str, schema: str | None = None, **_: Any) -> Any:
        """Return no primary key: DuckDB finds rows by the least and greatest
        values of their groups, not by keys.
        """
        del connection, table_name, schema
        return {"constrained_columns": [], "name": None}

    def get_indexes(self, *_: Any, **__: Any) -> Any:
        """The same."""
        return []

    def _names(self, connection: Connection, schema: str | None, kind: str) -> list[str]:
        query = text(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_type = :kind AND table_schema = COALESCE(:schema, current_schema()) ORDER BY table_name"
        )
        return list(connection.execute(query, {"kind": kind, "schema": schema}).scalars())
