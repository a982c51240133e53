"""What is granted, as arithmetic: no database, no clock, no request in hand.

The law: a request is allowed when, for each pair of station and sensor, the grants that fit its length, its resolution and
its purpose cover its whole range together. So adding a grant never takes a right away, and their order does not matter.
Where only grants with a floor cover it (the finest resolution that they allow), its range must be whole buckets of the floor:
a bucket that is cut to a minute is that minute's observations.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import translate
from functools import cached_property, lru_cache
from typing import Final

from data.buckets import BY_NAME, bucket_edges
from data.request import RESOLUTIONS, HistoryRequest, Resolution

_WILD: Final = re.compile(r"[*?[]")


class Purpose(StrEnum):
    """What somebody wants to do with a history."""

    LOAD = "load"
    VIEW = "view"
    EXPORT = "export"
    EMBED = "embed"


@dataclass(frozen=True)
class Grant:
    """Stations and sensors (shell patterns, case counts) in [from_ms, to_ms), int ms UTC; None is an open end.

    ``longest_ms`` bounds the length of one request, ``finest`` its resolution.
    """

    stations: tuple[str, ...] = ("*",)
    sensors: tuple[str, ...] = ("*",)
    from_ms: int | None = None
    to_ms: int | None = None
    longest_ms: int | None = None
    finest: Resolution = RESOLUTIONS[0]
    may_export: bool = True
    may_embed: bool = False

    def names(self, station: str, sensor: str | None = None) -> bool:
        """Whether the grant is about a station, or about a sensor of it."""
        return self._of_stations(station) and (sensor is None or self.names_sensor(sensor))

    def names_sensor(self, sensor: str) -> bool:
        """Whether the grant is about a sensor at some station."""
        return self._of_sensors(sensor)

    @cached_property
    def _of_stations(self) -> Callable[[str], bool]:
        return _matcher(self.stations)

    @cached_property
    def _of_sensors(self) -> Callable[[str], bool]:
        return _matcher(self.sensors)

    def fits(self, length_ms: int, resolution: str, purpose: Purpose) -> bool:
        """Whether a request of that length and resolution may rest on this grant."""
        if self.longest_ms is not None and length_ms > self.longest_ms:
            return False
        if RESOLUTIONS.index(resolution) < RESOLUTIONS.index(self.finest):
            return False
        return {Purpose.EXPORT: self.may_export, Purpose.EMBED: self.may_embed}.get(purpose, True)


@dataclass(frozen=True)
class Rights:
    """What an identity may see now. ``everything``: administrators and the one user of AUTH=none.

    ``zone`` is the one in which buckets of a floor are counted; None: that of each request. The site's is given, because
    buckets of two zones tell more together than those of one.
    """

    grants: tuple[Grant, ...] = ()
    everything: bool = False
    zone: str | None = None

    @property
    def finest(self) -> Resolution:
        """The finest resolution that any grant allows; raw where there is none."""
        if self.everything or not self.grants:
            return RESOLUTIONS[0]
        return RESOLUTIONS[min(RESOLUTIONS.index(grant.finest) for grant in self.grants)]

    def stations(self, names: Iterable[str]) -> list[str]:
        """Those of some stations that exist for this identity, in their order."""
        return [name for name in names if self.everything or any(grant.names(name) for grant in self.grants)]

    def sensors(self, stations: Iterable[str], names: Iterable[str]) -> list[str]:
        """Those of some sensors that exist for this identity at one of the stations, in their order."""
        at = tuple(stations)
        return [name for name in names if any(self.knows(station, name) for station in at)]

    def names_sensor(self, sensor: str) -> bool:
        """Whether a sensor exists for this identity at any station."""
        return self.everything or any(grant.names_sensor(sensor) for grant in self.grants)

    def knows(self, station: str, sensor: str) -> bool:
        """Whether a sensor of a station exists for this identity."""
        return self.everything or any(grant.names(station, sensor) for grant in self.grants)

    def allows(self, request: HistoryRequest, purpose: Purpose) -> bool:
        """Whether the whole of a request is granted for a purpose."""
        floor = self.floor(request, purpose)
        return floor is not None and self.is_whole(request, floor)

    def floor(self, request: HistoryRequest, purpose: Purpose = Purpose.VIEW) -> Resolution | None:
        """The finest resolution at which the range of a request is granted; raw: no floor. None: not at the request's own."""
        if self.everything:
            return RESOLUTIONS[0]
        named = self.named(request)
        for resolution in RESOLUTIONS[: RESOLUTIONS.index(request.resolution) + 1]:
            if all(not _lack(request, resolution, grants, purpose) for grants in named):
                return resolution
        return None

    def named(self, request: HistoryRequest) -> set[tuple[Grant, ...]]:
        """The grants that name a pair of station and sensor, of all pairs of a request; thousands of pairs have a few at most."""
        of_stations = {tuple(grant.names(station) for grant in self.grants) for station in request.stations}
        of_sensors = {tuple(grant.names_sensor(sensor) for grant in self.grants) for sensor in request.sensors}
        return {
            tuple(grant for grant, here, this in zip(self.grants, station, sensor, strict=True) if here and this)
            for station in of_stations
            for sensor in of_sensors
        }

    def is_whole(self, request: HistoryRequest, floor: Resolution) -> bool:
        """Whether a request's range is made of whole buckets of a floor, in the zone that counts."""
        if floor == "raw":
            return True
        if self.zone not in (None, request.timezone):
            return False
        return whole_buckets(floor, request.start_ms, request.end_ms, request.timezone) == (request.start_ms, request.end_ms)

    def lacks(self, request: HistoryRequest, station: str, sensor: str, purpose: Purpose) -> tuple[tuple[int, int], ...]:
        """What no grant covers of a request's range at a station's sensor: [start, end) spans, int ms UTC; empty: nothing."""
        if self.everything:
            return ()
        return _lack(request, request.resolution, (grant for grant in self.grants if grant.names(station, sensor)), purpose)


