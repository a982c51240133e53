"""One series to Plotly traces: line with its band, bars, dots, and the hollow markers of flagged observations."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from data.blocks import SECTORS
from data.catalogue import Sensor
from data.drawn import SeriesView
from figures.arrays import counts, measured, times, typed
from figures.template import DASHES, LINE_PX, SYMBOLS, Style, series_colour, translucent
from figures.words import bucket_name, rows_text, series_name, verbatim
from i18n import gettext as _
from i18n import ngettext

Floats = npt.NDArray[np.float64]
Trace = dict[str, Any]

DIRECTION_SPAN_DEG: Final = 376.0  # of a direction's axis: the circle and a little room for its markers
_MARKERS: Final = 200  # flagged markers of a series: one each 6 px of a 1,200 px window, the width of a marker
_BAND_COLUMNS: Final = 600  # a band of more points is drawn in columns: keeps the payload bounded
_MOST_U2: Final = 65_535
_OPEN_CIRCLE, _OPEN_UP, _OPEN_DOWN = 100, 105, 106  # Plotly's symbol numbers


@dataclass(frozen=True)
class Placed:
    """A series and where it is drawn: ``x`` f8[n] axis ms; flagged ones alike; which panel, which station of how many."""

    view: SeriesView
    sensor: Sensor
    x: Floats
    flagged_x: Floats
    axis: str
    station_place: int
    station_count: int
    window: tuple[float, float]
    width_px: int
    panel_px: float


def series_traces(placed: Placed, style: Style) -> list[Trace]:
    """All traces of a series; the first that is not a band carries the legend entry."""
    builders = {"line": _line, "bars": _bars, "dots": _dots}
    colour = series_colour(placed.sensor.color, style, placed.station_place)
    return [*_band(placed, colour), builders[placed.view.kind](placed, colour), *_flagged(placed, colour)]


def _common(placed: Placed) -> Trace:
    view = placed.view
    return {
        "name": verbatim(series_name(view.station, placed.sensor)),
        "uid": _uid(view),
        "legendgroup": _uid(view),
        "xaxis": "x",
        "yaxis": placed.axis,
    }


def _uid(view: SeriesView) -> str:
    """What tells a series from others in every figure of a page; a word, since Plotly makes CSS selectors of it."""
    return "s" + hashlib.blake2b(f"{view.station}\0{view.sensor}".encode(), digest_size=6).hexdigest()


def _measured(placed: Placed, values: Floats) -> Trace:
    view, sensor = placed.view, placed.sensor
    rows, rows_label = _rows(view)
    span = bucket_name(view.bucket)
    kind = {"mean": _("mean"), "sum": _("sum"), "direction": _("mean")}[sensor.aggregation]
    aside = [f"{kind} {span}"] if span else []
    quiet = "  <span style='opacity:.65'>" + " · ".join([*aside, rows_label]) + "</span>"
    return {
        "x": times(placed.x),
        "y": measured(values, sensor.decimals),
        "hovertemplate": f"<b>%{{y:,.{sensor.decimals}f}} {sensor.unit}</b>{quiet}",
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


def _line(placed: Placed, colour: str) -> Trace:
    alone = _isolated(placed.view.y)
    return {
        **_common(placed),
        **_measured(placed, placed.view.y),
        "type": "scatter",
        "mode": "lines+markers" if alone is not None else "lines",
        "line": {"color": colour, "width": LINE_PX, "dash": DASHES[placed.station_place % len(DASHES)], "simplify": False},
        **({"marker": {"color": colour, "size": typed(alone, "u1"), "line": {"width": 0}}} if alone is not None else {}),
        "connectgaps": False,
    }


def _isolated(y: Floats) -> npt.NDArray[np.uint8] | None:
    """Marker sizes that show points between two gaps, which a line would not; None when there are none."""
    broken = ~np.isfinite(np.concatenate(([np.nan], y, [np.nan])))
    alone = broken[:-2] & broken[2:] & ~broken[1:-1]
    return np.where(alone, 3, 0).astype(np.uint8) if alone.any() else None


def _bars(placed: Placed, colour: str) -> Trace:
    view = placed.view
    full = view.width if view.width is not None else np.zeros_like(view.x)
    share = full / placed.station_count
    same = bool(share.size) and bool(np.all(share == share[0]))
    offset = share * placed.station_place
    return {
        **_common(placed),
        **_measured(placed, view.y),
        "type": "bar",
        "width": float(share[0]) if same else typed(share, "f8"),
        "offset": float(offset[0]) if same else typed(offset, "f8"),
        "marker": {"color": colour, "line": {"width": 0}},
    }


def _dots(placed: Placed, colour: str) -> Trace:
    return {
        **_common(placed),
        **_measured(placed, placed.view.y),
        "type": "scatter",
        "mode": "markers",
        "marker": _cells(placed, colour) or _points(placed, colour),
    }


def _points(placed: Placed, colour: str) -> Trace:
    dense = placed.view.x.size > 2 * placed.width_px
    return {
        "color": colour,
        "size": 2.5 if dense else 3.5,
        "opacity": 0.6 if dense else 0.85,
        "symbol": SYMBOLS[placed.station_place % len(SYMBOLS)],
        "line": {"width": 0},
    }


def _cells(placed: Placed, colour: str) -> Trace | None:
    """Directions that occurred in a column are drawn as wide as the column and as high as their sector; None for points."""
    x = np.unique(placed.x)
    if placed.view.exact or x.size < 2 or x.size == placed.x.size:
        return None
    start, end = placed.window
    column_px = float(np.diff(x).min()) / (end - start) * placed.width_px
    sector_px = 360.0 / SECTORS / DIRECTION_SPAN_DEG * placed.panel_px
    faint = translucent(colour, 0.8 if placed.station_count == 1 else 0.5)  # of an open symbol the marker's colour is the line's
    line = {"width": round(max(1.0, sector_px), 2), "color": faint}
    return {"symbol": "line-ew-open", "size": round(max(1.0, column_px), 2), "color": faint, "line": line}


def _band(placed: Placed, colour: str) -> list[Trace]:
    """Least to greatest observation as a faint fill: one polygon a stretch without gap."""
    view = placed.view
    if view.lower is None or view.upper is None:
        return []
    x, lower, upper = placed.x, view.lower, view.upper
    if x.size > 2 * _BAND_COLUMNS:
        x, lower, upper = _columns(x, lower, upper, placed.window)
    outline_x, outline_y = _polygons(x, lower, upper)
    if not outline_x.size:
        return []
    return [
        {
            **_common(placed),
            "uid": _uid(view) + "band",
            "type": "scatter",
            "mode": "lines",
            "x": times(outline_x),
            "y": typed(outline_y, "f4"),
            "line": {"width": 0},
            "fill": "toself",
            "fillcolor": translucent(colour, 0.16),
            "hoverinfo": "skip",
            "showlegend": False,
        }
    ]


def _columns(x: Floats, lower: Floats, upper: Floats, window: tuple[float, float]) -> tuple[Floats, Floats, Floats]:
    """A band in equal columns of the window: least lower and greatest upper of each; NaN where a column is empty."""
    edges = np.linspace(*window, _BAND_COLUMNS + 1)
    ok = np.isfinite(x) & np.isfinite(lower) & np.isfinite(upper)
    column = np.clip(np.searchsorted(edges, x[ok], side="right") - 1, 0, _BAND_COLUMNS - 1)
    least, greatest = np.full(_BAND_COLUMNS, np.inf), np.full(_BAND_COLUMNS, -np.inf)
    np.minimum.at(least, column, lower[ok])
    np.maximum.at(greatest, column, upper[ok])
    empty = least > greatest
    return (edges[:-1] + edges[1:]) / 2, np.where(empty, np.nan, least), np.where(empty, np.nan, greatest)


def _polygons(x: Floats, lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
    """Closed outlines of the stretches without NaN, with NaN between them."""
    ok = np.concatenate(([False], np.isfinite(lower) & np.isfinite(upper) & np.isfinite(x), [False]))
    turns = np.flatnonzero(ok[1:] != ok[:-1])
    parts_x: list[Floats] = []
    parts_y: list[Floats] = []
    for first, stop in zip(turns[::2], turns[1::2], strict=True):
        parts_x += [x[first:stop], x[first:stop][::-1], x[first : first + 1] * np.nan]
        parts_y += [upper[first:stop], lower[first:stop][::-1], upper[first : first + 1] * np.nan]
    if not parts_x:
        return np.empty(0), np.empty(0)
    return np.concatenate(parts_x)[:-1], np.concatenate(parts_y)[:-1]


def _flagged(placed: Placed, colour: str) -> list[Trace]:
    """Flagged observations as hollow markers; one beyond the drawn values sits at the panel's edge, its hover tells the value."""
    view, sensor = placed.view, placed.sensor
    if not view.flagged_x.size:
        return []
    low, high = drawn_range(view, sensor)
    x, y = _thinned(placed.flagged_x, view.flagged_y, placed.window, (low + high) / 2)
    beyond = np.where(y > high, _OPEN_UP, np.where(y < low, _OPEN_DOWN, _OPEN_CIRCLE))
    return [
        {
            **_common(placed),
            "name": verbatim(f"{series_name(view.station, sensor)} · {_('flagged')}"),
            "uid": _uid(view) + "flagged",
            "type": "scatter",
            "mode": "markers",
            "x": times(x),
            "y": typed(np.clip(y, low, high), "f4"),
            "customdata": measured(y, sensor.decimals),
            "marker": {"symbol": beyond.tolist(), "size": 6, "color": colour, "line": {"width": 1.1, "color": colour}},
            "cliponaxis": False,
            "hovertemplate": f"<b>%{{customdata:,.{sensor.decimals}f}} {sensor.unit}</b>"
            "  <span style='opacity:.65'>%{x|%-d %b %H:%M:%S}</span>",
            "showlegend": False,
        }
    ]


