"""What comes out of the API of schedules of reports, as the document shows it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.outputs import Time, _Out
from reports.inquiry import ReportFormat
from reports.period import Every


class SchedulePeriod(_Out):
    """A month or week whose report was due."""

    period: Annotated[str, Field(examples=["2024-05"])]
    status: Annotated[str, Field(description="due, sent, given up, or that of its job.")]
    sent: Time | None
    job: str | None
    note: Annotated[str, Field(description="Why it is not sent yet.")]


class ScheduleAnswer(_Out):
    """A report that is sent by itself."""

    id: str
    name: str
    owner: str
    every: Every
    format: ReportFormat
    to: Annotated[list[str], Field(description="Mail addresses, and a folder that the command line gave.")]
    next: Annotated[Time, Field(description="When the next report is due.")]
    periods: Annotated[list[SchedulePeriod], Field(description="The latest, newest first.")]
    stations: list[str]
    sensors: list[str]
    timezone: str
    language: str


class ScheduleList(_Out):
    """Schedules by name."""

    mail: Annotated[bool, Field(description="Whether this site can send mail.")]
    schedules: list[ScheduleAnswer]
