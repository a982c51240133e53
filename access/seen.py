"""A site as somebody sees it. What is not granted does not exist there: no list, no bounds and no error names it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from access.grants import Grant, Purpose, Rights, whole_buckets
from access.identity import Identity, authorise
from data.catalogue import Catalogue
from data.drawn import HistoryView
from data.inventory import StationInventory
from data.request import HistoryRequest
from data.site import Site

Span = tuple[int, int]


def seen_by(site: Site, rights: Rights) -> Site:
    """The site with the stations, sensors and bounds of time that some grant names; its tiles and tables are the same."""
    if rights.everything:
        return site
    sensors = {sensor.name: sensor for sensor in site.catalogue if rights.names_sensor(sensor.name)}
    inventory = site.inventory.as_shown(lambda station: _shown(station, rights))
    return replace(site, inventory=inventory, catalogue=Catalogue(sensors))


def permit(site: Site, identity: Identity, request: HistoryRequest, purpose: Purpose) -> Site:
    """The site as the identity sees it, if the whole request is granted for the purpose.

    Raises:
        UnknownStation, UnknownSensor: there is none, or nothing of it is granted; in the same words, which name granted ones.
        NotPermitted: it is known, but not granted so; says what is.
    """
    seen = seen_by(site, identity.rights)
    for sensor in request.sensors:
        seen.catalogue[sensor]
    for station in request.stations:
        if not identity.rights.stations([station]):
            seen.inventory.station(station)
    authorise(identity, request, purpose)
    return seen


def whole_window(rights: Rights, request: HistoryRequest, span: Span, purpose: Purpose = Purpose.VIEW) -> Span:
    """A window of an allowed request, made wider until it cuts no bucket of the purpose's floor; inside the request."""
    floor = rights.floor(request, purpose) or request.resolution
    start, end = whole_buckets(floor, *span, request.timezone)
    return max(start, request.start_ms), min(end, request.end_ms)


def widened(rights: Rights, request: HistoryRequest) -> HistoryRequest:
    """A request whose range holds whole buckets of the floor that is on it; the same where there is none."""
    floor = rights.floor(request)
    if floor is None:
        return request
    start, end = whole_buckets(floor, request.start_ms, request.end_ms, request.timezone)
    return replace(request, start_ms=start, end_ms=end)


def without_raw(rights: Rights, request: HistoryRequest, view: HistoryView) -> HistoryView:
    """A view without the single observations that are marked as flagged, where a floor is on the request."""
    if rights.floor(request) == "raw":
        return view
    series = (replace(each, flagged_x=each.flagged_x[:0], flagged_y=each.flagged_y[:0]) for each in view.series)
    return replace(view, series=tuple(series))


def _shown(station: StationInventory, rights: Rights) -> StationInventory | None:
    """What is granted of a station; its rows are an estimate where the time is limited. None: it does not exist."""
    grants = [grant for grant in rights.grants if grant.names(station.name)]
    if not grants:
        return None
    sensors = tuple(rights.sensors([station.name], station.sensors))
    if station.first_ms is None or station.last_ms is None:
        return replace(station, sensors=sensors)
    first, last = _hull(grants, station.first_ms, station.last_ms)
    if first > last:
        return replace(station, sensors=sensors, first_ms=None, last_ms=None, rows=0)
    share = (last + 1 - first) / (station.last_ms + 1 - station.first_ms)
    return replace(station, sensors=sensors, first_ms=first, last_ms=last, rows=max(1, round(station.rows * share)))


def _hull(grants: Iterable[Grant], first_ms: int, last_ms: int) -> Span:
    """(first, last) of a station's data within what the grants allow together."""
    spans = [(_later(first_ms, grant.from_ms), _earlier(last_ms, grant.to_ms)) for grant in grants]
    inside = [(first, last) for first, last in spans if first <= last] or [(1, 0)]
    return min(first for first, _ in inside), max(last for _, last in inside)


def _later(first_ms: int, from_ms: int | None) -> int:
    return first_ms if from_ms is None else max(first_ms, from_ms)


def _earlier(last_ms: int, to_ms: int | None) -> int:
    return last_ms if to_ms is None else min(last_ms, to_ms - 1)