def drawn_range(view: SeriesView, sensor: Sensor) -> tuple[float, float]:
    """Least and greatest value of what is drawn, flagged markers aside; the valid range when nothing is."""
    drawn = [array[np.isfinite(array)] for array in (view.y, view.lower, view.upper) if array is not None]
    values = np.concatenate(drawn)
    if sensor.aggregation == "direction":
        return 0.0, 360.0
    if not values.size:
        return sensor.valid_min, sensor.valid_max
    low, high = float(values.min()), float(values.max())
    if view.kind == "bars":
        low, high = min(low, 0.0), max(high, 10.0**-sensor.decimals)
    least = 10.0**-sensor.decimals  # of a constant run: one displayed digit, so that markers show on both its sides
    return (low, high) if high - low >= least else (low - least, high + least)


def _thinned(x: Floats, y: Floats, window: tuple[float, float], middle: float) -> tuple[Floats, Floats]:
    """At most :data:`_MARKERS` points: of each column the one farthest from the middle."""
    if x.size <= _MARKERS:
        return x, y
    start, end = window
    column = np.clip(((x - start) / (end - start) * _MARKERS).astype(np.int64), 0, _MARKERS - 1)
    order = np.lexsort((-np.abs(y - middle), column))
    first = np.concatenate(([True], column[order][1:] != column[order][:-1]))
    kept = np.sort(order[first])
    return x[kept], y[kept]
