"""The store of tiles: what is written comes back, what is damaged is noticed,
what is published is seen whole.
"""

from __future__ import annotations

import errno
import os
import resource
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.readings import Observations
from data.tiles import index as tile_index
from data.tiles import maintenance
from data.tiles.blocks import Blocks
from data.tiles.disk_account import SWEEP_EVERY_S, DiskAccount
from data.tiles.format import HEADER_BYTES
from data.tiles.month_lock import month_locked
from data.tiles.paths import series_folders
from data.tiles.tile_store import SeriesKey, TileStore
from data.time.months import month_start_ms
from errors import TileDamaged
from tests.processes import clean_forks
from tests.tiled import DAY, KEY, MARCH_2019, MINUTE, open_all, sensor_named, store_rows

TEMPERATURE = sensor_named("temperature")
MONTH = 2019 * 12 + 2


def month_of_rows(n: int, value: float = 20.0, start: int = MARCH_2019) -> Observations:
    return Observations(start + np.arange(n, dtype=np.int64) * 1000, np.full(n, value), np.zeros(n, np.uint8))


@settings(max_examples=40, deadline=None)
@given(
    n=st.sampled_from([0, 1, 255, 256, 257, 5000]),
    seed=st.integers(0, 2**32 - 1),
    name=st.sampled_from(["temperature", "wind_direction"]),
    mapped=st.booleans(),
)
def test_a_tile_comes_back_as_it_was_written(n: int, seed: int, name: str, mapped: bool) -> None:
    random = np.random.default_rng(seed)
    sensor = sensor_named(name)
    times = MARCH_2019 + np.sort(random.choice(31 * DAY, n, replace=False)).astype(np.int64)
    with TemporaryDirectory() as folder:
        store = TileStore(Path(folder), mapped=mapped)
        cleaned = store_rows(store, sensor, times, random.normal(0, 100, n))
        series = open_all(store, cleaned, sensor)

        for found, written in zip(series.read(), (cleaned.times, cleaned.values, cleaned.flags), strict=True):
            np.testing.assert_array_equal(found, written)
        assert series.rows == n
        assert sum(entry.flagged for entry in series.entries) == np.count_nonzero(cleaned.flags)


def _publish_late(root: Path, generation: int, written: Any, go: Any) -> None:
    store = TileStore(root)
    entry = store.write(KEY, MONTH, month_of_rows(5, float(generation)), generation=generation, fingerprint=5)
    written.set()
    assert go.wait(30)
    store.publish(KEY, [entry])


@pytest.mark.parametrize("first", [1, 2])
def test_of_two_writers_the_one_that_read_later_is_shown_whoever_publishes_last(tmp_path: Path, first: int) -> None:
    context = clean_forks()
    writers = {}
    for generation in (1, 2):
        written, go = context.Event(), context.Event()
        process = context.Process(target=_publish_late, args=(tmp_path, generation, written, go), daemon=True)
        process.start()
        assert written.wait(60)
        writers[generation] = (process, go)
    for generation in (first, 3 - first):
        process, go = writers[generation]
        go.set()
        process.join(60)
        assert process.exitcode == 0
    store = TileStore(tmp_path)
    entry = store.entries(KEY)[MONTH]
    assert entry.generation == 2
    _, values, _ = store.open_series(KEY, MARCH_2019, MARCH_2019 + DAY).read()
    assert set(values) == {2.0}
    assert [path.name for path in store.folder(KEY).glob("*.tile")] == [entry.file_name]


def test_an_empty_month_is_a_tile(tmp_path: Path) -> None:
    store = TileStore(tmp_path)
    store.publish(KEY, [store.write(KEY, MONTH, month_of_rows(0), generation=4, fingerprint=5)])

    assert [(entry.rows, entry.generation) for entry in store.entries(KEY).values()] == [(0, 4)]
    assert store.open_series(KEY, MARCH_2019, MARCH_2019 + DAY).rows == 0


