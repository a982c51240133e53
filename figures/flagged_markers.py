"""Flagged observations of a series: hollow markers, few enough to be told apart."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from data.time.epoch import DAY_MS
from figures.arrays import measured, times, typed
from figures.extents import drawn_range
from figures.placed_series import Floats, PlacedSeries, Trace, series_uid
from figures.words import verbatim
from i18n import gettext as _

# markers of a series: one each 6 px of a 1,200 px window, the width of a marker
_MARKERS: Final = 200
_TOLD_MS: Final = 366 * DAY_MS  # of longer windows a marker is one of many readings that nobody asks about
_OPEN_CIRCLE, _OPEN_UP, _OPEN_DOWN = 100, 105, 106  # Plotly's symbol numbers


def flagged_trace(placed: PlacedSeries, colour: str) -> Trace:
    """Return flagged observations as hollow markers; one beyond the drawn values sits at the
    panel's edge, its hover tells the value.
    """
    view, sensor = placed.view, placed.sensor
    low, high = _seen_range(placed)
    start, end = placed.window
    kept = _thinned(placed.flagged_x, view.flagged_y, placed.window, (low + high) / 2)
    x, y = placed.flagged_x[kept], view.flagged_y[kept]
    is_told = placed.why is not None and not placed.is_one_of_many and end - start <= _TOLD_MS
    why = placed.why(view, view.flagged_x[kept], y) if placed.why and is_told else []
    beyond = np.where(y > high, _OPEN_UP, np.where(y < low, _OPEN_DOWN, _OPEN_CIRCLE))
    return {
        **placed.common,
        "name": verbatim(f"{placed.name} · {_('flagged')}"),
        "uid": series_uid(view) + "flagged",
        "type": "scatter",
        "mode": "markers",
        "x": times(x),
        "y": typed(np.clip(y, low, high), "f4"),
        "customdata": measured(y, sensor.decimals),
        "marker": {"symbol": beyond.tolist(), "size": 6, "color": colour, "line": {"width": 1.1, "color": colour}},
        "cliponaxis": False,
        **({"text": [verbatim(each) for each in why]} if why else {}),
        "hovertemplate": f"<b>%{{customdata:,.{sensor.decimals}f}} {verbatim(sensor.unit)}</b>"
        f"{'<br>%{text}' if why else ''}<span style='opacity:.65'>{'<br>' if why else '  '}%{{x|%-d %b %H:%M:%S}}</span>",
        "showlegend": False,
    }


def _seen_range(placed: PlacedSeries) -> tuple[float, float]:
    """Return the least and the greatest value at which a marker is seen."""
    low, high = drawn_range(placed.view, placed.sensor)
    least, greatest = placed.limits
    return (low if least is None else max(low, least), high if greatest is None else min(high, greatest))


def _thinned(x: Floats, y: Floats, window: tuple[float, float], middle: float) -> npt.NDArray[np.int64]:
    """Return the places of at most :data:`_MARKERS` points: of each column the one farthest from
    the middle.
    """
    if x.size <= _MARKERS:
        return np.arange(x.size)
    start, end = window
    column = np.clip(((x - start) / (end - start) * _MARKERS).astype(np.int64), 0, _MARKERS - 1)
    order = np.lexsort((-np.abs(y - middle), column))
    first = np.concatenate(([True], column[order][1:] != column[order][:-1]))
    return np.sort(order[first])
