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