EVERYTHING: Final = Rights(everything=True)


def whole_buckets(floor: Resolution, start_ms: int, end_ms: int, timezone: str) -> tuple[int, int]:
    """[start, end), int ms UTC, made wider until it holds whole buckets of a zone; unchanged at raw."""
    if floor == "raw":
        return start_ms, end_ms
    edges = bucket_edges(BY_NAME[floor], start_ms, end_ms, timezone)
    return int(edges[0]), int(edges[-1])


def pairs(request: HistoryRequest) -> list[tuple[str, str]]:
    """Every pair of station and sensor of a request."""
    return [(station, sensor) for station in request.stations for sensor in request.sensors]


def uncovered(start_ms: int, end_ms: int, spans: Iterable[tuple[int | None, int | None]]) -> tuple[tuple[int, int], ...]:
    """The parts of [start, end) that none of the spans covers; None is an open end. Sorted, disjoint."""
    left: list[tuple[int, int]] = []
    at = start_ms
    for begin, until in sorted((start_ms if b is None else b, end_ms if u is None else u) for b, u in spans):
        if begin >= end_ms:
            break
        if begin > at:
            left.append((at, begin))
        at = max(at, until)
    if at < end_ms:
        left.append((at, end_ms))
    return tuple(left)


def _lack(request: HistoryRequest, resolution: str, grants: Iterable[Grant], purpose: Purpose) -> tuple[tuple[int, int], ...]:
    """What some grants, all of one pair, do not cover of a request's range at a resolution."""
    length_ms = request.end_ms - request.start_ms
    fitting = ((grant.from_ms, grant.to_ms) for grant in grants if grant.fits(length_ms, resolution, purpose))
    return uncovered(request.start_ms, request.end_ms, fitting)


def _matcher(patterns: Collection[str]) -> Callable[[str], bool]:
    """Whether a name is one of some shell patterns. Names without a wildcard are looked up, however many they are."""
    wild = {pattern for pattern in patterns if _WILD.search(pattern)}
    if "*" in wild:
        return lambda _name: True
    names, matchers = frozenset(patterns) - wild, [_compiled(pattern) for pattern in wild]
    return lambda name: name in names or any(matches(name) for matches in matchers)


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> Callable[[str], object]:
    return re.compile(translate(pattern)).match
