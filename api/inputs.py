"""What models of bodies and queries of the API share: fields, and what they are made from."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from data.flag_choice import FlagChoice
from data.time.resolution import RESOLUTIONS

LONGEST_NAME = 255  # characters of a station's or sensor's name
MOST_NAMES = 10_000

Name = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME, pattern=r"^[^\u0000]*$")]
GivenTime = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64),
    Field(description="ISO 8601; without an offset it is wall-clock time in the zone of the request.", examples=["2013-07-01"]),
]
WindowTime = Annotated[
    str | None,
    StringConstraints(max_length=64),
    Field(
        description="ISO 8601 (without an offset: in the job's zone) or whole milliseconds since 1970 UTC; default: the job's.",
        examples=["2013-07-01T00:00:00Z"],
    ),
]
FlagsThatCount = Annotated[
    FlagChoice,
    Field(description="Which flags of quality rules count: none; hard: of readings that cannot be right; all: suspect ones too."),
]
Switch = Annotated[bool, BeforeValidator(lambda value: lower_case(value))]


def refuse_bool(value: object) -> object:
    """Return a value; raises ValueError for true and false, which would count as 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("it is a number, not true or false")
    return value


def lower_case(value: object) -> object:
    """Return a text in small letters, and anything else as it is."""
    return value.lower() if isinstance(value, str) else value


class GivenBody(BaseModel):
    """A body: what we do not know of is refused, so that no misspelt field is lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class GivenQuery(BaseModel):
    """A query string: it may carry more than we know, as anything that proxies and clients add."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class GivenSelection(GivenBody):
    """Stations × sensors at a resolution."""

    stations: Annotated[list[Name], Field(min_length=1, max_length=MOST_NAMES, examples=[["JFK"]])]
    sensors: Annotated[list[Name], Field(min_length=1, max_length=MOST_NAMES, examples=[["temperature"]])]
    resolution: Annotated[str, Field(json_schema_extra={"enum": list(RESOLUTIONS)})] = "raw"


class GivenRange(GivenBody):
    """A fixed range, from and to, or the last hours or days."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    start: Annotated[GivenTime | None, Field(alias="from")] = None
    end: Annotated[GivenTime | None, Field(alias="to", examples=["2013-08-01"])] = None
    last: Annotated[
        str | None,
        StringConstraints(max_length=8),
        Field(description="Hours or days that end now, such as 24h or 7d; instead of from and to.", examples=["7d"]),
    ] = None
