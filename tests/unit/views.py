"""Views made by hand, for tests of figures and tables: no tile behind them."""

from __future__ import annotations

from typing import Any

import numpy as np

from data.view.records import HistoryView, SeriesStatistics, SeriesView

START_MS = 1_546_275_600_000  # 2019-01-01 00:00 WIB
HOUR_MS, DAY_MS = 3_600_000, 86_400_000


def line(x: Any, y: Any, *, station: str = "aws-1", sensor: str = "temperature", rows: Any = 1, **more: Any) -> SeriesView:
    return series(station, sensor, "line", x, y, rows, **more)


def series(station: str, sensor: str, kind: Any, x: Any, y: Any, rows: Any = 1, **more: Any) -> SeriesView:
    times, values = np.asarray(x, np.float64), np.asarray(y, np.float64)
    fields: dict[str, Any] = {
        "width": None,
        "lower": None,
        "upper": None,
        "flagged_x": np.empty(0),
        "flagged_y": np.empty(0),
        "bucket": "raw",
        "exact": True,
        "total_rows": len(times),
        "total_flagged": 0,
    }
    counts = np.broadcast_to(np.asarray(rows, np.int64), times.shape)
    return SeriesView(station=station, sensor=sensor, kind=kind, x=times, y=values, rows=counts, **(fields | more))


def statistics(one: SeriesView, completeness: float | None = 1.0) -> SeriesStatistics:
    y = one.y[np.isfinite(one.y)]
    if not y.size:
        return SeriesStatistics(one.station, one.sensor, 0, 0, None, *[None] * 8)
    first, last = int(one.x[0]), int(one.x[-1])
    extremes = (float(y.min()), first, float(y.max()), last)
    rest = (float(y.mean()), float(y.sum()), float(y[-1]), last)
    return SeriesStatistics(one.station, one.sensor, one.total_rows, one.total_flagged, completeness, *extremes, *rest)


def view(
    *parts: SeriesView,
    start_ms: int = START_MS,
    end_ms: int = START_MS + DAY_MS,
    timezone: str = "Asia/Jakarta",
    resolution: str = "raw",
    completeness: float | None = 1.0,
) -> HistoryView:
    return HistoryView(
        start_ms=start_ms,
        end_ms=end_ms,
        timezone=timezone,
        resolution=resolution,
        series=parts,
        statistics=tuple(statistics(part, completeness) for part in parts),
        total_rows=sum(part.total_rows for part in parts),
        total_flagged=sum(part.total_flagged for part in parts),
    )
