"""Engines of SQLAlchemy, made once per process, and the migrations
that bring a database up to date.

SQLite: every transaction begins explicitly (``BEGIN``), so that reads are consistent and DDL rolls
back; ``engine.execution_options(sqlite_begin="IMMEDIATE")`` takes the write lock at once. WAL is
set once, in :func:`upgrade`: switching to it is not covered by the busy timeout, so no ordinary
connection ever tries.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import URL, Column, Connection, Double, Engine, create_engine, inspect, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DataError, IntegrityError, InterfaceError, NoSuchModuleError
from sqlalchemy.schema import CreateColumn

from data.catalogue import Catalogue
from data.database.drivers import SQLITE_BUSY_TIMEOUT_MS, engine_options, prepare_sessions, with_driver
from data.database.tables import observation_table
from data.sensor_spans import measure_unknown
from errors import ConfigurationError, SourceError, SourceMismatch, SourceUnavailable

OBSERVATION_MIGRATIONS = Path(__file__).with_name("migrations")
OBSERVATION_VERSIONS = "alembic_version_observations"

_MIGRATION_LOCK = 0x52495741  # any constant of our own: one migration of a database at a time
_MIGRATION_WAIT_S = 60
_WAL_PAUSE_S = 0.02

log = structlog.get_logger(__name__)


def make_engine(
    url: str,
    *,
    application_name: str = "riwayat",
    statement_timeout_s: float | None = None,
    busy_ms: int = SQLITE_BUSY_TIMEOUT_MS,
) -> Engine:
    """An engine that opens no connection yet. Never carry its connections across a fork.

    ``application_name`` lets a server's administrator (and our cancel) find the connection;
    ``statement_timeout_s`` bounds every statement (not on SQLite); ``busy_ms`` is how long to wait
    for a SQLite file that another process writes to.

    Raises:
        ConfigurationError: when the URL cannot be understood or its driver is not installed.
    """
    try:
        with _understood():
            parsed = with_driver(make_url(url))
            engine = create_engine(parsed, pool_pre_ping=True, hide_parameters=True, **engine_options(parsed, application_name))
    except ImportError as exc:
        raise ConfigurationError(
            "The driver of {url} is not installed: {why}. Install it with pip.", url=_hidden(url), why=exc
        ) from exc
    prepare_sessions(engine, application_name, statement_timeout_s, busy_ms)
    return engine


@contextmanager
def _understood() -> Iterator[None]:
    try:
        yield
    except (ArgumentError, NoSuchModuleError) as exc:
        raise ConfigurationError("The database URL cannot be understood: {why}.", why=exc) from exc
    except ValueError:
        # its text holds what was taken for a port: the rest of a password with "@" and ":"
        why = "its port is no number; write @, : and / of a password as %40, %3A and %2F"
        raise ConfigurationError("The database URL cannot be understood: {why}.", why=why) from None


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite URL; None for other databases and for databases in memory.

    Raises:
        ConfigurationError: when the URL cannot be understood.
    """
    with _understood():
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
    from alembic import command  # only what migrates pays for it at its start
    from alembic.config import Config

    path = sqlite_path(engine.url.render_as_string(hide_password=False))
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            path.touch(mode=0o600)  # SQLite would let others read what it makes
    config = Config()
    config.set_main_option("script_location", str(script_location).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with explained(engine):
        _set_wal(engine)
        with _one_at_a_time(engine) as connection:
            config.attributes.update(connection=connection, version_table=version_table)
            command.upgrade(config, "head")


def lacks_tables(error: Exception) -> bool:
    """Return whether a database is older than the program: a table or a column is not there."""
    why = str(getattr(error, "orig", None) or error).partition("\n")[0]
    return bool(re.search(r"no such (table|column)|(relation|column) .*does not exist|doesn't exist|unknown column", why, re.I))


@contextmanager
def explained(engine: Engine) -> Iterator[None]:
    """Turn what a driver says into an error that a user can act on;
    for command line and migrations.

    Raises:
        SourceUnavailable: when the database does not answer.
        SourceMismatch: when a table or column is missing.
    """
    try:
        yield
    except (DatabaseError, InterfaceError, sqlite3.DatabaseError) as exc:
        if isinstance(exc, DataError | IntegrityError):  # a fault of ours, to be seen as it is
            raise
        raise explanation(exc, engine.url) from exc


def explanation(error: Exception, url: URL) -> SourceError:
    """Return the error that a user can act on for what a driver raised."""
    why = str(getattr(error, "orig", None) or error).splitlines()[0]
    name = url.render_as_string(hide_password=True)
    if lacks_tables(error):
        return SourceMismatch("{url} lacks a table or column: {why}. Run manage.py migrate.", url=name, why=why)
    if "readonly database" in why:
        return SourceUnavailable(
            "The database {url} cannot be written: {why}. Let the user who runs Riwayat write to the file and its folder.",
            url=name,
            why=why,
        )
    if re.search("not a database|malformed", why):
        return SourceMismatch(
            "The database {url} is damaged or not a database: {why}. Restore it from a backup (docs/operations.md).",
            url=name,
            why=why,
        )
    if url.get_backend_name() == "sqlite":
        return SourceUnavailable(
            "The database {url} cannot be used: {why}. Check its path, and that its disk is not full; "
            "if it is new, run manage.py migrate.",
            url=name,
            why=why,
        )
    return SourceUnavailable(
        "The database {url} cannot be used: {why}. Check its URL, and that its server runs.", url=name, why=why
    )


def run_environment() -> None:
    """Run migrations on the connection that :func:`upgrade` hands over; for ``env.py``."""
    from alembic import context  # only inside a running command does it have a context

    attributes = context.config.attributes
    context.configure(connection=attributes["connection"], version_table=attributes["version_table"], transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()


def migrate_observations(engine: Engine, catalogue: Catalogue) -> None:
    """Bring the observations database up to date:
    Alembic, then one column for each measured sensor of the catalogue that lacks one.

    A column that the catalogue no longer names stays: history is never dropped. When each sensor
    had values is looked up where an older version did not note it.
    """
    upgrade(engine, OBSERVATION_MIGRATIONS, OBSERVATION_VERSIONS)
    with _one_at_a_time(engine) as connection:
        present = {str(column["name"]) for column in inspect(connection).get_columns("observation")}
        lacking = [sensor.name for sensor in catalogue.measured if sensor.name not in present]
        added = [f"ADD COLUMN {CreateColumn(Column(name, Double)).compile(dialect=engine.dialect)}" for name in lacking]
        # SQLite takes one column a statement; to the others each statement is
        # a change of the whole table.
        for changes in added if engine.dialect.name == "sqlite" else [", ".join(added)] if added else []:
            connection.exec_driver_sql(f"ALTER TABLE observation {changes}")
    # else the table is new
    if lacking and len(present) > len(observation_table(Catalogue({})).columns):
        log.info("sensor columns added", sensors=lacking)
    with explained(engine):
        measure_unknown(engine)


def _set_wal(engine: Engine) -> None:
    """Switch a SQLite file to WAL; the file remembers it.
    Outside any transaction, as SQLite demands.

    The switch does not wait for a lock that another migration holds for a moment, so it is tried
    again for as long as any other migration step would wait.
    """
    if engine.dialect.name != "sqlite":
        return
    until = time.monotonic() + _MIGRATION_WAIT_S
    dbapi = engine.raw_connection()
    try:
        while not _is_wal(dbapi.cursor(), last_try=time.monotonic() > until):
            time.sleep(_WAL_PAUSE_S)
    finally:
        dbapi.close()


def _is_wal(cursor: Any, *, last_try: bool) -> bool:
    """Return whether the file is in WAL mode now; False when another process has it locked."""
    try:
        if cursor.execute("PRAGMA journal_mode").fetchone()[0] not in {"wal", "memory"}:
            cursor.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as exc:
        if last_try or exc.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise
        return False
    finally:
        cursor.close()
    return True


@contextmanager
def _one_at_a_time(engine: Engine) -> Iterator[Connection]:
    """A connection inside a transaction that no second migration of this database can enter."""
    with engine.execution_options(sqlite_begin="IMMEDIATE").connect() as connection:
        try:
            with connection.begin():
                _lock_migrations(connection)
                yield connection
        finally:  # only now: the version is not seen by others before the transaction's end
            if engine.dialect.name in {"mysql", "mariadb"}:
                connection.exec_driver_sql(f"SELECT RELEASE_LOCK('riwayat-{_MIGRATION_LOCK}')")


def _lock_migrations(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
    elif connection.dialect.name in {"mysql", "mariadb"}:
        got = connection.exec_driver_sql(f"SELECT GET_LOCK('riwayat-{_MIGRATION_LOCK}', {_MIGRATION_WAIT_S})").scalar()
        if got != 1:
            raise SourceUnavailable("Another migration has been running for {seconds} s; try again.", seconds=_MIGRATION_WAIT_S)


def _hidden(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)
