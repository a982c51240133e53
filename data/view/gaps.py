"""Where a line breaks: pauses that are too long for the neighbours to be joined."""

from __future__ import annotations

import numpy as np

from data.arrays import Bools, Integers
from data.catalogue import Sensor
from data.tiles.series import Series

USUAL_STEPS = 3  # a pause longer than this many usual steps is a gap


def steps_at(series: Series, times: Integers, step_ms: int | None) -> Integers:
    """Return the usual pause around each time (ms): its blocks', else ``step_ms``, else 0."""
    table = series.table
    if not len(table.start):
        return np.full(len(times), step_ms or 0, np.int64)
    block = np.maximum(np.searchsorted(table.start, times, "right") - 1, 0)
    steps = table.usual_step[block]
    return np.where(steps > 0, steps, step_ms or 0)


def gaps_between(series: Series, sensor: Sensor, times: Integers, step_ms: int | None, allowance_ms: int = 0) -> Bools:
    """Return whether the line breaks between neighbours of increasing ``times``, bool [n-1].

    A pause is a gap when it is longer than the sensor's ``gap_ms``, or, without one, than three
    usual steps of both its sides: where the step changes, the coarser side decides. With no step
    known nothing breaks. ``allowance_ms`` is added for points that stand for a bucket.
    """
    pauses = np.diff(times)
    if sensor.gap_ms is not None:
        return pauses > sensor.gap_ms + allowance_ms
    steps = steps_at(series, times, step_ms)
    limit = USUAL_STEPS * np.maximum(steps[1:], steps[:-1])
    return (limit > 0) & (pauses > limit + allowance_ms)
