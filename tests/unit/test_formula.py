"""Formulas: units are checked once, values are computed on arrays, what is missing is missing."""

from __future__ import annotations

import time

import numpy as np
import pytest

from data.formula import Measured, Reference, SensorReadings, check_units, evaluate, parse
from errors import InvalidFormula

MINUTE = 60_000
HOUR = 60 * MINUTE
NAN = float("nan")
UNITS = {
    Reference("temperature"): Measured("degC"),
    Reference("temperature", "JFK"): Measured("degF"),
    Reference("humidity"): Measured("percent"),
    Reference("pressure"): Measured("hPa"),
    Reference("rainfall"): Measured("mm"),
    Reference("wind_speed"): Measured("m/s"),
    Reference("wind_direction"): Measured("degree", direction=True),
}


def checked(text):
    return check_units(parse(text), UNITS)


def computed(text, unit, *, step=MINUTE, **sensors):
    """Values of a formula whose sensors have one reading a step."""
    readings = {
        Reference(name): SensorReadings(np.arange(len(values)) * step, np.array(values, float))
        for name, values in sensors.items()
    }
    return evaluate(checked(text), readings, unit).values.tolist()


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("temperature", "K"),
        ("temperature - temperature", "K"),
        ("pressure", "m⁻¹·kg·s⁻²"),
        ("humidity", ""),
        ('rain_rate(rainfall, "10 min")', "m·s⁻¹"),
        ('sqrt(pressure / quantity(1.2, "kg/m^3"))', "m·s⁻¹"),
        ("wind_speed ** 0.5", "m⁰·⁵·s⁻⁰·⁵"),
        ("wind_speed * 2 / wind_speed", ""),
        ("sin(wind_direction) * wind_speed", "m·s⁻¹"),
    ],
)
def test_the_unit_of_a_formula_is_told_in_base_units(text, unit):
    assert checked(text).unit == unit


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("temperature + wind_speed", "units do not fit: K and m·s⁻¹"),
        ("wind_speed + 3", "one side has m·s⁻¹ and the other is a number without a unit; write it as quantity"),
        ("1 if temperature > 30 else 0", "number without a unit"),
        ("log(temperature)", "log takes number in dimensionless, and this has K"),
        ("dew_point(humidity, temperature)", "dew_point takes temperature in degC, and this has no unit"),
        ('dew_point(temperature - temperature["JFK"], humidity)', "takes a temperature, and this is none"),
        ("temperature > humidity", "units do not fit|without a unit"),
        ("wind_speed > wind_speed", "says yes or no; write it as 1 if"),
        ("temperature + (wind_speed > wind_speed)", "a number is needed"),
        ("1 if temperature else 0", "yes or no is needed"),
        ("not temperature", "yes or no is needed"),
        ('rolling_mean(wind_direction, "1 h")', "a direction has no rolling value"),
        ('rolling_mean(wind_direction + quantity(1, "degree"), "1 h")', "a direction has no rolling value"),
        ('wind_speed + quantity(1, "parsnip")', "the unit parsnip is not known"),
        ("max(temperature, temperature - temperature)", "one side is a temperature and the other a difference"),
        ("temperature + snow", "There is no sensor snow"),
        ('temperature - humidity["JFK"]', 'There is no sensor humidity\\["JFK"\\]'),
    ],
)
def test_units_that_do_not_fit_are_refused_with_what_they_are(text, says):
    with pytest.raises(InvalidFormula, match=says):
        checked(text)


