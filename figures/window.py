"""Which part of a request is drawn, and where its data is still to come."""

from __future__ import annotations

from collections.abc import Collection

from data.aggregated import needs_rollup
from data.months import month_bounds_ms
from data.plan import months_absent, plan
from data.request import HistoryRequest
from data.rollup import rollups_missing
from data.site import Site
from errors import NoData, SourceUnavailable
from figures.history import Span


def clip_window(request: HistoryRequest, start_ms: object, end_ms: object) -> Span:
    """[start, end) inside the request; what is no window (not numbers, reversed, outside) means the whole request."""
    whole = (request.start_ms, request.end_ms)
    if not _is_time(start_ms) or not _is_time(end_ms):
        return whole
    start, end = max(round(start_ms), whole[0]), min(round(end_ms), whole[1])  # type: ignore[call-overload]
    return (start, end) if start < end else whole


def _is_time(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e15


def pending_spans(site: Site, request: HistoryRequest) -> tuple[Span, ...]:
    """Spans of the request (int ms UTC, sorted, apart) of which some tile or rollup is missing.

    Reads inventory and indices only. While the inventory does not answer, nothing is known to be missing.
    """
    try:
        missing = plan(site, request).missing_months
    except (NoData, SourceUnavailable):
        return ()
    return _spans(request, missing | rollups_missing(site.tiles, site.catalogue, site.source.id, request))


def lost_spans(site: Site, request: HistoryRequest, window: Span, width_px: int) -> tuple[Span, ...]:
    """Spans of a request that was loaded once of which part has left the disk, as far as it is drawn.

    Of months outside of the window, too; a rollup counts where this window is drawn from rollups. Months that are there,
    but have new data, do not.

    Raises:
        UnknownStation, UnknownSensor: the site has lost one of them.
    """
    lost = months_absent(site, request)
    if needs_rollup(request.resolution, window[1] - window[0], width_px):
        lost |= rollups_missing(site.tiles, site.catalogue, site.source.id, request)
    return _spans(request, lost)


def _spans(request: HistoryRequest, months: Collection[int]) -> tuple[Span, ...]:
    """Months as spans of the request, those that touch as one."""
    spans: list[Span] = []
    for month in sorted(months):
        start, end = month_bounds_ms(month)
        start, end = max(start, request.start_ms), min(end, request.end_ms)
        if spans and spans[-1][1] == start:
            spans[-1] = (spans[-1][0], end)
        elif start < end:
            spans.append((start, end))
    return tuple(spans)
