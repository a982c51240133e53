"""Times that cannot be read, first or last of a station or between:
the station and its other rows stay, and they are counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy import event

from data.request import request_of
from data.source.mapped.check import check_mapping
from data.source.mapped.mapping_report import MappingReport
from data.source.mapped.outlying_check import outlying_rows
from data.source.mapped.source import MappedSource
from data.source.mapped.station_bounds import bounds
from errors import SourceMismatch
from jobs.kinds.history import load_history
from tests.foreign import Foreign, foreign_at, load, rows_of, utc_ms

DAY = 86_400_000
ONE = 'timezone = "UTC"\n[sensors]\ntemperature = "temp"\n'
TEXT = f'table = "log"\ntime = "at"\nstation = "pos"\n{ONE}'
GOOD = [f"2024-{month:02}-{day:02} 12:00:00" for month in (1, 2, 3, 4) for day in (1, 15, 28)]
GOOD_MS = [utc_ms(2024, month, day, 12) for month in (1, 2, 3, 4) for day in (1, 15, 28)]
INDEXES = {"no index": "", "of station and time": "pos, at"}


@pytest.fixture
def foreign(database_url: str, tmp_path: Path) -> Iterator[Foreign]:
    with foreign_at(database_url, tmp_path) as made:
        yield made


def fill(foreign: Foreign, bad: list[Any], *, kind: str = "VARCHAR(30)", index: str = "pos, at", good: Any = GOOD) -> None:
    foreign.make("log", f"at {kind}, pos VARCHAR(40), temp DOUBLE PRECISION")
    foreign.add("log", ({"at": at, "pos": pos, "temp": float(n)} for n, at in enumerate(good) for pos in ("A", "B")))
    if bad:
        foreign.add("log", ({"at": at, "pos": "A", "temp": 99.0} for at in bad))
    if index:
        foreign.run(f"CREATE INDEX i ON log ({index})")


def seen(site: Any) -> dict[str, tuple[int, int]]:
    return {station.name: (station.first_ms, station.last_ms) for station in site.inventory.stations()}


def tried(site: Any) -> MappingReport:
    assert isinstance(site.source, MappedSource)
    return check_mapping(site.source, site.catalogue)


UNREADABLE = {
    "first of all": ["2023-02-30 12:00:00"],
    "last of all": ["2024-06-31 12:00:00", "2024-99-99 00:00:00"],
    "both ends": ["2023-00-00 00:00:00", "2024-12-32 00:00:00"],
    "a zero date": ["0000-00-00 00:00:00", "0000-00-00"],
    "words": ["zzz", "", "-", "NaN"],
    "year 9999": ["9999-12-31 23:59:59"],
    "of a clock that has lost its battery": ["2165-65-65 45:65:85"] * 30,
}


@pytest.mark.parametrize("index", INDEXES)
def test_a_station_keeps_its_readable_rows_and_the_others_are_counted(foreign, index):
    fill(foreign, [], index=INDEXES[index])
    for which, bad in UNREADABLE.items():
        foreign.add("log", ({"at": at, "pos": which, "temp": 1.0} for at in [*GOOD, *bad]))
    stations = ["A", "B", *UNREADABLE]
    with foreign.site(TEXT) as site:
        assert seen(site) == dict.fromkeys(stations, (GOOD_MS[0], GOOD_MS[-1]))
        metrics = load_history(
            site, request_of(stations, ["temperature"], "2023-01-01", "2025-01-01", "raw", "UTC"), lambda _: None
        )
        assert {each: rows_of(site, each, "temperature")[0].tolist() for each in stations} == dict.fromkeys(stations, GOOD_MS)
        trial = tried(site)
        with site.source.open() as reader:
            found = {which: reader.untimed([which]) for which in UNREADABLE}
    beyond = {which: len(bad) for which, bad in UNREADABLE.items()}
    assert found == beyond
    assert metrics["bad_times"] == sum(beyond.values())
    # words are told by another sentence
    words = beyond.pop("words")
    assert trial.unreadable_times == sum(beyond.values())
    for count in (words, sum(beyond.values())):
        assert any(f"{count} row" in each and " left out" in each for each in trial.warnings)


@pytest.mark.parametrize("index", INDEXES)
def test_months_behind_a_time_that_cannot_be_read_are_found_and_it_is_counted_once(foreign, index):
    # each between two months
    bad = ["2024-02-30 12:00:00", "2024-03-00 12:00:00", "2024-03-32 00:00:00"]
    fill(foreign, bad, index=INDEXES[index])
    for zone in ("UTC", "America/New_York"):
        with foreign.site(TEXT.replace("UTC", zone), name=zone.replace("/", "-")) as site:
            assert load(site, "A", ["temperature"], "2023-01-01", "2025-01-01")["bad_times"] == len(bad)
            assert len(rows_of(site, "A", "temperature")[0]) == len(GOOD_MS)


@pytest.mark.parametrize("index", INDEXES)
def test_a_station_without_any_readable_time_is_told_by_check(foreign, index):
    fill(foreign, [], index=INDEXES[index])
    foreign.add("log", ({"at": f"2024-13-{day}", "pos": "C", "temp": 1.0} for day in (10, 11, 12)))
    with foreign.site(TEXT) as site:
        assert [*seen(site)] == ["A", "B"]
        trial = tried(site)
    assert trial.unreadable_times == 3
    assert "These stations are left out, because none of their times can be read: C." in trial.warnings


def test_a_station_behind_very_many_unreadable_rows_is_found_all_the_same(foreign):
    fill(foreign, ["2165-65-65 45:65:85"] * 10_001)
    with foreign.site(TEXT) as site:
        assert seen(site)["A"] == (GOOD_MS[0], GOOD_MS[-1])
        assert tried(site).unreadable_times == 10_001


def test_a_station_with_very_many_unreadable_rows_at_both_ends_is_refused_with_an_example(foreign):
    fill(foreign, [at for at in ("1024-65-65", "2165-65-65") for _ in range(10_001)])
    with foreign.site(TEXT, synced=False) as site, pytest.raises(SourceMismatch) as caught:
        tried(site)
    assert "mapping.toml: A: neither its first nor its last 10000 times can be read, such as 1024-65-65" in caught.value.message


def test_a_usual_table_is_asked_for_one_row_at_each_end(foreign):
    fill(foreign, [])
    with foreign.site(TEXT, synced=False) as site, site.source.open() as reader, foreign.engine.connect() as connection:
        asked: list[str] = []
        event.listen(foreign.engine, "before_cursor_execute", lambda *event: asked.append(f"{event[2]} {event[3]}"))
        found = bounds(connection, reader.reflected)
    assert [each.unreadable for each in found] == [0, 0]
    # a jump to each station and one more; their ends
    assert sum("SELECT" in each for each in asked) == 3 + 2 * 2


NUMBERS = {
    "seconds": ("BIGINT", "s", [ms // 1000 for ms in GOOD_MS], [None, 253_402_300_799, -(10**14)]),
    "milliseconds": ("BIGINT", "ms", GOOD_MS, [None, 253_402_300_799_000, -(10**16)]),
    "days": ("DOUBLE PRECISION", "excel_day", [ms / DAY + 25_569 for ms in GOOD_MS], [None, 0.0, -1.0, 2_958_465.5]),
}


@pytest.mark.parametrize("which", NUMBERS)
def test_numbers_that_are_no_time_hide_no_station(foreign, which):
    kind, unit, good, bad = NUMBERS[which]
    fill(foreign, bad, kind=kind, good=good)
    with foreign.site(f'time_unit = "{unit}"\n{TEXT}') as site:
        assert seen(site) == dict.fromkeys(("A", "B"), (GOOD_MS[0], GOOD_MS[-1]))
        assert load(site, "A", ["temperature"], "2023-01-01", "2025-01-01")["bad_times"] == len(bad)
        trial = tried(site)
    assert (trial.null_times, trial.unreadable_times) == (1, len(bad) - 1)


def test_times_of_the_databases_own_that_are_placeholders_are_counted(foreign):
    fill(foreign, [None, "9999-12-31 00:00:00"], kind="TIMESTAMP" if foreign.kind == "postgresql" else "DATETIME")
    if foreign.kind == "mariadb":
        foreign.run("SET SESSION sql_mode = ''", "INSERT INTO log (at, pos, temp) VALUES ('0000-00-00', 'A', 1)")
    with foreign.site(TEXT) as site:
        assert seen(site) == dict.fromkeys(("A", "B"), (GOOD_MS[0], GOOD_MS[-1]))
        bad = 3 if foreign.kind == "mariadb" else 2
        assert load(site, "A", ["temperature"], "2023-01-01", "2025-01-01")["bad_times"] == bad
        assert tried(site).unreadable_times == bad - 1


@pytest.mark.parametrize("index", ["", "pos, tanggal, jam"])
def test_a_date_and_a_time_of_day_that_is_none_hide_no_station(foreign, index):
    foreign.make("log", "tanggal VARCHAR(20), jam VARCHAR(20), pos VARCHAR(20), temp DOUBLE PRECISION")
    for station, hours in (("A", "24:30:00"), ("B", "25:00:00"), ("C", None)):
        moments = [("2023-12-31", hours), ("2024-01-01", "00:10:00"), ("2024-01-02", "23:50:00"), ("2024-01-02", hours)]
        foreign.add("log", ({"tanggal": day, "jam": at, "pos": station, "temp": 1.0} for day, at in moments))
    if index:
        foreign.run(f"CREATE INDEX i ON log ({index})")
    with foreign.site(TEXT.replace('"at"', '["tanggal", "jam"]')) as site:
        assert seen(site) == dict.fromkeys("ABC", (utc_ms(2024, 1, 1, 0, 10), utc_ms(2024, 1, 2, 23, 50)))
        bad = {each: load(site, each, ["temperature"], "2023-01-01", "2025-01-01")["bad_times"] for each in "ABC"}
        trial = tried(site)
    assert bad == dict.fromkeys("ABC", 2)
    assert trial.null_times + trial.unreadable_times == 6


def test_24_o_clock_of_a_database_is_the_midnight_behind(foreign):
    if foreign.kind == "sqlite":
        pytest.skip("SQLite has no times of day")
    foreign.make("log", "tanggal DATE, jam TIME, pos VARCHAR(20), temp DOUBLE PRECISION")
    foreign.add("log", ({"tanggal": "2024-01-01", "jam": jam, "pos": "A", "temp": 1.0} for jam in ("00:10:00", "24:00:00", None)))
    with foreign.site(TEXT.replace('"at"', '["tanggal", "jam"]')) as site:
        assert seen(site) == {"A": (utc_ms(2024, 1, 1, 0, 10), utc_ms(2024, 1, 2))}
        assert tried(site).null_times == 1


@pytest.mark.parametrize("index", ["", "pos, y, m, d"])
def test_parts_that_make_no_day_hide_no_station(foreign, index):
    foreign.make("log", "y INTEGER, m INTEGER, d INTEGER, pos VARCHAR(20), temp DOUBLE PRECISION")
    days = [(2023, 2, 29), (2024, 1, 5), (2024, 3, 5), (2024, 4, 31), (2024, 6, 0), (2024, None, 1)]
    foreign.add("log", ({"y": y, "m": m, "d": d, "pos": "A", "temp": 1.0} for y, m, d in days))
    if index:
        foreign.run(f"CREATE INDEX i ON log ({index})")
    with foreign.site(TEXT.replace('time = "at"', 'time_parts = { year = "y", month = "m", day = "d" }')) as site:
        assert seen(site) == {"A": (utc_ms(2024, 1, 5), utc_ms(2024, 3, 5))}
        assert load(site, "A", ["temperature"], "2023-01-01", "2025-01-01")["bad_times"] == 4
        trial = tried(site)
    assert trial.null_times + trial.unreadable_times == 4


@pytest.mark.parametrize("index", [True, False])
def test_monthly_tables_of_which_one_ends_with_no_time_are_read_whole(foreign, index):
    for month in (1, 2):
        foreign.make(f"log_{month:02}", "at VARCHAR(30), pos VARCHAR(20), temp DOUBLE PRECISION")
        times = [f"2024-{month:02}-00 00:00:00", *GOOD[3 * month - 3 : 3 * month], f"2024-{month:02}-32 00:00:00"]
        foreign.add(f"log_{month:02}", ({"at": at, "pos": "A", "temp": 1.0} for at in times))
        if index:
            foreign.run(f"CREATE INDEX i{month} ON log_{month:02} (pos, at)")
    with foreign.site(TEXT.replace('table = "log"', 'tables = "log_{month:02}"')) as site:
        assert seen(site) == {"A": (GOOD_MS[0], GOOD_MS[5])}
        assert load(site, "A", ["temperature"], "2023-01-01", "2025-01-01")["bad_times"] == 4
        assert tried(site).unreadable_times == 4


def test_text_that_does_not_sort_keeps_its_stations_and_check_counts_the_rest(foreign):
    good = [f"{at[8:10]}/{at[5:7]}/{at[:4]}" for at in GOOD]
    fill(foreign, ["30/02/2024", "zzz"], good=good)
    with foreign.site(f'time_format = "%d/%m/%Y"\n{TEXT}') as site:
        assert [*seen(site)] == ["A", "B"]
        assert tried(site).unreadable_times == 2


def test_a_station_of_a_lake_keeps_its_readable_rows(tmp_path):
    with duckdb.connect(str(tmp_path / "lake.duckdb")) as made:
        made.execute('CREATE TABLE log ("at" VARCHAR, pos VARCHAR, temp DOUBLE)')
        made.executemany("INSERT INTO log VALUES (?, 'A', 1)", [[at] for at in ["2023-02-30", *GOOD, "2024-06-31", "zzz", None]])
        made.execute(f"COPY log TO '{tmp_path}/log.parquet'")
    for where in (f'url = "duckdb:///{tmp_path}/lake.duckdb"\ntable = "log"', f'parquet = "{tmp_path}/log.parquet"'):
        with foreign_at(f"sqlite:///{tmp_path}/unused.sqlite", tmp_path) as desk:
            mapping = TEXT.replace('table = "log"', where)
            with desk.site(f"# url_env\n{mapping}", name=where[:4]) as site:
                assert seen(site) == {"A": (GOOD_MS[0], GOOD_MS[-1])}
                assert load(site, "A", ["temperature"], "2023-01-01", "2025-01-01")["bad_times"] == 4
                trial = tried(site)
    assert (trial.null_times, trial.unreadable_times) == (1, 2)  # zzz is told by another sentence


@pytest.mark.parametrize("bad", ["2099-02-30 12:00:00", "2099-12-32 12:00:00"])
def test_check_tells_from_when_outlying_rows_are_though_one_cannot_be_read(foreign, bad):
    fill(foreign, [bad, "2099-03-01 00:00:00", "2099-12-31 00:00:00"])
    with foreign.site(TEXT) as site:
        (found,) = outlying_rows(site.source, site.inventory.stations())
    assert (found.first, found.last) == ("2099-03-01T00:00:00Z", "2099-12-31T00:00:00Z")
