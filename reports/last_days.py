"""Which days begin in a period, and until when they reach: one that begins at 07:00 on its last
date ends after it, and is read as well where it is granted.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from typing import Final

from access.grants import Purpose, Rights
from data.catalogue import Catalogue
from data.request import HistoryRequest
from data.time.buckets import BY_NAME, bucket_bounds, bucket_edges
from reports.definition import ReportDefinition, SectionName
from reports.period import MOST_DAYS, Period

Sections = Container[SectionName]

OF_DAYS: Final[Sections] = ("climat", "daily", "rain")  # sections of whole days
OF_EARLIER_DAYS: Final[Sections] = ("climat",)  # those that look at the days of earlier years


def with_last_days(
    request: HistoryRequest,
    definition: ReportDefinition,
    period: Period,
    catalogue: Catalogue,
    rights: Rights,
    of: Sections = OF_DAYS,
) -> HistoryRequest:
    """Return a request of a period, or of its dates in another year, with the rest of the days that
    begin in it; itself where no section among ``of`` needs that, or it is not granted.
    """
    reaching = replace(request, end_ms=last_days_end(request, definition, period, catalogue, of))
    return reaching if rights.allows(reaching, Purpose.EXPORT) else request


def last_days_end(
    request: HistoryRequest, definition: ReportDefinition, period: Period, catalogue: Catalogue, of: Sections = OF_DAYS
) -> int:
    """Return when the last of the days ends that a report reads of a request, int ms UTC: of those
    that begin in it where a section asks for them, else where the request ends.
    """
    needed = {"climat": period.is_month, "daily": period.is_of_dates and period.days <= MOST_DAYS, "rain": period.is_of_dates}
    if not any(needed.get(name) and name in of for name in definition.sections):
        return request.end_ms
    return max(last_day_end(request, catalogue[name].day_start_min) for name in request.sensors)


def first_day_start(request: HistoryRequest, day_start_min: int) -> int:
    """Return when the first day begins that begins in a request, int ms UTC."""
    first, *others = bucket_edges(BY_NAME["1d"], request.start_ms, request.end_ms, request.timezone, day_start_min).tolist()
    return first if first >= request.start_ms else int(others[0])


def last_day_end(request: HistoryRequest, day_start_min: int) -> int:
    """Return when the last day ends that begins in a request, int ms UTC; days begin some minutes
    after midnight.
    """
    return bucket_bounds(BY_NAME["1d"], request.end_ms - 1, request.end_ms, request.timezone, day_start_min)[1]
