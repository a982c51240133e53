"""For the owner of a table: the index that Riwayat would profit from,
and whether partitions do without one.
"""

from __future__ import annotations

import re

from sqlalchemy import Column, Connection, Dialect, Index, MetaData, Table, Text, text
from sqlalchemy.schema import CreateIndex

from data.source.mapped.reflected import ReflectedTable
from data.source.mapped.relation import RelationKind

_PREFIX = 100  # characters of a TEXT column: MariaDB and MySQL index no whole one


def index_statement(dialect: Dialect, reflected: ReflectedTable) -> str | None:
    """The statement that makes the index from which reading a station's month profits most,
    names quoted where they must be.

    None of what can have no index: a view, a query, many tables;
    nor of DuckDB, which scans by the extremes of its groups.
    """
    mapping = reflected.mapping
    if dialect.name == "duckdb" or mapping.table is None or reflected.relation.kind is not RelationKind.TABLE:
        return None
    name = "".join(letter if letter.isalnum() else "_" for letter in f"{mapping.table}_by_station_and_time")[:60]
    columns = [*mapping.station, *mapping.time]
    lengths = {column: _PREFIX for column in columns if isinstance(reflected.types[column], Text)}
    table = Table(mapping.table, MetaData(), *(Column(each, reflected.types[each]) for each in columns), schema=mapping.schema)
    index = Index(name, *(table.c[column] for column in columns), mysql_length=lengths, mariadb_length=lengths)
    return f"{CreateIndex(index).compile(dialect=dialect)};"


_PARTITION_KEYS = {
    "postgresql": text("SELECT pg_get_partkeydef(to_regclass(:name))"),
    "mysql": text(
        "SELECT MAX(partition_expression) FROM information_schema.partitions"
        " WHERE table_schema = COALESCE(:schema, DATABASE()) AND table_name = :table"
    ),
}


def is_partitioned_by_time(connection: Connection, reflected: ReflectedTable) -> bool:
    """Return whether a month's rows lie in few of a table's partitions."""
    statement, mapping = _PARTITION_KEYS.get(connection.dialect.name), reflected.mapping
    if statement is None or mapping.table is None:
        return False
    quote = connection.dialect.identifier_preparer.quote
    name = ".".join(quote(each) for each in (mapping.schema, mapping.table) if each)
    values = {"name": name} if connection.dialect.name == "postgresql" else {"schema": mapping.schema, "table": mapping.table}
    key = connection.execute(statement, values).scalar()
    return key is not None and re.search(rf"\b{re.escape(mapping.time[0])}\b", str(key), re.IGNORECASE) is not None
