from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from data.catalogue import load_catalogue
from data.demo.generator import SENSORS, _climate, _observations, plan_demo
from data.demo.weather import Climate, sun_sine, uniform, weather
from data.time.epoch import DAY_MS, HOUR_MS
from errors import InvalidRequest

JANUARY_MS = round(datetime(2024, 1, 1, tzinfo=UTC).timestamp() * 1000)
MINUTE_MS = 60_000


@pytest.fixture(scope="module")
def year() -> tuple[Climate, np.ndarray, dict[str, np.ndarray]]:
    climate = Climate(seed=1001)
    times = np.arange(JANUARY_MS, JANUARY_MS + 365 * DAY_MS, 10 * MINUTE_MS, dtype=np.int64)
    return climate, times, weather(climate, times, 10 * MINUTE_MS)


def test_any_piece_made_alone_is_the_same():
    climate = Climate(seed=1002)
    times = np.arange(JANUARY_MS, JANUARY_MS + 2 * DAY_MS, MINUTE_MS, dtype=np.int64)
    whole, part = weather(climate, times, MINUTE_MS), weather(climate, times[700:705], MINUTE_MS)
    for sensor in SENSORS:
        np.testing.assert_array_equal(whole[sensor][700:705], part[sensor], sensor)


def test_every_value_is_valid_and_all_sensors_of_the_catalogue_are_there(year):
    values, catalogue = year[2], load_catalogue()
    assert set(values) == set(SENSORS) == set(catalogue.measured.sensors)
    for name, series in values.items():
        assert np.isfinite(series).all()
        assert series.min() >= catalogue[name].valid_min
        assert series.max() <= catalogue[name].valid_max


def test_the_sun_shines_by_day_only_and_stands_highest_at_noon(year):
    climate, times, values = year
    assert (values["solar_radiation"][sun_sine(climate, times) <= 0] == 0).all()
    assert 800 < values["solar_radiation"].max() < 1100
    day = np.arange(JANUARY_MS, JANUARY_MS + DAY_MS, MINUTE_MS, dtype=np.int64)
    noon_utc = day[np.argmax(sun_sine(climate, day))] % DAY_MS / HOUR_MS
    assert noon_utc == pytest.approx(12 - climate.longitude / 15, abs=0.02)


def test_afternoons_are_warm_and_dry_and_mornings_cool_and_moist(year):
    climate, times, values = year
    hour = (times / HOUR_MS + climate.longitude / 15) % 24
    afternoon, morning = (hour > 13) & (hour < 15), (hour > 5) & (hour < 6)
    assert values["temperature"][afternoon].mean() - values["temperature"][morning].mean() > 5
    assert values["humidity"][morning].mean() - values["humidity"][afternoon].mean() > 20


def test_the_year_has_a_wet_and_a_dry_season(year):
    _, times, values = year
    month = times.astype("datetime64[ms]").astype("datetime64[M]").astype(int) % 12
    rain_mm = [values["rainfall"][month == number].sum() for number in range(12)]
    assert 1000 < sum(rain_mm) < 3500
    assert rain_mm[0] + rain_mm[11] > 4 * (rain_mm[6] + rain_mm[7])


def test_pressure_has_two_tides_a_day(year):
    climate, times, values = year
    hour = ((times / HOUR_MS + climate.longitude / 15) % 24).astype(int)
    mean = np.array([values["pressure"][hour == number].mean() for number in range(24)])
    assert min(mean[9:11].mean(), mean[21:23].mean()) - max(mean[3:5].mean(), mean[15:17].mean()) > 2


def test_wind_keeps_its_direction(year):
    direction = np.radians(year[2]["wind_direction"])
    turn = np.degrees(np.abs(np.angle(np.exp(1j * np.diff(direction)))))
    assert np.median(turn) < 15


def test_random_numbers_are_even_and_streams_differ():
    numbers = np.arange(-5000, 5000, dtype=np.int64)
    first, second = uniform(1, 1, numbers), uniform(1, 2, numbers)
    assert np.histogram(first, 10, (0, 1))[0].min() > 850
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.05


def test_a_demo_ends_with_the_last_whole_day_and_has_the_rows_that_were_asked_for():
    demo = plan_demo(now_ms=JANUARY_MS + 5 * HOUR_MS, stations=2, years=0.5, step_s=600)
    assert demo.end_ms == JANUARY_MS
    assert demo.rows == 2 * round(0.5 * 365.25 * 144)


@pytest.mark.parametrize("wrong", [{"stations": 0}, {"years": 0.0}, {"years": -1.0}, {"step_s": 0}, {"years": float("nan")}])
def test_a_demo_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(InvalidRequest):
        plan_demo(now_ms=JANUARY_MS, **wrong)


def test_a_demo_has_gaps_and_sensors_that_stick():
    times = np.arange(JANUARY_MS, JANUARY_MS + 2 * 365 * DAY_MS, 10 * MINUTE_MS, dtype=np.int64)
    arrived, values = _observations(_climate(1), times, 10 * MINUTE_MS)
    assert 0.97 < len(arrived) / len(times) < 1
    assert np.diff(arrived).max() > HOUR_MS
    assert max(longest_run(values[sensor]) for sensor in ("temperature", "humidity", "wind_direction", "pressure")) > 18


def test_a_demo_has_spikes_far_out_of_the_valid_range():
    times = np.arange(JANUARY_MS, JANUARY_MS + 4 * DAY_MS, 1000, dtype=np.int64)
    assert _observations(_climate(1), times, 1000)[1]["humidity"].min() == -9999


def longest_run(values: np.ndarray) -> int:
    changes = np.flatnonzero(np.diff(values))
    return int(np.diff(np.concatenate([[-1], changes, [len(values) - 1]])).max())
