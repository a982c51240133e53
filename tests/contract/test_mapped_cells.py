"""What the cells of a table mean: the keys of an import profile,
on every database and by either path; and running totals.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from data.catalogue import load_catalogue
from data.readings import clean
from data.source.mapped.check import check_mapping
from data.source.mapped.source import MappedSource
from data.source_sync import sync_inventory
from tests.foreign import Foreign, foreign_at, load, rows_of, utc_ms

HOUR, DAY = 3_600_000, 86_400_000
START = utc_ms(2024, 1, 1)
WIDE = 'table = "t"\ntime = "at"\ntime_unit = "ms"\ntimezone = "UTC"\nstation_name = "A"\n'
TALL = WIDE + 'layout = "tall"\n[tall]\ntag = "tag"\nvalue = "v"\n'
NAN = float("nan")
SINGLE = {"sqlite": "DOUBLE", "postgresql": "REAL", "mariadb": "FLOAT"}  # SQLite has doubles only


@pytest.fixture
def foreign(database_url: str, tmp_path: Path) -> Iterator[Foreign]:
    with foreign_at(database_url, tmp_path) as made:
        yield made


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Foreign]:
    with foreign_at(f"sqlite:///{tmp_path / 'desk.sqlite'}", tmp_path) as made:
        yield made


# By sensor and its keys: the column's type, what is stored, what is read (None:
# no value), how many cannot be read.
CELLS = {
    "a missing code": (
        "INTEGER",
        [68, -99, None, 68],
        'temperature = { X, unit = "degF", missing = [-99] }',
        [20, None, None, 20],
        0,
    ),
    "codes of a decimal": (
        "DECIMAL(8,2)",
        ["68.00", "-9999.00", "-99.00", "32.00"],
        'temperature = { X, unit = "degF", missing = [-99, "-9999"] }',
        [20, None, None, 0],
        0,
    ),
    "singles": (
        "SINGLE",
        [22.1, -99.9, 0.1, 16_777_216, None, 1e20],
        "temperature = { X, missing = [-99.9, 1e20] }",
        [22.1, None, 0.1, 16_777_216, None, None],
        0,
    ),
    "tenths of singles": ("SINGLE", [-99.9, 221.3], "temperature = { X, missing = [-99.9], scale = 0.1 }", [None, 22.13], 0),
    "a decimal comma": (
        "VARCHAR(20)",
        ["12,5", "1.013", "-0,25", "T"],
        'temperature = { X, decimal = "," }',
        [12.5, None, -0.25, None],
        2,
    ),
    "thousands": (
        "VARCHAR(20)",
        ["1.013,25", "999", "10.1", "n/a"],
        'pressure = { X, decimal = ",", thousands = ".", missing = ["N/A"] }',
        [1013.25, 999, None, None],
        1,
    ),
    "tenths": ("INTEGER", [215, -5, 0, None], "temperature = { X, scale = 0.1 }", [21.5, -0.5, 0, None], 0),
    "words": (
        "VARCHAR(20)",
        ["NNW", "n", "calm", "90"],
        "wind_direction = { X, words = { NNW = 337.5, N = 0 } }",
        [337.5, 0, None, 90],
        1,
    ),
    "a trace": (
        "VARCHAR(20)",
        ["T", "0.2", "", "x"],
        'rainfall = { X, words = { T = 0 }, unit = "mm" }',
        [0, 0.2, None, None],
        1,
    ),
    "a rate": ("DOUBLE PRECISION", [6, 0, None, 12], 'rainfall = { X, counts = "rate", step_s = 600 }', [1, 0, None, 2], 0),
}


@pytest.mark.parametrize("layout", ["wide", "tall"])
def test_cells_mean_what_the_keys_of_a_profile_say(foreign, layout):
    catalogue = load_catalogue()
    for number, (how, (kind, stored, line, wanted, unreadable)) in enumerate(CELLS.items()):
        foreign.make(f"t{number}", f"at BIGINT, tag VARCHAR(9), v {kind.replace('SINGLE', SINGLE[foreign.kind])}")
        foreign.add(f"t{number}", ({"at": START + n * HOUR, "tag": "x", "v": value} for n, value in enumerate(stored)))
        head = (WIDE if layout == "wide" else TALL).replace('"t"', f'"t{number}"')
        keys = line.replace("X", 'column = "v"' if layout == "wide" else 'tag = "x"')
        sensor = line.split(" ")[0]
        with foreign.reader(f"{head}[sensors]\n{keys}\n") as (reader, _), reader.source.open(fast=False) as general:
            fast, slow = (each.read("A", [sensor], [(START, START + DAY)]) for each in (reader, general))
            trial = check_mapping(reader.source, catalogue)
        assert fast.values[sensor].tobytes() == slow.values[sensor].tobytes(), how
        assert fast.missing == slow.missing, how
        cleaned = clean(fast.times_of(sensor), fast.values[sensor], catalogue[sensor], None)
        assert cleaned.times.tolist() == [START + n * HOUR for n, value in enumerate(wanted) if value is not None], how
        assert cleaned.values == pytest.approx([value for value in wanted if value is not None], abs=1e-9), how
        assert cleaned.nonfinite - fast.missing[sensor] == unreadable, how
        assert (trial.sensors[0].values, trial.sensors[0].bad) == (len(cleaned.values), unreadable), how
        assert any("cannot be read" in warning for warning in trial.warnings) is bool(unreadable), how


@pytest.mark.parametrize("what", ['query = "SELECT at, v FROM t1 WHERE v < 1e9"', 'tables = "t{n}"'])
def test_single_precision_is_seen_in_queries_and_in_many_tables_only_where_all_have_it(foreign, what):
    for table, kind in (("t1", SINGLE[foreign.kind]), ("t2", "DOUBLE PRECISION")):
        foreign.make(table, f"at BIGINT, v {kind}, w {SINGLE[foreign.kind]}")
    foreign.add("t1", [{"at": START, "v": 22.1, "w": 22.1}])
    foreign.add("t2", [{"at": START + HOUR, "v": 22.123456789, "w": 22.1}])
    with foreign.site(WIDE.replace('table = "t"', what) + '[sensors]\ntemperature = "v"\n') as site:
        load(site, "A", ["temperature"], "2024-01-01", "2024-02-01")
        found = rows_of(site, "A", "temperature")[1].tolist()
    if "query" in what:
        assert found == [22.1]
        return
    # no digit of a double is lost
    assert found == [22.1 if foreign.kind == "sqlite" else float(np.float32(22.1)), 22.123456789]
    with foreign.site(WIDE.replace('table = "t"', what) + '[sensors]\nhumidity = "w"\n', name="w") as site:
        load(site, "A", ["humidity"], "2024-01-01", "2024-02-01")
        assert rows_of(site, "A", "humidity")[1].tolist() == [22.1, 22.1]


def test_keys_of_the_whole_mapping_hold_for_every_sensor(desk):
    desk.make("t", "at BIGINT, a VARCHAR(9), b VARCHAR(9)")
    desk.add("t", [{"at": START, "a": "1,5", "b": "-99"}, {"at": START + HOUR, "a": "-99", "b": "2,5"}])
    with desk.site('missing = [-99]\ndecimal = ","\n' + WIDE + '[sensors]\ntemperature = "a"\nhumidity = "b"\n') as site:
        load(site, "A", ["temperature", "humidity"], "2024-01-01", "2024-02-01")
        assert rows_of(site, "A", "temperature")[1].tolist() == [1.5]
        assert rows_of(site, "A", "humidity")[1].tolist() == [2.5]


TIMES = {
    "ns": ("BIGINT", ["1704067200000000000", "1704070800000000001"], 'time_unit = "ns"'),
    "excel_day": ("DOUBLE PRECISION", ["45292.0", "45292.041666666664"], 'time_unit = "excel_day"'),
    "hour24": ("VARCHAR(20)", ["31/12/2023 24:00", "01/01/2024 01:00"], 'time_format = "%d/%m/%Y %H:%M"\nhour24 = true'),
    "hour24 ISO": ("VARCHAR(20)", ["2023-12-31 24:00", "2024-01-01 01:00"], "hour24 = true"),
    "zone words": (
        "VARCHAR(30)",
        ["2024-01-01 07:00 WIB", "2024-01-01 08:00 WIB"],
        'time_format = "%Y-%m-%d %H:%M %Z"\nzones = { WIB = "+07:00" }',
    ),
}


def test_times_are_told_by_the_keys_of_a_profile(foreign):
    found = {}
    for number, (how, (kind, stored, keys)) in enumerate(TIMES.items()):
        foreign.make(f"t{number}", f"at {kind}, v DOUBLE PRECISION")
        foreign.run(*(f"INSERT INTO t{number} (at, v) VALUES ('{at}', {n})" for n, at in enumerate(stored)))
        head = WIDE.replace('"t"', f'"t{number}"').replace('time_unit = "ms"', keys)
        with foreign.reader(f'{head}[sensors]\ntemperature = "v"\n') as (reader, _):
            read = reader.read("A", ["temperature"], [(START - DAY, START), (START, START + DAY)])
        # a text that does not sort comes in any order
        found[how] = sorted(zip(read.times.tolist(), read.values["temperature"].tolist(), strict=True))
    assert found == {how: [(START, 0.0), (START + HOUR, 1.0)] for how in TIMES}


# Running totals

TOTAL = '[sensors]\nrainfall = { column = "total", counts = "since_reset", missing = [-99] }\n'
MONTHS = (("2024-01-01", "2024-01-31"), ("2024-02-01", "2024-02-29"), ("2024-03-01", "2024-03-31"))
FEBRUARY, MARCH = utc_ms(2024, 2, 1), utc_ms(2024, 3, 1)
# A reset in January, missing codes at the edge of February, none at all in it but two,
# a reset over the edge of March
TOTALS = [
    (START, 41.0), (START + HOUR, 41.2), (START + 2 * HOUR, 41.2), (START + 3 * HOUR, 0.0), (START + 4 * HOUR, 0.4),
    *((FEBRUARY - n * HOUR, -99) for n in range(20, 0, -1)), (FEBRUARY, None), (FEBRUARY + HOUR, 1.4), (FEBRUARY + 2 * HOUR, 1.5),
    (MARCH, 0.3), (MARCH + HOUR, 0.3), (MARCH + 2 * HOUR, 1.3),
]  # fmt: skip
INCREMENTS = {
    START + HOUR: 0.2, START + 2 * HOUR: 0.0, START + 3 * HOUR: 0.0, START + 4 * HOUR: 0.4,
    FEBRUARY + HOUR: 1.0, FEBRUARY + 2 * HOUR: 0.1, MARCH: 0.3, MARCH + HOUR: 0.0, MARCH + 2 * HOUR: 1.0,
}  # fmt: skip


def make_totals(foreign: Foreign, rows: Sequence[tuple[int, float | None]], *, number: bool = True) -> None:
    foreign.make("t", "at BIGINT, total DOUBLE PRECISION", number=number)
    foreign.add("t", ({"at": at, "total": total} for at, total in rows))


def increments_in(foreign: Foreign, mapping: str, order: Sequence[int], name: str) -> dict[int, float]:
    """What the months give, each loaded alone in some order."""
    with foreign.site(mapping, name=name) as site:
        for month in order:
            load(site, "A", ["rainfall"], *MONTHS[month])
        times, values, _ = rows_of(site, "A", "rainfall")
    return dict(zip(times.tolist(), values.tolist(), strict=True))


@pytest.mark.parametrize("index", [False, True])
def test_increments_of_a_total_are_the_same_whatever_months_are_loaded_first(foreign, index):
    make_totals(foreign, TOTALS)
    if index:
        foreign.run("CREATE INDEX i ON t (at)")
    for order in ([0, 1, 2], [2, 1, 0], [1], [2]):
        wanted = {at: value for at, value in INCREMENTS.items() if any(_in(at, month) for month in order)}
        assert increments_in(foreign, WIDE + TOTAL, order, f"site{order}") == pytest.approx(wanted)


def _in(at: int, month: int) -> bool:
    return (START, FEBRUARY, MARCH)[month] <= at < (FEBRUARY, MARCH, 2**60)[month]


def test_every_order_of_months_gives_the_same_days_totals(desk):
    """Reset at 00:10 local time, an hour late once, with a month's edge (UTC)
    in the middle of a day (Asia/Jakarta).
    """
    rows: list[tuple[int, float | None]] = []
    total, random = 0.0, np.random.default_rng(3)
    for at in range(utc_ms(2024, 1, 28), utc_ms(2024, 3, 4), HOUR // 2):
        local = at + 7 * HOUR
        if local % DAY == (HOUR if (local // DAY) % 5 == 0 else HOUR // 2):
            total = 0.0
        total = round(total + float(random.choice([0, 0, 0, 0.2])), 1)
        rows.append((at, total))
    make_totals(desk, rows)
    mapping = WIDE.replace('"UTC"', '"Asia/Jakarta"') + TOTAL.replace("since_reset", "day_total")
    found = [increments_in(desk, mapping, order, f"site{at}") for at, order in enumerate(itertools.permutations(range(3)))]
    assert all(each == found[0] for each in found)
    with desk.site(mapping, name="whole") as site:
        load(site, "A", ["rainfall"], "2024-01-01", "2024-04-01")
        assert dict(zip(*(each.tolist() for each in rows_of(site, "A", "rainfall")[:2]), strict=True)) == found[0]


@pytest.mark.parametrize("number", [True, False], ids=["id", "no id"])
def test_a_late_total_changes_the_first_increment_of_the_month_after(foreign, number):
    make_totals(foreign, TOTALS, number=number)
    with foreign.site(WIDE + TOTAL + '[freshness]\ncheck = "always"\n') as site:
        for month in MONTHS:
            load(site, "A", ["rainfall"], *month)
        foreign.add("t", [{"at": FEBRUARY - HOUR // 2, "total": 1.1}])
        sync_inventory(site)
        load(site, "A", ["rainfall"], *MONTHS[1])  # February alone
        times, values, _ = rows_of(site, "A", "rainfall")
        assert dict(zip(times.tolist(), values.tolist(), strict=True))[FEBRUARY + HOUR] == pytest.approx(0.3)


def test_a_months_table_that_comes_late_changes_the_first_increment_of_the_month_after(desk):
    def add(month: str, at: int, total: float) -> None:
        desk.make(f"data_{month}", "at BIGINT, total DOUBLE PRECISION", number=False)
        desk.add(f"data_{month}", [{"at": at, "total": total}])

    add("2023_11", START - 40 * DAY, 10.0)
    add("2024_01", START + HOUR, 11.0)
    with desk.site(WIDE.replace('table = "t"', 'tables = "data_{year}_{month:02}"') + TOTAL) as site:
        load(site, "A", ["rainfall"], "2023-11-01", "2024-02-01")
        assert rows_of(site, "A", "rainfall")[1].tolist() == [1.0]
        add("2023_12", START - 20 * DAY, 10.25)
        sync_inventory(site)
        load(site, "A", ["rainfall"], "2023-11-01", "2024-02-01")
        assert rows_of(site, "A", "rainfall")[1].tolist() == [0.25, 0.75]


def test_totals_of_a_tall_table_and_of_two_stations_are_kept_apart(foreign):
    foreign.make("t", "at BIGINT, station VARCHAR(9), tag VARCHAR(9), v DOUBLE PRECISION")
    rows = [(START, "A", "R", 1.0), (START, "B", "R", 50.0), (START, "A", "T", 9.0)]
    rows += [(FEBRUARY + HOUR, "B", "R", 50.5), (FEBRUARY + HOUR, "A", "R", 1.25)]
    foreign.add("t", ({"at": at, "station": station, "tag": tag, "v": v} for at, station, tag, v in rows))
    head = TALL.replace('station_name = "A"', 'station = "station"')
    with foreign.site(head + '[sensors]\nrainfall = { tag = "R", counts = "since_reset" }\ntemperature = "T"\n') as site:
        for station, fell in (("A", 0.25), ("B", 0.5)):
            load(site, station, ["rainfall", "temperature"], "2024-02-01", "2024-02-29")
            times, values, _ = rows_of(site, station, "rainfall")
            assert (times.tolist(), values.tolist()) == ([FEBRUARY + HOUR], [fell])


def test_a_first_total_and_one_that_is_sent_again_are_not_called_unreadable(desk):
    desk.make("t", "at BIGINT, v DOUBLE PRECISION")
    desk.add("t", ({"at": START + hour * HOUR, "v": value} for hour, value in ((0, 10), (1, 10.2), (1, 10.4), (2, None))))
    with desk.site(WIDE + '[sensors]\nrainfall = { column = "v", counts = "since_reset" }\n') as site:
        assert load(site, "A", ["rainfall"], "2024-01-01", "2024-02-01")["bad_values"] == 0
        assert rows_of(site, "A", "rainfall")[1].tolist() == [0.4]
        source = site.source
        assert isinstance(source, MappedSource)
        assert check_mapping(source, site.catalogue).sensors[0].bad == 0
