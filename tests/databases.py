"""Databases of a test's own, on SQLite and on the servers that the machine runs;
all are gone when the test ends.

``TEST_POSTGRESQL_URL`` and ``TEST_MARIADB_URL`` name servers (and a user who may create databases)
other than the local ones.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import pymysql.connections
import pytest
from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.exc import OperationalError

from access.store import migrate_access
from config import Settings
from data.catalogue import load_catalogue
from data.database.engine import make_engine, migrate_observations
from jobs.ledger.ledger import migrate_jobs

IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
POSTGRESQL = os.environ.get("TEST_POSTGRESQL_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")
MARIADB = os.environ.get("TEST_MARIADB_URL", "mysql+pymysql://root@127.0.0.1:3306/mysql")

_PREFIX = "riwayat_test_"
_numbers = itertools.count()
# by server: databases of this run that are empty and in nobody's use
_spare: dict[str, list[str]] = {}
# likewise: databases that have all tables of the program and not a row
_migrated: dict[str, list[str]] = {}
_VERSIONS = "alembic_version"  # the names of what Alembic keeps begin so


def share_tls_context() -> None:
    """Let connections to MariaDB without options for TLS have one context.

    PyMySQL makes one for each connection, for which it reads all certificates of the system,
    and checks nothing by them: a quarter of what a short test takes.
    """
    connection: Any = pymysql.connections.Connection
    make = connection._create_ssl_ctx
    shared = cache(lambda: make(None, {}))
    connection._create_ssl_ctx = lambda self, options: make(self, options) if options else shared()


def missing_server(reason: str) -> str:
    """A database server that is not there: skip here, fail in CI."""
    if IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def administrator(server: str) -> Iterator[Connection]:
    """A connection that may make and drop databases and look at every session;
    each statement for itself.

    Skips the test where the server does not answer.
    """
    engine = create_engine(server, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 5})
    try:
        with engine.connect() as connection:
            yield connection
    except OperationalError as exc:
        if exc.connection_invalidated or exc.statement is not None:
            raise
        missing_server(f"{engine.url.get_backend_name()} does not answer: {str(exc.orig).splitlines()[0]}")
    finally:
        engine.dispose()


@contextmanager
def server_database(server: str) -> Iterator[str]:
    """URL of an empty database of a server, for one test;
    :func:`drop_all` drops what there is at the end of the run.
    """
    _sweep(server)
    waiting = _spare.setdefault(server, [])
    name = waiting.pop() if waiting else _create(server)
    url = make_url(server).set(database=name).render_as_string(hide_password=False)
    try:
        yield url
    finally:
        _empty(server, url, name)
        waiting.append(name)


@contextmanager
def migrated_database(server: str) -> Iterator[str]:
    """URL of a database of a server that has all tables of the program and not a row, for one test.

    Afterwards its rows are removed, which takes a tenth of the time of making the tables. Where the
    test has changed a table, the database is emptied and used as :func:`server_database` does.
    """
    _sweep(server)
    waiting = _migrated.setdefault(server, [])
    spare = _spare.setdefault(server, [])
    is_new = not waiting
    name = waiting.pop() if waiting else spare.pop() if spare else _create(server)
    url = make_url(server).set(database=name).render_as_string(hide_password=False)
    if is_new:
        _migrate(url)
        with administrator(url) as connection:
            _shapes[server] = _shape(connection, name)
    try:
        yield url
    finally:
        with _cleaner(url if server == POSTGRESQL else server) as connection:
            is_clear = _clear(connection, name, _shapes[server])
        if is_clear:
            waiting.append(name)
        else:
            _empty(server, url, name)
            spare.append(name)


def drop_all() -> None:
    """Drop every database of this run."""
    for server, names in [*_spare.items(), *_migrated.items()]:
        with administrator(server) as connection:
            while names:
                _drop(connection, names.pop())
    _kept_engine(MARIADB).dispose()


@contextmanager
def _cleaner(url: str) -> Iterator[Connection]:
    """As :func:`administrator`; on MariaDB the connection, which belongs to no test, is kept."""
    if make_url(url).get_backend_name() == "postgresql":
        with administrator(url) as connection:
            yield connection
    else:
        with _kept_engine(url).connect() as connection:
            yield connection


@cache
def _kept_engine(url: str) -> Engine:
    return create_engine(url, isolation_level="AUTOCOMMIT", pool_pre_ping=True)


def _migrate(url: str) -> None:
    engine = make_engine(url)
    migrate_jobs(engine)
    migrate_access(engine)
    migrate_observations(engine, load_catalogue())
    engine.dispose()


# How many columns, indexes, triggers and functions there are, and a sum of what they are.
_SHAPES = {
    "postgresql": """
        SELECT count(*), sum(hashtext(what)) FROM (
            SELECT concat_ws('/', relname, relkind, attname, atttypid, attnotnull) AS what
            FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
            WHERE relnamespace = 'public'::regnamespace AND attnum > 0
            UNION ALL SELECT tgname FROM pg_trigger WHERE NOT tgisinternal
            UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace) AS all_of_it""",
    "mysql": """
        SELECT count(*), sum(crc32(what)) FROM (
            SELECT concat_ws('/', table_name, column_name, column_type, is_nullable) AS what
            FROM information_schema.columns WHERE table_schema = '{0}'
            UNION ALL SELECT concat_ws('/', table_name, index_name, column_name)
            FROM information_schema.statistics WHERE table_schema = '{0}'
            UNION ALL SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = '{0}') AS all_of_it""",
}
_shapes: dict[str, tuple[object, ...]] = {}  # by server: of a migrated database


def _shape(connection: Connection, name: str) -> tuple[object, ...]:
    """Return what a database has besides rows."""
    return tuple(connection.exec_driver_sql(_SHAPES[connection.dialect.name].format(name)).one())


def _clear(connection: Connection, name: str, shape: tuple[object, ...]) -> bool:
    """Remove all rows, whoever still uses them.

    Returns:
        False where there are not the tables that there were.
    """
    _end_sessions(connection, name)
    if _shape(connection, name) != shape:
        return False
    if connection.dialect.name == "postgresql":
        # also what a test has deleted itself, or rolled back, takes room and time
        used = (
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            f" AND pg_relation_size(oid) > 0 AND relname NOT LIKE '{_VERSIONS}%%'"
        )
        if tables := connection.exec_driver_sql(used).scalars().all():
            connection.exec_driver_sql(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY")
        return True
    known = "SELECT table_name, auto_increment > 1 OR table_rows > 1000 FROM information_schema.tables WHERE table_schema = %s"
    found = connection.exec_driver_sql(known, (name,)).all()
    own = {table: bool(anew) for table, anew in found if not table.startswith(_VERSIONS)}
    looks = " UNION ALL ".join(f"(SELECT '{table}' FROM {name}.{table} LIMIT 1)" for table in own)
    filled = set(connection.exec_driver_sql(looks).scalars())
    for table, anew in own.items():
        if anew:  # its numbers begin at 1 again; and where there is much, it is quicker
            connection.exec_driver_sql(f"TRUNCATE {name}.{table}")
        elif table in filled:
            connection.exec_driver_sql(f"DELETE FROM {name}.{table}")
    return True


def _create(server: str) -> str:
    name = f"{_PREFIX}{os.getpid()}_{next(_numbers)}"
    with administrator(server) as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
        # what a test writes need not survive a power cut
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
    return name


def _empty(server: str, url: str, name: str) -> None:
    """Everything in it is gone, whoever still uses it;
    on PostgreSQL without DROP DATABASE, which waits for a checkpoint.
    """
    with _cleaner(url if server == POSTGRESQL else server) as connection:
        if connection.dialect.name == "postgresql":
            _end_sessions(connection, name)
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
            # as in a new database
            connection.exec_driver_sql("GRANT USAGE ON SCHEMA public TO PUBLIC")
        else:
            _drop(connection, name)
            connection.exec_driver_sql(f"CREATE DATABASE {name}")


@contextmanager
def _sqlite_database(folder: Path) -> Iterator[str]:
    yield f"sqlite:///{folder / 'contract.sqlite'}"


@cache
def _migrated_file() -> bytes:
    with tempfile.TemporaryDirectory() as folder, _sqlite_database(Path(folder)) as url:
        _migrate(url)
        return Path(str(make_url(url).database)).read_bytes()


@contextmanager
def _migrated_sqlite(folder: Path) -> Iterator[str]:
    with _sqlite_database(folder) as url:
        write_migrated(url)
        yield url


def write_migrated(url: str) -> None:
    """Make a file of SQLite, where there is none, as migrations do."""
    path = Path(str(make_url(url).database))
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(_migrated_file())


def migrate_as_new(settings: Settings) -> None:
    """As :func:`commands.setup.bring_up_to_date` of a new site on SQLite, by copies."""
    settings.prepare()
    write_migrated(settings.history_url)
    write_migrated(settings.jobs_url)


# What the contract tests run on: functions that give the URL of an empty
# database for the time of a test.
DATABASES: dict[str, Callable[[Path], AbstractContextManager[str]]] = {
    "sqlite": _sqlite_database,
    "postgresql": lambda _: server_database(POSTGRESQL),
    "mariadb": lambda _: server_database(MARIADB),
}

# Likewise of a database that has all tables of the program.
MIGRATED: dict[str, Callable[[Path], AbstractContextManager[str]]] = {
    "sqlite": _migrated_sqlite,
    "postgresql": lambda _: migrated_database(POSTGRESQL),
    "mariadb": lambda _: migrated_database(MARIADB),
}

# For tests of what is the same on every database, because none has a part in it: files, tiles.
ON_SQLITE = pytest.mark.parametrize("migrated_url", ["sqlite"], indirect=True)

_RUNNING = {
    "postgresql": "SELECT query FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() AND datname = %s",
    "mysql": "SELECT info FROM information_schema.processlist WHERE info IS NOT NULL AND id <> connection_id() AND db = %s",
}


def server_of(url: str) -> str:
    """The administrator's URL of the server that a database lives on."""
    return POSTGRESQL if make_url(url).get_backend_name() == "postgresql" else MARIADB


