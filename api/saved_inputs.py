"""What goes into the API of saved views."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from access.saved.saved_selection import LONGEST_NAME as LONGEST_VIEW_NAME
from access.saved.saved_selection import MOST_HIDDEN, Preset
from api.inputs import GivenBody, GivenRange, GivenSelection, GivenTime, Name


class GivenViewRange(GivenRange):
    """A fixed range, the last hours or days until now, or a preset."""

    preset: Annotated[
        Preset | None,
        Field(description="Ends with the newest data of the stations and sensors; instead of from and to, or last."),
    ] = None


class GivenWindow(GivenBody):
    """The part of a fixed range that is drawn."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    start: Annotated[GivenTime, Field(alias="from")]
    end: Annotated[GivenTime, Field(alias="to", examples=["2013-08-01"])]


ViewName = Annotated[str, StringConstraints(max_length=LONGEST_VIEW_NAME), Field(examples=["July heat"])]


class NewView(GivenSelection):
    """A view to save: series, range, and how they are looked at."""

    name: ViewName
    range: GivenViewRange
    timezone: Annotated[
        str | None,
        StringConstraints(max_length=64),
        Field(description="IANA name of the zone; default: the stations' own, else the site's."),
    ] = None
    window: GivenWindow | None = None
    view: Annotated[str, StringConstraints(max_length=40), Field(description="A tab of the page.", examples=["calendar"])] = (
        "trend"
    )
    options: Annotated[
        dict[str, str], Field(default={}, description="Of that tab, as its address names them.", examples=[{"show": "mean"}])
    ]
    hidden: Annotated[
        list[Name],
        Field(default=[], max_length=MOST_HIDDEN, description="Series that Trend does not show, as its address names them."),
    ]
    flagged: Annotated[bool, Field(description="Use flagged observations.")] = False
    shared: Annotated[bool, Field(description="There for all who may see its stations and sensors.")] = False
    home: Annotated[bool, Field(description="The plain address opens it.")] = False


class ViewChange(GivenBody):
    """What is to be another way of a saved view; what is absent stays."""

    name: ViewName | None = None
    shared: bool | None = None
    home: bool | None = None
