"""Running means and medians: a line over what is drawn, from all readings, never from its points.

At a time t it is made of the readings of [t - length/2, t + length/2), those beside the window
included; where they are less than half of what the usual step promises, there is no value. Means
come from summaries of blocks, at the cost of the pixels.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from data.arrays import Bools, Floats, Integers
from data.view.column_reducers import SUMS
from data.view.gaps import steps_at
from data.view.lines import line_gaps, neighbours
from data.view.records import Refusal, Smoothing, SmoothLine
from data.view.reduce import cut
from data.view.window import SeriesContext, Window

_LEAST_PX: Final = 2  # of a length that is seen as a line
_ENOUGH: Final = 0.5  # of the readings that are due
_MOST_READINGS: Final = 500_000  # that medians are made of, each of them
_MOST_MEDIANS: Final = 4_000  # of all lines of a picture: 0.1 s
_MOST_SORTED: Final = 8_000_000  # readings that all medians of a line look at: 0.1 s


def smooth_line(subject: SeriesContext, window: Window, smoothing: Smoothing, number: int = 1) -> SmoothLine | None:
    """Return the line over one of a ``number`` of series in a window; None over sums, directions
    and no readings. The more series, the fewer readings medians are made of, so that all take as
    long as one.

    Raises:
        TileDamaged: a tile is damaged; it is out of the index now.
    """
    if subject.sensor.aggregation != "mean" or subject.sensor.drawing != "line" or not subject.series.table.tiles:
        return None
    if subject.floor != "raw":
        return _refused(smoothing, "floor")
    moments, is_few = _moments(subject, window)
    if not is_few and smoothing.length_ms * window.width_px < _LEAST_PX * window.span_ms:
        return _refused(smoothing, "finer")
    if smoothing.kind == "mean":
        count, values = _means(subject, window, moments, smoothing.length_ms)
    else:
        moments = _thinned(subject, moments, smoothing.length_ms, number)
        if not len(moments):
            return _refused(smoothing, "many")
        count, values = _medians(subject, window, moments, smoothing.length_ms)
    enough = _enough(subject, moments, count, smoothing.length_ms)
    stamps = (moments + subject.series.lag_ms).astype(np.float64)
    return SmoothLine(smoothing, stamps, np.where(enough, values, np.nan))


def _refused(smoothing: Smoothing, why: Refusal) -> SmoothLine:
    return SmoothLine(smoothing, np.empty(0), np.empty(0), why)


def _moments(subject: SeriesContext, window: Window) -> tuple[Integers, bool]:
    """Return the times at which the line has points: those of the readings, of the two beside the
    window and the middles of gaps while readings are fewer than pixels, else the edges of pixel
    columns; and whether they are the former.
    """
    series = subject.series
    inside = np.array([window.start_ms, window.end_ms], np.int64)
    if int(np.diff(series.locate(inside)[0].row_in_series)[0]) > window.width_px:
        return window.edges(), False
    before, after = neighbours(series, window)
    times, _values = subject.drawn_rows(window)
    beside = [[side[0]] if side else [] for side in (before, after)]
    moments = np.concatenate([beside[0], times, beside[1]]).astype(np.int64) - series.lag_ms
    before_gap = np.flatnonzero(line_gaps(subject, moments.astype(np.float64), np.arange(len(moments))))
    middles = (moments[before_gap] + moments[before_gap + 1]) // 2
    return np.insert(moments, before_gap + 1, middles), True


def _ends(moments: Integers, length_ms: int) -> tuple[Integers, Integers]:
    """Return the beginnings and ends of the lengths around some moments."""
    begin = moments - length_ms // 2
    return begin, begin + length_ms


def _means(subject: SeriesContext, window: Window, moments: Integers, length_ms: int) -> tuple[Integers, Floats]:
    """Return how many readings are around each moment, and their mean."""
    begin, end = _ends(moments, length_ms)
    edges = np.unique(np.concatenate([begin, end]))
    columns = cut(subject.series, edges).columns(window.rows, want=SUMS)
    if not columns.count.any():
        return np.zeros(len(moments), np.int64), np.full(len(moments), np.nan)
    level = columns.sum.sum() / columns.count.sum()  # running totals of differences from it stay small, and so exact
    counts = np.concatenate([[0], np.cumsum(columns.count)])
    totals = np.concatenate([[0.0], np.cumsum(columns.sum - level * columns.count)])
    first, last = np.searchsorted(edges, begin), np.searchsorted(edges, end)
    count = counts[last] - counts[first]
    return count, level + (totals[last] - totals[first]) / np.maximum(count, 1)


def _thinned(subject: SeriesContext, moments: Integers, length_ms: int, number: int) -> Integers:
    """Return those of the moments, evenly spread, at which medians are found in time; none where
    there are too many readings.
    """
    around = np.array([moments[0] - length_ms, moments[-1] + length_ms], np.int64) if len(moments) else np.zeros(2, np.int64)
    rows = int(np.diff(subject.series.locate(around)[0].row_in_series)[0])
    if rows * number > _MOST_READINGS:
        return moments[:0]
    each = max(1.0, rows * min(1.0, length_ms / max(1, int(around[1] - around[0]))))
    share = max(each / _MOST_SORTED, 1 / _MOST_MEDIANS)
    return moments[:: max(1, int(np.ceil(len(moments) * number * share)))]


def _medians(subject: SeriesContext, window: Window, moments: Integers, length_ms: int) -> tuple[Integers, Floats]:
    """Return how many readings are around each moment, and their median."""
    begin, end = _ends(moments, length_ms)
    times, values, flags = subject.series.read(int(begin[0]), int(end[-1]))
    if window.rows == "good" and flags.any():
        times, values = times[flags == 0], values[flags == 0]
    first, last = (np.searchsorted(times - subject.series.lag_ms, side) for side in (begin, end))
    pieces = zip(first.tolist(), last.tolist(), strict=True)
    found = [np.median(values[low:high]) if low < high else np.nan for low, high in pieces]
    return last - first, np.array(found, np.float64)


def _enough(subject: SeriesContext, moments: Integers, count: Integers, length_ms: int) -> Bools:
    """Return where at least half of the readings are there that the usual step promises."""
    steps = steps_at(subject.series, moments + subject.series.lag_ms, subject.step_ms)
    due = length_ms / np.maximum(steps, 1)
    return np.asarray((count > 0) & ((steps == 0) | (count >= _ENOUGH * due)), np.bool_)
