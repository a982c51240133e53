"""The recipes of docs/sources.md are what runs here: each block is taken from the page."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from data.database.engine import make_engine
from data.site import Site
from data.source.mapped.check import check_mapping
from data.source.mapped.mapping_report import MappingReport
from data.source.mapped.source import MappedSource
from tests.databases import MARIADB, POSTGRESQL, administrator, server_database
from tests.foreign import Foreign, load, rows_of, utc_ms, wall
from tests.processes import MANAGE, ROOT, run_program

BLOCK = re.compile(r"^```(?:sql|toml) recipe=(\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
RECIPES = dict(BLOCK.findall((ROOT / "docs" / "sources.md").read_text(encoding="utf-8")))
HOUR = 3_600_000
START = utc_ms(2019, 3, 1)
SENSORS = ["temperature", "humidity", "pressure", "rainfall", "wind_speed", "wind_direction", "solar_radiation", "par_sensor"]
SERVERS = {"mariadb": MARIADB, "postgresql": POSTGRESQL}
_numbers = itertools.count()


@contextmanager
def database(kind: str, folder: Path) -> Iterator[Foreign]:
    with server_database(SERVERS[kind]) as url:
        engine = make_engine(url)
        yield Foreign(engine, folder, kind)
        engine.dispose()


@contextmanager
def reader(foreign: Foreign, recipe: str, table: str) -> Iterator[str]:
    """URL of a user made by the page's statements, who may read one table."""
    name = f"riwayat_test_reader_{os.getpid()}_{next(_numbers)}"
    script = RECIPES[recipe].replace("riwayat_reader", name).replace("scada.", f"{foreign.engine.url.database}.")
    script = re.sub(r"scada_data_wides|observations", table, script)
    foreign.run(*(statement for statement in script.split(";") if statement.strip()))
    host = "127.0.0.1"
    try:
        yield foreign.engine.url.set(username=name, password="secret", host=host).render_as_string(hide_password=False)
    finally:
        with administrator(SERVERS[foreign.kind]) as connection:
            if foreign.kind == "postgresql":
                foreign.run(f"DROP OWNED BY {name}")
            connection.exec_driver_sql(f"DROP {'ROLE' if foreign.kind == 'postgresql' else 'USER'} {name}")


def run_sql(foreign: Foreign, recipe: str) -> None:
    foreign.run(*(statement for statement in RECIPES[recipe].split(";") if statement.strip()))


def make_scada(foreign: Foreign, rows: int = 1000) -> None:
    columns = ", ".join(f"{sensor} DECIMAL(10,2) NULL" for sensor in SENSORS)
    foreign.make(
        "scada_data_wides",
        f"batch_id VARCHAR(36), nama_group VARCHAR(255), timestamp_device DATETIME, {columns},"
        " created_at TIMESTAMP NULL, updated_at TIMESTAMP NULL, INDEX by_time (timestamp_device)",
    )
    foreign.add(
        "scada_data_wides",
        (
            {"nama_group": "aws1", "timestamp_device": wall(START + n * HOUR), "updated_at": wall(START + n * HOUR)}
            | dict.fromkeys(SENSORS, f"{n % 50}.25")
            for n in range(rows)
        ),
    )


def test_the_older_dashboards_table_is_read_by_its_recipe_and_reader(tmp_path, monkeypatch):
    with database("mariadb", tmp_path) as foreign:
        make_scada(foreign)
        run_sql(foreign, "scada-index")
        with reader(foreign, "mariadb-reader", "scada_data_wides") as url:
            monkeypatch.setenv("SITE_DATABASE_URL", url)
            with foreign.site(RECIPES["scada-wide"]) as site:
                assert load(site, "aws1", SENSORS)["rows"] == 8000
                assert rows_of(site, "aws1", "rainfall")[1][:3].tolist() == [0.25, 1.25, 2.25]
                assert rows_of(site, "aws1", "humidity")[0][0] == START
                foreign.run("UPDATE scada_data_wides SET humidity = 99, updated_at = NOW() WHERE id = 1")
                assert load(site, "aws1", SENSORS)["tiles_read"] == 8
                assert rows_of(site, "aws1", "humidity")[1][0] == 99


