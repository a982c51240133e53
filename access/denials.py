"""Reasons of a denial: what is granted, of stations and sensors that the identity knows only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from access.grants import Grant, Purpose, Rights, pairs
from data.request import HistoryRequest
from data.time.epoch import DAY_MS
from data.time.months import iso_utc, iso_utc_or_none
from data.time.resolution import RESOLUTIONS
from errors import NotPermitted, RiwayatError, UnknownSensor, UnknownStation


def denial_reason(rights: Rights, request: HistoryRequest, purpose: Purpose) -> RiwayatError:
    """Return the error of a request that :meth:`Rights.allows` does not allow.

    UnknownStation and UnknownSensor where nothing at all is granted of it;
    else NotPermitted, whose ``field`` is what to change.
    """
    unknown = _unknown(rights, request)
    if unknown is not None:
        return unknown
    if rights.allows(request, Purpose.VIEW):
        return _only_to_look_at(purpose)
    for station, sensor in pairs(request):
        if rights.lacks(request, station, sensor, Purpose.VIEW):
            return _lacking(rights, request, station, sensor)
    return _cut_buckets(rights, request)


def _unknown(rights: Rights, request: HistoryRequest) -> RiwayatError | None:
    for sensor in request.sensors:
        if not rights.names_sensor(sensor):
            return UnknownSensor("There is no sensor {sensor}.", field="sensors", sensor=sensor)
    for station in request.stations:
        if not rights.stations([station]):
            return UnknownStation("There is no station {station}.", field="stations", station=station)
    for station, sensor in pairs(request) if () in rights.named(request) else ():
        if not rights.knows(station, sensor):
            return NotPermitted(
                "You do not have access to {sensor} of {station}. Choose other sensors.",
                field="sensors",
                station=station,
                sensor=sensor,
            )
    return None


def _only_to_look_at(purpose: Purpose) -> NotPermitted:
    if purpose is Purpose.EMBED:
        return NotPermitted("You can view this but not embed it. Ask your administrator.")
    if purpose is Purpose.REVIEW:
        return NotPermitted("You can view this but not review it. Ask your administrator.")
    return NotPermitted("You can view this but not download it. Ask your administrator.")


def _lacking(rights: Rights, request: HistoryRequest, station: str, sensor: str) -> NotPermitted:
    """The first limit, of time, length and resolution, that keeps a pair from being granted; of a
    derived sensor that of its inputs.
    """
    inputs = rights.inputs(station, sensor)
    grants = [grant for grant in rights.grants if any(grant.names(*each) for each in inputs)]
    at_all = replace(rights, grants=tuple(replace(grant, longest_ms=None, finest=RESOLUTIONS[0]) for grant in grants))
    if lacking := at_all.lacks(request, station, sensor, Purpose.VIEW):
        if lacking[-1][1] <= request.start_ms:
            return _looks_back(rights, lacking[-1][1], sensor)
        each = next(each for each in inputs if at_all.lacks(request, *each, Purpose.VIEW))
        return _outside([grant for grant in grants if grant.names(*each)], request, each[0])
    any_length = replace(rights, grants=tuple(replace(grant, longest_ms=None) for grant in grants))
    if not any_length.lacks(request, station, sensor, Purpose.VIEW):
        return _too_long(grants, request, station)
    coarser = RESOLUTIONS[RESOLUTIONS.index(request.resolution) + 1 :]
    asked = (replace(request, resolution=resolution) for resolution in coarser)
    enough = next(other.resolution for other in asked if not any_length.lacks(other, station, sensor, Purpose.VIEW))
    return NotPermitted(
        "You have access to {station} at {resolution} or coarser. Choose a coarser resolution.",
        field="resolution",
        station=station,
        resolution=enough,
    )


def _looks_back(rights: Rights, granted_from_ms: int, sensor: str) -> NotPermitted:
    start_ms = granted_from_ms + rights.derived[sensor].back_ms
    return NotPermitted(
        "{sensor} is computed from readings before each time. Choose a start of {start} or later.",
        field="start",
        sensor=sensor,
        start=iso_utc(start_ms),
    )


def _outside(grants: Sequence[Grant], request: HistoryRequest, station: str) -> NotPermitted:
    """Which time is granted: of several, what is nearest to the request."""
    best = max(grants, key=lambda grant: _overlap(grant, request))
    known = {"station": station, "start": iso_utc_or_none(best.from_ms), "end": iso_utc_or_none(best.to_ms)}
    about: dict[str, str] = {name: text for name, text in known.items() if text}
    if "start" in about and "end" in about:
        return NotPermitted("You have access to {station} from {start} to {end}.", field="start", **about)
    if "start" in about:
        return NotPermitted("You have access to {station} from {start} on.", field="start", **about)
    if "end" in about:
        return NotPermitted("You have access to {station} until {end}.", field="start", **about)
    return NotPermitted(field="start")


def _overlap(grant: Grant, request: HistoryRequest) -> int:
    """Return how much of a request's range a grant covers, ms; negative: how far it is away."""
    begin, until = grant.span
    return min(until, request.end_ms) - max(begin, request.start_ms)


def _too_long(grants: Sequence[Grant], request: HistoryRequest, station: str) -> NotPermitted:
    fine = [grant for grant in grants if RESOLUTIONS.index(grant.finest) <= RESOLUTIONS.index(request.resolution)]
    longest = max((grant.longest_ms for grant in fine if grant.longest_ms is not None), default=0)
    return NotPermitted(
        "For {station} you can load at most {days} d at a time. Choose a shorter range.",
        field="end",
        station=station,
        days=f"{longest / DAY_MS:.6g}",
    )


def _cut_buckets(rights: Rights, request: HistoryRequest) -> NotPermitted:
    floor = rights.floor(request) or request.resolution
    if rights.zone not in (None, request.timezone):
        return NotPermitted(
            "Your access is at {resolution} or coarser in the time zone {zone}. Request the data in that zone.",
            field="timezone",
            resolution=floor,
            zone=rights.zone,
        )
    return NotPermitted(
        "Your access is at {resolution} or coarser: start and end must fall on full steps of {resolution}.",
        field="start",
        resolution=floor,
    )
