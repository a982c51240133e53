"""Aggregates of buckets by the sensor's rule, from all rows:
mean with least and greatest, sum, or mean direction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.arrays import Floats, Integers
from data.catalogue import Sensor
from data.tiles.series import Rows, Series
from data.time.buckets import Bucket, bucket_edges
from data.view.column_reducers import LIMITS, SUMS
from data.view.reduce import Columns, cut
from data.view.statistics import vector_mean
from data.view.window import SeriesContext, Window


@dataclass(frozen=True)
class Aggregate:
    """Buckets that hold rows: ``start`` i8 ms UTC, ``width`` i8 ms, ``rows`` i8, ``value`` f8,
    ``lower``/``upper`` f8, which have no elements where they were not wanted.
    """

    start: Integers
    width: Integers
    rows: Integers
    value: Floats
    lower: Floats
    upper: Floats


def value_of(columns: Columns, sensor: Sensor) -> Floats:
    """What a column with rows is worth by the sensor's rule;
    NaN for a direction that vanishes (docs/view.md).
    """
    if sensor.aggregation == "sum":
        return columns.sum
    if sensor.is_direction and columns.sin is not None and columns.cos is not None:
        return vector_mean(columns.sin, columns.cos, columns.count)
    means: Floats = columns.sum / np.maximum(columns.count, 1)
    return means


def totals_value(values: Floats, bounds: Integers, sensor: Sensor) -> Floats:
    """Return the value, by the sensor's rule, of each values[bounds_i:bounds_i+1] of raw rows,
    the last to the end.
    """
    counts = np.diff(bounds, append=len(values))
    if sensor.is_direction:
        angle = np.deg2rad(values)
        return vector_mean(np.add.reduceat(np.sin(angle), bounds), np.add.reduceat(np.cos(angle), bounds), counts)
    sums: Floats = np.add.reduceat(values, bounds)
    return sums if sensor.aggregation == "sum" else sums / counts


def aggregate(subject: SeriesContext, bucket: Bucket, window: Window, *, extremes: bool = True) -> Aggregate:
    """Return buckets that touch the window and one more on each side, of the series' rows, with
    the ``extremes`` of each or without.
    """
    series, usual = subject.series, bucket.usual_ms
    start = max(window.start_ms - usual, series.start_ms, series.first_ms)
    end = min(window.end_ms + usual, series.end_ms, series.last_ms + 1)
    if not series.table.tiles or start >= end:
        return aggregate_edges(series, subject.sensor, np.zeros(1, np.int64), window.rows, extremes=extremes)
    edges = bucket_edges(bucket, start, end, window.timezone, subject.sensor.day_start_min)
    return aggregate_edges(series, subject.sensor, edges, window.rows, extremes=extremes)


def aggregate_edges(series: Series, sensor: Sensor, edges: Integers, rows: Rows, *, extremes: bool = True) -> Aggregate:
    """The buckets between increasing ``edges`` i8[n+1] that hold rows and have a value."""
    columns = cut(series, edges).columns(rows, want=(*LIMITS, *SUMS) if extremes else SUMS)
    value = value_of(columns, sensor)
    there = (columns.count > 0) & np.isfinite(value)
    lower, upper = (columns.min[there], columns.max[there]) if extremes else (columns.min, columns.max)
    return Aggregate(edges[:-1][there], np.diff(edges)[there], columns.count[there], value[there], lower, upper)
