"""One series to Plotly traces: line with its band, bars, dots, markers of flagged values."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from data.catalogue import Sensor
from data.tiles.blocks import SECTORS
from data.view.records import SeriesView
from figures.arrays import counts, measured, times, typed
from figures.bands import band_outline
from figures.flagged_markers import flagged_trace
from figures.panels import DIRECTION_SPAN_DEG
from figures.placed_series import Floats, PlacedSeries, Trace, series_uid
from figures.template import LINE_PX, SYMBOLS, THIN_PX, Style, series_colour, translucent
from figures.words import bucket_adjective, rows_text, verbatim
from i18n import gettext as _
from i18n import ngettext

_BENEATH: Final = 0.4  # opacity of a line over which another runs
_MANY: Final = 0.45  # of one line of many, so that where more of them lie is darker
_SMOOTH_PX: Final = 2.25
_MOST_U2: Final = 65_535


def series_traces(placed: PlacedSeries, style: Style) -> list[Trace]:
    """Return all traces of a series; the first that is not a band carries the legend entry."""
    builders = {"line": _line, "bars": _steps if placed.is_one_of_many else _bars, "dots": _dots}
    colour = series_colour(placed.sensor.color, style, placed.station_index, placed.station_count, placed.sensor_index)
    own = builders[placed.view.kind](placed, colour)
    smooth = _smooth(placed, colour)
    flagged = [flagged_trace(placed, colour)] if placed.view.flagged_x.size else []
    if smooth:
        own["opacity"] = _BENEATH
    if placed.is_one_of_many:  # no entry in a legend or a hover has room for it
        quiet = {name: value for name, value in own.items() if name not in ("hovertemplate", "customdata")}
        return [{**quiet, "opacity": _MANY, "hoverinfo": "skip", "showlegend": False}, *smooth, *flagged]
    return [*_band(placed, colour), own, *smooth, *flagged]


def point_words(view: SeriesView, sensor: Sensor) -> str:
    """Return what a point is where it stands for a bucket: ``daily sum``; empty for a reading."""
    bucket = bucket_adjective(view.bucket)
    kind = _("{bucket} sum") if sensor.aggregation == "sum" else _("{bucket} mean")
    return kind.format(bucket=bucket) if bucket else ""


def _measured(placed: PlacedSeries, values: Floats) -> Trace:
    view, sensor = placed.view, placed.sensor
    rows, rows_label = _rows(view)
    aside = [point_words(view, sensor), rows_label]
    quiet = "  <span style='opacity:.65'>" + " · ".join(filter(None, aside)) + "</span>"
    return {
        "x": times(placed.x),
        "y": measured(values, sensor.decimals),
        "hovertemplate": f"<b>%{{y:,.{sensor.decimals}f}} {verbatim(sensor.unit)}</b>{quiet}",
        **rows,
    }


def _rows(view: SeriesView) -> tuple[Trace, str]:
    """How many observations a point stands for, and its words in a hover."""
    if not view.rows.size or int(view.rows.max()) <= 1:
        return {}, rows_text(1)
    if int(view.rows.max()) <= _MOST_U2:
        return {"customdata": counts(view.rows)}, ngettext("{rows} row", "{rows} rows", 2).format(rows="%{customdata:,}")
    thousands = np.ceil(view.rows / 1000).astype(np.int64)
    return {"customdata": counts(thousands)}, _("≈ {rows} thousand rows").format(rows="%{customdata:,}")


def _line(placed: PlacedSeries, colour: str) -> Trace:
    alone = _isolated(placed.view.y)
    return {
        **placed.common,
        **_measured(placed, placed.view.y),
        "type": "scatter",
        "mode": "lines+markers" if alone is not None else "lines",
        "line": {"color": colour, "width": THIN_PX if placed.is_one_of_many else LINE_PX, "dash": placed.dash, "simplify": False},
        **({"marker": {"color": colour, "size": typed(alone, "u1"), "line": {"width": 0}}} if alone is not None else {}),
        "connectgaps": False,
    }


def _smooth(placed: PlacedSeries, colour: str) -> list[Trace]:
    """The running mean or median over a line, which shines through."""
    smooth = placed.view.smooth
    if smooth is None or placed.smooth_x is None or not smooth.x.size:
        return []
    return [
        {
            **placed.common,
            "uid": series_uid(placed.view) + "smooth",
            "type": "scatter",
            "mode": "lines",
            "x": times(placed.smooth_x),
            "y": measured(smooth.y, placed.sensor.decimals + 1),
            "line": {"color": colour, "width": _SMOOTH_PX, "dash": placed.dash, "simplify": False},
            "connectgaps": False,
            "hoverinfo": "skip",
            "showlegend": False,
        }
    ]


def _isolated(y: Floats) -> npt.NDArray[np.uint8] | None:
    """Return marker sizes that show points between two gaps; None when there are none."""
    broken = ~np.isfinite(np.concatenate(([np.nan], y, [np.nan])))
    alone = broken[:-2] & broken[2:] & ~broken[1:-1]
    return np.where(alone, 3, 0).astype(np.uint8) if alone.any() else None


def _bars(placed: PlacedSeries, colour: str) -> Trace:
    view = placed.view
    full = view.width if view.width is not None else np.zeros_like(view.x)
    share = full / placed.station_count
    same = bool(share.size) and bool(np.all(share == share[0]))
    offset = share * placed.station_index
    return {
        **placed.common,
        **_measured(placed, view.y),
        "type": "bar",
        "width": float(share[0]) if same else typed(share, "f8"),
        "offset": float(offset[0]) if same else typed(offset, "f8"),
        "marker": {"color": colour, "line": {"width": 0}},
    }


def _steps(placed: PlacedSeries, colour: str) -> Trace:
    """Bars of one of many stations as one line along their tops, since none has room beside the
    others.
    """
    x, y = steps(placed.x, placed.view.y, placed.view.width)
    return {
        **placed.common,
        "type": "scatter",
        "mode": "lines",
        "x": times(x),
        "y": measured(y, placed.sensor.decimals),
        "line": {"color": colour, "width": THIN_PX, "dash": "solid", "shape": "hv", "simplify": False},
        "connectgaps": False,
    }


def steps(x: Floats, y: Floats, width: Floats | None) -> tuple[Floats, Floats]:
    """Return places and heights of a stepped line over buckets that begin at ``x``: each bucket as
    wide as it is, and NaN after the last one before a gap.
    """
    if width is None or not x.size:
        return x, y
    end = x + width
    is_last = np.append(x[1:] > end[:-1] + 1, True)
    at = np.flatnonzero(is_last) + 1
    closed_x, closed_y = np.insert(x, at, end[is_last]), np.insert(y, at, y[is_last])
    after = at + np.arange(1, at.size + 1)  # behind each of what was inserted
    return np.insert(closed_x, after, end[is_last]), np.insert(closed_y, after, np.nan)


def _dots(placed: PlacedSeries, colour: str) -> Trace:
    return {
        **placed.common,
        **_measured(placed, placed.view.y),
        "type": "scatter",
        "mode": "markers",
        "marker": _cells(placed, colour) or _points(placed, colour),
    }


def _points(placed: PlacedSeries, colour: str) -> Trace:
    dense = placed.view.x.size > 2 * placed.width_px
    return {
        "color": colour,
        "size": 2.5 if dense else 3.5,
        "opacity": 0.6 if dense else 0.85,
        "symbol": SYMBOLS[0 if placed.is_one_of_many else placed.station_index % len(SYMBOLS)],
        "line": {"width": 0},
    }


def _cells(placed: PlacedSeries, colour: str) -> Trace | None:
    """Directions that occurred in a column are drawn as wide as the column and as high as
    their sector; None for points.
    """
    x = np.unique(placed.x)
    if placed.view.exact or x.size < 2 or x.size == placed.x.size:
        return None
    start, end = placed.window
    column_px = float(np.diff(x).min()) / (end - start) * placed.width_px
    sector_px = 360.0 / SECTORS / DIRECTION_SPAN_DEG * placed.panel_px
    # of an open symbol the marker's colour is the line's
    faint = translucent(colour, 0.8 if placed.station_count == 1 else 0.5)
    line = {"width": round(max(1.0, sector_px), 2), "color": faint}
    return {"symbol": "line-ew-open", "size": round(max(1.0, column_px), 2), "color": faint, "line": line}


def _band(placed: PlacedSeries, colour: str) -> list[Trace]:
    """Least to greatest observation as a faint fill: one polygon a stretch without gap."""
    view = placed.view
    if view.lower is None or view.upper is None:
        return []
    outline_x, outline_y = band_outline(placed.x, view.lower, view.upper, placed.window)
    if not outline_x.size:
        return []
    return [
        {
            **placed.common,
            "uid": series_uid(view) + "band",
            "type": "scatter",
            "mode": "lines",
            "x": times(outline_x),
            "y": measured(outline_y, placed.sensor.decimals),
            "line": {"width": 0},
            "fill": "toself",
            "fillcolor": translucent(colour, 0.16),
            "hoverinfo": "skip",
            "showlegend": False,
        }
    ]
