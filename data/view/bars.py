"""Bars: one an observation when they are few, else sums over buckets that a reader can name."""

from __future__ import annotations

import numpy as np

from data.range_rows import refuse_cut_steps
from data.time.buckets import BY_NAME, nice_bucket
from data.time.epoch import MINUTE_MS
from data.view.aggregate import aggregate
from data.view.gaps import steps_at
from data.view.records import Points
from data.view.window import SeriesContext, Window

PIXELS_A_BAR = 3
PIXELS_A_SINGLE_BAR = 2  # an hour's, a day's, a month's sum: people look for these
_UNKNOWN_STEP_MS = MINUTE_MS


def bars(subject: SeriesContext, window: Window, rows: int, resolution: str) -> Points:
    """Bars at ``resolution`` (or coarser, 2 or 3 pixels each at least);
    ``rows`` observations lie in the window.

    Raises:
        NotPermitted: they would show parts of steps that may only be seen whole.
    """
    most = max(1, window.width_px // PIXELS_A_BAR)
    if resolution == "raw" and rows <= most:
        return _exact(subject, window)
    least = None if resolution == "raw" else BY_NAME[resolution]
    bucket = nice_bucket(window.span_ms, most, least, window.width_px // PIXELS_A_SINGLE_BAR)
    refuse_cut_steps(subject.floor, subject.sensor, bucket)
    # Whole buckets, also where the window's edge cuts one: what is half seen has its true height.
    found = aggregate(subject, bucket, window, extremes=False)
    return Points(found.start.astype(np.float64), found.value, found.rows, bucket.name, width=found.width.astype(np.float64))


def _exact(subject: SeriesContext, window: Window) -> Points:
    sensor = subject.sensor
    times, values = subject.drawn_rows(window)
    width = steps_at(subject.series, times, subject.step_ms)
    width = np.where(width > 0, width, _UNKNOWN_STEP_MS)
    if len(times) > 1:  # where the step changes, bars do not overlap
        pauses = np.diff(times)
        room = np.concatenate([[width[0]], pauses] if sensor.stamp == "end" else [pauses, [width[-1]]])
        width = np.minimum(width, room)
    start = times - width if sensor.stamp == "end" else times
    ones = np.ones(len(times), np.int64)
    return Points(start.astype(np.float64), values, ones, "raw", exact=True, width=width.astype(np.float64))
