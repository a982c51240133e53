"""Tiles in object storage: hosts with folders of their own see the same, two workers of one
series lose nothing, and no fault of the storage makes a view wrong.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from data.readings import Observations
from data.tiles.index_mirror import LOOK_S, WAIT_S
from data.tiles.object_store import ObjectStore, conditions_hold
from data.tiles.object_tile_store import ObjectTileStore
from data.tiles.tile_store import SeriesKey
from data.time.months import month_start_ms, months_of
from errors import ConfigurationError, StorageUnavailable, TileDamaged
from tests.object_storage import SECRET, FaultyStorage, credentials, new_prefix, object_storage
from tests.processes import wait_until
from tests.tiled import KEY, MINUTE

MONTH = 2019 * 12 + 2
SPAN = (month_start_ms(MONTH), month_start_ms(MONTH + 24))

NewHost = Callable[..., ObjectTileStore]


@pytest.fixture(scope="module")
def storage_port() -> Iterator[int]:
    with object_storage() as port:
        yield port


@pytest.fixture
def storage(storage_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyStorage]:
    with FaultyStorage(storage_port) as storage:
        for name, value in credentials(storage.port).items():
            monkeypatch.setenv(name, value)
        yield storage
        storage.heal()


@pytest.fixture
def new_host(storage: FaultyStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NewHost:
    """Make hosts with folders of their own before one storage; pages wait as long as it takes a
    machine that has other work.
    """
    url = new_prefix()
    monkeypatch.setattr("data.tiles.index_mirror.WAIT_S", 20.0)

    def make(name: str, *, page: bool = False, budget: int | None = None) -> ObjectTileStore:
        return ObjectTileStore(ObjectStore(url, patient=not page), tmp_path / name, budget)

    return make


def rows_of(month: int, value: float, count: int = 3) -> Observations:
    times = month_start_ms(month) + MINUTE * np.arange(count, dtype=np.int64)
    return Observations(times, np.full(count, value), np.zeros(count, np.uint8))


def publish(host: ObjectTileStore, value: float, *, month: int = MONTH, generation: int = 1, key: SeriesKey = KEY) -> None:
    host.publish(key, [host.write(key, month, rows_of(month, value), generation=generation, fingerprint=5)])


def seen(host: ObjectTileStore, key: SeriesKey = KEY) -> dict[int, float]:
    """The last value that a host shows of each month."""
    times, values, _ = host.open_series(key, *SPAN).read()
    return dict(zip(months_of(times).tolist(), values.tolist(), strict=True))


def test_what_one_host_publishes_every_other_one_shows_once_the_job_may_end(new_host: NewHost) -> None:
    worker, page = new_host("worker"), new_host("web", page=True)
    assert seen(page) == {}
    publish(worker, 20.0)
    worker.settle()
    assert seen(page) == {MONTH: 20.0}
    publish(worker, 21.0, generation=2)
    publish(worker, 22.0, month=MONTH + 1)
    worker.settle()
    assert seen(page) == {MONTH: 21.0, MONTH + 1: 22.0}


def test_an_older_reading_that_is_published_late_by_another_host_is_dropped(new_host: NewHost) -> None:
    early, late = new_host("early"), new_host("late")
    publish(early, 21.0, generation=2)
    publish(late, 20.0, generation=1)
    assert seen(new_host("web", page=True)) == {MONTH: 21.0}


def test_two_workers_that_publish_months_of_one_series_at_once_lose_none(new_host: NewHost) -> None:
    def work(first: int) -> None:
        host = new_host(f"worker-{first}")
        for at in range(first, 9, 3):
            publish(host, float(at), month=MONTH + at)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(3)))
    assert seen(new_host("web", page=True)) == {MONTH + at: float(at) for at in range(9)}


@pytest.mark.parametrize("what", ["/index/", "/tiles/own"])
@pytest.mark.parametrize("fault", ["lost", 503])
def test_a_put_without_an_answer_is_published_once_and_loses_nothing(
    new_host: NewHost, storage: FaultyStorage, what: str, fault: str | int
) -> None:
    publish(new_host("other"), 1.0, month=MONTH + 1)
    broken: list[str] = []

    def once(method: str, path: str) -> str | int | None:
        if method != "PUT" or what not in path or broken:
            return None
        broken.append(path)
        return fault

    storage.fault = once
    worker = new_host("worker")
    publish(worker, 2.0)
    assert broken
    worker.settle()
    assert seen(new_host("web", page=True)) == {MONTH: 2.0, MONTH + 1: 1.0}


def test_a_page_draws_what_its_host_knows_while_the_storage_is_silent_and_nobody_waits_long(
    new_host: NewHost, storage: FaultyStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, page = new_host("worker"), new_host("web", page=True)
    publish(worker, 20.0)
    worker.settle()
    assert seen(page) == {MONTH: 20.0}
    monkeypatch.setattr("data.tiles.index_mirror.WAIT_S", WAIT_S)
    storage.be_silent()
    time.sleep(LOOK_S)  # until a listing no longer counts
    began = time.monotonic()
    assert seen(page) == {MONTH: 20.0}
    assert time.monotonic() - began < WAIT_S + 0.5  # the machine of a test may be slow
    storage.heal()
    publish(worker, 21.0, generation=2)
    wait_until(lambda: seen(page) == {MONTH: 21.0}, "the page to see what was published")


def test_a_page_of_many_stations_waits_no_longer_than_one_of_one(
    new_host: NewHost, storage: FaultyStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = new_host("web", page=True)
    keys = [KEY._replace(station=f"aws-{number}") for number in range(40)]
    page.look(KEY.source, [key.station for key in keys])
    monkeypatch.setattr("data.tiles.index_mirror.WAIT_S", WAIT_S)
    storage.be_silent()
    time.sleep(LOOK_S)
    began = time.monotonic()
    assert [page.entries(key) for key in keys] == [{}] * len(keys)
    assert time.monotonic() - began < 10 * WAIT_S  # of 40 that would each wait


def test_a_host_that_knows_nothing_says_that_the_storage_does_not_answer(new_host: NewHost, storage: FaultyStorage) -> None:
    publish(new_host("worker"), 20.0)
    storage.fault = lambda _method, _path: 503
    page = new_host("web", page=True)
    with capture_logs() as lines, pytest.raises(StorageUnavailable) as raised:
        seen(page)
    assert raised.value.retryable
    assert SECRET not in f"{raised.value} {lines}"
    storage.heal()
    wait_until(lambda: _try(page) == {MONTH: 20.0}, "the storage to be asked again")


def _try(page: ObjectTileStore) -> dict[int, float] | None:
    try:
        return seen(page)
    except StorageUnavailable:
        return None


def test_the_last_index_draws_after_a_restart_too(new_host: NewHost, storage: FaultyStorage) -> None:
    publish(new_host("worker"), 20.0)
    assert seen(new_host("web", page=True)) == {MONTH: 20.0}
    storage.fault = lambda _method, _path: 503
    assert seen(new_host("web", page=True)) == {MONTH: 20.0}


def test_refused_keys_are_a_wrong_setting_and_nobody_sees_them(new_host: NewHost, storage: FaultyStorage) -> None:
    storage.fault = lambda _method, _path: 403
    with pytest.raises(ConfigurationError) as raised:
        publish(new_host("worker"), 20.0)
    assert "AWS_ACCESS_KEY_ID" in raised.value.message
    assert SECRET not in str(raised.value)


def test_a_damaged_copy_is_fetched_anew_and_a_damaged_object_leaves_the_index(new_host: NewHost) -> None:
    worker, page = new_host("worker"), new_host("web", page=True)
    publish(worker, 20.0)
    assert seen(page) == {MONTH: 20.0}
    (copy,) = page.folder(KEY).glob("*.tile")
    copy.write_bytes(copy.read_bytes()[:-8])
    with pytest.raises(TileDamaged):
        seen(new_host("web", page=True))  # a view looks again after this error
    assert seen(new_host("web", page=True)) == {MONTH: 20.0}

    objects = worker._objects
    (name,) = [each.name for each in objects.listed("tiles")]
    whole = objects.get(name)
    assert whole is not None
    objects.put(name, whole[0][:-8])
    assert [damage.month for damage in worker.verify()[1]] == [MONTH]
    worker.settle()
    assert page.entries(KEY) == {}


def test_a_tile_that_the_storage_lost_leaves_the_index_and_is_read_again(new_host: NewHost) -> None:
    worker = new_host("worker")
    publish(worker, 20.0)
    publish(worker, 21.0, month=MONTH + 1)
    objects = worker._objects
    objects.delete([each.name for each in objects.listed("tiles") if "2019-03" in each.name])
    assert seen(new_host("web")) == {MONTH + 1: 21.0}
    wait_until(lambda: list(worker.entries(KEY)) == [MONTH + 1], "the worker to notice")


def test_copies_that_exceed_the_budget_go_and_come_back(new_host: NewHost) -> None:
    worker, page = new_host("worker"), new_host("web", page=True, budget=1)
    publish(worker, 20.0)
    worker.settle()
    assert seen(page) == {MONTH: 20.0}
    page.evict()
    assert list(page.folder(KEY).glob("*.tile")) == []
    assert seen(page) == {MONTH: 20.0}
    assert len(list(ObjectStore(worker._objects.url).listed("tiles"))) == 1


def test_a_worker_takes_what_another_host_has_read_and_what_its_killed_predecessor_wrote(new_host: NewHost) -> None:
    first, second = new_host("first"), new_host("second")
    publish(first, 20.0)
    found = second.resume(KEY, MONTH)
    assert found is not None
    second.publish(KEY, [found])  # as a load does with what it need not read
    written = first.write(KEY, MONTH + 1, rows_of(MONTH + 1, 21.0), generation=1, fingerprint=5)
    assert new_host("first").resume(KEY, MONTH + 1) == written
    assert seen(second) == {MONTH: 20.0}


def test_clear_of_a_station_leaves_the_others_on_every_host(new_host: NewHost) -> None:
    worker, page = new_host("worker"), new_host("web", page=True)
    other = KEY._replace(station="气象站 北京 " * 20)  # whose folder's name is cut
    publish(worker, 20.0)
    publish(worker, 21.0, key=other)
    worker.settle()
    assert (seen(page), seen(page, other)) == ({MONTH: 20.0}, {MONTH: 21.0})
    assert {one.key for one in new_host("third").status()} == {KEY, other}
    assert new_host("third").clear(other.station) > 0
    time.sleep(LOOK_S)
    assert (seen(page), seen(page, other)) == ({MONTH: 20.0}, {})


def test_what_no_index_names_is_swept_a_day_later_by_the_storages_clock(new_host: NewHost, storage: FaultyStorage) -> None:
    worker = new_host("worker")
    publish(worker, 20.0)
    objects = worker._objects
    objects.put("tiles/own/aws-1/temperature/2019-04.1-00000005-00000000.tile", b"left behind")
    worker.verify()
    assert len(list(objects.listed("tiles"))) == 2
    storage.years = 1  # of the newest index
    worker.verify()
    assert len(list(objects.listed("tiles"))) == 1
    assert seen(new_host("web", page=True)) == {MONTH: 20.0}


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
def test_a_storage_that_ignores_a_condition_is_found_out(storage: FaultyStorage, header: str) -> None:
    assert conditions_hold(ObjectStore(new_prefix()), "probe/1")
    storage.ignored = header
    assert not conditions_hold(ObjectStore(new_prefix()), "probe/1")


def test_a_client_is_not_carried_across_a_fork(new_host: NewHost, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(new_host("worker"), 20.0)
    monkeypatch.setattr("data.tiles.object_store.os.getpid", lambda: -1)
    with pytest.raises(RuntimeError, match="fork"):
        new_host("child").entries(KEY)
