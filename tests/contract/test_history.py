"""Plans and loads on a real database: what is read, what is kept, what is read again."""

import errno
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.event import listen

import jobs.kinds.history
from callbacks.estimate import estimate_words
from commands.history import summaries
from config import Settings
from data.batches.deleting import Deleter, Deletion
from data.batches.undo import undo
from data.database.engine import make_engine, migrate_observations
from data.ingest.writer import ObservationWriter
from data.load_plan import plan, stations_without_data
from data.loading import load_months
from data.request import HistoryRequest
from data.site import Site, open_site
from data.source import MappedReader, Readings
from data.sync_due import reload
from data.tiles.tile_store import FLAG_RANGE, FLAG_SOURCE, SeriesKey, TileStore
from data.time.months import month_start_ms, parse_month
from data.view.rollup import rollups_missing
from data.view.view_request import view_request
from errors import (
    NoData,
    RiwayatError,
    SourceMismatch,
    SourceUnavailable,
    TileDamaged,
    TilesRemoved,
    UnknownSensor,
    UnknownStation,
)
from jobs.job import Progress, Status
from jobs.kinds.history import load_history
from jobs.ledger.ledger import Ledger, migrate_jobs
from jobs.start import start_job
from tests.databases import ON_SQLITE
from tests.people import person
from tests.processes import clean_forks

JANUARY, APRIL = (month_start_ms(parse_month(name)) for name in ("2020-01", "2020-04"))
HOUR = 3_600_000
SENSORS = ("temperature", "rainfall")


@pytest.fixture
def site(migrated_url: str, tmp_path: Path) -> Iterator[Site]:
    """A site whose own table is empty."""
    made = open_site(Settings(data_dir=tmp_path / "var", observations_url=migrated_url))
    yield made
    made.engine.dispose()


def store(site: Site, times: Any, values: Any, *, station: str = "a", sensors: Sequence[str] = SENSORS, bad: Any = None) -> None:
    """Write rows as an import does; ``values`` [n, sensors]."""
    writer = ObservationWriter(site.engine, site.catalogue, sensors, sensors)
    with site.engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
        site.inventory.lock(connection, station)
        writer.write(connection, station, np.asarray(times, np.int64), np.asarray(values, np.float64), bad)
        site.inventory.describe(connection, station, sensors=dict.fromkeys(sensors), step_ms=HOUR)


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


@ON_SQLITE
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


def test_the_row_of_a_ranges_last_moment_is_read_from_the_next_month_and_of_no_other_sensor(site):
    fill(site)
    february = parse_month("2020-02")
    january = request(JANUARY, month_start_ms(february))
    planned = plan(site, january)
    assert [(each.month, each.sensors) for each in planned.missing] == [
        (parse_month("2020-01"), ("rainfall", "temperature")),
        (february, ("rainfall",)),
    ]
    assert (planned.tiles_total, planned.rows_total) == (3, pytest.approx(2 * 24 * 31, abs=1))
    load(site, january)
    assert plan(site, january).is_complete
    view = view_request(site, january, january.start_ms, january.end_ms, 800)
    assert [one.rows for one in view.statistics] == [24 * 31, 24 * 31]
    rain = summaries(site, january)[0]
    assert (rain["rows"], rain["first"], rain["last"]) == (744, "2020-01-01T01:00:00Z", "2020-02-01T00:00:00Z")
    # Hours of rain that ends with the last row there is: the month after has none of it.
    assert plan(site, request(APRIL - 24 * HOUR, APRIL)).tiles_total == 2


def test_a_row_of_the_last_moment_that_comes_late_is_read(site):
    fill(site)
    january = request(JANUARY, february := month_start_ms(parse_month("2020-02")), sensors=("rainfall",))
    load(site, january)
    store(site, [february], [[20.0, 7.5]])
    assert plan(site, january).missing_months == {parse_month("2020-02")}
    load(site, january)
    assert view_request(site, january, january.start_ms, january.end_ms, 800).statistics[0].sum == 7.5


