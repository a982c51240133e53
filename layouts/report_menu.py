"""What the menu of reports offers: periods around what is shown, each as PDF, HTML and Excel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    return html.Details(
        [name, html.Div(id=ids.REPORT_LIST, className="menu-entries report-entries")], className="menu report-menu"
    )
