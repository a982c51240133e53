"""What is no single plain table: a query, a date and a time apart, several columns of values,
tags by name, many tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from data.site import Site
from data.source.mapped import sql
from data.source.mapped.check import check_mapping
from data.source.mapped.mapping_report import MappingReport
from data.source.mapped.source import MappedReader, MappedSource
from data.source.mapped.station_bounds import Bounds, bounds
from data.source_sync import sync_inventory
from data.time.months import month_bounds_ms, month_of
from errors import SourceMismatch
from tests.foreign import Foreign, foreign_at, load, rows_of, utc_ms

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
START = utc_ms(2024, 1, 1)
HEAD = 'timezone = "UTC"\nstation_name = "A"\n'
ONE = '[sensors]\ntemperature = "temp"\n'
TALL = '[sensors]\ntemperature = "TT"\nhumidity = "RH"\n[tall]\ntag = "tag"\n'


@pytest.fixture
def foreign(database_url: str, tmp_path: Path) -> Iterator[Foreign]:
    with foreign_at(database_url, tmp_path) as made:
        yield made


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Foreign]:
    with foreign_at(f"sqlite:///{tmp_path / 'desk.sqlite'}", tmp_path) as made:
        yield made


def shown(site: Site, sensor: str = "temperature", station: str = "A", year: int = 2024) -> list[tuple[int, float]]:
    """A sensor's (ms since the first of 2024, value) after a load; the same by either path."""
    load(site, station, [sensor], f"{year}-01-01", f"{year + 1}-01-01")
    times, values, _ = rows_of(site, station, sensor)
    source = site.source
    assert isinstance(source, MappedSource)
    if len(times):
        window = (month_bounds_ms(int(month_of(int(times[0]))))[0], month_bounds_ms(int(month_of(int(times[-1]))))[1])
        for fast in (True, False):
            with source.open(fast=fast) as reader:
                readings = reader.read(station, [sensor], [window])
                finite = np.isfinite(readings.values[sensor])
                pairs = zip(readings.times_of(sensor)[finite].tolist(), readings.values[sensor][finite].tolist(), strict=True)
                assert dict(pairs) == dict(zip(times.tolist(), values.tolist(), strict=True))
    return [(int(time) - START, float(value)) for time, value in zip(times, values, strict=True)]


def tried(site: Site) -> MappingReport:
    assert isinstance(site.source, MappedSource)
    return check_mapping(site.source, site.catalogue)


# A date and a time in two columns

PAIRS: dict[str, tuple[str, str, str, Sequence[tuple[Any, Any]]]] = {
    "date and time": ("DATE", "TIME", "", [("2024-01-01", "00:00:00"), ("2024-01-01", "00:10:00"), ("2024-01-02", "23:50:00")]),
    "two texts": ("VARCHAR(20)", "VARCHAR(20)", "", [("2024-01-01", "00:00"), ("2024-01-01", "00:10"), ("2024-01-02", "23:50")]),
    "day first": (
        "VARCHAR(20)",
        "VARCHAR(20)",
        'time_format = "%d/%m/%Y %H:%M"\n',
        [("01/01/2024", "00:00"), ("1/1/2024", "0:10"), ("02/01/2024", "23:50")],
    ),
    "whole numbers": (
        "VARCHAR(20)",
        "INTEGER",
        'time_format = "%Y-%m-%d %H%M"\n',
        [("2024-01-01", 0), ("2024-01-01", 10), ("2024-01-02", 2350)],
    ),
    "a date and a text": ("DATE", "VARCHAR(20)", "", [("2024-01-01", "00:00"), ("2024-01-01", "00:10"), ("2024-01-02", "23:50")]),
}


