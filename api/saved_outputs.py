"""What comes out of the API of saved views, as the document shows it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.embed_outputs import EmbedRange
from api.outputs import Time, _Out


class SavedRange(EmbedRange):
    """Which range a saved view shows: fixed, the last hours or days until now, or a preset."""

    preset: Annotated[str | None, Field(description="Ends with the newest data.", examples=["30d"])]


class SavedWindow(_Out):
    """The part of a fixed range that is drawn."""

    start: Annotated[Time, Field(alias="from")]
    end: Annotated[Time, Field(alias="to")]


class SavedViewAnswer(_Out):
    """A saved view."""

    id: str
    owner: str
    name: str
    stations: list[str]
    sensors: list[str]
    range: SavedRange
    window: SavedWindow | None
    resolution: str
    timezone: str
    view: str
    options: dict[str, str]
    hidden: Annotated[list[str], Field(description="Series that Trend does not show, as its address names them.")]
    flagged: Annotated[bool, Field(description="Whether flagged observations are used.")]
    shared: bool
    home: Annotated[bool, Field(description="Whether the plain address opens it; false of other users' views.")]
    created: Time
    changed: Time
    page: Annotated[str, Field(description="The address that opens it.")]


class SavedViewList(_Out):
    """Saved views: one's own, then those that others share, by name."""

    views: list[SavedViewAnswer]
