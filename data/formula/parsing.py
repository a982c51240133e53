"""A formula's text made into nodes, by a list of what is allowed: Python's parser reads the text,
and nothing of Python is ever run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from data.formula import nodes
from data.formula.functions import FUNCTIONS, ROLLING
from data.formula.nodes import Node, Reference
from data.formula.scanning import scan
from data.time.epoch import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from errors import InvalidFormula

MOST_NODES: Final = 200
MOST_BACK_MS: Final = 31 * DAY_MS
_MOST_POWER: Final = 10
_MOST_HEIGHT: Final = 40
_LENGTH: Final = re.compile(r"([0-9]{1,6}) ?(s|min|h|d)")
_UNITS_MS: Final = {"s": SECOND_MS, "min": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}
_SIGNS: Final[dict[type[ast.AST], Any]] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/",
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
_QUANTITY: Final = 2  # arguments of quantity(), of a rolling function, of shift()


@dataclass(frozen=True)
class Formula:
    """A formula that was read: its text as it was written, and what it is made of."""

    text: str
    root: Node

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """The sensors that it needs, each once, as they first appear."""
        found = [node.reference for node in self.root.walk() if isinstance(node, nodes.Read)]
        return tuple(dict.fromkeys(found))

    @cached_property
    def back_ms(self) -> int:
        """How far before a time it looks, ms."""
        return nodes.back_ms(self.root)


def is_timed(formula: Formula) -> bool:
    """Return whether a formula reads what was before."""
    return any(map(nodes.is_timed, formula.root.walk()))


def parse(text: str) -> Formula:
    """Read a formula.

    Raises:
        InvalidFormula: saying what is wrong and at which character (the first is 1). Every text is
            refused or read within milliseconds.
    """
    scan(text)
    flat = re.sub(r"\s", " ", text)
    lead = len(flat) - len(flat.lstrip())
    try:
        tree = ast.parse(flat.strip(), mode="eval").body
    except SyntaxError as error:
        raise InvalidFormula(
            "Character {at}: the formula cannot be read here; a sign, a name or a parenthesis is missing or too many.",
            at=(error.offset or len(flat.strip()) + 1) + lead,  # 0: something is missing at the end
        ) from None
    except (RecursionError, MemoryError, ValueError):
        raise InvalidFormula("The formula is nested too deep.") from None
    _require_small(tree)
    root = _Reader(flat.strip(), lead).read(tree)
    formula = Formula(text, root)
    if not formula.references:
        raise InvalidFormula("The formula names no sensor, so it has no readings.")
    if formula.back_ms > MOST_BACK_MS:
        raise InvalidFormula("A formula looks back at most 31 days in all.")
    return formula


def _require_small(tree: ast.expr) -> None:
    level: list[ast.AST] = [tree]
    number = height = 0
    while level:
        number, height = number + sum(isinstance(node, ast.expr) for node in level), height + 1
        if height > _MOST_HEIGHT:
            raise InvalidFormula("The formula is nested too deep.")
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    if number > MOST_NODES:
        raise InvalidFormula("A formula has at most {most} parts; this one has {number}.", most=MOST_NODES, number=number)


class _Reader:
    """Turns Python's tree into ours; what it does not know is refused."""

    def __init__(self, text: str, lead: int) -> None:
        self._text, self._lead = text, lead
        self._kinds: dict[type[ast.expr], Callable[[Any, int], Node]] = {
            ast.Constant: self._constant,
            ast.Name: self._name,
            ast.Subscript: self._elsewhere,
            ast.UnaryOp: self._unary,
            ast.BinOp: self._binary,
            ast.BoolOp: self._logic,
            ast.Compare: self._compared,
            ast.IfExp: self._choice,
            ast.Call: self._call,
        }

    def read(self, node: ast.expr) -> Node:
        """The node of ours."""
        at = self._at(node)
        kind = self._kinds.get(type(node))
        if kind is None:
            raise InvalidFormula(
                "Character {at}: this is not part of the language of formulas: {what}.", at=at, what=ast.unparse(node)[:40]
            )
        return kind(node, at)

    def _at(self, node: ast.expr) -> int:
        before = self._text.encode()[: node.col_offset]  # Python counts bytes
        return len(before.decode(errors="ignore")) + 1 + self._lead

    def _constant(self, node: ast.Constant, at: int) -> Node:
        if isinstance(node.value, str):
            raise InvalidFormula(
                'Character {at}: a text stands for a station, a unit or a length only, as in temperature["JFK"].', at=at
            )
        assert isinstance(node.value, int | float)  # noqa: S101 - scan() lets no other through # nosec B101
        return nodes.Number(at, float(node.value))

    def _name(self, node: ast.Name, at: int) -> Node:
        if node.id in FUNCTIONS or node.id in ROLLING:
            raise InvalidFormula("Character {at}: {name} is a function; write {name}(…).", at=at, name=node.id)
        return nodes.Read(at, Reference(node.id))

    def _elsewhere(self, node: ast.Subscript, at: int) -> Node:
        named = node.slice
        if not isinstance(node.value, ast.Name) or not isinstance(named, ast.Constant) or not isinstance(named.value, str):
            raise InvalidFormula('Character {at}: write a sensor of another station as temperature["JFK"].', at=at)
        if not named.value.strip() or not named.value.isprintable():
            raise InvalidFormula("Character {at}: this is no name of a station.", at=at)
        read = self._name(node.value, at)
        assert isinstance(read, nodes.Read)  # noqa: S101 - what _name makes # nosec B101
        return nodes.Read(at, Reference(read.reference.sensor, named.value))

    def _unary(self, node: ast.UnaryOp, at: int) -> Node:
        operand = self.read(node.operand)
        if isinstance(node.op, ast.Not):
            return nodes.Logic(at, "not", (operand,))
        if isinstance(node.op, ast.UAdd):
            return operand
        if isinstance(operand, nodes.Number):
            return nodes.Number(at, -operand.value, operand.unit)
        return nodes.Negative(at, operand)

    def _binary(self, node: ast.BinOp, at: int) -> Node:
        if isinstance(node.op, ast.Pow):
            exponent = self.read(node.right)
            if not isinstance(exponent, nodes.Number) or exponent.unit or abs(exponent.value) > _MOST_POWER:
                raise InvalidFormula(
                    "Character {at}: a power needs a plain number from -10 to 10 after **.", at=self._at(node.right)
                )
            return nodes.Power(at, self.read(node.left), exponent.value)
        if type(node.op) not in _SIGNS:
            raise InvalidFormula("Character {at}: there are the signs + - * / and ** only.", at=at)
        return nodes.Arithmetic(at, _SIGNS[type(node.op)], self.read(node.left), self.read(node.right))

    def _logic(self, node: ast.BoolOp, at: int) -> Node:
        return nodes.Logic(at, "and" if isinstance(node.op, ast.And) else "or", tuple(map(self.read, node.values)))

    def _compared(self, node: ast.Compare, at: int) -> Node:
        operands = [self.read(node.left), *map(self.read, node.comparators)]
        if not all(type(sign) in _SIGNS for sign in node.ops):
            raise InvalidFormula("Character {at}: compare with < <= > >= == != only.", at=at)
        signs = [_SIGNS[type(sign)] for sign in node.ops]
        pairs = [nodes.Compared(at, sign, *both) for sign, *both in zip(signs, operands, operands[1:], strict=False)]
        return pairs[0] if len(pairs) == 1 else nodes.Logic(at, "and", tuple(pairs))

    def _choice(self, node: ast.IfExp, at: int) -> Node:
        return nodes.Choice(at, self.read(node.test), self.read(node.body), self.read(node.orelse))

    def _call(self, node: ast.Call, at: int) -> Node:
        if not isinstance(node.func, ast.Name):
            raise InvalidFormula("Character {at}: only a function's name can stand before (…).", at=at)
        if node.keywords or any(isinstance(each, ast.Starred) for each in node.args):
            raise InvalidFormula("Character {at}: arguments have no names and no stars.", at=at)
        name, arguments = node.func.id, node.args
        if name == "quantity":
            return self._quantity(arguments, at)
        if name == "shift" or name in ROLLING:
            return self._timed(name, arguments, at)
        if name not in FUNCTIONS:
            known = ", ".join(sorted([*FUNCTIONS, *ROLLING, "shift", "quantity"]))
            raise InvalidFormula(
                "Character {at}: there is no function {name}; there is {known}.", at=at, name=name[:40], known=known
            )
        least, most = FUNCTIONS[name].counts
        if not least <= len(arguments) <= most:
            raise InvalidFormula(
                "Character {at}: {name} takes {signature}, not {number} arguments.",
                at=at,
                name=name,
                signature=FUNCTIONS[name].signature(name),
                number=len(arguments),
            )
        return nodes.Called(at, name, tuple(map(self.read, arguments)))

    def _quantity(self, arguments: list[ast.expr], at: int) -> Node:
        number = self.read(arguments[0]) if len(arguments) == _QUANTITY else None
        unit = _text(arguments[1]) if number is not None else None
        if not isinstance(number, nodes.Number) or number.unit or not unit:
            raise InvalidFormula('Character {at}: a quantity is written as quantity(5, "m/s").', at=at)
        return nodes.Number(at, number.value, unit)

    def _timed(self, name: str, arguments: list[ast.expr], at: int) -> Node:
        found = _LENGTH.fullmatch(_text(arguments[1]) or "") if len(arguments) == _QUANTITY else None
        if found is None or not int(found[1]):
            raise InvalidFormula(
                'Character {at}: {name} takes readings and a length, as in {name}(temperature, "24 h"); units: s, min, h, d.',
                at=at,
                name=name,
            )
        operand, length_ms = self.read(arguments[0]), int(found[1]) * _UNITS_MS[found[2]]
        if not any(isinstance(part, nodes.Read) for part in operand.walk()):
            raise InvalidFormula("Character {at}: {name} needs readings, and here is none.", at=at, name=name)
        return nodes.Shifted(at, operand, length_ms) if name == "shift" else nodes.Rolling(at, ROLLING[name], operand, length_ms)


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
