from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import MetaData, insert, inspect, select

from data.catalogue import load_catalogue
from data.database.engine import explained, lacks_tables, make_engine, migrate_observations, sqlite_path
from data.database.tables import metadata, observation_table
from data.ingest.sent_totals import running_total
from errors import ConfigurationError, SourceMismatch, SourceUnavailable

EXTRA_SENSOR = """
[soil_temperature]
label = "Soil temperature"
unit = "°C"
unit_code = "degC"
valid = [-30, 60]
aggregation = "mean"
drawing = "line"
color = "#123456"
"""


@pytest.fixture
def engine(database_url):
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


def test_migrated_tables_are_the_declared_ones(engine):
    catalogue = load_catalogue()
    migrate_observations(engine, catalogue)
    declared = {table.name: table for table in [*metadata.sorted_tables, running_total, observation_table(catalogue)]}
    found = MetaData()
    found.reflect(engine)
    for name, table in declared.items():
        assert set(found.tables[name].columns.keys()) == set(table.columns.keys()), name
        assert inspect(engine).get_pk_constraint(name)["constrained_columns"] == [column.name for column in table.primary_key]
        nullable = {column["name"]: column["nullable"] for column in inspect(engine).get_columns(name)}
        assert nullable == {column.name: column.nullable for column in table.columns}, name


def test_migrating_again_changes_nothing_and_a_new_sensor_gets_its_column(engine, tmp_path):
    migrate_observations(engine, load_catalogue())
    table = observation_table(load_catalogue())
    with engine.begin() as connection:
        connection.execute(insert(table).values(station="a", time=1, temperature=2.5))
    path = tmp_path / "sensors.toml"
    path.write_text(EXTRA_SENSOR)
    catalogue = load_catalogue(path)
    for _ in range(2):
        migrate_observations(engine, catalogue)
    names = {column["name"] for column in inspect(engine).get_columns("observation")}
    assert {"soil_temperature", "temperature"} <= names
    with engine.connect() as connection:
        assert connection.execute(select(table.c.temperature)).scalar_one() == 2.5


def test_two_migrations_at_once_both_succeed(database_url):
    def migrate(_: int) -> None:
        engine = make_engine(database_url)
        migrate_observations(engine, load_catalogue())
        engine.dispose()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(migrate, range(3)))


def test_the_switch_to_wal_waits_for_whoever_has_the_file_locked(tmp_path, monkeypatch):
    path = tmp_path / "x.sqlite"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr("data.database.engine.time.sleep", lambda _: holder.rollback())
    migrate_observations(make_engine(f"sqlite:///{path}", busy_ms=0), load_catalogue())
    holder.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_sqlite_is_switched_to_wal_by_migrate_only(tmp_path):
    url = f"sqlite:///{tmp_path / 'new' / 'x.sqlite'}"
    migrate_observations(make_engine(url), load_catalogue())
    with sqlite3.connect(sqlite_path(url)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    plain = tmp_path / "plain.sqlite"
    with make_engine(f"sqlite:///{plain}").connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "delete"


def test_sqlite_transactions_roll_back_ddl(tmp_path):
    engine = make_engine(f"sqlite:///{tmp_path / 'x.sqlite'}")
    with pytest.raises(RuntimeError), engine.begin() as connection:  # noqa: PT012
        connection.exec_driver_sql("CREATE TABLE t (a)")
        raise RuntimeError
    assert inspect(engine).get_table_names() == []


@pytest.mark.parametrize("url", ["nonsense", "foodb://host/x", "postgresql+no_such_driver://host/x"])
def test_a_wrong_url_is_a_configuration_error(url):
    with pytest.raises(ConfigurationError, match="database URL|not installed"):
        make_engine(url)


def test_a_password_never_appears_in_an_error():
    engine = make_engine("sqlite:////no/such/folder/at/all.sqlite")
    with pytest.raises(SourceUnavailable) as caught, explained(engine), engine.connect():
        pass
    assert "manage.py migrate" in caught.value.message
    hidden = make_engine("mysql+pymysql://user:secret@127.0.0.1:1/x") if _has_pymysql() else None
    if hidden is not None:
        with pytest.raises(SourceUnavailable) as refused, explained(hidden), hidden.connect():
            pass
        assert "secret" not in refused.value.message


def test_a_password_that_breaks_its_url_does_not_appear_either():
    with pytest.raises(ConfigurationError, match="%40") as caught:
        make_engine("postgresql://user:p@ss:word@host/db")
    assert caught.value.__suppress_context__  # a traceback would show it
    assert "word@host" not in caught.value.message


def _has_pymysql() -> bool:
    try:
        import pymysql  # noqa: F401
    except ImportError:
        return False
    return True


def test_a_missing_table_says_migrate(engine):
    with pytest.raises(SourceMismatch, match="manage.py migrate"), explained(engine), engine.connect() as connection:
        connection.exec_driver_sql("SELECT * FROM observation")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:////a/b.sqlite", "/a/b.sqlite"),
        ("sqlite:///c.sqlite", "c.sqlite"),
        ("sqlite://", None),
        ("postgresql://h/d", None),
    ],
)
def test_sqlite_path(url, path):
    assert (str(sqlite_path(url)) if sqlite_path(url) else None) == path


def test_a_file_that_is_no_database_is_said_to_be_damaged(tmp_path):
    path = tmp_path / "observations.sqlite"
    path.write_text("no database, but long enough to be taken for one " * 50)
    with pytest.raises(SourceMismatch, match="damaged or not a database"):
        migrate_observations(make_engine(f"sqlite:///{path}"), load_catalogue())


def test_a_user_or_database_that_the_server_lacks_is_not_taken_for_an_old_schema():
    for why in ('FATAL:  role "riwayat" does not exist', 'FATAL:  database "riwayat" does not exist'):
        assert not lacks_tables(Exception(why))
    for why in ('relation "job" does not exist', "no such column: x", 'column "x" of relation "job" does not exist'):
        assert lacks_tables(Exception(why))
