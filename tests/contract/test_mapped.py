"""Tables that a site has already, on every database:
whatever their layout and their times, the tiles are the same.
"""

from __future__ import annotations

import os
import re
import socket
import sqlite3
import time
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sqlalchemy import update

from access.grants import Grant, Rights
from access.identity import owner_identity
from access.restricted_site import restricted_site
from access.store import open_access
from config import Settings
from data.catalogue import load_catalogue
from data.cells.units import conversion
from data.database import drivers
from data.database.engine import make_engine, migrate_observations
from data.database.tables import source_look
from data.ingest.outlying_rows import OutlyingRows
from data.ingest.writer import ObservationWriter
from data.load_plan import plan
from data.readings import FLAG_SOURCE
from data.request import request_of
from data.site import Site, open_site
from data.source.connection import fast
from data.source.mapped import sql as mapped_sql
from data.source.mapped.outlying_check import outlying_rows
from data.source.mapped.source import MappedReader
from data.source.mapped.station_bounds import Bounds, bounds
from data.source_sync import sync_inventory
from data.source_sync_tables import last_sync
from data.sync_due import reload, sync_is_due
from data.tiles.tile_store import SeriesKey
from data.time.months import month_bounds_ms, month_of
from errors import SourceMismatch, SourceUnavailable
from jobs.job import Status
from jobs.kinds.history import load_history
from jobs.ledger.ledger import Ledger, migrate_jobs
from jobs.start import start_job
from tests.databases import DATABASES, administrator, server_of
from tests.foreign import ON_SQLITE, Foreign, foreign_at, load, rows_of, utc_ms, wall

MINUTE, HOUR = 60_000, 3_600_000
START = utc_ms(2019, 1, 31, 12)
WIDE = """
table = "wide"
time = "at"
timezone = "Asia/Jakarta"
station = "station"
[sensors]
temperature = "temp"
wind_speed = { column = "ws", unit = "km/h" }
"""
TALL = """
table = "tall"
layout = "tall"
time = "at"
timezone = "Asia/Jakarta"
station = "station"
[sensors]
temperature = "TT"
wind_speed = { tag = "WS", unit = "km/h" }
[tall]
tag = "tag"
value = "value"
"""
IN_MS = conversion("km/h", "m/s")
COLUMNS = "station VARCHAR(40), at WALL, temp DECIMAL(10,2), ws DECIMAL(10,2)"


@pytest.fixture
def foreign(database_url: str, tmp_path: Path) -> Iterator[Foreign]:
    with foreign_at(database_url, tmp_path) as made:
        yield made