def told(reader: MappedReader, connection: Connection, expected: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """Times (ms UTC) and temperatures of station A in the months of those that are expected,
    by either path; the first and the last are its bounds.
    """
    months = [month_bounds_ms(month) for month in sorted({int(month_of(at)) for at, _ in expected})]
    found = []
    with reader.source.open(fast=False) as general:
        for each in (reader, general):
            read = each.read("A", ["temperature"], months)
            found.append(sorted(zip(read.times.tolist(), read.values["temperature"].tolist(), strict=True)))
    assert found[0] == found[1]
    assert bounds(connection, reader.reflected) == [Bounds("A", (found[0][0][0], found[0][-1][0]))]
    return found[0]


@pytest.mark.parametrize("index", ["", "pos, tanggal", "tanggal"])
def test_a_date_and_a_time_in_two_columns_are_one_time(foreign, index):
    # two of them in December, UTC
    wall = [(START - 7 * HOUR, 25.0), (START + 10 * MINUTE - 7 * HOUR, 26.0), (START + DAY + 17 * HOUR - 10 * MINUTE, 27.0)]
    found, untimed = {}, {}
    for number, (pair, (date, time, keys, moments)) in enumerate(PAIRS.items()):
        log = f"data_aws{number}"
        foreign.make(log, f"tanggal {date}, jam {time}, pos VARCHAR(20), temp DOUBLE PRECISION")
        foreign.add(log, ({"tanggal": a, "jam": b, "pos": "A", "temp": 25.0 + n} for n, (a, b) in enumerate(moments)))
        if index:
            foreign.run(f"CREATE INDEX i{number} ON {log} ({index})")
        mapping = f'table = "{log}"\ntime = ["tanggal", "jam"]\ntimezone = "Asia/Jakarta"\nstation = "pos"\n{keys}{ONE}'
        with foreign.reader(mapping) as (reader, connection):
            found[pair] = told(reader, connection, wall)
            untimed[pair] = reader.untimed(["A"])
    assert found == dict.fromkeys(PAIRS, wall)
    assert untimed == dict.fromkeys(PAIRS, 0)


DAYS_AND_HOURS = [(2024, 1, 9, 7, 5), (2024, 1, 10, 0, 0), (2024, 1, 10, 23, 50), (2024, 2, 29, 12, 30), (2024, 12, 31, 9, 0)]
PARTS: dict[str, tuple[str, str, Any]] = {
    "whole numbers": ("INTEGER", "year = 'p0', month = 'p1', day = 'p2', hour = 'p3', minute = 'p4'", lambda *at: at),
    "in any order": ("INTEGER", "minute = 'p0', hour = 'p1', day = 'p2', month = 'p3', year = 'p4'", lambda *at: at[::-1]),
    "decimals": ("DECIMAL(6,1)", "year = 'p0', month = 'p1', day = 'p2', hour = 'p3', minute = 'p4'", lambda *at: at),
    "texts": ("VARCHAR(9)", "year = 'p0', month = 'p1', day = 'p2', hour = 'p3', minute = 'p4'", lambda *at: [*map(str, at)]),
    "digits side by side": (
        "BIGINT",
        "yyyymmdd = 'p0', hhmm = 'p1'",
        lambda y, m, d, h, n: (y * 10_000 + m * 100 + d, h * 100 + n),
    ),
    "one number": (
        "BIGINT",
        "yyyymmddhhmm = 'p0'",
        lambda y, m, d, h, n: (((y * 100 + m) * 100 + d) * 10_000 + h * 100 + n,),
    ),
    "day of the year": (
        "INTEGER",
        "year = 'p0', doy = 'p1', hhmm = 'p2'",
        lambda y, m, d, h, n: (y, datetime(y, m, d).timetuple().tm_yday, h * 100 + n),  # noqa: DTZ001
    ),
    "a date and hours": (
        "VARCHAR(20)",
        "date = 'p0', hour = 'p1', minute = 'p2'",
        lambda y, m, d, h, n: (f"{y}-{m:02}-{d:02}", str(h), str(n)),
    ),
}


@pytest.mark.parametrize("index", ["", "pos, {}"])
def test_a_time_is_put_together_of_its_parts(foreign, index):
    wall = [(utc_ms(*each) - 7 * HOUR, float(n)) for n, each in enumerate(DAYS_AND_HOURS)]
    found, untimed = {}, {}
    for number, (how, (kind, keys, written)) in enumerate(PARTS.items()):
        log, rows = f"log{number}", [written(*each) for each in DAYS_AND_HOURS]
        names = [f"p{place}" for place in range(len(rows[0]))]
        foreign.make(log, ", ".join(f"{name} {kind}" for name in names) + ", pos VARCHAR(20), temp DOUBLE PRECISION")
        foreign.add(log, ({**dict(zip(names, row, strict=True)), "pos": "A", "temp": n} for n, row in enumerate(rows)))
        none = dict.fromkeys(names, rows[0][0]) | {names[-1]: None}
        foreign.add(log, [{**none, "pos": "A", "temp": 99}])  # a part is lacking: no time
        if index:
            foreign.run(f"CREATE INDEX i{number} ON {log} ({index.format(', '.join(names))})")
        mapping = f'table = "{log}"\ntime_parts = {{ {keys} }}\ntimezone = "Asia/Jakarta"\nstation = "pos"\n{ONE}'
        with foreign.reader(mapping) as (reader, connection):
            found[how] = told(reader, connection, wall)
            untimed[how] = reader.untimed(["A"])
    assert found == dict.fromkeys(PARTS, wall)
    assert untimed == dict.fromkeys(PARTS, 1)


def test_a_number_that_is_none_of_its_part_is_no_time_and_hour_24_ends_a_day(foreign):
    foreign.make("log", "d BIGINT, h INTEGER, temp DOUBLE PRECISION")
    foreign.add("log", ({"d": 20240101, "h": hour, "temp": hour} for hour in (100, 1, 230, 2400, 24000, 2460, -1)))
    foreign.add("log", ({"d": day, "h": 0, "temp": 0} for day in (0, 20241301, 99999999999)))
    with foreign.site(f'table = "log"\ntime_parts = {{ yyyymmdd = "d", hhmm = "h" }}\nhour24 = true\n{HEAD}{ONE}') as site:
        assert shown(site) == [(MINUTE, 1.0), (HOUR, 100.0), (2 * HOUR + 30 * MINUTE, 230.0), (DAY, 2400.0)]
        assert tried(site).null_times == 6
    mapping = f'table = "log"\ntime_parts = {{ yyyymmdd = "d", hhmm = "h" }}\n{HEAD}{ONE}'
    with foreign.site(mapping, name="without") as site:
        assert shown(site) == [(MINUTE, 1.0), (HOUR, 100.0), (2 * HOUR + 30 * MINUTE, 230.0)]


def test_years_and_days_in_columns_let_an_index_serve(foreign):
    if foreign.kind != "postgresql":
        pytest.skip("the plan is told best by PostgreSQL")
    foreign.make("log", "y INTEGER, m INTEGER, d INTEGER, h INTEGER, pos VARCHAR(9), temp DOUBLE PRECISION")
    foreign.run(
        "INSERT INTO log (y, m, d, h, pos, temp) SELECT extract(year FROM at), extract(month FROM at), extract(day FROM at),"
        " extract(hour FROM at), 'A', 1 FROM generate_series(timestamp '2000-01-01', '2024-01-01', '1 hour') at",
        "CREATE INDEX i ON log (pos, y, m, d, h)",
        "ANALYZE log",
    )
    parts = "time_parts = { year = 'y', month = 'm', day = 'd', hour = 'h' }"
    with foreign.site(f'table = "log"\n{parts}\nstation = "pos"\n{ONE}', synced=False) as site, site.source.open() as reader:
        assert isinstance(reader, MappedReader)
        reflected = reader.reflected
        (segment,) = reflected.clock.segments(utc_ms(2020, 3, 1), utc_ms(2020, 4, 1))
        statement = sql.readings(reflected, ["A"], reflected.mapping.sensors, segment)
        with foreign.engine.connect() as connection:
            text = str(statement.compile(connection, compile_kwargs={"literal_binds": True}))
            plan = "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {text}".replace("%", "%%")))
    assert re.search("Index Cond: .*y >= .*2020.*y <= .*2020", plan)


