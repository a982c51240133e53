"""What goes into the API and what comes out, as models: bodies and queries are checked by them, the document shows them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from access.actions import ACTIONS
from access.shown import THEMES
from data.export import FORMATS
from data.request import RESOLUTIONS
from i18n import LANGUAGES
from jobs.job import Status

LEAST_PX, DEFAULT_PX, MOST_PX = 50, 1200, 4000
LONGEST_NAME = 255  # characters of a station's or sensor's name
MOST_NAMES = 10_000
MOST_JOBS = 200  # of one page of the list
MOST_ENTRIES = 1_000  # of one page of the audit log

Name = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME, pattern=r"^[^\u0000]*$")]
Time = Annotated[str, Field(description="ISO 8601 with Z or an offset.", examples=["2013-07-01T00:00:00Z"])]
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
Switch = Annotated[bool, BeforeValidator(lambda value: _lower(value))]


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Query(BaseModel):
    """A query string may carry more than we know, as anything that proxies and clients add."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class _Out(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_mode_override="serialization")


class NewJob(_In):
    """A history to load: stations × sensors × [start, end)."""

    stations: Annotated[list[Name], Field(min_length=1, max_length=MOST_NAMES, examples=[["JFK"]])]
    sensors: Annotated[list[Name], Field(min_length=1, max_length=MOST_NAMES, examples=[["temperature"]])]
    start: GivenTime
    end: Annotated[GivenTime, Field(examples=["2013-08-01"])]
    resolution: Annotated[str, Field(json_schema_extra={"enum": list(RESOLUTIONS)})] = "raw"
    timezone: Annotated[
        str | None,
        StringConstraints(max_length=64),
        Field(description="IANA name of the zone of the request; default: the site's."),
    ] = None


class JobsQuery(_Query):
    """Which jobs."""

    status: Annotated[Status | None, Field(description="Only jobs of this status.")] = None
    limit: Annotated[int, Field(ge=1, le=MOST_JOBS, description="At most so many.")] = 50
    before: Annotated[str | None, Field(description="Only jobs that are older than the job of this id.")] = None
    all: Annotated[Switch, Field(description="Everybody's jobs; administrators only.")] = False


class WindowQuery(_Query):
    """A window of a job: [from, to)."""

    start: Annotated[WindowTime, Field(alias="from")] = None
    end: Annotated[WindowTime, Field(alias="to")] = None


class StatsQuery(WindowQuery):
    """A window, with or without what is flagged."""

    flagged: Annotated[Switch, Field(description="Include flagged observations.")] = False


class FigureQuery(StatsQuery):
    """A window and how it is drawn."""

    width: Annotated[int, Field(description=f"Pixels to draw for; kept within {LEAST_PX} to {MOST_PX}.")] = DEFAULT_PX
    height: Annotated[
        int | None, Field(description=f"Height of the figure in pixels, at most {MOST_PX}; default: what suits its panels.")
    ] = None
    theme: Annotated[Literal["light", "dark"], Field(description="Colours.")] = "light"
    language: Annotated[Literal["en", "id"] | None, Field(description="Of its words; default: as the request's.")] = None


class DataQuery(WindowQuery):
    """A window and the format of its rows."""

    format: Annotated[
        str | None,
        Field(json_schema_extra={"enum": list(FORMATS)}, description="Default: csv; of a workbook's job xlsx."),
        BeforeValidator(_lower),
    ] = None


