"""The window of a view: which part of a request is looked at, how wide,
and what may be drawn there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.arrays import Floats, Integers
from data.catalogue import Sensor
from data.flag_layer import OverlaidSeries
from data.request import HistoryRequest
from data.tiles.series import Rows, Series
from data.time.resolution import Resolution
from data.view.reduce import Columns

POINTS_A_COLUMN = 4  # first, minimum, maximum, last


@dataclass(frozen=True)
class Window:
    """[start_ms, end_ms) as asked, int ms UTC, ``width_px`` columns wide;
    data is taken from within the series' range.
    """

    start_ms: int
    end_ms: int
    width_px: int
    timezone: str
    include_flagged: bool = False

    @property
    def span_ms(self) -> int:
        """Length in ms."""
        return self.end_ms - self.start_ms

    @property
    def rows(self) -> Rows:
        """Which rows are drawn."""
        return "all" if self.include_flagged else "good"

    def edges(self, pixels: int = 1) -> Integers:
        """Edges i8[n+1] of columns that are ``pixels`` wide:
        a time t is in column floor((t - start) * n / span).
        """
        columns = max(1, min(self.width_px // pixels, self.span_ms))
        return self.start_ms - (-np.arange(columns + 1, dtype=np.int64) * self.span_ms) // columns


@dataclass(frozen=True)
class SeriesContext:
    """What is drawn: a series, its sensor, and its usual step in ms (None when unknown);
    no parts of steps of ``floor``; ``overlaid`` where flags of rules count in it.
    """

    series: Series
    sensor: Sensor
    step_ms: int | None
    floor: Resolution = "raw"
    overlaid: OverlaidSeries | None = None

    def drawn_rows(self, window: Window) -> tuple[Integers, Floats]:
        """Times (ms UTC) and values in the window, of flagged rows only where they are drawn."""
        times, values, flags = self.series.read(window.start_ms, window.end_ms)
        if window.include_flagged or not flags.any():
            return times, values
        return times[flags == 0], values[flags == 0]


def column_points(columns: Columns, *names: str) -> tuple[Floats, Floats, Integers]:
    """X f8 and y f8 of some rows (such as ``min``) of each column with rows, by time,
    equal ones once; and which of those columns each is of.
    """
    there = columns.count > 0
    times, values = (np.stack([getattr(columns, name + of)[there] for name in names], axis=1) for of in ("_time", ""))
    order = np.argsort(times, axis=1, kind="stable")
    x = np.take_along_axis(times, order, axis=1)
    y = np.take_along_axis(values, order, axis=1)
    fresh = np.ones(x.shape, bool)
    fresh[:, 1:] = x[:, 1:] != x[:, :-1]
    return x[fresh].astype(np.float64), y[fresh], np.nonzero(fresh)[0]


def clip_window(request: HistoryRequest, start_ms: object, end_ms: object) -> tuple[int, int]:
    """[start, end) inside the request; what is no window (not numbers, reversed, outside)
    means the whole request.
    """
    whole = (request.start_ms, request.end_ms)
    if not _is_time(start_ms) or not _is_time(end_ms):
        return whole
    start, end = max(round(start_ms), whole[0]), min(round(end_ms), whole[1])  # type: ignore[call-overload]
    return (start, end) if start < end else whole


def _is_time(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e15
