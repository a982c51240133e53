"""Which reports the page offers of what it shows: of the window, and of the month and the year in
which it ends.
"""

from __future__ import annotations

from urllib.parse import urlencode

from access.grants import Purpose
from data.request import HistoryRequest
from data.time.months import iso_utc
from errors import InvalidRequest
from figures.job_window import JobWindow
from i18n import local_time
from jobs.chromium import find_chromium
from jobs.services import Services
from layouts.report_menu import ReportPeriod
from reports.period import Period, read_period

_NAMES = (("pdf", "PDF"), ("html", "HTML"), ("xlsx", "Excel"))


def reports_of(services: Services, window: JobWindow) -> list[ReportPeriod]:
    """Return the periods whose report may be made, each with its addresses; without Chromium there
    is no PDF.
    """
    of = window.job.request
    formats = [each for each in _NAMES if each[0] != "pdf" or find_chromium(services.settings) is not None]
    found = []
    for words, period in _periods(of, window.span):
        start, end = period.span
        request = HistoryRequest(of.stations, of.sensors, start, end, "raw", of.timezone)
        if window.rights.allows(request, Purpose.EXPORT) and window.rights.floor(request, Purpose.EXPORT) in (None, "raw"):
            path = services.path(window.job.id, "report")
            queries = (
                (kind, urlencode({"format": kind, "period": period.name, "flags": window.site.flags})) for kind, _ in formats
            )
            hrefs = [(name, f"{path}?{query}") for (_kind, name), (_, query) in zip(formats, queries, strict=True)]
            found.append(ReportPeriod(words, hrefs))
    return found


def _periods(request: HistoryRequest, span: tuple[int, int]) -> list[tuple[str, Period]]:
    """Month and year in which a window ends, and the window itself, each with its words."""
    last, found = local_time(span[1] - 1, request.timezone), []
    window = f"{iso_utc(span[0])}..{iso_utc(span[1])}"
    for name in (f"{last:%Y-%m}", f"{last:%Y}", window):
        try:
            period = read_period(name, request.timezone)
        except InvalidRequest:  # at the ends of the calendar
            continue
        found.append((period.title, period))
    return found
