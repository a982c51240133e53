"""What the menu of reports offers: periods around what is shown, each as PDF, HTML and Excel."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dash import html
from dash.development.base_component import Component

from i18n import gettext as _
from layouts import ids
from layouts.controls import workbook_link


@dataclass(frozen=True)
class ReportPeriod:
    """A period by its words, and the addresses of its report by the format's name."""

    words: str
    hrefs: Sequence[tuple[str, str]]


def report_entries(periods: Sequence[ReportPeriod]) -> list[Component]:
    """Return a line for each period: its words and a link for each format."""
    written = workbook_link(ids.ALERT)
    lines: list[Component] = []
    for period in periods:
        links = [html.A(name, href=href, **{**written, "aria-label": f"{period.words}: {name}"}) for name, href in period.hrefs]
        lines.append(html.Div([html.Span(period.words), *links], className="report-line"))
    return lines


def report_menu() -> html.Details:
    """Return the menu, empty until a chart is shown of which reports may be made."""
    name = html.Summary(_("Report"), className="btn btn-sm", title=_("Make a report of these stations and sensors"))
    words = {"data-words": json.dumps(_schedule_words()), "aria-haspopup": "dialog"}
    send = html.Button(_("Send by mail every month or week…"), type="button", id=ids.SCHEDULES_OPEN, **words)
    entries = html.Div([html.Div(id=ids.REPORT_LIST), send], className="menu-entries report-entries")
    return html.Details([name, entries], className="menu report-menu")


def _schedule_words() -> dict[str, Any]:
    """Return the words of the dialog of schedules."""
    return {
        "title": _("Send this report"),
        "about": _("A report of the stations and sensors that are shown, by mail, after the end of each month or week."),
        "noMail": _("This site cannot send mail yet. Ask whoever runs it to set up a mail server."),
        "to": _("Recipients"),
        "toHint": _("Mail addresses, with commas between them. All recipients see each other."),
        "noAddress": _("Give a mail address."),
        "name": _("Title (empty: the stations)"),
        "every": _("How often"),
        "everyHint": _("Two hours after the end of the period"),
        "rhythms": {"month": _("Monthly"), "week": _("Weekly")},
        "format": _("Format"),
        "formats": {"pdf": "PDF", "html": "HTML", "xlsx": "Excel"},
        "add": _("Send from now on"),
        "close": _("Close"),
        "list": _("Reports that are sent"),
        "next": _("Next: {time}"),
        "none": _("nothing sent yet"),
        "remove": _("Remove"),
        "sure": _("Remove for good"),
        "statuses": {
            "sent": _("sent"),
            "due": _("due"),
            "given up": _("given up"),
            "queued": _("queued"),
            "running": _("running"),
            "failed": _("failed"),
            "cancelled": _("cancelled"),
            "completed": _("made"),
        },
    }
