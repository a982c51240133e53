"""Corrections that are hard to see in a table that the site has already:
each makes its month stale, and a look at rest none.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from data.source.mapped import changes as mapped_changes
from data.source.mapped import high_water_marks
from data.source.mapped.check import check_mapping
from data.source_sync import sync_inventory
from data.time.months import month_bounds_ms, month_of
from errors import SourceMismatch
from tests.foreign import Foreign, foreign_at, load, rows_of, utc_ms, wall

HOUR = 3_600_000
START = utc_ms(2019, 1, 10)
LATER = utc_ms(2019, 3, 10)
MAPPING = """
table = "t"
time = "at"
timezone = "Asia/Jakarta"
station = "station"
[sensors]
temperature = "temp"
humidity = "hum"
"""
MARKED = MAPPING + '[freshness]\nupdated = "changed"\n'


@pytest.fixture
def foreign(database_url: str, tmp_path: Path) -> Iterator[Foreign]:
    with foreign_at(database_url, tmp_path) as made:
        yield made


def fill(foreign: Foreign, columns: str, **more: Any) -> None:
    """Ten rows of January and ten of March of two stations; without a number of their own."""
    foreign.make("t", f"station VARCHAR(9), at WALL, {columns}", number=False)
    rows = [
        {"station": station, "at": wall(month + n * HOUR), "temp": 20 + n, "hum": 50 + n, **more}
        for month in (START, LATER)
        for station in ("a", "b")
        for n in range(10)
    ]
    foreign.add("t", rows)


def correct(foreign: Foreign, hour: int, station: str = "a", **values: Any) -> None:
    changed = ", ".join(f"{name} = {value!r}" for name, value in values.items())
    foreign.run(f"UPDATE t SET {changed} WHERE station = '{station}' AND at = '{wall(START + hour * HOUR)}'")


# By the time of change


KINDS = {
    "time": ("WALL", "2019-04-01 10:00:00"),
    "number": ("BIGINT", 1_554_000_000),
    "text": ("VARCHAR(30)", "2019-04-01T10:00:00"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_that_is_corrected_again_within_the_second_of_the_mark_is_found(foreign, kind):
    declared, second = KINDS[kind]
    fill(foreign, f"temp DOUBLE PRECISION, hum DOUBLE PRECISION, changed {declared}", changed=second)
    with foreign.site(MARKED) as site:
        load(site, "a", ["temperature"])
        correct(foreign, 3, temp=55.5)  # all in the second that the mark has seen
        # the stretch reaches into both months
        assert load(site, "a", ["temperature"])["tiles_read"] == 2
        assert 55.5 in rows_of(site, "a", "temperature")[1]
        correct(foreign, 3, temp=55.6)
        load(site, "a", ["temperature"])
        assert 55.6 in rows_of(site, "a", "temperature")[1]
        assert load(site, "a", ["temperature"])["tiles_read"] == 0
        assert sync_inventory(site).months == 0


def test_a_correction_that_moves_a_row_within_the_stretch_below_the_mark_is_found(foreign):
    fill(foreign, "temp DOUBLE PRECISION, hum DOUBLE PRECISION, changed WALL", changed="2019-04-01 09:58:00")
    correct(foreign, 0, "b", changed="2019-04-01 10:00:00")
    with foreign.site(MARKED) as site:
        load(site, "a", ["temperature"])
        # committed late, below the mark
        correct(foreign, 3, temp=55.5, changed="2019-04-01 09:59:00")
        load(site, "a", ["temperature"])
        assert 55.5 in rows_of(site, "a", "temperature")[1]


def test_a_table_at_rest_is_not_read_again_however_many_rows_its_last_second_has(foreign, monkeypatch):
    fill(foreign, "temp DOUBLE PRECISION, hum DOUBLE PRECISION, changed WALL", changed="2019-04-01 10:00:00")
    monkeypatch.setattr(high_water_marks, "MOST_HASHED", 30)
    with foreign.site(MARKED) as site:
        assert [sync_inventory(site).months for _ in range(3)] == [0, 0, 0]
        correct(foreign, 3, temp=55.5, changed="2019-04-01 10:00:01")
        assert sync_inventory(site).months > 0
        assert sync_inventory(site).months == 0


def test_a_row_that_a_correction_takes_out_of_the_filter_makes_its_month_stale_but_no_station(foreign):
    fill(foreign, "temp DOUBLE PRECISION, hum DOUBLE PRECISION, changed WALL, gone INT", changed="2019-03-15 10:00:00", gone=0)
    correct(foreign, 0, "b", changed="2019-04-01 10:00:00")
    mapping = MARKED.replace("[sensors]", "where = [{ column = 'gone', equals = 0 }]\n[sensors]")
    with foreign.site(mapping) as site:
        load(site, "a", ["temperature"])
        correct(foreign, 3, gone=1, changed="2019-05-01 10:00:00")
        hidden = f"('hidden', '{wall(LATER)}', 1, 1, '2019-05-01 10:00:00', 1)"
        foreign.run(f"INSERT INTO t (station, at, temp, hum, changed, gone) VALUES {hidden}")
        assert load(site, "a", ["temperature"])["tiles_read"] == 1
        assert 23.0 not in rows_of(site, "a", "temperature")[1][:10]
        assert [station.name for station in site.inventory.stations()] == ["a", "b"]


def test_a_table_that_was_emptied_and_numbers_its_rows_anew_is_read_anew(foreign):
    foreign.make("t", "station VARCHAR(9), at WALL, temp DOUBLE PRECISION, hum DOUBLE PRECISION")
    add = "INSERT INTO t (id, station, at, temp, hum) VALUES ({id}, 'a', '{at}', {temp}, 1)"
    foreign.run(*(add.format(id=9000 + n, at=wall(START + n * HOUR), temp=20) for n in range(9)))
    with foreign.site(MAPPING) as site:
        load(site, "a", ["temperature"])
        foreign.run("DELETE FROM t", *(add.format(id=1 + n, at=wall(START + n * HOUR), temp=30) for n in range(9)))
        load(site, "a", ["temperature"])
        assert set(rows_of(site, "a", "temperature")[1].tolist()) == {30.0}


# By fingerprints


def held(foreign: Foreign, mapping: str = MAPPING) -> dict[str, str]:
    """What January holds of each station."""
    with foreign.reader(mapping) as (reader, connection):
        return mapped_changes.fingerprints(connection, reader.reflected, ["a", "b", "nobody"], *month_bounds_ms(month_of(START)))


CHANGES = {
    "a tiny correction": "UPDATE t SET temp = 23.000000000000004 WHERE station = 'a' AND temp = 23",
    "corrections that cancel": "UPDATE t SET temp = CASE temp WHEN 23 THEN 24 WHEN 25 THEN 24 ELSE temp END WHERE station = 'a'",
    "two values that change places": "UPDATE t SET temp = CASE temp WHEN 23 THEN 24 WHEN 24 THEN 23 ELSE temp END"
    " WHERE station = 'a'",
    "two columns that change places": "UPDATE t SET temp = 57, hum = 27 WHERE station = 'a' AND hum = 57",
    "a value that becomes NULL": "UPDATE t SET hum = NULL WHERE station = 'a' AND hum = 57",
    "a deleted row and another": f"UPDATE t SET at = '{wall(START + 99 * HOUR)}' WHERE station = 'a' AND at = '{wall(START)}'",
    "a row that changes its station": f"UPDATE t SET station = 'b' WHERE station = 'a' AND at = '{wall(START)}'",
}


def test_whatever_changes_in_a_month_changes_its_fingerprint_and_no_others(foreign):
    for change, statement in CHANGES.items():
        foreign.run("DROP TABLE IF EXISTS t")
        fill(foreign, "temp DOUBLE PRECISION, hum DOUBLE PRECISION")
        before = held(foreign)
        assert held(foreign) == before, change
        foreign.run(statement)
        after = held(foreign)
        assert after["a"] != before["a"], change
        assert (after["b"] != before["b"]) is ("changes its station" in change), change
        assert after["nobody"] == before["nobody"], change


@pytest.mark.parametrize("kind", ["REAL", "DECIMAL(12,6)", "FLOAT"])
def test_the_last_digit_of_any_number_is_in_the_fingerprint(foreign, kind):
    fill(foreign, f"temp {kind}, hum {kind}")
    before = held(foreign)
    correct(foreign, 3, temp=23.000002)
    assert held(foreign)["a"] != before["a"]


def test_a_fingerprint_does_not_depend_on_the_order_of_the_rows(foreign):
    fill(foreign, "temp DOUBLE PRECISION, hum DOUBLE PRECISION")
    before = held(foreign)
    foreign.run("CREATE TABLE u AS SELECT * FROM t", "DELETE FROM t", "INSERT INTO t SELECT * FROM u ORDER BY temp DESC, station")
    assert held(foreign) == before


def test_the_fingerprint_of_a_tall_table_tells_which_sensor_has_which_value(foreign):
    foreign.make("t", "station VARCHAR(9), tag VARCHAR(9), value VARCHAR(9), at WALL", number=False)
    rows = [
        {"station": "a", "tag": tag, "value": value, "at": wall(START)} for tag, value in (("TT", "1"), ("RH", "2"), ("XX", "3"))
    ]
    foreign.add("t", rows)
    mapping = MAPPING.replace('"temp"', '"TT"').replace('"hum"', '"RH"') + '[tall]\ntag = "tag"\nvalue = "value"\n'
    mapping = mapping.replace('table = "t"', 'table = "t"\nlayout = "tall"')
    before = held(foreign, mapping)
    foreign.run("UPDATE t SET value = '4' WHERE tag = 'XX'")
    assert held(foreign, mapping) == before  # nobody maps it
    foreign.run("UPDATE t SET value = CASE tag WHEN 'TT' THEN '2' ELSE '1' END WHERE tag <> 'XX'")
    assert held(foreign, mapping)["a"] != before["a"]


def test_corrections_that_cancel_are_read_by_the_next_job(foreign):
    fill(foreign, "temp DOUBLE PRECISION, hum DOUBLE PRECISION")
    with foreign.site(MAPPING + '[freshness]\ncheck = "always"\n') as site:
        load(site, "a", ["temperature"])
        assert load(site, "a", ["temperature"])["tiles_read"] == 0
        foreign.run(CHANGES["corrections that cancel"])
        assert load(site, "a", ["temperature"])["tiles_read"] >= 1
        assert rows_of(site, "a", "temperature")[1][3:6].tolist() == [24.0, 24.0, 24.0]


def test_a_look_that_somebody_else_overtakes_notes_no_fingerprint(foreign, monkeypatch):
    """Otherwise the change that it found would be known, and its month never read."""
    fill(foreign, "temp DOUBLE PRECISION, hum DOUBLE PRECISION")
    with foreign.site(MAPPING + '[freshness]\ncheck = "always"\n') as site:
        load(site, "a", ["temperature"])
        correct(foreign, 3, temp=55.5)
        real = mapped_changes.fingerprints

        def overtaken(*arguments: Any) -> dict[str, str]:
            monkeypatch.setattr(mapped_changes, "fingerprints", real)
            if foreign.kind != "sqlite":  # whose file this look has for itself
                sync_inventory(site)
            else:
                with site.engine.begin() as own:
                    own.exec_driver_sql("UPDATE source_look SET turn = turn + 1")
            return real(*arguments)

        monkeypatch.setattr(mapped_changes, "fingerprints", overtaken)
        load(site, "a", ["temperature"])
        load(site, "a", ["temperature"])
        assert 55.5 in rows_of(site, "a", "temperature")[1]


# Stations


def test_stations_that_the_mapping_lists_are_all_that_there_are_and_the_list_may_change(foreign):
    fill(foreign, "temp DOUBLE PRECISION, hum DOUBLE PRECISION, changed WALL", changed="2019-04-01 10:00:00")
    correct(foreign, 0, "b", changed="2019-05-01 10:00:00")
    listing = MARKED.replace("[sensors]", "stations = {names}\n[sensors]")
    with foreign.site(listing.format(names='["a", "nobody"]')) as site:
        assert [station.name for station in site.inventory.stations()] == ["a"]
        assert load(site, "a", ["temperature"])["tiles_read"] == 3
        correct(foreign, 3, "b", temp=55.5, changed="2019-05-01 10:00:01")
        sync_inventory(site)
        assert [station.name for station in site.inventory.stations()] == ["a"]
    with foreign.site(listing.format(names='["a", "b"]')) as site:
        assert [station.name for station in site.inventory.stations()] == ["a", "b"]
        assert load(site, "b", ["temperature"])["tiles_read"] == 3
    with foreign.site(listing.format(names='["b"]')) as site:
        assert [station.name for station in site.inventory.stations()] == ["b"]


def test_stations_that_take_too_long_to_find_are_told_an_index_and_a_list(foreign):
    if foreign.kind == "sqlite":
        pytest.skip("SQLite has no time limit of a statement")
    fill(foreign, "temp DOUBLE PRECISION, hum DOUBLE PRECISION")
    slow = "pg_sleep(0.05)" if foreign.kind == "postgresql" else "SLEEP(0.05)"
    foreign.run(f"CREATE VIEW late AS SELECT station, at, temp, hum FROM t WHERE {slow} IS NOT NULL")
    mapping = MAPPING.replace('table = "t"', 'table = "late"')
    told = r"takes too long. List them in the mapping: stations = \[.* its tables an index"
    with foreign.site(mapping, synced=False, job_timeout=1) as site, pytest.raises(SourceMismatch, match=told):
        sync_inventory(site)


def test_check_counts_rows_that_belong_to_no_month_or_to_no_station(foreign):
    fill(foreign, "temp DOUBLE PRECISION, hum DOUBLE PRECISION")
    zero = "'0000-00-00 00:00:00'" if foreign.kind == "mariadb" else "NULL"
    if foreign.kind == "mariadb":
        foreign.run(
            "SET SESSION sql_mode = ''", f"INSERT INTO t (station, at) VALUES ('a', {zero}), ('b', {zero}), (NULL, {zero})"
        )
    foreign.run("INSERT INTO t (station, at) VALUES ('a', NULL), (NULL, NULL)")
    with foreign.site(MAPPING) as site:
        trial = check_mapping(site.source, site.catalogue)
        job = load(site, "a", ["temperature"])
    found = (trial.null_times, trial.unreadable_times, trial.null_stations, job["bad_times"])
    assert found == ((2, 3, 2, 2) if foreign.kind == "mariadb" else (2, 0, 1, 1))
    assert "2 rows have no time (NULL) and are left out." in trial.warnings
    zero_dates = any("3 rows have times that cannot be read, such as zero dates" in each for each in trial.warnings)
    assert zero_dates is (foreign.kind == "mariadb")
