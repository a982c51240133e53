"""What goes into the API of limits and comes out of it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from access.limits.limit_changes import LIMIT_NAMES
from api.inputs import MOST_NAMES, GivenBody, GivenQuery, GivenTime, Name
from api.outputs import Time, _Out
from data.usual_limits import LimitOrigin

Revision = Annotated[int, Field(ge=0, lt=2**53)]
_STATION: Any = Field(description="Null: of the sensor at all stations.", examples=["JFK"])


class LimitsQuery(GivenQuery):
    """Of which series."""

    sensor: Annotated[Name, Field(examples=["temperature"])]
    station: Annotated[Name | None, Field(description="Absent: of the sensor at all stations.", examples=["JFK"])] = None


class LoadedRange(GivenBody):
    """What the job makes anew."""

    station: Annotated[list[Name], Field(min_length=1, max_length=MOST_NAMES)]
    start: Annotated[GivenTime, Field(alias="from")]
    end: Annotated[GivenTime, Field(alias="to")]


class LimitsPatch(GivenBody):
    """Limits that are set, and limits that are the catalogue's again."""

    station: Annotated[Name | None, _STATION] = None
    sensor: Annotated[Name, Field(examples=["temperature"])]
    limits: Annotated[
        dict[str, Any],
        Field(
            default_factory=dict,
            max_length=len(LIMIT_NAMES),
            description="By name, as in the catalogue and in the sensor's unit; null: the rule is off.",
            examples=[{"still_hours": 8, "spike": None}],
        ),
    ]
    reset: Annotated[
        list[Name], Field(default_factory=list, max_length=len(LIMIT_NAMES), description="Names of those to give back.")
    ]
    seen: Annotated[Revision | None, Field(description="The revision that was seen; newer changes of others are a conflict.")] = (
        None
    )
    load: Annotated[LoadedRange | None, Field(description="What a job makes anew; null: the station's latest loaded months.")] = (
        None
    )


class LimitAnswer(_Out):
    """A limit as it holds."""

    name: str
    value: Annotated[Any, Field(description="In the sensor's unit, as in the catalogue; null: the rule is not asked.")]
    origin: Annotated[
        LimitOrigin, Field(description="What says it: built in, the catalogue or people, of the sensor or of the station's.")
    ]
    catalogue: Annotated[Any, Field(description="The value without what people have set.")]
    made_by: str | None
    made: Time | None


class LimitsAnswer(_Out):
    """The limits of a series, or of a sensor at all stations."""

    station: str | None
    sensor: str
    unit: str
    quantity: str
    limits: list[LimitAnswer]
    revision: Annotated[int, Field(description="Of the latest change of these limits; 0: none.")]
    may_set: bool
    may_set_all: bool


class LimitsReceipt(LimitsAnswer):
    """The limits after a change, and the job that makes flags by them."""

    job: Annotated[str | None, Field(description="Its id; null where none was started: the next load makes them.")]
