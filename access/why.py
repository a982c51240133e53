"""Why a request is not granted, as a sentence that says what is: only of stations and sensors that the identity knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from access.grants import Grant, Purpose, Rights, pairs
from data.months import iso_utc
from data.request import RESOLUTIONS, HistoryRequest
from errors import NotPermitted, RiwayatError, UnknownSensor, UnknownStation

_DAY_MS: Final = 86_400_000
_FIRST_MS, _LAST_MS = -(2**62), 2**62  # stand for open ends


def why_not(rights: Rights, request: HistoryRequest, purpose: Purpose) -> RiwayatError:
    """The error of a request that :meth:`Rights.allows` does not allow.

    UnknownStation and UnknownSensor where nothing at all is granted of it; else NotPermitted, whose ``field`` is what to change.
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
                "You may not see {sensor} of {station}; choose the sensors that are yours there.",
                field="sensors",
                station=station,
                sensor=sensor,
            )
    return None


def _only_to_look_at(purpose: Purpose) -> NotPermitted:
    if purpose is Purpose.EMBED:
        return NotPermitted("You may look at this, but not put it into other pages; ask whoever runs this site.")
    return NotPermitted("You may look at this, but not download it; ask whoever runs this site.")


def _lacking(rights: Rights, request: HistoryRequest, station: str, sensor: str) -> NotPermitted:
    """The first limit, of time, length and resolution, that keeps a pair from being granted."""
    grants = [grant for grant in rights.grants if grant.names(station, sensor)]
    at_all = Rights(tuple(replace(grant, longest_ms=None, finest=RESOLUTIONS[0]) for grant in grants))
    if at_all.lacks(request, station, sensor, Purpose.VIEW):
        return _outside(grants, request, station)
    any_length = Rights(tuple(replace(grant, longest_ms=None) for grant in grants))
    if not any_length.lacks(request, station, sensor, Purpose.VIEW):
        return _too_long(grants, request, station)
    coarser = RESOLUTIONS[RESOLUTIONS.index(request.resolution) + 1 :]
    asked = (replace(request, resolution=resolution) for resolution in coarser)
    enough = next(other.resolution for other in asked if not any_length.lacks(other, station, sensor, Purpose.VIEW))
    return NotPermitted(
        "{station} is yours at a resolution of {resolution} or coarser; choose one of these.",
        field="resolution",
        station=station,
        resolution=enough,
    )


def _outside(grants: Sequence[Grant], request: HistoryRequest, station: str) -> NotPermitted:
    """Which time is granted: of several, what is nearest to the request."""
    best = max(grants, key=lambda grant: _overlap(grant, request))
    start = None if best.from_ms is None else iso_utc(best.from_ms)
    end = None if best.to_ms is None else iso_utc(best.to_ms)
    if start and end:
        return NotPermitted("{station} is yours from {start} to {end}.", field="start", station=station, start=start, end=end)
    if start:
        return NotPermitted("{station} is yours from {start} on.", field="start", station=station, start=start)
    if end:
        return NotPermitted("{station} is yours until {end}.", field="start", station=station, end=end)
    return NotPermitted(field="start")


def _overlap(grant: Grant, request: HistoryRequest) -> int:
    """How much of a request's range a grant covers, ms; negative: how far it is away."""
    begin = _FIRST_MS if grant.from_ms is None else grant.from_ms
    until = _LAST_MS if grant.to_ms is None else grant.to_ms
    return min(until, request.end_ms) - max(begin, request.start_ms)


def _too_long(grants: Sequence[Grant], request: HistoryRequest, station: str) -> NotPermitted:
    fine = [grant for grant in grants if RESOLUTIONS.index(grant.finest) <= RESOLUTIONS.index(request.resolution)]
    longest = max((grant.longest_ms for grant in fine if grant.longest_ms is not None), default=0)
    return NotPermitted(
        "{station} is yours in ranges of {days} d at the longest; choose a shorter one.",
        field="end",
        station=station,
        days=f"{longest / _DAY_MS:.6g}",
    )


def _cut_buckets(rights: Rights, request: HistoryRequest) -> NotPermitted:
    floor = rights.floor(request) or request.resolution
    if rights.zone not in (None, request.timezone):
        return NotPermitted(
            "What is yours at {resolution} or coarser is counted in the time zone {zone}; ask in that zone.",
            field="timezone",
            resolution=floor,
            zone=rights.zone,
        )
    return NotPermitted(
        "What is yours at {resolution} or coarser begins and ends with a whole step of {resolution}; choose such times.",
        field="start",
        resolution=floor,
    )
