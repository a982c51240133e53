"""Formulas that users write: what one says, the name by which requests know it, and the sensor
that it makes (docs/decisions/0036).
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Final

from data.derived_sensors import checked_formula, made_of, positions
from data.formula import CheckedFormula, Measured, is_direction, is_timed
from data.sensor import Sensor
from data.station_metadata import StationMetadata
from errors import InvalidFormula

LONGEST_LABEL: Final = 60  # characters
LONGEST_UNIT: Final = 25
_NAME: Final = re.compile(r"formula_[0-9a-f]{32}")
# What a label begins with is no formula of a spreadsheet, and nothing in it is markup.
_LABEL: Final = re.compile(r"\w[\w .,:()/+°µ·²³−–-]*")
_UNIT: Final = re.compile(r"[\w %°µ·/*^.²³⁰¹⁴-⁹⁻+-]*")
_COLORS: Final = ("#8A3FFC", "#B5179E", "#0F8B8D", "#A65E2E", "#3F51B5", "#6B8E23")
_DECIMALS: Final = 2

Definitions = Callable[[str], "FormulaDefinition | None"]


@dataclass(frozen=True)
class FormulaDefinition:
    """What a user's formula says: its label, its text, the unit of the result as a user writes it
    (empty for a plain number), and whether the values of a step are ``sums``, as of rain, or
    averaged.
    """

    label: str
    formula: str
    unit: str = ""
    sums: bool = False

    def __post_init__(self) -> None:
        if len(self.label) > LONGEST_LABEL or not _LABEL.fullmatch(self.label):
            raise InvalidFormula(
                "A formula's name has 1 to {most} letters, digits, spaces and . , : ( ) / + -, a letter or digit first.",
                field="name",
                most=LONGEST_LABEL,
            )
        if len(self.unit) > LONGEST_UNIT or not _UNIT.fullmatch(self.unit):
            raise InvalidFormula("The unit {unit} is not known.", field="unit", unit=self.unit[:40])

    @property
    def sensor(self) -> str:
        """The name of its sensor: a digest of all that it says, so that no two formulas meet."""
        text = json.dumps(asdict(self), sort_keys=True)
        return f"formula_{hashlib.blake2b(text.encode(), digest_size=16).hexdigest()}"


def is_formula_name(name: object) -> bool:
    """Return whether a sensor's name is that of a user's formula."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def no_definition(name: str) -> FormulaDefinition | None:
    """Know no user's formula."""
    del name
    return None


def formula_sensor(definition: FormulaDefinition, known: Mapping[str, Sensor], stations: Mapping[str, StationMetadata]) -> Sensor:
    """Return the sensor of a user's formula, whose units were checked when it was saved. Its stamp
    is that of the first sensor that it reads.

    Raises:
        InvalidFormula: a sensor that it reads is not there (any more).
    """
    name, unit = definition.sensor, definition.unit
    plain = Sensor(
        name=name,
        labels={"en": definition.label},
        unit=unit,
        unit_code=unit or "dimensionless",
        valid_min=-sys.float_info.max,
        valid_max=sys.float_info.max,
        aggregation="sum" if definition.sums else "mean",
        drawing="bars" if definition.sums else "line",
        color=_COLORS[int(name[-2:], 16) % len(_COLORS)],
        decimals=_DECIMALS,
        formula=definition.formula,
    )
    made = made_of(plain, None, known, of_first=True)
    return replace(made, origin=positions(stations)) if made.constants else made


def define(
    label: str, formula: str, unit: str, known: Mapping[str, Sensor], stations: Mapping[str, StationMetadata]
) -> tuple[FormulaDefinition, CheckedFormula]:
    """Return what a user's formula says, and it with its unit checked.

    Its steps are sums where all that it reads are, at the time itself, and it has their unit.

    Raises:
        InvalidFormula: saying what is wrong, and where.
    """
    definition = FormulaDefinition(" ".join(label.split()), formula.strip(), unit.strip())
    sensor = formula_sensor(definition, known, stations)
    checked = checked_formula(sensor)
    inputs = {each.reference: Measured(each.sensor.unit_code, each.sensor.aggregation == "direction") for each in sensor.inputs}
    if is_direction(checked.formula, inputs):
        raise InvalidFormula("A formula cannot give a direction; compute its components with wind_u and wind_v.")
    only_sums = all(each.sensor.aggregation == "sum" for each in sensor.inputs) and not is_timed(checked.formula)
    same_unit = checked.has_unit_of(sensor.inputs[0].sensor.unit_code)
    return replace(definition, sums=only_sums and same_unit), checked
