"""Requests at 1min, 10min, 1h, 1d, 1mo: one point a bucket while they are few, else M4 over the buckets' rollup."""

from __future__ import annotations

import numpy as np

from data.aggregate import Aggregate, aggregate, aggregate_edges, shift_ms
from data.buckets import BY_NAME, Bucket, bucket_edges
from data.dots import occupied
from data.gaps import gaps_between
from data.lines import m4, neighbours
from data.reduce import EXTREMES, POINTS, Columns, Floats, cut
from data.rollup import ROLLED_UP, open_rollup
from data.series import Series
from data.tiles import TileStore
from data.window import Integers, Points, Subject, Window

_PIXELS = 2  # of a column: a point carries its band too, and the answer must stay small


def buckets_drawn(tiles: TileStore, subject: Subject, window: Window, resolution: str) -> Points:
    """The aggregates of a window as a line with its band, or as dots."""
    bucket, series = BY_NAME[resolution], subject.series
    seen = min(window.end_ms, series.table.last_ms) - max(window.start_ms, series.table.first_ms)
    if not needs_rollup(resolution, seen, window.width_px):
        return _few(subject, window, bucket)
    return _many(tiles, subject, window, bucket)


def needs_rollup(resolution: str, span_ms: int, width_px: int) -> bool:
    """Whether so long a span of data is drawn from the rollup, because it has more buckets than pixel columns."""
    return resolution in ROLLED_UP and span_ms > BY_NAME[resolution].usual_ms * width_px


def _few(subject: Subject, window: Window, bucket: Bucket) -> Points:
    found = aggregate(subject, bucket, window)
    x = found.start.astype(np.float64)
    if subject.sensor.drawing == "dots":
        return Points(x, found.value, found.rows, bucket.name)
    return _line(subject, bucket, x, found.value, found.rows, (found.lower, found.upper), np.arange(len(x)))


def _many(tiles: TileStore, subject: Subject, window: Window, bucket: Bucket) -> Points:
    """M4 over whole buckets from the rollup; a bucket that the request's start or end cuts is made of its rows alone."""
    series, sensor = subject.series, subject.sensor
    whole = _whole_buckets(series, bucket, window, sensor.day_start_min, shift_ms(sensor))
    rollup = open_rollup(tiles, series, sensor, bucket, window.timezone, window.rows, int(whole[0]), int(whole[-1]))
    if sensor.drawing == "dots":
        points = occupied(cut(rollup, window.edges()), window, "all")
        return Points(points.x, points.y, points.rows, bucket.name)
    columns = cut(rollup, window.edges(_PIXELS)).columns("all", want=POINTS)
    x, y, group = m4(columns)
    rows, lower, upper = _behind(subject, window, columns, bucket)
    x, y, rows, lower, upper, group = _with_ends(
        subject, window, bucket, rollup, whole, (x, y, rows[group], lower[group], upper[group], group)
    )
    return _line(subject, bucket, x, y, rows, (lower, upper), group)


def _whole_buckets(series: Series, bucket: Bucket, window: Window, day_start_min: int, shift: int) -> Integers:
    """(first, last) edge between which all buckets lie wholly in the series' range."""
    start = max(series.start_ms, series.table.first_ms - bucket.usual_ms)
    end = min(series.end_ms, series.table.last_ms + bucket.usual_ms)
    first = bucket_edges(bucket, start, start + bucket.usual_ms, window.timezone, day_start_min)
    last = bucket_edges(bucket, end - bucket.usual_ms, end, window.timezone, day_start_min)
    begin, stop = first[first + shift >= start][0], last[last + shift <= end][-1]
    return np.array([begin, max(begin, stop)], np.int64)


def _behind(subject: Subject, window: Window, columns: Columns, bucket: Bucket) -> tuple[Integers, Floats, Floats]:
    """Rows, least and greatest observation of the buckets of each column, exactly: cut where buckets begin."""
    there = columns.count > 0
    if not there.any():
        return np.empty(0, np.int64), np.empty(0), np.empty(0)
    last = int(columns.last_time[there][-1])
    stop = bucket_edges(bucket, last, last + 1, window.timezone, subject.sensor.day_start_min)[-1]
    edges = np.append(columns.first_time[there], stop) + shift_ms(subject.sensor)
    behind = cut(subject.series, edges).columns(window.rows, want=EXTREMES)
    return behind.count, behind.min, behind.max


Ends = tuple[Floats, Floats, Integers, Floats, Floats, Integers]


def _with_ends(subject: Subject, window: Window, bucket: Bucket, rollup: Series, whole: Integers, points: Ends) -> Ends:
    """The same with one bucket more on each side: the neighbour outside the window, or the request's cut first and last."""
    before, after = neighbours(rollup, window)
    left = _one(subject, window, bucket, int(before[0]) if before else int(whole[0]) - 1)
    right = _one(subject, window, bucket, int(after[0]) if after else int(whole[1]))
    for found, front in ((left, True), (right, False)):
        if len(found.start):
            piece = (found.start.astype(np.float64), found.value, found.rows, found.lower, found.upper)
            joined = [*piece, np.array([-1 if front else len(points[0])])]
            pairs = zip(joined, points, strict=True)
            points = tuple(np.concatenate([new, old] if front else [old, new]) for new, old in pairs)  # type: ignore[assignment]
    return points


def _one(subject: Subject, window: Window, bucket: Bucket, time_ms: int) -> Aggregate:
    """The bucket that holds a time."""
    edges = bucket_edges(bucket, time_ms, time_ms + 1, window.timezone, subject.sensor.day_start_min)
    return aggregate_edges(subject.series, subject.sensor, edges, window.rows)


def _line(
    subject: Subject, bucket: Bucket, x: Floats, y: Floats, rows: Integers, band: tuple[Floats, Floats], group: Integers
) -> Points:
    """A line with its band (none for directions and sums), broken where buckets are missing for longer than a gap."""
    gaps = gaps_between(subject.series, subject.sensor, x.astype(np.int64), subject.step_ms, _longest_ms(bucket))
    at = np.flatnonzero(gaps & (group[1:] != group[:-1])) + 1
    x = np.insert(x, at, (x[at] + x[at - 1]) / 2)
    y, lower, upper = (np.insert(values, at, np.nan) for values in (y, *band))
    rows = np.insert(rows, at, 0)
    if subject.sensor.aggregation != "mean":
        return Points(x, y, rows, bucket.name)
    return Points(x, y, rows, bucket.name, lower=lower, upper=upper)


def _longest_ms(bucket: Bucket) -> int:
    """The longest that such a bucket can be: neighbours may begin this far apart without a pause between their rows."""
    if bucket.unit == "month":
        return bucket.count * 31 * 86_400_000 + 3_600_000
    return bucket.count + (3_600_000 if bucket.count > 3_600_000 else 0)
