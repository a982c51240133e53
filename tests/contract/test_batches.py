"""Imports and deletions as batches: each is taken back exactly, or refused with a sentence;
on every database.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select, update

import data.batches.deleting
import data.ingest.importing
from data.batches import batch_records
from data.batches.batch_records import KEPT_DAYS, forget, get_batch, list_batches
from data.batches.deleting import Deleter, Deletion
from data.batches.journal import Change, Journal, pack, unpack
from data.batches.undo import undo
from data.database.engine import migrate_observations
from data.database.tables import batch, batch_change, month_inventory, station_inventory
from data.demo.generator import make_demo, plan_demo
from data.ingest.file_plan import ImportOptions
from data.ingest.importing import import_files
from data.ingest.sent_totals import running_total
from data.time.epoch import epoch_ms
from errors import Conflict, NotFound
from tests.databases import MIGRATED
from tests.store import Store, store_at

T0 = 1_577_836_800_000  # 2020-01-01
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
SENSORS = ("temperature", "humidity", "rainfall")
GAUGE = """
time = "timestamp_utc"
station = "station"
[columns]
total = { sensor = "rainfall", counts = "since_reset" }
"""
JUDGED = """
time = "timestamp_utc"
station = "station"
[columns]
temperature = "temperature"
code = { flags = "temperature", good = [0] }
"""


@pytest.fixture(params=list(MIGRATED))
def store(request, tmp_path) -> Iterator[Store]:
    with MIGRATED[request.param](tmp_path) as url:
        opened = store_at(url, tmp_path)
        yield opened
        opened.engine.dispose()


@pytest.fixture
def lite(tmp_path) -> Iterator[Store]:
    with MIGRATED["sqlite"](tmp_path) as url:
        opened = store_at(url, tmp_path)
        yield opened
        opened.engine.dispose()


def everything(store: Store) -> dict[str, Any]:
    """All that an import writes, but for generations, which only grow."""
    months, stations = month_inventory.c, station_inventory.c
    queries = {
        "totals": select(running_total),
        "stations": select(stations.station, stations.sensors, stations.step_ms, stations.synthetic),
        "months": select(months.station, months.month, months.rows, months.first, months.last).where(months.rows > 0),
    }
    with store.engine.connect() as connection:
        found = {name: sorted(map(tuple, connection.execute(query))) for name, query in queries.items()}
    return found | {"rows": store.rows(*SENSORS), "flags": store.flags()}


def spans(store: Store) -> dict[tuple[str, str], list[int]]:
    """[first, last] time of the values of each station's sensors, from the rows."""
    found: dict[tuple[str, str], list[int]] = {}
    for station, time, *values in store.rows(*SENSORS):
        for sensor, value in zip(SENSORS, values, strict=True):
            if value is not None:
                found[station, sensor] = [found.get((station, sensor), [time])[0], time]
    return found


def told_spans(store: Store) -> dict[tuple[str, str], list[int]]:
    """The same as the inventory says it."""
    stations = store.inventory.stations()
    return {(each.name, sensor): list(span or ()) for each in stations for sensor, span in each.spans.items()}


def generations(store: Store) -> dict[tuple[str, int], int]:
    columns = month_inventory.c
    with store.engine.connect() as connection:
        rows = connection.execute(select(columns.station, columns.month, columns.generation))
        return {(row[0], row[1]): row[2] for row in rows}


def load(store: Store, *lines: str, columns: str = "temperature", **wishes: Any) -> int:
    """Import lines ``time,station,values``; the batch's number."""
    return store.load(f"timestamp_utc,station,{columns}\n" + "\n".join(lines) + "\n", **wishes).batch


def remove(store: Store, station: str, start: int, end: int, sensor: str | None = None) -> tuple[int, int]:
    return Deleter(store.engine, store.catalogue, Deletion(station, sensor, start, end)).run()