def test_a_row_of_another_month_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="outside 2019-03"):
        TileStore(tmp_path).write(KEY, MONTH, month_of_rows(2, start=MARCH_2019 - 1), generation=1, fingerprint=1)


def test_the_index_is_what_its_tiles_say(tmp_path: Path) -> None:
    store = TileStore(tmp_path)
    times = MARCH_2019 + np.arange(400) * DAY
    store_rows(store, TEMPERATURE, times, np.linspace(-10, 90, 400))
    folder = store.folder(KEY)
    index = (folder / tile_index.INDEX).read_bytes()
    assert tile_index.rebuild(folder) == store.entries(KEY)

    (folder / tile_index.INDEX).write_bytes(index[:-3])

    assert len(TileStore(tmp_path).entries(KEY)) == 14
    assert (folder / tile_index.INDEX).read_bytes() == index


def test_an_index_with_one_wrong_byte_is_made_again_from_its_tiles(tmp_path: Path) -> None:
    store_rows(TileStore(tmp_path), sensor_named("temperature"), MARCH_2019 + np.arange(10) * MINUTE, np.arange(10.0))
    store = TileStore(tmp_path)
    known, file = store.entries(KEY), store.folder(KEY) / tile_index.INDEX
    wrong = bytearray(file.read_bytes())
    wrong[len(tile_index.MAGIC) + 8 + 8] ^= 1  # a bit of the generation of the first entry
    file.write_bytes(wrong)
    assert TileStore(tmp_path).entries(KEY) == known


