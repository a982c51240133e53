"""Running means and medians are those of all readings around each point."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from benchmarks.tile_site import TileSite
from data.request import HistoryRequest
from data.view import smoothing as smoothing_module
from data.view.records import LENGTHS, Smoothing, SmoothingKind, SmoothLine
from data.view.view_request import view_request
from tests.tiled import DAY, HOUR, MARCH_2019, MINUTE, sensor_named, site_with, store_rows

TEMPERATURE = sensor_named("temperature", valid_min=-1e6, valid_max=1e6)
START = MARCH_2019 - 12 * DAY
STEP = 10 * MINUTE
N = 40 * 144  # ten-minute readings of 40 days


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    keep = np.ones(N, bool)
    keep[1000 : 1000 + 3 * 144] = keep[3000:3030] = False  # pauses of three days and five hours
    values = 1000 + np.cumsum(random.normal(0, 1, N))
    values[random.integers(0, N, 50)] = 2e6  # out of range: flagged
    return (START + np.arange(N) * STEP)[keep], values[keep]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, rows: tuple[np.ndarray, np.ndarray]) -> TileSite:
    made = site_with(tmp_path_factory.mktemp("tiles"), TEMPERATURE)
    store_rows(made.tiles, TEMPERATURE, *rows)
    return made


def smooth(site: TileSite, window: tuple[int, int], length: str, kind: SmoothingKind, width: int, **how: bool) -> SmoothLine:
    request = HistoryRequest(("aws-1",), ("temperature",), START, START + N * STEP)
    found = view_request(site, request, *window, width, smoothing=Smoothing(length, kind), **how).series[0].smooth
    assert found is not None
    return found


def by_hand(rows: tuple[np.ndarray, np.ndarray], x: np.ndarray, length: str, kind: SmoothingKind) -> np.ndarray:
    """Each point from its own readings; NaN where they are less than half of what is due."""
    times, values = rows
    good = np.abs(values) <= 1e6
    times, values = times[good], values[good]
    found = []
    for at in x:
        inside = values[(times >= at - LENGTHS[length] / 2) & (times < at + LENGTHS[length] / 2)]
        enough = len(inside) and len(inside) >= LENGTHS[length] / STEP / 2
        found.append(getattr(np, kind)(inside) if enough else np.nan)
    return np.array(found)


WINDOWS = {
    "all": (START, START + 40 * DAY),
    "a part": (START + 5 * DAY + 1234, START + 15 * DAY + 999),
    "fewer readings than pixels": (START + 20 * DAY, START + 21 * DAY),
    "beyond both ends": (START - 9 * DAY, START + 60 * DAY),
}


@pytest.mark.parametrize(("length", "kind"), list(product(("1d", "7d"), ("mean", "median"))))
@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS.keys())
def test_each_point_is_of_all_readings_around_it_those_beside_the_window_too(
    site: TileSite, rows: tuple[np.ndarray, np.ndarray], window: tuple[int, int], length: str, kind: SmoothingKind
) -> None:
    line = smooth(site, window, length, kind, 300)
    expected = by_hand(rows, line.x, length, kind)
    np.testing.assert_allclose(line.y, expected, rtol=1e-9)
    assert np.isfinite(line.y).sum() > 100
    assert (line.x[0] <= max(window[0], START), line.x[-1] >= min(window[1], rows[0][-1])) == (True, True)


def test_a_pause_is_bridged_only_where_half_of_the_readings_are_there(site: TileSite) -> None:
    pause = (START + 1000 * STEP, START + 1432 * STEP)  # three days
    for width in (300, 2000):  # at pixel columns, and at readings
        window = (pause[0] - 2 * DAY, pause[1] + 2 * DAY)
        day, week = (smooth(site, window, length, "mean", width) for length in ("1d", "7d"))
        inside = (day.x > pause[0]) & (day.x < pause[1])
        assert inside.any()
        assert np.isnan(day.y[(day.x > pause[0] + DAY / 2) & (day.x < pause[1] - DAY / 2)]).all()
        assert np.isfinite(week.y).all()


def test_a_length_that_pixels_cannot_show_is_refused_and_one_of_few_readings_is_not(site: TileSite) -> None:
    whole, part = WINDOWS["all"], WINDOWS["fewer readings than pixels"]
    assert smooth(site, whole, "1h", "mean", 300).refused == "finer"
    assert smooth(site, part, "1h", "mean", 300).refused == ""


def test_medians_of_too_many_readings_are_refused_and_those_of_many_have_fewer_points(
    site: TileSite, rows: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smoothing_module, "_MOST_SORTED", 20_000)
    few = smooth(site, WINDOWS["all"], "7d", "median", 300)
    assert 10 < len(few.x) < 40
    np.testing.assert_allclose(few.y, by_hand(rows, few.x, "7d", "median"))
    monkeypatch.setattr(smoothing_module, "_MOST_SORTED", 8_000_000)
    monkeypatch.setattr(smoothing_module, "_MOST_MEDIANS", 20)
    assert 10 <= len(smooth(site, WINDOWS["all"], "7d", "median", 300).x) <= 20
    monkeypatch.setattr(smoothing_module, "_MOST_READINGS", 1000)
    assert smooth(site, WINDOWS["all"], "7d", "median", 300).refused == "many"
    assert smooth(site, WINDOWS["all"], "7d", "mean", 300).refused == ""


def test_flagged_readings_count_where_they_are_asked_for(site: TileSite) -> None:
    with_flagged = smooth(site, WINDOWS["all"], "1d", "mean", 300, include_flagged=True)
    assert np.nanmax(with_flagged.y) > 1e4 > np.nanmax(smooth(site, WINDOWS["all"], "1d", "mean", 300).y)


def test_who_may_see_whole_steps_only_gets_no_line_from_which_readings_could_be_told(site: TileSite) -> None:
    assert smooth(replace(site, floor="1h"), WINDOWS["all"], "1d", "mean", 300).refused == "floor"


def test_sums_and_directions_have_no_running_mean(tmp_path: Path) -> None:
    made = site_with(tmp_path)
    for name in ("rainfall", "wind_direction"):
        sensor = sensor_named(name)
        store_rows(made.tiles, sensor, START + np.arange(100) * HOUR, np.ones(100))
        request = HistoryRequest(("aws-1",), (name,), START, START + 5 * DAY)
        seen = view_request(made, request, START, START + 5 * DAY, 300, smoothing=Smoothing("1d"))
        assert seen.series[0].smooth is None
