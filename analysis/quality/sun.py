"""Where the sun stands, and what radiation it can give."""

from __future__ import annotations

from typing import Final

import numpy as np

from data.arrays import Floats, Integers
from data.time.epoch import DAY_MS, MINUTE_MS

SOLAR_CONSTANT: Final = 1361.0  # W/m2 (Kopp and Lean 2011)
_MINUTES_A_DEGREE: Final = 4.0
_YEAR_MS: Final = 365.2422 * DAY_MS


def sine_of_elevation(times: Integers, latitude: float, longitude: float) -> Floats:
    """Return the sine of the sun's elevation at increasing times i8[n] ms UTC, seen from degrees
    north and east; without refraction.

    Declination and equation of time by Spencer (1971), Fourier series representation of the
    position of the sun, Search 2 (5), 172: within 0.2 degrees of ephemerides. Both change by so
    little that one value a day suffices, straight between.
    """
    if not len(times):
        return np.empty(0)
    days = np.arange(int(times[0]) // DAY_MS, int(times[-1]) // DAY_MS + 2) * DAY_MS
    angle = _angle_of_year(days)
    declination = np.interp(times, days, _declination(angle))
    solar_min = (
        (times % DAY_MS) / MINUTE_MS + _MINUTES_A_DEGREE * longitude + np.interp(times, days, _equation_of_time_min(angle))
    )
    hour_angle = np.deg2rad(solar_min / _MINUTES_A_DEGREE - 180.0)
    north = np.deg2rad(latitude)
    found: Floats = np.sin(north) * np.sin(declination) + np.cos(north) * np.cos(declination) * np.cos(hour_angle)
    return found


def greatest_radiation(times: Integers, sine: Floats) -> Floats:
    """Return the greatest global radiation on a level surface that is physically possible, W/m2, by
    the sine of the sun's elevation.

    Long and Shi (2008), An automated quality assessment and control algorithm for surface radiation
    measurements, Open Atmos. Sci. J. 2, 23-37: 1.5 S mu^1.2 + 100, S the solar constant at the
    earth's distance.
    """
    near = 1.0 + 0.033 * np.cos(_angle_of_year(times))
    found: Floats = 1.5 * SOLAR_CONSTANT * near * np.maximum(sine, 0.0) ** 1.2 + 100.0
    return found


def _angle_of_year(times: Integers) -> Floats:
    """Return how far the year has gone at some times, rad."""
    years = times.astype("datetime64[ms]").astype("datetime64[Y]").astype("datetime64[ms]").astype(np.int64)
    found: Floats = np.multiply(times - years, 2 * np.pi / _YEAR_MS, dtype=np.float64)
    return found


def _declination(g: Floats) -> Floats:
    found: Floats = (
        0.006918 - 0.399912 * np.cos(g) + 0.070257 * np.sin(g) - 0.006758 * np.cos(2 * g) + 0.000907 * np.sin(2 * g)
        - 0.002697 * np.cos(3 * g) + 0.00148 * np.sin(3 * g)
    )  # fmt: skip
    return found


def _equation_of_time_min(g: Floats) -> Floats:
    found: Floats = 229.18 * (
        0.000075 + 0.001868 * np.cos(g) - 0.032077 * np.sin(g) - 0.014615 * np.cos(2 * g) - 0.04089 * np.sin(2 * g)
    )
    return found
