"""Plans and loads on a real database: what is read, what is kept, what is read again."""

import errno
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.event import listen

import jobs.history
from config import Settings
from data.engine import make_engine, migrate_observations
from data.ingest.writer import ObservationWriter
from data.loading import load_months
from data.months import month_start_ms, parse_month
from data.plan import plan
from data.request import HistoryRequest
from data.rollup import rollups_missing
from data.site import Site, open_site
from data.source import Reader, Readings
from data.tiles import FLAG_RANGE, FLAG_SOURCE, SeriesKey, TileStore
from data.view import view_request
from errors import NoData, RiwayatError, SourceMismatch, SourceUnavailable, UnknownSensor, UnknownStation
from jobs.history import load_history
from jobs.job import Progress, Status
from jobs.ledger import Ledger, migrate_jobs
from jobs.start import start_job
from tests.people import person

JANUARY, APRIL = (month_start_ms(parse_month(name)) for name in ("2020-01", "2020-04"))
HOUR = 3_600_000
SENSORS = ("temperature", "rainfall")


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    """A site whose own table is empty."""
    made = open_site(Settings(data_dir=tmp_path / "var", observations_url=database_url))
    migrate_observations(made.engine, made.catalogue)
    yield made
    made.engine.dispose()


def store(site: Site, times: Any, values: Any, *, station: str = "a", sensors: Sequence[str] = SENSORS, bad: Any = None) -> None:
    """Write rows as an import does; ``values`` [n, sensors]."""
    writer = ObservationWriter(site.engine, site.catalogue, sensors, sensors)
    with site.engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
        site.inventory.lock(connection, station)
        writer.write(connection, station, np.asarray(times, np.int64), np.asarray(values, np.float64), bad)
        site.inventory.describe(connection, station, sensors=sensors, step_ms=HOUR)


def fill(site: Site, station: str = "a") -> np.ndarray:
    """Hourly rows from January to March 2020: 31 + 29 + 31 days."""
    times = np.arange(JANUARY, APRIL, HOUR)
    store(site, times, np.column_stack([np.arange(len(times)) % 50, np.zeros(len(times))]), station=station)
    return times


def request(start: int = JANUARY, end: int = APRIL, **fields: Any) -> HistoryRequest:
    known: dict[str, Any] = {"stations": ("a",), "sensors": SENSORS, "start_ms": start, "end_ms": end}
    return HistoryRequest(**known | fields)


def load(site: Site, wanted: HistoryRequest | None = None) -> dict[str, float | int]:
    return load_history(site, wanted or request(), lambda _: None)


def observations(site: Site, sensor: str, station: str = "a") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return site.tiles.open_series(SeriesKey("own", station, sensor), JANUARY, APRIL).read()


# The plan


def test_a_plan_counts_months_sensors_and_rows_before_anything_is_read(site):
    fill(site)
    planned = plan(site, request())
    assert (planned.tiles_total, planned.tiles_present) == (6, 0)
    assert planned.rows_total == planned.rows_missing == 2 * 24 * (31 + 29 + 31)
    assert [(each.month, each.sensors) for each in planned.missing] == [
        (parse_month(name), ("rainfall", "temperature")) for name in ("2020-01", "2020-02", "2020-03")
    ]


@pytest.mark.parametrize(
    ("start", "end", "rows", "tiles"),
    [
        (JANUARY, JANUARY + 24 * HOUR, 24, 1),  # one of 31 days
        (JANUARY - 10**9, JANUARY + 31 * 24 * HOUR, 31 * 24, 1),  # nothing before the first row
        (JANUARY + 30 * 24 * HOUR, JANUARY + 32 * 24 * HOUR, 48, 2),  # a day of each
    ],
)
def test_months_at_the_ends_count_in_proportion_but_are_read_whole(site, start, end, rows, tiles):
    fill(site)
    planned = plan(site, request(start, end, sensors=("temperature",)))
    assert planned.rows_total == pytest.approx(rows, abs=1)
    assert planned.tiles_total == tiles


