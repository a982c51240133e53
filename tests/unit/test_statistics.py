"""Statistics of any window are those of all its rows."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.readings import Observations
from data.tiles.series import Series
from data.view.statistics import SeriesStatistics, statistics
from tests.tiled import DAY, HOUR, KEY, MARCH_2019, MINUTE, open_all, sensor_named, site_with, store_rows

TEMPERATURE = sensor_named("temperature")


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Observations, Series]:
    site = site_with(tmp_path_factory.mktemp("tiles"))
    random = np.random.default_rng(8)
    times = MARCH_2019 + np.unique(random.integers(0, 60 * DAY, 60_000))
    values = random.normal(20, 20, len(times))
    cleaned = store_rows(site.tiles, TEMPERATURE, times, values)
    return cleaned, open_all(site.tiles, cleaned, TEMPERATURE)


@settings(max_examples=80, deadline=None)
@given(start=st.integers(-DAY, 61 * DAY), length=st.integers(1, 62 * DAY), include=st.booleans())
def test_statistics_equal_numpy_over_all_rows(
    stored: tuple[Observations, Series], start: int, length: int, include: bool
) -> None:
    cleaned, series = stored
    low, high = MARCH_2019 + start, MARCH_2019 + start + length
    inside = (cleaned.times >= low) & (cleaned.times < high)
    kept = inside & ((cleaned.flags == 0) | include)
    times, values = cleaned.times[kept], cleaned.values[kept]

    found = statistics(series, TEMPERATURE, low, high, step_ms=None, include_flagged=include)

    assert (found.rows, found.flagged) == (int(inside.sum()), int(np.count_nonzero(cleaned.flags[inside])))
    if not len(values):
        assert {getattr(found, field.name) for field in dataclasses.fields(found)[5:]} == {None}
        return
    assert (found.min, found.min_time) == (values.min(), times[values.argmin()])
    assert (found.max, found.max_time) == (values.max(), times[values.argmax()])
    assert (found.last, found.last_time) == (values[-1], times[-1])
    assert found.sum == pytest.approx(values.sum(), rel=1e-11)
    assert found.mean == pytest.approx(values.mean(), rel=1e-11)


def found_for(tmp_path: Path, name: str, times: np.ndarray, values: np.ndarray, window: tuple[int, int]) -> SeriesStatistics:
    site, sensor = site_with(tmp_path), sensor_named(name)
    store_rows(site.tiles, sensor, times, values)
    series = site.tiles.open_series(KEY._replace(sensor=name), *window)
    return statistics(series, sensor, *window, step_ms=None)


@pytest.mark.parametrize(
    ("step_min", "rows", "missing", "hours", "completeness"),
    [
        (1, 600, 0, 10, 1.0),
        (1, 600, 60, 10, 0.9),
        (10, 60, 6, 10, 0.9),
        (1, 600, 0, 20, 0.5),  # the window goes on without rows
    ],
)
def test_completeness_is_rows_against_the_usual_step(
    tmp_path: Path, step_min: int, rows: int, missing: int, hours: int, completeness: float
) -> None:
    times = np.delete(MARCH_2019 + np.arange(rows) * step_min * MINUTE, np.arange(missing) + 7)

    found = found_for(tmp_path, "temperature", times, np.zeros(len(times)), (MARCH_2019, MARCH_2019 + hours * HOUR))

    assert found.completeness == pytest.approx(completeness)


@pytest.mark.parametrize(("minutes", "completeness"), [(10, None), (59, None), (60, 0.0), (600, 0.0)])
def test_between_two_readings_nothing_is_incomplete(tmp_path: Path, minutes: int, completeness: float | None) -> None:
    times = MARCH_2019 + np.array([0, 1, 2, 3, 20, 21]) * HOUR
    start = MARCH_2019 + 3 * HOUR + MINUTE

    found = found_for(tmp_path, "temperature", times, np.zeros(len(times)), (start, start + minutes * MINUTE))

    assert (found.rows, found.completeness) == (0, completeness)


@pytest.mark.parametrize(("hours", "completeness"), [(23, 1.0), (24, 1.0), (24.5, 1.0), (25, 1.0), (48, 0.5), (49, 0.5)])
def test_a_day_that_is_longer_since_clocks_change_owes_a_daily_gauge_no_part_of_a_reading(
    tmp_path: Path, hours: float, completeness: float
) -> None:
    end = MARCH_2019 + round(hours * HOUR)
    times = np.append(MARCH_2019, end + np.arange(20) * DAY)

    found = found_for(tmp_path, "rainfall", times, np.ones(len(times)), (MARCH_2019, end))

    assert (found.rows, found.completeness) == (1, completeness)


def test_completeness_follows_a_step_that_changes_from_month_to_month(tmp_path: Path) -> None:
    february = MARCH_2019 - 28 * DAY + np.arange(28 * 24) * HOUR
    march = MARCH_2019 + np.arange(31 * 24 * 60) * MINUTE
    times = np.concatenate([february, march[: len(march) // 2]])

    found = found_for(tmp_path, "temperature", times, np.zeros(len(times)), (int(times[0]), MARCH_2019 + 31 * DAY))

    assert found.completeness == pytest.approx((28 * 24 + 31 * 12 * 60) / (28 * 24 + 31 * 24 * 60), rel=1e-3)


def test_completeness_is_never_more_than_all(tmp_path: Path) -> None:
    times = MARCH_2019 + np.concatenate([np.arange(300) * MINUTE, 300 * MINUTE + np.arange(3000) * 1000])

    found = found_for(tmp_path, "temperature", np.sort(times), np.zeros(len(times)), (int(times[0]), int(times[-1])))

    assert found.completeness is not None
    assert found.completeness <= 1.0


@pytest.mark.parametrize(("angles", "mean"), [([350.0, 10.0], 0.0), ([80.0, 100.0], 90.0), ([0.0, 180.0], None), ([360.0], 0.0)])
def test_the_mean_of_a_direction_is_that_of_its_vectors(tmp_path: Path, angles: list[float], mean: float | None) -> None:
    times = MARCH_2019 + np.arange(len(angles)) * MINUTE

    found = found_for(tmp_path, "wind_direction", times, np.array(angles), (MARCH_2019, MARCH_2019 + HOUR))

    if mean is None:
        assert found.mean is None
    else:
        assert found.mean is not None
        assert 0 <= found.mean < 360
        assert np.cos(np.deg2rad(found.mean - mean)) == pytest.approx(1, abs=1e-12)
