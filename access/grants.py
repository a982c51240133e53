"""What is granted, as arithmetic: no database, no clock, no request in hand.

The law: a request is allowed when, for each pair of station and sensor, the grants that fit its
length, its resolution and its purpose cover its whole range together. So adding a grant never takes
a right away, and their order does not matter. Where only grants with a floor cover it (the finest
resolution that they allow), its range must be whole buckets of the floor: a bucket that is cut to a
minute is that minute's observations.

A derived sensor is granted as its inputs are, together, from where its formula looks back to:
whoever may see them can compute it, and whoever sees it could compute what was not granted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fnmatch import translate
from functools import cached_property, lru_cache
from typing import Final

from access.made_of import MadeOf
from data.request import HistoryRequest
from data.time.buckets import BY_NAME, bucket_bounds
from data.time.resolution import RESOLUTIONS, Resolution

FAR_MS: Final = 2**62  # before and after all times
_WILD: Final = re.compile(r"[*?[]")


class Purpose(StrEnum):
    """What a request is for."""

    LOAD = "load"
    VIEW = "view"
    EXPORT = "export"
    EMBED = "embed"
    REVIEW = "review"


@dataclass(frozen=True)
class Grant:
    """Stations and sensors (shell patterns, case counts) in [from_ms, to_ms), int ms UTC;
    None is an open end.

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
    may_review: bool = False

    def names(self, station: str, sensor: str | None = None) -> bool:
        """Return whether the grant is about a station, or about a sensor of it."""
        return self._of_stations(station) and (sensor is None or self.names_sensor(sensor))

    def names_sensor(self, sensor: str) -> bool:
        """Return whether the grant is about a sensor at some station."""
        return self._of_sensors(sensor)

    @property
    def span(self) -> tuple[int, int]:
        """[start, end) in int ms UTC; an open end lies beyond all times."""
        return -FAR_MS if self.from_ms is None else self.from_ms, FAR_MS if self.to_ms is None else self.to_ms

    @cached_property
    def _of_stations(self) -> Callable[[str], bool]:
        return _matcher(self.stations)

    @cached_property
    def _of_sensors(self) -> Callable[[str], bool]:
        return _matcher(self.sensors)

    def fits(self, length_ms: int, resolution: str, purpose: Purpose) -> bool:
        """Return whether a request of that length and resolution may rest on this grant."""
        if self.longest_ms is not None and length_ms > self.longest_ms:
            return False
        if RESOLUTIONS.index(resolution) < RESOLUTIONS.index(self.finest):
            return False
        of_purpose = {Purpose.EXPORT: self.may_export, Purpose.EMBED: self.may_embed, Purpose.REVIEW: self.may_review}
        return of_purpose.get(purpose, True)


