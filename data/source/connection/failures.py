"""What a driver's error means: the database does not answer (try again),
or it is not as described (do not).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, NoSuchTableError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from errors import SourceError, SourceMismatch, SourceUnavailable

# Wrong password, no such database, no permission, no such table or column:
# waiting mends none of them.
_PERMANENT_SQLSTATES = ("28", "3D", "42")
_PERMANENT_MYSQL = {1044, 1045, 1049, 1054, 1130, 1142, 1143, 1146, 1356, 1698, 3159}
# of a query that is wrong in itself
_PERMANENT_MYSQL |= {1052, 1056, 1060, 1064, 1222, 1248, 1305, 1582}
_PERMANENT_TEXT = re.compile(
    r"no such (table|column|function)|not a database|malformed"
    r"|syntax error|incomplete input|ambiguous column|misuse of|wrong number of arguments|same number of result columns"
    # PostgreSQL's refusals at connect: libpq hands over their text, but not their code.
    r"|password authentication failed|no password supplied|no pg_hba\.conf entry"
    r'|FATAL: +(database|role) ".*" does not exist|permission denied for database',
    re.IGNORECASE,
)
# Of TLS, by either driver: a certificate that is not what the URL demands.
_CERTIFICATE_TEXT = re.compile(r"certificate verify failed|certificate .*does not match|root certificate file", re.IGNORECASE)
# Stopped by its time limit, or by waiting for a lock.
_TOO_LONG_SQLSTATES = {"57014", "55P03"}
_TOO_LONG_MYSQL = {1205, 1317, 1969, 3024}


@contextmanager
def classified(url: URL) -> Iterator[None]:
    """Turn SQLAlchemy's errors into SourceUnavailable or SourceMismatch, with host and database."""
    try:
        yield
    except NoSuchTableError as exc:
        raise SourceMismatch(
            "There is no table {table} in {database}.", table=str(exc).strip("`"), database=database_name(url)
        ) from exc
    except (DBAPIError, PoolTimeout) as exc:
        raise failure(url, exc) from exc


def failure(url: URL, exc: SQLAlchemyError) -> SourceError:
    """The error to raise instead of a driver's."""
    why = _why(url, exc)
    if isinstance(exc, DBAPIError) and took_too_long(exc):
        return SourceUnavailable(
            "{database} did not finish a query in time: {why}. It is busy or locked, or its table lacks an index.",
            database=database_name(url),
            why=why,
        )
    if isinstance(exc, DBAPIError) and not exc.connection_invalidated and _is_permanent(exc):
        return SourceMismatch("{database} cannot be read as described: {why}.", database=database_name(url), why=why)
    return SourceUnavailable("{database} does not answer: {why}.", database=database_name(url), why=why)


def database_name(url: URL) -> str:
    """Return where a database is, for people; never with user or password."""
    if url.get_backend_name() == "sqlite":
        return f"SQLite file {url.database}" if url.database else "SQLite database in memory"
    if url.get_backend_name() == "duckdb":
        return "DuckDB" if url.database in {None, "", ":memory:"} else f"DuckDB file {url.database}"
    port = f":{url.port}" if url.port else ""
    return f"{url.get_backend_name()} database {url.database} on {url.host or 'this machine'}{port}"


def _is_permanent(exc: DBAPIError) -> bool:
    state, number = _codes(exc)
    if _CERTIFICATE_TEXT.search(str(exc.orig)):
        return True
    if state:
        return state.startswith(_PERMANENT_SQLSTATES)
    if number is not None:
        return number in _PERMANENT_MYSQL
    kind = type(exc.orig).__name__
    return kind in {"ProgrammingError", "DataError"} or bool(_PERMANENT_TEXT.search(str(exc.orig)))


def took_too_long(exc: DBAPIError) -> bool:
    """Return whether a query was stopped by its time limit, or by waiting for a lock."""
    state, number = _codes(exc)
    return state in _TOO_LONG_SQLSTATES or number in _TOO_LONG_MYSQL


def _codes(exc: DBAPIError) -> tuple[str, int | None]:
    """SQLSTATE (PostgreSQL) and error number (MariaDB, MySQL), where the driver tells them."""
    original = exc.orig
    state = str(getattr(original, "sqlstate", None) or getattr(original, "pgcode", None) or "")
    number = original.args[0] if original is not None and original.args else None
    return state, number if isinstance(number, int) else None


def _why(url: URL, exc: SQLAlchemyError) -> str:
    text = str(exc.orig if isinstance(exc, DBAPIError) else exc).strip()
    if isinstance(exc, DBAPIError) and _codes(exc)[1] is not None and exc.orig is not None:
        text = str(exc.orig.args[-1])  # the driver's words without its tuple
    first = text.splitlines()[0].rstrip(".") if text else type(exc).__name__
    password = url.password
    return first.replace(str(password), "***") if password else first
