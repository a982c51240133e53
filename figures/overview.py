"""The slim strip of the whole range under the chart.
Its window is marked by the page (assets/chart.js), not by the figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from access.notes.noted import Noted
from data.catalogue import Catalogue, Sensor
from data.request import HistoryRequest
from data.view.records import HistoryView, SeriesView
from figures.arrays import times, typed
from figures.history import NOTHING_NOTED, Figure, Span
from figures.note_marks import overview_shapes
from figures.panels import MARGIN_LEFT, MARGIN_RIGHT
from figures.shapes import pending_shapes
from figures.template import axis_style, base_layout, series_colour, style_of
from figures.wallclock import WallClock
from figures.words import tick_formats

OVERVIEW_PX = 58
_MOST_STATIONS = 3
_TICK_PX = 96  # of a label: the strip has one line, so each says its year


def overview_request(request: HistoryRequest, catalogue: Catalogue) -> HistoryRequest:
    """What the strip shows: the first sensor that is a line (else bars, else dots),
    of the first few stations.
    """
    order = {"line": 0, "bars": 1, "dots": 2}
    wanted = [sensor for sensor in catalogue if sensor.name in request.sensors]
    first: Sensor = min(wanted, key=lambda sensor: order[sensor.drawing])
    return replace(request, stations=request.stations[:_MOST_STATIONS], sensors=(first.name,))


def overview_figure(
    view: HistoryView,
    catalogue: Catalogue,
    *,
    width_px: int = 1200,
    theme: str = "light",
    pending: Sequence[Span] = (),
    revision: str = "",
    stations: Sequence[str] = (),
    noted: Noted = NOTHING_NOTED,
) -> Figure:
    """A view of the whole range as a strip of :data:`OVERVIEW_PX`: no hover, no controls,
    ticks of time only.

    ``width_px`` is the plot's width: so many ticks as have room beside each other. ``stations`` are
    all of the chart, whose colours it has. ``noted`` is marked at its upper edge.
    """
    style = style_of(theme)
    clock = WallClock(view.start_ms, view.end_ms, view.timezone)
    stations = sorted({*stations, *(series.station for series in view.series)})
    quiet = {**axis_style(style), "fixedrange": True, "showgrid": False}
    return {
        "data": [_trace(series, catalogue[series.sensor], clock, theme, stations) for series in view.series],
        "layout": {
            **base_layout(style),
            "height": OVERVIEW_PX,
            "margin": {"l": MARGIN_LEFT, "r": MARGIN_RIGHT, "t": 2, "b": 18, "pad": 0},
            "showlegend": False,
            "hovermode": False,
            "barmode": "overlay",
            "bargap": 0,
            "xaxis": {
                **quiet,
                "type": "date",
                "range": list(clock.window),
                "tickformatstops": [{**stop, "value": " ".join(stop["value"].split("\n"))} for stop in tick_formats()],
                "tickfont": {"size": 10, "color": style.muted},
                "nticks": min(9, max(2, width_px // _TICK_PX)),
                "tickangle": 0,  # the strip has no room for a slanted label
            },
            "yaxis": {**quiet, "showticklabels": False, "autorange": True},
            "shapes": [
                *pending_shapes(view, pending, "", clock, style),
                *(overview_shapes(noted, clock, style, width_px) if noted else ()),
            ],
            "meta": {"start": view.start_ms, "end": view.end_ms, "offset": clock.offset_ms, "revision": revision},
        },
    }


def _trace(series: SeriesView, sensor: Sensor, clock: WallClock, theme: str, stations: list[str]) -> dict[str, Any]:
    colour = series_colour(sensor.color, style_of(theme), stations.index(series.station), len(stations))
    trace: dict[str, Any] = {"x": times(clock.to_axis(series.x)), "y": typed(series.y, "f4"), "hoverinfo": "skip"}
    if series.kind == "bars":
        width = float(series.width[0]) if series.width is not None and series.width.size else None
        return {**trace, "type": "bar", "width": width, "offset": 0, "marker": {"color": colour, "line": {"width": 0}}}
    if series.kind == "dots":
        return {**trace, "type": "scatter", "mode": "markers", "marker": {"color": colour, "size": 1.5}}
    return {**trace, "type": "scatter", "mode": "lines", "line": {"color": colour, "width": 0.8, "simplify": False}}
