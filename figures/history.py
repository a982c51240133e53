"""A view to the history figure: a plain dict with typed arrays, ready for JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import numpy as np

from access.notes.noted import Noted
from data.catalogue import Catalogue
from data.decision import Decision
from data.view.records import HistoryView, SeriesView
from figures.legend import top_legend
from figures.note_marks import NOTES_PX, Mark, mark_counts, mark_hovers, mark_shapes, marks_of
from figures.panel_words import headings
from figures.panels import MARGIN_BOTTOM, MARGIN_LEFT, MARGIN_RIGHT, PHONE_PX, Key, Panel, Panels, arrange, note, value_axis
from figures.placed_series import PlacedSeries, Trace, Why, placed_series
from figures.shapes import decision_shapes, flag_shapes, pending_shapes, threshold_shapes
from figures.spreads import spread_traces
from figures.template import Style, axis_style, base_layout, style_of
from figures.traces import series_traces
from figures.trend_options import AUTOMATIC, TrendOptions
from figures.wallclock import WallClock
from figures.words import bucket_ms, hover_format, picture_name, separators, tick_formats
from i18n import format_time
from i18n import gettext as _

Figure = dict[str, Any]
Span = tuple[int, int]
NOTHING_NOTED: Final = Noted()


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
    options: TrendOptions = AUTOMATIC,
    decisions: Mapping[Key, Sequence[Decision]] = {},
    noted: Noted = NOTHING_NOTED,
    why: Why | None = None,
) -> Figure:
    """Return a figure with one panel a unit over a shared time axis, in the current language.

    ``width_px`` is the plot's width. ``height_px`` is the figure's height when it must fit a frame,
    and then it has no buttons (None: what suits its panels, as ``layout.meta.height`` says in any
    case). ``whole`` is the request's [start, end), ``pending`` the spans of it that no tile covers
    yet (all int ms UTC). ``revision`` names the job: what its user did to the figure (hidden
    series) survives new figures of the same job. ``sequence`` is echoed in ``layout.meta``, so that
    the page can drop an answer that is no longer wanted. ``options`` are those of
    :func:`figures.trend_options.read_trend_options`. ``decisions`` in force are marked by
    series, ``why`` tells why readings are flagged. ``noted`` is what is noted of the request; its
    marks stand between the time axis and its labels.
    """
    style, clock = style_of(theme), WallClock(view.start_ms, view.end_ms, view.timezone)
    room_px, span = NOTES_PX if noted else 0, whole or (view.start_ms, view.end_ms)
    panels = arrange(view, catalogue, width_px, None if height_px is None else height_px - room_px, options)
    marks = marks_of(noted, view.start_ms, view.end_ms, width_px) if noted else []
    trend = _Trend(view, catalogue, options, width_px, panels, clock, style, noted, marks, room_px)
    placed = placed_series(view, catalogue, panels, clock, width_px, why)
    return {
        "data": _traces(trend, placed),
        "layout": {
            **base_layout(style),
            **_frame(trend, revision),
            "xaxis": {**_time_axis(view, clock, style, placed, width_px, sequence), "ticklabelstandoff": room_px},
            **_value_axes(trend),
            "annotations": _annotations(trend),
            "shapes": [*pending_shapes(view, pending, pending_text, clock, style), *_shapes(trend, decisions)],
            "meta": {**_meta(trend), "whole": list(span), "revision": revision, "sequence": sequence},
        },
    }


@dataclass(frozen=True)
class _Trend:
    """What all parts of a figure are made of; ``room_px`` lies between the time axis and its
    labels.
    """

    view: HistoryView
    catalogue: Catalogue
    options: TrendOptions
    width_px: int
    panels: Panels
    clock: WallClock
    style: Style
    noted: Noted
    marks: Sequence[Mark]
    room_px: int


def is_blank(view: SeriesView) -> bool:
    """Return whether nothing of a series is seen: its window has no reading, and no line runs
    through it from one beside it to another.
    """
    drawn = np.isfinite(view.y)
    if view.kind == "line":
        drawn = drawn[1:] & drawn[:-1]
    return not (view.total_rows or view.flagged_y.size or drawn.any())


def _traces(trend: _Trend, placed: Sequence[PlacedSeries]) -> list[Trace]:
    spreads = (spread_traces(one, trend.catalogue, trend.panels, trend.clock, trend.style) for one in trend.view.spreads)
    return [*chain.from_iterable(series_traces(one, trend.style) for one in placed), *chain.from_iterable(spreads)]


def _value_axes(trend: _Trend) -> dict[str, Any]:
    return {
        f"yaxis{panel.axis.removeprefix('y')}": value_axis(panel, trend.style, empty=not _measured(trend.view, panel))
        for panel in trend.panels.panels
    }


def _annotations(trend: _Trend) -> list[dict[str, Any]]:
    """Names of panels, the zone, how many notes each flag has, and what they say."""
    muted = {"color": trend.style.muted}
    zone = _zone_words(trend.clock, trend.width_px)
    headers = headings(trend.panels, trend.view, trend.catalogue, trend.width_px, zone)
    return [
        *(note(text, 0, top, {"size": 11.5, **muted}) for top, text in headers.items()),
        note(zone, 1, 1, {"size": 11, **muted}),
        *(_note_words(trend) if trend.marks else ()),
    ]


def _note_words(trend: _Trend) -> list[dict[str, Any]]:
    hovers = mark_hovers(trend.marks, trend.clock, lambda time_ms: format_time(time_ms, trend.view.timezone))
    return [*mark_counts(trend.marks, trend.clock, trend.style), *hovers]


def _shapes(trend: _Trend, decisions: Mapping[Key, Sequence[Decision]]) -> list[dict[str, Any]]:
    """Thresholds, and what is marked of flags, decisions and notes."""
    view, panels, clock, style = trend.view, trend.panels, trend.clock, trend.style
    return [
        *threshold_shapes(trend.options.thresholds, panels, view, trend.catalogue, style),
        *flag_shapes(view, panels, clock, style),
        *(decision_shapes(decisions, view, panels, clock, style, trend.width_px) if decisions else ()),
        *(mark_shapes(trend.marks, trend.noted, clock, style) if trend.noted else ()),
    ]


def _meta(trend: _Trend) -> dict[str, Any]:
    """What the page is told of a view."""
    view = trend.view
    return {
        "start": view.start_ms,
        "end": view.end_ms,
        "offset": trend.clock.offset_ms,
        "picture": picture_name(view, trend.catalogue),
        "buckets": [{"station": one.station, "sensor": one.sensor, "bucket": one.bucket} for one in view.series],
        "ground": trend.style.ground,
        "height": arrange(view, trend.catalogue, trend.width_px, options=trend.options).height + trend.room_px,
        "notes": {"version": trend.noted.version, "marks": [one.told for one in trend.marks]},
    }


def _measured(view: HistoryView, panel: Panel) -> bool:
    """Whether any series of the panel has a value to draw, a flagged one included."""
    return any(not is_blank(one) and (one.flagged_y.size or np.isfinite(one.y).any()) for one in panel.of(view))


def empty_figure(theme: str = "light") -> Figure:
    """A figure of nothing: no axes, no words (the page says in words why there is none)."""
    hidden = {"visible": False, "fixedrange": True}
    margin = {"l": MARGIN_LEFT, "r": MARGIN_RIGHT, "t": 0, "b": 0}
    return {
        "data": [],
        "layout": {**base_layout(style_of(theme)), "xaxis": hidden, "yaxis": hidden, "height": 320, "margin": margin},
    }


def _frame(trend: _Trend, revision: str) -> dict[str, Any]:
    """Sizes of the figure, and how it answers who points at it."""
    panels, room_px = trend.panels, trend.room_px
    return {
        "height": panels.height + room_px,
        "autosize": True,
        "margin": {"l": MARGIN_LEFT, "r": panels.margin_right, "t": panels.margin_top, "b": MARGIN_BOTTOM + room_px, "pad": 0},
        "uirevision": revision,
        "separators": separators(),
        "hovermode": "x unified",
        "hoversubplots": "axis",
        "hoverdistance": 12,
        "spikedistance": -1,
        **({"hoverlabel": _small_hover(trend.style)} if trend.width_px < PHONE_PX else {}),
        "dragmode": "zoom",
        "barmode": "overlay",
        "bargap": 0,
        "showlegend": len(trend.view.series) > 1,
        "legend": top_legend(trend.style),
    }


def _small_hover(style: Style) -> dict[str, Any]:
    """A hover that fits a phone: small letters, names cut."""
    label: dict[str, Any] = base_layout(style)["hoverlabel"]
    return {**label, "font": {**label["font"], "size": 10.5}, "namelength": 18}


def _time_axis(
    view: HistoryView, clock: WallClock, style: Style, placed: Sequence[PlacedSeries], width_px: int, sequence: int
) -> dict[str, Any]:
    """Return range and formats of time. Every gesture has a new ``sequence``: then this range
    wins over what its user dragged.
    """
    # Dots in the middle of a column are at no observation's time.
    times_ms = [one.x[np.isfinite(one.view.y)] for one in placed if one.view.kind != "dots" or one.view.exact]
    buckets = [bucket_ms(series.bucket) for series in view.series]
    return {
        **axis_style(style),
        "type": "date",
        "range": list(clock.window),
        "autorange": False,
        "uirevision": sequence,
        "domain": [0, 1],
        # at the bottom of all panels, whatever their number was in the figure before
        "anchor": "free",
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


def _zone_words(clock: WallClock, width_px: int) -> str:
    """Return what stands at the right above the panels: the zone; and, when the clocks change in
    the window, that its axis does not.
    """
    if not clock.changes:
        return clock.name
    if width_px < PHONE_PX:
        return _("{zone}; clocks change").format(zone=clock.name)
    return _("{zone} throughout; the clocks change in this window").format(zone=clock.name)
