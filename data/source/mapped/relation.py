"""What a mapping reads from: a table or a view, the subquery of a query, or many tables as one;
its columns and its indexes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Column as TypedColumn
from sqlalchemy import (
    Connection,
    Double,
    FromClause,
    Inspector,
    Integer,
    String,
    Table,
    cast,
    inspect,
    literal,
    select,
    union_all,
)
from sqlalchemy import MetaData as Tables
from sqlalchemy.exc import NoSuchTableError
from sqlalchemy.types import FLOAT, REAL, TypeEngine

from data.source.mapped.mapping import SourceMapping
from data.source.mapped.query import described, subquery_of
from data.source.mapped.table_names import pattern_of
from data.source.mapped.tag_names import Keys
from errors import SourceMismatch

MOST_TABLES = 450  # SQLite joins at most 500 by UNION ALL

Types = Mapping[str, TypeEngine[Any]]


class RelationKind(StrEnum):
    """What a relation is; indexes are told of a table only."""

    TABLE = "table"
    VIEW = "view"
    QUERY = "query"
    TABLES = "tables"


@dataclass(frozen=True)
class Relation:
    """``parts`` are the single tables of ``table``, where it is made of several.
    ``indexes`` are the leading columns of each.

    ``counter`` numbers the rows in the order in which they are written;
    ``key`` is the single column of the primary key.
    """

    kind: RelationKind
    table: FromClause
    parts: tuple[FromClause, ...]
    types: Types
    indexes: tuple[tuple[str, ...], ...] = ()
    counter: str | None = None
    key: str | None = None


def relation_of(connection: Connection, mapping: SourceMapping, keys: Keys | None) -> Relation:
    """What there is now; of many tables, one a tag,
    those of the mapping's tags (``keys``: by a table of names).

    Raises:
        SourceMismatch: no table fits the pattern, or too many do.
        SQLAlchemyError: the driver's: there is no such table, or the query is wrong.
    """
    if mapping.query is not None:
        types = described(connection, mapping.query)
        table = subquery_of(mapping.query, types)
        return Relation(RelationKind.QUERY, table, (table,), types)
    inspector = inspect(connection)
    if mapping.tables is not None:
        return _many(inspector, mapping, mapping.tables, keys)
    return _one(inspector, mapping, str(mapping.table))


def _one(inspector: Inspector, mapping: SourceMapping, name: str) -> Relation:
    schema = mapping.schema
    found = inspector.get_columns(name, schema=schema)
    types: Types = {str(each["name"]): each["type"] for each in found}
    table = Table(name, Tables(), *(TypedColumn(each, kind) for each, kind in types.items()), schema=schema)
    keys = list(inspector.get_pk_constraint(name, schema=schema).get("constrained_columns") or [])
    counter = next((str(each["name"]) for each in found if _counts(each, keys, inspector.dialect.name)), None)
    kind = RelationKind.VIEW if name in inspector.get_view_names(schema=schema) else RelationKind.TABLE
    key = keys[0] if len(keys) == 1 else None
    return Relation(kind, table, (table,), types, tuple(_indexes(inspector, name, schema, keys)), counter, key)


def _many(inspector: Inspector, mapping: SourceMapping, text: str, keys: Keys | None) -> Relation:
    pattern = pattern_of(text)
    names = [*inspector.get_table_names(schema=mapping.schema), *inspector.get_view_names(schema=mapping.schema)]
    fitting = [(name, values) for name in sorted(names) if (values := pattern.values(name)) is not None]
    if mapping.tag in pattern.columns:
        tags = [tag for sensor in mapping.sensors for tag in sensor.places]
        wanted = {str(key) for tag in tags for key in ((tag,) if keys is None else keys.get(tag, ()))}
        fitting = [(name, values) for name, values in fitting if str(values[str(mapping.tag)]) in wanted]
    if not 0 < len(fitting) <= MOST_TABLES:
        raise SourceMismatch(
            "{file}: tables = {tables}: {count} tables and views fit; expected 1 to {most}.",
            file=mapping.file,
            tables=text,
            count=len(fitting),
            most=MOST_TABLES,
        )
    reflected = [_one(inspector, mapping, name) for name, _ in fitting]
    types = _shared(reflected, inspector.dialect.name)
    parts = tuple(_member(each, types, values) for each, (_, values) in zip(reflected, fitting, strict=True))
    indexes = set.intersection(*(set(each.indexes) for each in reflected))
    extra: Types = {name: Integer() if name in pattern.numbers else String() for name in pattern.columns}
    whole = union_all(*(select(*part.c) for part in parts)).subquery("t") if len(parts) > 1 else parts[0]
    return Relation(RelationKind.TABLES, whole, parts, {**types, **extra}, tuple(sorted(indexes)))


def _shared(reflected: Sequence[Relation], dialect: str) -> Types:
    """The columns that all tables have. What is text in some is text:
    PostgreSQL joins no columns of different kinds.

    What is of single precision in the first only is of double precision.
    """
    names = set.intersection(*(set(each.types) for each in reflected))
    types = {name: kind for name, kind in reflected[0].types.items() if name in names}
    singles = [name for name, kind in types.items() if isinstance(kind, REAL | FLOAT)]
    types |= {name: Double() for name in singles if len({type(each.types[name]) for each in reflected}) > 1}
    if dialect != "postgresql":
        return types
    texts = {name for name in names for each in reflected if isinstance(each.types[name], String)}
    return {name: String() if name in texts else kind for name, kind in types.items()}


def _member(relation: Relation, types: Types, values: Mapping[str, str | int]) -> FromClause:
    """A table with what its name says as columns."""
    said = [literal(value, Integer() if isinstance(value, int) else String()).label(name) for name, value in values.items()]
    table, own = relation.table, relation.types
    to_text = {name for name, kind in types.items() if isinstance(kind, String) and not isinstance(own[name], String)}
    if not to_text and not said and set(types) == set(own):
        return table
    columns = (cast(table.c[name], String()).label(name) if name in to_text else table.c[name] for name in types)
    return select(*columns, *said).subquery("t")


def _indexes(inspector: Inspector, name: str, schema: str | None, keys: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The leading columns of each index that any reader of some rows may use:
    no partial one, none by a hash.
    """
    if keys:
        yield tuple(keys)
    try:
        found = inspector.get_indexes(name, schema=schema)
    except (NotImplementedError, NoSuchTableError):  # SQLite and PostgreSQL, of a view
        return
    for index in found:
        options = index.get("dialect_options", {})
        partial = any(key.endswith("_where") and value is not None for key, value in options.items())
        names = [str(each) if each is not None else "" for each in index["column_names"]]
        if names and not partial and options.get("postgresql_using", "btree") == "btree":
            yield tuple(names)


def _counts(reflected: Any, keys: Sequence[str], dialect: str) -> bool:
    """Return whether a column numbers the rows in the order in which they are written."""
    if not isinstance(reflected["type"], Integer):
        return False
    if dialect == "sqlite":
        return list(keys) == [reflected["name"]] and str(reflected["type"]).upper() == "INTEGER"
    default = str(reflected.get("default") or "")
    return reflected.get("autoincrement") is True or bool(reflected.get("identity")) or "nextval(" in default