@dataclass(frozen=True)
class Rights:
    """What an identity may see now. ``everything``: administrators and the one user of AUTH=none.

    ``zone`` is the one in which buckets of a floor are counted; None: that of each request. The
    site's is given, because buckets of two zones tell more together than those of one. ``derived``
    says what the site's derived sensors are made of. ``shown``: no other (station, sensor) exist,
    whatever the grants name; None: those that grants name.
    """

    grants: tuple[Grant, ...] = ()
    everything: bool = False
    zone: str | None = None
    derived: Mapping[str, MadeOf] = field(default_factory=dict, compare=False, repr=False)
    shown: frozenset[tuple[str, str]] | None = None

    @property
    def finest(self) -> Resolution:
        """The finest resolution that any grant allows; raw where there is none."""
        if self.everything or not self.grants:
            return RESOLUTIONS[0]
        return RESOLUTIONS[min(RESOLUTIONS.index(grant.finest) for grant in self.grants)]

    def stations(self, names: Iterable[str]) -> list[str]:
        """Return those of some stations that exist for this identity, in their order."""
        return [name for name in names if self.everything or self._names_station(name)]

    def sensors(self, stations: Iterable[str], names: Iterable[str]) -> list[str]:
        """Return those of some sensors that exist for this identity at one of the stations."""
        at = tuple(stations)
        return [name for name in names if any(self.knows(station, name) for station in at)]

    def names_sensor(self, sensor: str) -> bool:
        """Return whether a sensor exists for this identity at any station."""
        if self.everything:
            return True
        if self.shown is not None:
            return any(self.knows(*pair) for pair in self.shown if pair[1] == sensor)
        made = self.derived.get(sensor, MadeOf((sensor,)))
        if made.station is not None:
            return self.knows(made.station, sensor)
        own = all(any(grant.names_sensor(each) for grant in self.grants) for each in made.sensors)
        return own and all(self._names(*each) for each in made.elsewhere)

    def knows(self, station: str, sensor: str) -> bool:
        """Return whether a sensor of a station exists for this identity."""
        if self.everything:
            return True
        stands = sensor not in self.derived or self.derived[sensor].station in (None, station)
        return stands and self._is_shown(station, sensor) and all(self._names(*each) for each in self.inputs(station, sensor))

    def _is_shown(self, station: str, sensor: str) -> bool:
        return self.shown is None or (station, sensor) in self.shown

    def _names(self, station: str, sensor: str) -> bool:
        return any(grant.names(station, sensor) for grant in self.grants)

    def _names_station(self, station: str) -> bool:
        if self.shown is not None and all(station != at for at, _ in self.shown):
            return False
        return any(grant.names(station) for grant in self.grants)

    def inputs(self, station: str, sensor: str) -> tuple[tuple[str, str], ...]:
        """Return each (station, sensor) whose grants count for a sensor of a station: what it is
        made of, else itself.
        """
        if sensor not in self.derived:
            return ((station, sensor),)
        made = self.derived[sensor]
        return (*((station, each) for each in made.sensors), *made.elsewhere)

    def looks_back_ms(self, request: HistoryRequest) -> int:
        """Return how far before its start a request needs grants."""
        return max((self.derived[name].back_ms for name in request.sensors if name in self.derived), default=0)

    def allows(self, request: HistoryRequest, purpose: Purpose) -> bool:
        """Return whether the whole of a request is granted for a purpose."""
        floor = self.floor(request, purpose)
        return floor is not None and self.is_whole(request, floor)

    def floor(self, request: HistoryRequest, purpose: Purpose = Purpose.VIEW) -> Resolution | None:
        """The finest resolution at which the range of a request is granted; raw: no floor.
        None: not at the request's own.
        """
        if self.everything:
            return RESOLUTIONS[0]
        asked = [(self.named(part), self.looks_back_ms(part)) for part in self._by_what_it_looks_at(request)]
        for resolution in RESOLUTIONS[: RESOLUTIONS.index(request.resolution) + 1]:
            if all(not _lack(request, resolution, grants, purpose, back_ms) for named, back_ms in asked for grants in named):
                return resolution
        return None

    def _by_what_it_looks_at(self, request: HistoryRequest) -> list[HistoryRequest]:
        """Return a request in parts whose sensors look back equally far."""
        back = {name: self.derived[name].back_ms if name in self.derived else 0 for name in request.sensors}
        if len(set(back.values())) == 1:
            return [request]
        return [
            replace(request, sensors=tuple(name for name in request.sensors if back[name] == back_ms))
            for back_ms in sorted(set(back.values()))
        ]

    def named(self, request: HistoryRequest) -> set[tuple[Grant, ...]]:
        """The grants that name a pair of station and sensor, of all pairs of a request, a derived
        sensor's inputs in its place; thousands of pairs have a few at most.
        """
        if not all(self._is_shown(*pair) for pair in request.series):
            return {()}
        of_stations = {tuple(grant.names(station) for grant in self.grants) for station in request.stations}
        made = [self.derived.get(sensor, MadeOf((sensor,))) for sensor in request.sensors]
        names = {each for one in made for each in one.sensors}
        of_sensors = {tuple(grant.names_sensor(sensor) for grant in self.grants) for sensor in names}
        elsewhere = {pair for one in made for pair in one.elsewhere}
        return {
            tuple(grant for grant, here, this in zip(self.grants, station, sensor, strict=True) if here and this)
            for station in of_stations
            for sensor in of_sensors
        } | {tuple(grant for grant in self.grants if grant.names(*pair)) for pair in elsewhere}

    def is_whole(self, request: HistoryRequest, floor: Resolution) -> bool:
        """Return whether a request's range is whole buckets of a floor, in the zone that counts."""
        if floor == "raw":
            return True
        if self.zone not in (None, request.timezone):
            return False
        return whole_buckets(floor, request.start_ms, request.end_ms, request.timezone) == (request.start_ms, request.end_ms)

    def lacks(self, request: HistoryRequest, station: str, sensor: str, purpose: Purpose) -> tuple[tuple[int, int], ...]:
        """Return the [start, end) spans (int ms UTC)
        of a request's range that no grant covers at a station's sensor, or an input of it.
        """
        if self.everything:
            return ()
        if not self._is_shown(station, sensor):
            return ((request.start_ms, request.end_ms),)
        back_ms = self.derived[sensor].back_ms if sensor in self.derived else 0
        lacks = (
            _lack(request, request.resolution, [grant for grant in self.grants if grant.names(*each)], purpose, back_ms)
            for each in self.inputs(station, sensor)
        )
        return next((spans for spans in lacks if spans), ())


EVERYTHING: Final = Rights(everything=True)


def whole_buckets(floor: Resolution, start_ms: int, end_ms: int, timezone: str) -> tuple[int, int]:
    """Widen [start, end), int ms UTC, to whole buckets of a zone; unchanged at raw."""
    if floor == "raw":
        return start_ms, end_ms
    return bucket_bounds(BY_NAME[floor], start_ms, end_ms, timezone)


def pairs(request: HistoryRequest) -> list[tuple[str, str]]:
    """Return every pair of station and sensor of a request."""
    return list(request.series)


def uncovered(start_ms: int, end_ms: int, spans: Iterable[tuple[int | None, int | None]]) -> tuple[tuple[int, int], ...]:
    """Return the parts of [start, end) that no span covers, sorted; None is an open end."""
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


def _lack(
    request: HistoryRequest, resolution: str, grants: Iterable[Grant], purpose: Purpose, back_ms: int
) -> tuple[tuple[int, int], ...]:
    """What some grants, all of one pair, do not cover of a request's range, and of what is looked
    at before it, at a resolution.
    """
    length_ms = request.end_ms - request.start_ms
    fitting = ((grant.from_ms, grant.to_ms) for grant in grants if grant.fits(length_ms, resolution, purpose))
    return uncovered(request.start_ms - back_ms, request.end_ms, fitting)


def _matcher(patterns: Collection[str]) -> Callable[[str], bool]:
    """Return whether a name is one of some shell patterns.
    Names without a wildcard are looked up, however many they are.
    """
    wild = {pattern for pattern in patterns if _WILD.search(pattern)}
    if "*" in wild:
        return lambda _name: True
    names, matchers = frozenset(patterns) - wild, [_compiled(pattern) for pattern in wild]
    return lambda name: name in names or any(matches(name) for matches in matchers)


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> Callable[[str], object]:
    return re.compile(translate(pattern)).match
