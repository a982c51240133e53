"""Reference evapotranspiration and degree days: what a day means for plants."""

from __future__ import annotations

import numpy as np

from data.arrays import Floats

_SOLAR = 0.0820  # MJ/m²/min
_ALBEDO = 0.23
_STEFAN = 4.903e-9  # MJ/K⁴/m²/day


def saturation_kpa(temperature: Floats) -> Floats:
    """Return the saturation vapour pressure, kPa, at °C: FAO-56, equation 11."""
    found: Floats = 0.6108 * np.exp(17.27 * temperature / (temperature + 237.3))
    return found


def extraterrestrial(latitude: Floats, day: Floats) -> Floats:
    """Return the radiation of a day above the air, MJ/m²: FAO-56, equations 21 to 25.

    ``latitude`` in radians, ``day`` of the year from 1.
    """
    turn = 2 * np.pi / 365 * day
    distance, declination = 1 + 0.033 * np.cos(turn), 0.409 * np.sin(turn - 1.39)
    sunset = np.arccos(np.clip(-np.tan(latitude) * np.tan(declination), -1, 1))
    high = sunset * np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.sin(sunset)
    found: Floats = 24 * 60 / np.pi * _SOLAR * distance * high
    return found


def reference_evapotranspiration(
    warmest: Floats, coldest: Floats, dampest: Floats, driest: Floats, wind: Floats, radiation: Floats,
    latitude: Floats, elevation: Floats, *, day: Floats,
) -> Floats:  # fmt: skip
    """Return the reference evapotranspiration of a day, mm.

    Of a day's greatest and least temperature (°C) and relative humidity (%), mean wind at 2 m
    (m/s), solar radiation (MJ/m²), latitude (radians), elevation (m) and ``day`` of the year. Allen
    and others (1998), Crop evapotranspiration, FAO Irrigation and Drainage Paper 56: Penman-
    Monteith (equation 6), soil heat flux 0, actual vapour from both humidities (17), clear sky
    (37), net radiation (38 to 40).
    """
    mean = (warmest + coldest) / 2
    slope = 4098 * saturation_kpa(mean) / (mean + 237.3) ** 2
    gamma = 0.665e-3 * 101.3 * ((293 - 0.0065 * elevation) / 293) ** 5.26
    high, low = saturation_kpa(warmest), saturation_kpa(coldest)
    saturated, actual = (high + low) / 2, (low * dampest + high * driest) / 200
    clear = (0.75 + 2e-5 * elevation) * extraterrestrial(latitude, day)
    sky = 1.35 * np.minimum(radiation / clear, 1.0) - 0.35
    warm = ((warmest + 273.16) ** 4 + (coldest + 273.16) ** 4) / 2
    net = (1 - _ALBEDO) * radiation - _STEFAN * warm * (0.34 - 0.14 * np.sqrt(actual)) * sky
    dry = gamma * 900 / (mean + 273) * wind * (saturated - actual)
    found: Floats = (0.408 * slope * net + dry) / (slope + gamma * (1 + 0.34 * wind))
    return found


def degree_days(warmest: Floats, coldest: Floats, base: Floats) -> Floats:
    """Return the degree days of a day, K, of its greatest and least temperature and a base (°C):
    the mean of both above the base, at least 0.

    McMaster & Wilhelm (1997), Growing degree-days: one equation, two interpretations, Agric. For.
    Meteor. 87, 291-300, method 1.
    """
    found: Floats = np.maximum((warmest + coldest) / 2 - base, 0.0)
    return found
