from __future__ import annotations

import pytest

from data.inventory import Inventory, MonthInventory, StationInventory
from errors import UnknownStation
from tests.store import open_store

MARCH_2019 = 2019 * 12 + 2


@pytest.fixture
def store(database_url, tmp_path):
    store = open_store(database_url, tmp_path)
    yield store
    store.engine.dispose()


def test_a_month_grows_and_widens_and_its_generation_counts_every_change(store):
    inventory = store.inventory
    with store.engine.begin() as connection:
        inventory.describe(connection, "b", sensors=["humidity"])
        inventory.record(connection, "b", month=MARCH_2019, added=3, first_ms=50, last_ms=90)
        inventory.record(connection, "b", month=MARCH_2019, added=0, first_ms=60, last_ms=70)
        inventory.record(connection, "b", month=MARCH_2019, added=2, first_ms=10, last_ms=95)
        inventory.record(connection, "b", month=MARCH_2019 + 2, added=1, first_ms=200, last_ms=200)
    assert inventory.months("b", MARCH_2019, MARCH_2019 + 1) == {MARCH_2019: MonthInventory(MARCH_2019, 5, 10, 95, 3)}
    assert list(inventory.months("b", 0, 99_999)) == [MARCH_2019, MARCH_2019 + 2]
    assert inventory.station("b") == StationInventory("b", ("humidity",), 10, 200, 6, None, False)


def test_describing_merges_sensors_and_keeps_what_is_not_given(store):
    with store.engine.begin() as connection:
        store.inventory.describe(connection, "a", sensors=["humidity"], step_ms=60_000, synthetic=True)
        store.inventory.describe(connection, "a", sensors=["air"])
    assert store.inventory.stations() == (StationInventory("a", ("air", "humidity"), None, None, 0, 60_000, True),)


def test_stations_are_sorted_and_of_one_source_only(store):
    other = Inventory(store.engine, "elsewhere")
    with store.engine.begin() as connection:
        for name in ("b", "B", "ä", "a"):
            store.inventory.describe(connection, name, sensors=[])
        other.describe(connection, "c", sensors=[])
    assert [station.name for station in store.inventory.stations()] == ["B", "a", "b", "ä"]
    assert [station.name for station in other.stations()] == ["c"]


def test_what_a_failed_transaction_recorded_is_gone(store):
    with pytest.raises(RuntimeError), store.engine.begin() as connection:  # noqa: PT012
        store.inventory.describe(connection, "a", sensors=[])
        store.inventory.record(connection, "a", month=1, added=1, first_ms=1, last_ms=1)
        raise RuntimeError
    assert store.inventory.stations() == ()


def test_what_no_database_takes_as_a_name_is_an_unknown_station(store):
    with pytest.raises(UnknownStation):
        store.inventory.station("a\0b")


def test_an_unknown_station_names_those_that_are_like_it(store):
    with pytest.raises(UnknownStation, match="nothing has been imported"):
        store.inventory.station("aws-1")
    with store.engine.begin() as connection:
        for number in range(1, 10):
            store.inventory.describe(connection, f"aws-{number}", sensors=[])
        store.inventory.describe(connection, "Bogor", sensors=[])
    with pytest.raises(UnknownStation, match="no station bogor; known are Bogor, …"):
        store.inventory.station("bogor")


@pytest.fixture
def chunks_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.inventory._STATIONS_A_QUERY", 2)


@pytest.mark.usefixtures("chunks_of_two")
def test_many_stations_are_told_of_in_the_order_asked_for_as_each_is_alone(store):
    inventory, names = store.inventory, ["e", "b", "ä", "a", "c"]
    with store.engine.begin() as connection:
        for number, name in enumerate([*names, "other"]):
            inventory.describe(connection, name, sensors=["humidity"])
            for month in range(MARCH_2019 + 5, MARCH_2019 + 5 - number, -1):
                inventory.record(connection, name, month=month, added=month % 3, first_ms=10**12 + month, last_ms=2 * 10**12)
    assert [station.name for station in inventory.named(names)] == names
    with pytest.raises(UnknownStation, match="nowhere"):
        inventory.named([*names, "nowhere", "no\0name"])
    table = inventory.month_table(names, MARCH_2019 + 3, MARCH_2019 + 5)
    columns = (table.station, table.month, table.rows, table.first_ms, table.last_ms, table.generation)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == [
        (position, month.month, month.rows, month.first_ms, month.last_ms, month.generation)
        for position, name in enumerate(names)
        for month in inventory.months(name, MARCH_2019 + 3, MARCH_2019 + 5).values()
    ]
    assert len(inventory.month_table([], 0, 99_999)) == len(inventory.month_table(["nowhere"], 0, 99_999)) == 0