def test_an_import_that_is_taken_back_leaves_nothing_behind(store):
    nothing = everything(store)
    number = load(store, "2020-01-01,A,1,0", "2020-02-01,A,2,9", "2020-02-01,B,3,0", columns="temperature,code", profile=JUDGED)
    assert len(store.flags()) == 1
    before = generations(store)
    done = undo(store.engine, number)
    assert (done.removed, done.restored) == (3, 0)
    assert everything(store) == nothing
    assert all(generations(store)[key] > generation for key, generation in before.items())
    assert get_batch(store.engine, number).state == "undone"
    load(store, "2020-01-01,A,1")
    month = min(generations(store))
    # a tile of the first time never looks fresh again
    assert generations(store)[month] > before[month] + 1


def test_replaced_values_flags_and_running_totals_come_back(store):
    load(store, "2020-01-01,A,1,0", "2020-01-02,A,2,9", columns="temperature,code", profile=JUDGED)
    load(store, "2020-01-01,A,1", "2020-01-03,A,4", columns="total", profile=GAUGE)
    before = everything(store)
    second = load(store, "2020-01-01,A,5,9", "2020-01-02,A,6,0", columns="temperature,code", profile=JUDGED)
    third = load(store, "2020-01-02,A,3", "2020-01-03,A,7", columns="total", profile=GAUGE)
    assert store.rows("temperature", "rainfall")[-1][-2:] == (None, 4.0)
    undo(store.engine, third)
    undo(store.engine, second)
    assert everything(store) == before


def test_a_total_that_follows_counts_from_the_one_before_when_the_batch_between_is_taken_back(store):
    load(store, "2020-01-01,A,1", columns="total", profile=GAUGE)
    second = load(store, "2020-01-02,A,4", columns="total", profile=GAUGE)
    load(store, "2020-01-03,A,9", columns="total", profile=GAUGE)
    assert [row[2] for row in store.rows("rainfall")] == [None, 3.0, 5.0]
    undo(store.engine, second)
    assert [row[2] for row in store.rows("rainfall")] == [None, 8.0]


def test_what_a_later_batch_changed_is_refused_and_named_and_nothing_changes(store):
    first = load(store, "2020-01-01,A,1", "2020-01-02,A,2")
    second = load(store, "2020-01-02,A,3")
    before = everything(store)
    with pytest.raises(Conflict, match=f"batch {second} has since changed 1 of the same rows of A.*import undo {second}"):
        undo(store.engine, first)
    assert everything(store) == before
    assert get_batch(store.engine, first).state == "done"
    undo(store.engine, second)
    undo(store.engine, first)
    assert store.rows() == []


def test_other_sensors_of_the_same_rows_stay_and_go_with_their_own_batch(store):
    first = load(store, "2020-01-01,A,1", "2020-01-02,A,2")
    second = load(store, "2020-01-02,A,50", "2020-01-03,A,51", columns="humidity")
    undo(store.engine, first)
    assert store.rows("temperature", "humidity") == [("A", T0 + DAY, None, 50.0), ("A", T0 + 2 * DAY, None, 51.0)]
    assert store.inventory.station("A").sensors == ("humidity",)
    undo(store.engine, second)
    assert store.rows() == []
    assert store.inventory.stations() == ()


def test_a_batch_is_taken_back_once_and_one_that_is_not_there_is_said(store):
    number = load(store, "2020-01-01,A,1")
    undo(store.engine, number)
    with pytest.raises(Conflict, match="already been undone"):
        undo(store.engine, number)
    with pytest.raises(NotFound, match="There is no batch 77"):
        undo(store.engine, 77)


def test_a_deletion_takes_rows_flags_and_totals_and_gives_them_back(store):
    load(store, *(f"2020-01-0{day},A,{day},{day % 2}" for day in range(1, 6)), columns="temperature,code", profile=JUDGED)
    load(store, *(f"2020-01-0{day},A,{day * day}" for day in range(1, 6)), columns="total", profile=GAUGE)
    load(store, "2020-01-02,B,1")
    before, grown = everything(store), generations(store)
    number, rows = remove(store, "A", T0 + DAY, T0 + 3 * DAY)
    assert rows == 2
    assert [row[1] for row in store.rows() if row[0] == "A"] == [T0, T0 + 3 * DAY, T0 + 4 * DAY]
    assert [row[1] for row in store.flags()] == [T0, T0 + 4 * DAY]
    assert len(everything(store)["totals"]) == 3
    assert store.inventory.station("A").rows == 3
    assert {key: value - grown[key] for key, value in generations(store).items()} == {("A", 24240): 1, ("B", 24240): 0}
    undo(store.engine, number)
    assert everything(store) == before


