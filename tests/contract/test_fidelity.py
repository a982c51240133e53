"""Same rows in, same tiles out, bit for bit: on every database, by both paths."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from config import Settings
from data.ingest.writer import ObservationWriter
from data.readings import clean
from data.request import HistoryRequest
from data.site import Site, open_site
from data.source import TableSource
from data.tiles.tile_store import SeriesKey
from data.time.months import month_bounds_ms, months_of
from jobs.kinds.history import load_history

SENSORS = ("pressure", "temperature")
PATHS = ("fast", "general")
DAY = 86_400_000
# Names that some database or language takes for one another, or for something else.
NAMES = (
    *("a", "A", "ä", "a ", " a", "a\\", "a\\'", "a''b", 'a"b', "a`b", "a%", "a_", "%s", "NULL", "--"),
    *("straße", "strasse", "é", "e\u0301", "雨", "\U0001f327", "\ufb01", "fi"),
)
EDGES = [0.0, -0.0, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, -1.7976931348623157e308, 0.1, 1 / 3, 1e22, 2.0**53]
TIMES = {
    "before 1970": -2_208_988_800_000,  # 1900-01-01
    "around 1970": -3 * DAY,
    "32 bits of seconds": 2**31 * 1000 - 3 * DAY,  # January 2038
    "32 bits of ms": 2**32 - 3 * DAY,
    "far": 32_503_680_000_000,  # 3000-01-01
}


def any_numbers(count: int) -> np.ndarray:
    """Finite doubles of every magnitude, and the edges; the same each time."""
    drawn = np.random.default_rng(20).integers(0, 2**64, 4 * count, dtype=np.uint64).view(np.float64)
    return np.concatenate([EDGES, drawn[np.isfinite(drawn)]])[:count]


@pytest.fixture
def site(migrated_url: str, tmp_path: Path) -> Iterator[Site]:
    made = open_site(Settings(data_dir=tmp_path / "var", observations_url=migrated_url))
    yield made
    made.engine.dispose()


def store(site: Site, station: str, times: np.ndarray, values: np.ndarray) -> None:
    writer = ObservationWriter(site.engine, site.catalogue, SENSORS)
    with writer.engine.begin() as connection:
        site.inventory.lock(connection, station)
        writer.write(connection, station, times, values)
        site.inventory.describe(connection, station, sensors=dict.fromkeys(SENSORS), step_ms=1000)


def loaded(site: Site, path: str, tmp_path: Path, span: tuple[int, int] = (-(10**13), 10**14)) -> Site:
    """The same site with tiles of its own, all of a span (ms UTC) read by one path."""
    settings = site.settings.model_copy(update={"tile_dir": tmp_path / path})
    made = open_site(settings)
    assert isinstance(made.source, TableSource)
    one_path = replace(made.source, fast=path == "fast")
    made = replace(made, open_source=lambda: one_path)
    stations = tuple(station.name for station in made.inventory.stations())
    load_history(made, HistoryRequest(stations, SENSORS, *span), lambda _: None)
    made.engine.dispose()
    return made


def tiles(site: Site, station: str, sensor: str) -> list[bytes]:
    return [array.tobytes() for array in site.tiles.open_series(SeriesKey("own", station, sensor), -(10**13), 10**14).read()]


def test_every_double_at_every_time_comes_back_as_it_was_written(site, tmp_path):
    times = np.concatenate([start + np.arange(60) * (DAY // 10) for start in sorted(TIMES.values())])
    values = np.column_stack([any_numbers(len(times)), any_numbers(len(times))[::-1]])
    values[::7, 0] = np.nan
    store(site, "a", times, values)
    for path in PATHS:
        made = loaded(site, path, tmp_path)
        for number, sensor in enumerate(SENSORS):
            # zero is stored without a sign
            expected = clean(times, values[:, number] + 0.0, site.catalogue[sensor])
            wanted = [array.tobytes() for array in (expected.times, expected.values, expected.flags)]
            assert tiles(made, "a", sensor) == wanted, (path, sensor)


def test_names_that_look_alike_are_stations_of_their_own(site, tmp_path):
    start = month_bounds_ms(int(months_of(np.array([0]))[0]))[0]
    for number, name in enumerate(NAMES):
        store(site, name, np.array([start + number, start + 1000 + number]), np.full((2, 2), float(number)))
    assert {station.name for station in site.inventory.stations()} == set(NAMES)
    assert {station.rows for station in site.inventory.stations()} == {2}
    for path in PATHS:
        made = loaded(site, path, tmp_path, (start, start + DAY))
        for number, name in enumerate(NAMES):
            expected = np.array([start + number, start + 1000 + number]).tobytes(), np.full(2, float(number)).tobytes()
            assert tuple(tiles(made, name, "temperature")[:2]) == expected, (path, name)


@pytest.mark.parametrize("path", PATHS)
def test_what_is_not_finite_is_left_out_and_counted_where_a_server_can_hold_it(site, tmp_path, path):
    if site.engine.dialect.name == "mysql":
        pytest.skip("MariaDB holds neither NaN nor infinity")
    store(site, "a", np.arange(4) * 1000, np.ones((4, 2)))
    values = ["'NaN'", "'Infinity'", "'-Infinity'"] if site.engine.dialect.name == "postgresql" else ["NULL", "9e999", "-9e999"]
    with site.engine.begin() as connection:
        for number, value in enumerate(values):
            connection.execute(text(f"UPDATE observation SET temperature = {value} WHERE time = {number * 1000}"))
    made = loaded(site, path, tmp_path)
    assert [len(part) for part in made.tiles.open_series(SeriesKey("own", "a", "temperature"), 0, 10**6).read()] == [1, 1, 1]
