"""A site restricted to the rights of an identity:
what is not granted does not exist there, in lists, bounds and errors alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import reduce

from access.grants import Grant, Purpose, Rights, whole_buckets
from access.identity import Identity, authorise
from data.catalogue import Catalogue
from data.inventory import StationInventory
from data.request import HistoryRequest
from data.sensor_spans import Span, hull, meet
from data.site import Site
from data.user_formula import Definitions


def restricted_site(site: Site, rights: Rights) -> Site:
    """Return the site with only the stations, sensors and bounds of time that some grant names;
    tiles and tables are the same.
    """
    if rights.everything:
        return site
    sensors = {sensor.name: sensor for sensor in site.catalogue if rights.names_sensor(sensor.name)}
    inventory = site.inventory.as_shown(lambda station: _granted_part(station, rights))
    catalogue = replace(site.catalogue, sensors=sensors, definitions=_named_definitions(site.catalogue, rights))
    return replace(site, inventory=inventory, catalogue=catalogue)


def _named_definitions(catalogue: Catalogue, rights: Rights) -> Definitions:
    """Return the definitions of users' formulas of which all inputs exist for an identity."""
    return lambda name: catalogue.definitions(name) if rights.names_sensor(name) else None


def restricted_site_for(site: Site, rights: Rights, request: HistoryRequest, purpose: Purpose = Purpose.VIEW) -> Site:
    """Return the restricted site for an allowed request:
    of whole steps alone where a floor of resolution is on it.
    """
    return replace(
        restricted_site(site.knowing(request.sensors), rights), floor=rights.floor(request, purpose) or request.resolution
    )


def require_permission(site: Site, identity: Identity, request: HistoryRequest, purpose: Purpose) -> Site:
    """Return the restricted site if the whole request is granted to the identity for the purpose.

    Raises:
        UnknownStation, UnknownSensor: there is none, or nothing of it is granted;
            in the same words, which name granted ones.
        NotPermitted: it is known, but not granted so; says what is.
    """
    seen = restricted_site_for(site, identity.rights, request, purpose)
    for sensor in request.sensors:
        seen.catalogue[sensor]
    for station in request.stations:
        if not identity.rights.stations([station]):
            seen.inventory.station(station)
    authorise(identity, request, purpose)
    return seen


def whole_window(rights: Rights, request: HistoryRequest, span: Span, purpose: Purpose = Purpose.VIEW) -> Span:
    """Return a window (ms UTC) of an allowed request,
    widened until it cuts no bucket of the purpose's floor.
    """
    floor = rights.floor(request, purpose) or request.resolution
    start, end = whole_buckets(floor, *span, request.timezone)
    return max(start, request.start_ms), min(end, request.end_ms)


def own_zone(catalogue: Catalogue, rights: Rights, stations: Sequence[str], site_zone: str) -> str:
    """Return the zone in which days of some stations are counted; the site's where one of them is
    not granted, since a zone tells where a station stands.
    """
    return catalogue.zone_of(stations, site_zone) if len(rights.stations(stations)) == len(stations) else site_zone


def in_zone_of_floor(rights: Rights, request: HistoryRequest) -> HistoryRequest:
    """Return the request in the zone in which buckets of the floor that is on it are counted;
    itself where there is none.
    """
    floor = rights.floor(request)
    return request if floor in (None, "raw") else replace(request, timezone=rights.zone or request.timezone)


def usual_zone(
    catalogue: Catalogue, rights: Rights, stations: Sequence[str], site_zone: str, asked: Callable[[str], HistoryRequest]
) -> str:
    """Return the zone of a request that names none: the stations' own, or the site's where a floor
    on it counts buckets in another. ``asked`` makes the request in a zone.
    """
    own = own_zone(catalogue, rights, stations, site_zone)
    return own if in_zone_of_floor(rights, asked(own)).timezone == own else site_zone


def widened_to_buckets(rights: Rights, request: HistoryRequest) -> HistoryRequest:
    """Return the request with its range widened to whole buckets of the floor that is on it, in
    the zone that counts; itself where there is none.
    """
    floor = rights.floor(request)
    if floor is None:
        return request
    request = in_zone_of_floor(rights, request)
    start, end = whole_buckets(floor, request.start_ms, request.end_ms, request.timezone)
    return replace(request, start_ms=start, end_ms=end)


def _granted_part(station: StationInventory, rights: Rights) -> StationInventory | None:
    """Return what is granted of a station, None where nothing is;
    its rows are an estimate where the time is limited.
    """
    if not rights.stations([station.name]):
        return None
    part = station.of(rights.sensors([station.name], station.sensors))
    if not part.sensors:  # what was recorded there is not granted, nor is it how often that was
        return replace(part, step_ms=None)
    return part.within(_granted(part, rights))


def _granted(station: StationInventory, rights: Rights) -> Iterator[Span]:
    """Yield the spans (ms UTC) in which sensors had values, as far as grants allow that time; of a
    derived one all of its inputs'.
    """
    for sensor in station.sensors:
        span = station.span_of(sensor)
        if span is None:
            continue
        inputs = rights.inputs(station.name, sensor)
        of_inputs = [[meet(span, granted) for granted in _granted_spans(each, rights.grants)] for each in inputs]
        if len(of_inputs) == 1:
            yield from of_inputs[0]
            continue
        hulls = [found for spans in of_inputs if (found := hull(spans)) is not None]
        if len(hulls) == len(of_inputs):
            yield reduce(meet, hulls)


def _granted_spans(of: tuple[str, str], grants: Iterable[Grant]) -> Iterator[Span]:
    """Yield the spans (ms UTC) for which a station's sensor is granted."""
    for grant in grants:
        if grant.names(*of):
            from_ms, to_ms = grant.span
            yield from_ms, to_ms - 1