def test_a_row_whose_time_of_day_is_missing_has_no_time_and_is_counted(foreign):
    foreign.make("data_aws", "tanggal DATE, jam VARCHAR(9), temp DOUBLE PRECISION")
    rows = [("2024-01-01", "00:10", 1.0), ("2024-01-01", None, 2.0), ("2024-01-01", " ", 3.0)]
    foreign.add("data_aws", ({"tanggal": a, "jam": b, "temp": c} for a, b, c in rows))
    with foreign.site(f'table = "data_aws"\ntime = ["tanggal", "jam"]\n{HEAD}{ONE}') as site:
        assert shown(site) == [(10 * MINUTE, 1.0)]
        assert tried(site).null_times == 2


# Text that is written with one digit

UNPADDED = {
    "%d/%m/%Y %H:%M": ["1/2/2024 7:05", "01/02/2024 08:05", "29/2/2024 23:55"],
    "%m/%d/%Y %H:%M": ["2/1/2024 7:05", "02/01/2024 08:05", "2/29/2024 23:55"],
    "%Y-%m-%d %H:%M": ["2024-02-01 7:05", "2024-02-01 08:05", "2024-02-29 23:55"],
}


@pytest.mark.parametrize("time_format", UNPADDED)
def test_times_of_one_digit_are_read_as_those_of_two(foreign, time_format):
    foreign.make("t", "at VARCHAR(20), temp DOUBLE PRECISION")
    foreign.add("t", ({"at": at, "temp": n} for n, at in enumerate(UNPADDED[time_format])))
    mapping = f'table = "t"\ntime = "at"\ntime_format = "{time_format}"\ntimezone = "Asia/Jakarta"\nstation_name = "A"\n{ONE}'
    with foreign.site(mapping) as site:
        local = 31 * DAY - 7 * HOUR
        assert shown(site) == [
            (local + 7 * HOUR + 5 * MINUTE, 0.0),
            (local + 8 * HOUR + 5 * MINUTE, 1.0),
            (local + 28 * DAY + 23 * HOUR + 55 * MINUTE, 2.0),
        ]


