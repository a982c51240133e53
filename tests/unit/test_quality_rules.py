"""Rules of quality control, each on a small series that has the shape of its fault."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.quality import companions, consistency, jumps, plausible, radiation, silence, stuck
from analysis.quality.spans import joined, spans_of, tolerance, without_inside
from analysis.quality.sun import greatest_radiation, sine_of_elevation
from data.quality_limits import QualityLimits
from data.sensor import Sensor
from data.station_metadata import StationMetadata
from data.usual_limits import limits_of, quantity_of_name

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
START = 19_000 * DAY
STEP = ((1, 3.0), (60, 6.0), (720, 30.0))


def hours(number: int) -> np.ndarray:
    return START + np.arange(number) * HOUR


def sensor(name: str, unit_code: str = "degC", **quality: object) -> Sensor:
    return Sensor(name, {}, unit_code, unit_code, -80, 150, "mean", "line", "#000000", quality=QualityLimits(**quality))


def test_rows_that_are_near_each_other_are_one_span_with_the_worst_value():
    times, values = hours(10), np.array([0, 9, 0, 12, 0, 0, 0, 0, 7, 0.0])
    at = np.array([1, 3, 8])
    spans = spans_of(times, values, at, 5.0, values[at] / 5, join_ms=2 * HOUR)
    assert [spans.start.tolist(), spans.end.tolist()] == [[times[1], times[8]], [times[3], times[8]]]
    assert (spans.rows.tolist(), spans.value.tolist()) == ([2, 1], [12, 7])


def test_a_span_within_another_reaches_no_further_than_that_one():
    spans = spans_of(hours(9), np.zeros(9), np.array([0, 4, 8]), 1.0)
    long = spans_of(hours(9), np.zeros(9), np.array([3, 4, 5]), 1.0, join_ms=HOUR)
    assert without_inside(spans, long, 0).start.tolist() == [hours(9)[0], hours(9)[8]]
    assert without_inside(spans, long, 3 * HOUR).start.tolist() == []
    wide = joined(spans_of(hours(9), np.zeros(9), np.array([0]), 1.0), HOUR)
    assert len(without_inside(spans, wide, 0)) == 2


@pytest.mark.parametrize(("minutes", "limit"), [(0.5, 3), (1, 3), (30.5, 4.5), (60, 6), (720, 30), (721, np.inf)])
def test_a_tolerance_grows_with_the_elapsed_time_and_ends_with_its_table(minutes, limit):
    assert tolerance(STEP, np.array([round(minutes * MINUTE)]))[0] == pytest.approx(limit)


def test_a_step_is_a_change_that_the_elapsed_time_does_not_allow():
    values = np.array([10, 10.5, 18, 18.2, 18, 17.9])
    found = jumps.steps(hours(6), values, STEP)
    assert (found.at.tolist(), found.excess.tolist()) == ([2], [pytest.approx(7.5 / 6)])
    pause = np.array([0, 1, 7, 8, 9, 10]) * HOUR
    assert not len(jumps.steps(pause, values, STEP).at)  # in six hours it may


def test_a_spike_comes_back_and_a_step_is_none():
    spike, step = np.array([15, 15.2, -10.5, 14, 14.1]), np.array([15, 15.2, -10.5, -10, -10.2])
    assert jumps.spikes(hours(5), spike, STEP).at.tolist() == [2]
    assert not len(jumps.spikes(hours(5), step, STEP).at)
    assert not len(jumps.spikes(hours(2), spike[:2], STEP).at)


def test_more_rain_in_ten_minutes_than_about_half_the_record_of_the_world_is_a_spike():
    limits = limits_of(sensor("rainfall", "mm")).spike or ()
    times = START + np.arange(5) * 10 * MINUTE
    assert jumps.spikes(times, np.array([0, 0.2, 61.0, 1.0, 0]), limits).at.tolist() == [2]
    assert not len(jumps.spikes(times, np.array([4.0, 18, 44, 20, 3]), limits).at)


def test_values_are_held_against_the_climate_of_their_own_month():
    january, july = (int(np.datetime64(day, "ms").astype(np.int64)) for day in ("2021-01-31T23", "2021-07-01"))
    times = np.array([january, january + HOUR, july])  # the second one is of February
    climate = [(-10, 10), (-5, 5), *[(0, 30)] * 10]
    found = plausible.beyond_climate(times, np.array([8.0, 8.0, -1.0]), climate, 0)
    assert (found.start.tolist(), found.limit.tolist()) == ([times[1], times[2]], [5, 0])


def runs(times: np.ndarray, values: np.ndarray, least: int, usual: float) -> list[tuple[int, float]]:
    found = stuck.equal_runs(times, values, least, 3 * HOUR)
    found = stuck.too_long(found, stuck.resolution_around(times, values, found), least, usual)
    return list(zip(found.rows.tolist(), found.value.tolist(), strict=True))


def test_one_value_for_longer_than_the_quantity_stands_still_is_stuck():
    values = np.concatenate([np.arange(20) * 0.1, np.full(30, 16.8), np.arange(20) * 0.1])
    assert runs(hours(70), values, 6 * HOUR, 0.1) == [(30, 16.8)]


def test_coarse_readings_stand_still_longer_and_a_finer_resolution_is_seen_where_it_begins():
    coarse = np.repeat(np.arange(12.0), 20)  # honest: whole degrees, twenty hours each
    fine = np.concatenate([np.arange(40) * 0.1, np.full(20, 9.9), np.arange(40) * 0.1])
    assert runs(hours(240), coarse, 6 * HOUR, 0.1) == []
    assert runs(hours(340), np.concatenate([coarse, fine]), 6 * HOUR, 0.1) == [(20, 9.9)]


def test_readings_of_an_hour_that_change_by_many_steps_at_once_are_not_coarse():
    random = np.random.default_rng(1)
    lively = np.round(10 + 8 * np.sin(np.arange(600) / 24 * 2 * np.pi) + random.normal(0, 0.6, 600), 1)
    assert runs(hours(600), np.concatenate([lively[:300], np.full(8, 7.3), lively[308:]]), 6 * HOUR, 0.1) == [(8, 7.3)]
    converted = np.round((np.round(lively * 1.8 + 32) - 32) / 1.8, 1)  # whole degrees Fahrenheit, and a few of tenths between
    converted[::60] += 0.2
    assert runs(hours(600), np.concatenate([converted[:300], np.full(8, 7.2), converted[308:]]), 6 * HOUR, 0.1) == []


def test_a_run_goes_on_in_the_next_piece_and_not_over_a_pause():
    times, values = hours(40), np.concatenate([np.arange(10.0), np.full(20, 5.0), np.arange(10.0)])
    parts = [stuck.equal_runs(times[part], values[part], 15 * HOUR, HOUR) for part in (slice(0, 20), slice(20, 40))]
    whole = stuck.continued(parts, HOUR)
    assert 20 in whole.rows.tolist()
    later = times + np.where(np.arange(40) >= 20, DAY, 0)
    assert stuck.equal_runs(later, values, 15 * HOUR, HOUR).rows.max() == 1


def test_readings_that_hardly_vary_over_days_are_told_by_day():
    times = START + np.arange(6 * 24) * HOUR
    values = np.sin(np.arange(6 * 24) / 24 * 2 * np.pi) * 5
    values[48:96] = 3 + np.arange(48) % 2 * 0.05  # two days without a course
    daily = stuck.DailyRange()
    for part in np.split(np.arange(len(times)), [60]):  # a day in two pieces
        daily.add(times[part], values[part])
    found = daily.still(0.3, 2)
    assert (found.start.tolist(), found.end.tolist(), found.rows.tolist()) == ([START + 2 * DAY], [START + 4 * DAY - 1], [48])


def test_gaps_count_missing_readings_and_readings_between_two_steps_are_irregular():
    times = START + np.array([0, 1, 2, 5, 6, 6.5, 7]) * HOUR
    gap = silence.gaps(times, HOUR)
    assert (gap.start.tolist(), gap.end.tolist(), gap.rows.tolist()) == ([times[2]], [times[3]], [2])
    assert silence.irregular(times, HOUR, HOUR).start.tolist() == [times[5]]


def test_a_sensor_is_silent_while_others_of_its_station_send():
    station = hours(20)
    own = np.delete(station, [3, 4, 5, 6, 7, 8, 12])
    found = silence.silent(own, station, HOUR, 6)
    assert (found.start.tolist(), found.end.tolist(), found.rows.tolist()) == ([station[3]], [station[8]], [6])
    assert not len(silence.silent(station, station, HOUR, 1))


def test_a_station_is_frozen_where_three_lively_sensors_stand_still_together():
    moving, calm = np.arange(8.0), np.zeros(8)
    frozen = np.array([1, 2, 3, 3, 3, 3, 4, 5.0])
    free, quiet = np.zeros(8, bool), np.ones(8, bool)
    rows = consistency.frozen_rows([frozen, frozen, frozen, calm], [free, free, free, quiet])
    assert rows.tolist() == [False, False, False, True, True, True, False, False]
    spans = consistency.frozen_spans(hours(8), rows)
    assert (spans.start.tolist(), spans.rows.tolist()) == ([hours(8)[2]], [4])
    assert not consistency.frozen_rows([frozen, frozen, calm], [free, free, quiet]).any()  # two are too few
    assert not consistency.frozen_rows([frozen, frozen, frozen, moving], [free] * 4).any()


def test_dew_point_above_temperature_and_wind_above_gust_contradict_each_other():
    found = consistency.above(np.array([10, 12, np.nan, 9.0]), np.array([11, 11, 5, np.nan]), 0.5)
    assert (found.at.tolist(), found.limit.tolist()) == ([1], [11.5])


def test_a_direction_without_a_speed_is_told_from_a_number_of_rows_on():
    direction = np.array([90, 91, 92, 93, np.nan, 95, 96.0])
    speed = np.array([np.nan, np.nan, np.nan, 2, 2, np.nan, 2.0])
    assert consistency.without(direction, speed, 3).tolist() == [True, True, True, False, False, False, False]


def test_rain_in_dry_air_is_a_hint():
    found = consistency.rain_in_dry_air(np.array([1.0, 1.0, 0.1]), np.array([20.0, 80.0, 20.0]), 0.5, 25.0)
    assert found.at.tolist() == [0]


@pytest.mark.parametrize(
    ("moment", "latitude", "longitude", "degrees"),
    [  # pvlib's solar position algorithm (NREL SPA), geometric elevation
        ("2021-06-21T12:00", 51.0, 3.7, 62.2),
        ("2021-12-21T17:00", 40.64, -73.76, 25.9),
        ("2021-03-20T00:00", -6.2, 106.8, 14.9),
        ("2021-06-21T00:00", 51.0, 3.7, -15.5),
    ],
)
def test_the_sun_stands_where_ephemerides_say(moment, latitude, longitude, degrees):
    times = np.array([np.datetime64(moment, "ms").astype(np.int64)])
    assert np.rad2deg(np.arcsin(sine_of_elevation(times, latitude, longitude)))[0] == pytest.approx(degrees, abs=0.4)


def test_light_at_night_and_more_than_the_sun_gives_are_found_and_a_clear_day_is_none():
    times = START + np.arange(24 * 6) * 10 * MINUTE
    sine = sine_of_elevation(times, 37.3, -79.8)
    clear = 1000 * np.maximum(sine, 0.0)
    assert not len(radiation.against_sun(times, clear, (37.3, -79.8), 15.0, par=False).at)
    assert len(radiation.against_sun(times + 6 * HOUR, clear, (37.3, -79.8), 15.0, par=False).at)  # a clock six hours off
    night = int(sine.argmin())
    clear[night] = 40
    noon = int(sine.argmax())
    clear[noon] = 1.01 * greatest_radiation(times[noon : noon + 1], sine[noon : noon + 1])[0]
    assert sorted(radiation.against_sun(times, clear, (37.3, -79.8), 15.0, par=False).at.tolist()) == sorted([night, noon])
    assert radiation.below_dark(np.array([-3.9, -7.9, 0]), -4.0).at.tolist() == [1]


def test_one_of_five_neighbours_that_departs_is_found_and_their_usual_difference_is_none():
    random = np.random.default_rng(3)
    common = 15 + 5 * np.sin(np.arange(240) / 24 * 2 * np.pi)
    held = common + np.array([0, 2, -1, 0.5, 20])[:, None] + random.normal(0, 0.3, (5, 240))
    held[0, 100:120] += 9
    weight = companions.weights([None] * 5)
    found = []
    for own in (0, 4):
        departure, limit = companions.departures(held[own], companions.weighted_median(held, weight[own]), 5.0)
        found.append(companions.departed(hours(240), departure, limit, 6))
    assert (found[0].start.tolist(), found[0].rows.tolist()) == ([hours(240)[100]], [20])
    assert not len(found[1])


def test_two_neighbours_tell_nothing_and_near_ones_count_for_more():
    held = np.array([[1.0], [2.0], [30.0]])
    assert np.isnan(companions.weighted_median(held, np.array([0.0, 1.0, 1.0])))[0]
    weight = companions.weights([(51.0, 3.7), (51.0, 3.8), (51.0, 4.7), None])
    assert weight[0].tolist() == [0, 1, 1, 1]
    weight = companions.weights([(51.0, 3.7), (51.0, 3.8), (51.0, 4.7)])
    assert weight[0][1] > 90 * weight[0][2]


def test_dead_par_is_told_by_radiation_beside_it():
    light = np.concatenate([np.zeros(8), np.full(10, 500.0), np.zeros(6)])
    assert not len(companions.ratio_beyond(hours(24), 2 * light, light, (1.0, 3.5), 100.0))
    dead = companions.ratio_beyond(hours(24), np.full(24, 0.5), light, (1.0, 3.5), 100.0)
    assert dead.rows.tolist() == [10]


def test_limits_are_the_quantitys_in_the_sensors_unit_then_the_catalogues_then_the_stations():
    celsius, fahrenheit = limits_of(sensor("temperature")), limits_of(sensor("temperature", "degF"))
    assert celsius.step is not None
    assert fahrenheit.step is not None
    assert fahrenheit.step[0] == (1, pytest.approx(celsius.step[0][1] * 1.8))
    said = sensor("temperature", still_hours=9, step=[[1, 1]])
    station = StationMetadata(quality={"temperature": QualityLimits(step=((1, 2),))})
    assert (limits_of(said).step, limits_of(said, station).step) == (((1, 1),), ((1, 2),))
    assert (limits_of(said, station).still_hours, limits_of(said).spike) == (9, celsius.spike)


def test_a_sensor_of_no_known_quantity_has_no_limits_unless_the_catalogue_says_one():
    assert quantity_of_name("soil_moisture") == "other"
    assert limits_of(sensor("soil_moisture")).step is None
    assert limits_of(sensor("t2", quantity="air_temperature")).step is not None
    assert limits_of(sensor("temperature", "hPa")).quantity == "other"  # a unit of something else


@pytest.mark.parametrize(
    "wrong", [{"step": [[60, 1], [1, 2]]}, {"step": []}, {"step": [[1, 0]]}, {"quiet": [5, 1]}, {"climate": [[0, 1]]}, {"stp": 1}]
)
def test_wrong_limits_are_refused(wrong):
    with pytest.raises(ValueError, match="validation error"):
        QualityLimits(**wrong)
