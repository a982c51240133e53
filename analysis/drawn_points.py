"""Statistics of what is drawn: of the buckets that stand for readings, such as daily sums."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from analysis.quantiles import quantiles
from analysis.summary import Summary
from data.arrays import Floats
from data.catalogue import Catalogue, Sensor
from data.view.records import HistoryView, SeriesStatistics, SeriesView
from data.view.resampled import needs_rollup
from data.view.statistics import vector_mean

SeriesName = tuple[str, str]  # station and sensor


@dataclass(frozen=True)
class DrawnStatistics:
    """A view with the statistics of its points in place of those of readings, and what takes all of
    them; ``buckets`` are what the points of a series stand for, of those that stand for several
    readings.
    """

    view: HistoryView
    summaries: Mapping[SeriesName, Summary]
    buckets: Mapping[SeriesName, str]


def is_each_bucket_drawn(view: HistoryView, width_px: int) -> bool:
    """Return whether there is a point for each bucket of a view in so many columns, and some point
    stands for a bucket: else statistics of points would be of a choice among them.
    """
    span_ms = view.end_ms - view.start_ms
    return any(one.bucket != "raw" for one in view.series) and not needs_rollup(view.resolution, span_ms, width_px)


def drawn_statistics(view: HistoryView, catalogue: Catalogue, summaries: Mapping[SeriesName, Summary]) -> DrawnStatistics:
    """Return the statistics of the buckets that begin in the window; where points are readings,
    those that the view and ``summaries`` have.
    """
    buckets = {(one.station, one.sensor): one for one in view.series if one.bucket != "raw"}
    found = {name: _of_points(one, catalogue[one.sensor], (view.start_ms, view.end_ms)) for name, one in buckets.items()}
    numbers = [found[one.station, one.sensor][0] if (one.station, one.sensor) in found else one for one in view.statistics]
    return DrawnStatistics(
        replace(view, statistics=tuple(numbers)),
        {**summaries, **{name: summary for name, (_numbers, summary) in found.items()}},
        {name: one.bucket for name, one in buckets.items()},
    )


def _of_points(one: SeriesView, sensor: Sensor, window: tuple[int, int]) -> tuple[SeriesStatistics, Summary]:
    """Numbers of one series: ``rows`` are its buckets, a time is when a bucket begins."""
    inside = np.isfinite(one.y) & (one.x >= window[0]) & (one.x < window[1])
    times, values = one.x[inside], one.y[inside]
    numbers = dict.fromkeys(("min", "min_time", "max", "max_time", "mean", "sum", "last", "last_time"))
    if len(values):
        least, greatest = int(values.argmin()), int(values.argmax())
        numbers |= {"min": float(values[least]), "min_time": int(times[least]), "mean": _mean(values, sensor)}
        numbers |= {"max": float(values[greatest]), "max_time": int(times[greatest]), "sum": float(values.sum())}
        numbers |= {"last": float(values[-1]), "last_time": int(times[-1])}
    exact = SeriesStatistics(one.station, one.sensor, len(values), 0, None, **numbers)
    return exact, _summary(exact, values, sensor)


def _mean(values: Floats, sensor: Sensor) -> float | None:
    if not sensor.is_direction:
        return float(values.mean())
    angles = np.deg2rad(values)
    sums = np.array([np.sin(angles).sum()]), np.array([np.cos(angles).sum()])
    angle = float(vector_mean(*sums, np.array([len(values)]))[0])
    return None if math.isnan(angle) else angle


def _summary(exact: SeriesStatistics, values: Floats, sensor: Sensor) -> Summary:
    told = values if not sensor.is_direction else values[:0]  # a direction has no quantiles
    p10, median, p90 = quantiles(told, (0.1, 0.5, 0.9)).tolist()
    return Summary(
        rows=exact.rows,
        flagged=0,
        expected=None,
        complete=None,
        gaps=0,
        min=exact.min,
        min_time=None,
        min_count=int(np.count_nonzero(told == exact.min)) or None,
        max=exact.max,
        max_time=None,
        max_count=int(np.count_nonzero(told == exact.max)) or None,
        p10=p10,
        median=median,
        p90=p90,
        mean=exact.mean,
        std=float(told.std(ddof=1)) if len(told) > 1 else math.nan,
        total=exact.sum if sensor.aggregation == "sum" else None,
    )