# Numbers in a column of SQLite that is called a time


@pytest.mark.parametrize("declared", ["DATETIME", "TIMESTAMP", "TEXT", "", "INTEGER"])
@pytest.mark.parametrize("unit", ["s", "ms"])
def test_a_column_of_sqlite_may_hold_numbers_whatever_its_type(desk, declared, unit):
    desk.run(f"CREATE TABLE log (ts {declared}, temp REAL)")
    factor = 1 if unit == "s" else 1000
    desk.run(*(f"INSERT INTO log VALUES ({(START // 1000 + n * 600) * factor}, {1 + n / 2})" for n in range(2)))
    mapping = f'table = "log"\ntime = "ts"\n{HEAD}{ONE}'
    if declared == "TEXT":  # affinity makes texts of them
        return
    with desk.site(f'time_unit = "{unit}"\n{mapping}') as site:
        assert shown(site) == [(0, 1.0), (10 * MINUTE, 1.5)]
    with desk.site(mapping, name="without", synced=False) as site, pytest.raises(SourceMismatch, match="expected time_unit"):
        sync_inventory(site)


def test_texts_among_the_numbers_of_a_time_are_counted(desk):
    desk.run("CREATE TABLE log (ts DATETIME, temp REAL)", f"INSERT INTO log VALUES ({START // 1000}, 1), ('yesterday', 2)")
    with desk.site(f'table = "log"\ntime = "ts"\ntime_unit = "s"\n{HEAD}{ONE}') as site:
        assert shown(site) == [(0, 1.0)]
        assert any("1 row" in warning for warning in tried(site).warnings)