def test_a_plan_of_many_stations_asks_as_few_questions_as_one_of_one_and_says_the_same(site):
    names = [f"s{number:02}" for number in range(20)]
    for name in names:
        fill(site, station=name)
    load(site, request(stations=tuple(names[:5])))  # of some all is there,
    load(site, request(stations=tuple(names[5:10]), sensors=SENSORS[:1]))  # of some one sensor,
    load(site, request(JANUARY, JANUARY + 1, stations=tuple(names[10:15])))  # of some one month
    asked: list[str] = []
    listen(site.engine, "before_cursor_execute", lambda _c, _u, text, *_: asked.append(text))
    together = plan(site, request(stations=tuple(names)))
    assert len([text for text in asked if "SELECT" in text]) == 2
    alone = [plan(site, request(stations=(name,))) for name in names]
    assert together.missing == tuple(missing for each in alone for missing in each.missing)
    assert together.keys == tuple(key for each in alone for key in each.keys)
    for name in ("rows_total", "rows_missing", "rows_tiles", "tiles_total", "tiles_present"):
        assert getattr(together, name) == sum(getattr(each, name) for each in alone), name
    assert [each.is_complete for each in alone] == [True] * 5 + [False] * 15
    assert together.missing_months == {parse_month("2020-01"), parse_month("2020-02"), parse_month("2020-03")}
    assert alone[10].missing_months == {parse_month("2020-02"), parse_month("2020-03")}


def test_a_damaged_index_is_mended_by_the_plan(site):
    fill(site)
    load(site)
    index = site.tiles.folder(SeriesKey("own", "a", "temperature")) / "index"
    index.write_bytes(index.read_bytes()[:-3])
    assert plan(site, request()).is_complete


def test_months_without_rows_and_sensors_without_values_need_no_tile(site):
    store(site, [JANUARY, APRIL - 1], [[1.0], [2.0]], sensors=("temperature",))
    planned = plan(site, request())
    assert planned.keys == tuple((SeriesKey("own", "a", "temperature"), parse_month(name)) for name in ("2020-01", "2020-03"))


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"stations": ("b",)}, UnknownStation, "no station b; known are a"),
        ({"sensors": ("snow",)}, UnknownSensor, "no sensor snow"),
        ({"sensors": ("humidity",)}, NoData, "never recorded humidity; there is rainfall, temperature"),
        ({"start_ms": 0, "end_ms": 1000}, NoData, "no data between 1970-.* from 2020-01-01T00:00:00Z to 2020-03-31T23:00:00Z"),
    ],
)
def test_a_request_that_cannot_give_anything_says_why(site, fields, error, words):
    fill(site)
    with pytest.raises(error, match=words):
        plan(site, HistoryRequest(**{"stations": ("a",), "sensors": SENSORS, "start_ms": JANUARY, "end_ms": APRIL} | fields))


def test_a_station_without_rows_has_no_data_yet(site):
    with site.engine.begin() as connection:
        site.inventory.describe(connection, "a", sensors=SENSORS)
    with pytest.raises(NoData, match="no data yet"):
        plan(site, request())


# The load


def test_a_load_makes_every_observation_a_tile_row(site):
    times = fill(site)
    metrics = load(site)
    assert (metrics["tiles_read"], metrics["tiles_reused"]) == (6, 0)
    assert metrics["rows"] == 2 * len(times)
    read, values, flags = observations(site, "temperature")
    np.testing.assert_array_equal(read, times)
    np.testing.assert_array_equal(values, np.arange(len(times)) % 50)
    assert not flags.any()
    assert plan(site, request()).missing == ()


def test_the_same_request_again_reads_nothing(site, monkeypatch):
    fill(site)
    load(site)
    monkeypatch.setattr(Reader, "__enter__", lambda _: pytest.fail("the source was opened"))
    metrics = load(site)
    assert (metrics["tiles_read"], metrics["tiles_reused"]) == (0, 6)


def test_a_longer_request_reads_only_what_is_new(site):
    fill(site)
    load(site, request(end=JANUARY + 1, sensors=("temperature",)))
    metrics = load(site)
    assert (metrics["tiles_read"], metrics["tiles_reused"]) == (5, 1)


