"""The fast path: connectorx runs the query in Rust, outside Python's lock,
and hands over Arrow columns without copying.

DuckDB hands over such columns itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import connectorx
from sqlalchemy import URL, Connection, Engine, make_url

from data.database import duckdb_dialect
from data.database.drivers import CLIENT_CHECK_INTERVAL_MS, CONNECT_TIMEOUT_S, heeds_options, takes_clear_text

_SERVERS = {"postgresql": "postgresql", "mysql": "mysql", "mariadb": "mysql"}
# A month of rows does not fit PostgreSQL's 4 MB for sorting, and its default prices are those of
# spinning disks: it would read by bitmap and sort on disk rather than walk the index on (station,
# time), in three times the time (measured, 89,280 rows).
_PLANNING = ("-c work_mem=32MB", "-c random_page_cost=1.1", "-c default_transaction_read_only=on")
_DIRECT = "-c riwayat.direct=1"  # by which we see that no pooler has dropped the options
_TLS = {"disable", "prefer", "require"}  # what connectorx knows of PostgreSQL's sslmode


class FastPathFailed(Exception):
    """connectorx cannot read this; the general path can, or knows why not."""


def connectorx_url(url: URL) -> str | None:
    """The URL for connectorx; None where it cannot read: a database in memory, with options it
    lacks, or of another kind. DuckDB's is its own.

    A SQLite file is opened read-only: connectorx could otherwise be the last to close it, take that
    for the end of all use, and remove the write-ahead log that Python's connections of this process
    still write to.
    """
    backend = url.get_backend_name()
    if backend == "duckdb":
        return url.render_as_string()
    if backend == "sqlite":
        if url.query or url.database in {None, "", ":memory:"}:
            return None
        # a URI of SQLite's …
        name = f"file:{quote(str(Path(str(url.database)).resolve()))}?mode=ro"
        return "sqlite://" + quote(name)  # … in one of connectorx's
    query = _query_of(url)
    if backend not in _SERVERS or query is None or not url.host or not url.username:
        return None
    userinfo = quote(url.username, safe="") + (f":{quote(str(url.password), safe='')}" if url.password else "") + "@"
    host = f"[{url.host}]" if ":" in url.host else url.host
    port = f":{url.port}" if url.port else ""
    return f"{_SERVERS[backend]}://{userinfo}{host}{port}/{quote(url.database or '', safe='')}" + (f"?{query}" if query else "")


def with_session(url: str, name: str, statement_timeout_s: float | None, *, checks_client: bool) -> str:
    """A PostgreSQL URL whose sessions bear a name and bound each statement;
    ``checks_client``: the server (14+) can.

    Other URLs are given back as they are: there the query itself carries both
    (:func:`data.source.connection.sqltext.as_text`).
    """
    if not url.startswith("postgresql:"):
        return url
    options = [*_PLANNING, _DIRECT]
    options += [f"-c statement_timeout={round(statement_timeout_s * 1000)}"] if statement_timeout_s else []
    options += [f"-c client_connection_check_interval={CLIENT_CHECK_INTERVAL_MS}"] if checks_client else []
    fields = {"application_name": name, "connect_timeout": str(CONNECT_TIMEOUT_S), "options": " ".join(options)}
    query = "&".join(f"{field}={quote(value, safe='')}" for field, value in fields.items() if value)
    return url + ("&" if "?" in url else "?") + query


def connects(connection: Connection, engine: Engine, url: str) -> bool:
    """Return whether connectorx can connect where SQLAlchemy did, tried by Python's driver,
    which says so at once.

    A server may demand encryption, which connectorx lacks on MariaDB and MySQL. PgBouncer refuses
    our options or drops them, and hands each transaction to any session, where connectorx waits for
    ever for a statement that it has prepared in another.
    """
    if engine.url.get_driver_name() == "psycopg":
        return heeds_options(engine, url)
    if engine.url.get_driver_name() != "pymysql":
        return True
    encrypted = connection.exec_driver_sql("SHOW SESSION STATUS LIKE 'Ssl_cipher'").first()
    return not (encrypted and encrypted[1]) or takes_clear_text(engine)


def _query_of(url: URL) -> str | None:
    """The options that both SQLAlchemy's driver and connectorx know; None when there are others."""
    if url.get_backend_name() != "postgresql":
        return "" if set(url.query) <= {"charset"} else None
    return urlencode(url.query) if set(url.query) <= {"sslmode"} and url.query.get("sslmode", "prefer") in _TLS else None


def read_chunks(url: str, sql: str, add: Callable[[Sequence[Any]], None]) -> None:
    """Run a query and hand over its rows in chunks of Arrow columns.

    Raises:
        FastPathFailed: a value does not fit its column's declared type, or the type is unknown.
            Nothing was handed over then.
    """
    for batch in _query(url, sql).to_batches():
        add(batch.columns)


def _query(url: str, sql: str) -> Any:
    if url.startswith("duckdb:"):
        return _query_duckdb(url, sql)
    try:
        return connectorx.read_sql(url, sql, return_type="arrow")
    except BaseException as exc:
        # A panic in Rust arrives as pyo3_runtime.PanicException, which is no Exception;
        # KeyboardInterrupt must pass.
        if isinstance(exc, Exception) or type(exc).__name__ == "PanicException":
            raise FastPathFailed(str(exc)) from exc
        raise


def _query_duckdb(url: str, sql: str) -> Any:
    import duckdb

    with duckdb_dialect.connect(make_url(url)) as connection:
        try:
            return connection.sql(sql).to_arrow_table()
        except duckdb.Error as exc:
            raise FastPathFailed(str(exc)) from exc
