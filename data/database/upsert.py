"""INSERT … or UPDATE in the words of each database: SQLite, PostgreSQL, MariaDB and MySQL."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any, cast

from sqlalchemy import Dialect, Insert, Table

from errors import ConfigurationError


def upsert(dialect: Dialect, table: Table, columns: Sequence[str]) -> Insert:
    """Insert the key and ``columns`` of ``table``;
    where the key exists, set ``columns`` (nothing, when there are none).

    Every parameter is named like its column.

    Raises:
        ConfigurationError: when the database is of another kind.
    """
    keys = [column.name for column in table.primary_key]
    if dialect.name in {"mysql", "mariadb"}:
        into = _insert("mysql", table)
        # Without a column to set, the key is set to itself: IGNORE would also swallow other errors.
        return cast(Insert, into.on_duplicate_key_update({name: into.inserted[name] for name in columns or keys[:1]}))
    if dialect.name in {"sqlite", "postgresql"}:
        plain = _insert(dialect.name, table)
        if not columns:
            return cast(Insert, plain.on_conflict_do_nothing(index_elements=keys))
        update = {name: plain.excluded[name] for name in columns}
        return cast(Insert, plain.on_conflict_do_update(index_elements=keys, set_=update))
    raise ConfigurationError(
        "Observations cannot be stored in {dialect}; use SQLite, PostgreSQL or MariaDB.", dialect=dialect.name
    )


def _insert(dialect: str, table: Table) -> Any:
    """Return the INSERT of a dialect, whose package alone is imported: each takes a twentieth of a
    command's start.
    """
    return import_module(f"sqlalchemy.dialects.{dialect}").insert(table)
