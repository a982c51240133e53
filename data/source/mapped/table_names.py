"""``tables`` of a mapping: one name for many tables, such as ``sqlt_data_1_{year}_{month:02}``."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PLACEHOLDER = re.compile(r"\{([a-z_]+)(?::0?(\d))?\}")
_OF_TIME = {"year": 4, "month": 2, "day": 2}  # digits, where the pattern names none


@dataclass(frozen=True)
class Pattern:
    """Which names fit, and the columns that placeholders other than those of time make;
    ``numbers`` of them are integers.
    """

    regex: re.Pattern[str]
    columns: tuple[str, ...]
    numbers: frozenset[str]

    def values(self, table: str) -> dict[str, str | int] | None:
        """What a table's name says, by column; None of a table that does not fit."""
        match = self.regex.fullmatch(table)
        if match is None:
            return None
        return {name: int(match[name]) if name in self.numbers else match[name] for name in self.columns}


def pattern_of(text: str) -> Pattern:
    """The pattern of a text.

    Raises:
        ValueError: saying what was expected.
    """
    parts, columns, numbers, at = [], [], set(), 0
    for match in _PLACEHOLDER.finditer(text):
        name, digits = match[1], match[2]
        parts.append(re.escape(text[at : match.start()]))
        at = match.end()
        if name in _OF_TIME:
            parts.append(rf"\d{{{digits or _OF_TIME[name]}}}")
            continue
        if name in columns:
            raise ValueError(f"expected each placeholder once; {{{name}}} is there twice")
        columns.append(name)
        numbers |= {name} if digits else set()
        parts.append(rf"(?P<{name}>\d{{{digits},}})" if digits else rf"(?P<{name}>.+?)")
    rest = text[at:]
    if not parts or "{" in "".join(parts[::2]) + rest:
        raise ValueError("expected placeholders such as {year}, {month:02}, {item:04} or {name} in it")
    return Pattern(re.compile("".join(parts) + re.escape(rest)), tuple(columns), frozenset(numbers))