@pytest.mark.parametrize(
    ("text", "unit", "says"),
    [
        ("temperature", "m/s", "gives K, which cannot become m/s"),
        ("temperature", "parsnip", "unit parsnip is not known"),
        ("temperature + temperature", "degC", "neither a temperature nor a difference"),
        ("temperature * (temperature / temperature)", "degC", "neither a temperature nor a difference"),
    ],
)
def test_a_result_that_cannot_be_given_in_a_unit_is_refused(text, unit, says):
    with pytest.raises(InvalidFormula, match=says):
        checked(text).require_unit(unit)


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("temperature", "degC", 20.0),
        ("temperature", "degF", 68.0),
        ('temperature + quantity(2, "K")', "degC", 22.0),
        ('temperature - quantity(15, "degC")', "degC", 5.0),  # of two temperatures: a difference
        ('temperature - quantity(15, "degC")', "degF", 9.0),
        ('(temperature + quantity(10, "°C")) / 2', "degC", 15.0),
        ('0.25 * temperature + 0.75 * quantity(10, "°C")', "degC", 12.5),
        ('max(temperature, quantity(25, "°C"))', "degC", 25.0),
        ('temperature if temperature > quantity(280, "K") else quantity(0, "°C")', "degC", 20.0),
        ("humidity * 2", "percent", 100.0),
        ("humidity", "dimensionless", 0.5),
        ("pressure / 2", "kPa", 50.0),
        ("-wind_speed ** 2", "m^2/s^2", -9.0),
        ("wind_u(wind_speed, wind_direction)", "m/s", -3.0),
        ("wind_speed * cos(wind_direction)", "m/s", 0.0),
        ('1 if quantity(2, "m/s") < wind_speed <= quantity(3, "m/s") else 0', "dimensionless", 1.0),
        ("1 if wind_speed > wind_speed or not humidity < 0.5 else 0", "dimensionless", 1.0),
        ("1 if humidity >= 0.5 and humidity != 0.5 else 0", "dimensionless", 0.0),
        ("0 * humidity + 9**3", "dimensionless", 729.0),
        ("abs(-humidity) + min(humidity, 0.1, 0.2) + sqrt(4 * humidity**2)", "dimensionless", 1.6),
        ("exp(log(humidity)) + log10(humidity * 20) + tan(0 * humidity)", "dimensionless", 1.5),
    ],
)
def test_a_formula_computes_in_base_units_and_gives_the_wanted_one(text, unit, value):
    found = computed(text, unit, temperature=[20], humidity=[50], pressure=[1000], wind_speed=[3], wind_direction=[90])
    assert found == [pytest.approx(value, abs=1e-9)]


def test_a_difference_of_two_stations_has_no_zero_of_its_own():
    at = np.arange(3) * HOUR
    readings = {
        Reference("temperature"): SensorReadings(at, np.array([20.0, 21.0, 22.0])),
        Reference("temperature", "JFK"): SensorReadings(at[1:], np.array([50.0, 68.0])),  # °F
    }
    found = evaluate(checked('temperature - temperature["JFK"]'), readings, "degC")
    assert found.times.tolist() == [HOUR, 2 * HOUR]
    assert found.values.tolist() == pytest.approx([11.0, 2.0])


@pytest.mark.parametrize(
    "text",
    [
        "temperature - wet",
        "temperature if temperature > wet else temperature",
        "temperature if True_ else wet",
        'temperature if temperature > quantity(0, "K") or wet > wet else temperature',
        'temperature if not wet > wet and temperature > quantity(0, "K") else temperature',
        "max(temperature, wet)",
    ],
)
def test_a_value_is_missing_where_any_reading_of_it_is_even_one_that_is_not_taken(text):
    text = text.replace("wet", 'temperature["JFK"]').replace("True_", 'temperature > quantity(0, "K")')
    at = np.arange(3) * MINUTE
    readings = {
        Reference("temperature"): SensorReadings(at, np.array([20.0, 21.0, NAN])),
        Reference("temperature", "JFK"): SensorReadings(at, np.array([70.0, NAN, 70.0])),
    }
    values = evaluate(checked(text), readings, "K").values
    assert np.isnan(values).tolist() == [False, True, True]


def test_what_is_not_finite_is_missing():
    assert np.isnan(computed("1 / humidity", "dimensionless", humidity=[0])).all()
    assert np.isnan(computed("log(humidity)", "dimensionless", humidity=[-1])).all()
    assert np.isnan(computed("exp(humidity)", "dimensionless", humidity=[1e6])).all()


@pytest.mark.parametrize(
    ("function", "values"),
    [
        ("rolling_sum", [NAN, NAN, 6, 9, 12, 15]),
        ("rolling_mean", [NAN, NAN, 2, 3, 4, 5]),
        ("rolling_min", [NAN, NAN, 1, 2, 3, 4]),
        ("rolling_max", [NAN, NAN, 3, 4, 5, 6]),
    ],
)
def test_a_window_rolls_over_the_readings_after_its_begin_up_to_the_time(function, values):
    found = computed(f'{function}(rainfall, "3 min")', "mm", rainfall=[1, 2, 3, 4, 5, 6])
    assert found == pytest.approx(values, nan_ok=True)


