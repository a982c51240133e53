"""Reading a table: both paths give the same, whatever the table holds."""

import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import connectorx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies
from sqlalchemy import Engine, insert, text

from data.catalogue import load_catalogue
from data.database.engine import make_engine, sqlite_path
from data.database.tables import observation_flag, observation_table
from data.readings import clean
from data.source import Readings, TableSource, own_source
from data.source.mapped.mapping_loading import parse_mapping
from errors import SourceMismatch, SourceUnavailable

CATALOGUE = load_catalogue()
EVERYTHING = [(-(2**62), 2**62)]
SENSORS = ("temperature", "rainfall")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = make_engine(database_url)
    yield made
    made.dispose()


@pytest.fixture
def source(migrated_url: str) -> Iterator[TableSource]:
    """Our own table, empty."""
    made = make_engine(migrated_url)
    yield own_source(made, CATALOGUE)
    made.dispose()


def store(source: TableSource, rows: Sequence[dict[str, Any]]) -> None:
    with source.engine.begin() as connection:
        for row in rows:  # one by one: rows may have different columns
            connection.execute(insert(observation_table(CATALOGUE)).values(row))


def read(source: TableSource, *, fast: bool, station: str = "a", windows: Sequence[tuple[int, int]] = EVERYTHING) -> Readings:
    with source.open(fast=fast) as reader:
        readings = reader.read(station, SENSORS, windows)
        assert (reader.fast_reads, reader.general_reads) == ((len(windows), 0) if fast else (0, len(windows)))
    return readings


def same(left: Readings, right: Readings) -> None:
    assert left.times.tobytes() == right.times.tobytes()
    for sensor in SENSORS:
        np.testing.assert_array_equal(left.values[sensor], right.values[sensor])
    assert (left.missing, left.bad_times) == (right.missing, right.bad_times)


@pytest.mark.parametrize("fast", [True, False])
def test_rows_come_by_time_with_nan_where_there_is_no_value(source, fast):
    store(source, [{"station": "a", "time": 3, "temperature": 1.5}, {"station": "a", "time": 1, "rainfall": 0.25}])
    store(source, [{"station": "b", "time": 2, "temperature": 9.0}])
    readings = read(source, fast=fast)
    assert readings.times.tolist() == [1, 3]
    assert math.isnan(readings.values["temperature"][0])
    assert readings.values["temperature"][1] == 1.5
    assert readings.missing == {"temperature": 1, "rainfall": 1}


@pytest.mark.parametrize("fast", [True, False])
def test_a_window_holds_its_start_but_not_its_end_and_windows_join(source, fast):
    store(source, [{"station": "a", "time": time, "temperature": float(time)} for time in range(10)])
    readings = read(source, fast=fast, windows=[(2, 5), (5, 8)])
    assert readings.times.tolist() == [2, 3, 4, 5, 6, 7]
    assert readings.values["temperature"].tolist() == [2.0, 3.0, 4.0, 5.0, 6.0, 7.0]


@pytest.mark.parametrize("fast", [True, False])
def test_a_column_that_begins_with_null_or_has_nothing_else_is_read(source, fast):
    store(source, [{"station": "a", "time": 1}, {"station": "a", "time": 2, "temperature": 4.0}])
    readings = read(source, fast=fast)  # asserts that the fast path did it
    assert np.isnan(readings.values["rainfall"]).all()
    assert readings.values["temperature"][1] == 4.0


@pytest.mark.parametrize("fast", [True, False])
def test_a_station_without_rows_gives_empty_columns(source, fast):
    readings = read(source, fast=fast, station="nobody")
    assert len(readings.times) == 0
    assert readings.values["rainfall"].dtype == np.float64


NAMES = ["O'Neill", '"', "a\\", "a\\'", "100% %s %(x)s", ":name", "é☂\U0001f327", "x' OR '1'='1", "-- ;", "/* {x} ?", " ", "a\nb"]


@pytest.mark.parametrize("fast", [True, False])
def test_any_name_finds_its_own_rows_and_no_others(source, fast):
    store(source, [{"station": each, "time": place, "temperature": 1.0} for place, each in enumerate([*NAMES, "plain"])])
    found = {name: read(source, fast=fast, station=name).times.tolist() for name in NAMES}
    assert found == {name: [place] for place, name in enumerate(NAMES)}


