"""Drivers and sessions of each database: how a connection is opened,
and what holds for all of its statements.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import URL, Connection, Dialect, Engine, event
from sqlalchemy.dialects import registry

CONNECT_TIMEOUT_S = 5
SQLITE_BUSY_TIMEOUT_MS = 15_000
WEB_BUSY_MS = 1_000  # a page rather asks again than hold one of the few threads of the web process
# PostgreSQL: how soon a running query notices that its client has died
CLIENT_CHECK_INTERVAL_MS = 2_000
# PostgreSQL: a host that takes nothing for so long is gone; Linux itself would try for 15 minutes
TCP_SILENCE_MS = 15_000
# a server that has said nothing for so long after the time limit of a statement is gone
READ_GRACE_S = 10

registry.register("duckdb", "data.database.duckdb_dialect", "DuckdbDialect")

_DRIVERS = {"postgresql": "psycopg", "postgres": "psycopg", "mysql": "pymysql", "mariadb": "pymysql"}


def with_driver(url: URL) -> URL:
    """The URL with the driver that requirements.txt brings, where it names none:
    ``postgresql://``, ``mysql://``, …
    """
    driver = _DRIVERS.get(url.drivername)
    if driver is None:
        return url
    backend = "postgresql" if url.drivername == "postgres" else url.drivername
    return url.set(drivername=f"{backend}+{driver}")


def engine_options(url: URL, application_name: str) -> dict[str, Any]:
    """Arguments of ``create_engine``: how connections are opened."""
    backend, driver = url.get_backend_name(), url.get_driver_name()
    if backend == "sqlite":
        return {"connect_args": {"timeout": SQLITE_BUSY_TIMEOUT_MS / 1000}}
    if backend == "postgresql" and driver in {"psycopg", "psycopg2"}:
        options: dict[str, Any] = {"connect_timeout": CONNECT_TIMEOUT_S, "application_name": application_name}
        options["tcp_user_timeout"] = TCP_SILENCE_MS
        if driver == "psycopg":
            # behind PgBouncer the next transaction may be in another session of the server
            options["prepare_threshold"] = None
        return {"connect_args": options}
    if driver == "pymysql":
        arguments: dict[str, Any] = {
            "connect_timeout": CONNECT_TIMEOUT_S,
            "read_timeout": CONNECT_TIMEOUT_S,  # of the greeting; see _prepare_mysql
            "program_name": application_name,
            "charset": "utf8mb4",
            # the clock of the server's zone may jump back an hour
            "init_command": "SET time_zone = '+00:00'",
        }
        if url.password:
            # as text it would be sent in Latin-1
            arguments["password"] = str(url.password).encode()
        # As on PostgreSQL. A snapshot of a whole transaction would show its own past,
        # and gaps between rows are not locked.
        return {"connect_args": arguments, "isolation_level": "READ COMMITTED"}
    return {}


def takes_clear_text(engine: Engine) -> bool:
    """Return whether a MariaDB or MySQL server lets this user in without encryption."""
    arguments, options = engine.dialect.create_connect_args(engine.url)
    own: dict[str, Any] = engine_options(engine.url, "riwayat")["connect_args"]
    try:
        engine.dialect.loaded_dbapi.connect(*arguments, **{**options, **own, "ssl_disabled": True}).close()
    except engine.dialect.loaded_dbapi.Error:
        return False
    return True


def heeds_options(engine: Engine, url: str) -> bool:
    """Return whether PostgreSQL lets this user in by a URL whose options set ``riwayat.direct``,
    and no pooler drops them.
    """
    driver = engine.dialect.loaded_dbapi
    try:
        connection = driver.connect(url)
        try:
            row = connection.execute("SELECT current_setting('riwayat.direct', true)").fetchone()
        finally:
            connection.close()
    except driver.Error:
        return False
    return bool(row[0])


def session_comment(name: str) -> str:
    """What marks a statement of the sessions called ``name`` (letters, digits, hyphens)
    on MariaDB and MySQL.
    """
    return f"/* {name} */"


def prepare_sessions(
    engine: Engine, application_name: str, statement_timeout_s: float | None, busy_ms: int = SQLITE_BUSY_TIMEOUT_MS
) -> None:
    """Set what holds for all statements of every connection;
    ``statement_timeout_s`` not on SQLite, ``busy_ms`` only there.
    """
    backend = engine.url.get_backend_name()
    if backend == "sqlite":
        event.listen(engine, "connect", partial(_prepare_sqlite, busy_ms=busy_ms))
        event.listen(engine, "begin", _begin_sqlite)
    elif backend == "postgresql":
        event.listen(engine, "connect", partial(_prepare_postgresql, statement_timeout_s=statement_timeout_s))
    elif backend in {"mysql", "mariadb"}:
        event.listen(engine, "connect", partial(_prepare_mysql, statement_timeout_s=statement_timeout_s))
        event.listen(engine, "before_cursor_execute", partial(_mark, session_comment(application_name)), retval=True)


def exact_text(dialect: Dialect) -> dict[str, str]:
    """Options of a table whose text is equal only when it is the same, as on SQLite and PostgreSQL.

    Without them MariaDB and MySQL take ``a``, ``A``, ``ä`` and ``a`` with a space at the end for
    one station. SQLAlchemy reads the options under the name of the dialect in the URL: mysql or
    mariadb.
    """
    collation = "utf8mb4_nopad_bin" if getattr(dialect, "is_mariadb", False) else "utf8mb4_0900_bin"
    options = {"charset": "utf8mb4", "collate": collation, "engine": "InnoDB"}
    return {f"{name}_{option}": value for name in ("mysql", "mariadb") for option, value in options.items()}


def _prepare_sqlite(dbapi: Any, _record: object, *, busy_ms: int) -> None:
    dbapi.isolation_level = None  # the module begins nothing by itself: see _begin_sqlite
    for pragma in (f"busy_timeout = {busy_ms}", "foreign_keys = ON", "synchronous = NORMAL"):
        dbapi.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")


def _prepare_postgresql(dbapi: Any, _record: object, *, statement_timeout_s: float | None) -> None:
    with dbapi.cursor() as cursor:
        # Servers before 14 lack the setting: then nothing is set, instead of an error.
        cursor.execute(
            "SELECT set_config(name, %s, false) FROM pg_settings WHERE name = 'client_connection_check_interval'",
            (str(CLIENT_CHECK_INTERVAL_MS),),
        )
        if statement_timeout_s:
            cursor.execute("SELECT set_config('statement_timeout', %s, false)", (str(round(statement_timeout_s * 1000)),))
    dbapi.commit()


def _prepare_mysql(dbapi: Any, _record: object, *, statement_timeout_s: float | None) -> None:
    if hasattr(dbapi, "_read_timeout"):
        # PyMySQL has one limit for everything that it waits for:
        # it was short for the greeting of a server that hangs.
        dbapi._read_timeout = statement_timeout_s + READ_GRACE_S if statement_timeout_s else None  # noqa: SLF001
    if not statement_timeout_s:
        return
    with dbapi.cursor() as cursor:
        if "MariaDB" in str(dbapi.get_server_info()):
            cursor.execute("SET SESSION max_statement_time = %s", (statement_timeout_s,))
        else:
            cursor.execute("SET SESSION max_execution_time = %s", (round(statement_timeout_s * 1000),))


def _mark(
    comment: str, _connection: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, executemany: bool
) -> tuple[str, Any]:
    """MariaDB shows no name of a session, but the text of its statement."""
    # PyMySQL joins rows to one INSERT only when the text begins with that word.
    return (statement if executemany else f"{comment} {statement}"), parameters