def test_an_import_makes_its_month_stale_and_no_other(site):
    times = fill(site)
    load(site)
    store(site, times[:1], [[-7.5, 0.0]])
    assert [each.month for each in plan(site, request()).missing] == [parse_month("2020-01")]
    assert load(site)["tiles_read"] == 2
    assert observations(site, "temperature")[1][0] == -7.5


def test_a_change_of_the_valid_range_makes_tiles_stale(site):
    fill(site)
    load(site)
    sensors = {**site.catalogue.sensors}
    object.__setattr__(sensors["temperature"], "valid_max", 20.0)
    assert {each.sensors for each in plan(site, request()).missing} == {("temperature",)}


def test_out_of_range_and_bad_by_code_are_kept_and_flagged_but_not_finite_is_not(site):
    times = [JANUARY + hour * HOUR for hour in range(4)]
    values = [[99.0, 1.0], [20.0, 1.0], [21.0, np.nan], [22.0, 1.0]]
    bad = np.array([[False, False], [True, False], [False, False], [False, False]])
    store(site, times, values, bad=bad)
    load(site)
    assert observations(site, "temperature")[2].tolist() == [FLAG_RANGE, FLAG_SOURCE, 0, 0]
    assert observations(site, "rainfall")[0].tolist() == [times[0], times[1], times[3]]


def test_a_damaged_tile_is_read_again(site):
    fill(site)
    load(site)
    key = SeriesKey("own", "a", "temperature")
    entry = site.tiles.entries(key)[parse_month("2020-02")]
    path = site.tiles.folder(key) / entry.file_name
    path.write_bytes(path.read_bytes()[:-100])
    fresh = open_site(site.settings)
    with pytest.raises(Exception, match="tile"):
        observations(fresh, "temperature")
    assert [each.month for each in plan(fresh, request()).missing] == [parse_month("2020-02")]
    assert load(fresh)["tiles_read"] == 1
    assert len(observations(fresh, "temperature")[0]) == 24 * 91
    fresh.engine.dispose()


def test_names_of_any_kind_load(site):
    name = "O'Neill / № 7 \\ 100% ..\n"
    times = fill(site, name)
    load(site, request(stations=(name,)))
    assert len(observations(site, "temperature", name)[0]) == len(times)


def test_bad_values_are_counted_and_never_raised(site):
    if site.engine.dialect.name != "sqlite":
        pytest.skip("only SQLite keeps text in a column of numbers")
    fill(site)
    with site.engine.begin() as connection:
        connection.execute(text("UPDATE observation SET temperature = 'broken' WHERE time = :time"), {"time": JANUARY})
        connection.execute(text("UPDATE observation SET rainfall = 9e999 WHERE time = :time"), {"time": JANUARY})
        connection.execute(text("UPDATE observation SET rainfall = NULL WHERE time = :time"), {"time": JANUARY + HOUR})
    metrics = load(site)
    assert metrics["bad_values"] == 2
    assert len(observations(site, "temperature")[0]) == 24 * 91 - 1
    assert len(observations(site, "rainfall")[0]) == 24 * 91 - 2


def test_a_table_that_does_not_fit_ends_the_load_with_a_reason(site):
    fill(site)
    with site.engine.begin() as connection:
        connection.execute(text("ALTER TABLE observation DROP COLUMN rainfall"))
    with pytest.raises(SourceMismatch, match="lacks rainfall"):
        load(site)


# Progress, errors, resuming


