"""Formulas: a text such as ``dew_point(temperature, humidity)`` is read by a list of what is
allowed, its units are checked once, and it is computed on arrays (docs/formulas.md).

What belongs here: the language, its limits, and the functions that it has, each with its source.
What does not: where readings come from, and how a formula's tiles are made (docs/decisions/0032).
"""

from data.formula.checking_units import CheckedFormula, Measured, check_units, is_direction, with_numbers
from data.formula.dimensions import prepare_units
from data.formula.evaluation import SensorReadings, evaluate
from data.formula.nodes import Reference
from data.formula.parsing import Formula, is_timed, parse

__all__ = [
    "CheckedFormula",
    "Formula",
    "Measured",
    "Reference",
    "SensorReadings",
    "check_units",
    "evaluate",
    "is_direction",
    "is_timed",
    "parse",
    "prepare_units",
    "with_numbers",
]