@pytest.mark.parametrize("declared", ["DATETIME", "TIMESTAMP", "TEXT"])
def test_an_offset_in_a_text_counts_whatever_the_type_of_sqlites_column(desk, declared):
    texts = ("2024-01-01 00:00:00", "2024-01-01T02:00:00Z", "2024-01-01 05:00:00.5-03:30", "2024-01-31 23:00:00.000 -02:00")
    desk.run(f"CREATE TABLE log (ts {declared}, temp REAL)")
    desk.run(*(f"INSERT INTO log VALUES ('{at}', {n})" for n, at in enumerate(texts)))
    with desk.site(f'table = "log"\ntime = "ts"\ntimezone = "Asia/Jakarta"\nstation_name = "A"\n{ONE}') as site:
        load(site, "A", ["temperature"], "2023-12-01", "2024-03-01")
        times, values, _ = rows_of(site, "A", "temperature")
        assert (times - START).tolist() == [-7 * HOUR, 2 * HOUR, 17 * HOUR // 2 + 500, 31 * DAY + HOUR]
        assert values.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("time_format", "good", "other"),
    [
        (None, "2024-01-05T10:00", ["20240106T1000", "2024/01/07 10:00"]),
        ("%Y-%m-%d %H:%M", "2024-01-05 9:00", ["2024-1-6 10:00", "2024-01-7 10:00"]),
        ("%Y%m%d%H%M", "202401050900", ["2024-01-06 10:00", "20240107 1000"]),
    ],
)
def test_texts_that_do_not_sort_as_the_format_says_are_counted(foreign, time_format, good, other):
    foreign.make("t", "at VARCHAR(20), temp DOUBLE PRECISION")
    foreign.add("t", ({"at": at, "temp": n} for n, at in enumerate([good, *other, None])))
    line = "" if time_format is None else f'time_format = "{time_format}"\n'
    with foreign.site(f'table = "t"\ntime = "at"\n{line}{HEAD}{ONE}') as site:
        said = "2 rows are left out: their times do not begin with a full date"
        assert any(said in warning for warning in tried(site).warnings)


def test_a_span_of_mariadb_beyond_a_day_is_no_time_of_day(foreign):
    if foreign.kind != "mariadb":
        pytest.skip("other databases have no such TIME")
    foreign.make("t", "d DATE, h TIME, temp DOUBLE PRECISION")
    rows = [("2024-01-01", "24:00:00"), ("2024-01-03", "12:00:00"), ("2024-01-29", "100:00:00"), ("2024-02-05", "-100:00:00")]
    foreign.add("t", ({"d": day, "h": hour, "temp": n} for n, (day, hour) in enumerate(rows)))
    with foreign.site(f'table = "t"\ntime = ["d", "h"]\n{HEAD}{ONE}') as site:
        assert shown(site) == [(DAY, 0.0), (2 * DAY + 12 * HOUR, 1.0)]
        assert tried(site).null_times == 2


ENDLESS = {
    "postgresql": ("TIMESTAMPTZ", "2024-01-01 00:00+00", "infinity"),
    "mariadb": ("BIGINT UNSIGNED", "1704067200", 2**64 - 1),
}


def test_check_counts_times_that_no_calendar_has(foreign):
    if foreign.kind not in ENDLESS:
        pytest.skip("SQLite has no such time")
    kind, first, endless = ENDLESS[foreign.kind]
    foreign.make("t", f"at {kind}, temp DOUBLE PRECISION")
    foreign.add("t", [{"at": first, "temp": 1}, {"at": endless, "temp": 2}])
    unit = 'time_unit = "s"\n' if foreign.kind == "mariadb" else ""
    with foreign.site(f'table = "t"\ntime = "at"\n{unit}{HEAD}{ONE}') as site:
        assert shown(site) == [(0, 1.0)]
        assert tried(site).unreadable_times == 1


