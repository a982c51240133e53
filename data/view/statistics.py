"""Exact statistics of a window: of all its rows, from summaries of blocks,
with raw rows only at the two edges.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from data.arrays import Floats, Integers
from data.catalogue import Sensor
from data.tiles.series import Series
from data.time.months import month_starts_ms
from data.view.records import SeriesStatistics
from data.view.reduce import Columns, cut

__all__ = ["VANISHING", "SeriesStatistics", "statistics", "vector_mean"]

# A resultant of unit vectors shorter than this (0..1) has no direction that means anything:
# calm, or wind from everywhere.
VANISHING = 1e-3
_NOISE = 1e-6  # of adding up the parts of months


def statistics(
    series: Series, sensor: Sensor, start_ms: int, end_ms: int, *, step_ms: int | None, include_flagged: bool = False
) -> SeriesStatistics:
    """Statistics of [start_ms, end_ms) within the series' own range, int ms UTC.

    ``step_ms`` is the station's usual step, for months that have no tile to tell theirs.
    """
    start, end = max(start_ms, series.start_ms), min(end_ms, series.end_ms)
    edges = np.array([start, max(start, end)], np.int64)
    columns = cut(series, edges).columns("all" if include_flagged else "good")
    total, count = int(columns.total[0]), int(columns.count[0])
    found = _of_rows(columns, sensor)
    completeness = _completeness(series, start, end, total, step_ms)
    return SeriesStatistics(
        station=series.key.station,
        sensor=sensor.name,
        rows=total,
        flagged=int(columns.flagged[0]),
        completeness=completeness,
        **(found if count else dict.fromkeys(found)),
    )


def _of_rows(columns: Columns, sensor: Sensor) -> dict[str, Any]:
    names = ("min", "min_time", "max", "max_time", "sum", "last", "last_time")
    found = {name: getattr(columns, name)[0].item() for name in names}
    if sensor.is_direction and columns.sin is not None and columns.cos is not None:
        angle = float(vector_mean(columns.sin, columns.cos, columns.count)[0])
        return {**found, "mean": None if math.isnan(angle) else angle}
    return {**found, "mean": found["sum"] / max(int(columns.count[0]), 1)}


def vector_mean(sin: Floats, cos: Floats, count: Integers) -> Floats:
    """Mean directions in degrees, 0 <= d < 360, from sums of unit vectors;
    NaN where the resultant vanishes.

    Mardia & Jupp, Directional Statistics (2000), 2.2. ``count`` is the number of vectors.
    """
    length = np.hypot(sin, cos) / np.maximum(count, 1)
    angle = np.rad2deg(np.arctan2(sin, cos)) % 360.0
    means: Floats = np.where((length > VANISHING) & (count > 0), np.where(angle >= 360.0, 0.0, angle), np.nan)
    return means


def _completeness(series: Series, start: int, end: int, rows: int, step_ms: int | None) -> float | None:
    """Rows against those that the usual step promises, each month by its own step;
    None when no step is known.
    """
    if end <= start:
        return None
    known = [(entry.month, entry.step_ms) for entry in series.entries if entry.step_ms]
    usual = step_ms or (float(np.median([step for _, step in known])) if known else None)
    months = np.array([month for month, _ in known], np.int64)
    begin, stop = month_starts_ms(months), month_starts_ms(months + 1)
    overlap = np.maximum(0, np.minimum(end, stop) - np.maximum(start, begin))
    expected = float((overlap / np.array([step for _, step in known])).sum())
    rest = end - start - int(overlap.sum())
    if rest and not usual:
        return None
    expected += rest / usual if usual else 0.0
    # of a day of 25 hours a daily gauge owes one reading, not 1.04
    due = math.floor(expected + _NOISE)
    if not rows and not due:  # between two readings none is due
        return None
    return min(1.0, rows / max(due, 1))
