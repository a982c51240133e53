"""The figure of the history page, on which a rail is the legend: it names the series and says
their values (assets/rail.js, assets/cursors.js), so that nothing lies over the data.
"""

from __future__ import annotations

from typing import Any, Final

from data.catalogue import Catalogue
from data.view.records import HistoryView, SeriesView, Spread
from data.view.spread import MOST_TOLD_APART
from escaping import visible
from figures.history import Figure
from figures.legend import LEGEND_ROW_PX, shortened, spread_name
from figures.panels import HEADER_PX
from figures.placed_series import series_key
from figures.template import style_of
from figures.traces import point_words
from figures.words import bucket_adjective, in_order
from i18n import current_language

_NAME_LETTERS: Final = 22  # of a station in the rail
_LEAST_LEGEND_PX: Final = LEGEND_ROW_PX + 8  # a picture names its only series, too
_HOVER: Final = ("hovertemplate", "hoverinfo")
_LAYOUT_HOVER: Final = ("hoverlabel", "hoversubplots", "hoverdistance", "spikedistance")
_SPIKES: Final = ("showspikes", "spikemode", "spikesnap", "spikedash", "spikethickness", "spikecolor")


def railed(figure: Figure, view: HistoryView, catalogue: Catalogue, *, theme: str = "light", alone: bool = False) -> Figure:
    """Return a figure of a view without its legend, the room of it and all texts of a hover.

    ``layout.meta.series`` has what the rail says of each series; ``layout.meta.legend`` is the
    height in px that a picture of the figure needs more, whose legend names the series;
    ``layout.meta.hues`` are the colours of those that are shown where there are many, while they
    are few. ``alone``: each has a panel.
    """
    layout: dict[str, Any] = figure["layout"]
    room_px = layout["margin"]["t"] - HEADER_PX
    kept = {name: value for name, value in layout.items() if name not in _LAYOUT_HOVER}
    meta = {name: value for name, value in layout["meta"].items() if name != "buckets"}  # each series has its own
    return {
        "data": [_without_hover(trace) for trace in figure["data"]],
        "layout": {
            **kept,
            "height": layout["height"] - room_px,
            "margin": {**layout["margin"], "t": HEADER_PX},
            "hovermode": False,
            "showlegend": False,
            "annotations": [one for one in layout["annotations"] if "hovertext" not in one],
            "xaxis": {name: value for name, value in layout["xaxis"].items() if name not in _SPIKES},
            "meta": {**meta, **_told(view, catalogue, theme, alone=alone), "legend": max(room_px, _LEAST_LEGEND_PX)},
        },
    }


def drawn_colours(figure: Figure) -> dict[str, str]:
    """Return the colour (CSS) in which each series of a figure is drawn, by its key."""
    found: dict[str, str] = {}
    for trace in figure["data"]:
        look = trace.get("line") or trace.get("marker") or {}
        if "legendgroup" in trace and "fill" not in trace and isinstance(look.get("color"), str):
            found.setdefault(trace["legendgroup"], look["color"])
    return found


def _without_hover(trace: dict[str, Any]) -> dict[str, Any]:
    """Return a trace as it is drawn. Where the value of a flagged marker is not where it stands,
    ``customdata`` has it; of others it counts rows, which only a hover tells.
    """
    dropped = _HOVER if trace.get("showlegend") is False else (*_HOVER, "customdata")
    return {name: value for name, value in trace.items() if name not in dropped}


def _told(view: HistoryView, catalogue: Catalogue, theme: str, *, alone: bool) -> dict[str, Any]:
    series = series_entries(view, catalogue, alone=alone)
    return {"series": series} | ({"hues": style_of(theme).hues} if any("many" in one for one in series) else {})


def series_entries(view: HistoryView, catalogue: Catalogue, *, alone: bool = False) -> list[dict[str, Any]]:
    """Return what the rail says of each series, in the order of the panels.

    ``key`` names it in the address and is the group of its traces, ``name`` is its station and
    sensor; ``short`` is the station as the rail has room for, never two alike. ``many`` says that
    its station is one of more than can be told apart, which have no entry in a legend; before them
    stands their median, ``of`` so many.
    """
    stations = {one.station: visible(one.station) for one in view.series}
    short = shortened(stations, _NAME_LETTERS) if stations else {}
    many = len(stations) > MOST_TOLD_APART and not alone
    spreads = {} if alone else {one.sensor: one for one in view.spreads if one.x.size}
    found: list[dict[str, Any]] = []
    for one in in_order(view.series, catalogue):
        if one.sensor in spreads:
            found.append(_spread_entry(spreads.pop(one.sensor), catalogue))
        found.append(_entry(one, catalogue, short[one.station]) | ({"many": True} if many else {}))
    return found


def _spread_entry(spread: Spread, catalogue: Catalogue) -> dict[str, Any]:
    """The median of many stations; a key without a station is no series'."""
    sensor, name = catalogue[spread.sensor], spread_name(spread)
    return {
        "key": spread.sensor,
        "station": name,
        "short": name,
        "sensor": sensor.label(current_language()),
        "unit": sensor.unit,
        "decimals": sensor.decimals,
        "aggregation": sensor.aggregation,
        "bucket": spread.bucket,
        "exact": False,
        "drawn": bucket_adjective(spread.bucket),
        "of": spread.stations,
    }


def _entry(series: SeriesView, catalogue: Catalogue, short: str) -> dict[str, Any]:
    sensor, station = catalogue[series.sensor], visible(series.station)
    return {
        "key": series_key(series),
        "name": [series.station, series.sensor],
        "station": station,
        "short": short,
        "sensor": sensor.label(current_language()),
        "unit": sensor.unit,
        "decimals": sensor.decimals,
        "aggregation": sensor.aggregation,
        "bucket": series.bucket,
        "exact": series.exact,
        "drawn": point_words(series, sensor),
    }