def history(rows: int = 1000, seed: int = 1) -> list[tuple[str, int, float | None, float | None]]:
    """(station, ms UTC, temperature, wind in km/h): two stations, over a month's edge,
    with NULL and some that repeat.
    """
    random = np.random.default_rng(seed)
    made: list[tuple[str, int, float | None, float | None]] = []
    for station in ("aws 1", "aws 2"):
        for number in range(rows):
            value = None if random.random() < 0.05 else round(float(random.normal(25, 20)), 2)
            speed = None if random.random() < 0.05 else round(float(random.uniform(0, 90)), 2)
            made.append((station, START + number * 10 * MINUTE, value, speed))
    doubled = [(name, at, 1.25, 36.0) for name, at, _, _ in made[:: max(1, rows // 7)]]
    return [*made, *doubled]


def make_wide(foreign: Foreign, rows: list[Any]) -> None:
    foreign.make("wide", COLUMNS)
    foreign.add("wide", ({"station": s, "at": wall(t), "temp": a, "ws": b} for s, t, a, b in rows))


def make_tall(foreign: Foreign, rows: list[Any]) -> None:
    foreign.make("tall", "station VARCHAR(40), tag VARCHAR(40), value VARCHAR(40), at WALL")
    parts = ((s, t, tag, value) for s, t, a, b in rows for tag, value in (("TT", a), ("WS", b), ("other", 9)))
    foreign.add(
        "tall", ({"station": s, "at": wall(t), "tag": tag, "value": None if v is None else str(v)} for s, t, tag, v in parts)
    )


def expected(rows: list[Any], station: str) -> dict[str, dict[int, float]]:
    """By sensor the values by time, the last finite one of equal times."""
    found: dict[str, dict[int, float]] = {"temperature": {}, "wind_speed": {}}
    for name, at, value, speed in rows:
        if name == station:
            found["temperature"] |= {at: value} if value is not None else {}
            found["wind_speed"] |= {at: float(IN_MS(np.array([speed]))[0])} if speed is not None else {}
    return found


@pytest.mark.parametrize("layout", ["wide", "tall"])
def test_the_same_rows_give_the_same_tiles_whatever_layout_and_database(foreign, layout):
    rows = history()
    (make_wide if layout == "wide" else make_tall)(foreign, rows)
    with foreign.site(WIDE if layout == "wide" else TALL) as site:
        assert [station.name for station in site.inventory.stations()] == ["aws 1", "aws 2"]
        for station in ("aws 1", "aws 2"):
            metrics = load(site, station, ["temperature", "wind_speed"])
            wanted = expected(rows, station)
            for sensor in ("temperature", "wind_speed"):
                times, values, flags = rows_of(site, station, sensor)
                assert times.tolist() == sorted(wanted[sensor])
                assert values.tobytes() == np.array([wanted[sensor][at] for at in sorted(wanted[sensor])]).tobytes()
                assert flags.any() == ((values < -80) | (values > 60)).any() if sensor == "temperature" else not flags.any()
            assert metrics["duplicates"] > 0
            assert metrics["bad_values"] == 0
        assert load(site, "aws 1", ["temperature"])["tiles_read"] == 0


def tile_bytes(site: Site, station: str, sensor: str) -> list[bytes]:
    return [
        array.tobytes() for array in site.tiles.open_series(SeriesKey(site.source_id, station, sensor), -(2**60), 2**60).read()
    ]


def test_wide_tall_and_our_own_table_give_the_same_tiles_bit_for_bit(foreign, tmp_path):
    rows, sensors = history(300), ("temperature", "wind_speed")
    make_wide(foreign, rows)
    make_tall(foreign, rows)
    found = []
    for mapping in (WIDE, TALL):
        with foreign.site(mapping, name=mapping[9:13]) as site:
            load(site, "aws 1", sensors)
            found.append([tile_bytes(site, "aws 1", sensor) for sensor in sensors])
    own = open_site(Settings(data_dir=tmp_path / "own", observations_url=foreign.url))
    migrate_observations(own.engine, own.catalogue)
    values = expected(rows, "aws 1")
    times = np.array(sorted(values["temperature"] | values["wind_speed"]), np.int64)
    columns = np.array([[values[sensor].get(int(at), np.nan) for sensor in sensors] for at in times])
    writer = ObservationWriter(own.engine, own.catalogue, sensors)
    with writer.engine.begin() as connection:
        own.inventory.lock(connection, "aws 1")
        writer.write(connection, "aws 1", times, columns)
        own.inventory.describe(connection, "aws 1", sensors=dict.fromkeys(sensors), step_ms=10 * MINUTE)
    load(own, "aws 1", sensors)
    found.append([tile_bytes(own, "aws 1", sensor) for sensor in sensors])
    own.engine.dispose()
    assert all(len(times) == 8 * len(each) for each, (times, *_) in zip(map(values.get, sensors), found[0], strict=True))
    assert found[0] == found[1] == found[2]


def test_both_paths_give_the_same_readings(foreign):
    make_wide(foreign, history(300))
    make_tall(foreign, history(300))
    for mapping in (WIDE, TALL):
        with foreign.site(mapping, synced=False) as site:
            read = {}
            for fast in (True, False):
                with site.source.open(fast=fast) as reader:
                    read[fast] = reader.read("aws 1", ["temperature", "wind_speed"], [(START - HOUR, START + 40 * HOUR)])
                    # DECIMAL on SQLite has no type that connectorx knows beforehand
                    if fast and foreign.kind != "sqlite":
                        assert (reader.fast_reads, reader.general_reads) == (1, 0)
            for sensor in ("temperature", "wind_speed"):
                assert read[True].times_of(sensor).tobytes() == read[False].times_of(sensor).tobytes()
                assert read[True].values[sensor].tobytes() == read[False].values[sensor].tobytes()
                assert read[True].missing == read[False].missing


@pytest.mark.parametrize("layout", ["wide", "tall"])
def test_stations_that_are_read_together_give_the_same_as_each_alone(foreign, layout):
    rows = [*history(300), *((f"{name} – 3", at, value, speed) for name, at, value, speed in history(5, seed=2))]
    (make_wide if layout == "wide" else make_tall)(foreign, rows)
    stations, sensors = ["aws 2", "aws 1", "nobody", "aws 1 – 3"], ["temperature", "wind_speed"]
    windows = [(START - HOUR, START + 20 * HOUR), (START + 20 * HOUR, START + 40 * HOUR)]
    with foreign.site(WIDE if layout == "wide" else TALL, synced=False) as site:
        for fast in (True, False):
            with site.source.open(fast=fast) as reader:
                assert reader.finds_all_stations
                together = reader.read_together(stations, sensors, windows)
                assert reader.fast_reads + reader.general_reads == len(windows)
                for station in stations:
                    alone = reader.read(station, sensors, windows)
                    for sensor in sensors:
                        assert together[station].times_of(sensor).tobytes() == alone.times_of(sensor).tobytes()
                        assert together[station].values[sensor].tobytes() == alone.values[sensor].tobytes()
                    assert together[station].missing == alone.missing


def test_a_month_of_several_stations_is_one_query_unless_an_index_finds_each(foreign, monkeypatch):
    make_wide(foreign, history(300))
    asked: list[tuple[str, ...]] = []
    real = mapped_sql.readings
    monkeypatch.setattr(
        mapped_sql, "readings", lambda reflected, names, *rest: asked.append(tuple(names)) or real(reflected, names, *rest)
    )
    request = request_of(["aws 1", "aws 2"], ["temperature"], "2019-01-01", "2020-01-01", "raw", "UTC")
    with foreign.site(WIDE) as site:
        load_history(site, request, lambda _: None)
        assert sorted(asked) == [("aws 1", "aws 2")] * 2  # two months
        for station in request.stations:
            wanted = expected(history(300), station)["temperature"]
            assert rows_of(site, station, "temperature")[1].tolist() == [wanted[at] for at in sorted(wanted)]
    foreign.run("CREATE INDEX by_station ON wide (station, at)")
    asked.clear()
    with foreign.site(WIDE, name="indexed") as site:
        load_history(site, request, lambda _: None)
        assert sorted(asked) == [("aws 1",)] * 2 + [("aws 2",)] * 2


def test_text_that_is_no_number_is_counted_and_left_out(foreign):
    foreign.make("tall", "station VARCHAR(40), tag VARCHAR(40), value VARCHAR(40), at WALL")
    values = ["12.5", "broken", "", " 7 ", "nan", None, "1e3"]
    foreign.add(
        "tall",
        ({"station": "a", "tag": "TT", "value": v, "at": wall(START + n * MINUTE)} for n, v in enumerate(values)),
    )
    with foreign.site(TALL) as site:
        metrics = load(site, "a", ["temperature"])
        assert rows_of(site, "a", "temperature")[1].tolist() == [12.5, 7.0, 1000.0]
        assert metrics["bad_values"] == 1  # broken; empty, nan and NULL are missing, as in a file


# How a table may tell a time: the column's type on each database, what is stored for a time,
# and the mapping's words.
TIMES = {
    "naive": ("WALL", lambda ms: wall(ms), 'timezone = "Asia/Jakarta"'),
    "offset": ("WALL", lambda ms: wall(ms, -3.5), 'timezone = "-03:30"'),
    "seconds": ("BIGINT", lambda ms: ms // 1000, 'time_unit = "s"'),
    "milliseconds": ("BIGINT", lambda ms: ms, 'time_unit = "ms"'),
    "microseconds": ("BIGINT", lambda ms: ms * 1000 + 7, 'time_unit = "us"'),
    "decimal": ("DECIMAL(20,3)", lambda ms: str(Decimal(ms) / 1000), 'time_unit = "s"'),
    "text": ("VARCHAR(40)", lambda ms: wall(ms), 'timezone = "Asia/Jakarta"'),
    "text with T and offset": ("VARCHAR(40)", lambda ms: wall(ms).replace(" ", "T") + "+07:00", 'timezone = "UTC"'),
    "text with Z": ("VARCHAR(40)", lambda ms: wall(ms, 0).replace(" ", "T") + "Z", ""),
    "compact": (
        "VARCHAR(40)",
        lambda ms: f"{datetime.fromisoformat(wall(ms)):%Y%m%d%H%M%S}",
        'timezone = "Asia/Jakarta"\ntime_format = "%Y%m%d%H%M%S"',
    ),
    "day first": (
        "VARCHAR(40)",
        lambda ms: f"{datetime.fromisoformat(wall(ms)):%d/%m/%Y %H:%M}",
        'timezone = "Asia/Jakarta"\ntime_format = "%d/%m/%Y %H:%M"',
    ),
}


def test_a_time_is_the_same_instant_however_a_table_tells_it(foreign):
    for number, (how, (kind, store, words)) in enumerate(TIMES.items()):
        foreign.make(f"t{number}", f"station VARCHAR(9), at {kind}, temp DOUBLE PRECISION")
        step = 500 if how == "decimal" else 20 * MINUTE
        # Over a month's edge; before 1970, on a leap day, and after 2038.
        # (Text that does not sort: where all are equally long.)
        starts = (utc_ms(1965, 3, 31, 22), utc_ms(2000, 2, 29), utc_ms(2045, 12, 31, 23))
        starts = (utc_ms(1999, 12, 31, 22), utc_ms(2000, 2, 29), utc_ms(2000, 3, 31, 23)) if how == "day first" else starts
        times = [at + n * step for at in starts for n in range(9)]
        foreign.add(f"t{number}", ({"station": "a", "at": store(at), "temp": float(n)} for n, at in enumerate(times)))
        mapping = f'table = "t{number}"\ntime = "at"\nstation = "station"\n{words}\n[sensors]\ntemperature = "temp"\n'
        months = [month_bounds_ms(month) for month in sorted({int(month_of(at)) for at in times})]
        with foreign.reader(mapping) as (reader, connection):
            read = reader.read("a", ["temperature"], months)
            assert bounds(connection, reader.reflected) == [Bounds("a", (times[0], times[-1]))], how
        found = sorted(zip(read.times.tolist(), read.values["temperature"].tolist(), strict=True))
        assert found == [(at, float(n)) for n, at in enumerate(times)], how


def test_a_time_with_a_zone_is_an_instant(foreign):
    if foreign.kind != "postgresql":
        pytest.skip("only PostgreSQL has a timestamp with a zone")
    foreign.make("t", "station VARCHAR(9), at TIMESTAMPTZ, temp REAL")
    times = [START + n * HOUR for n in range(5)]
    foreign.add("t", ({"station": "a", "at": wall(at, 2) + "+02:00", "temp": 0.1} for at in times))
    database = str(foreign.engine.url.database)
    foreign.run(f"ALTER DATABASE {database} SET timezone = 'Asia/Tokyo'")
    with foreign.site('table = "t"\ntime = "at"\nstation = "station"\n[sensors]\ntemperature = "temp"\n') as site:
        load(site, "a", ["temperature"])
        found, values, _ = rows_of(site, "a", "temperature")
    # the next test gets this database, emptied
    foreign.run(f"ALTER DATABASE {database} RESET timezone")
    assert found.tolist() == times
    assert values.tolist() == [0.1] * 5


def test_zero_dates_missing_times_and_unsigned_numbers_stop_nothing(foreign):
    if foreign.kind != "mariadb":
        pytest.skip("only MariaDB and MySQL have them")
    foreign.make("t", "station VARCHAR(9), at DATETIME, temp INT UNSIGNED")
    foreign.run(
        "SET SESSION sql_mode = ''",
        "INSERT INTO t (station, at, temp) VALUES ('a', '0000-00-00', 1), ('a', NULL, 2),"
        " ('a', '2019-02-01 07:00:00', 3), ('a', '2019-02-01 08:00:00', 4000000000)",
    )
    mapping = 'table = "t"\ntime = "at"\ntimezone = "Asia/Jakarta"\nstation = "station"\n[sensors]\ntemperature = "temp"\n'
    with foreign.site(mapping) as site:
        assert load(site, "a", ["temperature"])["bad_times"] == 2
        assert rows_of(site, "a", "temperature")[1].tolist() == [3.0, 4e9]
        assert load(site, "a", ["temperature"])["bad_times"] == 0  # nothing was read


def berlin(*parts: int, fold: int = 0) -> int:
    return int(datetime(*parts, fold=fold, tzinfo=ZoneInfo("Europe/Berlin")).timestamp() * 1000)  # type: ignore[arg-type,misc]


BERLIN = 'table = "t"\ntime = "at"\ntimezone = "Europe/Berlin"\nstation = "station"\n[sensors]\ntemperature = "temp"\n'


def test_the_doubled_hour_is_told_apart_by_the_order_of_the_rows(foreign):
    for step_min in (10, 30, 60):
        table = f"t{step_min}"
        foreign.make(table, "station VARCHAR(9), at WALL, temp DOUBLE PRECISION")
        times = list(range(utc_ms(2019, 10, 26, 22), utc_ms(2019, 10, 27, 4), step_min * MINUTE))
        shown = [datetime.fromtimestamp(at / 1000, ZoneInfo("Europe/Berlin")).replace(tzinfo=None) for at in times]
        foreign.add(table, ({"station": "a", "at": str(at), "temp": float(n)} for n, at in enumerate(shown)))
        with foreign.reader(BERLIN.replace('"t"', f'"{table}"')) as (reader, _):
            read = reader.read("a", ["temperature"], [month_bounds_ms(int(month_of(times[0])))])
        found = list(zip(read.times.tolist(), read.values["temperature"].tolist(), strict=True))
        assert sorted(found) == [(at, float(n)) for n, at in enumerate(times)], step_min


def test_the_missing_hour_is_kept_as_the_offset_before_gives_it(foreign):
    foreign.make("t", "station VARCHAR(9), at WALL, temp DOUBLE PRECISION")
    foreign.add("t", [{"station": "a", "at": f"2019-03-31 0{h}:30:00", "temp": float(h)} for h in (1, 2, 4)])
    with foreign.site(BERLIN) as site:
        load(site, "a", ["temperature"])
        found = rows_of(site, "a", "temperature")[0].tolist()
    assert found == [berlin(2019, 3, 31, 1, 30), berlin(2019, 3, 31, 3, 30), berlin(2019, 3, 31, 4, 30)]


def test_codes_that_are_not_good_flag_a_value_and_null_does_not(foreign):
    foreign.make("t", "station VARCHAR(9), at WALL, temp DOUBLE PRECISION, rain DOUBLE PRECISION, qc INT, qt VARCHAR(5)")
    codes = [(0, "ok"), (4, "ok"), (None, None), (1, "bad")]
    foreign.add(
        "t",
        (
            {"station": "a", "at": wall(START + n * HOUR), "temp": 1.0, "rain": 1.0, "qc": q, "qt": t}
            for n, (q, t) in enumerate(codes)
        ),
    )
    mapping = """
    table = "t"
    time = "at"
    timezone = "Asia/Jakarta"
    station = "station"
    quality = { column = "qc", good = [0, 1] }
    [sensors]
    temperature = { column = "temp", quality = "qt", good = ["ok"] }
    rainfall = "rain"
    """
    with foreign.site(mapping) as site:
        load(site, "a", ["temperature", "rainfall"])
        assert (rows_of(site, "a", "rainfall")[2] & FLAG_SOURCE).astype(bool).tolist() == [False, True, False, False]
        assert (rows_of(site, "a", "temperature")[2] & FLAG_SOURCE).astype(bool).tolist() == [False, False, False, True]


def test_several_columns_name_a_station_and_filters_leave_rows_out(foreign):
    foreign.make("t", "site VARCHAR(9), logger INT, at WALL, temp DOUBLE PRECISION, gone INT, kind VARCHAR(9)")
    rows = [
        ("Bogor", 1, 1.0, None, "x"),
        ("Bogor", 2, 2.0, None, "x"),
        ("O'N", 1, 3.0, None, "y"),
        ("Bogor", 1, 9.0, 1, "x"),
        ("Bogor", 1, 9.0, None, "z"),
    ]
    foreign.add(
        "t",
        (
            {"site": s, "logger": unit, "at": wall(START + n), "temp": v, "gone": gone, "kind": kind}
            for n, (s, unit, v, gone, kind) in enumerate(rows)
        ),
    )
    mapping = """
    table = "t"
    time = "at"
    timezone = "Asia/Jakarta"
    station = ["site", "logger"]
    where = [{ column = "gone", is_null = true }, { column = "kind", equals = ["x", "y"] }]
    [sensors]
    temperature = "temp"
    """
    with foreign.site(mapping) as site:
        assert [station.name for station in site.inventory.stations()] == ["Bogor / 1", "Bogor / 2", "O'N / 1"]
        for name, value in (("Bogor / 1", 1.0), ("Bogor / 2", 2.0), ("O'N / 1", 3.0)):
            load(site, name, ["temperature"])
            assert rows_of(site, name, "temperature")[1].tolist() == [value]


def test_a_view_and_a_constant_station_are_read(foreign):
    make_wide(foreign, history(50)[:50])
    foreign.run("CREATE VIEW w AS SELECT at, temp FROM wide")
    mapping = 'table = "w"\ntime = "at"\ntimezone = "Asia/Jakarta"\nstation_name = "AWS-1"\n[sensors]\ntemperature = "temp"\n'
    with foreign.site(mapping) as site:
        load(site, "AWS-1", ["temperature"])
        assert len(rows_of(site, "AWS-1", "temperature")[0]) > 40


# Freshness


LATE = "2019-02-03 01:02:03"


def test_a_late_row_makes_its_month_stale_and_no_other(foreign):
    make_wide(foreign, history())
    with foreign.site(WIDE) as site:
        load(site, "aws 1", ["temperature"])
        foreign.add("wide", [{"station": "aws 1", "at": LATE, "temp": 77.0, "ws": 1.0}])
        metrics = load(site, "aws 1", ["temperature"])
        assert (metrics["tiles_read"], metrics["changed_months"]) == (1, 1)
        assert 77.0 in rows_of(site, "aws 1", "temperature")[1]
        assert load(site, "aws 1", ["temperature"])["tiles_read"] == 0


def test_a_new_station_and_a_new_month_are_found(foreign):
    make_wide(foreign, history(50))
    with foreign.site(WIDE) as site:
        rows = [{"station": "new", "at": wall(utc_ms(2019, 5, 1) + n * HOUR), "temp": 1.0, "ws": 1.0} for n in range(1000)]
        foreign.add("wide", rows)
        assert sync_inventory(site).stations == 1
        # 1000 hours from the first of May
        assert load(site, "new", ["temperature"])["tiles_read"] == 2
        assert site.inventory.station("new").step_ms == HOUR


def test_a_correction_is_found_where_the_time_of_change_is_indexed(foreign):
    foreign.make("wide", COLUMNS + ", updated_at WALL")
    foreign.run("CREATE INDEX changed ON wide (updated_at)")
    rows = [{"station": s, "at": wall(t), "temp": a, "ws": b, "updated_at": wall(t)} for s, t, a, b in history(300)]
    foreign.add("wide", rows)
    with foreign.site(WIDE) as site:
        load(site, "aws 1", ["temperature"])
        foreign.run(f"UPDATE wide SET temp = 55.5, updated_at = '2019-07-01 00:00:00' WHERE at = '{wall(START)}'")
        assert load(site, "aws 1", ["temperature"])["tiles_read"] == 1
        assert rows_of(site, "aws 1", "temperature")[1][0] == 55.5


@ON_SQLITE
@pytest.mark.parametrize(("check", "found"), [('"always"', True), ('"never"', False), ("60", False)])
def test_without_a_mark_closed_months_are_compared_as_often_as_the_mapping_says(foreign, check, found):
    foreign.make("wide", COLUMNS, number=False)
    foreign.add("wide", ({"station": s, "at": wall(t), "temp": a, "ws": b} for s, t, a, b in history(1000)))
    with foreign.site(WIDE + f"[freshness]\ncheck = {check}\n") as site:
        load(site, "aws 1", ["temperature"])
        # January; the last month is February
        foreign.run(f"UPDATE wide SET temp = 55.5 WHERE at = '{wall(START)}'")
        load(site, "aws 1", ["temperature"])
        assert (rows_of(site, "aws 1", "temperature")[1].tolist()[0] == 55.5) is found
        assert reload(site, request_of(["aws 1"], ["temperature"], "2019-01-01", "2019-02-01", "raw", "UTC")) == 1
        load(site, "aws 1", ["temperature"])
        assert rows_of(site, "aws 1", "temperature")[1][0] == 55.5


def test_a_row_that_comes_while_its_month_is_read_makes_the_tile_stale(foreign, monkeypatch):
    make_wide(foreign, history(300))
    real = MappedReader.read
    came: list[int] = []

    def read_then_insert(self: MappedReader, station: str, sensors: Any, windows: Any) -> Any:
        readings = real(self, station, sensors, windows)
        # months are read two at a time
        if not came and any(low <= START < high for low, high in windows):
            came.append(1)
            foreign.add("wide", [{"station": "aws 1", "at": wall(START + 5), "temp": 1234.5, "ws": 1.0}])
        return readings

    with foreign.site(WIDE) as site:
        monkeypatch.setattr(MappedReader, "read", read_then_insert)
        if foreign.kind == "sqlite":
            site.source.engine.dispose()
        load(site, "aws 1", ["temperature"])
        assert 1234.5 not in rows_of(site, "aws 1", "temperature")[1]
        load(site, "aws 1", ["temperature"])
        assert 1234.5 in rows_of(site, "aws 1", "temperature")[1]


def test_an_id_that_is_committed_below_the_mark_is_found(foreign):
    make_wide(foreign, history(100))
    with foreign.site(WIDE) as site:
        load(site, "aws 1", ["temperature"])
        foreign.run("DELETE FROM wide WHERE id = 100")  # the gap that an uncommitted row leaves
        sync_inventory(site)
        foreign.run(f"INSERT INTO wide (id, station, at, temp, ws) VALUES (100, 'aws 1', '{LATE}', 66.0, 1)")
        load(site, "aws 1", ["temperature"])
        assert 66.0 in rows_of(site, "aws 1", "temperature")[1]


@ON_SQLITE
def test_a_sensor_has_the_stations_bounds_until_a_load_tells_its_own_and_a_look_widens_them(foreign):
    """Wind was measured from 25 March to 4 April at a station of February to May;
    a month that nobody read counts as measured.
    """
    days = [utc_ms(2019, 2, 1) + number * 24 * HOUR for number in range(100)]
    windy = [at for at in days if utc_ms(2019, 3, 25) <= at < utc_ms(2019, 4, 5)]
    make_wide(foreign, [("aws 1", at, 20.0, 5.0 if at in windy else None) for at in days])
    only_wind = Rights((Grant(("aws 1",), ("wind_speed",)),))

    def told(site: Site) -> tuple[int, int] | None:
        return restricted_site(site, only_wind).inventory.station("aws 1").span

    with foreign.site(WIDE) as site:
        whole = (days[0], days[-1])
        assert told(site) == site.inventory.station("aws 1").span
        load(site, "aws 1", ["temperature", "wind_speed"], "2019-02-01", "2019-04-01")
        first, last = told(site) or (0, 0)
        assert (first, last >= days[-1]) == (windy[0], True)  # of April and May nobody knows
        load(site, "aws 1", ["temperature", "wind_speed"])
        assert told(site) == (windy[0], windy[-1])
        assert site.inventory.station("aws 1").of(["temperature"]).span == whole
        foreign.add("wide", [{"station": "aws 1", "at": wall(days[-1] + HOUR), "temp": 1.0, "ws": None}])
        sync_inventory(site)
        assert told(site) == (windy[0], days[-1] + HOUR)
        load(site, "aws 1", ["wind_speed"])
        assert told(site) == (windy[0], windy[-1])
        assert plan(site, request_of(["aws 1"], ["wind_speed"], "2019-02-01", "2019-03-01", "raw", "UTC")).tiles_total == 1


@ON_SQLITE
def test_what_a_request_may_lack_is_told_without_touching_the_table(foreign, monkeypatch):
    make_wide(foreign, history(300))
    closed = request_of(["aws 1"], ["temperature"], "2019-01-01", "2019-02-01", "raw", "UTC")
    growing = request_of(["aws 1"], ["temperature"], "2019-01-01", "2019-03-01", "raw", "UTC")
    with foreign.site(WIDE) as site:
        load(site, "aws 1", ["temperature"])
        monkeypatch.setattr(MappedReader, "__enter__", lambda _: pytest.fail("the table was touched"))
        now = utc_ms(2030, 1, 1)
        assert sync_is_due(site, closed, now)
        assert not sync_is_due(site, closed, 0)
        assert sync_is_due(site, growing, now)
        assert plan(site, closed).rows_total > 0


# Bad sources


@ON_SQLITE
def test_a_mapping_that_names_what_the_table_lacks_says_key_and_columns(foreign):
    make_wide(foreign, history(20))
    wrong = WIDE.replace('"temp"', '"tmep"')
    with foreign.site(wrong, synced=False) as site, pytest.raises(SourceMismatch) as caught:
        sync_inventory(site)
    assert "mapping.toml: sensors.temperature = tmep: the table wide" in caught.value.message
    assert "it has at, id, station, temp, ws" in caught.value.message


def test_a_table_that_is_gone_a_column_that_is_dropped_and_a_type_that_changed_are_mismatches(foreign):
    make_wide(foreign, history(20))
    with foreign.site(WIDE) as site:
        load(site, "aws 1", ["temperature"])
        foreign.run("ALTER TABLE wide DROP COLUMN ws")
        with pytest.raises(SourceMismatch, match=r"sensors.wind_speed = ws: the table wide .* has no such column"):
            load(site, "aws 1", ["temperature"])
        foreign.run("DROP TABLE wide")
        foreign.make("wide", "station VARCHAR(9), at BIGINT, temp INT, ws INT")
        with pytest.raises(SourceMismatch, match="time = at: the column is .*; expected time_unit"):
            load(site, "aws 1", ["temperature"])
        foreign.run("DROP TABLE wide")
        with pytest.raises(SourceMismatch, match="no table wide"):
            load(site, "aws 1", ["temperature"])


def test_sqlite_keeps_what_it_was_given_and_the_reader_copes(tmp_path):
    with sqlite3.connect(tmp_path / "loose.sqlite") as connection:
        connection.execute("CREATE TABLE t (station, at, temp)")
        rows = [
            ("a", "2019-02-01 00:00:00", "1.5"),
            ("a", "no time", 2),
            ("a", "2019-02-01T01:00:00", None),
            ("a", "2019-02-01 02:00", 3),
        ]
        connection.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
    connection.close()
    engine = make_engine(f"sqlite:///{tmp_path}/loose.sqlite")
    foreign = Foreign(engine, tmp_path, "sqlite")
    with foreign.site(
        'table = "t"\ntime = "at"\nstation = "station"\ntimezone = "UTC"\n[sensors]\ntemperature = "temp"\n'
    ) as site:
        load(site, "a", ["temperature"])
        assert rows_of(site, "a", "temperature")[1].tolist() == [1.5, 3.0]
    engine.dispose()


@ON_SQLITE
def test_a_sensor_of_another_unit_is_another_tile(foreign):
    make_wide(foreign, history(20))
    with foreign.site(WIDE) as site:
        load(site, "aws 1", ["wind_speed"])
    with foreign.site(WIDE.replace("km/h", "m/s")) as site:
        assert site.catalogue["temperature"].fingerprint != load_catalogue()["temperature"].fingerprint
        assert load(site, "aws 1", ["wind_speed"])["tiles_read"] == 1


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_right_that_is_revoked_between_two_loads_is_a_mismatch(tmp_path, kind):
    with DATABASES[kind](tmp_path) as url:
        engine = make_engine(url)
        foreign = Foreign(engine, tmp_path, kind)
        make_wide(foreign, history(20))
        name = f"riwayat_test_revoked_{os.getpid()}"
        at = "" if kind == "postgresql" else "@'%'"
        word = "PASSWORD" if kind == "postgresql" else "IDENTIFIED BY"
        foreign.run(f"CREATE USER {name}{at} {word} 'x'", f"GRANT SELECT ON wide TO {name}{at}")
        try:
            theirs = engine.url.set(username=name, password="x").render_as_string(hide_password=False)
            with foreign.site(f"url = '{theirs}'  # not url_env\n{WIDE}") as site:
                load(site, "aws 1", ["temperature"])
                foreign.run(f"REVOKE SELECT ON wide FROM {name}{at}")
                with pytest.raises(SourceMismatch) as caught:
                    load(site, "aws 1", ["temperature"])
                assert re.search(r"cannot be read as described|no table wide", caught.value.message)
        finally:
            if kind == "postgresql":
                foreign.run(f"DROP OWNED BY {name}")
            with administrator(server_of(url)) as connection:
                connection.exec_driver_sql(f"DROP USER {name}")
            engine.dispose()


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_table_that_is_locked_longer_than_a_statement_may_take_says_so(tmp_path, kind):
    with DATABASES[kind](tmp_path) as url:
        engine = make_engine(url)
        foreign = Foreign(engine, tmp_path, kind)
        make_wide(foreign, history(20))
        with foreign.site(WIDE, job_timeout=1) as site, engine.connect() as holder:
            lock = "LOCK TABLE wide IN ACCESS EXCLUSIVE MODE" if kind == "postgresql" else "LOCK TABLES wide WRITE"
            holder.exec_driver_sql(lock)
            with pytest.raises(SourceUnavailable, match="did not finish a query in time: .* busy or locked"):
                load(site, "aws 1", ["temperature"])
            holder.exec_driver_sql("ROLLBACK" if kind == "postgresql" else "UNLOCK TABLES")
            load(site, "aws 1", ["temperature"])
        engine.dispose()


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_server_that_hangs_or_refuses_at_connect_is_unavailable_soon(tmp_path, free_port, kind, monkeypatch):
    monkeypatch.setattr(drivers, "CONNECT_TIMEOUT_S", 1)  # of both in truth: test_connections.py
    scheme = "postgresql+psycopg" if kind == "postgresql" else "mysql+pymysql"
    # accepts nothing: the handshake never comes
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for port in (free_port, silent.getsockname()[1]):
            began = time.monotonic()
            engine = make_engine(f"{scheme}://u:hunter2@127.0.0.1:{port}/scada")
            foreign = Foreign(engine, tmp_path, kind)
            with foreign.site(WIDE, synced=False) as site, pytest.raises(SourceUnavailable) as caught:
                sync_inventory(site)
            assert time.monotonic() - began < 15
            assert f"scada on 127.0.0.1:{port} does not answer" in caught.value.message
            assert "hunter2" not in caught.value.message


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_connection_that_breaks_in_the_middle_of_a_read_is_unavailable_or_read_again(tmp_path, kind, monkeypatch):
    """The session is killed under the reader; the whole query is read once more,
    or the job's next attempt does.
    """
    with DATABASES[kind](tmp_path) as url:
        engine = make_engine(url)
        foreign = Foreign(engine, tmp_path, kind)
        make_wide(foreign, history(300))
        real = fast.read_chunks

        def killed(address: str, sql: str, add: Any) -> None:
            monkeypatch.setattr("data.source.connection.fast.read_chunks", real)
            raise fast.FastPathFailed("server closed the connection unexpectedly")

        with foreign.site(WIDE) as site:
            monkeypatch.setattr("data.source.connection.fast.read_chunks", killed)
            load(site, "aws 1", ["temperature"])
            assert len(rows_of(site, "aws 1", "temperature")[0]) > 280
        engine.dispose()


@ON_SQLITE
def test_a_reload_loses_nothing_of_what_came_to_other_months(foreign):
    make_wide(foreign, history(1000))
    january = request_of(["aws 1"], ["temperature"], "2019-01-01", "2019-02-01", "raw", "UTC")
    with foreign.site(WIDE) as site:
        load(site, "aws 1", ["temperature"])
        # in February
        foreign.add("wide", [{"station": "aws 1", "at": LATE, "temp": 77.0, "ws": 1.0}])
        reload(site, january)
        assert load(site, "aws 1", ["temperature"])["tiles_read"] == 2
        assert 77.0 in rows_of(site, "aws 1", "temperature")[1]


@ON_SQLITE
def test_a_request_of_tiles_that_are_all_there_still_gets_a_job_where_a_look_is_due(foreign):
    make_wide(foreign, history(100))
    whole = request_of(["aws 1"], ["temperature"], "2019-01-01", "2019-03-01", "raw", "UTC")
    with foreign.site(WIDE) as site:
        load(site, "aws 1", ["temperature"])
        ledger_engine = make_engine(site.settings.jobs_url)
        migrate_jobs(ledger_engine)
        identity = owner_identity(site.settings, open_access(site.settings, engine=ledger_engine), "somebody")
        ledger = Ledger(ledger_engine)
        assert start_job(site, ledger, identity, whole, lambda: None).status is Status.COMPLETED
        with site.engine.begin() as connection:  # as if the last sync had been an hour ago
            connection.execute(update(source_look).values(looked=source_look.c.looked - HOUR))
        assert start_job(site, ledger, identity, whole, lambda: None).status is Status.QUEUED
        ledger_engine.dispose()


@ON_SQLITE
def test_whether_a_month_still_grows_does_not_depend_on_who_asks(foreign):
    make_wide(foreign, history(100))
    january = request_of(["aws 1"], ["temperature"], "2019-01-01", "2019-02-01", "raw", "UTC")
    with foreign.site(WIDE) as site:
        load(site, "aws 1", ["temperature"])
        of_january = restricted_site(site, Rights((Grant(to_ms=january.end_ms),)))
        assert of_january.inventory.station("aws 1").last_ms < january.end_ms
        later_ms = last_sync(site).synced_ms + 60_000
        assert [sync_is_due(one, january, later_ms) for one in (site, of_january)] == [False, False]


def test_rows_of_2099_and_of_1970_are_counted_and_set_no_range(foreign):
    rows = history(20)
    rows += [("aws 1", utc_ms(2099, 1, day), 1.0, None) for day in (1, 2)] + [("aws 2", 0, 1.0, None)]
    make_wide(foreign, rows)
    foreign.run("CREATE INDEX by_station ON wide (station, at)")
    with foreign.site(WIDE) as site:
        one, two = site.inventory.stations()
        assert (one.usual, two.usual) == ((START, START + 19 * 10 * MINUTE),) * 2
        assert outlying_rows(site.source, [one, two]) == (
            OutlyingRows("aws 1", 2, "2099-01-01T00:00:00Z", "2099-01-02T00:00:00Z"),
            OutlyingRows("aws 2", 1, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        )