def test_a_plan_of_many_stations_asks_as_few_questions_as_one_of_one_and_says_the_same(site):
    names = [f"s{number:02}" for number in range(8)]
    for name in names:
        fill(site, station=name)
    load(site, request(stations=tuple(names[:2])))  # of some all is there,
    load(site, request(stations=tuple(names[2:4]), sensors=SENSORS[:1]))  # of some one sensor,
    load(site, request(JANUARY, JANUARY + 1, stations=tuple(names[4:6])))  # of some one month
    asked: list[str] = []
    listen(site.engine, "before_cursor_execute", lambda _c, _u, text, *_: asked.append(text))
    together = plan(site, request(stations=tuple(names)))
    assert len([text for text in asked if "SELECT" in text]) == 2
    alone = [plan(site, request(stations=(name,))) for name in names]
    assert together.missing == tuple(missing for each in alone for missing in each.missing)
    assert together.keys == tuple(key for each in alone for key in each.keys)
    for name in ("rows_total", "rows_missing", "rows_tiles", "tiles_total", "tiles_present"):
        assert getattr(together, name) == sum(getattr(each, name) for each in alone), name
    assert [each.is_complete for each in alone] == [True] * 2 + [False] * 6
    assert together.missing_months == {parse_month("2020-01"), parse_month("2020-02"), parse_month("2020-03")}
    assert alone[4].missing_months == {parse_month("2020-02"), parse_month("2020-03")}


@ON_SQLITE
def test_a_damaged_index_is_mended_by_the_plan(site):
    fill(site)
    load(site)
    index = site.tiles.folder(SeriesKey("own", "a", "temperature")) / "index"
    index.write_bytes(index.read_bytes()[:-3])
    assert plan(site, request()).is_complete


@ON_SQLITE
def test_months_without_rows_and_sensors_without_values_need_no_tile(site):
    store(site, [JANUARY, APRIL - 1], [[1.0], [2.0]], sensors=("temperature",))
    planned = plan(site, request())
    assert planned.keys == tuple((SeriesKey("own", "a", "temperature"), parse_month(name)) for name in ("2020-01", "2020-03"))


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"stations": ("b",)}, UnknownStation, "no station b. Known stations: a"),
        ({"sensors": ("snow",)}, UnknownSensor, "no sensor snow"),
        ({"sensors": ("humidity",)}, NoData, "No humidity for a. Available: rainfall, temperature"),
        ({"start_ms": 0, "end_ms": 1000}, NoData, "No data for a between 1970-.* from 2020-01-01T00:00:00Z to 2020-03-31T23"),
    ],
)
def test_a_request_that_cannot_give_anything_says_why(site, fields, error, words):
    fill(site)
    with pytest.raises(error, match=words):
        plan(site, HistoryRequest(**{"stations": ("a",), "sensors": SENSORS, "start_ms": JANUARY, "end_ms": APRIL} | fields))


def test_a_station_without_rows_has_no_data_yet(site):
    with site.engine.begin() as connection:
        site.inventory.describe(connection, "a", sensors=dict.fromkeys(SENSORS))
    with pytest.raises(NoData, match="No data yet"):
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
    monkeypatch.setattr(MappedReader, "__enter__", lambda _: pytest.fail("the source was opened"))
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


@ON_SQLITE
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


@ON_SQLITE
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


@ON_SQLITE
def test_progress_grows_from_none_to_all_and_tiles_are_there_while_it_does(site, monkeypatch):
    fill(site)
    monkeypatch.setattr(jobs.kinds.history, "FIRST_PUBLISH_S", 0.0)
    monkeypatch.setattr(jobs.kinds.history, "PUBLISH_EVERY_S", 0.0)
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


@ON_SQLITE
def test_what_is_there_already_counts_in_progress(site):
    fill(site)
    load(site, request(end=JANUARY + 1))
    record = Recorder(site)
    load_history(site, request(), record)
    assert record.said[0].fraction == pytest.approx(31 / 91)
    assert record.said[0].tiles_done == 2