class GivenRange(_In):
    """A fixed range, from and to, or the last hours or days."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    start: Annotated[GivenTime | None, Field(alias="from")] = None
    end: Annotated[GivenTime | None, Field(alias="to", examples=["2013-08-01"])] = None
    last: Annotated[
        str | None,
        StringConstraints(max_length=8),
        Field(description="Hours or days that end now, such as 24h or 7d; instead of from and to.", examples=["7d"]),
    ] = None


Expires = Annotated[
    str | None, StringConstraints(max_length=64), Field(description="ISO 8601; without it the link does not expire.")
]


class NewEmbed(_In):
    """A chart for another page."""

    stations: Annotated[list[Name], Field(min_length=1, max_length=MOST_NAMES, examples=[["JFK"]])]
    sensors: Annotated[list[Name], Field(min_length=1, max_length=MOST_NAMES, examples=[["temperature"]])]
    range: GivenRange
    origin: Annotated[
        str,
        StringConstraints(max_length=255),
        Field(description="The one origin (scheme, name, other port) whose pages may show the chart."),
    ]
    resolution: Annotated[str, Field(json_schema_extra={"enum": list(RESOLUTIONS)})] = "raw"
    theme: Annotated[str, Field(json_schema_extra={"enum": list(THEMES)}, description="auto: as the viewer's system.")] = "auto"
    language: Annotated[str, Field(json_schema_extra={"enum": list(LANGUAGES)})] = "en"
    controls: Annotated[
        bool, Field(description="Buttons for the whole range, the picture and, where its owner may export, the rows.")
    ] = True
    transparent: Annotated[bool, Field(description="Without a ground of its own.")] = False
    refresh: Annotated[int, Field(description="Seconds after which a rolling chart looks for newer data.")] = 300
    label: Annotated[str, StringConstraints(max_length=255), Field(description="Title; default: stations and sensors.")] = ""
    expires: Expires = None


class NewToken(_In):
    """An end of the token that is earlier than the embed's."""

    expires: Expires = None


class AuditQuery(_Query):
    """Which entries of the audit log, and as what."""

    actor: Annotated[Name | None, Field(description="Only what this user did, or embed:ID.")] = None
    action: Annotated[str | None, Field(json_schema_extra={"enum": list(ACTIONS)}, description="Only what was this.")] = None
    start: Annotated[
        str | None,
        StringConstraints(max_length=64),
        Field(alias="from", description="From this time on: ISO 8601, without an offset in the site's zone."),
    ] = None
    end: Annotated[str | None, StringConstraints(max_length=64), Field(alias="to", description="Before this time: as from.")] = (
        None
    )
    limit: Annotated[int, Field(ge=1, le=MOST_ENTRIES, description="At most so many; a file has all.")] = 100
    before: Annotated[int | None, Field(ge=0, lt=2**63, description="Only entries older than the one of this number.")] = None
    format: Annotated[Literal["json", "csv"], Field(description="A page as JSON, or all entries as a file.")] = "json"


class AuditEntry(_Out):
    """Something that somebody did, or was refused."""

    number: int
    time: Time
    actor: Annotated[str, Field(description="A user's name, or embed:ID; empty where nobody is known.")]
    via: Annotated[str, Field(description="How we know: none, login, proxy, key, embed or command.")]
    address: Annotated[str, Field(description="The address that it came from; empty for a command.")]
    action: Annotated[str, Field(json_schema_extra={"enum": list(ACTIONS)})]
    outcome: Literal["done", "refused"]
    subject: Annotated[dict[str, Any], Field(description="What it was about; its fields are those of the action.")]


class AuditList(_Out):
    """Entries, newest first."""

    entries: list[AuditEntry]
    next: Annotated[str | None, Field(description="Path of the next page; null when there is none.")]


class ErrorBody(_Out):
    """Why not."""

    code: Annotated[str, Field(description="Stable; for programs.", examples=["invalid_request"])]
    message: Annotated[str, Field(description="For people, in the language of Accept-Language where we have it.")]
    field: Annotated[str | None, Field(description="The field or parameter that is wrong.")]


class Error(_Out):
    """The one shape of errors."""

    error: ErrorBody


class Links(_Out):
    """Paths of what a job gives and what can be done with it."""

    self: str
    events: str
    figure: str
    stats: str
    data: str
    cancel: str
    retry: str
    page: Annotated[str, Field(description="The job on the page.")]


