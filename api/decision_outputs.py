"""What comes out of the API of decisions, as the document shows it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.outputs import ErrorBody, Time, _Out
from data.decision import DecisionKind


class DecidedSeries(_Out):
    """A sensor of a station."""

    station: str
    sensor: str


class DecisionAnswer(_Out):
    """A decision; it is in force until it is undone."""

    number: Annotated[int, Field(description="Grows with each decision; those in force count in this order.")]
    station: str
    sensor: str
    kind: DecisionKind
    start: Annotated[Time, Field(alias="from", description="The first stamp that it is about.")]
    end: Annotated[Time, Field(alias="to", description="The last stamp that it is about.")]
    rule: str | None
    amount: float | None
    filled_from: DecidedSeries | None
    reason: Annotated[str, Field(description="As it was written: any text.")]
    made_by: str
    made: Time
    undone_by: str | None
    undone: Time | None


class DecisionReceipt(DecisionAnswer):
    """A decision that was made or undone, and the job that applies it."""

    job: Annotated[str | None, Field(description="Its id; null where none could start: the next load applies it.")]


class DecisionConflict(_Out):
    """Why not, and the newer decisions of others that should be looked at first."""

    error: ErrorBody
    newer: list[DecisionAnswer]


class DecisionList(_Out):
    """Decisions, by number."""

    decisions: list[DecisionAnswer]
    last: Annotated[
        int, Field(description="The highest number of any decision, also an undone one, about these series; 0: none.")
    ]
    next: Annotated[str | None, Field(description="Path of the page before; null when there is none.")]
