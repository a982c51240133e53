"""Parquet folders and DuckDB files as a source: the tiles of the same table in SQLite,
and only the files of a station.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import event

from config import Settings
from data.load_plan import plan
from data.request import request_of
from data.site import Site, open_site
from data.source.mapped.source import MappedSource
from data.tiles.tile_store import SeriesKey
from data.time.months import month_of
from errors import SourceUnavailable
from jobs.kinds.history import load_history
from tests.databases import migrate_as_new
from tests.foreign import utc_ms
from tests.processes import run_manage

SENSORS = ("temperature", "rainfall")
WIDE = """
layout = "wide"
time = "at"
timezone = "Asia/Jakarta"
station = "station"
[sensors]
temperature = "temp"
rainfall = { column = "rain", quality = "qc", good = [0] }
"""
TALL = """
layout = "tall"
time = "at"
timezone = "Asia/Jakarta"
station = "station"
[sensors]
temperature = "temp"
rainfall = "rain"
[tall]
tag = "tag"
value = "value"
"""


def rows() -> Iterator[tuple[str, str, float | None, float, int]]:
    """Two stations over two months: doubles that no text shortens, NULL, a value out of range,
    a bad quality code.
    """
    random = np.random.default_rng(5)
    for station in ("001", "Kebun Raya"):
        for number in range(2_000):
            day, minute = divmod(number * 30, 1440)
            at = f"2020-{1 + day // 28:02}-{1 + day % 28:02} {minute // 60:02}:{minute % 60:02}:00"
            temperature = None if number % 97 == 0 else 999.0 if number % 501 == 0 else float(random.normal(27, 3))
            yield station, at, temperature, float(random.gamma(0.1, 2.0)), int(number % 50 == 0)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same rows as SQLite, DuckDB and Parquet, wide and tall."""
    folder = tmp_path_factory.mktemp("lake")
    with sqlite3.connect(folder / "wide.sqlite") as file:
        file.execute("CREATE TABLE obs (station TEXT, at DATETIME, temp REAL, rain REAL, qc INTEGER)")
        file.executemany("INSERT INTO obs VALUES (?, ?, ?, ?, ?)", rows())
        file.execute("CREATE TABLE tall (station TEXT, at DATETIME, tag TEXT, value REAL)")
        for name in ("temp", "rain"):
            file.execute(f"INSERT INTO tall SELECT station, at, '{name}', {name} FROM obs")
    file.close()
    with duckdb.connect(str(folder / "lake.duckdb")) as made:
        made.execute('CREATE TABLE obs (station VARCHAR, "at" TIMESTAMP, temp DOUBLE, rain DOUBLE, qc INTEGER)')
        columns = dict(zip(("station", "at", "temp", "rain", "qc"), map(pa.array, zip(*rows(), strict=True)), strict=True))
        made.register("given", pa.table(columns))
        made.execute("INSERT INTO obs SELECT * FROM given")
        each = "unnest(['temp', 'rain']) AS tag, unnest([temp, rain]) AS value"
        made.execute(f'CREATE TABLE tall AS SELECT station, "at", {each} FROM obs')
        for name in ("obs", "tall"):
            query = f'SELECT *, month("at") AS month FROM {name} ORDER BY "at"'
            made.execute(f"COPY ({query}) TO '{folder / name}' (FORMAT parquet, PARTITION_BY (station, month))")
    return folder


WHERE = {
    "sqlite": 'url = "sqlite:///{lake}/wide.sqlite"\ntable = "{table}"',
    "duckdb": 'url = "duckdb:///{lake}/lake.duckdb"\ntable = "{table}"',
    "parquet": 'parquet = "{lake}/{table}/**/*.parquet"',
    "query": 'url = "duckdb:///:memory:"\nquery = "SELECT * FROM read_parquet(\'{lake}/{table}/**/*.parquet\','
    ' hive_types_autocast = false)"',
}


def site_of(folder: Path, lake: Path, kind: str, layout: str) -> Site:
    folder.mkdir(parents=True)
    file = folder / "mapping.toml"
    table = "tall" if "[tall]" in layout else "obs"
    file.write_text(WHERE[kind].format(lake=lake, table=table) + layout)
    settings = Settings(data_dir=folder / "var", source=file)
    migrate_as_new(settings)
    return open_site(settings)


def loaded(site: Site, *stations: str) -> list[Any]:
    request = request_of(list(stations), list(SENSORS), "2020-01-01", "2020-04-01", "raw", "Asia/Jakarta")
    load_history(site, request, lambda _: None)
    assert plan(site, request).is_complete
    keys = [SeriesKey(site.source_id, station, sensor) for station in stations for sensor in SENSORS]
    return [column for key in keys for column in site.tiles.open_series(key, request.start_ms, request.end_ms).read()]


