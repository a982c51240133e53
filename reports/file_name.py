"""What the file of a report is called."""

from __future__ import annotations

from data.request import HistoryRequest
from figures.words import file_name


def report_file_name(request: HistoryRequest, form: str) -> str:
    """Return the name of the file of a report in a format, with its ending."""
    return f"{file_name(request.stations, ['report'], request.start_ms, request.end_ms, request.timezone)}.{form}"
