"""A view to the history figure: a plain dict with typed arrays, ready for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from data.catalogue import Catalogue
from data.drawn import HistoryView, SeriesView
from figures.panels import MARGIN_BOTTOM, MARGIN_LEFT, MARGIN_RIGHT, PHONE_PX, Panel, Panels, arrange, header, value_axis
from figures.template import FONT, Style, axis_style, base_layout, style_of
from figures.traces import Placed, series_traces
from figures.wallclock import WallClock
from figures.words import DAY_MS, bucket_ms, hover_format, in_order, picture_name, separators, tick_formats
from i18n import gettext as _

Figure = dict[str, Any]
Span = tuple[int, int]

_TOOLS_PX = 104  # Plotly's buttons, which come up over a chart without a legend


def history_figure(
    view: HistoryView,
    catalogue: Catalogue,
    *,
    theme: str = "light",
    width_px: int = 1200,
    height_px: int | None = None,
    whole: Span | None = None,
    pending: Sequence[Span] = (),
    pending_text: str = "",
    revision: str = "",
    sequence: int = 0,
) -> Figure:
    """One panel a unit over a shared time axis, in the current language.

    ``width_px`` is the plot's width. ``height_px`` is the figure's height when it must fit a frame, and then it has no buttons
    (None: what suits its panels, as ``layout.meta.height`` says in any case). ``whole`` is the request's [start, end),
    ``pending`` the spans of it that no tile covers yet (all int ms UTC). ``revision`` names the job: what its user did to the
    figure (hidden series) survives new figures of the same job. ``sequence`` is echoed in ``layout.meta``, so that the page
    can drop an answer that is no longer wanted.
    """
    style = style_of(theme)
    clock = WallClock(view.start_ms, view.end_ms, view.timezone)
    panels = arrange(view, catalogue, width_px, height_px)
    placed = [_place(series, view, catalogue, panels, clock, width_px) for series in in_order(view.series, catalogue)]
    return {
        "data": [trace for one in placed for trace in series_traces(one, style)],
        "layout": {
            **base_layout(style),
            **_frame(view, panels, style, revision, width_px),
            "xaxis": _time_axis(view, clock, style, placed, width_px, sequence),
            **{_axis_key(panel.axis): value_axis(panel, style, empty=not _measured(view, panel)) for panel in panels.panels},
            "annotations": [
                *(header(panel, style) for panel in panels.panels),
                *_zone_note(clock, style, beside_tools=len(view.series) < 2 and height_px is None),
            ],
            **pending_shapes(view, pending, pending_text, clock, style),
            "meta": {
                "start": view.start_ms,
                "end": view.end_ms,
                "whole": list(whole or (view.start_ms, view.end_ms)),
                "offset": clock.offset_ms,
                "revision": revision,
                "sequence": sequence,
                "picture": picture_name(view, catalogue),
                "ground": style.ground,
                "height": arrange(view, catalogue, width_px).height,
            },
        },
    }


def _measured(view: HistoryView, panel: Panel) -> bool:
    """Whether any series of the panel has a value to draw, a flagged one included."""
    names = {sensor.name for sensor in panel.sensors}
    return any(series.flagged_y.size or np.isfinite(series.y).any() for series in view.series if series.sensor in names)


def empty_figure(theme: str = "light") -> Figure:
    """A figure of nothing: no axes, no words (the page says in words why there is none)."""
    hidden = {"visible": False, "fixedrange": True}
    margin = {"l": MARGIN_LEFT, "r": MARGIN_RIGHT, "t": 0, "b": 0}
    return {
        "data": [],
        "layout": {**base_layout(style_of(theme)), "xaxis": hidden, "yaxis": hidden, "height": 320, "margin": margin},
    }


def _place(
    series: SeriesView, view: HistoryView, catalogue: Catalogue, panels: Panels, clock: WallClock, width_px: int
) -> Placed:
    stations = sorted({one.station for one in view.series})
    panel = panels.of(series.sensor)
    long_buckets = bucket_ms(series.bucket) >= DAY_MS
    return Placed(
        view=series,
        sensor=catalogue[series.sensor],
        x=clock.bucket_to_axis(series.x) if long_buckets else clock.to_axis(series.x),
        flagged_x=clock.to_axis(series.flagged_x),
        axis=panel.axis,
        station_place=stations.index(series.station),
        station_count=len(stations),
        window=(float(view.start_ms + clock.offset_ms), float(view.end_ms + clock.offset_ms)),
        width_px=width_px,
        panel_px=panel.height_px,
    )


def _frame(view: HistoryView, panels: Panels, style: Style, revision: str, width_px: int) -> dict[str, Any]:
    return {
        "height": panels.height,
        "autosize": True,
        "margin": {"l": MARGIN_LEFT, "r": MARGIN_RIGHT, "t": panels.margin_top, "b": MARGIN_BOTTOM, "pad": 0},
        "uirevision": revision,
        "separators": separators(),
        "hovermode": "x unified",
        "hoversubplots": "axis",
        "hoverdistance": 12,
        "spikedistance": -1,
        **({"hoverlabel": _small_hover(style)} if width_px < PHONE_PX else {}),
        "dragmode": "zoom",
        "barmode": "overlay",
        "bargap": 0,
        "showlegend": len(view.series) > 1,
        "legend": {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "xref": "paper",
            "y": 1,
            "yanchor": "top",
            "yref": "container",
            "font": {"family": FONT, "size": 12, "color": style.ink},
            "bgcolor": "rgba(0,0,0,0)",
            "itemsizing": "trace",
            "tracegroupgap": 0,
            "groupclick": "togglegroup",
        },
    }


def _small_hover(style: Style) -> dict[str, Any]:
    """A hover that fits a phone: small letters, names cut."""
    label: dict[str, Any] = base_layout(style)["hoverlabel"]
    return {**label, "font": {**label["font"], "size": 10.5}, "namelength": 18}


def _time_axis(
    view: HistoryView, clock: WallClock, style: Style, placed: list[Placed], width_px: int, sequence: int
) -> dict[str, Any]:
    """Range and formats of time. Every gesture has a new ``sequence``: then this range wins over what its user dragged."""
    # Dots in the middle of a column are at no observation's time.
    times_ms = [one.x[np.isfinite(one.view.y)] for one in placed if one.view.kind != "dots" or one.view.exact]
    buckets = [bucket_ms(series.bucket) for series in view.series]
    return {
        **axis_style(style),
        "type": "date",
        "range": [float(view.start_ms + clock.offset_ms), float(view.end_ms + clock.offset_ms)],
        "autorange": False,
        "uirevision": sequence,
        "domain": [0, 1],
        "anchor": "free",  # at the bottom of all panels, whatever their number was in the figure before
        "position": 0,
        "tickformatstops": tick_formats(),
        "nticks": min(10, max(4, width_px // 100)),
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": style.axis,
        "ticklabeloverflow": "hide past div",
        "showline": True,
        "hoverformat": hover_format(times_ms, buckets, clock.name),
        "showspikes": True,
        "spikemode": "across",
        "spikesnap": "hovered data",
        "spikedash": "solid",
        "spikethickness": 1,
        "spikecolor": style.axis,
    }


def _zone_note(clock: WallClock, style: Style, *, beside_tools: bool) -> list[dict[str, Any]]:
    """The zone, at the right above the panels; and, when the clocks change in the window, that its axis does not."""
    text = clock.name
    if clock.changes:
        text = _("{zone} throughout; the clocks change in this window").format(zone=clock.name)
    return [
        {
            "text": text,
            "xref": "paper",
            "x": 1,
            "xanchor": "right",
            "yref": "paper",
            "y": 1,
            "yanchor": "bottom",
            "yshift": 1,
            "xshift": -_TOOLS_PX if beside_tools else 0,
            "showarrow": False,
            "font": {"size": 11, "color": style.muted},
        }
    ]


def pending_shapes(view: HistoryView, spans: Sequence[Span], text: str, clock: WallClock, style: Style) -> dict[str, Any]:
    """A quiet tint where data is still to come; the words once, in the widest span, in the first panel."""
    inside = [(max(start, view.start_ms), min(end, view.end_ms)) for start, end in spans]
    inside = [span for span in inside if span[0] < span[1]]
    shapes: list[dict[str, Any]] = []
    for start, end in inside:
        x = clock.to_axis(np.array([start, end], dtype=np.float64))
        shapes.append(
            {
                "type": "rect",
                "xref": "x",
                "yref": "paper",
                "x0": float(x[0]),
                "x1": float(x[1]),
                "y0": 0,
                "y1": 1,
                "line": {"width": 0},
                "fillcolor": style.pending,
                "layer": "below",
            }
        )
    if shapes and text:
        widest = max(range(len(inside)), key=lambda place: inside[place][1] - inside[place][0])
        font = {"size": 11.5, "color": style.muted}
        shapes[widest]["label"] = {"text": text, "textposition": "top center", "padding": 16, "font": font}
    return {"shapes": shapes}


def _axis_key(axis: str) -> str:
    return "yaxis" + axis.removeprefix("y")
