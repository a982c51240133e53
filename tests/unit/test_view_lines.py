"""The line of a view is, pixel for pixel, the line through all observations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.tile_site import TileSite
from data.readings import Observations
from data.request import HistoryRequest
from data.tiles.tile_store import TileStore
from data.view.gaps import gaps_between
from data.view.records import HistoryView
from data.view.view_request import view_request
from tests.raster import rasterise
from tests.tiled import DAY, HOUR, MARCH_2019, MINUTE, open_all, sensor_named, site_with, store_rows

WIDTH, HEIGHT = 1200, 400
TEMPERATURE = sensor_named("temperature", valid_min=-1e6, valid_max=1e6, gap_ms=5 * MINUTE)
START = MARCH_2019 - 12 * DAY

Rows = tuple[np.ndarray, np.ndarray]


def random_walk(random: np.random.Generator) -> Rows:
    n = 40_000
    return START + np.arange(n) * MINUTE, np.cumsum(random.normal(0, 1, n))


def spikes(random: np.random.Generator) -> Rows:
    times, values = random_walk(random)
    values = np.zeros(len(values))
    values[random.integers(0, len(values), 60)] = random.normal(0, 500, 60)
    return times, values


def holes(random: np.random.Generator) -> Rows:
    times, values = random_walk(random)
    keep = np.ones(len(times), bool)
    for at in random.integers(0, len(times), 40):
        keep[at : at + random.integers(1, 900)] = False
    return times[keep], values[keep]


def constant_runs(random: np.random.Generator) -> Rows:
    times, _ = random_walk(random)
    return times, np.repeat(np.round(random.normal(0, 3, 400)), 100)


def uneven(random: np.random.Generator) -> Rows:
    times = START + np.unique(random.integers(0, 25 * DAY, 50_000))
    return times, np.cumsum(random.standard_cauchy(len(times))).clip(-1e6, 1e6)


def bursts(random: np.random.Generator) -> Rows:
    starts = START + np.sort(random.integers(0, 25 * DAY, 60))
    times = np.unique((starts[:, None] + np.arange(700) * 1000).reshape(-1))
    return times, random.normal(0, 1, len(times)).cumsum()


SHAPES = (random_walk, spikes, holes, constant_runs, uneven, bursts)
WINDOWS = {
    "all": (START, START + 28 * DAY),
    "wider than the data": (START - 40 * DAY, START + 90 * DAY),
    "cut in a block": (START + 3 * DAY + 12_345, START + 9 * DAY + 54_321),
    "over the turn of the month": (MARCH_2019 - 7 * HOUR - 777, MARCH_2019 + 40 * HOUR + 1),
    "few rows a column": (MARCH_2019 - 3 * HOUR, MARCH_2019 + 90 * HOUR),
    "begins before": (START - 3 * DAY, START + 5 * DAY),
    "ends after": (START + 20 * DAY, START + 60 * DAY),
    "odd length": (START + 1, START + 20 * DAY + 1_237),
    "between two observations": (START + 1, START + 59_000),
}


def seen(site: TileSite, cleaned: Observations, window: tuple[int, int], **options: Any) -> HistoryView:
    request = HistoryRequest(("aws-1",), ("temperature",), int(cleaned.times[0]), int(cleaned.times[-1]) + 1)
    return view_request(site, request, *window, WIDTH, **options)


def all_points(times: np.ndarray, values: np.ndarray, window: tuple[int, int], gap_ms: float) -> Rows:
    """Every observation, broken where a pause is too long;
    a pause within a pixel column does not break.
    """
    column = np.floor((times - window[0]) * WIDTH / (window[1] - window[0]))
    at = np.flatnonzero((np.diff(times) > gap_ms) & (np.diff(column) > 0)) + 1
    middles = (times[at] + times[at - 1]) / 2.0
    return np.insert(times.astype(float), at, middles), np.insert(values, at, np.nan)


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS.keys())
@pytest.mark.parametrize("shape", SHAPES)
def test_the_view_lights_the_pixels_that_all_observations_light(
    tmp_path: Path, shape: Callable[[np.random.Generator], Rows], window: tuple[int, int]
) -> None:
    times, values = shape(np.random.default_rng(len(shape.__name__)))
    site = site_with(tmp_path, TEMPERATURE)
    cleaned = store_rows(site.tiles, TEMPERATURE, times, values)
    limits = (values.min() - 1.0, values.max() + 1.0)

    line = seen(site, cleaned, window).series[0]

    expected = rasterise(*all_points(times, values, window, 5 * MINUTE), window, (WIDTH, HEIGHT), limits)
    found = rasterise(line.x, line.y, window, (WIDTH, HEIGHT), limits)
    assert expected.any() or window == WINDOWS["between two observations"]
    wrong = np.argwhere(expected != found)
    assert len(wrong) == 0, f"{len(wrong)} pixels differ, the first at {wrong[0]}"
    assert len(line.x) <= 4 * WIDTH + 2 + np.isnan(line.y).sum()
    assert line.total_rows == ((times >= window[0]) & (times < window[1])).sum()


def test_a_view_with_one_extreme_left_out_would_not_pass(tmp_path: Path) -> None:
    times, values = random_walk(np.random.default_rng(3))
    site = site_with(tmp_path, TEMPERATURE)
    cleaned = store_rows(site.tiles, TEMPERATURE, times, values)
    window, limits = WINDOWS["all"], (values.min() - 1.0, values.max() + 1.0)
    line = seen(site, cleaned, window).series[0]

    y = line.y.copy()
    y[int(np.nanargmax(y))] = np.nanmin(y)

    whole = rasterise(line.x, line.y, window, (WIDTH, HEIGHT), limits)
    assert (whole != rasterise(line.x, y, window, (WIDTH, HEIGHT), limits)).any()


def test_few_observations_are_all_drawn_and_say_so(tmp_path: Path) -> None:
    site = site_with(tmp_path)
    cleaned = store_rows(site.tiles, sensor_named("temperature"), MARCH_2019 + np.arange(100) * MINUTE, np.arange(100.0) / 2)

    line = seen(site, cleaned, (MARCH_2019 + 10 * MINUTE, MARCH_2019 + 20 * MINUTE)).series[0]

    assert line.exact
    assert line.bucket == "raw"
    # the one before the window, its ten, the one at its end
    assert ((line.x - MARCH_2019) / MINUTE).tolist() == list(range(9, 21))
    assert line.total_rows == 10


@pytest.mark.parametrize(
    ("steps_min", "breaks_after"),
    [
        ([1] * 600 + [2] + [1] * 600, 0),  # one missing
        ([1] * 600 + [3] + [1] * 600, 0),  # three steps are not longer than three steps
        ([1] * 600 + [4] + [1] * 600, 1),
        ([1] * 600 + [60] * 600, 0),  # the step changes: the coarser side decides
        ([60] * 600 + [1] * 600 + [60] * 600, 0),
        ([60] * 600 + [200] + [60] * 600, 1),
    ],
)
def test_a_pause_of_more_than_three_usual_steps_breaks_the_line(tmp_path: Path, steps_min: list[int], breaks_after: int) -> None:
    site = site_with(tmp_path)
    times = MARCH_2019 + np.concatenate([[0], np.cumsum(steps_min)]) * MINUTE
    cleaned = store_rows(site.tiles, sensor_named("temperature"), times, np.zeros(len(times)))

    line = seen(site, cleaned, (int(times[0]), int(times[-1]) + 1)).series[0]

    assert int(np.isnan(line.y).sum()) == breaks_after


def test_one_bad_value_does_not_flatten_a_year_but_stays_visible(tmp_path: Path) -> None:
    site = site_with(tmp_path)
    times = MARCH_2019 + np.arange(50_000) * 10 * MINUTE
    values = 20 + 5 * np.sin(np.arange(50_000) / 144)
    values[[7_000, 7_001, 7_002, 30_000]] = [-9999.0, -9998.0, -9997.0, 777.0]
    cleaned = store_rows(site.tiles, sensor_named("temperature"), times, values)
    window = int(times[0]), int(times[-1]) + 1

    view, switched = seen(site, cleaned, window), seen(site, cleaned, window, include_flagged=True)

    line = view.series[0]
    assert np.nanmin(line.y) >= 15
    assert np.nanmax(line.y) <= 25
    # the extreme two of one pixel column, and the other
    assert sorted(line.flagged_y.tolist()) == [-9999.0, -9997.0, 777.0]
    assert (view.total_rows, view.total_flagged) == (50_000, 4)
    assert np.nanmin(switched.series[0].y) == -9999.0
    assert switched.statistics[0].min == -9999.0
    assert view.statistics[0].max == pytest.approx(25, abs=0.01)


def test_flagged_markers_are_at_most_two_a_column_however_many_there_are(tmp_path: Path) -> None:
    site = site_with(tmp_path)
    times = MARCH_2019 + np.arange(30_000) * MINUTE
    cleaned = store_rows(site.tiles, sensor_named("temperature"), times, np.linspace(100, 200, 30_000))

    view = seen(site, cleaned, (int(times[0]), int(times[-1]) + 1)).series[0]

    assert (len(view.x), len(view.flagged_x), view.total_flagged) == (0, 2 * WIDTH, 30_000)


def test_nothing_is_drawn_where_there_is_nothing(tmp_path: Path) -> None:
    site = site_with(tmp_path)
    request = HistoryRequest(("nowhere",), ("temperature", "rainfall", "wind_direction"), 0, 10**12, "raw", "Asia/Jakarta")
    for resolution in ("raw", "1min", "10min", "1h", "1d", "1mo"):
        view = view_request(site, HistoryRequest(request.stations, request.sensors, 0, 10**12, resolution), 0, 10**12, 800)

        assert [(len(series.x), series.total_rows) for series in view.series] == [(0, 0)] * 3
        assert [statistics.mean for statistics in view.statistics] == [None] * 3


def test_where_the_usual_step_changes_the_coarser_one_decides_what_a_gap_is(tmp_path: Path) -> None:
    sensor = sensor_named("temperature", gap_ms=None)
    store, coarse = TileStore(tmp_path), MARCH_2019 + np.arange(512) * 10 * MINUTE
    # both of whole blocks of 256 rows
    times = np.concatenate([coarse, coarse[-1] + 20 * MINUTE + np.arange(512) * MINUTE])
    series = open_all(store, store_rows(store, sensor, times, np.zeros(len(times))), sensor)
    assert not gaps_between(series, sensor, times, None).any()
