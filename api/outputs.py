"""What comes out of the API: models of answers, as the document shows them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from access.audit.actions import ACTIONS
from data.flag_choice import FlagChoice
from jobs.job import Status

Time = Annotated[str, Field(description="ISO 8601 with Z or an offset.", examples=["2013-07-01T00:00:00Z"])]


class _Out(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_mode_override="serialization")


class AuditEntry(_Out):
    """Something that somebody did, or was refused."""

    number: int
    time: Time
    actor: Annotated[str, Field(description="A user's name, or embed:ID; empty where nobody is known.")]
    via: Annotated[str, Field(description="How we know: none, login, proxy, key, embed, ingest or command.")]
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
    without_data: Annotated[list[str], Field(description="Stations that have nothing of the sensors in the range.")] = []


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


class JobInquiry(_Out):
    """What a job of the kind analysis is asked of its request."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, serialize_by_alias=True)

    analysis: str
    start: Annotated[Time, Field(alias="from")]
    end: Annotated[Time, Field(alias="to")]
    options: dict[str, Any]
    flagged: bool
    flags: FlagChoice


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
    kind: Annotated[
        str,
        Field(
            description="history; workbook, netcdf: it writes the rows of its request to a file; analysis: it answers a "
            "question; picture: it draws one; report: it makes one."
        ),
    ]
    inquiry: JobInquiry | None
    flags: Annotated[
        FlagChoice | None,
        Field(description="Which flags of quality rules count in the file that the job writes; null: it writes none."),
    ]
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
    unchecked: Annotated[
        list[str], Field(description="Months (UTC) whose flags of rules are not made, so none of their readings is left out.")
    ]
    of: Annotated[str, Field(description="What they are of: the observations as stored, at whatever resolution the job is.")]
    series: list[SeriesStats]


class RowColumn(_Out):
    """A column of a table: a series."""

    station: str
    sensor: str
    unit: str


class TableRow(_Out):
    """A row: a time, and the value of each column at it."""

    time: Time
    local: Annotated[str, Field(description="As clocks of the zone show it, with their offset from UTC.")]
    values: list[float | None]
    flagged: Annotated[list[int], Field(description="Numbers of the columns whose value is flagged.")]


class TableRows(_Out):
    """A part of the rows of a window."""

    job: str
    start: Annotated[Time, Field(alias="from")]
    end: Annotated[Time, Field(alias="to")]
    zone: str
    resolution: str
    columns: list[RowColumn]
    offset: Annotated[int | None, Field(description="Number of the first row; null where `at` is not counted yet: ask again.")]
    total: Annotated[int | None, Field(description="How many rows there are; null until all are counted: ask again.")]
    counted: Annotated[int, Field(description="How many are counted so far.")]
    rows: list[TableRow]


class Figure(BaseModel):
    """A Plotly figure; numbers may be typed arrays, ``{"dtype", "bdata"}``."""

    data: list[dict[str, Any]]
    layout: Annotated[
        dict[str, Any],
        Field(
            description="Among it ``meta.complete``: false while the job loads, and when part of what is drawn has left the disk;"
            " ``meta.unchecked``: months (UTC) whose flags of rules are not made;"
            " ``meta.problems``: sentences about options that cannot be drawn;"
            " and ``meta.buckets``: what one point of each series stands for at this width (``raw``, ``10min``, ``7d`` …)."
        ),
    ]


class StationHistoryEntry(_Out):
    """What the sensor catalogue says of a station's past."""

    id: Annotated[str, Field(description="Equal for what says the same.")]
    station: str
    sensor: Annotated[str | None, Field(description="null: the station as a whole.")]
    start: Annotated[Time, Field(alias="from")]
    end: Annotated[Time | None, Field(alias="to", description="Exclusive; null: it is so until the next one.")]
    latitude: float | None
    longitude: float | None
    elevation: Annotated[float | None, Field(description="Metres above sea level.")]
    instrument: str
    text: str


class StationAnswer(_Out):
    """A station: what of it one may see, and where it stands."""

    station: str
    sensors: list[str]
    first: Annotated[Time | None, Field(description="Of its observations.")]
    last: Time | None
    rows: int
    step_seconds: Annotated[float | None, Field(description="Usual time between two observations.")]
    synthetic: bool
    latitude: Annotated[float | None, Field(description="Degrees north (WGS 84).", examples=[-6.17])]
    longitude: Annotated[float | None, Field(description="Degrees east.", examples=[106.83])]
    elevation: Annotated[float | None, Field(description="Metres above sea level.")]
    timezone: Annotated[str | None, Field(description="Its own, an IANA name.", examples=["Asia/Jakarta"])]
    history: list[StationHistoryEntry]


class StationStatusAnswer(_Out):
    """Whether a station reports as it usually does."""

    station: str
    state: Annotated[
        Literal["silent", "late", "on time", "no data"],
        Field(description="late: for more than two steps and a minute; silent: for more than ten steps, and an hour."),
    ]
    last: Annotated[Time | None, Field(description="Its last reading that one may see.")]
    age_seconds: Annotated[float | None, Field(description="Of it, at `now`.")]
    step_seconds: Annotated[float | None, Field(description="Usual time between two observations.")]


class StationStatusList(_Out):
    """Stations, the most troubled first: silent, late, on time, without data."""

    now: Annotated[Time, Field(description="The clock of the server.")]
    stations: list[StationStatusAnswer]


class VersionAnswer(_Out):
    """Whether anything of some stations has changed."""

    version: Annotated[str | None, Field(description="Another one after any change; null: not known yet, ask again.")]
    rows: Annotated[int | None, Field(description="How many observations the stations have.")]
    now: Annotated[Time, Field(description="The clock of the server.")]
    again_s: Annotated[float, Field(description="When to ask again.")]


class StationList(_Out):
    """Stations by name."""

    stations: list[StationAnswer]