class Recorder:
    """Keeps what is reported, and what a reader of the tiles could see at that moment."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.said: list[Progress] = []
        self.seen: list[int] = []

    def __call__(self, progress: Progress) -> None:
        self.said.append(progress)
        self.seen.append(len(observations(self.site, "temperature")[0]))


def test_progress_grows_from_none_to_all_and_tiles_are_there_while_it_does(site, monkeypatch):
    fill(site)
    monkeypatch.setattr(jobs.history, "FIRST_PUBLISH_S", 0.0)
    monkeypatch.setattr(jobs.history, "PUBLISH_EVERY_S", 0.0)
    record = Recorder(site)
    load_history(site, request(), record)
    fractions = [progress.fraction for progress in record.said]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert (record.said[0].tiles_done, record.said[-1].tiles_done) == (0, 6)
    assert {(progress.tiles_total, progress.rows_total) for progress in record.said} == {(6, 2 * 24 * 91)}
    assert record.said[-1].rows == 2 * 24 * 91
    assert record.seen == sorted(record.seen)
    assert any(0 < seen < 24 * 91 for seen in record.seen)
    assert all(progress.station == "a" for progress in record.said[:-1])


def test_what_is_there_already_counts_in_progress(site):
    fill(site)
    load(site, request(end=JANUARY + 1))
    record = Recorder(site)
    load_history(site, request(), record)
    assert record.said[0].fraction == pytest.approx(31 / 91)
    assert record.said[0].tiles_done == 2


def failing_at(monkeypatch: pytest.MonkeyPatch, month: str) -> None:
    real = Reader.read

    def read(self: Reader, station: str, sensors: Any, windows: Any) -> Readings:
        if windows[0][0] == month_start_ms(parse_month(month)):
            raise SourceUnavailable("gone")
        return real(self, station, sensors, windows)

    monkeypatch.setattr(Reader, "read", read)


def test_what_was_read_before_an_error_is_published_and_not_read_again(site, monkeypatch):
    fill(site)
    with monkeypatch.context() as broken:
        failing_at(broken, "2020-03")
        with pytest.raises(SourceUnavailable):
            load(site)
    assert [each.month for each in plan(site, request()).missing] == [parse_month("2020-03")]
    assert load(site)["tiles_read"] == 2


def test_tiles_that_a_killed_attempt_wrote_but_did_not_publish_are_taken(site):
    fill(site)
    first = plan(site, request()).missing[0]
    with site.source.open() as reader:
        load_months(site, reader, [first])
    assert site.tiles.entries(SeriesKey("own", "a", "temperature")) == {}
    metrics = load(site)
    assert (metrics["tiles_read"], metrics["tiles_reused"]) == (4, 2)


def test_an_unpublished_tile_of_an_older_generation_is_not_taken(site):
    times = fill(site)
    first = plan(site, request()).missing[0]
    with site.source.open() as reader:
        load_months(site, reader, [first])
    store(site, times[:1], [[-7.5, 0.0]])
    assert load(site)["tiles_read"] == 6
    assert observations(site, "temperature")[1][0] == -7.5


def load_in_a_process(settings: Settings, ready: Any, wanted: HistoryRequest) -> dict[str, float | int]:
    one = open_site(settings)
    ready.wait(60)
    return load(one, wanted)


@pytest.mark.process
def test_two_workers_at_once_read_each_tile_once(site):
    fill(site)
    site.engine.dispose()
    spawn = multiprocessing.get_context("spawn")
    with spawn.Manager() as manager, ProcessPoolExecutor(2, mp_context=spawn) as pool:
        ready = manager.Barrier(2)
        running = [pool.submit(load_in_a_process, site.settings, ready, request()) for _ in range(2)]
        done = [future.result(60) for future in running]
    assert sum(metrics["tiles_read"] for metrics in done) == 6
    assert len(observations(site, "temperature")[0]) == 24 * 91


def test_an_import_during_the_query_leaves_the_tile_stale(site, monkeypatch):
    times = fill(site)
    real = Reader.read
    stored: list[int] = []

    def read_then_import(self: Reader, *args: Any) -> Readings:
        readings = real(self, *args)
        if not stored:
            stored.append(1)
            store(site, times[:1], [[-7.5, 0.0]])
        return readings

    monkeypatch.setattr(Reader, "read", read_then_import)
    monkeypatch.setattr(jobs.history, "READERS", 1)
    load(site)
    assert [each.month for each in plan(site, request()).missing] == [parse_month("2020-01")]


def test_the_job_never_evicts_its_own_tiles_even_beyond_the_budget(database_url, tmp_path):
    site = open_site(Settings(data_dir=tmp_path / "var", observations_url=database_url, tile_budget_gb=1e-6))
    migrate_observations(site.engine, site.catalogue)
    fill(site)
    fill(site, "b")
    load(site, request(stations=("b",)))
    load(site)
    assert len(observations(site, "temperature")[0]) == 24 * 91
    assert plan(site, request(stations=("b",))).tiles_present == 0  # the other's made room
    site.engine.dispose()


def test_a_full_disk_ends_the_load_with_a_reason_and_keeps_what_was_written(site, monkeypatch):
    fill(site)
    real = TileStore.write

    def write(self: TileStore, key: SeriesKey, month: int, *args: Any, **fields: Any) -> Any:
        if month == parse_month("2020-03"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, key, month, *args, **fields)

    monkeypatch.setattr(TileStore, "write", write)
    with pytest.raises(RiwayatError, match="The disk is full, and no tile can be written to .*tiles"):
        load(site)
    assert plan(site, request()).tiles_present == 4


def test_one_sqlite_file_for_jobs_and_observations_is_read_without_the_fast_path(tmp_path):
    one = f"sqlite:///{tmp_path / 'one.sqlite'}"
    made = open_site(Settings(data_dir=tmp_path, database_url=one, observations_url=one))
    migrate_observations(made.engine, made.catalogue)
    fill(made)
    with made.source.open() as reader:
        reader.read("a", SENSORS, [(JANUARY, APRIL)])
        assert (reader.fast_reads, reader.general_reads) == (0, 1)
    assert load(made)["tiles_read"] == 6
    made.engine.dispose()


def test_fast_reads_leave_the_write_ahead_log_to_those_who_write(site):
    """connectorx closing the file as the last of its own kind must not remove what another library still writes to."""
    times = fill(site)
    with site.engine.connect() as connection:  # stays open, as in a process that writes
        connection.execute(text("SELECT 1 FROM observation"))
        with site.source.open() as reader:
            reader.read("a", SENSORS, [(JANUARY, APRIL)])
        connection.rollback()
        connection.execute(text("UPDATE observation SET temperature = 42 WHERE time = :time"), {"time": int(times[0])})
        connection.commit()
        with site.source.open() as reader:
            assert reader.read("a", SENSORS, [(JANUARY, JANUARY + 1)]).values["temperature"].tolist() == [42.0]


# Rollups


def test_an_aggregated_load_ends_with_the_rollups_of_both_kinds_of_rows(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    times = np.arange(JANUARY, APRIL, HOUR // 6)
    values = np.column_stack([np.arange(len(times)) % 50, np.zeros(len(times))]).astype(float)
    values[1000, 0] = 500.0
    store(site, times, values)
    wanted = request(resolution="1h")
    load(site, request())  # every tile is there, and no rollup

    jobs_engine = make_engine(site.settings.jobs_url)
    migrate_jobs(jobs_engine)
    ledger = Ledger(jobs_engine)

    assert start_job(site, ledger, person("siti"), wanted, lambda: None).status is Status.QUEUED
    load(site, wanted)

    assert not rollups_missing(site.tiles, site.catalogue, "own", wanted)
    assert start_job(site, ledger, person("budi"), wanted, lambda: None).status is Status.COMPLETED
    jobs_engine.dispose()
    monkeypatch.setattr("data.rollup._Maker._make", None)
    for flagged in (False, True):
        rain, temperature = view_request(site, wanted, JANUARY, APRIL, 300, include_flagged=flagged).series
        assert rain.kind == "bars"
        assert len(temperature.x) > 300
        assert (np.nanmax(temperature.y) > 100) == flagged


def test_a_month_is_published_with_its_rollup(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(site)
    wanted = request(resolution="1d")
    monkeypatch.setattr(jobs.history, "FIRST_PUBLISH_S", 0.0)
    monkeypatch.setattr(jobs.history, "PUBLISH_EVERY_S", 0.0)
    lacking: list[set[int]] = []

    load_history(site, wanted, lambda _: lacking.append(rollups_missing(site.tiles, site.catalogue, "own", wanted)))

    assert not any(lacking)