def test_deleting_one_sensor_leaves_the_others_and_rows_without_any_go(store):
    load(store, "2020-01-01,A,1,50", "2020-01-02,A,2,", "2020-01-03,A,3,51", columns="temperature,humidity")
    before = everything(store)
    number, rows = remove(store, "A", T0, T0 + 2 * DAY, "temperature")
    assert rows == 2
    assert store.rows("temperature", "humidity") == [("A", T0, None, 50.0), ("A", T0 + 2 * DAY, 3.0, 51.0)]
    assert store.inventory.station("A").sensors == ("humidity", "temperature")
    everywhere, _ = remove(store, "A", 0, T0 + 9 * DAY, "temperature")
    assert store.inventory.station("A").sensors == ("humidity",)
    undo(store.engine, everywhere)
    undo(store.engine, number)
    assert everything(store) == before


def test_of_a_sensor_stamped_at_its_end_the_same_rows_go_that_a_history_of_the_range_shows(lite):
    load(lite, *(f"2020-01-0{day},A,{day}" for day in (1, 2, 3)), columns="rainfall")
    deleter = Deleter(lite.engine, lite.catalogue, Deletion("A", "rainfall", T0, T0 + DAY))
    found = deleter.count()
    assert (found.rows, found.first_ms, found.last_ms) == (1, T0 + DAY, T0 + DAY)
    deleter.run()
    assert [row[1] for row in lite.rows()] == [T0, T0 + 2 * DAY]


def test_when_each_sensor_had_values_is_known_through_imports_blanks_and_deletions(store):
    columns = "temperature,humidity"
    load(store, "2020-01-01,A,,5", "2020-01-02,A,1,", "2020-01-03,A,2,6", "2020-02-04,A,3,", columns=columns)
    assert told_spans(store) == {("A", "temperature"): [T0 + DAY, T0 + 34 * DAY], ("A", "humidity"): [T0, T0 + 2 * DAY]}
    before = everything(store)
    blanked = load(store, "2020-01-01,A,9,", "2020-02-04,A,,7", columns=columns)
    assert told_spans(store) == {("A", "temperature"): [T0, T0 + 2 * DAY], ("A", "humidity"): [T0 + 2 * DAY, T0 + 34 * DAY]}
    undo(store.engine, blanked)
    assert everything(store) == before
    remove(store, "A", T0, T0 + 2 * DAY, "humidity")
    assert told_spans(store)["A", "humidity"] == [T0 + 2 * DAY] * 2
    remove(store, "A", 0, T0 + 2 * DAY)
    assert (
        told_spans(store)
        == spans(store)
        == {("A", "temperature"): [T0 + 2 * DAY, T0 + 34 * DAY], ("A", "humidity"): [T0 + 2 * DAY] * 2}
    )


def test_what_an_older_version_did_not_note_is_looked_up_once(store):
    load(store, "2020-01-01,A,,5", "2020-01-02,A,1,", "2020-01-03,A,2,", "2020-01-03,B,2,", columns="temperature,humidity")
    before, columns = everything(store), station_inventory.c
    # as versions without spans wrote it; rainfall never had a value
    old = '["humidity", "rainfall", "temperature"]'
    with store.engine.begin() as connection:
        connection.execute(update(station_inventory).where(columns.station == "A").values(sensors=old))
    assert told_spans(store)["A", "temperature"] == []
    assert (
        store.inventory.station("A").of(["temperature"]).span == store.inventory.station("A").span
    )  # as the station, until then
    load(store, "2020-01-04,A,7", columns="temperature")
    migrate_observations(store.engine, store.catalogue)
    assert told_spans(store) == spans(store)
    undo(store.engine, 2)
    assert everything(store) == before


