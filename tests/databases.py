"""Databases of a test's own, on SQLite and on the servers that the machine runs; all are gone when the test ends.

``TEST_POSTGRESQL_URL`` and ``TEST_MARIADB_URL`` name servers (and a user who may create databases) other than the local ones.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cache
from pathlib import Path

import psutil
import pytest
from sqlalchemy import Connection, create_engine, make_url
from sqlalchemy.exc import OperationalError

IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
POSTGRESQL = os.environ.get("TEST_POSTGRESQL_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")
MARIADB = os.environ.get("TEST_MARIADB_URL", "mysql+pymysql://root@127.0.0.1:3306/mysql")

_PREFIX = "riwayat_test_"
_numbers = itertools.count()
_spare: dict[str, list[str]] = {}  # by server: databases of this run that are empty and in nobody's use


def missing_server(reason: str) -> str:
    """A database server that is not there: skip here, fail in CI."""
    if IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def administrator(server: str) -> Iterator[Connection]:
    """A connection that may make and drop databases and look at every session; each statement for itself.

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
    """URL of an empty database of a server, for one test; :func:`drop_all` drops what there is at the end of the run."""
    _sweep(server)
    waiting = _spare.setdefault(server, [])
    name = waiting.pop() if waiting else _create(server)
    url = make_url(server).set(database=name).render_as_string(hide_password=False)
    try:
        yield url
    finally:
        _empty(server, url, name)
        waiting.append(name)


def drop_all() -> None:
    """Drop every database of this run."""
    for server, names in _spare.items():
        with administrator(server) as connection:
            while names:
                _drop(connection, names.pop())


def _create(server: str) -> str:
    name = f"{_PREFIX}{os.getpid()}_{next(_numbers)}"
    with administrator(server) as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
        if connection.dialect.name == "postgresql":  # what a test writes need not survive a power cut
            connection.exec_driver_sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
    return name


def _empty(server: str, url: str, name: str) -> None:
    """Everything in it is gone, whoever still uses it; on PostgreSQL without DROP DATABASE, which waits for a checkpoint."""
    with administrator(url if server == POSTGRESQL else server) as connection:
        if connection.dialect.name == "postgresql":
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
            connection.exec_driver_sql(others, (name,))
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
            connection.exec_driver_sql("GRANT USAGE ON SCHEMA public TO PUBLIC")  # as in a new database
        else:
            _drop(connection, name)
            connection.exec_driver_sql(f"CREATE DATABASE {name}")


@contextmanager
def _sqlite_database(folder: Path) -> Iterator[str]:
    yield f"sqlite:///{folder / 'contract.sqlite'}"


# What the contract tests run on: functions that give the URL of an empty database for the time of a test.
DATABASES: dict[str, Callable[[Path], AbstractContextManager[str]]] = {
    "sqlite": _sqlite_database,
    "postgresql": lambda _: server_database(POSTGRESQL),
    "mariadb": lambda _: server_database(MARIADB),
}

_RUNNING = {
    "postgresql": "SELECT query FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() AND datname = %s",
    "mysql": "SELECT info FROM information_schema.processlist WHERE info IS NOT NULL AND id <> connection_id() AND db = %s",
}


def server_of(url: str) -> str:
    """The administrator's URL of the server that a database lives on."""
    return POSTGRESQL if make_url(url).get_backend_name() == "postgresql" else MARIADB


def running_queries(url: str, part: str, *, server: str | None = None) -> list[str]:
    """Statements that the server of ``url`` is executing in that database and that contain ``part``, as an administrator sees.

    ``server``: his URL, where it is none that all tests share.
    """
    with administrator(server or server_of(url)) as connection:
        query = _RUNNING[connection.dialect.name]
        found: Sequence[str] = connection.exec_driver_sql(query, (make_url(url).database,)).scalars().all()
    return [query for query in found if part in query]


def _drop(connection: Connection, name: str) -> None:
    force = " WITH (FORCE)" if connection.dialect.name == "postgresql" else ""
    if not force:  # a session that a test has left may hold its tables
        left = "SELECT id FROM information_schema.processlist WHERE db = %s AND id <> CONNECTION_ID()"
        for number in connection.exec_driver_sql(left, (name,)).scalars().all():
            with suppress(OperationalError):  # it has ended meanwhile
                connection.exec_driver_sql(f"KILL {number}")
    connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name}{force}")


@cache
def _sweep(server: str) -> None:
    """Once a run: drop what runs that were killed have left."""
    names = "SELECT datname FROM pg_database" if server.startswith("postgresql") else "SHOW DATABASES"
    with administrator(server) as connection:
        for name in connection.exec_driver_sql(names).scalars().all():
            pid = name.removeprefix(_PREFIX).split("_")[0]
            if name.startswith(_PREFIX) and pid.isdigit() and not psutil.pid_exists(int(pid)):
                _drop(connection, name)
