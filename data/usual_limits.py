"""Which limits of quality control hold: what is usual for a quantity, unless the catalogue says, or
people have set, others of the sensor or of the station.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache, reduce
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from data.cells.units import UnitError, conversion
from data.limit_overrides import AS_CATALOGUE, NOTHING_SET, LimitOverrides
from data.quality_limits import QualityLimits, Quantity
from data.sensor import Sensor
from data.station_metadata import StationMetadata

USUAL: Final = Path(__file__).with_name("quality.toml")
_DIFFERENCES: Final = ("still_step", "variation", "neighbour", "twin")  # convert without a shift
_VALUES: Final = ("dark", "night")
_DECIMALS: Final = 9

LimitOrigin = Literal["built_in", "catalogue", "set", "catalogue_station", "set_station"]


def limits_of(sensor: Sensor, station: StationMetadata | None = None, overrides: LimitOverrides = AS_CATALOGUE) -> QualityLimits:
    """Return the limits of a sensor at a station: of each the last that is said of it by
    :func:`layers_of`.
    """
    usual, *others = layers_of(sensor, station, overrides).values()
    return reduce(lambda found, said: said.over(found), others, usual)


def layers_of(
    sensor: Sensor, station: StationMetadata | None = None, overrides: LimitOverrides = AS_CATALOGUE
) -> Mapping[LimitOrigin, QualityLimits]:
    """Return what says limits of a sensor at a station, the weakest first: what is usual for the
    quantity, the catalogue of the sensor, people of the sensor, the catalogue of the station's
    sensor, people of the station's sensor.
    """
    of_station = (station.quality.get(sensor.name) if station else None) or NOTHING_SET
    quantity = of_station.quantity or sensor.quality.quantity or quantity_of_name(sensor.name)
    return {
        "built_in": _usual(quantity, sensor.unit_code),
        "catalogue": sensor.quality,
        "set": overrides.sensor,
        "catalogue_station": of_station,
        "set_station": overrides.station,
    }


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