# Several columns of values, several tags


def test_the_first_column_that_holds_a_value_counts(foreign):
    kinds = {"postgresql": "BOOLEAN", "mariadb": "BOOLEAN", "sqlite": "BOOLEAN"}
    columns = f"ts BIGINT, tag VARCHAR(9), bool_v {kinds[foreign.kind]}, long_v BIGINT, dbl_v DOUBLE PRECISION, str_v VARCHAR(20)"
    foreign.make("kv", columns, number=False)
    rows = [(None, 19.5, None), (20, None, None), (None, None, "20.75"), (None, None, "n/a"), (None, None, None)]
    foreign.add(
        "kv",
        ({"ts": START + n * 10 * MINUTE, "tag": "TT", "long_v": a, "dbl_v": b, "str_v": c} for n, (a, b, c) in enumerate(rows)),
    )
    mapping = f'table = "kv"\nlayout = "tall"\ntime = "ts"\ntime_unit = "ms"\n{HEAD}{TALL}value = ["long_v", "dbl_v", "str_v"]\n'
    with foreign.site(mapping) as site:
        assert shown(site) == [(0, 19.5), (10 * MINUTE, 20.0), (20 * MINUTE, 20.75)]
        (temperature, _) = tried(site).sensors
        assert (temperature.values, temperature.nulls, temperature.bad) == (3, 1, 1)
    with foreign.site(mapping.replace('"str_v"]', '"bool_v"]'), name="less") as site:
        assert shown(site) == [(0, 19.5), (10 * MINUTE, 20.0)]


def test_several_tags_are_one_sensor(foreign):
    foreign.make("kv", "at WALL, tag VARCHAR(9), value DOUBLE PRECISION")
    foreign.add(
        "kv", ({"at": f"2024-01-01 0{n}:00:00", "tag": tag, "value": n} for n, tag in enumerate(["TT", "T2m", "other", "TT"]))
    )
    mapping = f'table = "kv"\nlayout = "tall"\ntime = "at"\n{HEAD}{TALL}value = "value"\n'
    for written in ('["TT", "T2m"]', '{ tag = ["TT", "T2m"], unit = "degC" }'):
        with foreign.site(mapping.replace('"TT"', written), name=f"site{len(written)}") as site:
            assert shown(site) == [(0, 0.0), (HOUR, 1.0), (3 * HOUR, 3.0)]


# Tags by name

NAMED = f"""table = "kv"
layout = "tall"
time = "at"
{HEAD}[sensors]
temperature = "aws/Air Temp"
humidity = "aws/RH"
[tall]
tag = "tagid"
value = "value"
[names]
table = "tags"
key = "id"
name = "path"
"""


def make_named(foreign: Foreign, *, number: bool = True) -> None:
    foreign.make("tags", "path VARCHAR(40)")
    foreign.add("tags", ({"path": path} for path in ("aws/RH", "other", "aws/Air Temp")))
    foreign.make("kv", "at WALL, tagid INTEGER, value DOUBLE PRECISION", number=number)
    foreign.add("kv", ({"at": f"2024-01-01 0{n}:00:00", "tagid": tag, "value": n} for n, tag in enumerate([3, 1, 2, 3])))


def test_a_table_of_names_says_which_tag_is_which(foreign):
    make_named(foreign)
    with foreign.site(NAMED) as site:
        assert shown(site) == [(0, 0.0), (3 * HOUR, 3.0)]
        assert shown(site, "humidity") == [(HOUR, 1.0)]


