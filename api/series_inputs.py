"""What goes into the API of series: whose readings, of which range, in which form."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from api.inputs import MOST_NAMES, FlagsThatCount, GivenQuery, Name, Switch, lower_case
from data.flag_choice import USUAL_FLAGS
from data.time.resolution import RESOLUTIONS

SeriesTime = Annotated[
    str,
    StringConstraints(min_length=1, max_length=80),
    Field(
        description="ISO 8601 (without an offset: on the clock of `timezone`), milliseconds since 1970 UTC, or words such as "
        "`now-7d`, `last July`, `2013-03`.",
        examples=["now-7d"],
    ),
]


class SeriesQuery(GivenQuery):
    """Stations × sensors × [from, to)."""

    station: Annotated[list[Name], Field(min_length=1, max_length=MOST_NAMES, description="May be repeated.", examples=[["JFK"]])]
    sensor: Annotated[
        list[Name], Field(min_length=1, max_length=MOST_NAMES, description="May be repeated.", examples=[["temperature"]])
    ]
    start: Annotated[SeriesTime, Field(alias="from")] = "now-1d"
    end: Annotated[SeriesTime, Field(alias="to", description="As `from`; of a day, month or year alone, its end.")] = "now"
    resolution: Annotated[
        str, Field(json_schema_extra={"enum": list(RESOLUTIONS)}, description="`raw`: all readings; else buckets of that length.")
    ] = "raw"
    timezone: Annotated[
        str | None,
        StringConstraints(max_length=64),
        Field(description="IANA name; default: the stations' own where they share one, or the site's."),
    ] = None
    flags: FlagsThatCount = USUAL_FLAGS
    latest: Annotated[Switch, Field(description="Only the last row of each station in the range.")] = False
    format: Annotated[Literal["json", "csv", "arrow", "parquet"], BeforeValidator(lower_case)] = "json"