@pytest.mark.parametrize("layout", [pytest.param(WIDE, id="wide"), pytest.param(TALL, id="tall")])
def test_a_lake_gives_bit_for_bit_the_tiles_of_the_same_table(tmp_path, lake, layout):
    stations = ("001", "Kebun Raya")
    wanted = loaded(site_of(tmp_path / "a", lake, "sqlite", layout), *stations)
    assert len(wanted[0]) > 1900
    for kind in ("duckdb", "parquet", "query"):
        found = loaded(site_of(tmp_path / kind, lake, kind, layout), *stations)
        for one, other in zip(wanted, found, strict=True):
            assert one.dtype == other.dtype, kind
            assert one.tobytes() == other.tobytes(), kind


def test_times_with_a_zone_count_as_they_are(tmp_path, lake):
    """As pandas writes them."""
    wanted = loaded(site_of(tmp_path / "a", lake, "sqlite", WIDE), "001")
    chosen = [row for row in rows() if row[0] == "001"]
    jakarta = ZoneInfo("Asia/Jakarta")
    times = [datetime.fromisoformat(row[1]).replace(tzinfo=jakarta) for row in chosen]
    columns = {"at": pa.array(times, pa.timestamp("us", "UTC"))}
    columns |= {name: pa.array([row[at] for row in chosen]) for name, at in (("temp", 2), ("rain", 3), ("qc", 4))}
    folder = tmp_path / "obs" / "station=001"
    folder.mkdir(parents=True)
    pq.write_table(pa.table(columns), folder / "part.parquet")
    site = site_of(tmp_path / "b", tmp_path, "parquet", WIDE)
    found = loaded(site, "001")
    for one, other in zip(wanted, found, strict=True):
        assert one.tobytes() == other.tobytes()
    with site.source.open(fast=False) as reader:
        readings = reader.read("001", SENSORS, [(0, 2_000_000_000_000)])
    assert len(readings.times_of("temperature")) == 2_000


@pytest.mark.parametrize("kind", ["duckdb", "parquet"])
def test_both_paths_read_the_same(tmp_path, lake, kind):
    site = site_of(tmp_path / "a", lake, kind, WIDE)
    window = [(1_577_836_800_000, 1_580_515_200_000)]
    found = []
    for fast in (True, False):
        with site.source.open(fast=fast) as reader:
            readings = reader.read("001", SENSORS, window)
            assert (reader.fast_reads > 0) is fast
        found.append([readings.times_of("temperature"), readings.values["temperature"], readings.values["rainfall"]])
    for one, other in zip(*found, strict=True):
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("layout", [pytest.param(WIDE, id="wide"), pytest.param(TALL, id="tall")])
@pytest.mark.parametrize("kind", ["duckdb", "parquet"])
def test_singles_are_read_as_they_were_written(tmp_path, kind, layout):
    with duckdb.connect(str(tmp_path / "lake.duckdb")) as made:
        values = "unnest([22.1, -99.9, 0.1])::FLOAT"
        made.execute(f"CREATE TABLE obs AS SELECT '001' AS station, TIMESTAMP '2020-01-01' AS \"at\", {values} AS temp, 0 AS qc")
        made.execute('UPDATE obs SET "at" = "at" + INTERVAL 1 HOUR * rowid')
        made.execute("ALTER TABLE obs ADD COLUMN rain FLOAT")
        made.execute("CREATE TABLE tall AS SELECT *, 'temp' AS tag, temp AS value FROM obs")
        for name in ("obs", "tall"):
            made.execute(f"COPY {name} TO '{tmp_path / name}' (FORMAT parquet, PARTITION_BY (station))")
    site = site_of(tmp_path / "a", tmp_path, kind, "\nmissing = [-99.9]" + layout)
    for fast in (True, False):
        with site.source.open(fast=fast) as reader:
            readings = reader.read("001", SENSORS, [(0, 2_000_000_000_000)])
        assert readings.values["temperature"][[0, 2]].tolist() == [22.1, 0.1]
        assert readings.missing["temperature"] == 1


def scanned(site: Site, what: str, start_ms: int, end_ms: int) -> tuple[str | None, int]:
    """Of how many files, and how many groups of rows DuckDB says that it has read.

    Of the one query with which a load reads the station 001 (``what``: "rows"),
    or sees whether a month has changed ("hash").
    """
    queries: list[tuple[str, Any]] = []
    assert isinstance(site.source, MappedSource)
    engine = site.source.engine
    with site.source.open(fast=False) as reader:

        def note(_1: Any, _2: Any, statement: str, parameters: Any, *_: Any) -> None:
            queries.append((statement, parameters))

        event.listen(engine, "before_cursor_execute", note)
        if what == "rows":
            reader.read("001", SENSORS[:1], [(start_ms, end_ms)])
        else:
            reader.fingerprints(["001"], int(month_of(start_ms)))
        event.remove(engine, "before_cursor_execute", note)
        ((statement, parameters),) = queries
        with engine.connect() as connection:
            told = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT json) {statement}", parameters).one()[1]
    files = re.search(r'"Scanning Files": "([0-9/]+)"', told)
    return files and files.group(1), json.loads(told)["query"]["total_row_groups_scanned"]


