"""What goes into the API of reports: of which stations, sensors and period, and which file; how
often, and to whom.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from access.schedules.report_schedule import MOST_RECIPIENTS
from api.inputs import MOST_NAMES, FlagsThatCount, GivenBody, GivenQuery, Name, lower_case
from data.flag_choice import USUAL_FLAGS
from reports.definition import MOST_EARLIER_YEARS, SectionName
from reports.inquiry import ReportFormat
from reports.period import Every

PeriodName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=60),
    Field(description="2024-05, 2024, 2024-Q2, 2024-W23, or 2024-05-01..2024-06-15 (end excluded).", examples=["2013-05"]),
]
OfReport = Annotated[ReportFormat, BeforeValidator(lower_case), Field(description="Of the file.")]


class GivenDefinition(GivenBody):
    """What a report is made of, whatever its period."""

    stations: Annotated[list[Name], Field(min_length=1, max_length=MOST_NAMES, examples=[["JFK"]])]
    sensors: Annotated[list[Name], Field(min_length=1, max_length=MOST_NAMES, examples=[["temperature"]])]
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


class NewReport(GivenDefinition):
    """A report of stations × sensors over a period."""

    period: PeriodName


class NewSchedule(GivenDefinition):
    """A report that is made and sent by mail by itself, from the next whole month or week on."""

    every: Every = "month"
    to: Annotated[
        list[Annotated[str, StringConstraints(max_length=320)]],
        Field(min_length=1, max_length=MOST_RECIPIENTS, description="Mail addresses.", examples=[["head@example.org"]]),
    ]


class ReportQuery(GivenQuery):
    """A report of a job's stations and sensors; of a job of a report nothing of it is looked at."""

    format: OfReport = "pdf"
    period: Annotated[PeriodName | None, Field(description="Default: the job's range.")] = None
    language: Annotated[Literal["en", "id"] | None, Field(description="Default: as the request's.")] = None
    flags: FlagsThatCount = USUAL_FLAGS
