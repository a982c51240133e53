"""Which earlier years a report's period is compared with, and bringing their readings in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from access.grants import Purpose
from data.load_plan import plan
from data.request import HistoryRequest
from data.site import Site
from errors import NoData, NotPermitted
from jobs.attempt_in_hand import AttemptInHand
from jobs.job import Progress
from jobs.kinds.history import load_history
from reports.definition import ReportDefinition
from reports.last_days import OF_EARLIER_DAYS, with_last_days
from reports.period import Period

MOST_READINGS: Final = 50_000_000  # of all earlier years together


def load_earlier(
    hand: AttemptInHand, definition: ReportDefinition, period: Period, report: Callable[[Progress], None]
) -> Mapping[int, HistoryRequest]:
    """Make the readings of the same dates of earlier years be there; returns the requests by year,
    latest first. Years without data or that are not granted are left out, and all from the one on
    that would be too much.
    """
    found: dict[int, HistoryRequest] = {}
    readings = 0
    for back, span in _spans(hand.seen, definition, period):
        request = definition.request(span)
        number = _readings(hand, request)
        readings += number
        if readings > MOST_READINGS:
            break
        if number:
            reaching = with_last_days(request, definition, period, hand.seen.catalogue, hand.owner.rights, OF_EARLIER_DAYS)
            load_history(hand.site, reaching, report, hand.seen)
            found[period.start.year - back] = request
    return found


def number_of_years(site: Site, definition: ReportDefinition, period: Period) -> int:
    """Return how many earlier years :func:`load_earlier` looks at; asks for no months."""
    return sum(1 for _ in _spans(site, definition, period))


def _spans(site: Site, definition: ReportDefinition, period: Period) -> Iterator[tuple[int, tuple[int, int]]]:
    """How many years back, and the same dates then, int ms UTC; latest first, from the first
    readings on.
    """
    first_ms = _first_ms(site, definition)
    for back in range(1, definition.compared_years(period) + 1):
        span = period.years_before(back)
        if span is None:
            continue
        if span[1] <= first_ms:
            return
        yield back, span


def _first_ms(site: Site, definition: ReportDefinition) -> int:
    """When the first of the stations begins, int ms UTC."""
    inventories = [site.inventory.station(name) for name in definition.stations]
    spans = [span for each in inventories for sensor in definition.sensors if (span := each.span_of(sensor)) is not None]
    return min((span[0] for span in spans), default=0)


def _readings(hand: AttemptInHand, request: HistoryRequest) -> int:
    """How many readings a request has; none where it may not be compared with."""
    if not hand.owner.rights.allows(request, Purpose.EXPORT):
        return 0
    try:
        return plan(hand.seen, request).rows_total
    except (NoData, NotPermitted):
        return 0
