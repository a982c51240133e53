"""Statements for the owner of a table: the index that Riwayat would profit from."""

from __future__ import annotations

from sqlalchemy import Dialect, Index, MetaData, Text
from sqlalchemy.schema import CreateIndex

from data.source.shape import Shape

_PREFIX = 100  # characters of a TEXT column: MariaDB and MySQL index no whole one


def index_statement(dialect: Dialect, shape: Shape) -> str:
    """The statement that makes the index from which reading a station's month profits most, names quoted where they must be."""
    mapping = shape.mapping
    name = "".join(letter if letter.isalnum() else "_" for letter in f"{mapping.table}_by_station_and_time")[:60]
    columns = [*mapping.station, mapping.time]
    lengths = {column: _PREFIX for column in columns if isinstance(shape.types[column], Text)}
    table = shape.table.to_metadata(MetaData())  # a copy: the index would stay with the table
    index = Index(name, *(table.c[column] for column in columns), mysql_length=lengths, mariadb_length=lengths)
    return f"{CreateIndex(index).compile(dialect=dialect)};"
