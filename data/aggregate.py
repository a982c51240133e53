"""Aggregates of buckets by the sensor's rule, from all rows: mean with least and greatest, sum, or mean direction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.buckets import Bucket, bucket_edges
from data.catalogue import Sensor
from data.reduce import Columns, Floats, cut
from data.series import Rows, Series
from data.statistics import vector_mean
from data.window import Integers, Subject, Window


@dataclass(frozen=True)
class Aggregate:
    """Buckets that hold rows: ``start`` i8 ms UTC, ``width`` i8 ms, ``rows`` i8, ``value`` f8, ``lower``/``upper`` f8."""

    start: Integers
    width: Integers
    rows: Integers
    value: Floats
    lower: Floats
    upper: Floats


def value_of(columns: Columns, sensor: Sensor) -> Floats:
    """What a column with rows is worth by the sensor's rule; NaN for a direction that vanishes (docs/view.md)."""
    if sensor.aggregation == "sum":
        return columns.sum
    if sensor.aggregation == "direction" and columns.sin is not None and columns.cos is not None:
        return vector_mean(columns.sin, columns.cos, columns.count)
    means: Floats = columns.sum / np.maximum(columns.count, 1)
    return means


def totals_value(values: Floats, bounds: Integers, sensor: Sensor) -> Floats:
    """The same of raw rows: of values[bounds_i:bounds_i+1], the last one to the end; none is empty."""
    counts = np.diff(bounds, append=len(values))
    if sensor.aggregation == "direction":
        angle = np.deg2rad(values)
        return vector_mean(np.add.reduceat(np.sin(angle), bounds), np.add.reduceat(np.cos(angle), bounds), counts)
    sums: Floats = np.add.reduceat(values, bounds)
    return sums if sensor.aggregation == "sum" else sums / counts


def shift_ms(sensor: Sensor) -> int:
    """How much later than its bucket an observation's interval is stamped: one stamped at a bucket's end is in it."""
    return 1 if sensor.stamp == "end" else 0


def aggregate(subject: Subject, bucket: Bucket, window: Window) -> Aggregate:
    """Buckets that touch the window and one more on each side, of rows within the series' range only."""
    series, usual = subject.series, bucket.usual_ms
    start = max(window.start_ms - usual, series.start_ms - 1, series.table.first_ms - 1)
    end = min(window.end_ms + usual, series.end_ms, series.table.last_ms + 1)
    if not series.table.tiles or start >= end:
        return aggregate_edges(series, subject.sensor, np.zeros(1, np.int64), window.rows)
    edges = bucket_edges(bucket, start, end, window.timezone, subject.sensor.day_start_min)
    return aggregate_edges(series, subject.sensor, edges, window.rows)


def aggregate_edges(series: Series, sensor: Sensor, edges: Integers, rows: Rows) -> Aggregate:
    """The buckets between increasing ``edges`` i8[n+1] that hold rows and have a value."""
    columns = cut(series, edges + shift_ms(sensor)).columns(rows)
    value = value_of(columns, sensor)
    there = (columns.count > 0) & np.isfinite(value)
    width = np.diff(edges)
    return Aggregate(edges[:-1][there], width[there], columns.count[there], value[there], columns.min[there], columns.max[there])
