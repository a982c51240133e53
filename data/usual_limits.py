"""Which limits of quality control hold: what is usual for a quantity, unless the catalogue says
others of the sensor or of the station.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from data.cells.units import UnitError, conversion
from data.quality_limits import QualityLimits, Quantity
from data.sensor import Sensor
from data.station_metadata import StationMetadata

USUAL: Final = Path(__file__).with_name("quality.toml")
_DIFFERENCES: Final = ("still_step", "variation", "neighbour", "twin")  # convert without a shift
_VALUES: Final = ("dark", "night")
_DECIMALS: Final = 9


def limits_of(sensor: Sensor, station: StationMetadata | None = None) -> QualityLimits:
    """Return the limits of a sensor at a station: those of the quantity, unless the catalogue says
    others of the sensor or of the station.
    """
    of_station = station.quality.get(sensor.name) if station else None
    said = of_station.over(sensor.quality) if of_station else sensor.quality
    return said.over(_usual(said.quantity or quantity_of_name(sensor.name), sensor.unit_code))


def quantity_of_name(sensor: str) -> Quantity:
    """Return what a sensor measures by its name, ``other`` where that tells nothing."""
    return next((quantity for quantity, table in _tables().items() if sensor in table["names"]), "other")


@cache
def _tables() -> Mapping[Quantity, Mapping[str, Any]]:
    return tomllib.loads(USUAL.read_text(encoding="utf-8"))  # type: ignore[return-value]


@cache
def _usual(quantity: Quantity, unit_code: str) -> QualityLimits:
    """Return the limits of a quantity in some unit; none where the unit is of something else."""
    if quantity == "other":
        return QualityLimits(quantity="other")
    table = {name: value for name, value in _tables()[quantity].items() if name not in ("names", "unit_code")}
    known = str(_tables()[quantity]["unit_code"])
    if unit_code != known:
        try:
            table = _converted(table, known, unit_code)
        except UnitError:
            return QualityLimits(quantity="other")
    return QualityLimits(quantity=quantity, **table)


def _converted(table: dict[str, Any], known: str, unit_code: str) -> dict[str, Any]:
    convert = conversion(known, unit_code)

    def value(number: float) -> float:
        return float(convert(np.array([number], np.float64))[0])

    def difference(number: float) -> float:
        return round(value(number) - value(0.0), _DECIMALS)  # without the noise of the shift

    found = dict(table)
    for name in found:
        if name in ("step", "spike"):
            found[name] = [[minutes, difference(limit)] for minutes, limit in table[name]]
        elif name in _DIFFERENCES:
            found[name] = difference(table[name])
        elif name in _VALUES:
            found[name] = value(table[name])
        elif name == "quiet":
            found[name] = [value(bound) for bound in table[name]]
    return found
