"""Databases that refuse, hang, or let a reader do little:
what a user is told, and whether trying again may help.
"""

import secrets
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import Connection, insert, make_url

from data.catalogue import load_catalogue
from data.database.engine import explained, make_engine, migrate_observations
from data.database.tables import observation_table
from data.source import own_source
from errors import RiwayatError, SourceMismatch, SourceUnavailable
from tests.databases import DATABASES, MARIADB, POSTGRESQL, administrator, server_of

CATALOGUE = load_catalogue()
PASSWORD = "p%:/?#[]@! +é'\"\\"
SERVERS = ["postgresql", "mariadb"]
CONNECTORX_TRIES_S = 30  # to connect, if it is let


@pytest.fixture(params=SERVERS)
def server_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each server."""
    with DATABASES[request.param](tmp_path) as url:
        yield url


def failure_at(url: str, **parts: Any) -> tuple[RiwayatError, float]:
    """The error of opening a source there, and after how many seconds;
    the command line's must hide the password, too.
    """
    parsed = make_url(url).set(password=PASSWORD, **parts)
    engine = make_engine(parsed.render_as_string(hide_password=False), statement_timeout_s=30)

    def told() -> str:
        with pytest.raises(RiwayatError) as error, explained(engine), engine.connect():
            pass
        return error.value.message

    with ThreadPoolExecutor(1) as other:  # both at once: a server may let each wait for five seconds
        message_of_command = other.submit(told)
        began = time.monotonic()
        with pytest.raises(RiwayatError) as caught, own_source(engine, CATALOGUE).open():
            pass
        took = time.monotonic() - began
    for message in (caught.value.message, message_of_command.result()):
        assert PASSWORD not in message
        assert str(parsed.host) in message
        assert str(parsed.database) in message
    engine.dispose()
    return caught.value, took


@contextmanager
def listening(answers: tuple[bytes, ...] = ()) -> Iterator[int]:
    """A port that accepts connections and gives one answer to each message that arrives,
    then nothing more.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                kept.append(connection)
                for answer in answers:
                    connection.recv(4096)
                    connection.sendall(answer)

        kept: list[socket.socket] = []
        Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        for connection in kept:
            connection.close()


@pytest.mark.parametrize("server", [POSTGRESQL, MARIADB], ids=SERVERS)
def test_a_server_that_refuses_may_be_tried_again(server, free_port):
    error, took = failure_at(server, port=free_port)
    assert type(error) is SourceUnavailable
    assert f"127.0.0.1:{free_port}" in error.message
    assert took < CONNECTORX_TRIES_S


@pytest.mark.parametrize("server", [POSTGRESQL, MARIADB], ids=SERVERS)
def test_an_unknown_host_may_be_tried_again(server):
    error, took = failure_at(server, host="no-such-host.invalid")
    assert type(error) is SourceUnavailable
    assert took < CONNECTORX_TRIES_S


@pytest.mark.parametrize("server", [POSTGRESQL, MARIADB], ids=SERVERS)
def test_a_server_that_accepts_and_says_nothing_is_given_up_soon(server):
    with listening() as port:
        error, took = failure_at(server, port=port)
    assert type(error) is SourceUnavailable
    assert took < 9


def test_an_unknown_database_cannot_be_tried_again(server_url):
    error, _ = failure_at(server_url, database="riwayat_no_such")
    assert type(error) is SourceMismatch


@contextmanager
def database_administrator(url: str) -> Iterator[Connection]:
    """An administrator inside the database of ``url``."""
    inside = make_url(server_of(url)).set(database=make_url(url).database)
    with administrator(inside.render_as_string(hide_password=False)) as connection:
        yield connection


