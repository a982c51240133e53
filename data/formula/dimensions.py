"""What a part of a formula measures, told by pint; everything is computed in base units (kelvin,
metre, kilogram, second, mole), so that no factor is needed between the parts of a formula.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from data.cells.units import UnitError, conversion, dimensions
from data.formula.nodes import Comparison

if TYPE_CHECKING:
    from pint.util import UnitsContainer

_BASE: Final = {
    "[temperature]": "K",
    "[length]": "m",
    "[mass]": "kg",
    "[time]": "s",
    "[substance]": "mol",
    "[current]": "A",
    "[luminosity]": "cd",
}
_POWERS: Final = str.maketrans("0123456789-.", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻·")
_SAME: Final = 1e-9

__all__ = ["Measure", "Scale", "UnitError", "Yes", "compared", "measure_of", "scale_of", "shown"]


@dataclass(frozen=True)
class Scale:
    """``base = unit * factor + offset``, base units being those above."""

    factor: float
    offset: float
    dimensions: UnitsContainer

    @property
    def is_temperature(self) -> bool:
        """Return whether it is one of temperature, where a value may be a difference, too."""
        return shown(self.dimensions) == "K"

    def to_base(self, values: Any) -> Any:
        """Values of the unit in base units; shape as given."""
        found = values if self.factor == 1.0 else values * self.factor
        return found if not self.offset else found + self.offset

    def from_base(self, values: Any) -> Any:
        """The inverse of :meth:`to_base`."""
        found = values if not self.offset else values - self.offset
        return found if self.factor == 1.0 else found / self.factor


@dataclass(frozen=True)
class Yes:
    """Yes or no."""


@dataclass(frozen=True)
class Measure:
    """A number of some dimensions. Of temperatures ``points`` counts how many of them add up to it:
    1 is a temperature, 0 a difference of two; None: neither. ``literal``: written as a number.
    """

    dimensions: UnitsContainer
    points: float | None = 0.0
    literal: float | None = None

    @property
    def is_plain(self) -> bool:
        """Return whether it has no unit."""
        return not self.dimensions

    @property
    def is_temperature(self) -> bool:
        """Return whether it is one, or a difference of two."""
        return shown(self.dimensions) == "K"

    @property
    def is_point(self) -> bool:
        """Return whether it is a temperature and no difference."""
        return self.points is not None and abs(self.points - 1) < _SAME

    @property
    def is_difference(self) -> bool:
        """Return whether it is a difference of temperatures."""
        return self.points is not None and abs(self.points) < _SAME

    @property
    def shown(self) -> str:
        """Its unit as a sentence names it."""
        return shown(self.dimensions) or "no unit"


@cache
def scale_of(unit: str) -> Scale:
    """Return how values of a unit become those of base units.

    Raises:
        UnitError: nobody knows the unit.
    """
    found = dimensions(unit)
    parts = [f"{_BASE[name]}**{power}" for name, power in found.items()]
    to_base = conversion(unit, "*".join(parts) or "dimensionless")
    factor = to_base.numerator / to_base.denominator
    return Scale(factor, to_base.shift * factor, found)


def prepare_units() -> None:
    """Load what knows units, so that the first formula of a process need not wait for it."""
    scale_of("m/s")


def measure_of(unit: str, *, literal: float | None = None) -> Measure:
    """Return what values of a unit measure; those of a unit with a zero of its own, or of a sensor
    in kelvin, are temperatures; a number of kelvin in a formula is a difference.
    """
    scale = scale_of(unit)
    is_point = scale.is_temperature and "delta" not in unit and (bool(scale.offset) or literal is None)
    return Measure(scale.dimensions, 1.0 if is_point else 0.0, literal)


def shown(found: UnitsContainer) -> str:
    """Return dimensions as a unit, such as ``kg·m⁻¹·s⁻²``; empty without one."""
    parts = [_BASE[name] + ("" if power == 1 else _power(power)) for name, power in sorted(found.items())]
    return "·".join(parts)


def _power(power: Any) -> str:
    return f"{float(power):g}".translate(_POWERS)


def compared(sign: Comparison, left: Any, right: Any) -> Any:
    """1.0 where a comparison is true, else 0.0; NaN where a side is NaN."""
    operations = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal, "!=": np.not_equal}
    found = operations[sign](left, right).astype(np.float64)
    missing = np.isnan(left) | np.isnan(right)
    return np.where(missing, np.nan, found) if np.any(missing) else found
