"""Odd data in odd windows: a view never raises or warns, its points are in order,
and it stays small.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from benchmarks.tile_site import TileSite
from data.request import HistoryRequest
from data.tiles.tile_store import SeriesKey
from data.time.resolution import RESOLUTIONS, Resolution
from data.view.view_request import view_request
from errors import InvalidRequest
from tests.tiled import DAY, HOUR, MARCH_2019, MINUTE, sensor_named, site_with, store_rows

SENSORS = ("rainfall", "temperature", "wind_direction")
TIMES = {
    "a single row": np.array([MARCH_2019]),
    "1938, hourly": -(10**12) + np.arange(3000) * HOUR,
    "daily": MARCH_2019 + np.arange(900) * DAY,
    "around 1970": np.arange(-2500, 2500) * MINUTE,
}
RANGES = [
    (-62_135_596_800_000, 253_402_300_799_999),  # all years there are
    (-(10**12) + 5 * DAY, 2 * 10**12),
    (MARCH_2019, MARCH_2019 + 1),
    (-(10**7), 10**3),
]
WIDTH = 60


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> TileSite:
    site = site_with(tmp_path_factory.mktemp("tiles"))
    random = np.random.default_rng(0)
    for (station, times), name in product(TIMES.items(), SENSORS):
        values = random.uniform(-1, 61, len(times))
        store_rows(site.tiles, sensor_named(name), times, values, key=SeriesKey("own", station, name))
    return site


@pytest.mark.parametrize("resolution", RESOLUTIONS)
@pytest.mark.parametrize("station", TIMES)
def test_any_window_of_anything_is_drawn_in_order(site: TileSite, station: str, resolution: Resolution) -> None:
    for start, end in RANGES:
        request = HistoryRequest((station,), SENSORS, start, end, resolution, "Australia/Lord_Howe")
        part = start + (end - start) // 3
        for window in ((start, end), (part, part + max(1, (end - start) // 2)), (start - 10, start), (end, end + 5)):
            for series in view_request(site, request, *window, WIDTH).series:
                assert len(series.x) == len(series.y) == len(series.rows)
                assert (np.diff(series.x) >= 0).all()
                assert len(series.x) <= 8 * WIDTH + 6 or resolution == "1mo"


@pytest.mark.parametrize(("window", "width", "field"), [((5, 5), 100, "start"), ((6, 5), 100, "start"), ((5, 6), 0, "width")])
def test_a_window_without_extent_is_refused(site: TileSite, window: tuple[int, int], width: int, field: str) -> None:
    request = HistoryRequest(("daily",), SENSORS, 0, 10)

    with pytest.raises(InvalidRequest) as refused:
        view_request(site, request, *window, width)

    assert refused.value.field == field


def test_a_view_draws_the_rest_when_a_tile_is_damaged(tmp_path: Path) -> None:
    sensor = sensor_named("temperature")
    store_rows(site_with(tmp_path).tiles, sensor, MARCH_2019 + np.arange(60) * DAY, np.zeros(60))
    next(tmp_path.rglob("2019-03*.tile")).write_bytes(b"not a tile")
    request = HistoryRequest(("aws-1",), ("temperature",), MARCH_2019, MARCH_2019 + 60 * DAY)

    view = view_request(site_with(tmp_path), request, request.start_ms, request.end_ms, 500)

    assert view.total_rows == 29
