"""The given functions against published tables and worked examples."""

from __future__ import annotations

import numpy as np
import pytest

from data.formula.air_pressure import potential_temperature, sea_level_pressure
from data.formula.evapotranspiration import degree_days, extraterrestrial, reference_evapotranspiration
from data.formula.humid_air import dew_point, heat_index, saturation_pressure, vapour_pressure_deficit, wet_bulb
from data.formula.rolling import rolled
from data.formula.wind_components import wind_u, wind_v

MINUTE = 60_000


def of(function, *numbers, **named):
    return float(function(*(np.float64(number) for number in numbers), **named))


@pytest.mark.parametrize(
    ("celsius", "kpa"), [(1, 0.657), (10, 1.228), (15, 1.705), (20, 2.338), (25, 3.168), (35, 5.624), (45, 9.585)]
)
def test_saturation_is_within_half_a_percent_of_fao_56_annex_2_table_2_3(celsius, kpa):
    assert of(saturation_pressure, celsius) / 10 == pytest.approx(kpa, rel=0.005)


@pytest.mark.parametrize(
    ("celsius", "kpa", "dew", "kpa_of_dew"),
    [(25, 3.168, 15, 1.705), (35, 5.624, 20, 2.338), (20, 2.338, 1, 0.657), (15, 1.705, 15, 1.705)],
)
def test_dew_point_is_where_fao_56_annex_2_table_2_3_has_the_pressure_of_the_vapour(celsius, kpa, dew, kpa_of_dew):
    assert of(dew_point, celsius, 100 * kpa_of_dew / kpa) == pytest.approx(dew, abs=0.1)


def test_there_is_no_dew_point_of_dry_air():
    with np.errstate(all="ignore"):
        assert np.isnan(of(dew_point, 20, 0))


def test_vapour_pressure_deficit_is_that_of_fao_56_example_5():
    # Tmax 25 °C at RH 54 %: es 3.168 kPa; e of it 1.711 kPa
    assert of(vapour_pressure_deficit, 25, 54) / 10 == pytest.approx(3.168 - 1.711, rel=0.005)
    assert of(vapour_pressure_deficit, 18, 100) == 0


@pytest.mark.parametrize(
    ("fahrenheit", "percent", "index"),
    [(80, 40, 80), (90, 40, 91), (90, 50, 95), (90, 70, 105.9), (96, 65, 121), (100, 60, 129), (104, 40, 119), (86, 90, 105)],
)
def test_heat_index_is_that_of_the_chart_of_the_national_weather_service(fahrenheit, percent, index):
    assert of(heat_index, (fahrenheit - 32) / 1.8, percent) * 1.8 + 32 == pytest.approx(index, abs=0.6)


@pytest.mark.parametrize(("fahrenheit", "percent", "adjustment"), [(95, 9, -1.0), (84, 95, 0.6)])
def test_heat_index_is_adjusted_for_dry_and_for_damp_air_as_the_nws_does(fahrenheit, percent, adjustment):
    t, r = fahrenheit, percent
    regression = (
        -42.379 + 2.04901523 * t + 10.14333127 * r - 0.22475541 * t * r - 6.83783e-3 * t * t - 5.481717e-2 * r * r
        + 1.22874e-3 * t * t * r + 8.5282e-4 * t * r * r - 1.99e-6 * t * t * r * r
    )  # fmt: skip
    assert of(heat_index, (t - 32) / 1.8, r) * 1.8 + 32 - regression == pytest.approx(adjustment, abs=1e-6)


def test_wet_bulb_is_that_of_the_example_of_stull_2011():
    assert of(wet_bulb, 20, 50) == pytest.approx(13.7, abs=0.05)


@pytest.mark.parametrize(("celsius", "percent"), [(-20.1, 50), (50.1, 50), (20, 4.9), (20, 99.1)])
def test_wet_bulb_outside_the_range_of_stull_2011_is_missing(celsius, percent):
    assert np.isnan(of(wet_bulb, celsius, percent))


def test_potential_temperature_is_that_of_the_example_of_metpy():
    assert of(potential_temperature, 273, 800) == pytest.approx(290.97, abs=0.02)  # 800 hPa, 273 K: 290.972 K
    assert of(potential_temperature, 300, 1000) == 300


@pytest.mark.parametrize(
    ("metres", "hpa", "kelvin"), [(0, 1013.25, 288.15), (100, 1001.29, 287.50), (500, 954.61, 284.90), (700, 931.94, 283.60)]
)
def test_sea_level_pressure_of_the_icao_standard_atmosphere_is_its_own(metres, hpa, kelvin):
    assert of(sea_level_pressure, hpa, kelvin - 273.15, 0, metres) == pytest.approx(1013.25, abs=0.05)


def test_sea_level_pressure_of_a_station_too_high_for_the_formula_is_missing():
    assert np.isnan(of(sea_level_pressure, 900, 10, 50, 750))


@pytest.mark.parametrize(("degrees", "u", "v"), [(0, 0, -5), (90, -5, 0), (180, 0, 5), (270, 5, 0), (225, 3.5355, 3.5355)])
def test_a_wind_from_the_north_blows_south_and_one_from_the_west_east(degrees, u, v):
    direction = np.radians(degrees)
    assert (of(wind_u, 5, direction), of(wind_v, 5, direction)) == (pytest.approx(u, abs=1e-4), pytest.approx(v, abs=1e-4))


def test_radiation_above_the_air_is_that_of_fao_56_example_8():
    assert of(extraterrestrial, np.radians(-20), 246) == pytest.approx(32.2, abs=0.05)  # 3 September


def test_reference_evapotranspiration_is_that_of_fao_56_example_18():
    # Uccle, 50°48'N, 100 m, 6 July: 21.5 and 12.3 °C, 84 and 63 %, 2.078 m/s, 22.07 MJ/m²
    found = of(reference_evapotranspiration, 21.5, 12.3, 84, 63, 2.078, 22.07, np.radians(50 + 48 / 60), 100, day=187)
    assert found == pytest.approx(3.88, abs=0.005)


def test_reference_evapotranspiration_of_a_month_is_near_that_of_fao_56_example_17():
    # Bangkok, 13°44'N, 2 m, April: 34.8 and 25.6 °C, vapour 2.85 kPa, 2 m/s, 22.65 MJ/m², J = 105.
    # The example takes off the soil's 0.14 MJ/m², which are 0.04 mm here.
    percents = 200 * 2.85 / (3.28 + 5.56)
    found = of(reference_evapotranspiration, 34.8, 25.6, percents, percents, 2, 22.65, np.radians(13 + 44 / 60), 2, day=105)
    assert found == pytest.approx(5.72, abs=0.08)


@pytest.mark.parametrize(("warmest", "coldest", "base", "days"), [(30, 20, 10, 15), (14, 2, 10, 0), (26, 14, 10, 10)])
def test_degree_days_are_method_1_of_mcmaster_and_wilhelm_1997(warmest, coldest, base, days):
    assert of(degree_days, warmest, coldest, base) == days


def test_rain_rate_is_the_sum_of_a_length_divided_by_it():
    # 0.2 mm a minute for ten minutes are 12 mm/h
    times = np.arange(10) * MINUTE
    rate = rolled("rate", times, np.full(10, 0.2), times, 10 * MINUTE)
    assert rate[-1] * 3600 == pytest.approx(12)
    assert np.isnan(rate[6])
