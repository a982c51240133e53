"""More stations than can be told apart: their median and the band from 10 to 90 %, of all rows,
and lines that keep every extreme.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.tile_site import TileSite
from data.request import HistoryRequest
from data.view.records import HistoryView
from data.view.spread import quantiles
from data.view.view_request import view_request
from tests.tiled import DAY, HOUR, KEY, MARCH_2019, MINUTE, sensor_named, site_with, store_rows

SENSORS = ("temperature", "rainfall", "wind_direction")
START, END = MARCH_2019, MARCH_2019 + 20 * DAY
WIDTH = 400
TIMES = np.arange(START, END, 10 * MINUTE)


@pytest.fixture(scope="module")
def values() -> dict[tuple[str, str], np.ndarray]:
    random = np.random.default_rng(3)
    found = {}
    for number in range(12):
        found[f"s{number:02d}", "temperature"] = np.round(20 + number + random.normal(0, 2, len(TIMES)), 1)
        found[f"s{number:02d}", "rainfall"] = np.round(random.exponential(0.2, len(TIMES)), 1)
        found[f"s{number:02d}", "wind_direction"] = np.floor(random.random(len(TIMES)) * 360)
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, values: dict[tuple[str, str], np.ndarray]) -> TileSite:
    made = site_with(tmp_path_factory.mktemp("spread"))
    for (station, name), of_one in values.items():
        rows = slice(None, len(TIMES) // 2) if station == "s11" else slice(None)  # one of them ends early
        store_rows(made.tiles, sensor_named(name), TIMES[rows], of_one[rows], key=KEY._replace(station=station, sensor=name))
    return made


def seen(site: TileSite, stations: int, *sensors: str, resolution: str = "raw") -> HistoryView:
    names = tuple(f"s{number:02d}" for number in range(12 - stations, 12))
    request = HistoryRequest(names, sensors, START, END)
    return view_request(site, replace(request, resolution=resolution), START, END, WIDTH)  # type: ignore[arg-type]


def by_hand(values: dict[tuple[str, str], np.ndarray], sensor: str, bucket_ms: int) -> np.ndarray:
    """10 %, median and 90 % of 12 stations in each bucket, f8[3, buckets]."""
    table = np.array([of_one for (_station, name), of_one in values.items() if name == sensor])
    table[-1, len(TIMES) // 2 :] = 0
    if sensor == "rainfall":  # stamped at the end: a bucket's last row has the time of its end
        table = np.append(table[:, 1:], np.zeros((12, 1)), axis=1)
    table = table.reshape(12, -1, bucket_ms // (10 * MINUTE))
    of_station = table.sum(axis=2) if sensor == "rainfall" else table.mean(axis=2)
    of_station[-1, of_station.shape[1] // 2 :] = np.nan  # which ends early
    return np.nanquantile(of_station, (0.1, 0.5, 0.9), axis=0)


@pytest.mark.parametrize(
    ("sensor", "resolution", "bucket", "bucket_ms"),
    [
        ("temperature", "raw", "3h", 3 * HOUR),  # the shortest of two pixels or more
        ("temperature", "1d", "1d", DAY),
        ("rainfall", "raw", "6h", 6 * HOUR),  # as the bars of a station are
        ("rainfall", "1d", "1d", DAY),
    ],
)
def test_median_and_band_are_those_of_all_stations_with_readings(
    site: TileSite, values: dict[tuple[str, str], np.ndarray], sensor: str, resolution: str, bucket: str, bucket_ms: int
) -> None:
    (found,) = seen(site, 12, sensor, resolution=resolution).spreads
    assert (found.sensor, found.stations, found.bucket) == (sensor, 12, bucket)
    assert found.x.tolist() == list(range(START, END, bucket_ms))
    assert set(found.width) == {bucket_ms}
    np.testing.assert_allclose([found.lower, found.y, found.upper], by_hand(values, sensor, bucket_ms), atol=1e-9)


def test_eight_stations_are_told_apart_and_directions_have_no_median(site: TileSite) -> None:
    assert not seen(site, 8, "temperature").spreads
    assert [one.sensor for one in seen(site, 9, *SENSORS).spreads] == ["rainfall", "temperature"]
    narrow, wide = seen(site, 12, "temperature").series[0], seen(site, 8, "temperature").series[0]
    assert narrow.x.size < wide.x.size


def test_lines_of_many_stations_keep_every_extreme_of_their_columns(
    site: TileSite, values: dict[tuple[str, str], np.ndarray]
) -> None:
    for one in seen(site, 12, "temperature").series[:-1]:
        whole = values[one.station, "temperature"]
        for part in np.array_split(np.arange(len(TIMES)), 20):  # a day each
            drawn = one.y[(one.x >= TIMES[part[0]]) & (one.x <= TIMES[part[-1]])]
            assert (drawn.min(), drawn.max()) == (whole[part].min(), whole[part].max())


def test_many_stations_without_a_reading_have_no_spread_to_draw(tmp_path: Path) -> None:
    (found,) = seen(site_with(tmp_path), 12, "temperature").spreads
    assert (found.stations, found.x.size) == (0, 0)


def test_quantiles_are_those_of_what_each_column_has() -> None:
    random = np.random.default_rng(5)
    table = random.normal(0, 1, (9, 200))
    table[random.random(table.shape) < 0.3] = np.nan
    table[0] = 1.0  # each has one
    np.testing.assert_allclose(quantiles(table, (0.1, 0.5, 0.9)), np.nanquantile(table, (0.1, 0.5, 0.9), axis=0))
