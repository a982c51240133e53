"""What goes into the API of embedded charts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from access.embeds.spec import THEMES
from analysis.inquiry import TREND
from api.inputs import GivenBody, GivenRange, GivenSelection, Name
from i18n import LANGUAGES

Expires = Annotated[
    str | None, StringConstraints(max_length=64), Field(description="ISO 8601; without it the link does not expire.")
]


class NewEmbed(GivenSelection):
    """A chart for another page."""

    range: GivenRange
    origin: Annotated[
        str,
        StringConstraints(max_length=255),
        Field(description="The one origin (scheme, name, other port) whose pages may show the chart."),
    ]
    theme: Annotated[str, Field(json_schema_extra={"enum": list(THEMES)}, description="auto: as the viewer's system.")] = "auto"
    language: Annotated[str, Field(json_schema_extra={"enum": list(LANGUAGES)})] = "en"
    controls: Annotated[
        bool, Field(description="Buttons for the whole range, the picture and, where its owner may export, the rows.")
    ] = True
    transparent: Annotated[bool, Field(description="Without a ground of its own.")] = False
    notes: Annotated[bool, Field(description="Trend shows the shared notes on its series that its maker may embed.")] = False
    refresh: Annotated[int, Field(description="Seconds after which a rolling chart looks for newer data.")] = 300
    view: Annotated[str, StringConstraints(max_length=64), Field(description="trend, or an analysis.")] = TREND
    options: Annotated[dict[Name, Name], Field(default={}, description="Options of the analysis, as texts (docs/analyses.md).")]
    label: Annotated[str, StringConstraints(max_length=255), Field(description="Title; default: stations and sensors.")] = ""
    expires: Expires = None


class NewToken(GivenBody):
    """An end of the token that is earlier than the embed's."""

    expires: Expires = None
