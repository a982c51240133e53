"""Series where their panels lie: what of a series its traces are drawn by."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from data.catalogue import Catalogue, Sensor
from data.time.epoch import DAY_MS
from data.view.records import HistoryView, SeriesView
from data.view.spread import MOST_TOLD_APART
from figures.legend import legend_names
from figures.panels import Panels
from figures.template import DASHES
from figures.wallclock import WallClock
from figures.words import bucket_ms, in_order, verbatim

Floats = npt.NDArray[np.float64]
Trace = dict[str, Any]
Why = Callable[[SeriesView, Floats, Floats], Sequence[str]]
"""Returns in words why flagged readings of a series are so, of their stamps (ms UTC) and values."""


@dataclass(frozen=True)
class PlacedSeries:
    """A series, its name in the legend, and where it is drawn.

    ``x`` f8[n] axis ms; flagged ones alike, of which ``why`` tells the reasons; which panel, which
    station of how many, which ``sensor_index`` of those on its axis; ``limits`` of the panel's
    axis, where its reader chose some; ``smooth_x`` is of the line over it.
    """

    view: SeriesView
    sensor: Sensor
    name: str
    x: Floats
    flagged_x: Floats
    axis: str
    station_index: int
    station_count: int
    window: tuple[float, float]
    width_px: int
    panel_px: float
    limits: tuple[float | None, float | None] = (None, None)
    smooth_x: Floats | None = None
    sensor_index: int = 0
    why: Why | None = None

    @property
    def is_one_of_many(self) -> bool:
        """Whether its station is one of more than can be told apart."""
        return self.station_count > MOST_TOLD_APART

    @property
    def dash(self) -> str:
        """Dashes help to tell stations apart, or the sensors of stations on an axis."""
        if self.is_one_of_many:
            return DASHES[0]
        return DASHES[(self.sensor_index or self.station_index) % len(DASHES)]

    @property
    def common(self) -> Trace:
        """What all its traces have: name, group and axes."""
        return {
            "name": verbatim(self.name),
            "uid": series_uid(self.view),
            "legendgroup": series_key(self.view),
            "xaxis": "x",
            "yaxis": self.axis,
        }


def placed_series(
    view: HistoryView, catalogue: Catalogue, panels: Panels, clock: WallClock, width_px: int, why: Why | None = None
) -> list[PlacedSeries]:
    """Return the series of a view in the order of the legend, each where its panel lies."""
    names = legend_names(view.series, catalogue, width_px)
    return [
        _placed(one, names[one.station, one.sensor], view, catalogue, panels, clock, width_px, why)
        for one in in_order(view.series, catalogue)
    ]


def _placed(
    series: SeriesView,
    name: str,
    view: HistoryView,
    catalogue: Catalogue,
    panels: Panels,
    clock: WallClock,
    width_px: int,
    why: Why | None,
) -> PlacedSeries:
    stations = sorted({one.station for one in view.series})
    panel = panels.of(series.station, series.sensor)
    long_buckets = bucket_ms(series.bucket) >= DAY_MS
    index, count = stations.index(series.station), len(stations)
    if panel.alone and count > MOST_TOLD_APART:  # nothing is beside it
        index, count = 0, 1
    return PlacedSeries(
        view=series,
        sensor=catalogue[series.sensor],
        name=name,
        x=clock.bucket_to_axis(series.x) if long_buckets else clock.to_axis(series.x),
        flagged_x=clock.to_axis(series.flagged_x),
        axis=panel.axis,
        station_index=index,
        station_count=count,
        sensor_index=panel.sensors.index(catalogue[series.sensor]) if count > 1 else 0,
        window=clock.window,
        width_px=width_px,
        panel_px=panel.height_px,
        limits=(panel.limits.low, panel.limits.high),
        smooth_x=None if series.smooth is None else clock.to_axis(series.smooth.x),
        why=why,
    )


def series_key(view: SeriesView) -> str:
    """Return what names a series in an address, and groups its traces: ``JFK.temperature``."""
    return f"{view.station}.{view.sensor}"


def series_uid(view: SeriesView) -> str:
    """Return what tells a series from others in every figure of a page;
    a word, since Plotly makes CSS selectors of it.
    """
    return "s" + hashlib.blake2b(f"{view.station}\0{view.sensor}".encode(), digest_size=6).hexdigest()
