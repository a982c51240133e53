from __future__ import annotations

import pytest

from data.inventory import Inventory, MonthInventory, Outlying, StationInventory
from data.time.months import month_of
from errors import SourceUnavailable, UnknownStation
from tests.store import store_at

MARCH_2019 = 2019 * 12 + 2


@pytest.fixture
def store(migrated_url, tmp_path):
    store = store_at(migrated_url, tmp_path)
    yield store
    store.engine.dispose()


def test_a_month_grows_and_widens_and_its_generation_counts_every_change(store):
    inventory = store.inventory
    with store.engine.begin() as connection:
        inventory.describe(connection, "b", sensors={"humidity": (50, 90)})
        inventory.describe(connection, "b", sensors={"humidity": (10, 70), "air": None})
        inventory.describe(connection, "b", sensors={"air": (20, 30)})
        inventory.record(connection, "b", month=MARCH_2019, added=3, first_ms=50, last_ms=90)
        inventory.record(connection, "b", month=MARCH_2019, added=0, first_ms=60, last_ms=70)
        inventory.record(connection, "b", month=MARCH_2019, added=2, first_ms=10, last_ms=95)
        inventory.record(connection, "b", month=MARCH_2019 + 2, added=1, first_ms=200, last_ms=200)
    assert inventory.months("b", MARCH_2019, MARCH_2019 + 1) == {MARCH_2019: MonthInventory(MARCH_2019, 5, 10, 95, 3)}
    assert list(inventory.months("b", 0, 99_999)) == [MARCH_2019, MARCH_2019 + 2]
    spans = {"air": None, "humidity": (10, 90)}  # when air was first there is not known
    assert inventory.station("b") == StationInventory("b", ("air", "humidity"), 10, 200, 6, None, False, spans=spans)


def test_describing_merges_sensors_and_keeps_what_is_not_given(store):
    with store.engine.begin() as connection:
        store.inventory.describe(connection, "a", sensors=dict.fromkeys(["humidity"]), step_ms=60_000, synthetic=True)
        store.inventory.describe(connection, "a", sensors=dict.fromkeys(["air"]))
    assert store.inventory.stations() == (
        StationInventory("a", ("air", "humidity"), None, None, 0, 60_000, True, spans=dict.fromkeys(["air", "humidity"])),
    )


def test_stations_are_sorted_and_of_one_source_only(store):
    other = Inventory(store.engine, "elsewhere")
    with store.engine.begin() as connection:
        for name in ("b", "B", "ä", "a"):
            store.inventory.describe(connection, name, sensors={})
        other.describe(connection, "c", sensors={})
    assert [station.name for station in store.inventory.stations()] == ["B", "a", "b", "ä"]
    assert [station.name for station in other.stations()] == ["c"]


def test_what_a_failed_transaction_recorded_is_gone(store):
    with pytest.raises(RuntimeError), store.engine.begin() as connection:  # noqa: PT012
        store.inventory.describe(connection, "a", sensors={})
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
            store.inventory.describe(connection, f"aws-{number}", sensors={})
        store.inventory.describe(connection, "Bogor", sensors={})
    with pytest.raises(UnknownStation, match="no station bogor. Known stations: Bogor, …"):
        store.inventory.station("bogor")


def test_of_some_names_those_are_known_that_there_are_also_while_the_database_is_away(store, monkeypatch):
    def away(*_):
        raise SourceUnavailable("away")

    inventory = store.inventory
    part = inventory.as_shown(lambda station: station if station.name != "b" else None)
    with store.engine.begin() as connection:
        for name in ("c", "a", "b"):
            inventory.describe(connection, name, sensors={})

    def known():
        asked = ((each, names) for each in (inventory, part) for names in (["c", "b", "gone", "a\0", 7], [], None))
        return ["".join(station.name for station in each.known(names).stations) for each, names in asked]

    now = known()
    assert now == ["bc", "", "abc", "c", "", "ac"]
    monkeypatch.setattr(inventory, "_run_query", away)
    assert known() == now
    assert part.known(["c"]).away


@pytest.fixture
def chunks_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.inventory._STATIONS_A_QUERY", 2)


@pytest.mark.usefixtures("chunks_of_two")
def test_many_stations_are_told_of_in_the_order_asked_for_as_each_is_alone(store):
    inventory, names = store.inventory, ["e", "b", "ä", "a", "c"]
    with store.engine.begin() as connection:
        for number, name in enumerate([*names, "other"]):
            inventory.describe(connection, name, sensors=dict.fromkeys(["humidity"]))
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


def test_rows_in_the_future_and_a_few_far_in_the_past_are_told_apart_from_the_rest(store):
    day = 86_400_000
    now = 20_000 * day
    inventory = Inventory(store.engine, "own", now_ms=lambda: now)
    with store.engine.begin() as connection:
        for name, months in {
            "a": [(18_000, 50), (18_040, 60), (47_500, 1)],
            "b": [(0, 1), (19_000, 9)],
            "c": [(18_000, 9)],
        }.items():
            inventory.describe(connection, name, sensors=dict.fromkeys(["humidity"]))
            for at, rows in months:
                inventory.record(connection, name, month=month_of(at * day), added=rows, first_ms=at * day, last_ms=at * day)
    a, b, c = inventory.stations()
    astray = 47_500 * day
    assert (a.first_ms, a.last_ms) == (18_000 * day, astray)
    assert a.outlying == Outlying(1, ((astray, astray),), (18_000 * day, 18_040 * day))
    assert (b.outlying, b.usual) == (Outlying(1, ((0, 0),), (19_000 * day, 19_000 * day)), (19_000 * day, 19_000 * day))
    assert (c.outlying, c.usual) == (None, (18_000 * day, 18_000 * day))
