"""The functions of formulas: what each takes, in which unit, and what it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final, Literal

import numpy as np

from data.formula.air_pressure import potential_temperature, sea_level_pressure
from data.formula.evapotranspiration import degree_days, reference_evapotranspiration
from data.formula.humid_air import dew_point, heat_index, vapour_pressure_deficit, wet_bulb
from data.formula.wind_components import wind_u, wind_v

SAME: Final = "same"  # the unit of the first argument, which all others have
_MOST_ARGUMENTS: Final = 10


@dataclass(frozen=True)
class Function:
    """A function of arrays f8. ``takes`` names its parameters and their units, as pint spells
    them; ``gives`` is the unit of the result. ``open`` takes more arguments like the last.

    ``needs_day``: it is also given the day of the year, of UTC, as ``day``.
    """

    compute: Callable[..., Any]
    takes: tuple[tuple[str, str], ...]
    gives: str
    open: bool = False
    needs_day: bool = False

    @property
    def counts(self) -> tuple[int, int]:
        """The least and the greatest number of arguments."""
        return len(self.takes), _MOST_ARGUMENTS if self.open else len(self.takes)

    def unit_of(self, position: int) -> str:
        """Return the unit of an argument."""
        return self.takes[min(position, len(self.takes) - 1)][1]

    def signature(self, name: str) -> str:
        """Return the function as it is written."""
        return f"{name}({', '.join(parameter for parameter, _ in self.takes)}{', …' if self.open else ''})"


def _least(*arrays: Any) -> Any:
    return reduce(np.minimum, arrays)


def _greatest(*arrays: Any) -> Any:
    return reduce(np.maximum, arrays)


def _plain(function: Callable[..., Any]) -> Function:
    return Function(function, (("number", "dimensionless"),), "dimensionless")


_AIR: Final = (("temperature", "degC"), ("humidity", "percent"))
_WIND: Final = (("wind_speed", "m/s"), ("wind_direction", "radian"))
_DAY: Final = (("daily_max", "degC"), ("daily_min", "degC"))

FUNCTIONS: Final[dict[str, Function]] = {
    "abs": Function(np.abs, (("number", SAME),), SAME),
    "min": Function(_least, (("one", SAME), ("other", SAME)), SAME, open=True),
    "max": Function(_greatest, (("one", SAME), ("other", SAME)), SAME, open=True),
    "sqrt": Function(np.sqrt, (("number", SAME),), SAME),  # halves the dimension: see checking_units.py
    "exp": _plain(np.exp),
    "log": _plain(np.log),
    "log10": _plain(np.log10),
    "sin": _plain(np.sin),
    "cos": _plain(np.cos),
    "tan": _plain(np.tan),
    "dew_point": Function(dew_point, _AIR, "degC"),
    "vapour_pressure_deficit": Function(vapour_pressure_deficit, _AIR, "hPa"),
    "heat_index": Function(heat_index, _AIR, "degC"),
    "wet_bulb": Function(wet_bulb, _AIR, "degC"),
    "potential_temperature": Function(potential_temperature, (("temperature", "kelvin"), ("pressure", "hPa")), "kelvin"),
    "sea_level_pressure": Function(sea_level_pressure, (("pressure", "hPa"), *_AIR, ("elevation", "m")), "hPa"),
    "wind_u": Function(wind_u, _WIND, "m/s"),
    "wind_v": Function(wind_v, _WIND, "m/s"),
    "degree_days": Function(degree_days, (*_DAY, ("base", "degC")), "delta_degC"),
    "reference_evapotranspiration": Function(
        reference_evapotranspiration,
        (
            *_DAY,
            ("daily_max_humidity", "percent"),
            ("daily_min_humidity", "percent"),
            ("wind_speed", "m/s"),
            ("mean_radiation", "MJ/m^2/day"),
            ("latitude", "radian"),
            ("elevation", "m"),
        ),
        "mm/day",
        needs_day=True,
    ),
}

ROLLING: Final[dict[str, Literal["mean", "min", "max", "sum", "rate"]]] = {
    "rolling_mean": "mean",
    "rolling_min": "min",
    "rolling_max": "max",
    "rolling_sum": "sum",
    "rain_rate": "rate",
}
