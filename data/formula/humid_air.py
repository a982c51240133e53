"""Humidity of air: dew point, vapour-pressure deficit, heat index, wet bulb."""

from __future__ import annotations

import numpy as np

from data.arrays import Floats

_A, _B = 17.625, 243.04  # Alduchov & Eskridge 1996, equation 21
_E0_HPA = 6.1094
_STULL_C, _STULL_PERCENT = (-20.0, 50.0), (5.0, 99.0)
_MILD_F = 80.0


def saturation_pressure(temperature: Floats) -> Floats:
    """Return the saturation vapour pressure over water, hPa, at temperatures in °C.

    Magnus' form with the constants of Alduchov & Eskridge (1996), Improved Magnus form
    approximation of saturation vapor pressure, J. Appl. Meteor. 35, 601-609: within 0.4 % from -40
    to 50 °C.
    """
    found: Floats = _E0_HPA * np.exp(_A * temperature / (_B + temperature))
    return found


def dew_point(temperature: Floats, humidity: Floats) -> Floats:
    """Return the dew point, °C, of temperature (°C) and relative humidity over water (%); NaN
    where humidity is not above 0.

    The inverse of Magnus' form, constants of Alduchov & Eskridge (1996) as above.
    """
    gamma = np.log(np.multiply(humidity, 0.01)) + np.multiply(temperature, _A) / np.add(temperature, _B)
    found: Floats = _B * gamma / (_A - gamma)
    return found


def vapour_pressure_deficit(temperature: Floats, humidity: Floats) -> Floats:
    """Return saturation minus actual vapour pressure, hPa, of temperature (°C) and relative
    humidity (%).

    Saturation as above; e = RH · es (WMO-No. 8, Annex 4.B).
    """
    return saturation_pressure(temperature) * (1.0 - humidity * 0.01)


def heat_index(temperature: Floats, humidity: Floats) -> Floats:
    """Return the heat index, °C, of temperature (°C) and relative humidity (%).

    Rothfusz' regression (1990, NWS Southern Region SR 90-23) with both adjustments, and Steadman's
    simple formula below 80 °F, as the National Weather Service computes it ("The heat index
    equation", Weather Prediction Center).
    """
    t, r = temperature * 1.8 + 32.0, humidity
    simple: Floats = 0.5 * (t + 61.0 + (t - 68.0) * 1.2 + r * 0.094)
    simple = (simple + t) / 2
    full = (
        -42.379 + 2.04901523 * t + 10.14333127 * r - 0.22475541 * t * r - 0.00683783 * t * t - 0.05481717 * r * r
        + 0.00122874 * t * t * r + 0.00085282 * t * r * r - 0.00000199 * t * t * r * r
    )  # fmt: skip
    is_dry, is_damp = (r < 13) & (t >= 80) & (t <= 112), (r > 85) & (t >= 80) & (t <= 87)
    full -= np.where(is_dry, (13 - r) / 4 * np.sqrt(np.maximum(17 - np.abs(t - 95), 0) / 17), 0.0)
    full += np.where(is_damp, (r - 85) / 10 * (87 - t) / 5, 0.0)
    found: Floats = (np.where(simple < _MILD_F, simple, full) - 32.0) / 1.8
    return found


def wet_bulb(temperature: Floats, humidity: Floats) -> Floats:
    """Return the wet-bulb temperature, °C, at sea-level pressure, of temperature (°C) and relative
    humidity (%).

    Stull (2011), Wet-bulb temperature from relative humidity and air temperature, J. Appl. Meteor.
    Climatol. 50, 2267-2269, equation 1: errors of -1.0 to +0.65 °C. NaN outside its range: -20 to
    50 °C, 5 to 99 %.
    """
    t, r = temperature, humidity
    found: Floats = (
        t * np.arctan(0.151977 * np.sqrt(r + 8.313659))
        + np.arctan(t + r)
        - np.arctan(r - 1.676331)
        + 0.00391838 * r**1.5 * np.arctan(0.023101 * r)
        - 4.686035
    )
    is_known = (t >= _STULL_C[0]) & (t <= _STULL_C[1]) & (r >= _STULL_PERCENT[0]) & (r <= _STULL_PERCENT[1])
    return np.where(is_known, found, np.nan)
