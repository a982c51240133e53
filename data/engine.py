"""Engines of SQLAlchemy, made once per process, and the migrations that bring a database up to date.

SQLite: every transaction begins explicitly (``BEGIN``), so that reads are consistent and DDL rolls back;
``engine.execution_options(sqlite_begin="IMMEDIATE")`` takes the write lock at once. WAL is set once, in :func:`upgrade`:
switching to it is not covered by the busy timeout, so no ordinary connection ever tries.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog
from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Column, Connection, Double, Engine, create_engine, event, inspect, make_url
from sqlalchemy.exc import ArgumentError, InterfaceError, NoSuchModuleError, OperationalError, ProgrammingError
from sqlalchemy.schema import CreateColumn

from data.catalogue import Catalogue
from data.tables import observation_table
from errors import ConfigurationError, SourceMismatch, SourceUnavailable

OBSERVATION_MIGRATIONS = Path(__file__).with_name("migrations")
OBSERVATION_VERSIONS = "alembic_version_observations"

CONNECT_TIMEOUT_S = 5
SQLITE_BUSY_TIMEOUT_MS = 15_000
CLIENT_CHECK_INTERVAL_MS = 2_000  # PostgreSQL: how soon a running query notices that its client has died
_MIGRATION_LOCK = 0x52495741  # any constant of our own: one migration of a database at a time

log = structlog.get_logger(__name__)


def make_engine(url: str, *, application_name: str = "riwayat", statement_timeout_s: float | None = None) -> Engine:
    """An engine that opens no connection yet. Never carry its connections across a fork.

    ``application_name`` lets a server's administrator (and our cancel) find the connection; ``statement_timeout_s`` bounds
    every statement (not on SQLite).

    Raises:
        ConfigurationError: when the URL cannot be understood or its driver is not installed.
    """
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
        engine = create_engine(parsed, pool_pre_ping=True, connect_args=_connect_args(parsed, application_name))
    except (ArgumentError, NoSuchModuleError) as exc:
        raise ConfigurationError("The database URL cannot be understood: {why}.", why=exc) from exc
    except ImportError as exc:
        raise ConfigurationError(
            "The driver of {url} is not installed: {why}. Install it with pip.", url=_hidden(url), why=exc
        ) from exc
    if backend == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    elif backend == "postgresql":
        event.listen(engine, "connect", lambda dbapi, _: _prepare_postgresql(dbapi, statement_timeout_s))
    elif backend in {"mysql", "mariadb"} and statement_timeout_s:
        event.listen(engine, "connect", lambda dbapi, _: _prepare_mysql(dbapi, statement_timeout_s))
    return engine


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite URL; None for other databases and for databases in memory."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in {None, "", ":memory:"}:
        return None
    return Path(str(parsed.database))


def upgrade(engine: Engine, script_location: Path, version_table: str) -> None:
    """Run one folder of Alembic scripts up to its head; its state is kept in ``version_table``.

    Safe to repeat, and for two processes at once.

    Raises:
        SourceUnavailable: when the database does not answer.
    """
    path = sqlite_path(engine.url.render_as_string(hide_password=False))
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    config = Config()
    config.set_main_option("script_location", str(script_location).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with explained(engine):
        _set_wal(engine)
        with _one_at_a_time(engine) as connection:
            config.attributes.update(connection=connection, version_table=version_table)
            command.upgrade(config, "head")


@contextmanager
def explained(engine: Engine) -> Iterator[None]:
    """Turn what a driver says into an error that a user can act on; for command line and migrations.

    Raises:
        SourceUnavailable: when the database does not answer.
        SourceMismatch: when a table or column is missing.
    """
    try:
        yield
    except (OperationalError, InterfaceError, ProgrammingError, sqlite3.OperationalError) as exc:
        why = str(getattr(exc, "orig", None) or exc).splitlines()[0]
        url = engine.url.render_as_string(hide_password=True)
        if re.search(r"no such (table|column)|does not exist|doesn't exist|unknown column", why, re.IGNORECASE):
            raise SourceMismatch("{url} lacks a table or column: {why}. Run manage.py migrate.", url=url, why=why) from exc
        raise SourceUnavailable(
            "The database {url} cannot be used: {why}. Check its URL; where it is new, run manage.py migrate.", url=url, why=why
        ) from exc


def run_environment() -> None:
    """The body of a migrations folder's ``env.py``: run on the connection that :func:`upgrade` hands over."""
    from alembic import context  # only inside a running command does it have a context

    attributes = context.config.attributes
    context.configure(connection=attributes["connection"], version_table=attributes["version_table"], transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()


def migrate_observations(engine: Engine, catalogue: Catalogue) -> None:
    """Bring the observations database up to date: Alembic, then one column for each sensor of the catalogue that lacks one.

    A column that the catalogue no longer names stays: history is never dropped.
    """
    upgrade(engine, OBSERVATION_MIGRATIONS, OBSERVATION_VERSIONS)
    with _one_at_a_time(engine) as connection:
        present = {str(column["name"]) for column in inspect(connection).get_columns("observation")}
        lacking = [sensor.name for sensor in catalogue if sensor.name not in present]
        for name in lacking:
            definition = CreateColumn(Column(name, Double)).compile(dialect=engine.dialect)
            connection.exec_driver_sql(f"ALTER TABLE observation ADD COLUMN {definition}")
    if lacking and len(present) > len(observation_table(Catalogue({})).columns):  # else the table is new
        log.info("sensor columns added", sensors=lacking)


def _connect_args(url: URL, application_name: str) -> dict[str, Any]:
    backend, driver = url.get_backend_name(), url.get_driver_name()
    if backend == "sqlite":
        return {"timeout": SQLITE_BUSY_TIMEOUT_MS / 1000}
    if backend == "postgresql" and driver in {"psycopg", "psycopg2"}:
        return {"connect_timeout": CONNECT_TIMEOUT_S, "application_name": application_name}
    if driver == "pymysql":
        return {"connect_timeout": CONNECT_TIMEOUT_S, "program_name": application_name, "charset": "utf8mb4"}
    return {}


def _prepare_sqlite(dbapi: Any, _record: object) -> None:
    dbapi.isolation_level = None  # the module begins nothing by itself: see _begin_sqlite
    for pragma in (f"busy_timeout = {SQLITE_BUSY_TIMEOUT_MS}", "foreign_keys = ON", "synchronous = NORMAL"):
        dbapi.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")


def _prepare_postgresql(dbapi: Any, statement_timeout_s: float | None) -> None:
    with dbapi.cursor() as cursor:
        # Servers before 14 lack the setting: then nothing is set, instead of an error.
        cursor.execute(
            "SELECT set_config(name, %s, false) FROM pg_settings WHERE name = 'client_connection_check_interval'",
            (str(CLIENT_CHECK_INTERVAL_MS),),
        )
        if statement_timeout_s:
            cursor.execute("SELECT set_config('statement_timeout', %s, false)", (str(round(statement_timeout_s * 1000)),))
    dbapi.commit()


def _prepare_mysql(dbapi: Any, statement_timeout_s: float) -> None:
    with dbapi.cursor() as cursor:
        if "MariaDB" in str(dbapi.get_server_info()):
            cursor.execute("SET SESSION max_statement_time = %s", (statement_timeout_s,))
        else:
            cursor.execute("SET SESSION max_execution_time = %s", (round(statement_timeout_s * 1000),))


def _set_wal(engine: Engine) -> None:
    """Switch a SQLite file to WAL; the file remembers it. Outside any transaction, as SQLite demands."""
    if engine.dialect.name != "sqlite":
        return
    dbapi = engine.raw_connection()
    try:
        cursor = dbapi.cursor()
        if cursor.execute("PRAGMA journal_mode").fetchone()[0] not in {"wal", "memory"}:
            cursor.execute("PRAGMA journal_mode = WAL")
        cursor.close()
    finally:
        dbapi.close()


@contextmanager
def _one_at_a_time(engine: Engine) -> Iterator[Connection]:
    """A connection inside a transaction that no second migration of this database can enter."""
    with engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
        mysql = engine.dialect.name in {"mysql", "mariadb"}
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
        elif mysql:
            connection.exec_driver_sql(f"SELECT GET_LOCK('riwayat-{_MIGRATION_LOCK}', 60)")
        try:
            yield connection
        finally:
            if mysql:
                connection.exec_driver_sql(f"SELECT RELEASE_LOCK('riwayat-{_MIGRATION_LOCK}')")


def _hidden(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)
