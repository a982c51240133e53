"""The mappings of docs/sources.md for tables of other programs:
each on its program's own schema and kind of database.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from data.catalogue import load_catalogue
from data.source.mapped.check import check_mapping
from data.source.mapped.mapping_loading import parse_mapping
from data.source.mapped.programs import mapping_of, programs_in
from data.source.mapped.propose import Sample, mapping_text, propose_mappings
from data.source.mapped.source import MappedSource
from tests.contract.test_sources_page import RECIPES
from tests.databases import DATABASES
from tests.foreign import Foreign, foreign_at, load, rows_of, utc_ms
from tests.processes import ROOT

HOUR = 3_600_000
START = utc_ms(2024, 1, 31, 22)
TIMES = [START + n * HOUR for n in range(4)]  # over the edge of a month


@contextmanager
def database(kind: str, folder: Path) -> Iterator[Foreign]:
    with DATABASES[kind](folder) as url, foreign_at(url, folder) as made:
        yield made


def shown(
    foreign: Foreign, recipe: str, station: str, sensor: str, monkeypatch: pytest.MonkeyPatch
) -> list[tuple[int, float, int]]:
    """What a recipe reads of a sensor: hours since START, value, flag."""
    monkeypatch.setenv("SITE_DATABASE_URL", foreign.url)
    with foreign.site(RECIPES[recipe]) as site:
        load(site, station, [sensor], "2024-01-31", "2024-02-02")
        columns = rows_of(site, station, sensor)
    return [(int(at - START) // HOUR, round(float(value), 3), int(flag)) for at, value, flag in zip(*columns, strict=True)]


def test_weewx(tmp_path, monkeypatch):
    with database("sqlite", tmp_path) as foreign:
        foreign.run(
            "CREATE TABLE archive (dateTime INTEGER NOT NULL UNIQUE PRIMARY KEY, usUnits INTEGER NOT NULL,"
            " interval INTEGER NOT NULL, outTemp REAL, outHumidity REAL, barometer REAL, rain REAL, windSpeed REAL,"
            " windDir REAL, radiation REAL)"
        )
        rows = zip(TIMES, (68.0, None, 50.0, 32.0), strict=True)
        foreign.add(
            "archive", ({"dateTime": at // 1000, "usUnits": 1, "interval": 5, "outTemp": t, "rain": 0.1} for at, t in rows)
        )
        assert shown(foreign, "weewx", "weewx", "temperature", monkeypatch) == [(0, 20, 0), (2, 10, 0), (3, 0, 0)]
        assert shown(foreign, "weewx", "weewx", "rainfall", monkeypatch)[0] == (0, 2.54, 0)


def test_home_assistant(tmp_path, monkeypatch):
    with database("sqlite", tmp_path) as foreign:
        foreign.run(
            "CREATE TABLE states_meta (metadata_id INTEGER PRIMARY KEY, entity_id VARCHAR(255))",
            "CREATE TABLE states (state_id INTEGER PRIMARY KEY, state VARCHAR(255), last_updated_ts FLOAT, metadata_id INTEGER)",
            "CREATE TABLE statistics_meta (id INTEGER PRIMARY KEY, statistic_id VARCHAR(255), unit_of_measurement VARCHAR(255))",
            "CREATE TABLE statistics (id INTEGER PRIMARY KEY, start_ts FLOAT, metadata_id INTEGER, mean FLOAT)",
            "INSERT INTO states_meta VALUES (1, 'sun.sun'), (2, 'sensor.garden_temperature')",
            "INSERT INTO statistics_meta VALUES (7, 'sensor.garden_temperature', '°C')",
        )
        states = zip(TIMES, ("20.5", "unavailable", "unknown", "21"), strict=True)
        foreign.add("states", ({"state": v, "last_updated_ts": at / 1000 + 0.25, "metadata_id": 2} for at, v in states))
        foreign.add("states", [{"state": "above_horizon", "last_updated_ts": START / 1000, "metadata_id": 1}])
        foreign.add("statistics", ({"start_ts": at / 1000, "metadata_id": 7, "mean": n / 2} for n, at in enumerate(TIMES)))
        assert shown(foreign, "home-assistant-states", "home", "temperature", monkeypatch) == [(0, 20.5, 0), (3, 21, 0)]
        wanted = [(n, n / 2, 0) for n in range(4)]
        assert shown(foreign, "home-assistant-statistics", "home", "temperature", monkeypatch) == wanted


def test_ignition(tmp_path, monkeypatch):
    with database("mariadb", tmp_path) as foreign:
        foreign.run(
            "CREATE TABLE sqlth_te (id INT AUTO_INCREMENT PRIMARY KEY, tagpath VARCHAR(255), scid INT, datatype INT)",
            "INSERT INTO sqlth_te (tagpath) VALUES ('aws1/air temp'), ('aws1/other'), ('aws1/air temp')",
        )
        for month, times in (("2024_01", TIMES[:2]), ("2024_02", TIMES[2:])):
            foreign.run(
                f"CREATE TABLE sqlt_data_1_{month} (tagid INT, intvalue BIGINT, floatvalue DOUBLE, stringvalue VARCHAR(255),"
                " datevalue DATETIME, dataintegrity INT, t_stamp BIGINT, PRIMARY KEY (tagid, t_stamp), KEY (t_stamp))"
            )
            tag = 1 if month == "2024_01" else 3  # the tag was changed meanwhile
            rows = ({"tagid": tag, "floatvalue": 20.5, "intvalue": None, "dataintegrity": 192, "t_stamp": at} for at in times[:1])
            foreign.add(f"sqlt_data_1_{month}", rows)
            last = {"tagid": tag, "floatvalue": None, "intvalue": 21, "dataintegrity": 500, "t_stamp": times[1]}
            foreign.add(f"sqlt_data_1_{month}", [last, last | {"tagid": 2}])
        wanted = [(0, 20.5, 0), (1, 21, 2), (2, 20.5, 0), (3, 21, 2)]
        assert shown(foreign, "ignition", "aws1", "temperature", monkeypatch) == wanted


def test_thingsboard(tmp_path, monkeypatch):
    station = "784f394c-42b6-435a-983c-b7beff2784f9"
    with database("postgresql", tmp_path) as foreign:
        foreign.run(
            "CREATE TABLE key_dictionary (key VARCHAR(255) PRIMARY KEY, key_id SERIAL UNIQUE)",
            "CREATE TABLE ts_kv (entity_id UUID, key INT, ts BIGINT, bool_v BOOLEAN, str_v VARCHAR(10000000), long_v BIGINT,"
            " dbl_v DOUBLE PRECISION, json_v JSON, PRIMARY KEY (entity_id, key, ts)) PARTITION BY RANGE (ts)",
            "CREATE TABLE ts_kv_indefinite PARTITION OF ts_kv DEFAULT",
            "INSERT INTO key_dictionary (key) VALUES ('humidity'), ('temperature')",
            *(
                f"INSERT INTO ts_kv (entity_id, key, ts, long_v, dbl_v) VALUES ('{station}', 2, {at}, {a}, {b})"
                for at, a, b in zip(TIMES, ("NULL", "20", "NULL", "-3"), ("19.5", "NULL", "20.5", "NULL"), strict=True)
            ),
        )
        wanted = [(0, 19.5, 0), (1, 20, 0), (2, 20.5, 0), (3, -3, 0)]
        assert shown(foreign, "thingsboard", station, "temperature", monkeypatch) == wanted


def test_zabbix(tmp_path, monkeypatch):
    with database("mariadb", tmp_path) as foreign:
        foreign.run(
            "CREATE TABLE hosts (hostid BIGINT UNSIGNED PRIMARY KEY, host VARCHAR(128))",
            "CREATE TABLE items (itemid BIGINT UNSIGNED PRIMARY KEY, hostid BIGINT UNSIGNED, name VARCHAR(255),"
            " key_ VARCHAR(2048))",
            "CREATE TABLE history (itemid BIGINT UNSIGNED, clock INT, value DOUBLE PRECISION, ns INT,"
            " PRIMARY KEY (itemid, clock, ns))",
            "CREATE TABLE history_uint (itemid BIGINT UNSIGNED, clock INT, value BIGINT UNSIGNED, ns INT,"
            " PRIMARY KEY (itemid, clock, ns))",
            "INSERT INTO hosts VALUES (10, 'aws-bogor'), (11, 'server')",
            "INSERT INTO items VALUES (100, 10, 'T', 'aws.temp'), (101, 10, 'RH', 'aws.hum'), (102, 11, 'CPU', 'system.cpu')",
        )
        foreign.add("history", ({"itemid": 100, "clock": at // 1000, "value": n + 0.5, "ns": 7} for n, at in enumerate(TIMES)))
        foreign.add(
            "history_uint", ({"itemid": 101, "clock": at // 1000, "value": 80 + n, "ns": 7} for n, at in enumerate(TIMES))
        )
        assert shown(foreign, "zabbix", "aws-bogor", "temperature", monkeypatch) == [(n, n + 0.5, 0) for n in range(4)]
        assert shown(foreign, "zabbix", "aws-bogor", "humidity", monkeypatch) == [(n, 80 + n, 0) for n in range(4)]


def test_openhab(tmp_path, monkeypatch):
    with database("mariadb", tmp_path) as foreign:
        foreign.run(
            "CREATE TABLE items (ItemId INT NOT NULL AUTO_INCREMENT, itemname VARCHAR(500) NOT NULL, PRIMARY KEY (ItemId))",
            "INSERT INTO items (itemname) VALUES ('Garden_Humidity'), ('Lamp'), ('Garden_Temperature')",
            "CREATE TABLE item0001 (time TIMESTAMP(3) PRIMARY KEY, value DOUBLE)",
            "CREATE TABLE item0002 (time TIMESTAMP(3) PRIMARY KEY, value VARCHAR(6))",
            "CREATE TABLE item0003 (time TIMESTAMP(3) PRIMARY KEY, value DECIMAL(8,3))",
            "INSERT INTO item0002 VALUES ('2024-02-01 05:00:00', 'ON')",
            *(f"INSERT INTO item0003 VALUES ('2024-02-01 0{5 + n}:00:00', {20 + n / 8})" for n in range(4)),
        )
        # 05:00 in Jakarta is 22:00 UTC
        found = shown(foreign, "openhab", "garden", "temperature", monkeypatch)
        assert found == [(n, 20 + n / 8, 0) for n in range(4)]


def test_tanggal_and_jam(tmp_path, monkeypatch):
    with database("mariadb", tmp_path) as foreign:
        foreign.run(
            "CREATE TABLE data_aws (id INT AUTO_INCREMENT PRIMARY KEY, tanggal DATE, jam TIME, pos VARCHAR(20), suhu DOUBLE,"
            " hujan_total DOUBLE)"
        )
        rows = zip(range(5, 9), (25.0, -99, 25.5, 26.0), (0.2, 0.2, 0.6, -99), strict=True)
        foreign.add(
            "data_aws",
            ({"tanggal": "2024-02-01", "jam": f"0{h}:00:00", "pos": "A", "suhu": t, "hujan_total": r} for h, t, r in rows),
        )
        assert shown(foreign, "tanggal-jam", "A", "temperature", monkeypatch) == [(0, 25, 0), (2, 25.5, 0), (3, 26, 0)]
        assert shown(foreign, "tanggal-jam", "A", "rainfall", monkeypatch) == [(0, 0.2, 0), (1, 0, 0), (2, 0.4, 0)]


# Finding them


@pytest.mark.parametrize("file", sorted((ROOT / "data" / "mappings").glob("*.toml")), ids=lambda file: file.stem)
def test_what_inspect_writes_is_what_the_page_says(file):
    assert file.read_text(encoding="utf-8") == RECIPES[file.stem]


FOUND = {
    "weewx": ["CREATE TABLE archive (dateTime INTEGER PRIMARY KEY, usUnits INTEGER, interval INTEGER, outTemp REAL)"],
    "thingsboard": [
        "CREATE TABLE ts_kv_dictionary (key VARCHAR(9), key_id INTEGER)",
        "CREATE TABLE ts_kv (entity_id VARCHAR(40), key INTEGER, ts BIGINT, dbl_v REAL, long_v BIGINT)",
        "INSERT INTO ts_kv_dictionary VALUES ('windspeed', 1)",
    ],
    "openhab": [
        "CREATE TABLE items (ItemId INTEGER, itemname VARCHAR(40))",
        "CREATE TABLE item0001 (time TIMESTAMP, value REAL)",
        "INSERT INTO items VALUES (1, 'windspeed')",
    ],
}


@pytest.mark.parametrize("program", FOUND)
def test_inspect_finds_the_tables_of_a_program_and_lists_its_tags(tmp_path, program):
    with database("sqlite", tmp_path) as foreign:
        foreign.run("CREATE TABLE other (ts TIMESTAMP, station VARCHAR(9), temperature REAL)", *FOUND[program])
        with foreign.engine.connect() as connection:
            (found,) = programs_in(connection)
            text = mapping_of(connection, found, [], None)
        assert found.name == program
        parse_mapping(Path("site.toml"), text.replace('url_env = "SITE_DATABASE_URL"', 'url = "sqlite://"'), load_catalogue())
        assert ("#   windspeed" in text) is (program != "weewx")
        assert ('table = "ts_kv_dictionary"' in text) is (program == "thingsboard")


def test_a_tag_of_two_lines_stays_in_its_comment(tmp_path):
    with database("sqlite", tmp_path) as foreign:
        foreign.run(*FOUND["openhab"], "INSERT INTO items VALUES (2, 'two' || char(10) || 'station_name = 1')")
        with foreign.engine.connect() as connection:
            text = mapping_of(connection, programs_in(connection)[0], [], None)
    assert "#   two\\u000astation_name = 1" in text.splitlines()


def test_inspect_writes_toml_whatever_names_there_are(tmp_path):
    with database("sqlite", tmp_path) as foreign:
        foreign.run('CREATE TABLE "o""b\nx" (ts TIMESTAMP, station VARCHAR(9), "temp\\erature\t" REAL)')
        with foreign.engine.connect() as connection:
            found = propose_mappings(connection, load_catalogue(), None)[0]
            text = mapping_text(found, load_catalogue(), "UTC", Sample(), ["another\none"])
    written = tomllib.loads(text)
    assert (written["table"], written["sensors"]) == ('o"b\nx', {"temperature": "temp\\erature\t"})


def test_inspect_knows_the_names_that_a_profile_knows_and_takes_no_other_temperature_for_the_airs(tmp_path):
    with database("sqlite", tmp_path) as foreign:
        foreign.run(
            "CREATE TABLE log (ts TIMESTAMP, station VARCHAR(9), battery_temp REAL, Lufttemperatur REAL, humidade REAL, rh REAL,"
            " windDir REAL, avg_lightning REAL)"
        )
        own = tmp_path / "sensors.toml"
        keys = 'unit_code = "1"\nvalid = [0, 9]\naggregation = "mean"\ndrawing = "line"\ncolor = "#000000"\n'
        own.write_text(f'[lightning]\nlabel = {{ en = "Lightning" }}\nunit = ""\n{keys}')
        with foreign.engine.connect() as connection:
            found, of_own = (propose_mappings(connection, load_catalogue(file), None)[0].sensors for file in (None, own))
    assert found == {"temperature": "Lufttemperatur", "humidity": "rh", "wind_direction": "windDir"}
    assert of_own == {"lightning": "avg_lightning"}


def test_inspect_takes_a_date_and_a_time_of_day_together(tmp_path):
    with database("mariadb", tmp_path) as foreign:
        foreign.run("CREATE TABLE data_aws (id INT, tanggal DATE, jam TIME, pos VARCHAR(20), suhu DOUBLE)")
        with foreign.engine.connect() as connection:
            (found,) = propose_mappings(connection, load_catalogue())
        assert 'time = ["tanggal", "jam"]   # DATE and TIME' in mapping_text(found, load_catalogue(), "UTC", Sample(), [])


def test_inspect_offers_nothing_of_another_database(tmp_path):
    with database("mariadb", tmp_path) as foreign, database("mariadb", tmp_path) as other:
        other.run("CREATE TABLE readings (observed_at DATETIME, station VARCHAR(9), temperature DOUBLE)")
        with foreign.engine.connect() as connection:
            assert propose_mappings(connection, load_catalogue()) == []


# Hints on indexes

HEAD = 'time = "at"\nstation = "station"\n[sensors]\ntemperature = "temp"\n'
COLUMNS = "station VARCHAR(9), at TIMESTAMP, temp DOUBLE PRECISION"
PARTITIONED = [f"CREATE TABLE t ({COLUMNS}) PARTITION BY RANGE (at)", "CREATE TABLE t1 PARTITION OF t DEFAULT"]
TABLES = {
    "no index": ([f"CREATE TABLE t ({COLUMNS})"], "loading a month reads all of its rows. CREATE INDEX"),
    "a key": ([f"CREATE TABLE t ({COLUMNS}, PRIMARY KEY (station, at))"], None),
    "a partial index": (
        [f"CREATE TABLE t ({COLUMNS})", "CREATE INDEX i ON t (station, at) WHERE temp > 0"],
        "reads all of its rows",
    ),
    "a view": ([f"CREATE TABLE base ({COLUMNS})", "CREATE VIEW t AS SELECT * FROM base"], "A view has no index"),
    "partitions": (PARTITIONED, "partitioned by time"),
    "an index of partitions": ([*PARTITIONED, "CREATE INDEX i ON t (station, at)"], None),
}


@pytest.mark.parametrize("how", TABLES)
def test_a_hint_on_an_index_is_right_for_keys_views_and_partitions(tmp_path, how):
    statements, told = TABLES[how]
    with database("postgresql", tmp_path) as foreign:
        foreign.run(*statements)
        foreign.add("t", [{"station": "a", "at": "2024-01-01 00:00:00", "temp": 1}])
        with foreign.site(f'table = "t"\n{HEAD}') as site:
            assert isinstance(site.source, MappedSource)
            warnings = check_mapping(site.source, site.catalogue).warnings
    assert len(warnings) == (told is not None)
    assert told is None or told in warnings[0]