@pytest.mark.parametrize(("there", "is_known"), [(10, True), (8, True), (7, False)])
def test_a_window_needs_four_fifths_of_its_readings(there, is_known):
    keep = ~np.isin(np.arange(1011), 1001 + np.arange(10 - there))
    readings = {Reference("rainfall"): SensorReadings(np.arange(1011)[keep] * MINUTE, np.ones(int(keep.sum())))}
    last = evaluate(checked('rolling_sum(rainfall, "10 min")'), readings, "mm").values[-1]
    assert np.isfinite(last) == is_known


def test_rolling_windows_equal_a_plain_loop_over_uneven_times():
    rng = np.random.default_rng(20240501)
    at = np.cumsum(rng.integers(20_000, 100_000, 500))
    values = rng.normal(10, 5, 500)
    readings = {Reference("wind_speed"): SensorReadings(at, values)}
    for name, plain in (("mean", np.mean), ("min", np.min), ("max", np.max), ("sum", np.sum)):
        found = evaluate(checked(f'rolling_{name}(wind_speed, "1 h")'), readings, "m/s")
        window = [values[(at > moment - HOUR) & (at <= moment)] for moment in found.times]
        least = max(1.0, np.floor(HOUR / np.median(np.diff(at))) * 0.8)
        wanted = [plain(each) if len(each) >= least else NAN for each in window]
        assert np.isfinite(wanted).sum() > 400
        np.testing.assert_allclose(found.values, wanted, rtol=1e-12, err_msg=name)


def test_a_shifted_value_was_read_exactly_so_long_before():
    assert computed('rainfall - shift(rainfall, "2 min")', "mm", rainfall=[1, 2, 4, 8]) == pytest.approx(
        [NAN, NAN, 3, 6], nan_ok=True
    )
    assert computed('shift(rainfall, "90 s") + rainfall', "mm", rainfall=[1, 2]) == pytest.approx([NAN, NAN], nan_ok=True)


def test_a_formula_that_only_looks_back_has_the_times_it_looks_from():
    at = np.arange(3) * MINUTE
    readings = {Reference("rainfall"): SensorReadings(at, np.array([1.0, 2.0, 3.0]))}
    found = evaluate(checked('shift(rainfall, "1 min")'), readings, "mm")
    assert (found.times - MINUTE).tolist() == at.tolist()
    assert found.values.tolist() == pytest.approx([1.0, 2.0, 3.0])


def test_how_far_a_formula_looks_back_adds_up():
    assert parse("temperature").back_ms == 0
    assert parse('shift(rolling_mean(temperature, "2 h"), "1 h") + rolling_max(temperature, "30 min")').back_ms == 3 * HOUR


def test_a_formula_names_each_of_its_sensors_once_in_order():
    formula = parse('humidity + temperature["Žilina"] * humidity + temperature')
    assert formula.references == (Reference("humidity"), Reference("temperature", "Žilina"), Reference("temperature"))
    assert [each.shown for each in formula.references] == ["humidity", 'temperature["Žilina"]', "temperature"]


def test_a_formula_of_no_readings_gives_none():
    nothing = {Reference("rainfall"): SensorReadings(np.empty(0, np.int64), np.empty(0))}
    for text in ("rainfall * 2", 'rolling_max(rainfall, "1 h")', 'shift(rainfall, "1 h")'):
        assert len(evaluate(checked(text), nothing, "mm").values) == 0


def test_dew_points_of_a_million_readings_take_milliseconds_and_equal_those_of_each_part():
    at = np.arange(1_000_000) * MINUTE
    rng = np.random.default_rng(1)
    readings = {
        Reference("temperature"): SensorReadings(at, rng.uniform(-20, 40, len(at))),
        Reference("humidity"): SensorReadings(at, rng.uniform(5, 100, len(at))),
    }
    formula = checked("dew_point(temperature, humidity)")
    begun = time.process_time()
    values = evaluate(formula, readings, "degC").values
    assert time.process_time() - begun < 0.5  # 10 ms on the machine of docs/performance.md
    part = {name: SensorReadings(at[32_700:32_800], each.values[32_700:32_800]) for name, each in readings.items()}
    assert evaluate(formula, part, "degC").values.tolist() == values[32_700:32_800].tolist()
