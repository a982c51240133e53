"""One series to Plotly traces: line with its band, bars, dots, markers of flagged values."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from data.catalogue import Sensor
from data.tiles.blocks import SECTORS
from data.time.epoch import DAY_MS
from data.view.records import SeriesView
from data.view.spread import MOST_TOLD_APART
from figures.arrays import counts, measured, times, typed
from figures.bands import band_outline
from figures.extents import drawn_range
from figures.template import DASHES, LINE_PX, SYMBOLS, THIN_PX, Style, series_colour, translucent
from figures.words import bucket_adjective, rows_text, verbatim
from i18n import gettext as _
from i18n import ngettext

Floats = npt.NDArray[np.float64]
Trace = dict[str, Any]
Why = Callable[[SeriesView, Floats, Floats], Sequence[str]]
"""Returns in words why flagged readings of a series are so, of their stamps (ms UTC) and values."""

# of a direction's axis: the circle and a little room for its markers
DIRECTION_SPAN_DEG: Final = 376.0
# flagged markers of a series: one each 6 px of a 1,200 px window, the width of a marker
_MARKERS: Final = 200
_TOLD_MS: Final = 366 * DAY_MS  # of longer windows a marker is one of many readings that nobody asks about
_BENEATH: Final = 0.4  # opacity of a line over which another runs
_MANY: Final = 0.45  # of one line of many, so that where more of them lie is darker
_SMOOTH_PX: Final = 2.25
_MOST_U2: Final = 65_535
_OPEN_CIRCLE, _OPEN_UP, _OPEN_DOWN = 100, 105, 106  # Plotly's symbol numbers


@dataclass(frozen=True)
class PlacedSeries:
    """A series, its name in the legend, and where it is drawn.

    ``x`` f8[n] axis ms; flagged ones alike, of which ``why`` tells the reasons; which panel, which
    station of how many, which ``sensor_index`` of those on its axis; ``limits`` of the panel's
    axis, where its reader chose some; ``smooth_x`` is of the line over it.
    """

    view: SeriesView
    sensor: Sensor
    name: str
    x: Floats
    flagged_x: Floats
    axis: str
    station_index: int
    station_count: int
    window: tuple[float, float]
    width_px: int
    panel_px: float
    limits: tuple[float | None, float | None] = (None, None)
    smooth_x: Floats | None = None
    sensor_index: int = 0
    why: Why | None = None

    @property
    def is_one_of_many(self) -> bool:
        """Whether its station is one of more than can be told apart."""
        return self.station_count > MOST_TOLD_APART

    @property
    def dash(self) -> str:
        """Dashes help to tell stations apart, or the sensors of stations on an axis."""
        if self.is_one_of_many:
            return DASHES[0]
        return DASHES[(self.sensor_index or self.station_index) % len(DASHES)]


def series_traces(placed: PlacedSeries, style: Style) -> list[Trace]:
    """Return all traces of a series; the first that is not a band carries the legend entry."""
    builders = {"line": _line, "bars": _steps if placed.is_one_of_many else _bars, "dots": _dots}
    colour = series_colour(placed.sensor.color, style, placed.station_index, placed.station_count, placed.sensor_index)
    own = builders[placed.view.kind](placed, colour)
    smooth = _smooth(placed, colour)
    if smooth:
        own["opacity"] = _BENEATH
    if placed.is_one_of_many:  # no entry in a legend or a hover has room for it
        quiet = {name: value for name, value in own.items() if name not in ("hovertemplate", "customdata")}
        return [{**quiet, "opacity": _MANY, "hoverinfo": "skip", "showlegend": False}, *smooth, *_flagged(placed, colour)]
    return [*_band(placed, colour), own, *smooth, *_flagged(placed, colour)]


def _common(placed: PlacedSeries) -> Trace:
    view = placed.view
    return {
        "name": verbatim(placed.name),
        "uid": _uid(view),
        "legendgroup": series_key(view),
        "xaxis": "x",
        "yaxis": placed.axis,
    }


def series_key(view: SeriesView) -> str:
    """Return what names a series in an address, and groups its traces: ``JFK.temperature``."""
    return f"{view.station}.{view.sensor}"


def _uid(view: SeriesView) -> str:
    """What tells a series from others in every figure of a page;
    a word, since Plotly makes CSS selectors of it.
    """
    return "s" + hashlib.blake2b(f"{view.station}\0{view.sensor}".encode(), digest_size=6).hexdigest()


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
        **_common(placed),
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
            **_common(placed),
            "uid": _uid(placed.view) + "smooth",
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
        **_common(placed),
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
        **_common(placed),
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
        **_common(placed),
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
            **_common(placed),
            "uid": _uid(view) + "band",
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


def _flagged(placed: PlacedSeries, colour: str) -> list[Trace]:
    """Flagged observations as hollow markers; one beyond the drawn values sits at the panel's edge,
    its hover tells the value.
    """
    view, sensor = placed.view, placed.sensor
    if not view.flagged_x.size:
        return []
    low, high = _seen_range(placed)
    start, end = placed.window
    kept = _thinned(placed.flagged_x, view.flagged_y, placed.window, (low + high) / 2)
    x, y = placed.flagged_x[kept], view.flagged_y[kept]
    is_told = placed.why is not None and not placed.is_one_of_many and end - start <= _TOLD_MS
    why = placed.why(view, view.flagged_x[kept], y) if placed.why and is_told else []
    beyond = np.where(y > high, _OPEN_UP, np.where(y < low, _OPEN_DOWN, _OPEN_CIRCLE))
    return [
        {
            **_common(placed),
            "name": verbatim(f"{placed.name} · {_('flagged')}"),
            "uid": _uid(view) + "flagged",
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
    ]


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