class JobReceipt(_Out):
    """A job that was accepted, or changed as it was told."""

    id: str
    status: Status
    queue: str
    position: Annotated[int | None, Field(description="Place in the line of its queue, 1 = next; null when it does not wait.")]
    links: Links


class JobRequest(_Out):
    """What was asked for."""

    stations: list[str]
    sensors: list[str]
    start: Time
    end: Time
    resolution: str
    timezone: str


class JobProgress(_Out):
    """How far it is."""

    fraction: Annotated[float, Field(ge=0, le=1)]
    tiles_done: int
    tiles_total: int
    rows: Annotated[int, Field(description="Observations × sensors that have been read.")]
    rows_total: int
    station: str | None
    month: Annotated[str | None, Field(description="The UTC month that is being read.", examples=["2013-07"])]
    seconds_left: float | None


class JobFailure(_Out):
    """Why the last attempt failed."""

    code: str
    message: str


class JobAnswer(_Out):
    """A job, as the ledger knows it."""

    id: str
    status: Status
    queue: str
    owner: str
    kind: Annotated[str, Field(description="history, or workbook: it writes the rows of its request as xlsx.")]
    request: JobRequest
    progress: JobProgress | None
    version: Annotated[int, Field(description="Grows with each progress and change of status.")]
    created: Time
    started: Time | None
    finished: Time | None
    attempts: int
    failures: int
    tries: int
    error: JobFailure | None
    metrics: dict[str, float]
    position: int | None
    links: Links


class JobList(_Out):
    """Jobs, newest first."""

    jobs: list[JobAnswer]
    next: Annotated[str | None, Field(description="Path of the next page; null when there is none.")]


class SeriesStats(_Out):
    """Exact statistics of a series, over all its rows in the window; null where there is none."""

    station: str
    sensor: str
    unit: str
    rows: int
    flagged: int
    completeness: Annotated[float | None, Field(description="0 to 1, against the usual interval.")]
    min: float | None
    min_time: Time | None
    max: float | None
    max_time: Time | None
    mean: Annotated[float | None, Field(description="Of directions: of the mean of their unit vectors.")]
    sum: float | None
    last: float | None
    last_time: Time | None


class Stats(_Out):
    """Statistics of a window."""

    job: str
    start: Annotated[Time, Field(alias="from")]
    end: Annotated[Time, Field(alias="to")]
    complete: Annotated[bool, Field(description="False while the job loads, and when part of its rows has left the disk.")]
    series: list[SeriesStats]


class Figure(BaseModel):
    """A Plotly figure; numbers may be typed arrays, ``{"dtype", "bdata"}``, which plotly.js reads."""

    data: list[dict[str, Any]]
    layout: Annotated[
        dict[str, Any],
        Field(
            description="Among it ``meta.complete``: false while the job loads, and when part of what is drawn has left the disk."
        ),
    ]


class EmbedRange(_Out):
    """Which range an embedded chart shows: from and to, or the last hours or days."""

    start: Annotated[Time | None, Field(alias="from")]
    end: Annotated[Time | None, Field(alias="to")]
    last: Annotated[str | None, Field(examples=["7d"])]


class EmbedAnswer(_Out):
    """An embedded chart, as its owner sees it."""

    id: Annotated[str, Field(description="Public; in the address of the frame.")]
    owner: str
    label: str
    stations: list[str]
    sensors: list[str]
    range: EmbedRange
    resolution: str
    timezone: str
    theme: str
    language: str
    controls: bool
    transparent: bool
    refresh: int
    origin: str
    state: Annotated[str, Field(json_schema_extra={"enum": ["live", "expired", "revoked"]})]
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


class EmbedView(_Out):
    """What the frame of an embedded chart draws now."""

    id: str
    title: str
    language: str
    theme: str
    controls: bool
    transparent: bool
    rolling: Annotated[bool, Field(description="Whether its range ends now.")]
    refresh: Annotated[int, Field(description="Seconds after which a rolling chart looks for newer data.")]
    request: JobRequest
    may_export: Annotated[bool, Field(description="Whether its rows may be downloaded.")]
