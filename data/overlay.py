"""The flags of a series at a site, and the series in which those count that count there."""

from __future__ import annotations

import zlib
from dataclasses import replace
from functools import lru_cache

from data.derived_flags import DerivedFlags
from data.flag_layer import FlagLayer, OverlaidSeries
from data.quality_limits import RULES_VERSION, QualityLimits
from data.request import HistoryRequest
from data.sensor import Sensor
from data.site_like import SiteLike
from data.tiles.series import SeriesKey
from data.time.months import months_between
from data.usual_limits import limits_of


def flag_layer(site: SiteLike, station: str, sensor: str) -> FlagLayer:
    """Return the flags of a series, of a derived one those of its inputs."""
    known = site.catalogue[sensor]
    if not known.formula:
        return _measured(site, station, known)
    inputs = tuple(_measured(site, each.station or station, each.sensor) for each in known.inputs)
    rules = zlib.crc32(repr([each.rules for each in inputs]).encode())
    return DerivedFlags(site.tiles, SeriesKey(site.source_id, station, sensor), rules, inputs=inputs, back_ms=known.back_ms)


def overlaid_series(site: SiteLike, station: str, sensor: str) -> OverlaidSeries | None:
    """Return a series with the flags that count at a site; None where it is as its tiles are."""
    return None if site.flags == "none" else OverlaidSeries(flag_layer(site, station, sensor), site.flags)


def with_derived(site: SiteLike, request: HistoryRequest) -> HistoryRequest:
    """Return a request with the derived sensors of the catalogue that read its sensors, and of
    which its stations have tiles in its months: what changes with their flags and decisions.
    """
    months = months_between(request.start_ms, request.end_ms)

    def is_there(sensor: Sensor) -> bool:
        keys = (SeriesKey(site.source_id, station, sensor.name) for station in request.stations)
        return any(month in months for key in keys for month in site.tiles.entries(key))

    read = (each for each in site.catalogue.derived if {one.sensor.name for one in each.inputs} & set(request.sensors))
    return replace(request, sensors=(*request.sensors, *(each.name for each in read if is_there(each))))


def _measured(site: SiteLike, station: str, sensor: Sensor) -> FlagLayer:
    metadata = site.catalogue.stations.get(station)
    limits = limits_of(sensor, metadata, site.limits(station, sensor.name))
    rules = _rules(limits, sensor.stamp, metadata.position if metadata else None)
    key = SeriesKey(site.source_id, station, sensor.name)
    return FlagLayer(site.tiles, key, rules, site.decisions(station, sensor.name), limits)


@lru_cache(maxsize=4096)
def _rules(limits: QualityLimits, stamp: str, position: tuple[float, float] | None) -> int:
    return zlib.crc32(f"{RULES_VERSION} {limits.model_dump_json()} {stamp} {position}".encode())