@pytest.mark.parametrize("number", [True, False], ids=["id", "no id"])
def test_a_name_that_gets_another_key_later_is_read_with_both_however_old_its_rows_are(foreign, number):
    make_named(foreign, number=number)
    foreign.add(
        "kv", [{"at": "2024-01-01 05:00:00", "tagid": 4, "value": 5}, {"at": "2023-03-01 05:00:00", "tagid": 4, "value": 6}]
    )
    with foreign.site(NAMED) as site:
        assert shown(site) == [(0, 0.0), (3 * HOUR, 3.0)]
        foreign.add("tags", [{"path": "aws/Air Temp"}])
        sync_inventory(site)
        assert shown(site) == [(0, 0.0), (3 * HOUR, 3.0), (5 * HOUR, 5.0)]
        assert site.inventory.station("A").first_ms == utc_ms(2023, 3, 1, 5)


def test_a_tag_that_no_name_has_is_said(foreign):
    make_named(foreign)
    with foreign.site(NAMED.replace("aws/RH", "aws/Humid")) as site:
        assert any("names: tags has no path aws/Humid" in warning for warning in tried(site).warnings)
        assert shown(site, "humidity") == []


# A query

QUERY = (
    """
query = '''
-- readings of both kinds; a colon: '%d', 100%
SELECT o.at, s.name AS station, o.temp, 'a;b -- :x' AS note
FROM obs o JOIN stations s ON s.id = o.station_id
UNION ALL
SELECT at, 'old', temp, NULL FROM archive -- what was before
'''
time = "at"
timezone = "UTC"
station = "station"
"""
    + ONE
)


def make_joined(foreign: Foreign) -> None:
    foreign.make("stations", "name VARCHAR(20)")
    foreign.add("stations", [{"name": "A"}, {"name": "B"}])
    for table in ("obs", "archive"):
        foreign.make(table, "station_id INTEGER, at WALL, temp DECIMAL(8,2)")
        rows = [(2, 0, 7.25), (1, 1, 1.5), (1, 2, None), (1, 3, 3.75)]
        foreign.add(table, ({"station_id": s, "at": f"2024-01-01 0{n}:00:00", "temp": v} for s, n, v in rows))


def test_a_query_with_joins_and_unions_is_read_as_a_table(foreign):
    make_joined(foreign)
    with foreign.site(QUERY) as site:
        assert [station.name for station in site.inventory.stations()] == ["A", "B", "old"]
        assert shown(site) == [(HOUR, 1.5), (3 * HOUR, 3.75)]
        assert shown(site, station="old") == [(0, 7.25), (HOUR, 1.5), (3 * HOUR, 3.75)]
        foreign.add("obs", [{"station_id": 1, "at": "2024-01-01 04:00:00", "temp": 4}])
        sync_inventory(site)
        assert shown(site) == [(HOUR, 1.5), (3 * HOUR, 3.75), (4 * HOUR, 4.0)]
        trial = tried(site)
        assert trial.explain
        assert any("A query has no index" in warning for warning in trial.warnings)


def test_the_times_of_a_month_reach_the_index_beneath_a_query(foreign):
    make_joined(foreign)
    foreign.add("obs", ({"station_id": 1, "at": f"{2000 + n // 12}-{n % 12 + 1:02}-01 00:00:00", "temp": n} for n in range(288)))
    foreign.run("CREATE INDEX obs_by_station_and_time ON obs (station_id, at)", "CREATE INDEX by_time ON obs (at)")
    if foreign.kind != "sqlite":
        foreign.run("ANALYZE obs" if foreign.kind == "postgresql" else "ANALYZE TABLE obs")
    query = "SELECT o.at, s.name AS station, o.temp FROM obs o JOIN stations s ON s.id = o.station_id"
    with foreign.site(f'query = "{query}"\ntime = "at"\ntimezone = "UTC"\nstation = "station"\n{ONE}') as site:
        assert "by_" in "\n".join(tried(site).explain)


