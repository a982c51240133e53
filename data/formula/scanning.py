"""The first look at a formula's text: what is no number, name, string or sign of the language is
refused before Python's parser sees it, and so is what is too long or too deep.
"""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from typing import Final

from errors import InvalidFormula

MOST_CHARACTERS: Final = 1_000
MOST_TOKENS: Final = 400
MOST_DEEP: Final = 20  # parentheses within each other
MOST_DIGITS: Final = 25

_TOKEN: Final = re.compile(
    r"""
    (?P<blank>[ \t\r\n]+)
  | (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<string>"[^"\\\r\n]*"|'[^'\\\r\n]*')
  | (?P<sign>\*\*|<=|>=|==|!=|[-+*/<>(),\[\]])
    """,
    re.VERBOSE,
)
_GLUED: Final = {"number": ("number", "name"), "name": ("string",), "string": ("string", "name", "number")}
_PYTHONS_WORDS: Final = frozenset(keyword.kwlist) - {"if", "else", "and", "or", "not"}


@dataclass(frozen=True)
class Token:
    """A word of a formula, and where it begins: the first character is 1."""

    kind: str
    text: str
    at: int


def scan(text: str) -> list[Token]:
    """Return the words of a formula.

    Raises:
        InvalidFormula: saying what is not part of the language, and where.
    """
    if len(text) > MOST_CHARACTERS:
        raise InvalidFormula(
            "A formula has at most {most} characters; this one has {length}.", most=MOST_CHARACTERS, length=len(text)
        )
    if not text.strip():
        raise InvalidFormula("The formula is empty.")
    tokens: list[Token] = []
    at, before = 0, ""
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise InvalidFormula(
                "Character {at}: {what} is not part of the language of formulas.", at=at + 1, what=repr(text[at])
            )
        kind, word = str(found.lastgroup), found.group()
        if kind in _GLUED.get(before, ()):
            raise InvalidFormula(
                "Character {at}: {what} cannot follow here without a sign between.", at=at + 1, what=repr(word[:20])
            )
        if kind != "blank":
            tokens.append(_allowed(Token(kind, word, at + 1)))
        before, at = kind, found.end()
    if len(tokens) > MOST_TOKENS:
        raise InvalidFormula(
            "A formula has at most {most} words and signs; this one has {number}.", most=MOST_TOKENS, number=len(tokens)
        )
    _require_shallow(tokens)
    return tokens


def _allowed(token: Token) -> Token:
    if token.kind == "number" and (len(token.text) > MOST_DIGITS or not float(token.text) < float("inf")):
        raise InvalidFormula("Character {at}: the number is too long or too large.", at=token.at)
    if token.kind == "string" and not token.text.isprintable():
        raise InvalidFormula("Character {at}: the text holds a character that cannot be seen.", at=token.at)
    if token.kind == "name" and (token.text.startswith("_") or token.text in _PYTHONS_WORDS):
        raise InvalidFormula("Character {at}: {what} is not part of the language of formulas.", at=token.at, what=token.text[:40])
    return token


def _require_shallow(tokens: list[Token]) -> None:
    depth = 0
    for token in tokens:
        depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
        if depth > MOST_DEEP:
            raise InvalidFormula("Character {at}: more than {most} parentheses within each other.", at=token.at, most=MOST_DEEP)
