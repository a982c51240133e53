"""Requests at 1min, 10min, 1h, 1d, 1mo: one point a bucket while they are few,
else M4 over the buckets' rollup.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data.arrays import Floats, Integers
from data.range_rows import refuse_cut_steps
from data.tiles.series import Series
from data.tiles.tile_store import TileStore
from data.time.buckets import BY_NAME, Bucket, bucket_edges
from data.time.epoch import DAY_MS, HOUR_MS
from data.view.aggregate import aggregate, aggregate_edges
from data.view.column_reducers import EXTREMES, POINTS
from data.view.directions import occupied
from data.view.lines import broken, line_gaps, m4, neighbours, with_ends
from data.view.records import Points
from data.view.reduce import Columns, cut
from data.view.rollup import ROLLED_UP, open_rollup
from data.view.window import SeriesContext, Window

_PIXELS = 2  # of a column: a point carries its band too, and the answer must stay small


def buckets_drawn(tiles: TileStore, subject: SeriesContext, window: Window, resolution: str) -> Points:
    """The aggregates of a window as a line with its band, or as dots;
    raises NotPermitted as :func:`data.view.bars.bars`.
    """
    bucket, series = BY_NAME[resolution], subject.series
    refuse_cut_steps(subject.floor, subject.sensor, bucket)
    seen = min(window.end_ms, series.last_ms) - max(window.start_ms, series.first_ms)
    if not needs_rollup(resolution, seen, window.width_px):
        return _short_line(subject, window, bucket)
    return _rollup_line(tiles, subject, window, bucket)


def needs_rollup(resolution: str, span_ms: int, width_px: int) -> bool:
    """Return whether so long a span of data is drawn from the rollup,
    because it has more buckets than pixel columns.
    """
    return resolution in ROLLED_UP and span_ms > BY_NAME[resolution].usual_ms * width_px


def _short_line(subject: SeriesContext, window: Window, bucket: Bucket) -> Points:
    found = aggregate(subject, bucket, window)
    points = Points(found.start.astype(np.float64), found.value, found.rows, bucket.name, lower=found.lower, upper=found.upper)
    return _line(subject, bucket, points, np.arange(len(points.x)))


def _rollup_line(tiles: TileStore, subject: SeriesContext, window: Window, bucket: Bucket) -> Points:
    """M4 over whole buckets from the rollup; a bucket that the request's start or end
    cuts is made of its rows alone.
    """
    series, sensor = subject.series, subject.sensor
    first, stop = _whole_buckets(series, bucket, window, sensor.day_start_min)
    rollup = open_rollup(tiles, subject, bucket, window, (first, stop))
    if sensor.drawing == "dots":
        return replace(occupied(cut(rollup, window.edges()), window, "all"), bucket=bucket.name)
    columns = cut(rollup, window.edges(_PIXELS)).columns("all", want=POINTS)
    x, y, group = m4(columns)
    behind = (array[group] for array in _exact_columns(subject, window, columns, bucket))
    before, after = neighbours(rollup, window)
    left = _bucket_of(subject, window, bucket, int(before[0]) if before else first - 1)
    right = _bucket_of(subject, window, bucket, int(after[0]) if after else stop)
    x, y, rows, lower, upper, group = with_ends((x, y, *behind, group), left, right)
    return _line(subject, bucket, Points(x, y, rows, bucket.name, lower=lower, upper=upper), group)


def _whole_buckets(series: Series, bucket: Bucket, window: Window, day_start_min: int) -> tuple[int, int]:
    """(first, last) edge between which all buckets lie wholly in the series' range."""
    start = max(series.start_ms, series.first_ms - bucket.usual_ms)
    end = min(series.end_ms, series.last_ms + bucket.usual_ms)
    first = bucket_edges(bucket, start, start + bucket.usual_ms, window.timezone, day_start_min)
    last = bucket_edges(bucket, end - bucket.usual_ms, end, window.timezone, day_start_min)
    begin, stop = first[first >= start][0], last[last <= end][-1]
    return int(begin), int(max(begin, stop))


def _exact_columns(subject: SeriesContext, window: Window, columns: Columns, bucket: Bucket) -> tuple[Integers, Floats, Floats]:
    """Return rows, minimum and maximum of each column's buckets, exactly."""
    there = columns.count > 0
    if not there.any():
        return np.empty(0, np.int64), np.empty(0), np.empty(0)
    last = int(columns.last_time[there][-1])
    stop = bucket_edges(bucket, last, last + 1, window.timezone, subject.sensor.day_start_min)[-1]
    behind = cut(subject.series, np.append(columns.first_time[there], stop)).columns(window.rows, want=EXTREMES)
    return behind.count, behind.min, behind.max


def _bucket_of(subject: SeriesContext, window: Window, bucket: Bucket, time_ms: int) -> tuple[float, ...] | None:
    """Start, value, rows, least and greatest of the bucket that holds a time; None without rows."""
    edges = bucket_edges(bucket, time_ms, time_ms + 1, window.timezone, subject.sensor.day_start_min)
    found = aggregate_edges(subject.series, subject.sensor, edges, window.rows)
    arrays = (found.start, found.value, found.rows, found.lower, found.upper)
    return tuple(array[0] for array in arrays) if len(found.start) else None


def _line(subject: SeriesContext, bucket: Bucket, points: Points, group: Integers) -> Points:
    """A line with its band (none for directions and sums), broken where buckets are missing
    for longer than a gap; dots are not joined.
    """
    if subject.sensor.aggregation != "mean":
        points = replace(points, lower=None, upper=None)
    if subject.sensor.drawing == "dots":
        return points
    # As long as such a bucket can be, neighbours may be apart without a pause between their rows.
    longest_ms = bucket.count + (HOUR_MS if bucket.count > HOUR_MS else 0)
    if bucket.unit == "month":
        longest_ms = bucket.count * 31 * DAY_MS + HOUR_MS
    return broken(points, line_gaps(subject, points.x, group, longest_ms))
