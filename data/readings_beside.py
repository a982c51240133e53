"""What must be loaded besides a request's own months, for the decisions about its series: months
around it from which readings are shifted into it, and series that fill it (docs/decisions/0041).
"""

from __future__ import annotations

from collections.abc import Iterator

from data.flag_layer import flag_layer
from data.flags_missing import months_with_flags
from data.load_plan import Plan, plan
from data.request import HistoryRequest
from data.site import Site
from data.tiles.series import SeriesKey
from data.time.epoch import EARLIEST_MS, LATEST_MS
from data.time.months import month_start_ms
from errors import NoData, UnknownSensor, UnknownStation

_JOINED_MONTHS = 12  # apart at most: each request is planned by itself, which takes 4 ms


def requests_beside(site: Site, request: HistoryRequest) -> list[HistoryRequest]:
    """Return requests for whole months of what decisions need, one for each run of months without
    a gap of a year; none where nobody decided so.
    """
    wanted = months_with_flags(request)
    needed: dict[SeriesKey, set[int]] = {}
    for series in request.series:
        layer = flag_layer(site, *series) if site.decisions(*series) else None
        if layer is None:
            continue
        for month in wanted:
            for key, months in layer.reads(layer.reach.of(month)):
                is_own = (key.station, key.sensor) in request.series
                needed.setdefault(key, set()).update(each for each in months if not is_own or each not in wanted)
    return [_request(key, run) for key, months in needed.items() for run in _runs(months)]


def plan_beside(site: Site, request: HistoryRequest, *, synced: bool = False) -> Plan | None:
    """Return what one of :func:`requests_beside` lacks (:func:`data.load_plan.plan`); None where
    nothing is known of it, as of a station that is there no more.
    """
    try:
        return plan(site, request, synced=synced)
    except (NoData, UnknownSensor, UnknownStation):
        return None


def rows_beside(site: Site, request: HistoryRequest) -> int:
    """Return how many rows of :func:`requests_beside` must be read, one at least where it is not
    known whether there are new ones.
    """
    plans = (plan_beside(site, one) for one in requests_beside(site, request))
    return sum(planned.rows_missing + planned.sync_due for planned in plans if planned is not None)


def _runs(months: set[int]) -> Iterator[range]:
    """Yield runs of months that have no gap of a year or more."""
    ordered = sorted(months)
    starts = [at for at, month in enumerate(ordered) if not at or month - ordered[at - 1] > _JOINED_MONTHS]
    stops = [*starts[1:], len(ordered)] if starts else []
    for start, stop in zip(starts, stops, strict=True):
        yield range(ordered[start], ordered[stop - 1] + 1)


def _request(key: SeriesKey, months: range) -> HistoryRequest:
    start, end = month_start_ms(months.start), month_start_ms(months.stop)
    return HistoryRequest((key.station,), (key.sensor,), max(start, EARLIEST_MS), min(end, LATEST_MS))