def test_a_station_without_rows_is_gone_and_comes_back(store):
    load(store, "2020-01-01,A,1")
    before = everything(store)
    number, _ = remove(store, "A", 0, T0 + DAY)
    assert store.inventory.stations() == ()
    undo(store.engine, number)
    assert everything(store) == before


def test_a_deletion_protects_what_was_imported_until_it_is_taken_back(store):
    first = load(store, "2020-01-01,A,1", "2020-01-02,A,2")
    second, _ = remove(store, "A", T0, T0 + DAY)
    with pytest.raises(Conflict, match=f"Undo that one first: manage.py import undo {second}"):
        undo(store.engine, first)


def _random_import(store: Store, chance: random.Random) -> None:
    def line(values: str) -> str:
        return f"2020-01-{chance.randint(30, 31)}T{chance.randint(0, 23):02d}:00,{chance.choice('AB')},{values}"

    kind = chance.choice(["plain", "judged", "total", "both"])
    count = range(chance.randint(1, 9))
    if kind == "judged":
        lines = [line(f"{chance.randint(0, 3)},{chance.randint(0, 1)}") for _ in count]
        load(store, *lines, columns="temperature,code", profile=JUDGED)
    elif kind == "total":
        lines = [line(f"{chance.randint(0, 9)}") for _ in count]
        load(store, *lines, columns="total", profile=GAUGE.replace("since_reset", chance.choice(["since_reset", "day_total"])))
    elif kind == "both":
        lines = [line(f"{chance.randint(0, 3)},{chance.choice(['', '5'])}") for _ in count]
        load(store, *lines, columns="humidity,temperature")
    else:
        load(store, *(line(str(chance.randint(0, 3))) for _ in count), columns=chance.choice(["temperature", "rainfall"]))


def _random_deletion(store: Store, chance: random.Random) -> None:
    stations = [station.name for station in store.inventory.stations()]
    if stations:
        start = T0 + 29 * DAY + chance.randint(-2, 40) * HOUR
        remove(store, chance.choice(stations), start, start + chance.randint(1, 20) * HOUR, chance.choice([None, *SENSORS]))


@pytest.mark.parametrize("seed", range(3))
def test_any_history_of_imports_and_deletions_is_walked_back_step_by_step(lite, monkeypatch, seed):
    _walk(lite, monkeypatch, seed, 12)


def test_it_is_on_every_database(store, monkeypatch):
    _walk(store, monkeypatch, 99, 5)


def _walk(store: Store, monkeypatch: pytest.MonkeyPatch, seed: int, steps: int) -> None:
    monkeypatch.setattr(data.ingest.importing, "_CELLS_A_TRANSACTION", 9)
    monkeypatch.setattr(data.batches.deleting, "_ROWS_A_TRANSACTION", 2)
    chance, seen = random.Random(seed), [everything(store)]
    for _ in range(steps):
        before = len(list_batches(store.engine))
        chance.choices([_random_import, _random_deletion], [3, 1])[0](store, chance)
        if len(list_batches(store.engine)) > before:
            seen.append(everything(store))
        assert told_spans(store) == spans(store)
    for found in list_batches(store.engine):
        assert everything(store) == seen.pop()
        undo(store.engine, found.id)
        assert told_spans(store) == spans(store)
    assert everything(store) == seen.pop()
    with store.engine.connect() as connection:
        assert connection.execute(select(batch_change.c.batch)).all() == []


class Killed(Exception):
    """What a kill is to those who are called."""


def test_an_import_that_was_killed_is_unfinished_and_what_it_stored_is_taken_back(store, monkeypatch):
    monkeypatch.setattr(data.ingest.importing, "_CELLS_A_TRANSACTION", 6)  # two rows of one sensor
    load(store, "2020-01-03,A,9")
    before, lines = everything(store), "".join(f"2020-01-0{day},A,{day}\n" for day in range(1, 8))
    path = store.file("killed.csv", "timestamp_utc,station,temperature\n" + lines)
    _kill_flush(monkeypatch, 3)
    with pytest.raises(Killed):
        import_files(store.engine, store.catalogue, [path], ImportOptions())
    newest = list_batches(store.engine)[0]
    assert (newest.state, newest.stored + newest.replaced) == ("unfinished", 4)
    undo(store.engine, newest.id)
    assert everything(store) == before