def failing_at(monkeypatch: pytest.MonkeyPatch, month: str) -> None:
    real = MappedReader.read

    def read(self: MappedReader, station: str, sensors: Any, windows: Any) -> Readings:
        if windows[0][0] == month_start_ms(parse_month(month)):
            raise SourceUnavailable("gone")
        return real(self, station, sensors, windows)

    monkeypatch.setattr(MappedReader, "read", read)


@ON_SQLITE
def test_what_was_read_before_an_error_is_published_and_not_read_again(site, monkeypatch):
    fill(site)
    with monkeypatch.context() as broken:
        failing_at(broken, "2020-03")
        with pytest.raises(SourceUnavailable):
            load(site)
    assert [each.month for each in plan(site, request()).missing] == [parse_month("2020-03")]
    assert load(site)["tiles_read"] == 2


@ON_SQLITE
def test_tiles_that_a_killed_attempt_wrote_but_did_not_publish_are_taken(site):
    fill(site)
    first = plan(site, request()).missing[0]
    with site.source.open() as reader:
        load_months(site, reader, [first])
    assert site.tiles.entries(SeriesKey("own", "a", "temperature")) == {}
    metrics = load(site)
    assert (metrics["tiles_read"], metrics["tiles_reused"]) == (4, 2)


@ON_SQLITE
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


@ON_SQLITE
@pytest.mark.process
def test_two_workers_at_once_read_each_tile_once(site):
    fill(site)
    site.engine.dispose()
    server = clean_forks()
    with server.Manager() as manager, ProcessPoolExecutor(2, mp_context=server) as pool:
        ready = manager.Barrier(2)
        running = [pool.submit(load_in_a_process, site.settings, ready, request()) for _ in range(2)]
        done = [future.result(60) for future in running]
    assert sum(metrics["tiles_read"] for metrics in done) == 6
    assert len(observations(site, "temperature")[0]) == 24 * 91


def test_an_import_during_the_query_leaves_the_tile_stale(site, monkeypatch):
    times = fill(site)
    real = MappedReader.read
    stored: list[int] = []

    def read_then_import(self: MappedReader, *args: Any) -> Readings:
        readings = real(self, *args)
        if not stored:
            stored.append(1)
            store(site, times[:1], [[-7.5, 0.0]])
        return readings

    monkeypatch.setattr(MappedReader, "read", read_then_import)
    monkeypatch.setattr(jobs.kinds.history, "READERS", 1)
    load(site)
    assert [each.month for each in plan(site, request()).missing] == [parse_month("2020-01")]


@ON_SQLITE
def test_the_job_never_evicts_its_own_tiles_even_beyond_the_budget(migrated_url, tmp_path):
    site = open_site(Settings(data_dir=tmp_path / "var", observations_url=migrated_url, tile_budget_gb=1e-6))
    fill(site)
    fill(site, "b")
    load(site, request(stations=("b",)))
    load(site)
    assert len(observations(site, "temperature")[0]) == 24 * 91
    assert plan(site, request(stations=("b",))).tiles_present == 0  # the other's made room
    site.engine.dispose()


def remove_files(site: Site, month: str) -> None:
    """As an operator or another program would: the index still names them."""
    for path in site.tiles.root.rglob(f"{month}*.tile"):
        path.unlink()


@ON_SQLITE
@pytest.mark.parametrize("how", ["evicted", "cleared", "files removed"])
def test_a_load_is_complete_only_with_what_is_on_the_disk_at_its_end(site, monkeypatch, how):
    fill(site)
    real, done = TileStore.evict, []

    def evict(store: TileStore, keep: Any = ()) -> int:
        if not done:
            done.append(how)
            if how == "evicted":
                TileStore(store.root, 0).evict()
            elif how == "cleared":
                store.clear()
            else:
                remove_files(site, "2020-02")
        return real(store, keep)

    monkeypatch.setattr(TileStore, "evict", evict)
    metrics = load(site)
    assert len(observations(site, "temperature")[0]) == 24 * 91
    assert metrics["tiles_read"] == (8 if how == "files removed" else 12)
    assert metrics["rows"] == 2 * 24 * 91


