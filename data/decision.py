"""What a person decides about readings of one series (docs/decisions/0041)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, get_args

DecisionKind = Literal["right", "wrong", "suspect", "offset", "factor", "shift", "delete", "fill"]
"""``right``: flags do not count; ``wrong``, ``suspect``: flagged by hand; the others correct."""

DECISION_KINDS: Final[tuple[DecisionKind, ...]] = get_args(DecisionKind)
CORRECTIONS: Final[tuple[DecisionKind, ...]] = ("offset", "factor", "shift", "delete", "fill")


@dataclass(frozen=True)
class Decision:
    """A decision about the readings of a series that are stamped in [start_ms, end_ms], int ms UTC,
    both included. Those in force count by ``number``.

    ``rule``: of whose flags it decides; None: of all. ``amount``: what is added (in the sensor's
    unit), multiplied by, or the ms by which stamps are shifted. ``filled_from``: station and sensor
    whose readings fill in.
    """

    number: int
    station: str
    sensor: str
    kind: DecisionKind
    start_ms: int
    end_ms: int
    rule: str | None = None
    amount: float | None = None
    filled_from: tuple[str, str] | None = None

    @property
    def touched_ms(self) -> tuple[int, int]:
        """Return the first and the last stamp that it may change: of a shift also where readings
        come to lie.
        """
        by_ms = round(self.amount or 0) if self.kind == "shift" else 0
        return min(self.start_ms, self.start_ms + by_ms), max(self.end_ms, self.end_ms + by_ms)


Decisions = Callable[[str, str], tuple[Decision, ...]]
"""Returns the decisions in force about a station's sensor, by number."""


def no_decisions(station: str, sensor: str) -> tuple[Decision, ...]:
    """Know no decision."""
    del station, sensor
    return ()