def test_a_query_whose_column_or_table_is_missing_is_a_sentence(foreign):
    make_joined(foreign)
    for old, new, told in (("o.temp", "o.temp AS heat", "no such column"), ("stations s", "nothing s", "nothing")):
        with (
            foreign.site(QUERY.replace(old, new), synced=False) as site,
            pytest.raises(SourceMismatch, match=told),
        ):
            sync_inventory(site)


def test_the_sessions_of_a_mapped_source_cannot_write(foreign):
    make_joined(foreign)
    with foreign.site(QUERY) as site, pytest.raises(DBAPIError, match="(?i)read.?only"), site.source.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM obs")


# Many tables


def test_a_table_a_month_is_read_as_one(foreign):
    for month, days in ((1, (1, 31)), (2, (1, 29)), (12, (31,))):
        foreign.make(f"data_1_2024_{month:02}", "tag VARCHAR(9), at BIGINT, value DOUBLE PRECISION", number=False)
        rows = ({"tag": "TT", "at": utc_ms(2024, month, day), "value": month + day / 100} for day in days)
        foreign.add(f"data_1_2024_{month:02}", rows)
    # in another month's table
    foreign.add("data_1_2024_02", [{"tag": "TT", "at": utc_ms(2023, 6, 1), "value": 9}])
    foreign.make("data_1_2024_xx", "tag VARCHAR(9), at BIGINT, value DOUBLE PRECISION")
    keys = 'tables = "data_1_{year}_{month:02}"\nlayout = "tall"\ntime = "at"\ntime_unit = "ms"\n'
    mapping = f'{keys}{HEAD}{TALL}value = "value"\n[freshness]\ncheck = "always"\n'
    with foreign.site(mapping) as site:
        wanted = [(0, 1.01), (30 * DAY, 1.31), (31 * DAY, 2.01), (59 * DAY, 2.29), (365 * DAY, 12.31)]
        assert shown(site) == wanted
        foreign.make("data_1_2024_03", "tag VARCHAR(9), at BIGINT, value DOUBLE PRECISION", number=False)
        foreign.add("data_1_2024_03", [{"tag": "TT", "at": utc_ms(2024, 3, 1), "value": 3}])
        sync_inventory(site)
        assert (60 * DAY, 3.0) in shown(site)
        assert shown(site, year=2023)[0][1] == 9.0


def test_a_table_an_item_tells_the_tag_by_its_name(foreign):
    foreign.make("items", "itemname VARCHAR(40)")
    foreign.add("items", [{"itemname": "Garden_Hum"}, {"itemname": "Garden_Temp"}])
    for number, kind in ((1, "DECIMAL(8,2)"), (2, "DOUBLE PRECISION"), (3, "VARCHAR(20)")):
        foreign.run(f"CREATE TABLE item000{number} (at BIGINT PRIMARY KEY, value {kind})")
        if number < 3:
            foreign.add(f"item000{number}", ({"at": START + n * HOUR, "value": n + number / 4} for n in range(3)))
    mapping = f"""tables = "item{{item:04}}"
layout = "tall"
time = "at"
time_unit = "ms"
{HEAD}[sensors]
temperature = "Garden_Temp"
humidity = "Garden_Hum"
[tall]
tag = "item"
value = "value"
[names]
table = "items"
key = "id"
name = "itemname"
"""
    with foreign.site(mapping) as site:
        assert shown(site) == [(0, 0.5), (HOUR, 1.5), (2 * HOUR, 2.5)]
        assert shown(site, "humidity") == [(0, 0.25), (HOUR, 1.25), (2 * HOUR, 2.25)]


def test_tables_of_which_none_fits_are_a_sentence(foreign):
    mapping = f'tables = "nothing_{{year}}"\ntime = "at"\n{HEAD}{ONE}'
    with foreign.site(mapping, synced=False) as site, pytest.raises(SourceMismatch, match="0 tables and views fit"):
        sync_inventory(site)