@pytest.mark.parametrize("what", ["rows", "hash"])
def test_of_a_lake_only_the_stations_files_and_of_them_only_the_months_rows_are_read(tmp_path, lake, what):
    """The folders of months are no columns of the mapping:
    what the files say of their least and greatest time serves.
    """
    assert len(list((lake / "obs").rglob("*.parquet"))) == 4
    site = site_of(tmp_path / "a", lake, "parquet", WIDE.replace("Asia/Jakarta", "UTC"))
    assert scanned(site, what, utc_ms(2020, 1, 1), utc_ms(2020, 2, 1)) == ("2/4", 1)
    assert scanned(site, what, utc_ms(2020, 3, 1), utc_ms(2020, 4, 1))[1] == 0


@pytest.mark.parametrize("at", ["TIMESTAMP", "TIMESTAMPTZ", "BIGINT", "VARCHAR"])
def test_of_a_large_table_only_the_groups_of_rows_that_hold_the_month_are_read(tmp_path, at):
    """A row an hour for 853 days, in ten groups."""
    with duckdb.connect() as made:
        made.execute(f"ATTACH '{tmp_path / 'lake.duckdb'}' AS lake (ROW_GROUP_SIZE 2048); USE lake; SET TimeZone = 'UTC'")
        hour = "TIMESTAMP '2020-01-01' + INTERVAL 1 HOUR * n"
        written = f"epoch_ms({hour})" if at == "BIGINT" else hour
        made.execute(
            f"CREATE TABLE obs AS SELECT '001' AS station, ({written})::{at} AS \"at\", n::DOUBLE AS temp, 0.0 AS rain, 0 AS qc"
            " FROM range(20480) t(n)"
        )
        made.execute(f"COPY obs TO '{tmp_path / 'obs'}' (FORMAT parquet, PARTITION_BY (station), ROW_GROUP_SIZE 2048)")
        made.execute("USE memory; DETACH lake")
    unit = '\ntime_unit = "ms"' if at == "BIGINT" else ""
    for kind in ("duckdb", "parquet"):
        site = site_of(tmp_path / kind, tmp_path, kind, unit + WIDE.replace("Asia/Jakarta", "UTC"))
        for what, of_a_year in (("rows", 5), ("hash", 1)):
            assert scanned(site, what, utc_ms(2020, 2, 1), utc_ms(2020, 3, 1))[1] == 1, (kind, what)
            assert scanned(site, what, utc_ms(2021, 1, 1), utc_ms(2022, 1, 1))[1] == of_a_year, (kind, what)


def test_a_lake_that_grows_is_read_again_where_it_grew(tmp_path, lake):
    site = site_of(tmp_path / "a", tmp_path, "parquet", WIDE + '[freshness]\ncheck = "always"')
    own = tmp_path / "obs"
    with duckdb.connect() as made:
        made.execute(
            f"COPY (FROM read_parquet('{lake}/obs/**/*.parquet', hive_types_autocast = false)) TO '{own}'"
            " (FORMAT parquet, PARTITION_BY (station, month))"
        )
        before = loaded(site, "001")
        made.execute(
            f"COPY (SELECT TIMESTAMP '2020-02-28 23:59:00' AS \"at\", 1.5::DOUBLE AS temp, 0.0::DOUBLE AS rain, 0 AS qc)"
            f" TO '{own}/station=001/month=2/more.parquet' (FORMAT parquet)"
        )
    assert len(loaded(site, "001")[0]) == len(before[0]) + 1


def test_a_lake_that_is_not_there_is_a_sentence(tmp_path):
    site = site_of(tmp_path / "a", tmp_path, "parquet", WIDE)
    with pytest.raises(SourceUnavailable, match="DuckDB does not answer: IO Error: No files found that match"):
        site.source.open().__enter__()


def test_nothing_of_a_file_can_be_written(tmp_path, lake):
    site = site_of(tmp_path / "a", lake, "duckdb", WIDE)
    with site.source.engine.connect() as connection, pytest.raises(Exception, match="read-only"):
        connection.exec_driver_sql("DELETE FROM obs")


@pytest.mark.parametrize("kind", ["duckdb", "parquet"])
def test_source_check_and_inspect_know_a_lake(tmp_path, lake, kind):
    site = site_of(tmp_path / "a", lake, kind, WIDE)
    run = {"cwd": tmp_path, "data_dir": tmp_path / "a" / "var", "source": tmp_path / "a" / "mapping.toml"}
    assert run_manage("migrate", **run).returncode == 0
    checked = run_manage("source", "check", "--json", **run)
    assert checked.returncode == 0, checked.stderr + checked.stdout
    assert {"001", "Kebun Raya"} <= {one[0] for one in json.loads(checked.stdout)["stations"]}
    if kind == "duckdb":
        found = run_manage("source", "inspect", f"duckdb:///{lake}/lake.duckdb", **run)
        assert found.returncode == 0, found.stderr
        assert 'table = "obs"' in found.stdout
    site.engine.dispose()
