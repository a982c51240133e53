"""Weather that nobody has measured, for rules that must not be fitted to what was: a tropical
station, one in the polar night, one that sends each minute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.quality.sun import sine_of_elevation
from data.arrays import Floats, Integers

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
SENSORS = ("humidity", "pressure", "rainfall", "solar_radiation", "temperature", "wind_direction", "wind_speed")

Series = Mapping[str, Floats]


@dataclass(frozen=True)
class Climate:
    """Where a station stands (degrees), when it begins (ISO 8601), how many days it sends, and how
    often (ms). ``mean``: temperature, humidity, pressure and wind; ``swing`` of these in a day,
    ``weather`` the deviation over days.
    """

    name: str
    position: tuple[float, float]
    start: str
    days: int
    step_ms: int
    mean: tuple[float, float, float, float]
    swing: tuple[float, float, float, float]
    weather: tuple[float, float, float, float]


CLIMATES = (
    Climate("tropical", (-6.6, 106.8), "2031-02-01", 63, 10 * MINUTE, (27, 80, 1009, 1.2), (3.5, -16, 0, 1.2), (0.7, 5, 1, 0.3)),
    Climate("polar night", (78.2, 15.6), "2030-12-01", 63, HOUR, (-16, 75, 1005, 5), (0, 0, 0, 0), (7, 8, 14, 3.5)),
    Climate("each minute", (47.5, 8.5), "2031-05-03", 63, MINUTE, (12, 70, 965, 2.2), (5, -13, 0, 0.6), (3, 9, 6, 1.2)),
)


def times_of(climate: Climate) -> Integers:
    """Return the stamps of a station, i8[n] ms UTC."""
    start = int(np.datetime64(climate.start, "ms").astype(np.int64))
    return start + np.arange(climate.days * DAY // climate.step_ms) * climate.step_ms


def weather(climate: Climate, random: np.random.Generator) -> Series:
    """Return what the sensors of a station without any fault send, as loggers round it."""
    times, hours = times_of(climate), climate.step_ms / HOUR
    rows = len(times)
    day = np.sin(((times / DAY + climate.position[1] / 360) % 1 - 0.375) * 2 * np.pi)
    slow, other, clouds, gusts, turns, showers = (
        _wander(random, rows, lasting / hours, flat / hours)
        for lasting, flat in ((30, 6), (40, 12), (6, 1), (0.6, 0.15), (6, 0), (0.7, 0))
    )
    cloud = np.clip(0.45 + 0.35 * clouds, 0, 1)
    half = (times / DAY + climate.position[1] / 360) * 4 * np.pi  # of the day: the tide of the air
    tide = 1.16 * np.cos(np.deg2rad(climate.position[0])) ** 3 * np.sin(half - 1.0)
    shapes = (slow, -slow, other, slow)
    found = [
        mean + swing * day * (1 - 0.5 * cloud) + size * shape + size * share * gusts
        for mean, swing, size, shape, share in zip(
            climate.mean, climate.swing, climate.weather, shapes, (0.1, 0.2, 0.005, 0.5), strict=True
        )
    ]
    rain = np.where(showers > 2.05, np.round(random.gamma(0.6, 8 * hours, rows) / 0.2) * 0.2, 0.0)
    wet = np.convolve(rain > 0, np.ones(max(1, round(0.6 / hours))) / max(1, round(0.6 / hours)), "same")
    sine = np.maximum(sine_of_elevation(times + climate.step_ms // 2, *climate.position), 0)
    light = 1100 * sine**1.15 * (1 - 0.75 * cloud) + random.normal(-1, 0.6, rows)
    return {
        "temperature": np.round(found[0], 1) + 0.0,
        "humidity": np.round(np.clip(found[1] + (97 - found[1]) * wet, 12, 100)),
        "pressure": np.round(found[2] + tide, 1),
        "wind_speed": np.round(np.maximum(found[3], 0), 1),
        "wind_direction": np.round((200 + 80 * turns + 25 * gusts) % 360) % 360,
        "rainfall": rain,
        "solar_radiation": np.round(np.maximum(light, -4)) + 0.0,
    }


def _wander(random: np.random.Generator, rows: int, lasting: float, flat: float) -> Floats:
    """Return noise of deviation 1 that lasts so many rows, smoothed over ``flat`` rows."""
    keep, found = float(np.exp(-1 / lasting)), np.empty(rows)
    value = random.normal()
    for row, push in enumerate((random.normal(0, np.sqrt(1 - keep**2), rows)).tolist()):
        value = keep * value + push
        found[row] = value
    width = round(flat)
    if width > 1:
        found = np.convolve(np.pad(found, width, mode="edge"), np.ones(width) / width, "same")[width:-width]
    scaled: Floats = found / found.std()
    return scaled
