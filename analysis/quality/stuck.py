"""Readings that stand still: one value for longer than the quantity can, and too little change over
two days.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from analysis.quality.spans import NONE, Spans, concatenated, joined
from data.arrays import Bools, Floats, Integers
from data.time.epoch import DAY_MS, HOUR_MS

_LEAST_ROWS: Final = 6
_AROUND: Final = 500  # rows on each side, and the changes nearest to it, that tell the resolution
_CHANGES: Final = 12
_FINEST: Final = 0.2  # quantile of the changes that counts as the resolution: conversions of units leave few smaller ones
_DIGITS: Final = 6  # beyond are what conversions leave
_USUAL: Final = 0.9  # quantile of how often a value is read that counts as usual
_RARE: Final = 0.25  # of that: conversions leave rare values between others
_MOST_COARSE: Final = 12.0  # times the usual resolution


def equal_runs(times: Integers, values: Floats, least_ms: int, pause_ms: int) -> Spans:
    """Return runs of one value of ``least_ms`` or longer, and those that touch either end, which a
    later piece may continue; a pause of more than ``pause_ms`` ends a run.
    """
    rows = len(values)
    if not rows:
        return NONE
    held = np.zeros(rows + 1, bool)  # rows that go on as the one before
    held[1:-1] = (values[1:] == values[:-1]) & (times[1:] - times[:-1] <= pause_ms)
    turns = np.flatnonzero(held[1:] != held[:-1])
    first, last = turns[::2], turns[1::2]
    kept = (times[last] - times[first] >= least_ms) | (first == 0) | (last == rows - 1)
    ends = np.unique([0, rows - 1])
    alone = ends[~held[ends] & ~held[ends + 1]]
    first, last = (np.sort(np.append(each[kept], alone)) for each in (first, last))
    empty = np.ones(len(first))
    return Spans(times[first], times[last], last - first + 1, values[first], empty, empty)


def resolution_around(times: Integers, values: Floats, spans: Spans) -> Floats:
    """Return the steps in which readings change before or after each span, the coarser of the two,
    f8[n] in the sensor's unit; NaN where nothing changes there.

    It is looked at anew for each, since loggers are set to other resolutions.
    """
    found = np.full(len(spans), np.nan)
    low, high = np.searchsorted(times, spans.start), np.searchsorted(times, spans.end, "right")
    for place, (before, after) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
        sides = (values[max(0, before - _AROUND) : before][::-1], values[after : after + _AROUND])
        before_it, after_it = (_resolution(side) for side in sides)
        found[place] = np.fmax(before_it, after_it)
    return found


def _resolution(values: Floats) -> float:
    """Return the step in which the first readings change; where that is finer, the one in which
    values lie apart: readings of an hour change by many steps at once.
    """
    changes = np.abs(values[1:] - values[:-1])
    changes = np.sort(changes[changes > 0][:_CHANGES])
    if not len(changes):
        return np.nan
    levels, often = np.unique(np.round(values, _DIGITS), return_counts=True)
    apart = np.sort(np.diff(levels[often >= _RARE * np.quantile(often, _USUAL)]))
    found = float(changes[int(_FINEST * len(changes))])
    return min(found, float(apart[int(_FINEST * len(apart))])) if len(apart) >= _CHANGES else found


def too_long(spans: Spans, resolution: Floats, least_ms: int, usual_resolution: float) -> Spans:
    """Return the runs that last too long for the resolution that they have.

    ``least_ms`` is for readings in steps of ``usual_resolution`` or finer; coarser ones stand still
    as many times longer. WMO-No. 8, volume V (minimum required variability); QARTOD's flat line
    test; EPA-454/R-00-005 (2000), table 8-4: 0.5 degC in 12 h.
    """
    coarser = np.clip(np.nan_to_num(resolution, nan=usual_resolution) / usual_resolution, 1.0, _MOST_COARSE)
    limit_ms = least_ms * coarser
    lasted = spans.end - spans.start
    kept = (lasted > limit_ms) & (spans.rows >= _LEAST_ROWS)
    limits = Spans(spans.start, spans.end, spans.rows, spans.value, limit_ms / HOUR_MS, lasted / limit_ms)
    return limits.chosen(kept)


def is_quiet(values: Floats, quiet: tuple[float, float] | None) -> Bools:
    """Return which values stand still by nature: calm, no rain, night, saturated air."""
    if quiet is None:
        return np.zeros(len(values), bool)
    return (values >= quiet[0]) & (values <= quiet[1])


class DailyRange:
    """Takes readings a piece at a time and tells on which days they hardly change."""

    def __init__(self) -> None:
        self._parts: list[tuple[Integers, Integers, Floats, Floats]] = []

    def add(self, times: Integers, values: Floats) -> None:
        """Take more readings, all of them later."""
        if not len(times):
            return
        first = int(times[0]) // DAY_MS
        edges = np.arange(first, int(times[-1]) // DAY_MS + 2) * DAY_MS
        at = np.searchsorted(times, edges)
        rows, filled = np.diff(at), np.flatnonzero(np.diff(at))
        low, high = (each.reduceat(values, at[filled]) for each in (np.minimum, np.maximum))
        self._parts.append((filled + first, rows[filled], low, high))

    def still(self, least: float, days: int) -> Spans:
        """Return where readings of ``days`` UTC days in a row stay within ``least`` (in the
        sensor's unit), each day with half as many rows as usual or more.

        Shafer et al. (2000), J. Atmos. Oceanic Technol. 17, 474-494: the persistence test; QARTOD's
        attenuated signal test.
        """
        if not self._parts:
            return NONE
        day, rows, low, high = (np.concatenate(each) for each in zip(*self._parts, strict=True))
        same = np.flatnonzero(np.diff(day) == 0)  # a day in two pieces
        low[same], high[same] = np.minimum(low[same], low[same + 1]), np.maximum(high[same], high[same + 1])
        rows[same] += rows[same + 1]
        day, rows, low, high = (np.delete(each, same + 1) for each in (day, rows, low, high))
        full = rows * 2 >= np.median(rows)
        return self._windows(day[full], rows[full], low[full], high[full], least, days)

    @staticmethod
    def _windows(day: Integers, rows: Integers, low: Floats, high: Floats, least: float, days: int) -> Spans:
        if len(day) < days:
            return NONE
        windows = [np.lib.stride_tricks.sliding_window_view(each, days) for each in (low, high)]
        spread = windows[1].max(axis=1) - windows[0].min(axis=1)
        whole = day[days - 1 :] - day[: len(day) - days + 1] == days - 1
        at = np.flatnonzero(whole & (spread < least))
        number = np.lib.stride_tricks.sliding_window_view(rows, days).sum(axis=1)[at]
        excess = least / np.maximum(spread[at], least * 1e-3)
        end = (day[at] + days) * DAY_MS - 1
        found = Spans(day[at] * DAY_MS, end, number, spread[at], np.full(len(at), least), excess)
        return joined(found, 1)


def continued(parts: list[Spans], pause_ms: int) -> Spans:
    """Return runs of several pieces with those that go on from one piece to the next as one."""
    return joined(concatenated(parts), pause_ms, same=True)
