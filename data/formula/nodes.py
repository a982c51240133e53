"""What a formula is made of, once its text was read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from itertools import chain
from typing import Any, Literal

Binary = Literal["+", "-", "*", "/"]
Comparison = Literal["<", "<=", ">", ">=", "==", "!="]


@dataclass(frozen=True)
class Reference:
    """A sensor; ``station`` is None for the station of the formula itself."""

    sensor: str
    station: str | None = None

    @property
    def shown(self) -> str:
        """The reference as a formula writes it."""
        return self.sensor if self.station is None else f'{self.sensor}["{self.station}"]'


@dataclass(frozen=True)
class Node:
    """A part of a formula that begins at a character, the first being 1."""

    at: int

    @property
    def parts(self) -> tuple[Node, ...]:
        """The nodes right below, in the order of its fields."""
        values = (getattr(self, each.name) for each in fields(self))
        within = chain.from_iterable(value if isinstance(value, tuple) else (value,) for value in values)
        return tuple(each for each in within if isinstance(each, Node))

    def walk(self) -> Iterator[Node]:
        """Yield this node and all below."""
        yield self
        for part in self.parts:
            yield from part.walk()


@dataclass(frozen=True)
class Number(Node):
    """A number without a unit, or one with (``quantity(5, "m/s")``)."""

    value: float
    unit: str = ""


@dataclass(frozen=True)
class Read(Node):
    """The readings of a sensor."""

    reference: Reference


@dataclass(frozen=True)
class Arithmetic(Node):
    """Two operands and a sign."""

    sign: Binary
    left: Node
    right: Node


@dataclass(frozen=True)
class Power(Node):
    """A base to a plain number."""

    base: Node
    exponent: float


@dataclass(frozen=True)
class Negative(Node):
    """The negative of an operand."""

    operand: Node


@dataclass(frozen=True)
class Compared(Node):
    """Yes or no: two operands compared."""

    sign: Comparison
    left: Node
    right: Node


@dataclass(frozen=True)
class Logic(Node):
    """Yes or no: ``and`` and ``or`` of two or more, ``not`` of one."""

    word: Literal["and", "or", "not"]
    operands: tuple[Node, ...]


@dataclass(frozen=True)
class Choice(Node):
    """``then if condition else otherwise``."""

    condition: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True)
class Called(Node):
    """A function of functions.py and its arguments."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Rolling(Node):
    """A statistic of the readings of the last ``length_ms``: those in (time − length, time]."""

    kind: Literal["mean", "min", "max", "sum", "rate"]
    operand: Node
    length_ms: int


@dataclass(frozen=True)
class Shifted(Node):
    """What was read exactly ``length_ms`` earlier."""

    operand: Node
    length_ms: int


def with_numbers(node: Node, numbers: Mapping[Reference, tuple[float, str]]) -> Node:
    """Return a node with numbers, and their units, in place of the readings of some sensors."""
    if isinstance(node, Read):
        return Number(node.at, *numbers[node.reference]) if node.reference in numbers else node
    changed: dict[str, Any] = {}
    for each in fields(node):
        value = getattr(node, each.name)
        if isinstance(value, Node):
            changed[each.name] = with_numbers(value, numbers)
        elif isinstance(value, tuple):
            changed[each.name] = tuple(with_numbers(part, numbers) for part in value)
    return replace(node, **changed)


def is_timed(node: Node) -> bool:
    """Return whether a node looks back in time."""
    return isinstance(node, Rolling | Shifted)


def back_ms(node: Node) -> int:
    """Return how far before a time a formula looks, at most."""
    below = max((back_ms(part) for part in node.parts), default=0)
    return below + (node.length_ms if isinstance(node, Rolling | Shifted) else 0)
