"""Bars: one an observation when they are few, else sums over buckets that a reader can name."""

from __future__ import annotations

import numpy as np

from data.aggregate import aggregate
from data.buckets import BY_NAME, Bucket, nice_bucket
from data.gaps import steps_at
from data.window import Points, Subject, Window

PIXELS_A_BAR = 3
PIXELS_A_SINGLE_BAR = 2  # an hour's, a day's, a month's sum: people look for these
_UNKNOWN_STEP_MS = 60_000


def bars(subject: Subject, window: Window, rows: int, resolution: str) -> Points:
    """Bars at ``resolution`` (or coarser, 2 or 3 pixels each at least); ``rows`` observations lie in the window."""
    most = max(1, window.width_px // PIXELS_A_BAR)
    if resolution == "raw" and rows <= most:
        return _exact(subject, window)
    least = None if resolution == "raw" else BY_NAME[resolution]
    bucket = nice_bucket(window.span_ms, most, least, window.width_px // PIXELS_A_SINGLE_BAR)
    return _sums(subject, window, bucket)


def _sums(subject: Subject, window: Window, bucket: Bucket) -> Points:
    """Whole buckets, also where the window's edge cuts one: a bar that is half seen still has its true height."""
    found = aggregate(subject, bucket, window)
    return Points(found.start.astype(np.float64), found.value, found.rows, bucket.name, width=found.width.astype(np.float64))


def _exact(subject: Subject, window: Window) -> Points:
    sensor = subject.sensor
    times, values, flags = subject.series.read(window.start_ms, window.end_ms)
    if not window.include_flagged:
        times, values = times[flags == 0], values[flags == 0]
    width = steps_at(subject.series, times, subject.step_ms)
    width = np.where(width > 0, width, _UNKNOWN_STEP_MS)
    if len(times) > 1:  # where the step changes, bars do not overlap
        pauses = np.diff(times)
        room = np.concatenate([[width[0]], pauses] if sensor.stamp == "end" else [pauses, [width[-1]]])
        width = np.minimum(width, room)
    start = times - width if sensor.stamp == "end" else times
    ones = np.ones(len(times), np.int64)
    return Points(start.astype(np.float64), values, ones, "raw", exact=True, width=width.astype(np.float64))
