"""Computing a checked formula on arrays, in base units."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce, singledispatchmethod
from typing import Any, Final

import numpy as np

from data.arrays import Floats, Integers
from data.formula import nodes
from data.formula.checking_units import CheckedFormula
from data.formula.dimensions import compared, scale_of
from data.formula.functions import FUNCTIONS, SAME
from data.formula.nodes import Node, Reference
from data.formula.rolling import rolled

_DAY: Final = "datetime64[D]"
_BLOCK: Final = 32_768  # rows


@dataclass(frozen=True)
class SensorReadings:
    """What one sensor read: ``times`` i8[n] ms UTC, strictly increasing; ``values`` f8[n] in its
    unit, NaN where one is missing.
    """

    times: Integers
    values: Floats


def evaluate(
    checked: CheckedFormula, readings: Mapping[Reference, SensorReadings], unit: str, *, times: Integers | None = None
) -> SensorReadings:
    """Compute a formula; the result has a value in ``unit`` for each of its times, NaN where it
    has none.

    The times are those that all sensors have that are read at the time itself (of a formula that
    only looks back, those that one of them has), or as given. A value is NaN where one of the
    readings that it needs is missing, also one that a choice does not take, and where it is not
    finite.

    Raises:
        InvalidFormula: the result cannot be given in the unit.
    """
    checked.require_unit(unit)
    root = checked.formula.root
    at = _Machine(readings, checked.units).times(root) if times is None else times
    scale = scale_of(unit)
    # A difference of temperatures has no zero: only the size of a degree counts.
    scale = replace(scale, offset=0.0) if scale.is_temperature and checked.result.is_difference else scale
    values = np.empty(len(at))
    with np.errstate(all="ignore"):
        for part, some in _blocks(readings, root, at):
            values[part] = scale.from_base(_Machine(some, checked.units).of(root, at[part] if len(at) > _BLOCK else at))
    values[~np.isfinite(values)] = np.nan
    return SensorReadings(at, values)


def _blocks(
    readings: Mapping[Reference, SensorReadings], root: Node, at: Integers
) -> Iterator[tuple[slice, Mapping[Reference, SensorReadings]]]:
    """Yield parts of the times, and the readings for each: small enough that what is computed
    between stays in the processor's cache. A formula that looks back is computed in one piece.
    """
    if any(map(nodes.is_timed, root.walk())) or len(at) <= _BLOCK:
        yield slice(0, len(at)), readings
        return
    aligned = {each: values_at(readings[each], at) for each in _read_now(root)}
    for begin in range(0, len(at), _BLOCK):
        part = slice(begin, begin + _BLOCK)
        yield part, {each: SensorReadings(at[part], values[part]) for each, values in aligned.items()}


class _Machine:
    """Values of nodes at given times, in base units: f8[n], or a number that all times have."""

    def __init__(self, readings: Mapping[Reference, SensorReadings], units: Mapping[Reference, str]) -> None:
        self._readings, self._units = readings, units

    def times(self, node: Node) -> Integers:
        """The times that a node has a value of, i8, increasing."""
        now = _read_now(node)
        if now:
            return reduce(_common, (self._readings[each].times for each in now))
        behind = [self._times_behind(part) for part in node.walk() if nodes.is_timed(part)]
        return reduce(_either, behind)

    def _times_behind(self, node: Node) -> Integers:
        if isinstance(node, nodes.Shifted):
            return self.times(node.operand) + node.length_ms
        return self.times(node.parts[0])

    @singledispatchmethod
    def of(self, node: Node, at: Integers) -> Any:  # noqa: ARG002 - as all of them
        """The values of a node at some times."""
        raise TypeError(node)

    @of.register
    def _(self, node: nodes.Number, at: Integers) -> Any:  # noqa: ARG002 - as all of them
        return np.float64(scale_of(node.unit or "dimensionless").to_base(node.value))

    @of.register
    def _(self, node: nodes.Read, at: Integers) -> Any:
        found = self._readings[node.reference]
        return scale_of(self._units[node.reference]).to_base(values_at(found, at))

    @of.register
    def _(self, node: nodes.Negative, at: Integers) -> Any:
        return -self.of(node.operand, at)

    @of.register
    def _(self, node: nodes.Arithmetic, at: Integers) -> Any:
        operation = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}[node.sign]
        return operation(self.of(node.left, at), self.of(node.right, at))

    @of.register
    def _(self, node: nodes.Power, at: Integers) -> Any:
        return np.power(self.of(node.base, at), node.exponent)

    @of.register
    def _(self, node: nodes.Compared, at: Integers) -> Any:
        return compared(node.sign, self.of(node.left, at), self.of(node.right, at))

    @of.register
    def _(self, node: nodes.Logic, at: Integers) -> Any:
        found = [self.of(operand, at) for operand in node.operands]
        if node.word == "not":
            return 1.0 - found[0]
        return reduce(np.minimum if node.word == "and" else np.maximum, found)

    @of.register
    def _(self, node: nodes.Choice, at: Integers) -> Any:
        condition, then, otherwise = (self.of(part, at) for part in node.parts)
        found = np.where(condition == 1.0, then, otherwise)
        return np.where(np.isnan(condition) | np.isnan(then) | np.isnan(otherwise), np.nan, found)

    @of.register
    def _(self, node: nodes.Called, at: Integers) -> Any:
        function = FUNCTIONS[node.name]
        values = [self.of(argument, at) for argument in node.arguments]
        if function.gives == SAME:
            return function.compute(*values)
        given = [scale_of(function.unit_of(place)).from_base(value) for place, value in enumerate(values)]
        extra = {"day": _day_of_year(at)} if function.needs_day else {}
        return scale_of(function.gives).to_base(function.compute(*given, **extra))

    @of.register
    def _(self, node: nodes.Rolling, at: Integers) -> Any:
        return rolled(node.kind, *self._series(node.operand), at, node.length_ms)

    @of.register
    def _(self, node: nodes.Shifted, at: Integers) -> Any:
        return values_at(SensorReadings(*self._series(node.operand)), at - node.length_ms)

    def _series(self, node: Node) -> tuple[Integers, Floats]:
        """Times and finite values of a node."""
        times = self.times(node)
        values = np.broadcast_to(self.of(node, times), times.shape)
        finite = np.isfinite(values)
        return (times, values) if finite.all() else (times[finite], values[finite])


def values_at(readings: SensorReadings, at: Integers) -> Floats:
    """Return the values of readings at some times, f8[len(at)]; NaN where there is none."""
    times = readings.times
    if times is at or np.array_equal(times, at):
        return readings.values
    if not len(times):
        return np.full(len(at), np.nan)
    place = np.minimum(np.searchsorted(times, at), len(times) - 1)
    return np.where(times[place] == at, readings.values[place], np.nan)


def _common(some: Integers, others: Integers) -> Integers:
    if some is others or np.array_equal(some, others):
        return some
    return np.intersect1d(some, others, assume_unique=True)


def _either(some: Integers, others: Integers) -> Integers:
    return some if some is others or np.array_equal(some, others) else np.union1d(some, others)


def _read_now(node: Node) -> list[Reference]:
    """Return the sensors that are read at the time itself, each once."""
    if nodes.is_timed(node):
        return []
    own = [node.reference] if isinstance(node, nodes.Read) else []
    return list(dict.fromkeys([*own, *(each for part in node.parts for each in _read_now(part))]))


def _day_of_year(at: Integers) -> Floats:
    """Return the day of the year of each time, UTC, from 1, f8."""
    days = at.astype("datetime64[ms]").astype(_DAY)
    found: Floats = (days - days.astype("datetime64[Y]").astype(_DAY)).astype(np.float64) + 1.0
    return found
