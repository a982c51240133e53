"""What goes into the API of a job's rows: a window, and what is asked of its readings."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints

from api.inputs import LONGEST_NAME, FlagsThatCount, GivenQuery, Switch, WindowTime, lower_case
from data.export.formats import FORMATS
from data.export.row_question import Flags
from data.file_columns import Units
from data.flag_choice import USUAL_FLAGS, FlagChoice

MOST_ROWS = 1_000  # of one part of a table


class WindowQuery(GivenQuery):
    """A window of a job: [from, to)."""

    start: Annotated[WindowTime, Field(alias="from")] = None
    end: Annotated[WindowTime, Field(alias="to")] = None


class StatsQuery(WindowQuery):
    """A window, with or without what is flagged."""

    flagged: Annotated[Switch, Field(description="Include flagged observations.")] = False
    flags: FlagsThatCount = USUAL_FLAGS


class DataQuery(WindowQuery):
    """A window and the format of its rows."""

    format: Annotated[
        str | None,
        Field(json_schema_extra={"enum": list(FORMATS)}, description="Default: csv; of a job that writes a file, that file's."),
        BeforeValidator(lower_case),
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
