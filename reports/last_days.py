"""Until when the days reach that begin in a month: one that begins at 07:00 on its last date ends
in the next month, and is read as well where it is granted.
"""

from __future__ import annotations

from dataclasses import replace

from access.grants import Purpose, Rights
from data.catalogue import Catalogue
from data.request import HistoryRequest
from data.time.buckets import BY_NAME, bucket_bounds
from reports.definition import ReportDefinition
from reports.period import Period


def with_last_days(
    request: HistoryRequest, definition: ReportDefinition, period: Period, catalogue: Catalogue, rights: Rights
) -> HistoryRequest:
    """Return a request of a period, or of its dates in another year, with the rest of the days that
    begin in it; itself where no section needs that, or it is not granted.
    """
    reaching = replace(request, end_ms=last_days_end(request, definition, period, catalogue))
    return reaching if rights.allows(reaching, Purpose.EXPORT) else request


def last_days_end(request: HistoryRequest, definition: ReportDefinition, period: Period, catalogue: Catalogue) -> int:
    """Return when the last of the days ends that a report reads of a request, int ms UTC: of those
    that begin in it where a section asks for them, else where the request ends.
    """
    if not (period.is_month and "climat" in definition.sections):
        return request.end_ms
    return max(last_day_end(request, catalogue[name].day_start_min) for name in request.sensors)


def last_day_end(request: HistoryRequest, day_start_min: int) -> int:
    """Return when the last day ends that begins in a request, int ms UTC; days begin some minutes
    after midnight.
    """
    return bucket_bounds(BY_NAME["1d"], request.end_ms - 1, request.end_ms, request.timezone, day_start_min)[1]
