"""What goes into the API: models that check bodies and queries, and stand in the document."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from access.audit.actions import ACTIONS
from access.embeds.spec import THEMES
from access.notes.note import LONGEST_TEXT, NoteKind
from access.saved.saved_selection import LONGEST_NAME as LONGEST_VIEW_NAME
from access.saved.saved_selection import MOST_HIDDEN, Preset
from analysis.inquiry import TREND
from data.export.formats import FORMATS
from data.export.row_question import Flags
from data.file_columns import Units
from data.flag_choice import USUAL_FLAGS, FlagChoice
from data.time.resolution import RESOLUTIONS
from i18n import LANGUAGES
from jobs.job import Status
from reports.definition import MOST_EARLIER_YEARS, SectionName
from reports.inquiry import ReportFormat

LEAST_PX, DEFAULT_PX, MOST_PX = 50, 1200, 4000
LEAST_PICTURE_PX = 300  # a caption has room
MOST_RATIO = 4
LONGEST_NAME = 255  # characters of a station's or sensor's name
MOST_NAMES = 10_000
MOST_JOBS = 200  # of one page of the list
MOST_ROWS = 1_000  # of one part of a table
MOST_ENTRIES = 1_000  # of one page of the audit log

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
Switch = Annotated[bool, BeforeValidator(lambda value: _lower(value))]


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Query(BaseModel):
    """A query string may carry more than we know, as anything that proxies and clients add."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class _Selection(_In):
    stations: Annotated[list[Name], Field(min_length=1, max_length=MOST_NAMES, examples=[["JFK"]])]
    sensors: Annotated[list[Name], Field(min_length=1, max_length=MOST_NAMES, examples=[["temperature"]])]
    resolution: Annotated[str, Field(json_schema_extra={"enum": list(RESOLUTIONS)})] = "raw"


class NewJob(_Selection):
    """A history to load: stations × sensors × [start, end)."""

    start: GivenTime
    end: Annotated[GivenTime, Field(examples=["2013-08-01"])]
    timezone: Annotated[
        str | None,
        StringConstraints(max_length=64),
        Field(
            description="IANA name of the zone of the request; default: the stations' own where they share one, or the site's."
        ),
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
    flags: FlagsThatCount = USUAL_FLAGS


class DrawnQuery(StatsQuery):
    """A window, and what is drawn of it in which words."""

    width: Annotated[int, Field(description=f"Pixels to draw for; kept within {LEAST_PX} to {MOST_PX}.")] = DEFAULT_PX
    language: Annotated[Literal["en", "id"] | None, Field(description="Of its words; default: as the request's.")] = None
    view: Annotated[
        str,
        StringConstraints(max_length=64),
        Field(description="trend, or an analysis, whose options are further names of the query string."),
    ] = TREND

    @property
    def width_px(self) -> int:
        """Return the width to draw for, pixels of the page."""
        return min(max(self.width, LEAST_PX), MOST_PX)


class FigureQuery(DrawnQuery):
    """A window and how it is drawn."""

    notes: Annotated[
        Literal["all", "shared", "none"],
        Field(description="Which notes Trend shows: all that one may see, those that one may embed, or none."),
    ] = "all"
    ratio: Annotated[
        float,
        Field(
            allow_inf_nan=False,
            description=f"How many pixels of the screen each is wide, 1 to {MOST_RATIO}: a line has a column for each, "
            f"at most {MOST_PX}.",
        ),
    ] = 1.0
    height: Annotated[
        int | None, Field(description=f"Height of the figure in pixels, at most {MOST_PX}; default: what suits its panels.")
    ] = None
    theme: Annotated[Literal["light", "dark"], Field(description="Colours.")] = "light"

    @property
    def columns(self) -> int:
        """Return how many columns a line has: one for each pixel of the screen, up to the greatest
        width.
        """
        return min(round(self.width_px * min(max(self.ratio, 1), MOST_RATIO)), MOST_PX)


class PictureQuery(DrawnQuery):
    """A window as a picture, on white, as high as suits its panels."""

    format: Annotated[
        Literal["png", "svg", "pdf", "html"],
        Field(description="Of the file: png (twice as sharp as wide), svg, pdf, or html, which can be zoomed."),
        BeforeValidator(_lower),
    ] = "png"
    width: Annotated[int, Field(description=f"Pixels across; kept within {LEAST_PICTURE_PX} to {MOST_PX}.")] = DEFAULT_PX
    hidden: Annotated[
        Name | None,
        Field(description="A series that Trend leaves out, as STATION.sensor; may be repeated."),
    ] = None

    @property
    def width_px(self) -> int:
        """Return the width of the picture in pixels."""
        return min(max(self.width, LEAST_PICTURE_PX), MOST_PX)


PeriodName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=60),
    Field(description="2024-05, 2024, 2024-Q2, 2024-W23, or 2024-05-01..2024-06-15 (end excluded).", examples=["2013-05"]),
]
OfReport = Annotated[ReportFormat, BeforeValidator(_lower), Field(description="Of the file.")]


class NewReport(_In):
    """A report of stations × sensors over a period."""

    stations: Annotated[list[Name], Field(min_length=1, max_length=MOST_NAMES, examples=[["JFK"]])]
    sensors: Annotated[list[Name], Field(min_length=1, max_length=MOST_NAMES, examples=[["temperature"]])]
    period: PeriodName
    format: OfReport = "pdf"
    title: Annotated[str, StringConstraints(max_length=120)] = ""
    language: Annotated[Literal["en", "id"] | None, Field(description="Default: as the request's.")] = None
    timezone: Annotated[
        str | None, StringConstraints(max_length=64), Field(description="Default: the stations' own, or the site's.")
    ] = None
    flags: FlagsThatCount = USUAL_FLAGS
    sections: Annotated[list[SectionName] | None, Field(description="Default: all.")] = None
    earlier_years: Annotated[
        int | None, Field(ge=0, le=MOST_EARLIER_YEARS, description="Default: 30 for up to a month, else 10.")
    ] = None


