"""What an analysis is asked: series, a window, a time zone; and the rows that this means."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from analysis.bins import Keys
from data.arrays import Floats, Integers
from data.catalogue import Sensor
from data.limit_overrides import AS_CATALOGUE, LimitOverrides
from data.range_rows import open_observations
from data.request import HistoryRequest
from data.site_like import SiteLike
from data.station_metadata import StationMetadata
from data.tiles.series import Rows, Series
from data.time.buckets import BY_NAME, bucket_edges
from data.time.epoch import MINUTE_MS
from data.time.months import iso_utc
from data.time.zones import ZoneOffsets
from errors import InvalidRequest, NotLoaded, NotPermitted

_FEW_IN_A_PART: Final = 4  # readings, up to which each is looked at by itself


Told = Callable[[str, str, int], object]
"""Hears of a month that is read: station, sensor, and its last moment (int ms UTC)."""


def _tell_nobody(_station: str, _sensor: str, _moment: int) -> None:
    pass


@dataclass(frozen=True)
class Observed:
    """One series of a question: a sensor of a station over the window. ``step_ms`` is its usual
    step, where tiles tell one. ``told`` hears of each month that is read;
    ``metadata`` is what the catalogue says of the station, ``limits`` what people have set.
    """

    station: str
    sensor: Sensor
    series: Series
    step_ms: int | None
    rows: Rows = "good"
    told: Told = _tell_nobody
    metadata: StationMetadata | None = None
    limits: LimitOverrides = AS_CATALOGUE

    def chunks(self) -> Iterator[tuple[Integers, Floats]]:
        """(moments i8 ms UTC, values f8) of each month with rows, increasing; flagged ones only
        where they are asked for.

        A reading that is stamped at the end of its interval has the moment before it.
        """
        for times, values, flags in self.series.chunks():
            moments = times - self.series.lag_ms if self.series.lag_ms else times
            self.told(self.station, self.sensor.name, int(moments[-1]))
            if self.rows == "good" and flags.any():
                good = flags == 0
                moments, values = moments[good], values[good]
            if len(moments):
                yield moments, values

    def stamps(self, moments: Integers) -> Integers:
        """Return what readings of some moments are stamped with, i8 ms UTC."""
        return moments + self.series.lag_ms if self.series.lag_ms else moments

    def begins(self, moments: Integers) -> Integers:
        """Return when the intervals of readings of some moments begin, i8 ms UTC; where no step
        is known, their stamps.
        """
        return self.stamps(moments) - (self.step_ms or 0) * self.series.lag_ms

    def read(self) -> tuple[Integers, Floats]:
        """Return all of :meth:`chunks` in one piece."""
        moments, values, count = np.empty(self.series.rows, np.int64), np.empty(self.series.rows), 0
        for times, part in self.chunks():
            own = slice(count, count + len(part))
            moments[own], values[own] = times, part
            count = own.stop
        return moments[:count], values[:count]


@dataclass(frozen=True)
class Question:
    """Series (by station, then as chosen), the window [start_ms, end_ms) in int ms UTC, and the
    zone of its clock.

    ``loaded`` [start, end) is what the request has loaded, in which the window lies; ``opened``
    opens a series of the question over another span of it.
    """

    series: tuple[Observed, ...]
    start_ms: int
    end_ms: int
    timezone: str
    loaded: tuple[int, int]
    opened: Callable[[Observed, tuple[int, int]], Observed]

    @cached_property
    def worked_out(self) -> dict[tuple[str, ...], Any]:
        """What an analysis keeps from one subject to the next, so that it is worked out once."""
        return {}

    @cached_property
    def offsets(self) -> ZoneOffsets:
        """The offsets of the zone over the window."""
        return ZoneOffsets(ZoneInfo(self.timezone), self.start_ms, self.end_ms)

    def edges(self, bucket: str, sensor: Sensor) -> Integers:
        """Return the edges i8[n+1] ms UTC of the buckets of a name (``1h``, ``1d``, ``1mo``)
        that touch the window.
        """
        return bucket_edges(BY_NAME[bucket], self.start_ms, self.end_ms, self.timezone, sensor.day_start_min)

    def wall(self, moments: Integers) -> Integers:
        """Return what the clock of the zone shows at some moments, as int64 ms since 1970 on
        that clock.
        """
        return self.offsets.to_wall(moments)

    def dates(self, moments: Integers, sensor: Sensor) -> list[str]:
        """Return the dates (ISO 8601) of days that begin at some moments, as the sensor counts
        days.
        """
        days = (self.wall(moments) - sensor.day_start_min * MINUTE_MS).astype("datetime64[ms]").astype("datetime64[D]")
        return [str(day) for day in days]


def parts_of(question: Question, moments: Integers, by: str) -> tuple[Keys, list[str]]:
    """Return the part of the year or day in which some increasing moments lie, i2[n] from 0 on, and
    the names of the parts.

    ``by`` is ``season`` (DJF, MAM, JJA, SON), ``month`` (01..12), ``hour`` (00..23) or ``year`` (of
    the window), on the clock of the zone.
    """
    names, since = _named(question, by)
    if not len(moments):
        return np.empty(0, np.int16), names
    first, last = int(moments[0]), int(moments[-1])
    bucket = BY_NAME["1h" if by == "hour" else "1mo"]
    if len(moments) < _FEW_IN_A_PART * ((last - first) // bucket.usual_ms + 1):
        return (_part(question, moments, by) - since).astype(np.int16), names
    edges = bucket_edges(bucket, first, last + 1, question.timezone)
    parts = _part(question, np.maximum(edges[:-1], first), by) - since  # each is one stretch of time: looked at once
    return np.repeat(parts.astype(np.int16), np.diff(np.searchsorted(moments, edges))), names


def _named(question: Question, by: str) -> tuple[list[str], int]:
    """Names of parts, and what the first of them is."""
    if by == "year":
        bounds = question.wall(np.array([question.start_ms, question.end_ms - 1])).astype("datetime64[ms]")
        first, last = (bounds.astype("datetime64[Y]").astype(np.int64) + 1970).tolist()
        return [str(year) for year in range(first, last + 1)], first
    if by == "season":
        return ["DJF", "MAM", "JJA", "SON"], 0
    return ([f"{hour:02d}" for hour in range(24)] if by == "hour" else [f"{month:02d}" for month in range(1, 13)]), 0


def _part(question: Question, moments: Integers, by: str) -> Integers:
    wall = question.wall(moments).astype("datetime64[ms]")
    if by == "year":
        return wall.astype("datetime64[Y]").astype(np.int64) + 1970
    if by == "hour":
        return wall.astype("datetime64[h]").astype(np.int64) % 24
    month = wall.astype("datetime64[M]").astype(np.int64) % 12
    return (month + 1) % 12 // 3 if by == "season" else month


def check_asked(site: SiteLike, zone: str) -> None:
    """Raise as :func:`ask` where only whole steps may be seen, or there is no such time zone."""
    if site.floor != "raw":
        raise NotPermitted("You have access to whole steps of {floor} only; this analysis needs all readings.", floor=site.floor)
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise InvalidRequest("There is no time zone {timezone}.", field="zone", timezone=zone) from None


def refuse_unloaded(start_ms: int, loaded_ms: int) -> None:
    """Raise NotLoaded where readings are needed from before those that were loaded."""
    if start_ms >= loaded_ms:
        return
    raise NotLoaded(
        "The earlier window begins at {earlier}, and what was loaded begins at {begin}. "
        "Load from {earlier} on, or choose a later window or a shorter offset.",
        start_ms=start_ms,
        field="offset",
        earlier=iso_utc(start_ms),
        begin=iso_utc(loaded_ms),
    )


def ask(
    site: SiteLike,
    request: HistoryRequest,
    span: tuple[int, int],
    *,
    timezone: str | None = None,
    include_flagged: bool = False,
    told: Told = _tell_nobody,
) -> Question:
    """Open the series of a request over a span of it.

    ``site`` is as the one who asks may see it. Asks no database.

    Raises:
        NotPermitted: only whole steps may be seen.
        InvalidRequest: there is no such time zone.
        TileDamaged: a tile is damaged; it is out of the index then, so the next load reads it
            again.
    """
    zone = timezone or request.timezone
    check_asked(site, zone)
    rows: Rows = "all" if include_flagged else "good"

    def opened(station: str, name: str, part: tuple[int, int]) -> Observed:
        series = open_observations(site, request, station, name, part)
        steps = [entry.step_ms for entry in series.entries if entry.step_ms]
        step_ms = int(np.median(steps)) if steps else None
        metadata = site.catalogue.stations.get(station)
        return Observed(station, site.catalogue[name], series, step_ms, rows, told, metadata, site.limits(station, name))

    loaded = (request.start_ms, request.end_ms)
    start, end = max(span[0], loaded[0]), min(span[1], loaded[1])
    observed = tuple(opened(station, name, (start, end)) for station, name in request.series)
    return Question(observed, start, end, zone, loaded, lambda each, part: opened(each.station, each.sensor.name, part))
