"""What the rows of a file give:
columns of values and of quality codes, of which station and tag.
"""

from __future__ import annotations

from dataclasses import dataclass

from data.cells.numerals import parse_number
from data.cells.values import Counts, ValueReader


@dataclass(frozen=True)
class ValueColumn:
    """A column of values; ``step_ms`` only where a rate's interval is given."""

    column: str
    sensor: str
    reader: ValueReader
    counts: Counts = "interval"
    step_ms: float | None = None


@dataclass(frozen=True)
class QualityColumn:
    """A column of quality codes; ``good`` as text, numbers in one spelling."""

    column: str
    sensor: str
    good: frozenset[str]


@dataclass(frozen=True)
class Part:
    """What rows give, by ``station`` (a column) or ``station_name``; ``tag``: rows of this tag."""

    station: str | None
    station_name: str | None
    values: tuple[ValueColumn, ...]
    quality: tuple[QualityColumn, ...] = ()
    tag: str | None = None

    @property
    def sensors(self) -> tuple[str, ...]:
        """The sensors that the rows give."""
        return tuple(column.sensor for column in self.values)

    @property
    def judged(self) -> tuple[str, ...]:
        """The sensors for which the rows carry quality codes."""
        return tuple(dict.fromkeys(column.sensor for column in self.quality))


def same_code(code: object) -> str:
    """A quality code in one spelling: 0, 0.0 and "00" are the same."""
    text = str(code).strip()
    number = parse_number(text)
    return text if number is None else repr(number + 0.0)  # no negative zero