def test_a_name_with_nul_goes_by_the_path_that_binds_it(source):
    if source.engine.dialect.name != "sqlite":
        pytest.skip("only SQLite takes NUL in text")
    with source.open() as reader:
        assert len(reader.read("a\0b", SENSORS, EVERYTHING).times) == 0
        assert reader.general_reads == 1


def test_flags_come_by_sensor_and_only_of_the_window(source):
    rows = [("a", 5, "temperature"), ("a", 3, "temperature"), ("a", 3, "rainfall"), ("a", 9, "rainfall"), ("b", 3, "rainfall")]
    with source.engine.begin() as connection:
        for station, time, sensor in rows:
            connection.execute(insert(observation_flag).values(station=station, time=time, sensor=sensor))
    with source.open() as reader:
        flagged = reader.flags("a", SENSORS, 0, 9)
        assert {sensor: times.tolist() for sensor, times in flagged.items()} == {"temperature": [3, 5], "rainfall": [3]}
        assert reader.flags("a", ["rainfall"], 4, 9) == {}


def test_a_table_that_lacks_a_column_is_a_mismatch_that_names_it(source):
    with source.engine.begin() as connection:
        connection.execute(text("ALTER TABLE observation DROP COLUMN rainfall"))
    with source.open() as reader:
        reader.read("a", ["temperature"], EVERYTHING)  # the others are no matter
        with pytest.raises(SourceMismatch, match=r"observation .* lacks rainfall; it has .*temperature"):
            reader.read("a", SENSORS, EVERYTHING)


def test_a_table_that_is_not_there_is_a_mismatch(engine):
    with pytest.raises(SourceMismatch, match="no table observation"), own_source(engine, CATALOGUE).open():
        pass


def test_a_database_that_does_not_answer_is_unavailable_at_once(tmp_path):
    engine = make_engine(f"sqlite:///{tmp_path}/no/such/folder/x.db")
    with pytest.raises(SourceUnavailable, match="does not answer"), own_source(engine, CATALOGUE).open():
        pass
    engine.dispose()


# SQLite takes any value in any column: the tables below hold what other databases refuse.


LOOSE = """
url = "sqlite://"
table = "loose"
time = "at"
time_unit = "ms"
station = "station"
order = "id"
[sensors]
temperature = "temperature"
rainfall = "rainfall"
"""


@contextmanager
def loose_table(path: Path, rows: Sequence[Sequence[Any]], declared: str = "DOUBLE") -> Iterator[TableSource]:
    """A table without a key on time, so that times may repeat and rows need not be sorted."""
    engine = make_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS loose")
        columns = f"station VARCHAR(9), at BIGINT, temperature {declared}, rainfall {declared}"
        connection.exec_driver_sql(f"CREATE TABLE loose (id INTEGER PRIMARY KEY, {columns})")
        for row in rows:
            connection.exec_driver_sql("INSERT INTO loose VALUES (NULL, 'a', ?, ?, ?)", tuple(row))
    try:
        yield TableSource(parse_mapping(path, LOOSE, CATALOGUE), engine)
    finally:
        engine.dispose()


@pytest.fixture
def loose(tmp_path: Path) -> Callable[..., Any]:
    return lambda *args: loose_table(tmp_path / "loose.sqlite", *args)


