"""The SQL text that the fast path gets, and the URL that it connects to."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.pool import StaticPool

from data.catalogue import load_catalogue
from data.database.tables import observation_table
from data.source import TableSource, own_source
from data.source.connection.fast import connectorx_url, with_session
from data.source.connection.sqltext import as_text
from data.source.mapped import sql
from data.source.mapped.mapping_loading import parse_mapping
from data.source.mapped.wall_times import Segment
from errors import ConfigurationError

CATALOGUE = load_catalogue()
SEGMENT = Segment(10, 20, 0)


def statement(station: str, *sensors: str) -> Any:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    observation_table(CATALOGUE).create(engine)
    source = own_source(engine, CATALOGUE)
    chosen = [sensor for name in sensors for sensor in source.mapping.sensors if sensor.name == name]
    with source.open() as reader:
        return sql.readings(reader.reflected, [station], chosen, SEGMENT)


def text(station: str, dialect: Any = None) -> str:
    return as_text(statement(station, "rainfall", "temperature"), dialect or sqlite.dialect())


def test_only_the_sensors_asked_for_are_read_in_their_order_by_time():
    assert " ".join(text("aws-1").split()) == (
        "SELECT observation.time AS t, observation.rainfall AS c0, observation.temperature AS c1 FROM observation WHERE "
        "observation.time >= 10 AND observation.time < 20 AND observation.station = 'aws-1' AND 1 = 1 "
        "ORDER BY observation.time"
    )


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect(), mysql.dialect()], ids=lambda each: each.name)
def test_a_station_name_stays_inside_its_literal(dialect):
    compiled = text("x' OR 1=1 -- 100%", dialect)
    assert "'x'' OR 1=1 -- 100%'" in compiled  # quotes doubled, the percent sign not


def test_backslashes_are_escaped_where_the_database_takes_them_as_escapes():
    assert r"'a\\'" in text("a\\", mysql.dialect())
    assert r"'a\'" in text("a\\", sqlite.dialect())


ODD = """
url = "sqlite://"
table = "my table"
time = "order"
time_unit = "ms"
station = 'na"me'
order = "id"
[sensors]
temperature = "Temp °C"
"""


def test_odd_identifiers_are_quoted():
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.begin() as connection:
        columns = 'id INTEGER PRIMARY KEY, "order" BIGINT, "na""me" VARCHAR(9), "Temp °C" DOUBLE'
        connection.exec_driver_sql(f'CREATE TABLE "my table" ({columns})')
    source = TableSource(parse_mapping(Path("odd.toml"), ODD, CATALOGUE), engine)
    with source.open() as reader:
        written = as_text(sql.readings(reader.reflected, ["s"], source.mapping.sensors, SEGMENT), sqlite.dialect())
    assert 'SELECT "my table"."order" AS t, "my table"."Temp °C" AS c0' in written
    assert '"my table"."na""me" = ' in written
    assert 'ORDER BY "my table"."order", "my table".id' in written


@pytest.mark.parametrize("name", ["", "a\\u0000b", "a\\nb", "x" * 129])
@pytest.mark.parametrize("key", ["my table", "order", "id", "Temp °C"])
def test_what_cannot_be_an_identifier_is_refused(key, name):
    with pytest.raises(ConfigurationError):
        parse_mapping(Path("odd.toml"), ODD.replace(f'"{key}"', f'"{name}"'), CATALOGUE)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:////data/a b%20#?.db", "sqlite://file%3A/data/a%2520b%252520%2523%253F.db%3Fmode%3Dro"),
        ("sqlite://", None),
        ("sqlite:///:memory:", None),
        ("postgresql+psycopg://me:p%40ss@db:5433/scada", "postgresql://me:p%40ss@db:5433/scada"),
        ("mariadb+pymysql://me:secret@db/scada", "mysql://me:secret@db/scada"),
        ("postgresql+psycopg://me@db/scada?sslmode=require", "postgresql://me@db/scada?sslmode=require"),
        # connectorx would not verify
        ("postgresql+psycopg://me@db/scada?sslmode=verify-full", None),
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
        "&options=-c%20work_mem%3D32MB%20-c%20random_page_cost%3D1.1%20-c%20default_transaction_read_only%3Don"
        "%20-c%20riwayat.direct%3D1%20-c%20statement_timeout%3D2500%20-c%20client_connection_check_interval%3D2000"
    )
    old_server = session("postgresql://me@db/scada?sslmode=require", checks_client=False)
    assert old_server.endswith(
        "?sslmode=require&application_name=riwayat-abc-1&connect_timeout=5"
        "&options=-c%20work_mem%3D32MB%20-c%20random_page_cost%3D1.1%20-c%20default_transaction_read_only%3Don"
        "%20-c%20riwayat.direct%3D1%20-c%20statement_timeout%3D2500"
    )
    assert session("mysql://me@db/scada", checks_client=False) == "mysql://me@db/scada"


def test_a_query_on_mariadb_or_mysql_bears_its_name_and_its_time_limit_in_its_text():
    text = partial(as_text, statement("a", "temperature"), name="riwayat-abc-1", timeout_s=2.5)
    servers = {True: mysql.dialect(), False: mysql.dialect()}
    for is_mariadb, dialect in servers.items():
        dialect.is_mariadb = is_mariadb
    assert text(servers[True]).startswith("SET STATEMENT max_statement_time = 2.500 FOR SELECT /* riwayat-abc-1 */ ")
    assert text(servers[False]).startswith("SELECT /*+ MAX_EXECUTION_TIME(2500) */ /* riwayat-abc-1 */ ")
    assert "riwayat-abc" not in text(postgresql.dialect())
