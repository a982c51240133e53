"""Many stations of one sensor as one: their median, and between what the middle 80 % lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from data.arrays import Floats
from data.catalogue import Catalogue, Sensor
from data.range_rows import refuse_cut_steps
from data.request import HistoryRequest
from data.time.buckets import BUCKETS, BY_NAME, Bucket, nice_bucket
from data.view.aggregate import aggregate
from data.view.records import SeriesView, Spread
from data.view.window import SeriesContext, Window

MOST_TOLD_APART: Final = 8  # stations of a sensor that have a colour each
_SHARES: Final = (0.1, 0.5, 0.9)
_PIXELS: Final = 2  # of a bucket


@dataclass(frozen=True)
class Buckets:
    """Of a station, f8[n] each: starts (ms UTC), widths (ms), values."""

    start: Floats
    width: Floats
    value: Floats


def spread_sensors(request: HistoryRequest, catalogue: Catalogue) -> tuple[str, ...]:
    """Return the sensors of a request that more stations have than can be told apart; no
    directions, which have no median.
    """
    if len(request.stations) <= MOST_TOLD_APART:
        return ()
    return tuple(name for name in request.sensors if catalogue[name].aggregation != "direction")


def shared_width(window: Window, stations: int) -> Window:
    """Return a window in whose columns so many stations have as many points together as those that
    can be told apart have in its pixels. Each column keeps its extremes.
    """
    if stations <= MOST_TOLD_APART:
        return window
    return replace(window, width_px=max(1, window.width_px * MOST_TOLD_APART // stations))


def spread(sensor: Sensor, parts: Sequence[Buckets], bucket: str) -> Spread:
    """Return median, 10 % and 90 % of what the stations have in each bucket."""
    start, width, table = _aligned(parts)
    low, median, high = quantiles(table, _SHARES)
    return Spread(
        sensor=sensor.name,
        stations=sum(bool(len(part.start)) for part in parts),
        kind=sensor.drawing,
        bucket=bucket,
        x=start,
        width=width,
        y=median,
        lower=low,
        upper=high,
    )


def drawn_buckets(drawn: Sequence[SeriesView]) -> list[Buckets]:
    """Return the buckets of series as they are drawn; nothing where they are not drawn as equal
    buckets.
    """
    if len({one.bucket for one in drawn}) > 1 or drawn[0].bucket == "raw":
        return []
    return [Buckets(one.x, one.width, one.y) for one in drawn if one.width is not None]


def read_buckets(subjects: Sequence[SeriesContext], window: Window, resolution: str) -> tuple[list[Buckets], str]:
    """Return what the stations have, by the sensor's rule, in buckets as long as their usual steps
    at least, and the name of such a bucket.

    Raises:
        NotPermitted: as :func:`data.view.bars.bars`.
    """
    bucket = _bucket(subjects, window, resolution)
    refuse_cut_steps(subjects[0].floor, subjects[0].sensor, bucket)
    found = [aggregate(one, bucket, window, extremes=False) for one in subjects]
    return [Buckets(one.start.astype(np.float64), one.width.astype(np.float64), one.value) for one in found], bucket.name


def _bucket(subjects: Sequence[SeriesContext], window: Window, resolution: str) -> Bucket:
    """The shortest that is wide enough to be seen, and in which each station has a reading."""
    least = None if resolution == "raw" else BY_NAME[resolution]
    step_ms = max((one.step_ms or 0 for one in subjects), default=0)
    if least is None and step_ms:
        least = next((bucket for bucket in BUCKETS if bucket.usual_ms >= step_ms), BUCKETS[-1])
    return nice_bucket(window.span_ms, max(1, window.width_px // _PIXELS), least)


def _aligned(parts: Sequence[Buckets]) -> tuple[Floats, Floats, Floats]:
    """Starts and widths f8[n] (ms UTC, ms) of all buckets, and a table f8[parts, n]: NaN where a
    part has none.
    """
    starts, places = np.unique(np.concatenate([part.start for part in parts]), return_index=True)
    widths = np.concatenate([part.width for part in parts])[places]
    table = np.full((len(parts), len(starts)), np.nan)
    for row, part in zip(table, parts, strict=True):
        row[np.searchsorted(starts, part.start)] = part.value
    return starts, widths, table


def quantiles(table: Floats, shares: Sequence[float]) -> list[Floats]:
    """Return the quantiles of each column of a table that are finite, linear between two values;
    each column has one value at least.
    """
    ordered = np.sort(table, axis=0)  # NaN last
    last = np.isfinite(table).sum(axis=0) - 1
    columns = np.arange(table.shape[1])
    found = []
    for share in shares:
        place = last * share
        below = np.floor(place).astype(np.int64)
        above = np.minimum(below + 1, last)
        low, high = ordered[below, columns], ordered[above, columns]
        found.append(low + (high - low) * (place - below))
    return found