class ReportQuery(_Query):
    """A report of a job's stations and sensors; of a job of a report nothing of it is looked at."""

    format: OfReport = "pdf"
    period: Annotated[PeriodName | None, Field(description="Default: the job's range.")] = None
    language: Annotated[Literal["en", "id"] | None, Field(description="Default: as the request's.")] = None
    flags: FlagsThatCount = USUAL_FLAGS


class DataQuery(WindowQuery):
    """A window and the format of its rows."""

    format: Annotated[
        str | None,
        Field(json_schema_extra={"enum": list(FORMATS)}, description="Default: csv; of a job that writes a file, that file's."),
        BeforeValidator(_lower),
    ] = None
    flags: Annotated[
        FlagChoice | None,
        Field(
            description="Which flags of quality rules count, as in stats; given, CSV, Parquet and Arrow files of "
            "observations end with a column flag. Default: hard, of a job that writes a file those of that file; without "
            "that column."
        ),
    ] = None
    units: Annotated[
        Units, Field(description="Where a CSV file names units: nowhere, in the columns' names, or in a row beneath them.")
    ] = "none"


class RowsQuery(WindowQuery):
    """A part of the rows of a window: which of them, in which order, and where it begins."""

    offset: Annotated[int, Field(ge=0, lt=2**53, description="Number of the first row, from 0.")] = 0
    limit: Annotated[int, Field(ge=1, le=MOST_ROWS, description="At most so many.")] = 100
    at: Annotated[
        str | None,
        StringConstraints(max_length=64),
        Field(description="Begin with the first row at or after this time (as from), instead of a number."),
    ] = None
    flags: FlagsThatCount = USUAL_FLAGS
    flagged: Annotated[
        Flags, Field(description="all: every value, as in the CSV file; hidden: those without a flag; only: rows with a flag.")
    ] = "all"
    where: Annotated[
        str,
        StringConstraints(max_length=200),
        Field(
            description="Rows that fit: a column, a comparison, a number; several joined by and.", examples=["temperature > 30"]
        ),
    ] = ""
    sort: Annotated[
        str,
        StringConstraints(max_length=2 * LONGEST_NAME),
        Field(description="time, or a column as in where; - before it: descending.", examples=["-temperature"]),
    ] = "time"


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


class NewEmbed(_Selection):
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
    options: Annotated[dict[Name, Name], Field(description="Options of the analysis, as texts (docs/analyses.md).")] = {}
    label: Annotated[str, StringConstraints(max_length=255), Field(description="Title; default: stations and sensors.")] = ""
    expires: Expires = None


class NewToken(_In):
    """An end of the token that is earlier than the embed's."""

    expires: Expires = None


class GivenViewRange(GivenRange):
    """A fixed range, the last hours or days until now, or a preset."""

    preset: Annotated[
        Preset | None,
        Field(description="Ends with the newest data of the stations and sensors; instead of from and to, or last."),
    ] = None


class GivenWindow(_In):
    """The part of a fixed range that is drawn."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    start: Annotated[GivenTime, Field(alias="from")]
    end: Annotated[GivenTime, Field(alias="to", examples=["2013-08-01"])]


ViewName = Annotated[str, StringConstraints(max_length=LONGEST_VIEW_NAME), Field(examples=["July heat"])]


class NewView(_Selection):
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
        dict[str, str], Field(description="Of that tab, as its address names them.", examples=[{"show": "mean"}])
    ] = {}
    hidden: Annotated[
        list[Name], Field(max_length=MOST_HIDDEN, description="Series that Trend does not show, as its address names them.")
    ] = []
    flagged: Annotated[bool, Field(description="Use flagged observations.")] = False
    shared: Annotated[bool, Field(description="There for all who may see its stations and sensors.")] = False
    home: Annotated[bool, Field(description="The plain address opens it.")] = False


class ViewChange(_In):
    """What is to be another way of a saved view; what is absent stays."""

    name: ViewName | None = None
    shared: bool | None = None
    home: bool | None = None


NoteText = Annotated[str, StringConstraints(max_length=2 * LONGEST_TEXT), Field(examples=["fog"])]
NoteZone = Annotated[
    str | None,
    StringConstraints(max_length=64),
    Field(description="IANA name of the zone of times without an offset; default: the station's, else the site's."),
]


class NotesQuery(_Query):
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


class NewNote(_In):
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


class NoteChange(_In):
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


class NewFormula(_In):
    """A formula to save."""

    name: Annotated[str, StringConstraints(max_length=200), Field(examples=["Dew point spread"])]
    formula: Annotated[
        str, StringConstraints(max_length=2_000), Field(examples=["temperature - dew_point(temperature, humidity)"])
    ]
    unit: Annotated[
        str, StringConstraints(max_length=100), Field(description="Of the result; empty for a plain number.", examples=["°C"])
    ] = ""

    def fields(self) -> dict[str, str]:
        """Return what :func:`access.formulas.own_formula.save_formula` takes."""
        return {"label": self.name, "formula": self.formula, "unit": self.unit}


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