@ON_SQLITE
def test_a_load_whose_tiles_are_removed_each_time_fails_and_may_be_tried_again(site, monkeypatch):
    fill(site)
    monkeypatch.setattr(TileStore, "evict", lambda store, keep=(): remove_files(site, "2020-03"))
    with pytest.raises(TilesRemoved) as refused:
        load(site)
    assert refused.value.retryable
    assert "RIWAYAT_TILE_BUDGET_GB" in refused.value.message


@ON_SQLITE
def test_a_request_whose_files_somebody_removed_is_not_completed_from_the_start(site):
    fill(site)
    load(site)
    jobs_engine = make_engine(site.settings.jobs_url)
    migrate_jobs(jobs_engine)
    ledger = Ledger(jobs_engine)
    assert start_job(site, ledger, person("siti"), request(), lambda: None).status is Status.COMPLETED
    remove_files(site, "2020-02")
    assert start_job(site, ledger, person("siti"), request(), lambda: None).status is Status.QUEUED
    jobs_engine.dispose()


@ON_SQLITE
def test_tiles_whose_folder_was_cleared_while_they_were_written_are_not_published(site):
    fill(site)
    reader = site.source.open()
    with reader:
        loaded = load_months(site, reader, plan(site, request()).missing[:1])
    site.tiles.clear()
    for key, entry in loaded[0].entries:
        with pytest.raises(TileDamaged, match="removed while"):
            site.tiles.publish(key, [entry])
    assert not plan(site, request()).tiles_present


@ON_SQLITE
def test_a_full_disk_ends_the_load_with_a_reason_and_keeps_what_was_written(site, monkeypatch):
    fill(site)
    real = TileStore.write

    def write(self: TileStore, key: SeriesKey, month: int, *args: Any, **fields: Any) -> Any:
        if month == parse_month("2020-03"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, key, month, *args, **fields)

    monkeypatch.setattr(TileStore, "write", write)
    with pytest.raises(RiwayatError, match="The disk is full, so no tile can be written to .*tiles"):
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
    """connectorx closing the file as the last of its own kind must not remove what
    another library still writes to.
    """
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


@ON_SQLITE
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

    assert not rollups_missing(site, wanted)
    assert start_job(site, ledger, person("budi"), wanted, lambda: None).status is Status.COMPLETED
    jobs_engine.dispose()
    monkeypatch.setattr("data.view.rollup._Rollup._make", None)
    for flagged in (False, True):
        rain, temperature = view_request(site, wanted, JANUARY, APRIL, 300, include_flagged=flagged).series
        assert rain.kind == "bars"
        assert len(temperature.x) > 300
        assert (np.nanmax(temperature.y) > 100) == flagged


