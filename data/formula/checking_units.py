"""The units of a formula, checked once, before any reading is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import singledispatchmethod
from typing import Final

from data.formula import nodes
from data.formula.dimensions import Measure, UnitError, Yes, measure_of, scale_of, shown
from data.formula.functions import FUNCTIONS, SAME
from data.formula.nodes import Node, Reference
from data.formula.parsing import Formula
from errors import InvalidFormula

_HALF: Final = 0.5


@dataclass(frozen=True)
class Measured:
    """What a formula must know of a sensor: its unit as pint spells it, and whether it is a
    direction.
    """

    unit: str
    direction: bool = False


@dataclass(frozen=True)
class CheckedFormula:
    """A formula whose units fit: ``unit`` is what it gives in base units (kelvin inside), empty of
    a plain number; ``units`` those of the sensors that it reads.
    """

    formula: Formula
    units: Mapping[Reference, str]
    result: Measure

    @property
    def unit(self) -> str:
        """The unit of the result, such as ``m·s⁻¹``; empty without one."""
        return shown(self.result.dimensions)

    def has_unit_of(self, unit: str) -> bool:
        """Return whether the result measures what a unit, which is known, does."""
        return scale_of(unit).dimensions == self.result.dimensions

    def require_unit(self, unit: str) -> None:
        """Raise InvalidFormula unless the result can be given in a unit."""
        try:
            wanted = scale_of(unit)
        except UnitError:
            raise InvalidFormula("The unit {unit} is not known.", unit=unit) from None
        if wanted.dimensions != self.result.dimensions:
            raise InvalidFormula("The formula gives {found}, which cannot become {unit}.", found=self.result.shown, unit=unit)
        if wanted.offset and not self.result.is_point and not self.result.is_difference:
            raise InvalidFormula(
                "The formula gives neither a temperature nor a difference of two, so {unit} has no meaning; use K.", unit=unit
            )


def check_units(formula: Formula, sensors: Mapping[Reference, Measured]) -> CheckedFormula:
    """Return the formula with its unit.

    Raises:
        InvalidFormula: a sensor is not there, or units do not fit; says where.
    """
    lacking = [reference.shown for reference in formula.references if reference not in sensors]
    if lacking:
        known = ", ".join(sorted({reference.shown for reference in sensors}))
        raise InvalidFormula("There is no sensor {sensor}; there is {known}.", sensor=", ".join(lacking), known=known)
    found = _Checker(sensors).of(formula.root)
    if isinstance(found, Yes):
        raise InvalidFormula("The formula says yes or no; write it as 1 if … else 0.")
    return CheckedFormula(formula, {each: sensors[each].unit for each in formula.references}, found)


def is_direction(formula: Formula, sensors: Mapping[Reference, Measured]) -> bool:
    """Return whether a formula computes with a direction itself, outside of functions."""
    return _Checker(sensors).is_direction(formula.root)


def with_numbers(checked: CheckedFormula, numbers: Mapping[Reference, tuple[float, str]]) -> CheckedFormula:
    """Return a checked formula with numbers, and their units, in place of some sensors."""
    root = nodes.with_numbers(checked.formula.root, numbers)
    units = {each: unit for each, unit in checked.units.items() if each not in numbers}
    return CheckedFormula(Formula(checked.formula.text, root), units, checked.result)


class _Checker:
    """Finds what each node measures, or refuses it."""

    def __init__(self, sensors: Mapping[Reference, Measured]) -> None:
        self._sensors = sensors

    @singledispatchmethod
    def of(self, node: Node) -> Measure | Yes:
        """What a node measures."""
        raise TypeError(node)

    @of.register
    def _(self, node: nodes.Number) -> Measure:
        try:
            return measure_of(node.unit or "dimensionless", literal=node.value)
        except UnitError:
            raise InvalidFormula("Character {at}: the unit {unit} is not known.", at=node.at, unit=node.unit) from None

    @of.register
    def _(self, node: nodes.Read) -> Measure:
        return measure_of(self._sensors[node.reference].unit)

    @of.register
    def _(self, node: nodes.Negative) -> Measure:
        found = self._number(node.operand)
        return Measure(found.dimensions, None if found.points is None else -found.points)

    @of.register
    def _(self, node: nodes.Arithmetic) -> Measure:
        left, right = self._number(node.left), self._number(node.right)
        if node.sign in ("+", "-"):
            self._require_same(node, left, right)
            sign = 1 if node.sign == "+" else -1
            points = None if left.points is None or right.points is None else left.points + sign * right.points
            return Measure(left.dimensions, points)
        if node.sign == "*":
            return Measure(
                left.dimensions * right.dimensions,
                _scaled(left, right.literal) if right.is_plain else _scaled(right, left.literal),
            )
        return Measure(left.dimensions / right.dimensions, _scaled(left, 1 / right.literal if right.literal else None))

    @of.register
    def _(self, node: nodes.Power) -> Measure:
        base = self._number(node.base)
        return Measure(base.dimensions**node.exponent, base.points if node.exponent == 1 or base.is_difference else None)

    @of.register
    def _(self, node: nodes.Compared) -> Yes:
        self._same(node, [node.left, node.right])
        return Yes()

    @of.register
    def _(self, node: nodes.Logic) -> Yes:
        for operand in node.operands:
            self._require_yes(operand)
        return Yes()

    @of.register
    def _(self, node: nodes.Choice) -> Measure:
        self._require_yes(node.condition)
        return self._same(node, [node.then, node.otherwise])

    @of.register
    def _(self, node: nodes.Rolling) -> Measure:
        found = self._timed(node.operand)
        if node.kind == "rate":
            return Measure(found.dimensions / scale_of("s").dimensions)
        return Measure(found.dimensions, found.points if node.kind != "sum" or found.is_difference else None)

    @of.register
    def _(self, node: nodes.Shifted) -> Measure:
        return self._number(node.operand)

    @of.register
    def _(self, node: nodes.Called) -> Measure:
        function = FUNCTIONS[node.name]
        if function.gives == SAME:
            found = self._same(node, list(node.arguments))
            if node.name == "sqrt":
                return Measure(found.dimensions**_HALF, found.points if found.is_difference else None)
            return found
        for position, argument in enumerate(node.arguments):
            self._require_argument(node, position, argument)
        return measure_of(function.gives)

    def _require_argument(self, node: nodes.Called, position: int, argument: Node) -> None:
        function = FUNCTIONS[node.name]
        unit, found = function.unit_of(position), self._number(argument)
        wanted = measure_of(unit)
        if found.dimensions != wanted.dimensions:
            raise InvalidFormula(
                "Character {at}: {name} takes {parameter} in {unit}, and this has {found}.",
                at=argument.at,
                name=node.name,
                parameter=function.takes[min(position, len(function.takes) - 1)][0],
                unit=unit,
                found=found.shown,
            )
        if wanted.is_point and not found.is_point and found.literal is None:
            raise InvalidFormula(
                "Character {at}: {name} takes a temperature, and this is none, such as a difference of two.",
                at=argument.at,
                name=node.name,
            )

    def _number(self, node: Node) -> Measure:
        found = self.of(node)
        if isinstance(found, Yes):
            raise InvalidFormula("Character {at}: this says yes or no, and a number is needed.", at=node.at)
        return found

    def _require_yes(self, node: Node) -> None:
        if not isinstance(self.of(node), Yes):
            raise InvalidFormula("Character {at}: this is a number, and yes or no is needed; compare it.", at=node.at)

    def _timed(self, operand: Node) -> Measure:
        if self.is_direction(operand):
            raise InvalidFormula(
                "Character {at}: a direction has no rolling value; roll its components, wind_u and wind_v.", at=operand.at
            )
        return self._number(operand)

    def is_direction(self, node: Node) -> bool:
        """Whether a node is a direction, or computed with one outside of functions."""
        if isinstance(node, nodes.Read):
            return self._sensors[node.reference].direction
        return not isinstance(node, nodes.Called) and any(map(self.is_direction, node.parts))

    def _same(self, node: Node, operands: list[Node]) -> Measure:
        """Return what all of some operands measure; refuse where they differ."""
        first, *others = map(self._number, operands)
        for other in others:
            self._require_same(node, first, other)
        every = [first, *others]
        told = {each.points for each in every if each.literal is None or each.is_point}
        if first.is_temperature and len(told) > 1:
            raise InvalidFormula("Character {at}: one side is a temperature and the other a difference of two.", at=node.at)
        return Measure(first.dimensions, told.pop() if told else first.points)

    def _require_same(self, node: Node, left: Measure, right: Measure) -> None:
        if left.dimensions == right.dimensions:
            return
        if left.is_plain or right.is_plain:
            raise InvalidFormula(
                'Character {at}: one side has {unit} and the other is a number without a unit; write it as quantity(5, "m/s").',
                at=node.at,
                unit=right.shown if left.is_plain else left.shown,
            )
        raise InvalidFormula(
            "Character {at}: units do not fit: {left} and {right}.", at=node.at, left=left.shown, right=right.shown
        )


def _scaled(measure: Measure, factor: float | None) -> float | None:
    """Return the temperatures that a measure times a number adds up to."""
    if measure.points is None:
        return None
    if not measure.points:
        return 0.0
    return None if factor is None else measure.points * factor
