"""What a driver's error means: the database does not answer (try again), or it is not as described (do not)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, NoSuchTableError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from errors import SourceError, SourceMismatch, SourceUnavailable

# Wrong password, no such database, no permission, no such table or column: waiting mends none of them.
_PERMANENT_SQLSTATES = ("28", "3D", "42")
_PERMANENT_MYSQL = {1044, 1045, 1049, 1054, 1142, 1146}
_PERMANENT_SQLITE = re.compile(r"no such (table|column)|not a database|malformed", re.IGNORECASE)


@contextmanager
def classified(url: URL) -> Iterator[None]:
    """Turn what SQLAlchemy raises inside into SourceUnavailable or SourceMismatch, naming host and database."""
    try:
        yield
    except NoSuchTableError as exc:
        raise SourceMismatch("There is no table {table} in {database}.", table=str(exc).strip("`"), database=place(url)) from exc
    except (DBAPIError, PoolTimeout) as exc:
        raise failure(url, exc) from exc


def failure(url: URL, exc: SQLAlchemyError) -> SourceError:
    """The error to raise instead of a driver's."""
    why = _why(url, exc)
    if isinstance(exc, DBAPIError) and not exc.connection_invalidated and _is_permanent(exc):
        return SourceMismatch("{database} cannot be read as described: {why}.", database=place(url), why=why)
    return SourceUnavailable("{database} does not answer: {why}.", database=place(url), why=why)


def place(url: URL) -> str:
    """Where a database is, for people; never with user or password."""
    if url.get_backend_name() == "sqlite":
        return f"SQLite file {url.database}" if url.database else "SQLite database in memory"
    port = f":{url.port}" if url.port else ""
    return f"{url.get_backend_name()} database {url.database} on {url.host or 'this machine'}{port}"


def _is_permanent(exc: DBAPIError) -> bool:
    original = exc.orig
    state = str(getattr(original, "sqlstate", None) or getattr(original, "pgcode", None) or "")
    if state:
        return state.startswith(_PERMANENT_SQLSTATES)
    number = original.args[0] if original is not None and original.args else None
    if isinstance(number, int):
        return number in _PERMANENT_MYSQL
    kind = type(original).__name__
    return kind in {"ProgrammingError", "DataError"} or bool(_PERMANENT_SQLITE.search(str(original)))


def _why(url: URL, exc: SQLAlchemyError) -> str:
    text = str(exc.orig if isinstance(exc, DBAPIError) else exc).strip()
    first = text.splitlines()[0].rstrip(".") if text else type(exc).__name__
    password = url.password
    return first.replace(str(password), "***") if password else first
