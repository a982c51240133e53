"""Two series against each other: the pairs or how often they occur, and the line through them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from analysis.answer import Answer, SubjectAnswer
from analysis.scatter import MOST_POINTS, Points, Scatter
from data.catalogue import Catalogue, Sensor
from data.time.epoch import HOUR_MS
from escaping import visible
from figures.arrays import typed
from figures.canvas import TOP_PX, Canvas, Plot, arrange_plots, canvas_layout, hidden_axes, plot_title
from figures.colour_scales import colour_bar, ramp_scale
from figures.history import Figure
from figures.notes import NOTE_PX, in_middle, no_data, note_above, note_lines
from figures.subjects import subject_title
from figures.template import Style, axis_style, series_colour, translucent
from figures.words import verbatim
from i18n import MINUS, THIN_SPACE, current_language, format_number, format_time
from i18n import gettext as _

_PLOT_PX: Final = 460
_BAR_PX: Final = 58  # right of the plot
_MOST_DIGITS: Final = 12
_SIGNIFICANT: Final = 3
_KINDS: Final = ("points", "density")
_POINT_OPACITY: Final = 0.5  # where many lie it is darker
_AROUND_MS: Final = 12 * HOUR_MS  # on either side of a pair that is looked at


@dataclass(frozen=True)
class _Two:
    """The pairs that are drawn, and both sensors: the first along x."""

    subject: SubjectAnswer
    sensors: tuple[Sensor, Sensor]

    @property
    def result(self) -> Scatter:
        found: Scatter = self.subject.result
        return found

    @property
    def turns(self) -> bool:
        """Whether one of both is a direction, of which there is no line."""
        return any(sensor.is_direction for sensor in self.sensors)


def figure(answer: Answer, catalogue: Catalogue, canvas: Canvas) -> Figure:
    """Return the pairs of two series as points, or a heat map of them whose colour is logarithmic,
    with the line through them. What the answer says of them in numbers is above it.
    """
    if not answer.subjects:
        return no_data(canvas)
    subject = answer.subjects[0]
    one, other = (catalogue[name] for name in subject.sensors)
    two = _Two(subject, (one, other))
    points = two.result.points if canvas.choice("as", _KINDS) == "points" else None
    notes = note_lines([*_said(two), *_too_many(two, canvas)], canvas)
    top_px = TOP_PX + NOTE_PX * len(notes)
    places = arrange_plots(1, canvas, columns=1, plot_px=min(_PLOT_PX, max(canvas.width_px, 240)), top_px=top_px)
    whole = places.plots[0]
    bar = 0.0 if points else _BAR_PX / max(canvas.width_px, 1)
    plot = Plot(whole.left, max(0.1, whole.right - bar), whole.bottom, whole.top)
    title = plot_title(plot, subject_title(subject, catalogue, "", canvas.width_px), canvas.style)
    layout = {**canvas_layout(canvas, places.height, top_px), "annotations": [*note_above(notes, canvas.style), title]}
    if not two.result.rows:
        why = _("No two readings of the same time in this window")
        layout["annotations"].append(in_middle(plot, "<br>".join(note_lines([why], canvas)), canvas.style))
        return {"data": [], "layout": {**layout, **hidden_axes(plot, 0)}}
    layout["margin"]["b"] += NOTE_PX  # the name of the x axis
    layout["height"] += NOTE_PX
    return {
        "data": [
            _drawn_points(two, points, answer.timezone, canvas.style) if points else _density(two, plot, canvas.style),
            *_line(two, canvas.style),
        ],
        "layout": {**layout, **_axes(two, plot, canvas)},
    }


def _said(two: _Two) -> list[str]:
    """Correlation, line and mean difference in words; where there is none, why."""
    result, fit = two.result, two.result.fit
    found = [f"n = {format_number(result.rows)}"]
    if result.unpaired:
        found.append(_("{number} without partner").format(number=format_number(result.unpaired)))
    if two.turns:
        return [" · ".join(found), _("A direction turns at north: no line and no correlation.")] if result.rows else found
    if math.isfinite(result.correlation):
        found.insert(0, f"r = {format_number(result.correlation, _SIGNIFICANT)}")
    if fit:
        sign = MINUS if fit.slope < 0 else "+"
        found.append(f"y = {_number(fit.intercept)} {sign} {_number(abs(fit.slope))} x")
        words = _("slope {low} to {high} (95 %)")
        found.append(words.format(low=_number(fit.slope_low), high=_number(fit.slope_high)))
        words = _("intercept {low} to {high}")
        found.append(words.format(low=_number(fit.intercept_low), high=_number(fit.intercept_high)))
    if math.isfinite(result.difference):
        difference = f"{_number(result.difference)}{THIN_SPACE}{two.subject.units[0]}"
        found.append(_("mean of y − x: {difference}").format(difference=difference))
    return [" · ".join(found)]


def _too_many(two: _Two, canvas: Canvas) -> list[str]:
    """That pairs are not drawn one by one though they were to be."""
    if two.result.rows <= MOST_POINTS or canvas.choice("as", _KINDS) != "points":
        return []
    return [_("More than {most} pairs: drawn as their density.").format(most=format_number(MOST_POINTS))]


def _number(value: float) -> str:
    """A number with three significant digits, or all of its whole ones."""
    least = 0.0 if not value else math.floor(math.log10(abs(value)))
    return format_number(value, min(_MOST_DIGITS, max(0, _SIGNIFICANT - 1 - int(least))))


def _drawn_points(two: _Two, points: Points, timezone: str, style: Style) -> dict[str, Any]:
    """Every pair, which leads to the day around it."""
    x, y = (
        [f"{format_number(value, sensor.decimals)}{THIN_SPACE}{verbatim(sensor.unit)}" for value in values.tolist()]
        for values, sensor in zip((points.x, points.y), two.sensors, strict=True)
    )
    return {
        "type": "scatter",
        "mode": "markers",
        "cliponaxis": False,  # the outermost are whole
        "x": typed(points.x, "f8"),
        "y": typed(points.y, "f8"),
        "marker": {
            "size": 5,
            "color": translucent(series_colour(two.sensors[1].color, style), _POINT_OPACITY),
            "line": {"width": 0},
        },
        "customdata": [[time - _AROUND_MS, time + _AROUND_MS] for time in points.times],
        "hovertext": [
            f"{format_time(time, timezone)}<br>x: {across}<br>y: {up}"
            for time, across, up in zip(points.times, x, y, strict=True)
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def _density(two: _Two, plot: Plot, style: Style) -> dict[str, Any]:
    result = two.result
    cells = result.counts.T.astype(np.float64)  # rows of a heat map are along y
    there = cells > 0
    logs = np.full(cells.shape, np.nan)
    logs[there] = np.log10(cells[there])
    most = max(float(cells.max()), 10.0)
    tens = range(math.floor(math.log10(most)) + 1)
    bar = {
        **colour_bar(style),
        "title": {"text": _("readings"), "side": "right", "font": {"size": 11, "color": style.muted}},
        "tickmode": "array",
        "tickvals": list(tens),
        "ticktext": [format_number(10**power) for power in tens],
        "x": plot.right,
        "xanchor": "left",
        "xpad": 8,
        "y": plot.bottom,
        "yanchor": "bottom",
        "lenmode": "fraction",
        "len": plot.top - plot.bottom,
    }
    return {
        "type": "heatmap",
        "x": typed(result.x_edges, "f8"),
        "y": typed(result.y_edges, "f8"),
        "z": {**typed(logs, "f8"), "shape": f"{cells.shape[0]}, {cells.shape[1]}"},
        "zmin": 0,
        "zmax": math.log10(most),
        "colorscale": [list(stop) for stop in ramp_scale(style)],
        "colorbar": bar,
        "hoverongaps": False,
        "customdata": _words(two),
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _words(two: _Two) -> list[list[str]]:
    """What a cell says, by rows along y; nothing where it has no pair."""
    x, y = (_spans(edges.tolist(), sensor) for edges, sensor in zip(_edges(two), two.sensors, strict=True))
    counted = _("{rows} readings")

    def said(across: str, up: str, rows: int) -> str:
        return f"x: {across}<br>y: {up}<br>{counted.format(rows=format_number(rows))}" if rows else ""

    table = two.result.counts.T.tolist()
    return [[said(*cell) for cell in zip(x, [up] * len(x), row, strict=True)] for up, row in zip(y, table, strict=True)]


def _edges(two: _Two) -> tuple[np.ndarray, np.ndarray]:
    return two.result.x_edges, two.result.y_edges


def _spans(edges: list[float], sensor: Sensor) -> list[str]:
    """Cells of an axis in words, with as many digits as the sensor has, or finer cells need."""
    digits = max(sensor.decimals, min(9, math.ceil(-math.log10(edges[1] - edges[0]) - 1e-9)))
    unit = f"{THIN_SPACE}{verbatim(sensor.unit)}"
    return [f"{format_number(low, digits)} … {format_number(high, digits)}{unit}" for low, high in pairwise(edges)]


def _line(two: _Two, style: Style) -> list[dict[str, Any]]:
    """The fitted line from end to end, on a lighter or darker one that parts it from the cells."""
    fit = two.result.fit
    if fit is None or two.turns:
        return []
    ends = [float(two.result.x_edges[0]), float(two.result.x_edges[-1])]
    line = {
        "type": "scatter",
        "mode": "lines",
        "x": ends,
        "y": [fit.intercept + fit.slope * x for x in ends],
        "hoverinfo": "skip",
    }
    return [{**line, "line": {"color": style.ground, "width": 5}}, {**line, "line": {"color": style.ink, "width": 2}}]


def _axes(two: _Two, plot: Plot, canvas: Canvas) -> dict[str, Any]:
    found = {}
    for letter, other, edges, name in zip("xy", "yx", _edges(two), _names(two), strict=True):
        found[f"{letter}axis"] = {
            **axis_style(canvas.style),
            "fixedrange": True,
            "domain": plot.domain[letter],
            "anchor": other,
            "range": [float(edges[0]), float(edges[-1])],
            "nticks": 8,
            "separatethousands": True,
            "showline": True,
            "automargin": "left" if letter == "y" else False,
            "title": {"text": name, "standoff": 6, "font": {"size": 12, "color": canvas.style.muted}},
        }
    return found


def _names(two: _Two) -> list[str]:
    """The name and unit of each axis; of one sensor at two stations, with the station."""
    labels = [sensor.label(current_language()) for sensor in two.sensors]
    if labels[0] == labels[1]:
        stations = two.subject.station.split(" · ")
        known = stations if len(stations) == len(labels) else [_("first series"), _("second series")]
        labels = [f"{visible(station)} · {label}" for station, label in zip(known, labels, strict=True)]
    return [verbatim(f"{label} [{unit}]") for label, unit in zip(labels, two.subject.units, strict=True)]