@pytest.mark.parametrize("kind", SERVERS)
def test_a_tall_table_is_read_by_its_recipe(tmp_path, monkeypatch, kind):
    with database(kind, tmp_path) as foreign:
        foreign.make("scada_data", "nama_group VARCHAR(99), nama_tag VARCHAR(99), nilai_tag TEXT, timestamp_device WALL")
        rows = ((n, tag, value) for n in range(100) for tag, value in (("temperature", "25.5"), ("ws_kmh", "36"), ("x", "?")))
        foreign.add(
            "scada_data",
            (
                {"nama_group": "aws1", "nama_tag": tag, "nilai_tag": value, "timestamp_device": wall(START + n * HOUR)}
                for n, tag, value in rows
            ),
        )
        run_sql(foreign, "tall-index")
        monkeypatch.setenv("SITE_DATABASE_URL", foreign.url)
        with foreign.site(RECIPES["scada-tall"]) as site:
            load(site, "aws1", ["temperature", "wind_speed"])
            assert set(rows_of(site, "aws1", "temperature")[1].tolist()) == {25.5}
            assert set(rows_of(site, "aws1", "wind_speed")[1].tolist()) == {10.0}


def test_postgresql_is_read_by_its_recipe_and_reader(tmp_path, monkeypatch):
    with database("postgresql", tmp_path) as foreign:
        foreign.make(
            "observations",
            "station TEXT, observed_at TIMESTAMPTZ, temp_f REAL, rain_mm NUMERIC, qc INT,"
            " deleted_at TIMESTAMP, updated_at TIMESTAMP",
        )
        foreign.run(
            "INSERT INTO observations (station, observed_at, temp_f, rain_mm, qc, deleted_at) VALUES"
            " ('a', '2019-03-01 07:00+07', 50, 'NaN', 0, NULL), ('a', '2019-03-01 01:00+00', 68, 0.5, 3, NULL),"
            " ('a', '2019-03-01 02:00+00', 68, 0.5, 0, '2019-04-01')"
        )
        run_sql(foreign, "postgresql-index")
        with reader(foreign, "postgresql-reader", "observations") as url:
            monkeypatch.setenv("SITE_DATABASE_URL", url)
            with foreign.site(RECIPES["postgresql"]) as site:
                load(site, "a", ["temperature", "rainfall"])
                times, values, flags = rows_of(site, "a", "temperature")
                assert times.tolist() == [START, START + HOUR]
                assert values.tolist() == [10.0, 20.0]
                assert flags.astype(bool).tolist() == [False, True]
                assert rows_of(site, "a", "rainfall")[1].tolist() == [0.5]


def test_a_hypertable_is_read_by_its_recipe(tmp_path, monkeypatch):
    """Without the extension: a table partitioned by time, with the key that TimescaleDB demands."""
    with database("postgresql", tmp_path) as foreign:
        foreign.run(
            "CREATE TABLE conditions (id BIGSERIAL, time TIMESTAMPTZ NOT NULL, device TEXT, temperature DOUBLE PRECISION,"
            " PRIMARY KEY (id, time)) PARTITION BY RANGE (time)",
            "CREATE TABLE c1 PARTITION OF conditions FOR VALUES FROM ('2019-01-01') TO ('2019-03-15')",
            "CREATE TABLE c2 PARTITION OF conditions FOR VALUES FROM ('2019-03-15') TO ('2020-01-01')",
            "INSERT INTO conditions (time, device, temperature) SELECT t, 'd', 20 FROM"
            " generate_series('2019-03-01 00:00+00'::timestamptz, '2019-03-31 00:00+00', '1 hour') t",
        )
        monkeypatch.setenv("SITE_DATABASE_URL", foreign.url)
        with foreign.site(RECIPES["timescaledb"]) as site:
            load(site, "d", ["temperature"])
            assert len(rows_of(site, "d", "temperature")[0]) == 721
            foreign.run("INSERT INTO conditions (time, device, temperature) VALUES ('2019-03-02 00:30+00', 'd', 21)")
            load(site, "d", ["temperature"])
            assert len(rows_of(site, "d", "temperature")[0]) == 722