def running_queries(url: str, part: str, *, server: str | None = None) -> list[str]:
    """Statements that the server of ``url`` is executing in that database and that contain
    ``part``, as an administrator sees.

    ``server``: his URL, where it is none that all tests share.
    """
    with administrator(server or server_of(url)) as connection:
        query = _RUNNING[connection.dialect.name]
        found: Sequence[str] = connection.exec_driver_sql(query, (make_url(url).database,)).scalars().all()
    return [query for query in found if part in query]


def _drop(connection: Connection, name: str) -> None:
    force = " WITH (FORCE)" if connection.dialect.name == "postgresql" else ""
    if not force:
        _end_sessions(connection, name)
    connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name}{force}")


def _end_sessions(connection: Connection, name: str) -> None:
    """End the sessions that a test has left in a database: they may hold its tables."""
    if connection.dialect.name == "postgresql":
        left = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
        connection.exec_driver_sql(left, (name,))
        return
    left = "SELECT id FROM information_schema.processlist WHERE db = %s AND id <> CONNECTION_ID()"
    for number in connection.exec_driver_sql(left, (name,)).scalars().all():
        with suppress(OperationalError):  # it has ended meanwhile
            connection.exec_driver_sql(f"KILL {number}")


@cache
def _sweep(server: str) -> None:
    """Once a run: drop what runs that were killed have left."""
    names = "SELECT datname FROM pg_database" if server.startswith("postgresql") else "SHOW DATABASES"
    with administrator(server) as connection:
        for name in connection.exec_driver_sql(names).scalars().all():
            pid = name.removeprefix(_PREFIX).split("_")[0]
            if name.startswith(_PREFIX) and pid.isdigit() and not psutil.pid_exists(int(pid)):
                _drop(connection, name)
