"""What comes out of the API of notes, as the document shows it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.outputs import StationHistoryEntry, Time, _Out


class NoteAnswer(_Out):
    """A note."""

    id: str
    owner: Annotated[str, Field(description="Who has written it.")]
    own: Annotated[bool, Field(description="Whether whoever asks may change it.")]
    removable: Annotated[bool, Field(description="Whether whoever asks may remove it.")]
    station: str
    sensor: Annotated[str | None, Field(description="null: the station as a whole.")]
    start: Annotated[Time, Field(alias="from")]
    end: Annotated[Time | None, Field(alias="to", description="Exclusive; null: it is about a moment.")]
    kind: Annotated[str, Field(description="event, maintenance or calibration.")]
    text: str
    shared: bool
    created: Time
    changed: Time


class NoteList(_Out):
    """Notes by time, and what is known of the stations' history there."""

    notes: list[NoteAnswer]
    more: Annotated[bool, Field(description="Whether later notes may be left out; ask for a time, a station, a sensor.")]
    history: list[StationHistoryEntry]
