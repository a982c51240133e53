"""The queue's last day as two small figures: how many jobs waited, and how long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from data.time.epoch import HOUR_MS
from figures.template import axis_style, base_layout, style_of
from figures.wallclock import WallClock
from figures.words import tick_formats
from i18n import THIN_SPACE, format_duration, format_number
from i18n import gettext as _

Figure = dict[str, Any]
Span = tuple[int, int]  # [from, to) in int ms UTC
Integers = npt.NDArray[np.int64]

HEIGHT_PX: Final = 92
BUCKET_MS: Final = 900_000  # a quarter of an hour: 96 bars a day
# the axis ends here at least, so that fractions of a second look as small as they are
_LEAST_WAIT_S: Final = 5.0


def buckets(start_ms: int, end_ms: int) -> Integers:
    """Beginnings of the quarters of an hour (UTC) that touch [start, end), i8[n];
    the last is the current one.
    """
    # whole ones only, so that the first does not look emptier than it was
    first = start_ms // BUCKET_MS + 1
    return np.arange(first, end_ms // BUCKET_MS + 1, dtype=np.int64) * BUCKET_MS


def most_waiting(waits: Sequence[Span], starts: Integers) -> Integers:
    """The greatest number of jobs that waited at one time within each bucket, i8[n]."""
    changes = sorted(change for begin, end in waits if end > begin for change in ((begin, 1), (end, -1)))
    times = np.array([time for time, _change in changes], np.int64)
    depth = np.cumsum([change for _time, change in changes], dtype=np.int64)
    most = np.zeros(len(starts), np.int64)
    for place, start in enumerate(starts):
        low, high = np.searchsorted(times, [start, start + BUCKET_MS], "right")
        before = depth[low - 1] if low else 0
        most[place] = max(before, depth[low:high].max(initial=0))
    return most


def longest_wait_s(waits: Sequence[Span], starts: Integers) -> npt.NDArray[np.float64]:
    """Return the longest wait (s) of jobs that began in each bucket, f8[n]; 0 for none."""
    longest = np.zeros(len(starts))
    for begin, end in waits:
        place = int(np.searchsorted(starts, end, "right")) - 1
        if 0 <= place < len(starts):
            longest[place] = max(longest[place], (end - begin) / 1000)
    return longest


def depth_figure(waits: Sequence[Span], start_ms: int, end_ms: int, timezone: str, theme: str) -> Figure:
    """Jobs that waited, a bar each quarter of an hour."""
    starts = buckets(start_ms, end_ms)
    depth = most_waiting(waits, starts)
    words = [_("{count} waiting").format(count=format_number(value)) for value in depth]
    top = max(2.0, float(depth.max(initial=0)))
    return _bars(starts, depth.astype(np.float64), words, (top, format_number(top)), timezone, theme)


def wait_figure(waits: Sequence[Span], start_ms: int, end_ms: int, timezone: str, theme: str) -> Figure:
    """The longest wait, a bar each quarter of an hour."""
    starts = buckets(start_ms, end_ms)
    longest = longest_wait_s(waits, starts)
    words = [
        _("waited up to {duration}").format(duration=format_duration(value)) if value else _("nothing started")
        for value in longest
    ]
    top = max(_LEAST_WAIT_S, float(longest.max(initial=0.0)))
    return _bars(starts, longest, words, (top, format_duration(top)), timezone, theme)


def _bars(
    starts: Integers, values: npt.NDArray[np.float64], words: list[str], top: tuple[float, str], timezone: str, theme: str
) -> Figure:
    style = style_of(theme)
    first, last = int(starts[0]), int(starts[-1]) + BUCKET_MS
    clock = WallClock(first, last, timezone)
    quiet = {**axis_style(style), "fixedrange": True}
    bar: dict[str, Any] = {
        "type": "bar",
        "x": clock.to_axis(starts.astype(np.float64)).tolist(),
        "y": values.tolist(),
        "width": BUCKET_MS * 0.85,
        "offset": 0,
        "customdata": words,
        "hovertemplate": "%{x|%H:%M}" + THIN_SPACE + clock.name + ": %{customdata}<extra></extra>",
        "marker": {"color": style.muted, "line": {"width": 0}},
    }
    return {
        "data": [bar],
        "layout": {
            **base_layout(style),
            "height": HEIGHT_PX,
            "margin": {"l": 40, "r": 4, "t": 8, "b": 20, "pad": 0},
            "showlegend": False,
            "hovermode": "x",
            "bargap": 0,
            "xaxis": {
                **quiet,
                "type": "date",
                "showgrid": False,
                "range": list(clock.window),
                "tickformatstops": [{**stop, "value": stop["value"].split("\n")[0]} for stop in tick_formats()],
                "dtick": 6 * HOUR_MS,
            },
            "yaxis": {**quiet, "range": [0, top[0] * 1.08], "tickvals": [0, top[0]], "ticktext": ["0", top[1]]},
        },
    }
