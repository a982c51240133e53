"""The corrected readings of a month, from tiles: what fills it comes in the unit of the sensor."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.corrected_month import corrected_month
from data.decision import Decision
from data.flag_layer import FlagLayer
from data.time.months import month_of
from tests.tiled import HOUR, KEY, MARCH_2019, sensor_named, site_with, store_rows

TEMPERATURE = sensor_named("temperature")
FAHRENHEIT = replace(TEMPERATURE, name="t_f", unit="°F", unit_code="degF", valid_min=-100.0, valid_max=140.0)
TIMES = MARCH_2019 + HOUR * np.arange(10)


def filled(root: Path, sensor: str, values: list[float]) -> dict[int, float]:
    """The temperature by hour, which lacks 4 to 6, filled from another sensor."""
    site = site_with(root, FAHRENHEIT)
    store_rows(site.tiles, TEMPERATURE, TIMES[[0, 1, 2, 3, 7, 8, 9]], np.full(7, 5.0))
    store_rows(site.tiles, site.catalogue[sensor], TIMES[3:7], values)
    fill = Decision(1, KEY.station, "temperature", "fill", int(TIMES[0]), int(TIMES[-1]), filled_from=(KEY.station, sensor))
    found = corrected_month(site, FlagLayer(site.tiles, KEY, 0, (fill,)), TEMPERATURE, month_of(MARCH_2019))
    return {int((at - MARCH_2019) // HOUR): value for at, value in zip(found.times, found.values, strict=True)}


@pytest.mark.parametrize(
    ("sensor", "values", "after"),
    [
        ("t_f", [0.0, 71.96, 999.0, 32.0], {4: 22.2, 6: 0.0}),  # 999 is flagged
        ("humidity", [50.0, 51.0, 52.0, 53.0], {}),  # is no temperature
    ],
)
def test_what_fills_in_is_in_the_unit_of_the_sensor(
    tmp_path: Path, sensor: str, values: list[float], after: dict[int, float]
) -> None:
    assert filled(tmp_path, sensor, values) == dict.fromkeys([0, 1, 2, 3, 7, 8, 9], 5.0) | after