def _kill_flush(monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    flush, calls = Journal.flush, []

    def dying(self: Any, connection: Any) -> None:
        calls.append(1)
        if len(calls) == at:
            raise Killed
        flush(self, connection)

    monkeypatch.setattr(Journal, "flush", dying)


def test_taking_back_that_was_killed_goes_on_where_it_was(store, monkeypatch):
    monkeypatch.setattr(data.ingest.importing, "_CELLS_A_TRANSACTION", 6)  # two rows of one sensor
    nothing = everything(store)
    number = load(store, *(f"2020-01-0{day},A,{day}" for day in range(1, 8)))

    def report(fraction: float) -> None:
        if fraction > 0.4:
            raise Killed

    with pytest.raises(Killed):
        undo(store.engine, number, report)
    assert get_batch(store.engine, number).state == "undoing"
    assert 0 < len(store.rows()) < 7
    undo(store.engine, number)
    assert everything(store) == nothing


def test_an_import_stops_when_it_is_taken_back_while_it_runs(store, monkeypatch):
    monkeypatch.setattr(data.ingest.importing, "_CELLS_A_TRANSACTION", 6)  # two rows of one sensor
    path = store.file("slow.csv", "timestamp_utc,station,temperature\n" + "".join(f"2020-01-0{day},A,1\n" for day in range(1, 8)))
    flush, calls = Journal.flush, []

    def taken_back(self: Any, connection: Any) -> None:
        flush(self, connection)
        calls.append(1)
        if len(calls) == 1:
            connection.execute(batch.update().values(state="undoing"))

    monkeypatch.setattr(Journal, "flush", taken_back)
    with pytest.raises(Conflict, match="was undone while it was being written"):
        import_files(store.engine, store.catalogue, [path], ImportOptions())
    assert len(store.rows()) == 2
    undo(store.engine, 1)
    assert store.rows() == []


def test_batches_are_forgotten_from_the_oldest_on_and_then_stay_as_they_are(lite, monkeypatch):
    numbers = [load(lite, f"2020-01-0{day},A,{day}") for day in (1, 2, 3)]
    assert forget(lite.engine, numbers[1]) == 2
    with pytest.raises(Conflict, match="can no longer be undone"):
        undo(lite.engine, numbers[0])
    assert [found.state for found in list_batches(lite.engine)] == ["done", "forgotten", "forgotten"]
    later = epoch_ms() + (KEPT_DAYS + 1) * DAY
    monkeypatch.setattr(batch_records, "epoch_ms", lambda: later)
    load(lite, "2020-01-04,A,4")
    assert [found.state for found in list_batches(lite.engine)] == ["done", "forgotten", "forgotten", "forgotten"]
    assert len(lite.rows()) == 4


def test_a_demo_is_a_batch_too(lite):
    made = make_demo(lite.engine, lite.catalogue, plan_demo(now_ms=T0, stations=2, years=0.01, step_s=3600))
    (found,) = list_batches(lite.engine)
    assert (found.kind, found.stored) == ("demo", made.stored)
    undo(lite.engine, found.id)
    assert (lite.rows(), lite.inventory.stations()) == ([], ())


@pytest.mark.parametrize("there", [False, True])
def test_a_regular_piece_of_new_rows_costs_next_to_nothing(there):
    times = T0 + np.arange(20_000, dtype=np.int64) * MINUTE
    change = Change("rows", "A", {"sensors": ["x"]}, times, np.full(20_000, there), np.full((20_000, 1), 1.5))
    packed = pack(change)
    assert len(packed) < 2_000
    back = unpack("rows", "A", '{"sensors": ["x"]}', packed)
    np.testing.assert_array_equal(back.times, times)
    np.testing.assert_array_equal(back.there, change.there)
    np.testing.assert_array_equal(back.before, change.before if there else np.full((20_000, 1), np.nan))
