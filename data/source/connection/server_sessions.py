"""Sessions on the server of a source: found by their name, and stopped.

A server may go on for minutes with a query whose client was killed. Sessions of PostgreSQL carry
their name themselves (``application_name``); elsewhere each query carries it as a comment, which
the server shows in its list of processes.
"""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from data.database.drivers import session_comment

_POSTGRESQL = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :name AND pid <> pg_backend_pid()"
)
_MYSQL = text("SELECT id FROM information_schema.processlist WHERE LOCATE(:comment, info) > 0 AND id <> CONNECTION_ID()")


def queries_survive_disconnect(engine: Engine) -> bool:
    """Return whether queries run in a server, and so go on without their client;
    SQLite's run in the client itself.
    """
    return engine.dialect.name in {"postgresql", "mysql", "mariadb"}


def stop_queries(engine: Engine, name: str) -> int:
    """End the sessions called ``name``; return how many there were.
    Needs no right beyond the own user's.

    Raises:
        DBAPIError: the database does not answer.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "postgresql":
            return len(connection.execute(_POSTGRESQL, {"name": name}).all())
        if engine.dialect.name in {"mysql", "mariadb"}:
            return _kill(connection, name)
    return 0


def _kill(connection: Connection, name: str) -> int:
    ids = connection.execute(_MYSQL, {"comment": session_comment(name)}).scalars().all()
    for number in ids:
        with suppress(DBAPIError):  # it has ended meanwhile
            connection.exec_driver_sql(f"KILL {int(number)}")
    return len(ids)
