"""Synthetic weather of the humid tropics: a pure function of seed and time,
so that any piece can be made alone and again.

Everything random is a hash of an integer time: of the sample itself (white noise), or of knots of
some time scale between which is interpolated (smooth noise). The physics is coarse but coherent:
sun by its elevation, humidity from dew point and temperature (Magnus formula, Alduchov & Eskridge
1996), rain from convective clouds that also shade, cool and gust.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.arrays import Floats, Integers
from data.time.epoch import DAY_MS, HOUR_MS, MINUTE_MS

YEAR_MS = 31_556_952_000
_WARMEST_HOUR, _COLDEST_HOUR = 14.0, 5.5  # local; it cools for longer than it warms
_RAIN_FROM, _HEAVY_MM_H = 0.95, 85.0  # convection (see below) from which it rains, and how hard
TIP_MM = 0.2  # a tipping bucket counts in such steps
_SOLAR_CONSTANT_W_M2 = 1361.0
_PAR_UMOL_PER_J = 2.02  # photosynthetically active photons per joule of global radiation


@dataclass(frozen=True)
class Climate:
    """Where a synthetic station stands: degrees north and east, metres above the sea;
    ``seed`` tells stations apart.
    """

    seed: int
    latitude: float = -6.2
    longitude: float = 106.8
    elevation_m: float = 20.0


def weather(climate: Climate, times: Integers, step_ms: int) -> dict[str, Floats]:
    """Values of the eight default sensors at sorted times (int64 ms UTC), each float64[n];
    rain is the sum of one step.
    """
    region = climate.seed // 1000  # neighbours share their fronts
    local_hour = ((times / HOUR_MS) + climate.longitude / 15.0) % 24.0
    # 1 in mid-January, the wet season
    season = np.cos(2 * np.pi * (times % YEAR_MS) / YEAR_MS - 2 * np.pi * 15 / 365)
    front = 0.7 * _smooth(region, 1, times, 4 * DAY_MS) + 0.5 * _smooth(region, 2, times, 30 * HOUR_MS)
    convection = _convection(climate, times, local_hour, season, front)
    rate_mm_h = _HEAVY_MM_H * np.maximum(convection - _RAIN_FROM, 0.0) ** 1.5
    cloud = np.clip(0.45 + 0.15 * season + 0.3 * front + 0.45 * (convection - 0.5), 0.03, 1.0)
    solar = _solar(climate, times, cloud)
    temperature = _temperature(climate, times, local_hour, season, front, cloud, rate_mm_h)
    speed = _wind_speed(climate, times, local_hour, front, rate_mm_h)
    return {
        "temperature": np.round(temperature, 2),
        "humidity": np.round(_humidity(climate, times, temperature, season, front, rate_mm_h), 1),
        "pressure": np.round(_pressure(climate, times, local_hour, front), 1),
        "rainfall": _tips(climate, times, rate_mm_h * step_ms / HOUR_MS),
        "wind_speed": np.round(speed, 2),
        "wind_direction": np.round(_wind_direction(climate, times, local_hour, season, speed), 0) % 360,
        "solar_radiation": np.round(solar, 1),
        "par_sensor": np.round(solar * (_PAR_UMOL_PER_J + 0.04 * _smooth(climate.seed, 11, times, 6 * HOUR_MS)), 1),
    }


def uniform(seed: int, stream: int, numbers: Integers) -> Floats:
    """A number in [0, 1) for each integer; the same for ever (splitmix64, Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        state = numbers.astype(np.uint64) + np.uint64((seed * 1_000_003 + stream * 7919) % 2**63) * np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray((state ^ (state >> np.uint64(31))) >> np.uint64(11), dtype=np.float64) / 2.0**53


def _smooth(seed: int, stream: int, times: Integers, scale_ms: int) -> Floats:
    """Noise of one time scale, in about -1..1, continuous."""
    first = int(times[0]) // scale_ms
    knots = np.arange(first, int(times[-1]) // scale_ms + 2)
    heights = 2.0 * uniform(seed, stream, knots) - 1.0
    at, rest = np.divmod(times - first * scale_ms, scale_ms)
    share = rest / scale_ms
    share = share * share * (3.0 - 2.0 * share)  # no corners at the knots
    before = heights[at]
    return np.asarray(before + (heights[at + 1] - before) * share)


def sun_sine(climate: Climate, times: Integers) -> Floats:
    """Sine of the sun's elevation (Cooper 1969), float64[n]; negative at night."""
    day = (times % YEAR_MS) / DAY_MS
    declination = np.radians(23.45) * np.sin(2 * np.pi * (284 + day) / 365.2425)
    hour_angle = 2 * np.pi * ((times % DAY_MS) / DAY_MS + climate.longitude / 360.0 - 0.5)
    latitude = np.radians(climate.latitude)
    return np.asarray(np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(hour_angle))


def _solar(climate: Climate, times: Integers, cloud: Floats) -> Floats:
    sine = np.maximum(sun_sine(climate, times), 0.0)
    clear = _SOLAR_CONSTANT_W_M2 * sine * 0.76 * (1.0 - np.exp(-8.0 * sine))
    passing = 0.12 * _smooth(climate.seed, 12, times, 5 * MINUTE_MS) * (1.0 - np.abs(2.0 * cloud - 1.0))
    return np.asarray(np.maximum(clear * (1.0 - 0.78 * cloud**1.8 + passing), 0.0))


def _convection(climate: Climate, times: Integers, local_hour: Floats, season: Floats, front: Floats) -> Floats:
    """About 0..1.6. Showers come mostly in the afternoon and in the wet season."""
    afternoon = np.exp(-(((local_hour - 15.5) / 3.5) ** 2))
    cells = 0.42 * _smooth(climate.seed, 21, times, 2 * HOUR_MS) + 0.18 * _smooth(climate.seed, 22, times, 20 * MINUTE_MS)
    return np.asarray(0.42 + 0.3 * afternoon + 0.14 * season + 0.22 * front + cells)


def _temperature(
    climate: Climate, times: Integers, local_hour: Floats, season: Floats, front: Floats, cloud: Floats, rate_mm_h: Floats
) -> Floats:
    since_peak = (local_hour - _WARMEST_HOUR) % 24.0
    cooling = 24.0 - _WARMEST_HOUR + _COLDEST_HOUR
    slowly = np.pi * since_peak / cooling
    quickly = np.pi + np.pi * (since_peak - cooling) / (24.0 - cooling)
    day_cycle = np.cos(np.where(since_peak < cooling, slowly, quickly))
    amplitude = 5.0 - 2.4 * cloud
    noise = 0.25 * _smooth(climate.seed, 31, times, 10 * MINUTE_MS) + 0.05 * (uniform(climate.seed, 32, times) - 0.5)
    level = 27.6 - 0.0065 * climate.elevation_m - 0.6 * season - 0.8 * front
    return np.asarray(level + amplitude * day_cycle - 2.5 * np.minimum(rate_mm_h / 8.0, 1.0) + noise)


def _humidity(climate: Climate, times: Integers, temperature: Floats, season: Floats, front: Floats, rate_mm_h: Floats) -> Floats:
    dew = 22.6 + 0.9 * season + 0.7 * front + 0.8 * _smooth(climate.seed, 41, times, 9 * HOUR_MS)
    percent = 100.0 * np.exp(17.625 * dew / (243.04 + dew) - 17.625 * temperature / (243.04 + temperature))
    wet = np.minimum(rate_mm_h / 4.0, 1.0)
    return np.asarray(np.clip(percent + (97.0 - percent) * wet * (percent < 97.0), 20.0, 100.0))


def _pressure(climate: Climate, times: Integers, local_hour: Floats, front: Floats) -> Floats:
    # the semidiurnal tide: highest at 10 and 22 o'clock
    tide = 1.5 * np.cos(2 * np.pi * (local_hour - 10.0) / 12.0)
    level = 1010.5 * np.exp(-climate.elevation_m / 8400.0)
    return np.asarray(level + tide - 2.6 * front + 0.05 * (uniform(climate.seed, 51, times) - 0.5))


def _tips(climate: Climate, times: Integers, expected_mm: Floats) -> Floats:
    tips = np.floor(expected_mm / TIP_MM + uniform(climate.seed, 61, times))
    return np.asarray(np.round(np.where(expected_mm > 0, tips, 0.0) * TIP_MM, 2))


def _wind_speed(climate: Climate, times: Integers, local_hour: Floats, front: Floats, rate_mm_h: Floats) -> Floats:
    breeze = np.maximum(np.sin(2 * np.pi * (local_hour - 8.0) / 24.0), 0.0)
    gusts = 1.0 + 0.35 * _smooth(climate.seed, 71, times, 8 * MINUTE_MS) + 0.25 * (uniform(climate.seed, 72, times) - 0.5)
    mean = 0.9 + 2.6 * breeze + 1.1 * np.abs(front) + 3.0 * np.minimum(rate_mm_h / 15.0, 1.0)
    return np.asarray(np.maximum(mean * gusts + 0.5 * _smooth(climate.seed, 73, times, HOUR_MS) - 0.3, 0.0))


def _wind_direction(climate: Climate, times: Integers, local_hour: Floats, season: Floats, speed: Floats) -> Floats:
    """Return monsoon (west in the wet season, east in the dry) turned by the sea breeze."""
    monsoon = 190.0 + 95.0 * season
    turning = 45.0 * np.sin(2 * np.pi * (local_hour - 9.0) / 24.0) + 40.0 * _smooth(climate.seed, 81, times, 14 * HOUR_MS)
    flutter = 24.0 * (uniform(climate.seed, 82, times) - 0.5) / np.maximum(speed, 0.5)
    return np.asarray((monsoon + turning + flutter) % 360.0)
