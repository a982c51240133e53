"""What a job of a report is asked, beside its request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from errors import InvalidRequest
from reports.definition import ReportDefinition, definition_of_json
from reports.period import Period, read_period

ReportFormat = Literal["html", "pdf", "xlsx"]
REPORT_FORMATS: Final[tuple[ReportFormat, ...]] = get_args(ReportFormat)
REPORT_TYPES: Final[Mapping[ReportFormat, str]] = {
    "html": "text/html",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True)
class ReportInquiry:
    """A definition, the name of a period, and a format; ``schedule`` is the one whose report is
    to be delivered, empty where it is fetched. Equal questions are equal objects.
    """

    definition: ReportDefinition
    period: str
    format: ReportFormat
    schedule: str = ""

    @property
    def named_period(self) -> Period:
        """The period, on the clock of the definition's zone."""
        return read_period(self.period, self.definition.timezone)

    def to_json(self) -> str:
        """JSON with sorted keys; :meth:`from_json` is the inverse."""
        told = {"definition": json.loads(self.definition.to_json()), "period": self.period, "format": self.format}
        return json.dumps(told | ({"schedule": self.schedule} if self.schedule else {}), sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> ReportInquiry:
        """The inquiry that :meth:`to_json` wrote."""
        told = json.loads(text)
        definition = definition_of_json(json.dumps(told["definition"]))
        return cls(definition, told["period"], read_report_format(told["format"]), told.get("schedule", ""))


def read_report_format(text: str) -> ReportFormat:
    """Return the format of a name.

    Raises:
        InvalidRequest: there is none.
    """
    for known in REPORT_FORMATS:
        if text.lower() == known:
            return known
    raise InvalidRequest(
        "There is no {name} {value}; use {known}.",
        field="format",
        name="format",
        value=repr(text)[:40],
        known=", ".join(REPORT_FORMATS),
    )
