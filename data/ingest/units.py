"""Units of files, converted to the catalogue's with pint, in exact fractions so that no noise creeps in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np
import numpy.typing as npt
import pint

# What loggers and spreadsheets write (in small letters) and pint does not read.
_SPELLINGS = {
    "deg c": "degC", "degc": "degC", "deg_c": "degC", "degrees c": "degC", "degree c": "degC", "c": "degC",
    "deg f": "degF", "degf": "degF", "deg_f": "degF", "degrees f": "degF", "f": "degF", "kelvin": "K",
    "deg": "degree", "degs": "degree", "degrees": "degree", "degrees true": "degree", "°": "degree",
    "%": "percent", "pct": "percent", "% rh": "percent", "%rh": "percent", "fraction": "dimensionless",
    "hpa": "hPa", "kpa": "kPa", "pa": "Pa", "mb": "mbar", "millibar": "mbar", "millibars": "mbar", "inhg": "inHg",
    "meters/second": "m/s", "metres/second": "m/s", "meter/second": "m/s", "mps": "m/s", "m s-1": "m/s", "ms-1": "m/s",
    "miles/hour": "mph", "kph": "km/h", "kmh": "km/h", "km/hr": "km/h", "kt": "knot", "kts": "knot", "kn": "knot",
    "in": "inch", "inches": "inch", "mm/hr": "mm/h", "in/hr": "inch/h",
    "w/m^2": "W/m^2", "w/m2": "W/m^2", "watts/meter^2": "W/m^2", "w m-2": "W/m^2",
    "umol/s/m^2": "umol/m^2/s", "umol m-2 s-1": "umol/m^2/s", "umols/m2/s": "umol/m^2/s",
}  # fmt: skip
_POWER = re.compile(r"(?<=[a-zA-Z])([23])(?![0-9])")
_EXACT = 2**53  # integers up to here are exact as float64


class UnitError(ValueError):
    """A unit that cannot be read, or that measures something else."""


@dataclass(frozen=True)
class Conversion:
    """``(value + shift) * numerator / denominator``; multiplying before dividing rounds only once."""

    shift: float
    numerator: float
    denominator: float

    def __call__(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Converted values; shape as given, float64."""
        shifted = values + self.shift if self.shift else values
        scaled = shifted * self.numerator if self.numerator != 1 else shifted
        return scaled / self.denominator if self.denominator != 1 else scaled


UNCHANGED = Conversion(0.0, 1.0, 1.0)


@cache
def conversion(unit: str, target: str) -> Conversion:
    """How values of ``unit`` (as a file spells it) become values of ``target`` (as pint spells it).

    Raises:
        UnitError: saying whether the unit is unknown or of another dimension.
    """
    registry = _registry()
    try:
        source, wanted = registry.Unit(_spelled(unit)), registry.Unit(target)
        zero, one = (Fraction(registry.Quantity(Fraction(n), source).to(wanted).magnitude) for n in (0, 1))
    except pint.DimensionalityError as exc:
        raise UnitError(f"{unit} cannot become {target}: it measures something else") from exc
    except (pint.PintError, AttributeError, TypeError, ValueError, AssertionError, SyntaxError) as exc:
        raise UnitError(f"{unit!r} is not a known unit; expected something that converts to {target}") from exc
    scale = one - zero
    exact = scale.numerator < _EXACT and scale.denominator < _EXACT
    top, bottom = (float(scale.numerator), float(scale.denominator)) if exact else (float(scale), 1.0)
    return Conversion(float(zero / scale), top, bottom)


def _spelled(unit: str) -> str:
    text = " ".join(unit.split())
    return _SPELLINGS.get(text.lower()) or _POWER.sub(r"^\1", text)


@cache
def _registry() -> pint.UnitRegistry[Fraction]:
    return pint.UnitRegistry(non_int_type=Fraction, autoconvert_offset_to_baseunit=True, cache_folder=None)
