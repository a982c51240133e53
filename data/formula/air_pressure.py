"""Pressure and height: potential temperature, pressure reduced to sea level."""

from __future__ import annotations

import numpy as np

from data.arrays import Floats
from data.formula.humid_air import saturation_pressure

_KAPPA = 2 / 7  # Rd / cp of dry air
_G, _R = 9.80665, 287.05  # m/s², J/kg/K: WMO-No. 8
_LAPSE = 0.0065  # K/m
_CH = 0.12  # K/hPa


def potential_temperature(temperature: Floats, pressure: Floats) -> Floats:
    """Return the potential temperature, K, of temperature (K) and pressure (hPa), to 1000 hPa.

    Poisson's equation, θ = T (1000 / p)^(Rd/cp), Rd/cp = 2/7 (American Meteorological Society,
    Glossary of Meteorology, "potential temperature").
    """
    found: Floats = temperature * (1000.0 / pressure) ** _KAPPA
    return found


def sea_level_pressure(pressure: Floats, temperature: Floats, humidity: Floats, elevation: Floats) -> Floats:
    """Return pressure reduced to sea level, hPa, of station pressure (hPa), temperature (°C),
    relative humidity (%) and the barometer's elevation (m).

    WMO-No. 8 (CIMO Guide), volume I, chapter 3, equation 3.2: p0 = p exp(g/R · H / (T + aH/2 +
    e·Ch)), a = 0.0065 K/m, Ch = 0.12 K/hPa. It is meant for stations below 750 m; NaN above.
    """
    vapour = saturation_pressure(temperature) * humidity * 0.01
    kelvin = temperature + 273.15 + _LAPSE * elevation / 2 + vapour * _CH
    found: Floats = pressure * np.exp(_G / _R * elevation / kelvin)
    return np.where(np.asarray(elevation) < 750, found, np.nan)
