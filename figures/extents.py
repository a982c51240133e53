"""From which value to which a series is drawn."""

from __future__ import annotations

import numpy as np

from data.catalogue import Sensor
from data.view.records import SeriesView


def extent(view: SeriesView) -> tuple[float, float]:
    """Return minimum and maximum of what is drawn, unflagged; bars begin at 0. (inf, -inf) of
    nothing.
    """
    drawn = [array[np.isfinite(array)] for array in (view.y, view.lower, view.upper) if array is not None]
    values = np.concatenate(drawn)
    if view.kind == "bars" and values.size:
        values = np.append(values, 0.0)
    return float(values.min(initial=np.inf)), float(values.max(initial=-np.inf))


def drawn_range(view: SeriesView, sensor: Sensor) -> tuple[float, float]:
    """Return the range of what is drawn, unflagged, which is never empty; else the valid range."""
    low, high = extent(view)
    if sensor.is_direction:
        return 0.0, 360.0
    if low > high:
        return sensor.valid_min, sensor.valid_max
    # of a constant run: one displayed digit, so that markers show on both its sides
    least = 10.0**-sensor.decimals
    if view.kind == "bars":
        high = max(high, least)
    return (low, high) if high - low >= least else (low - least, high + least)
