"""Units of files and tables, converted to the catalogue's with pint,
in exact fractions so that no noise creeps in.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from tokenize import TokenError
from typing import TYPE_CHECKING

import numpy as np

from data.arrays import Floats

if TYPE_CHECKING:
    import pint
    from pint.util import UnitsContainer

# What loggers and spreadsheets write and pint does not read, as :func:`_plain` writes it.
_WRITTEN = {
    "degC": [
        "deg c", "degc", "deg_c", "degrees c", "degree c", "c", "oc", "° c", "°c", "celsius",
        "deg celsius", "degrees celsius", "deg. c", "cel",
    ],
    "degF": [
        "deg f", "degf", "deg_f", "degrees f", "f", "of", "° f", "°f", "fahrenheit",
        "deg fahrenheit", "degrees fahrenheit", "deg. f",
    ],
    "K": ["kelvin", "deg k", "degk"],
    "degree": [
        "deg", "degs", "degrees", "degrees true", "deg true", "degrees north", "degn", "deg n",
        "°", "°t", "o", "deg.",
    ],
    "percent": ["%", "pct", "% rh", "%rh", "rh%", "rh %", "percent rh"],
    "dimensionless": ["fraction"],
    "hPa": ["hpa", "hectopascal", "hectopascals"],
    "kPa": ["kpa"],
    "Pa": ["pa"],
    "mbar": ["mb", "mbar", "mbars", "millibar", "millibars"],
    "inHg": [
        "inhg", "in hg", "inches hg", "inch hg", "in. hg", "in.hg", "in_hg", "inches of mercury",
    ],
    "mmHg": ["mmhg", "mm hg", "mm_hg", "torr"],
    "m/s": ["meters/second", "metres/second", "meter/second", "mps", "ms-1", "m/sec", "m/s"],
    "mph": ["miles/hour", "mph", "mi/h", "mi/hr"],
    "km/h": ["kph", "km/jam", "kmh", "kmph", "km/hr", "kmh-1", "km/h"],
    "knot": ["kt", "kts", "kn", "knot", "knots"],
    "mm/h": ["mm/h", "mm/hr", "mmh-1", "kg/m^2/h", "kg m^-2 h^-1"],
    # A litre, or a kilogram, of water on a square metre is a millimetre of rain.
    "mm": [
        "mm", "millimeters", "millimetres", "millimeter", "millimetre", "kg/m^2", "kg/m2",
        "kg m^-2", "kgm-2", "l/m2", "l/m^2", "l m^-2",
    ],
    "inch": ["in", "in.", "inches"],
    "inch/h": ["in/hr"],
    "mm/s": ["kg/m^2/s", "kg/m2/s", "kg m^-2 s^-1"],
    "W/m^2": [
        "w/m^2", "w/m2", "watts/meter^2", "w/sqm", "w/sq m", "watt/m2", "watts/m2", "wm-2",
        "wm^-2", "w m^-2",
    ],
    "umol/m^2/s": [
        "umol/s/m^2", "umols/m2/s", "umol/m2s", "umol/m2/s", "umol/(m2 s)", "umol/(m^2 s)",
        "umolm-2s-1", "ue/m2/s", "umol m^-2 s^-1", "ue m^-2 s^-1", "ppfd",
    ],
}  # fmt: skip
_SPELLINGS = {written: unit for unit, several in _WRITTEN.items() for written in several}
_POWER = re.compile(r"(?<=[a-zA-Z])([23])(?![0-9])")
_NEGATIVE_POWER = re.compile(r"(?<=[a-zA-Z])\^?-([1-3])(?![0-9])")
_DIGITS = 10  # that a measurement is written with at most
# Symbols that pint and UDUNITS share, with prefixes; all else goes by its name.
_SI_SYMBOL = re.compile(r"[numcdhkMG]?(?:m|s|g|K|mol|Pa|W|J|V|A|Hz|S|C|N|lx)")
_UDUNITS_NAMES = {"mile_per_hour": "mph", "kilometer_per_hour": "km hour-1"}
_MOST_DECIMALS = 22  # powers of ten up to here are exact as float64
_ROUNDINGS = 4  # of a conversion, and of reading the number
_EXACT = 2**53  # integers up to here are exact as float64


class UnitError(ValueError):
    """A unit that cannot be read, or that measures something else."""


@dataclass(frozen=True)
class Conversion:
    """``(value + shift) * numerator / denominator``; multiplying before dividing rounds only once.

    What that leaves of the value's own binary rounding goes:
    71.96 °F are 22.2 °C, not 22.199999999999996.
    """

    shift: float
    numerator: float
    denominator: float

    def __call__(self, values: Floats) -> Floats:
        """Converted values; shape as given, float64."""
        shifted = values + self.shift if self.shift else values
        scaled = shifted * self.numerator if self.numerator != 1 else shifted
        found = scaled / self.denominator if self.denominator != 1 else scaled
        return found if self == UNCHANGED else without_noise(found, abs(self.shift * self.numerator / self.denominator))


UNCHANGED = Conversion(0.0, 1.0, 1.0)


def without_noise(values: Floats, added: float = 0.0) -> Floats:
    """Values where a number of 10 digits is so near that only rounding can tell it apart:
    that number.

    ``added``: what was added to make them; its last digits are theirs, too.
    All other values stay as they are.
    """
    size = np.maximum(np.abs(values), added)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        digits = np.nan_to_num(_DIGITS - np.ceil(np.log10(size)), nan=0.0, posinf=0.0, neginf=0.0)
        scale = 10.0 ** np.clip(digits, 0, _MOST_DECIMALS)
        rounded = np.rint(values * scale) / scale
        near = np.abs(rounded - values) <= _ROUNDINGS * np.spacing(size)
    return np.where(near, rounded, values) + 0.0  # no negative zero


@cache
def conversion(unit: str, target: str, scale: float = 1.0) -> Conversion:
    """How values of ``unit`` (as a file spells it)
    times ``scale`` become values of ``target`` (as pint spells it).

    A scale is taken as it is written: 0.1 is a tenth, so that 58 tenths are 5.8 to the last digit.

    Raises:
        UnitError: saying whether the unit is unknown or of another dimension.
    """
    import pint  # a program that converts nothing need not wait for it

    if not math.isfinite(scale) or not scale:
        raise UnitError(f"scale {scale} is no factor; expected a number such as 0.1")
    registry = _registry()
    try:
        source, wanted = registry.Unit(spelled(unit)), registry.Unit(target)
        zero, one = (Fraction(registry.Quantity(Fraction(n), source).to(wanted).magnitude) for n in (0, 1))
    except pint.DimensionalityError as exc:
        raise UnitError(f"{unit} cannot become {target}: it measures something else") from exc
    except (pint.PintError, AttributeError, TypeError, ValueError, AssertionError, SyntaxError, TokenError) as exc:
        hint = ', and tenths as scale = 0.1, unit = "…"' if re.match(r"\s*[0-9]*[.,][0-9]", unit) else ""
        raise UnitError(f"{unit!r} is not a known unit; expected something that converts to {target}{hint}") from exc
    factor = (one - zero) * Fraction(repr(scale))
    exact = abs(factor.numerator) < _EXACT and factor.denominator < _EXACT
    top, bottom = (float(factor.numerator), float(factor.denominator)) if exact else (float(factor), 1.0)
    return Conversion(float(zero / factor), top, bottom)


@cache
def dimensions(unit: str) -> UnitsContainer:
    """Return what a unit (as a file spells it) measures: powers of length, time and so on.

    Raises:
        UnitError: the unit is unknown.
    """
    import pint

    try:
        return _registry().Unit(spelled(unit)).dimensionality
    except (pint.PintError, AttributeError, TypeError, ValueError, AssertionError, SyntaxError, TokenError) as exc:
        raise UnitError(f"{unit!r} is not a known unit") from exc


@cache
def udunits(unit: str) -> str:
    """Return a unit (as pint spells it) as UDUNITS does, which NetCDF files have their units in:
    ``W m-2``, ``degree_Celsius``; a difference of temperatures has the unit of a temperature.

    Raises:
        UnitError: the unit is unknown.
    """
    import pint

    try:
        found, registry = _registry().Unit(unit), _registry()
    except (pint.PintError, AttributeError, TypeError, ValueError, AssertionError, SyntaxError, TokenError) as exc:
        raise UnitError(f"{unit!r} is not a known unit") from exc
    powers = {name: Fraction(str(power)) for name, power in found._units.items()}  # noqa: SLF001 - it has no other way
    if any(power.denominator != 1 for power in powers.values()):
        raise UnitError(f"{unit!r} has a root of a unit, which UDUNITS does not know")
    return " ".join(_udunits_part(registry.get_symbol(name), name, int(power)) for name, power in powers.items()) or "1"


def _udunits_part(symbol: str, name: str, power: int) -> str:
    plain = symbol.replace("µ", "u")
    text = plain if _SI_SYMBOL.fullmatch(plain) else _UDUNITS_NAMES.get(name, name.removeprefix("delta_"))
    return text if power == 1 else f"{text}{power}"


def temperature_kind(unit: str) -> str | None:
    """Return what a unit (as pint spells it) says of temperatures: ``on_scale``, ``difference``
    (one by time or height, too), or None where it says nothing; raises UnitError where it is
    unknown.
    """
    found = dimensions(unit)
    if "[temperature]" not in found:
        return None
    alone = dict(found) == {"[temperature]": 1} and "delta_" not in str(_registry().Unit(unit))
    return "on_scale" if alone else "difference"


def spelled(unit: str) -> str:
    """A unit as pint spells it; what nobody knows comes back in plain letters."""
    text = _plain(unit)
    powers = _NEGATIVE_POWER.sub(r"^-\1", text)
    for spelling in (text.lower(), powers.lower()):
        if spelling in _SPELLINGS:
            return _SPELLINGS[spelling]
    if powers != text:  # W m-2: a space or a point between its parts multiplies
        return re.sub(r"[ .]", "*", powers)
    return _POWER.sub(r"^\1", text)


def _plain(unit: str) -> str:
    """Return a unit without typography: one degree sign, plain micro and exponents."""
    text = re.sub("[⁰¹²³⁻]", lambda sign: unicodedata.normalize("NFKC", sign.group()), unit)
    text = unicodedata.normalize("NFKC", text).replace("−", "-").replace("μ", "u").replace("**", "^")
    return " ".join(re.sub("[·⋅∙*]", " ", text).split()) if "-" in text else " ".join(text.split())


@cache
def _registry() -> pint.UnitRegistry[Fraction]:
    import pint

    return pint.UnitRegistry(non_int_type=Fraction, autoconvert_offset_to_baseunit=True, cache_folder=None)