ANY_VALUE = strategies.one_of(
    strategies.none(),
    strategies.floats(),
    strategies.integers(-(2**63), 2**63 - 1),
    strategies.sampled_from(["x", "", "12.5", "nan", "1e400", "٣", b"7", float("inf"), -float("inf"), -0.0, 2**53 + 1]),
)
ROWS = strategies.lists(strategies.tuples(strategies.integers(0, 30), ANY_VALUE, ANY_VALUE), max_size=25)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, declared=strategies.sampled_from(["DOUBLE", "REAL", "", "INTEGER", "NUMERIC", "DECIMAL(10,2)", "FLOAT"]))
def test_fast_and_general_path_give_the_same_observations_bit_for_bit(tmp_path, rows, declared):
    with loose_table(tmp_path / "loose.sqlite", rows, declared) as made, made.open() as quick, made.open(fast=False) as slow:
        left, right = (reader.read("a", SENSORS, [(0, 10), (10, 31)]) for reader in (quick, slow))
        assert slow.fast_reads == 0
    same(left, right)
    for sensor in SENSORS:
        tiles = [clean(side.times, side.values[sensor], CATALOGUE[sensor]) for side in (left, right)]
        for name in ("times", "values", "flags"):
            assert getattr(tiles[0], name).tobytes() == getattr(tiles[1], name).tobytes()
        assert (np.diff(tiles[0].times) > 0).all()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=strategies.lists(
        strategies.tuples(strategies.integers(0, 30), *[strategies.none() | strategies.floats(allow_nan=False)] * 2), max_size=25
    )
)
def test_whatever_fits_a_double_column_needs_only_the_fast_path(tmp_path, rows):
    with loose_table(tmp_path / "loose.sqlite", rows) as source, source.open() as reader:
        reader.read("a", SENSORS, EVERYTHING)
        assert reader.general_reads == 0


def test_text_in_a_column_of_numbers_is_counted_and_the_rest_is_kept(loose):
    with loose([(1, "broken", None), (2, 2.5, 1.0), (3, float("inf"), "7")]) as source, source.open() as reader:
        readings = reader.read("a", SENSORS, EVERYTHING)
        assert (reader.fast_reads, reader.general_reads) == (0, 1)
    assert readings.missing == {"temperature": 0, "rainfall": 1}
    assert readings.values["temperature"].tolist() == [float("inf"), 2.5, float("inf")]
    assert readings.values["rainfall"][1:].tolist() == [1.0, 7.0]


def test_only_the_window_that_holds_the_text_is_read_row_by_row(loose):
    with loose([(1, 1.0, 1.0), (15, "x", 1.0), (25, 3.0, 1.0)]) as source, source.open() as reader:
        readings = reader.read("a", SENSORS, [(0, 10), (10, 20), (20, 30)])
        assert (reader.fast_reads, reader.general_reads) == (2, 1)
    assert readings.times.tolist() == [1, 15, 25]


def test_a_column_that_never_fits_is_not_tried_again_and_again(loose, monkeypatch):
    tried: list[str] = []
    real = connectorx.read_sql
    monkeypatch.setattr(connectorx, "read_sql", lambda *args, **kwargs: tried.append(args[1]) or real(*args, **kwargs))
    with loose([(time, 0.5, "x") for time in range(8)]) as source, source.open() as reader:
        reader.read("a", SENSORS, [(time, time + 1) for time in range(8)])
        assert reader.general_reads == 8
    assert len(tried) == 3


class PanicException(BaseException):
    pass


def test_a_panic_of_the_fast_path_is_caught_but_an_interrupt_is_not(loose, monkeypatch):
    def panic(*_: object, **__: object) -> None:
        raise PanicException("not implemented: oid 1234")

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with loose([(1, 1.0, 2.0)]) as source, source.open() as reader:
        monkeypatch.setattr(connectorx, "read_sql", panic)
        assert reader.read("a", SENSORS, EVERYTHING).values["rainfall"].tolist() == [2.0]
        monkeypatch.setattr(connectorx, "read_sql", interrupt)
        with pytest.raises(KeyboardInterrupt):
            reader.read("a", SENSORS, EVERYTHING)


def test_rows_without_a_usable_time_are_left_out_and_counted(loose):
    with loose([(1, 1.0, 1.0), (2.5, 2.0, 2.0)]) as source, source.open() as reader:
        assert reader.read("a", SENSORS, [(0, 10)]).times.tolist() == [1, 2]


def test_reading_holds_no_snapshot_open(source):
    """An import that commits while a reader is open is seen by the next read."""
    with source.open() as reader:
        store(source, [{"station": "a", "time": 1, "temperature": 1.0}])
        assert len(reader.read("a", SENSORS, EVERYTHING).times) == 1
    path = sqlite_path(str(source.engine.url))
    assert path is None or os.path.exists(path)  # noqa: PTH110
