"""How readings are spread: histogram, how often a value is exceeded, and boxes by month or hour."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from analysis.answer import Answer, SubjectAnswer
from analysis.distribution import Box, Distribution
from data.catalogue import Catalogue, Sensor
from figures.arrays import counts, typed
from figures.canvas import TOP_PX, Canvas, Plot, arrange_plots, axis_key, axis_name, canvas_layout, hidden_axes, plot_title
from figures.colour_scales import compass
from figures.history import Figure
from figures.notes import NOTE_PX, drawn_of, in_middle, no_data, note_above, note_lines
from figures.subjects import MOST_SUBJECTS, number_with_unit, part_name, sensor_of, subject_label, subject_title
from figures.template import Style, axis_style, series_colour, translucent
from figures.words import verbatim
from i18n import THIN_SPACE, format_number
from i18n import gettext as _

SHOWN: Final = ("histogram", "exceedance", "box")

_PLOT_PX: Final = 230
_GAP_PX: Final = 62
_PARTS: Final = {"month": 12, "hour": 24}
_HOVER: Final = "%{customdata}<extra></extra>"

Drawn = tuple[list[dict[str, Any]], dict[str, Any], dict[str, Any]]  # traces, x axis, y axis


@dataclass(frozen=True)
class _Spread:
    """The distribution of a series that is drawn; ``by`` is the part of the year or day of its
    boxes.
    """

    result: Distribution
    sensor: Sensor
    by: str
    style: Style

    @property
    def colour(self) -> str:
        return series_colour(self.sensor.color, self.style)


def figure(answer: Answer, catalogue: Catalogue, canvas: Canvas) -> Figure:
    """Return a plot a series, of what ``show`` of the canvas says: ``histogram``, ``exceedance``,
    or ``box`` by month or hour.
    """
    subjects = answer.subjects[:MOST_SUBJECTS]
    if not subjects:
        return no_data(canvas)
    shown = canvas.choice("show", SHOWN)
    outside = [_outside(subject, catalogue) for subject in subjects if shown == "histogram"]
    said = [*drawn_of(len(subjects), len(answer.subjects)), _how_to_read(shown), *outside]
    notes = note_lines([text for text in said if text], canvas)
    top_px = TOP_PX + NOTE_PX * len(notes)
    columns = 1 if canvas.phone else 2
    places = arrange_plots(len(subjects), canvas, columns=columns, plot_px=_PLOT_PX, gap_px=_GAP_PX, top_px=top_px)
    layout = {**canvas_layout(canvas, places.height, top_px), "bargap": 0, "annotations": note_above(notes, canvas.style)}
    width_px = canvas.width_px * (places.plots[0].right - places.plots[0].left)
    data: list[dict[str, Any]] = []
    for number, (subject, plot) in enumerate(zip(subjects, places.plots, strict=True)):
        spread = _Spread(subject.result, sensor_of(subject, catalogue), str(answer.options.get("by", "none")), canvas.style)
        title = subject_title(subject, catalogue, f"n = {format_number(spread.result.rows)}", width_px)
        layout["annotations"].append(plot_title(plot, title, canvas.style))
        why = _why_not(spread, shown)
        if why:
            layout["annotations"].append(in_middle(plot, "<br>".join(note_lines([why], canvas)), canvas.style))
            layout.update(hidden_axes(plot, number))
            continue
        traces, x, y = _drawn(spread, shown, width_px)
        data += [{**trace, "xaxis": axis_key("x", number), "yaxis": axis_key("y", number)} for trace in traces]
        layout.update(_axes(plot, number, x, y, canvas.style))
    return {"data": data, "layout": layout}


def _outside(subject: SubjectAnswer, catalogue: Catalogue) -> str:
    """Say how many readings of a series no bin holds; nothing where there is none."""
    number = subject.result.rows - int(subject.result.counts.sum())
    words = _("{number} out of range").format(number=format_number(number))
    return f"{subject_label(subject, catalogue)}: {words}" if number else ""


def _how_to_read(shown: str) -> str:
    if shown == "exceedance":
        return _("How many percent of readings reach or exceed a value.")
    if shown == "box":
        return _("Box: quartiles and median; whiskers: 10–90 %; diamond: mean; points: minimum and maximum.")
    return ""


def _why_not(spread: _Spread, shown: str) -> str:
    """Why nothing is drawn of a series; empty where something is."""
    if not spread.result.rows:
        return _("No data in this window")
    if spread.sensor.is_direction and shown != "histogram":
        return _("A direction has no quantiles; its histogram shows it.")
    if shown == "box" and not spread.result.boxes:
        return _("Choose boxes by month or by hour.")
    return ""


def _drawn(spread: _Spread, shown: str, width_px: float) -> Drawn:
    if shown == "box":
        return _boxes(spread, width_px)
    return _exceedance(spread) if shown == "exceedance" else _histogram(spread)


def _histogram(spread: _Spread) -> Drawn:
    result = spread.result
    edges = result.edges
    digits = _digits(float(edges[1] - edges[0]), spread.sensor)
    words = []
    for (low, high), number in zip(pairwise(edges.tolist()), result.counts.tolist(), strict=True):
        span = f"{format_number(low, digits)} … {format_number(high, digits)}{THIN_SPACE}{verbatim(spread.sensor.unit)}"
        rows = _("{rows} readings").format(rows=format_number(number))
        words.append(f"<b>{span}</b><br>{rows}, {_percent(100 * number / result.rows, 2)}")
    bars = {
        "type": "bar",
        "x": typed(edges[:-1], "f8"),
        "width": typed(np.diff(edges), "f8"),
        "offset": 0,
        "y": counts(result.counts),
        "marker": {"color": spread.colour, "line": {"color": spread.style.ground, "width": 0.5}},
        "customdata": words,
        "hovertemplate": _HOVER,
    }
    x = {**compass(), "range": [0, 360]} if spread.sensor.is_direction else {**_values(spread.sensor), "nticks": 8}
    return [bars], x, {"rangemode": "tozero", "nticks": 6, "separatethousands": True, "title": _name(_("readings"), spread.style)}


def _exceedance(spread: _Spread) -> Drawn:
    pairs = spread.result.exceeded
    line = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [percent for percent, _value in pairs],
        "y": [value for _share, value in pairs],
        "line": {"color": spread.colour, "width": 1.8},
        "marker": {"color": spread.colour, "size": 5},
        "customdata": [
            _("{percent} of readings reach or exceed {value}").format(
                percent=_percent(percent, 0 if percent == int(percent) else 1), value=number_with_unit(value, spread.sensor)
            )
            for percent, value in pairs
        ],
        "hovertemplate": _HOVER,
    }
    ticks = (0, 25, 50, 75, 100)
    x = {"range": [-2, 102], "tickvals": list(ticks), "ticktext": [_percent(percent, 0) for percent in ticks]}
    return [line], x, {**_values(spread.sensor), "nticks": 6}


def _boxes(spread: _Spread, width_px: float) -> Drawn:
    """Boxes at the places of their parts; a point tells all numbers of its box."""
    boxes, parts = spread.result.boxes, _PARTS[spread.by]
    first = 1 if spread.by == "month" else 0
    at = [int(box.name) - first for box in boxes]
    box = {
        "type": "box",
        "x": at,
        "q1": [one.q1 for one in boxes],
        "median": [one.median for one in boxes],
        "q3": [one.q3 for one in boxes],
        "lowerfence": [one.p10 for one in boxes],
        "upperfence": [one.p90 for one in boxes],
        "width": 0.6,
        "line": {"color": spread.colour, "width": 1.4},
        "fillcolor": translucent(spread.colour, 0.22),
        "hoverinfo": "skip",
    }
    words = [_box_words(one, spread) for one in boxes]
    points = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": at,
            "y": [getattr(one, name) for one in boxes],
            "marker": {"color": spread.colour, "symbol": symbol, "size": size},
            "customdata": words,
            "hovertemplate": _HOVER,
        }
        for name, symbol, size in (("min", "circle", 4), ("mean", "diamond", 7), ("max", "circle", 4))
    ]
    step = 1 if width_px > parts * 36 else 3
    named = [part_name(spread.by, f"{place + first:02d}") for place in range(parts)]
    ticks = {"tickmode": "array", "tickvals": list(range(0, parts, step)), "ticktext": named[::step]}
    x = {**ticks, "range": [-0.6, parts - 0.4], "showgrid": False}
    return [box, *points], x, {**_values(spread.sensor), "nticks": 6}


def _box_words(box: Box, spread: _Spread) -> str:
    digits, unit = spread.sensor.decimals, verbatim(spread.sensor.unit)
    between = ((_("min–max"), box.min, box.max), (_("10–90 %"), box.p10, box.p90), (_("25–75 %"), box.q1, box.q3))
    lines = [f"<b>{part_name(spread.by, box.name)}</b>"]
    for name, low, high in between:
        lines.append(f"{name}: {format_number(low, digits)} … {format_number(high, digits)}{THIN_SPACE}{unit}")
    lines.append(f"{_('median')}: {number_with_unit(box.median, spread.sensor)}")
    lines.append(f"{_('mean')}: {number_with_unit(box.mean, spread.sensor)}")
    return "<br>".join([*lines, _("{rows} readings").format(rows=format_number(box.rows))])


def _percent(value: float, digits: int) -> str:
    return f"{format_number(value, digits)}{THIN_SPACE}%"


def _digits(width: float, sensor: Sensor) -> int:
    """As many digits as the sensor has, and those of finer bins."""
    return max(sensor.decimals, min(9, math.ceil(-math.log10(width) - 1e-9)))


def _values(sensor: Sensor) -> dict[str, Any]:
    """An axis of values."""
    return {"ticksuffix": f" {verbatim(sensor.unit)}", "showticksuffix": "last", "separatethousands": True}


def _name(text: str, style: Style) -> dict[str, Any]:
    return {"text": text, "standoff": 4, "font": {"size": 11, "color": style.muted}}


def _axes(plot: Plot, number: int, x: dict[str, Any], y: dict[str, Any], style: Style) -> dict[str, Any]:
    axis, domain = {**axis_style(style), "fixedrange": True}, plot.domain
    return {
        axis_name("x", number): {**axis, "domain": domain["x"], "anchor": axis_key("y", number), "showline": True, **x},
        axis_name("y", number): {**axis, "domain": domain["y"], "anchor": axis_key("x", number), "automargin": "left", **y},
    }
