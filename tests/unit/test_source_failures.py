"""What a driver's error means, and what its message says."""

import sqlite3

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import DatabaseError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from data.source.connection.failures import database_name, failure
from errors import SourceMismatch, SourceUnavailable

SERVER = make_url("postgresql+psycopg://reader:hunter2@db.example:5433/scada")


class _Driver(Exception):
    def __init__(self, *args: object, sqlstate: str | None = None) -> None:
        super().__init__(*args)
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OperationalError("", {}, sqlite3.OperationalError("no such column: x")), SourceMismatch),
        (OperationalError("", {}, sqlite3.OperationalError("database is locked")), SourceUnavailable),
        (OperationalError("", {}, sqlite3.OperationalError("unable to open database file")), SourceUnavailable),
        (DatabaseError("", {}, sqlite3.DatabaseError("file is not a database")), SourceMismatch),
        (OperationalError("", {}, _Driver("connection refused")), SourceUnavailable),
        (OperationalError("", {}, _Driver("password authentication failed", sqlstate="28P01")), SourceMismatch),
        (ProgrammingError("", {}, _Driver("relation does not exist", sqlstate="42P01")), SourceMismatch),
        (OperationalError("", {}, _Driver("too many connections", sqlstate="53300")), SourceUnavailable),
        (OperationalError("", {}, _Driver(1045, "Access denied")), SourceMismatch),
        (OperationalError("", {}, _Driver(2003, "Can't connect")), SourceUnavailable),
        (ProgrammingError("", {}, _Driver("lost", sqlstate="42601"), connection_invalidated=True), SourceUnavailable),
        (PoolTimeout("QueuePool limit"), SourceUnavailable),
    ],
)
def test_only_what_waiting_may_mend_is_retryable(error, kind):
    found = failure(SERVER, error)
    assert type(found) is kind
    assert found.retryable is (kind is SourceUnavailable)


def test_the_message_names_host_and_database_but_never_the_password():
    error = OperationalError("", {}, _Driver("could not connect with password hunter2\nmore lines"))
    message = failure(SERVER, error).message
    assert message == "postgresql database scada on db.example:5433 does not answer: could not connect with password ***."
    assert "reader" not in database_name(SERVER)


def test_a_message_with_braces_is_told_as_it_is():
    assert "{x}" in failure(SERVER, OperationalError("", {}, _Driver("bad {x}"))).message