@ON_SQLITE
def test_a_month_is_published_with_its_rollup(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(site)
    wanted = request(resolution="1d")
    monkeypatch.setattr(jobs.kinds.history, "FIRST_PUBLISH_S", 0.0)
    monkeypatch.setattr(jobs.kinds.history, "PUBLISH_EVERY_S", 0.0)
    lacking: list[set[int]] = []

    load_history(site, wanted, lambda _: lacking.append(rollups_missing(site, wanted)))

    assert not any(lacking)


# Rows that have gone


def test_after_a_deletion_the_next_load_shows_what_is_left_also_of_months_and_sensors_that_have_nothing_left(site):
    times = fill(site)
    load(site)
    february, march = (month_start_ms(parse_month(name)) for name in ("2020-02", "2020-03"))
    _, rows = Deleter(site.engine, site.catalogue, Deletion("a", None, february, march)).run()
    assert rows == 29 * 24
    load(site)
    assert observations(site, "temperature")[0].tolist() == times[(times < february) | (times >= march)].tolist()
    Deleter(site.engine, site.catalogue, Deletion("a", "rainfall", JANUARY - 1, APRIL)).run()
    load(site)
    assert len(observations(site, "rainfall")[0]) == 0
    assert plan(site, request()).is_complete


def test_taking_a_deletion_back_makes_the_next_load_read_its_month_again(site):
    times = fill(site)
    february, march = (month_start_ms(parse_month(name)) for name in ("2020-02", "2020-03"))
    batch, _ = Deleter(site.engine, site.catalogue, Deletion("a", None, february, march)).run()
    load(site)
    undo(site.engine, batch)
    assert load(site)["tiles_read"] == 2
    assert observations(site, "temperature")[0].tolist() == times.tolist()


def test_a_station_without_data_in_the_range_is_named_when_others_have_some(site):
    fill(site)
    store(site, [JANUARY - 40 * 24 * HOUR], [[1.0, 0.0]], station="b")
    store(site, [JANUARY], [[1.0]], station="c", sensors=["humidity"])
    wanted = request(stations=("a", "b", "c"), sensors=("temperature",))
    assert plan(site, wanted).without_data == stations_without_data(site, wanted) == ("b", "c")
    assert plan(site, request(JANUARY - 60 * 24 * HOUR, stations=("a", "b"))).without_data == ()
    assert estimate_words(plan(site, wanted), 1e6).endswith("no data in this range: b, c")


# Rows that come after the last one


def windows_read(monkeypatch: pytest.MonkeyPatch) -> list[tuple[tuple[str, ...], tuple[int, int]]]:
    """Keep what readers are asked for from now on: sensors, and a window each."""
    asked: list[tuple[tuple[str, ...], tuple[int, int]]] = []
    real = MappedReader.read

    def read(self: MappedReader, station: str, sensors: Any, windows: Any) -> Readings:
        asked.extend((tuple(sensors), window) for window in windows)
        return real(self, station, sensors, windows)

    monkeypatch.setattr(MappedReader, "read", read)
    return asked


def test_of_rows_that_came_later_only_they_are_read_and_the_tile_is_as_if_read_whole(site, monkeypatch):
    times = np.arange(JANUARY, JANUARY + 600 * HOUR, HOUR)
    values = np.column_stack([np.arange(600) % 70.0, np.where(np.arange(600) < 500, 1.0, np.nan)])  # no rain since 500
    store(site, times[:590], values[:590])
    load(site)
    bad = np.zeros((10, 2), np.bool_)
    bad[3, 0] = True
    asked = windows_read(monkeypatch)
    store(site, times[590:], values[590:], bad=bad)
    assert load(site)["tiles_read"] == 2
    month_end = month_start_ms(parse_month("2020-02"))
    assert sorted(asked) == [(("rainfall",), (times[499] + 1, month_end)), (("temperature",), (times[589] + 1, month_end))]
    appended = [site.tiles.entries(SeriesKey("own", "a", sensor)) for sensor in SENSORS]
    site.tiles.clear()
    load(site)
    whole = [site.tiles.entries(SeriesKey("own", "a", sensor)) for sensor in SENSORS]
    assert appended == whole  # the same entries, with the checksum of each
    assert np.flatnonzero(observations(site, "temperature")[2] == FLAG_SOURCE).tolist() == [593]


@pytest.mark.parametrize("change", ["earlier", "the last", "none between", "reload"])
def test_a_month_in_which_something_earlier_has_changed_is_read_whole(site, monkeypatch, change):
    times = np.arange(JANUARY, JANUARY + 20 * HOUR, HOUR)
    store(site, times[:10], np.ones((10, 2)))
    load(site)
    store(site, times[10:12], np.ones((2, 2)))  # later rows alone, before and after the change
    if change == "earlier":
        store(site, times[4:5], [[7.0, 7.0]])
    elif change == "the last":
        store(site, times[11:12], [[7.0, 7.0]])
    elif change == "reload":
        reload(site, request())
    else:
        store(site, times[:10], np.ones((10, 2)))  # sent again
    store(site, times[12:14], np.ones((2, 2)))
    asked = windows_read(monkeypatch)
    load(site)
    assert [window[0] for _, window in asked] == ([times[9] + 1] if change == "none between" else [JANUARY])
    with site.engine.connect() as connection:
        expected = [row[0] for row in connection.execute(text("SELECT temperature FROM observation ORDER BY time"))]
    assert observations(site, "temperature")[1].tolist() == expected
