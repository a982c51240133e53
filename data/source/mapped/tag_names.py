"""``[names]`` of a mapping: which keys the tags of its sensors have in the table of names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select

from data.source.mapped.mapping import SourceMapping
from errors import SourceMismatch

Keys = Mapping[str, tuple[Any, ...]]


def keys_by_name(connection: Connection, mapping: SourceMapping) -> Keys | None:
    """Return by tag all its keys (a program that changes a tag may give it another);
    None where the mapping has no table of names.

    Raises:
        SourceMismatch: the table of names lacks one of the two columns.
        NoSuchTableError: there is no such table.
    """
    names = mapping.names
    if names is None:
        return None
    types = {str(each["name"]): each["type"] for each in inspect(connection).get_columns(names.table, schema=mapping.schema)}
    for key, column in (("key", names.key), ("name", names.name)):
        if column not in types:
            raise SourceMismatch(
                "{file}: names.{key} = {column}: the table {table} has no such column; it has {present}.",
                file=mapping.file,
                key=key,
                column=column,
                table=names.table,
                present=", ".join(sorted(types)),
            )
    columns = [Column(names.key, types[names.key]), Column(names.name, String())]
    table = Table(names.table, MetaData(), *columns, schema=mapping.schema)
    tags = [tag for sensor in mapping.sensors for tag in sensor.places]
    query = select(table.c[names.name], table.c[names.key]).where(table.c[names.name].in_(tags))
    found: dict[str, list[Any]] = {}
    for name, key in sorted(connection.execute(query), key=repr):
        found.setdefault(str(name), []).append(key)
    return {name: tuple(keys) for name, keys in found.items()}


def digest_of(keys: Keys | None) -> str:
    """The keys in a few letters; "" where there is no table of names."""
    if keys is None:
        return ""
    return hashlib.blake2b(repr(sorted(keys.items())).encode(), digest_size=8).hexdigest()
