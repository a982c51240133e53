"""Days and months of a request's observations as a table:
a row a station and local day, a few columns a sensor.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from data.arrays import Floats, Integers
from data.catalogue import Sensor
from data.export.rows import rounded
from data.range_rows import Span, open_observations, refuse_cut_steps
from data.request import HistoryRequest
from data.site_like import SiteLike
from data.time.buckets import Bucket, bucket_edges
from data.time.epoch import DAY_MS, MINUTE_MS
from data.time.zones import ZoneOffsets
from data.view.aggregate import Aggregate, aggregate_edges


@dataclass(frozen=True)
class Periods:
    """``starts`` int64[n]: midnight (ms on the local clock) of the day on which each begins;
    ``columns`` float64[n].
    """

    station: str
    starts: Integers
    columns: tuple[Floats, ...]


def period_columns(sensor: Sensor) -> list[str]:
    """What a sensor has a column of: its value by its rule, extremes where that is a mean,
    and how many rows it is made of.
    """
    means = {"mean": ["mean", "min", "max"], "sum": ["sum"], "direction": ["mean direction"]}[sensor.aggregation]
    return [*(f"{sensor.name} {what} ({sensor.unit})" for what in means), f"{sensor.name} rows"]


def periods(site: SiteLike, request: HistoryRequest, span: Span, bucket: Bucket) -> Iterator[Periods]:
    """Yield the periods of each station with rows, of unflagged observations in the span;
    a day begins when the sensor's does.

    Raises:
        NotPermitted: a period would be made of parts of steps that are not to be seen.
        TileDamaged: as :func:`data.export.rows.joined`.
    """
    sensors = [site.catalogue[name] for name in request.sensors]
    for sensor in sensors:
        refuse_cut_steps(site.floor, sensor, bucket)
    for station in request.stations:
        found = [_periods_of(site, request, station, sensor, span, bucket) for sensor in sensors]
        starts = np.unique(np.concatenate([days for days, _ in found]))
        if len(starts):
            columns = [column for sensor, each in zip(sensors, found, strict=True) for column in _columns(sensor, starts, *each)]
            yield Periods(station, starts, tuple(columns))


def _periods_of(
    site: SiteLike, request: HistoryRequest, station: str, sensor: Sensor, span: Span, bucket: Bucket
) -> tuple[Integers, Aggregate]:
    """The local day on which each period with rows begins, and their aggregates."""
    series = open_observations(site, request, station, sensor.name, span)
    first, last = max(series.start_ms, series.first_ms), min(series.end_ms, series.last_ms + 1)
    has_rows = bool(series.table.tiles) and first < last
    edges = bucket_edges(bucket, first, last, request.timezone, sensor.day_start_min) if has_rows else np.zeros(1, np.int64)
    found = aggregate_edges(series, sensor, edges, "good")
    if not len(found.start):
        return found.start, found
    clock = ZoneOffsets(ZoneInfo(request.timezone), int(found.start[0]), int(found.start[-1]))
    wall = clock.to_wall(found.start) - sensor.day_start_min * MINUTE_MS
    return wall // DAY_MS * DAY_MS, found


def _columns(sensor: Sensor, starts: Integers, days: Integers, found: Aggregate) -> Sequence[Floats]:
    own = [rounded(found.value, sensor)]
    own += [found.lower, found.upper] if sensor.aggregation == "mean" else []
    spread = np.full((len(own) + 1, len(starts)), np.nan)
    spread[:, np.searchsorted(starts, days)] = [*own, found.rows.astype(np.float64)]
    return list(spread)
