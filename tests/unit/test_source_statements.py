"""The SQL text that the fast path gets, and the URL that it connects to."""

from functools import partial
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url
from sqlalchemy.dialects import mysql, postgresql, sqlite

from data.catalogue import load_catalogue
from data.source import TableSource, own_source, statements
from data.source.fast import connectorx_url, with_session
from data.source.statements import as_text, readings
from errors import SourceMismatch

SOURCE = own_source(create_engine("sqlite://"), load_catalogue())


def text(station: str, dialect: Any = None) -> str:
    statement = statements.readings(SOURCE, station, ["rainfall", "temperature"], 10, 20)
    return statements.as_text(statement, dialect or sqlite.dialect())


def test_only_the_sensors_asked_for_are_read_in_their_order_by_time():
    assert " ".join(text("aws-1").split()) == (
        "SELECT time, rainfall, temperature FROM observation WHERE station = 'aws-1' AND time >= 10 AND time < 20 ORDER BY time"
    )


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect(), mysql.dialect()], ids=lambda each: each.name)
def test_a_station_name_stays_inside_its_literal(dialect):
    compiled = text("x' OR 1=1 -- 100%", dialect)
    assert "'x'' OR 1=1 -- 100%'" in compiled  # quotes doubled, the percent sign not


def test_backslashes_are_escaped_where_the_database_takes_them_as_escapes():
    assert r"'a\\'" in text("a\\", mysql.dialect())
    assert r"'a\'" in text("a\\", sqlite.dialect())


def test_odd_identifiers_are_quoted():
    source = TableSource(
        id="x",
        engine=create_engine("sqlite://"),
        table="my table",
        time="order",
        station='na"me',
        sensors={"t": "Temp °C"},
        tie_break="id",
    )
    sql = statements.as_text(statements.readings(source, "s", ["t"], 0, 1), sqlite.dialect())
    assert 'SELECT "order", "Temp °C"' in sql
    assert '"my table"' in sql
    assert '"na""me" = ' in sql
    assert 'ORDER BY "order", id' in sql


@pytest.mark.parametrize("name", ["", "a\0b", "a\nb", "x" * 129])
def test_what_cannot_be_an_identifier_is_refused(name):
    with pytest.raises(SourceMismatch):
        TableSource(id="x", engine=SOURCE.engine, table=name, time="t", station="s", sensors={})


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:////data/a b%20#?.db", "sqlite://file%3A/data/a%2520b%252520%2523%253F.db%3Fmode%3Dro"),
        ("sqlite://", None),
        ("sqlite:///:memory:", None),
        ("postgresql+psycopg://me:p%40ss@db:5433/scada", "postgresql://me:p%40ss@db:5433/scada"),
        ("mariadb+pymysql://me:secret@db/scada", "mysql://me:secret@db/scada"),
        ("postgresql+psycopg://me@db/scada?sslmode=require", "postgresql://me@db/scada?sslmode=require"),
        ("postgresql+psycopg://me@db/scada?sslmode=verify-full", None),  # connectorx would not verify
        ("postgresql+psycopg://me@db/scada?sslmode=require&sslrootcert=/x", None),
        ("postgresql+psycopg://me@[::1]:5433/scada", "postgresql://me@[::1]:5433/scada"),
        ("postgresql+psycopg:///scada", None),  # a socket
        (
            "mysql+pymysql://me:%25%3A%2F%3F%23%5B%5D%40+%20%C3%A9@db/a%2Fb",
            "mysql://me:%25%3A%2F%3F%23%5B%5D%40%2B%20%C3%A9@db/a%2Fb",
        ),
        ("mysql+pymysql://me@db/scada?charset=utf8mb4", "mysql://me@db/scada"),
        ("mysql+pymysql://me@db/scada?ssl_ca=/x", None),
        ("oracle://me@db/scada", None),
    ],
)
def test_connectorx_gets_a_url_of_its_own_kind_or_none(url, expected):
    parsed = make_url(url) if "?" not in url or "sqlite" not in url else make_url("sqlite://").set(database="/data/a b%20#?.db")
    assert connectorx_url(parsed) == expected


def test_the_sessions_of_connectorx_bear_a_name_and_bound_their_statements():
    session = partial(with_session, name="riwayat-abc-1", statement_timeout_s=2.5)
    assert session("postgresql://me@db/scada", checks_client=True) == (
        "postgresql://me@db/scada?application_name=riwayat-abc-1&connect_timeout=5"
        "&options=-c%20work_mem%3D32MB%20-c%20random_page_cost%3D1.1%20-c%20riwayat.direct%3D1%20-c%20statement_timeout%3D2500%20-c%20client_connection_check_interval%3D2000"
    )
    old_server = session("postgresql://me@db/scada?sslmode=require", checks_client=False)
    assert old_server.endswith(
        "?sslmode=require&application_name=riwayat-abc-1&connect_timeout=5&options=-c%20work_mem%3D32MB%20-c%20random_page_cost%3D1.1%20-c%20riwayat.direct%3D1%20-c%20statement_timeout%3D2500"
    )
    assert session("mysql://me@db/scada", checks_client=False) == "mysql://me@db/scada"


def test_a_query_on_mariadb_or_mysql_bears_its_name_and_its_time_limit_in_its_text():
    text = partial(as_text, readings(SOURCE, "a", ["temperature"], 0, 1), name="riwayat-abc-1", timeout_s=2.5)
    servers = {True: mysql.dialect(), False: mysql.dialect()}
    for is_mariadb, dialect in servers.items():
        dialect.is_mariadb = is_mariadb
    assert text(servers[True]).startswith("SET STATEMENT max_statement_time = 2.500 FOR SELECT /* riwayat-abc-1 */ ")
    assert text(servers[False]).startswith("SELECT /*+ MAX_EXECUTION_TIME(2500) */ /* riwayat-abc-1 */ ")
    assert "riwayat-abc" not in text(postgresql.dialect())