@contextmanager
def reader_of(url: str) -> Iterator[str]:
    """The same database for a user who may only read ``observation`` and ``observation_flag``."""
    parsed, name = make_url(url), f"riwayat_test_{secrets.token_hex(4)}"
    with database_administrator(url) as admin:
        if admin.dialect.name == "postgresql":
            password = PASSWORD.replace("'", "''").replace("%", "%%")
            admin.exec_driver_sql(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
        else:
            admin.exec_driver_sql("CREATE USER %s IDENTIFIED BY %s", (name, PASSWORD))
        try:
            for table in ("observation", "observation_flag"):
                admin.exec_driver_sql(f"GRANT SELECT ON {table} TO {name}")
            yield parsed.set(username=name, password=PASSWORD).render_as_string(hide_password=False)
        finally:
            if admin.dialect.name == "postgresql":
                admin.exec_driver_sql(f"DROP OWNED BY {name}")
            admin.exec_driver_sql(f"DROP {'ROLE' if admin.dialect.name == 'postgresql' else 'USER'} {name}")


def test_a_wrong_password_cannot_be_tried_again_mariadb(tmp_path):
    with DATABASES["mariadb"](tmp_path) as url:
        migrate_observations(engine := make_engine(url), CATALOGUE)
        engine.dispose()
        with reader_of(url) as his, database_administrator(url) as admin:
            admin.exec_driver_sql("ALTER USER %s IDENTIFIED BY 'another'", (make_url(his).username,))
            for user in (make_url(his).username, "riwayat_nobody"):
                error, _ = failure_at(his, username=user)
                assert type(error) is SourceMismatch


def test_a_database_that_is_anothers_cannot_be_tried_again_mariadb(tmp_path):
    with DATABASES["mariadb"](tmp_path) as url:
        migrate_observations(engine := make_engine(url), CATALOGUE)
        engine.dispose()
        with reader_of(url) as his:
            error, _ = failure_at(his, database="mysql")
    assert type(error) is SourceMismatch


def test_a_wrong_password_cannot_be_tried_again_postgresql():
    """Asked for a password, told that it is wrong;
    in the words of the protocol, since the test's server trusts everybody.
    """
    fields = b'SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user "postgres"\0\0'
    answers = (b"N", b"R\0\0\0\x08\0\0\0\x03", b"E" + (len(fields) + 4).to_bytes(4) + fields)
    with listening(answers) as port:
        error, _ = failure_at(POSTGRESQL, port=port)
    assert type(error) is SourceMismatch
    assert "password authentication failed" in error.message


@pytest.mark.parametrize("fast", [True, False])
def test_a_user_who_may_only_read_reads_whatever_his_password_is_made_of(server_url, fast):
    owner = make_engine(server_url)
    migrate_observations(owner, CATALOGUE)
    with owner.begin() as connection:
        connection.execute(insert(observation_table(CATALOGUE)).values(station="a", time=1, temperature=2.5))
    owner.dispose()
    with reader_of(server_url) as url:
        engine = make_engine(url, application_name="riwayat-a-1", statement_timeout_s=30)
        with own_source(engine, CATALOGUE, session_name="riwayat-a-1", statement_timeout_s=30).open(fast=fast) as reader:
            assert reader.read("a", ["temperature"], [(0, 10)]).values["temperature"].tolist() == [2.5]
            assert reader.flags("a", ["temperature"], 0, 10) == {}
            assert (reader.fast_reads, reader.general_reads) == ((1, 0) if fast else (0, 1))
        engine.dispose()


def test_a_table_that_may_not_be_read_any_more_cannot_be_tried_again(server_url):
    owner = make_engine(server_url)
    migrate_observations(owner, CATALOGUE)
    owner.dispose()
    with reader_of(server_url) as url:
        engine = make_engine(url)
        with own_source(engine, CATALOGUE).open() as reader:
            with database_administrator(server_url) as admin:
                admin.exec_driver_sql(f"REVOKE SELECT ON observation FROM {make_url(url).username}")
            with pytest.raises(SourceMismatch, match="(?i)denied"):
                reader.read("a", ["temperature"], [(0, 10)])
        engine.dispose()