@pytest.mark.parametrize("newest", [1, 2])
def test_of_two_tiles_of_a_month_an_index_made_again_names_the_one_that_was_written_last(tmp_path: Path, newest: int) -> None:
    for generation in (1, 2):
        folder = tmp_path / str(generation)
        times = MARCH_2019 + np.arange(10) * MINUTE
        store_rows(TileStore(folder), sensor_named("temperature"), times, np.arange(10.0), generation=generation)
    one, other = (next(TileStore(tmp_path / name).folder(KEY).glob("*.tile")) for name in ("1", "2"))
    both = one.parent
    shutil.copy(other, both / other.name)
    for path in both.glob("*.tile"):
        at = 2_000 if path.name == (one.name, other.name)[newest - 1] else 1_000
        os.utime(path, (at, at))
    (entry,) = tile_index.rebuild(both).values()
    assert entry.generation == newest


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-8])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def spoil_header(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[30] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("damage", [truncate, empty, spoil_header, Path.unlink])
def test_a_damaged_tile_is_noticed_dropped_and_may_be_read_again(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    store = TileStore(tmp_path)
    times = MARCH_2019 + np.arange(60) * DAY
    store_rows(store, TEMPERATURE, times, np.zeros(60))
    damage(next(store.folder(KEY).glob("2019-03*.tile")))
    store = TileStore(tmp_path)  # as another process, which has not opened it yet

    with pytest.raises(TileDamaged):
        store.open_series(KEY, int(times[0]), int(times[-1]) + 1)

    assert store.resume(KEY, MONTH) is None
    assert sorted(store.entries(KEY)) == [MONTH + 1]
    assert store.open_series(KEY, int(times[0]), int(times[-1]) + 1).rows == 29
    store_rows(store, TEMPERATURE, times, np.zeros(60))
    assert store.open_series(KEY, int(times[0]), int(times[-1]) + 1).rows == 60


def test_a_flipped_bit_in_the_rows_is_found_by_verify(tmp_path: Path) -> None:
    store = TileStore(tmp_path)
    store.publish(
        KEY,
        [
            store.write(KEY, month, month_of_rows(300, start=month_start_ms(month)), generation=1, fingerprint=1)
            for month in (MONTH, MONTH + 1)
        ],
    )
    path = next(store.folder(KEY).glob("2019-04*.tile"))
    data = bytearray(path.read_bytes())
    data[HEADER_BYTES + 1000] ^= 4
    path.write_bytes(data)

    checked, damages = store.verify()

    assert checked == 2
    assert [(damage.key, damage.month) for damage in damages] == [(KEY, MONTH + 1)]
    assert "checksum" in damages[0].reason
    assert sorted(store.entries(KEY)) == [MONTH]
    assert store.verify() == (1, ())


def test_a_tile_is_seen_once_it_is_published_and_found_again_by_resume(tmp_path: Path) -> None:
    store = TileStore(tmp_path)

    entry = store.write(KEY, MONTH, month_of_rows(10), generation=1, fingerprint=1)

    assert store.entries(KEY) == {}
    assert store.open_series(KEY, MARCH_2019, MARCH_2019 + DAY).rows == 0
    assert store.resume(KEY, MONTH) == entry
    store.publish(KEY, [entry])
    assert store.entries(KEY) == {MONTH: entry}


def test_a_newer_reading_replaces_the_month_for_all_and_leaves_open_series_as_they_were(tmp_path: Path) -> None:
    store = TileStore(tmp_path)
    store.publish(KEY, [store.write(KEY, MONTH, month_of_rows(10, 1.0), generation=1, fingerprint=1)])
    before = store.open_series(KEY, MARCH_2019, MARCH_2019 + DAY)

    store.publish(KEY, [TileStore(tmp_path).write(KEY, MONTH, month_of_rows(12, 2.0), generation=2, fingerprint=1)])

    after = store.open_series(KEY, MARCH_2019, MARCH_2019 + DAY)
    assert (before.rows, set(before.read()[1].tolist())) == (10, {1.0})
    assert (after.rows, set(after.read()[1].tolist())) == (12, {2.0})
    assert len(list(store.folder(KEY).glob("*.tile"))) == 1


def test_a_month_reread_with_the_same_generation_is_seen_too(tmp_path: Path) -> None:
    store = TileStore(tmp_path)
    for rows, value in ((10, 1.0), (12, 2.0)):
        store.publish(KEY, [store.write(KEY, MONTH, month_of_rows(rows, value), generation=1, fingerprint=1)])

        assert store.open_series(KEY, MARCH_2019, MARCH_2019 + DAY).read()[1].tolist() == [value] * rows


def test_of_two_readings_of_one_generation_the_index_names_the_one_that_is_there(tmp_path: Path) -> None:
    """As of two hosts without locks, between whose readings the table changed."""
    store = TileStore(tmp_path)
    first = store.write(KEY, MONTH, month_of_rows(10, 1.0), generation=1, fingerprint=1)
    second = store.write(KEY, MONTH, month_of_rows(10, 2.0), generation=1, fingerprint=1)
    for entry in (second, first):
        store.publish(KEY, [entry])

    assert store.entries(KEY) == {MONTH: second}
    assert set(store.open_series(KEY, MARCH_2019, MARCH_2019 + DAY).read()[1]) == {2.0}


def publish_many(root: Path, generations: int) -> None:
    store = TileStore(root)
    for generation in range(1, generations):
        for_all = [
            store.write(KEY, month, month_of_rows(500, generation, month_start_ms(month)), generation=generation, fingerprint=1)
            for month in (MONTH, MONTH + 1)
        ]
        store.publish(KEY, for_all)


def test_a_reader_always_sees_whole_publications_of_another_process(tmp_path: Path) -> None:
    publish_many(tmp_path, 2)
    writer = clean_forks().Process(target=publish_many, args=(tmp_path, 150))
    writer.start()
    store, seen = TileStore(tmp_path), set()
    try:
        while writer.is_alive():
            values = store.open_series(KEY, MARCH_2019, month_start_ms(MONTH + 2)).read()[1]
            assert len(values) == 1000
            assert len(set(values.tolist())) == 1, "two publications mixed"
            seen.add(values[0])
    finally:
        writer.join(60)
    assert writer.exitcode == 0
    assert len(seen) > 2


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = TileStore(tmp_path)
    store.publish(KEY, [store.write(KEY, MONTH, month_of_rows(10), generation=1, fingerprint=1)])
    before = sorted(store.folder(KEY).iterdir())

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        store.write(KEY, MONTH, month_of_rows(20), generation=2, fingerprint=1)

    assert sorted(store.folder(KEY).iterdir()) == before


@pytest.mark.parametrize(
    "station", ["aws 1", "a/b", "..", ".", "", "Stasiun Übung 測站", "x" * 255, "測" * 255, "%2F", "lock", "CON"]
)
def test_any_text_may_name_a_station(tmp_path: Path, station: str) -> None:
    store = TileStore(tmp_path / "a" / "store")
    key = SeriesKey("own", station, "temperature")
    others = [SeriesKey("own", other, "temperature") for other in ("x" * 254 + "y", "/", "%", "%252F")]
    for number, each in enumerate((key, *others)):
        store.publish(each, [store.write(each, MONTH, month_of_rows(number + 1), generation=1, fingerprint=1)])

    assert store.open_series(key, MARCH_2019, MARCH_2019 + DAY).rows == 1
    assert {found.key for found in store.status()} == {key, *others}
    assert len(list(tmp_path.rglob("*.tile"))) == len(list(store.root.glob("own/*/temperature/*.tile"))) == 5


def _read_more_than_may_usually_be_open(root: Path, rows: Any) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (60, 1000))
    store = TileStore(root)
    rows.put(sum(len(store.open_series(key, MARCH_2019, MARCH_2019 + DAY).read()[0]) for key in HUNDRED))


HUNDRED = [SeriesKey("own", f"aws-{number}", "temperature") for number in range(100)]


def test_more_tiles_may_be_open_than_a_process_usually_has_files(tmp_path: Path) -> None:
    store = TileStore(tmp_path)
    for key in HUNDRED:
        store_rows(store, TEMPERATURE, MARCH_2019 + np.arange(3) * MINUTE, [1.0, 2.0, 3.0], key=key)
    context = clean_forks()
    rows = context.Queue()
    process = context.Process(target=_read_more_than_may_usually_be_open, args=(tmp_path, rows))
    process.start()
    process.join(60)
    assert process.exitcode == 0
    assert rows.get(timeout=10) == 300


def test_the_least_recently_used_tiles_go_first_and_never_those_to_keep(tmp_path: Path) -> None:
    now = [1_000_000_000]
    store = TileStore(tmp_path, 1, clock=lambda: now[0])
    months = range(MONTH, MONTH + 4)
    for month in months:
        now[0] += 100_000
        store.publish(
            KEY, [store.write(KEY, month, month_of_rows(300, start=month_start_ms(month)), generation=1, fingerprint=1)]
        )
    now[0] += 100_000
    store.touch([(KEY, MONTH)])  # the oldest is the newest used now
    size = store.entries(KEY)[MONTH].bytes

    store.budget_bytes = size * 16 // 5  # 95 % of it are three
    assert store.evict() == size
    assert sorted(store.entries(KEY)) == [MONTH, MONTH + 2, MONTH + 3]
    store.budget_bytes = 1
    assert store.evict(keep=[(KEY, MONTH + 2)]) == 2 * size
    assert sorted(store.entries(KEY)) == [MONTH + 2]


def test_nobody_looks_at_all_tiles_while_they_are_known_to_fit_whoever_writes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def publish(store: TileStore, month: int) -> int:
        rows = month_of_rows(300, start=month_start_ms(month))
        store.publish(KEY, [store.write(KEY, month, rows, generation=1, fingerprint=1)])
        return store.entries(KEY)[month].bytes

    looked: list[Path] = []

    def noted(root: Path) -> Iterator[tuple[SeriesKey, Path]]:
        looked.append(root)
        return series_folders(root)

    monkeypatch.setattr(maintenance, "series_folders", noted)
    store, other = TileStore(tmp_path), TileStore(tmp_path)
    store.budget_bytes = 5 * publish(store, MONTH) // 2
    assert [store.evict(), store.evict(), len(looked)] == [0, 0, 1]  # nobody had looked before
    publish(other, MONTH + 1)
    assert [store.evict(), len(looked)] == [0, 1]
    publish(other, MONTH + 2)
    assert store.evict() > 0
    assert [store.evict(), len(looked)] == [0, 2]


def test_an_account_of_the_disk_holds_for_some_hours_and_adds_what_is_written(tmp_path: Path) -> None:
    now_s = [0.0]
    account = DiskAccount(tmp_path, lambda: now_s[0])
    assert not account.fits(10**9)  # nobody knows
    account.begin()
    account.end(100)
    DiskAccount(tmp_path).add(20)
    assert [account.fits(budget) for budget in (119, 120)] == [False, True]
    now_s[0] = SWEEP_EVERY_S
    assert not account.fits(10**9)
    account.begin()
    account.end(110)
    assert account.fits(110)
    (tmp_path / ".swept").write_text("{")
    assert not account.fits(10**9)


def test_touching_reaches_the_disk_at_most_once_a_minute(tmp_path: Path) -> None:
    now = [1_000_000_000]
    store = TileStore(tmp_path, clock=lambda: now[0])
    store.publish(KEY, [store.write(KEY, MONTH, month_of_rows(3), generation=1, fingerprint=1)])
    used = store.folder(KEY) / tile_index.USED
    found = []
    for seconds in (0, 30, 29, 2):  # 0 s, 30 s, 59 s, 61 s
        now[0] += seconds * 1000
        store.touch([(KEY, MONTH)])
        found.append(used.stat().st_ino)

    assert found[0] == found[1] == found[2] != found[3]


def test_what_ended_jobs_left_behind_is_swept(tmp_path: Path) -> None:
    store = TileStore(tmp_path, 10**12)
    store.publish(KEY, [store.write(KEY, MONTH, month_of_rows(3), generation=1, fingerprint=1)])
    stray = store.folder(KEY) / store.write(KEY, MONTH + 1, replace(month_of_rows(0)), generation=1, fingerprint=1).file_name
    draft = store.folder(KEY) / ".2019-04.tile.1.2.tmp"
    draft.touch()
    for path in (stray, draft):
        os.utime(path, (0, 0))

    store.evict()

    assert not stray.exists()
    assert not draft.exists()
    assert store.open_series(KEY, MARCH_2019, MARCH_2019 + DAY).rows == 3


def test_two_threads_never_build_one_month_at_a_time_but_may_build_two(tmp_path: Path) -> None:
    store, inside, most = TileStore(tmp_path), [0], [0]
    with month_locked(store.root, "own", "aws-1", MONTH + 1):  # another month: does not hold them up

        def build() -> None:
            for _ in range(50):
                with month_locked(store.root, "own", "aws-1", MONTH):
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                    inside[0] -= 1

        threads = [threading.Thread(target=build) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

    assert most == [1]


def test_summaries_of_all_rows_are_those_of_both_kinds(tmp_path: Path) -> None:
    store = TileStore(tmp_path)
    random = np.random.default_rng(1)
    times = MARCH_2019 + np.arange(3000) * MINUTE
    cleaned = store_rows(store, TEMPERATURE, times, random.normal(0, 60, 3000))
    plain = store_rows(
        store, sensor_named("temperature", valid_min=-1e9, valid_max=1e9), times, cleaned.values, key=KEY._replace(sensor="plain")
    )

    merged: Blocks = open_all(store, cleaned, TEMPERATURE).table.all
    straight = open_all(store, plain, TEMPERATURE, KEY._replace(sensor="plain")).table.good

    for (name, found), (_, expected) in zip(merged.arrays(), straight.arrays(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, err_msg=name)