def manage(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RIWAYAT_")}
    return run_program([MANAGE, *arguments], cwd=cwd, env=clean | environment)


def test_inspect_writes_a_mapping_that_check_accepts_and_history_reads(tmp_path):
    with database("mariadb", tmp_path) as foreign:
        make_scada(foreign, 100)
        written = manage("source", "inspect", foreign.url, "--out", "site.toml", cwd=tmp_path)
        assert written.returncode == 0, written.stderr
        environment = {
            "RIWAYAT_SOURCE": "site.toml",
            "RIWAYAT_DATA_DIR": str(tmp_path / "var"),
            "SITE_DATABASE_URL": foreign.url,
        }
        checked = manage("source", "check", "--json", cwd=tmp_path, **environment)
        assert checked.returncode == 0, checked.stderr
        trial = json.loads(checked.stdout)
        assert [sensor["sensor"] for sensor in trial["sensors"]] == SENSORS
        assert [each["lacks"] for each in trial["derived"]] == [[], [], []]
        assert (trial["month_rows"], trial["step_seconds"], trial["fast_path"]) == (100, 3600.0, True)
        assert any("CREATE INDEX" in warning for warning in trial["warnings"])
        assert str(make_url(foreign.url).password or "-") not in checked.stdout.replace("-", "")
        shown = manage("stations", "--json", cwd=tmp_path, **environment)
        assert [station["station"] for station in json.loads(shown.stdout)] == ["aws1"]
        words = ("--station", "aws1", "--sensor", "humidity", "--from", "2019-03-01", "--to", "2019-04-01", "--json")
        history = manage("history", *words, cwd=tmp_path, **environment)
        assert history.returncode == 0, history.stderr
        assert json.loads(history.stdout)["series"][0]["rows"] == 100


def test_every_recipe_is_run_here_or_with_those_of_other_programs():
    tests = (Path(__file__), Path(__file__).with_name("test_recipes.py"))
    used = {name for file in tests for name in re.findall(r'"([a-z]+(?:-[a-z]+)*)"', file.read_text(encoding="utf-8"))}
    assert set(RECIPES) <= used


@pytest.mark.parametrize("kind", SERVERS)
def test_inspect_finds_its_way_through_a_database_of_odd_names(tmp_path, monkeypatch, kind):
    """Tables beside it, a view of nothing, names with spaces, quotes and reserved words,
    an integer station, epoch ms.
    """
    with database(kind, tmp_path) as foreign:
        quote = '"' if kind == "postgresql" else "`"

        def q(name: str) -> str:
            return quote + name.replace(quote, quote * 2) + quote

        table = """log "2019" of `sensors`"""
        unsigned = "INT" if kind == "postgresql" else "INT UNSIGNED"
        foreign.run(
            "CREATE TABLE stations (id INT, name VARCHAR(40), latitude NUMERIC(8,5))",
            "CREATE TABLE gone (at TIMESTAMP NULL, temperature INT)",
            *(["CREATE VIEW broken AS SELECT * FROM gone", "DROP TABLE gone"] if kind == "mariadb" else []),
            f"CREATE TABLE {q(table)} ({q('order')} INT PRIMARY KEY, {q('station id')} INT, {q('time (ms)')} BIGINT,"
            f" {q('Temp, °C')} NUMERIC(10,2), {q('select')} INT, {q('rh')} {unsigned})",
            *(
                # n is a number
                f"INSERT INTO {q(table)} VALUES ({n}, {n % 2}, {START + n * HOUR}, {n}.25, 0, {n})"
                for n in range(20)
            ),
        )
        written = manage("source", "inspect", foreign.url, "--out", "site.toml", cwd=tmp_path)
        assert written.returncode == 0, written.stderr
        mapping = tomllib.loads((tmp_path / "site.toml").read_text(encoding="utf-8"))
        assert (mapping["table"], mapping["time"], mapping["time_unit"], mapping["station"]) == (
            table,
            "time (ms)",
            "ms",
            "station id",
        )
        assert mapping["sensors"] == {"temperature": "Temp, °C", "humidity": "rh"}
        monkeypatch.setenv("SITE_DATABASE_URL", foreign.url)
        with foreign.site((tmp_path / "site.toml").read_text(encoding="utf-8")) as site:
            trial = tried(site)
            assert [station[0] for station in trial.stations] == ["0", "1"]
            assert [sensor.values for sensor in trial.sensors] == [10, 10]
            (statement,) = (warning[warning.index("CREATE INDEX") :] for warning in trial.warnings if "CREATE INDEX" in warning)
            foreign.run(statement)
            assert not [warning for warning in tried(site).warnings if "CREATE INDEX" in warning]


def tried(site: Site) -> MappingReport:
    assert isinstance(site.source, MappedSource)
    return check_mapping(site.source, site.catalogue)


def test_inspect_reads_the_format_of_times_in_text(tmp_path):
    with database("postgresql", tmp_path) as foreign:
        foreign.run(
            "CREATE SCHEMA field",
            "CREATE TABLE field.aws (waktu VARCHAR(20), stasiun TEXT, suhu REAL, updated_at TIMESTAMP)",
            "INSERT INTO field.aws VALUES ('25/03/2019 13:10', 'a', 21, now()), ('01/04/2019 00:00', 'a', 22, now())",
        )
        written = manage("source", "inspect", foreign.url, cwd=tmp_path)
        foreign.run("DROP SCHEMA field CASCADE")
        assert written.returncode == 0, written.stderr
        mapping = tomllib.loads(written.stdout)
        assert (mapping["schema"], mapping["time"], mapping["time_format"]) == ("field", "waktu", "%d/%m/%Y %H:%M")
        assert (mapping["station"], mapping["sensors"]) == ("stasiun", {"temperature": "suhu"})
        assert "updated_at" in written.stdout
