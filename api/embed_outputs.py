"""Answers about embedded charts, as the document shows them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.outputs import JobRequest, Time, _Out


class EmbedRange(_Out):
    """Which range an embedded chart shows: from and to, or the last hours or days."""

    start: Annotated[Time | None, Field(alias="from")]
    end: Annotated[Time | None, Field(alias="to")]
    last: Annotated[str | None, Field(examples=["7d"])]


class _Look(_Out):
    """How an embedded chart is drawn."""

    theme: str
    language: str
    controls: bool
    transparent: bool
    notes: Annotated[bool, Field(description="Whether Trend shows shared notes.")]
    refresh: Annotated[int, Field(description="Seconds after which a rolling chart looks for newer data.")]
    view: Annotated[str, Field(description="trend, or an analysis.")]
    options: Annotated[dict[str, str], Field(description="Options of the analysis.")]


class EmbedAnswer(_Look):
    """An embedded chart, as its owner sees it."""

    id: Annotated[str, Field(description="Public; in the address of the frame.")]
    owner: str
    label: str
    stations: list[str]
    sensors: list[str]
    range: EmbedRange
    resolution: str
    timezone: str
    origin: str
    state: Annotated[str, Field(json_schema_extra={"enum": ["live", "expired", "revoked", "unreadable"]})]
    created: Time
    expires: Time | None
    revoked: Time | None


class EmbedLink(_Out):
    """What opens an embedded chart; shown only now."""

    id: str
    url: Annotated[str, Field(description="Address of the frame, with the token in its fragment.")]
    token: str
    iframe: Annotated[str, Field(description="The line of HTML for the page around it.")]


class EmbedList(_Out):
    """Embedded charts, newest first."""

    embeds: list[EmbedAnswer]


class EmbedView(_Look):
    """What the frame of an embedded chart draws now."""

    id: str
    title: str
    rolling: Annotated[bool, Field(description="Whether its range ends now.")]
    request: JobRequest
    span: Annotated[
        dict[str, int] | None,
        Field(description="start and end (ms UTC) of what is shown, where the view looks back on what was before; else null."),
    ]
    may_export: Annotated[bool, Field(description="Whether its rows may be downloaded.")]
