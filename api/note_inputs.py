"""What goes into the API of notes."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from access.notes.note import LONGEST_TEXT, NoteKind
from api.inputs import GivenBody, GivenQuery, GivenTime, Name

NoteText = Annotated[str, StringConstraints(max_length=2 * LONGEST_TEXT), Field(examples=["fog"])]
NoteZone = Annotated[
    str | None,
    StringConstraints(max_length=64),
    Field(description="IANA name of the zone of times without an offset; default: the station's, else the site's."),
]


class NotesQuery(GivenQuery):
    """Which notes: of a job's series and range, or of any that one may see."""

    job: Annotated[
        str | None, StringConstraints(max_length=64), Field(description="Of the series and the range of this job.")
    ] = None
    station: Annotated[Name | None, Field(description="Only of this station, its sensors included.")] = None
    sensor: Annotated[Name | None, Field(description="Only of this sensor, and of stations as a whole.")] = None
    start: Annotated[
        str | None, StringConstraints(max_length=64), Field(alias="from", description="Only what touches the time from here on.")
    ] = None
    end: Annotated[str | None, StringConstraints(max_length=64), Field(alias="to", description="Only what begins before.")] = None
    timezone: NoteZone = None


class NewNote(GivenBody):
    """A note to write."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    station: Annotated[Name, Field(examples=["JFK"])]
    sensor: Annotated[Name | None, Field(description="null: the station as a whole.", examples=["temperature"])] = None
    start: Annotated[GivenTime, Field(alias="from")]
    end: Annotated[GivenTime | None, Field(alias="to", description="The end of a span; null: it is about a moment.")] = None
    kind: NoteKind = "event"
    text: NoteText
    shared: Annotated[bool, Field(description="There for all who may see the sensor, or the station, at that time.")] = False
    timezone: NoteZone = None


class NoteChange(GivenBody):
    """What is to be another way of a note; what is absent stays."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    station: Name | None = None
    sensor: Name | None = None
    start: Annotated[GivenTime | None, Field(alias="from")] = None
    end: Annotated[GivenTime | None, Field(alias="to", description="null makes it a note about a moment.")] = None
    kind: NoteKind | None = None
    text: NoteText | None = None
    shared: bool | None = None
    timezone: NoteZone = None
