"""What goes into the API of decisions: models that check bodies and queries."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from access.decisions.decision_checks import LONGEST_REASON
from analysis.quality.review import RULES
from api.inputs import MOST_NAMES, GivenBody, GivenQuery, Name, Switch, WindowTime
from data.decision import DecisionKind
from data.time.epoch import EARLIEST_MS, LATEST_MS

MOST_LISTED = 1_000  # of one page
Number = Annotated[int, Field(ge=0, lt=2**53)]
Stamp = Annotated[
    Annotated[str, StringConstraints(min_length=1, max_length=64)]
    | Annotated[int, Field(strict=True, ge=EARLIEST_MS, le=LATEST_MS)],
    Field(
        description="A stamp that it is about, included: ISO 8601 (without an offset in the station's zone) or ms since 1970.",
        examples=["2013-07-01T00:00:00Z"],
    ),
]
Seen = Annotated[
    Number | None,
    Field(description="The highest number that was seen; newer decisions of others about these readings are a conflict."),
]


class GivenSeries(GivenBody):
    """A sensor of a station."""

    station: Name
    sensor: Name


class NewDecision(GivenBody):
    """A decision about readings of a series, from stamp to stamp."""

    model_config = GivenBody.model_config | {"populate_by_name": True}

    station: Annotated[Name, Field(examples=["JFK"])]
    sensor: Annotated[Name, Field(examples=["temperature"])]
    kind: DecisionKind
    start: Annotated[Stamp, Field(alias="from")]
    end: Annotated[Stamp, Field(alias="to", examples=["2013-07-01T06:00:00Z"])]
    rule: Annotated[
        str | None, Field(json_schema_extra={"enum": [*RULES, None]}, description="Of whose flags it decides; null: of all.")
    ] = None
    amount: Annotated[
        float | None,
        Field(
            allow_inf_nan=False,
            description="Added in the sensor's unit (offset), multiplied by (factor), or ms by which stamps move (shift).",
        ),
    ] = None
    filled_from: Annotated[GivenSeries | None, Field(description="The series whose readings fill in (fill).")] = None
    reason: Annotated[
        str, StringConstraints(max_length=LONGEST_REASON), Field(description="Why; a correction needs it.", examples=["Fan off"])
    ] = ""
    seen: Seen = None


class Undoing(GivenBody):
    """What was seen before it is undone."""

    seen: Seen = None


class DecisionsQuery(GivenQuery):
    """Which decisions, and as what."""

    station: Annotated[
        list[Name], Field(default_factory=list, max_length=MOST_NAMES, description="Only of this station; may be repeated.")
    ]
    sensor: Annotated[
        list[Name], Field(default_factory=list, max_length=MOST_NAMES, description="Only of this sensor; may be repeated.")
    ]
    start: Annotated[WindowTime, Field(alias="from", description="Only about readings from this time on.")] = None
    end: Annotated[WindowTime, Field(alias="to", description="Only about readings before this time.")] = None
    undone: Annotated[Switch | None, Field(description="Only undone ones, or (false) only those in force; default: both.")] = None
    limit: Annotated[int, Field(ge=1, le=MOST_LISTED, description="At most so many, the newest; a file has all.")] = MOST_LISTED
    before: Annotated[Number | None, Field(description="Only decisions older than the one of this number.")] = None
    format: Annotated[
        Literal["json", "toml", "csv"], Field(description="A page as JSON, or all decisions as a file that can be imported.")
    ] = "json"
