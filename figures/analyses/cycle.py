"""The diurnal and the annual cycle: means and spread by hour and by month, and both in one map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from analysis.answer import Answer, SubjectAnswer
from analysis.cycle import Cycle, Part
from data.catalogue import Catalogue, Sensor
from figures.arrays import typed
from figures.canvas import TOP_PX, Canvas, Plot, arrange_plots, axis_key, axis_name, canvas_layout, hidden_axes, plot_title
from figures.colour_scales import colour_bar, compass, direction_scale, value_scale
from figures.history import Figure
from figures.notes import NOTE_PX, drawn_of, in_middle, no_data, note_above, note_lines
from figures.subjects import MOST_SUBJECTS, number_with_unit, sensor_of, subject_title
from figures.template import Style, axis_style, series_colour, translucent
from figures.words import verbatim
from i18n import format_number, short_months
from i18n import gettext as _

_HOURS: Final = 24
_MONTHS: Final = 12
_KINDS: Final = 3  # plots of a series: by hour, by month, both
_PLOT_PX: Final = 210
_HEAD_PX: Final = 18  # what a plot is, under the series' name
_GAP_PX: Final = 58
_BAR_PX: Final = 54  # right of a heat map


@dataclass(frozen=True)
class _Series:
    """A series that is drawn."""

    subject: SubjectAnswer
    sensor: Sensor
    style: Style

    @property
    def result(self) -> Cycle:
        found: Cycle = self.subject.result
        return found

    @property
    def colour(self) -> str:
        return series_colour(self.sensor.color, self.style)


def figure(answer: Answer, catalogue: Catalogue, canvas: Canvas) -> Figure:
    """Return three plots a series: mean and 10th to 90th percentile by hour and by month, and the
    mean of each hour of each month.
    """
    subjects = answer.subjects[:MOST_SUBJECTS]
    if not subjects:
        return no_data(canvas)
    notes = note_lines(drawn_of(len(subjects), len(answer.subjects)), canvas)
    top_px = TOP_PX + NOTE_PX * len(notes)
    columns = 1 if canvas.phone else _KINDS
    plot_px = _PLOT_PX + _HEAD_PX
    places = arrange_plots(_KINDS * len(subjects), canvas, columns=columns, plot_px=plot_px, gap_px=_GAP_PX, top_px=top_px)
    layout = canvas_layout(canvas, places.height, top_px)
    layout["annotations"] = note_above(notes, canvas.style)
    data: list[dict[str, Any]] = []
    for at, subject in enumerate(subjects):
        series = _Series(subject, sensor_of(subject, catalogue), canvas.style)
        title = subject_title(subject, catalogue, "", canvas.width_px)
        own = places.plots[at * _KINDS : (at + 1) * _KINDS]
        layout["annotations"].append(plot_title(own[0], title, canvas.style))
        plots = [_under_head(plot, plot_px) for plot in own]
        if not series.result.hours:
            layout["annotations"].append(in_middle(plots[0], _("No data in this window"), canvas.style))
            for kind, plot in enumerate(plots):
                layout.update(hidden_axes(plot, at * _KINDS + kind))
            continue
        layout["annotations"] += [_caption(plot, text, canvas.style) for plot, text in zip(plots, _captions(series), strict=True)]
        found, axes = _drawn(series, plots, at * _KINDS, canvas)
        data += found
        layout.update(axes)
    return {"data": data, "layout": layout}


def _under_head(plot: Plot, plot_px: int) -> Plot:
    """The place of a plot, without the line of words at its top."""
    return Plot(plot.left, plot.right, plot.bottom, plot.top - (plot.top - plot.bottom) * _HEAD_PX / plot_px)


def _caption(plot: Plot, text: str, style: Style) -> dict[str, Any]:
    title = plot_title(plot, text, style)
    return {**title, "font": {"size": 11.5, "color": style.muted}}


def _captions(series: _Series) -> tuple[str, str, str]:
    if series.sensor.is_direction:
        return _("Mean by hour"), _("Mean by month"), _("Mean by hour and month")
    return _("Mean and 10–90 % by hour"), _("Mean and 10–90 % by month"), _("Mean by hour and month")


def _drawn(series: _Series, plots: Sequence[Plot], first: int, canvas: Canvas) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Traces and axes of the three plots of a series; ``first`` is the number of its axes."""
    months = short_months()
    hours = {int(part.name): part for part in series.result.hours}
    by_month = {int(part.name) - 1: part for part in series.result.months}
    clock = [f"{hour:02d}:00–{hour:02d}:59" for hour in range(_HOURS)]
    width_px = canvas.width_px * (plots[0].right - plots[0].left)
    step = 3 if width_px > 8 * 30 else 6
    hour_ticks = {"tickvals": list(range(0, _HOURS, step)), "ticktext": [f"{hour:02d}" for hour in range(0, _HOURS, step)]}
    each = 1 if width_px > _MONTHS * 27 else 3
    month_ticks = {"tickvals": list(range(0, _MONTHS, each)), "ticktext": months[::each]}
    heat = plots[2]
    right = heat.right - _BAR_PX / max(canvas.width_px, 1)
    heat = Plot(heat.left, right, heat.bottom, heat.top)
    traces = [
        *_line(series, hours, clock, first),
        *_line(series, by_month, months, first + 1),
        _map(series, heat, first + 2, clock, months),
    ]
    every_month = {"tickvals": list(range(_MONTHS)), "ticktext": months, "range": [_MONTHS - 0.5, -0.5]}
    axes = {
        **_axis_pair(series, plots[0], first, {**hour_ticks, "range": [-0.5, _HOURS - 0.5]}, _values(series)),
        **_axis_pair(series, plots[1], first + 1, {**month_ticks, "range": [-0.5, _MONTHS - 0.5]}, _values(series)),
        **_axis_pair(series, heat, first + 2, {**hour_ticks, "range": [-0.5, _HOURS - 0.5]}, every_month, grid=False),
    }
    return traces, axes


def _line(series: _Series, parts: dict[int, Part], names: Sequence[str], number: int) -> list[dict[str, Any]]:
    """Mean of each part, and a band behind it; of a direction points alone, which turn at north."""
    axes = {"xaxis": axis_key("x", number), "yaxis": axis_key("y", number)}
    count = len(names)
    mean, low, high = (np.array([_of(parts, n, name) for n in range(count)]) for name in ("mean", "p10", "p90"))
    words = [_words(series, parts[n], names[n]) if n in parts else "" for n in range(count)]
    line = {
        **axes,
        "type": "scatter",
        "mode": "markers" if series.sensor.is_direction else "lines+markers",
        "x": list(range(count)),
        "y": typed(mean, "f8"),
        "line": {"color": series.colour, "width": 1.8},
        "marker": {"color": series.colour, "size": 6 if series.sensor.is_direction else 5},
        "customdata": words,
        "hovertemplate": "%{customdata}<extra></extra>",
    }
    if series.sensor.is_direction:
        return [line]
    fill = {"line": {"width": 0}, "fill": "toself", "fillcolor": translucent(series.colour, 0.18)}
    bands = []
    for run in _runs(np.isfinite(low) & np.isfinite(high)):
        x, y = np.concatenate([run, run[::-1]]), np.concatenate([low[run], high[run][::-1]])
        shape = {"mode": "lines", "x": x.tolist(), "y": typed(y, "f8"), "hoverinfo": "skip"}
        bands.append({**axes, "type": "scatter", **shape, **fill})
    return [*bands, line]


def _of(parts: dict[int, Part], number: int, name: str) -> float:
    return float(getattr(parts[number], name)) if number in parts else np.nan


def _runs(there: np.ndarray) -> list[np.ndarray]:
    """Places in a row that are there."""
    at = np.flatnonzero(there)
    return [run for run in np.split(at, np.flatnonzero(np.diff(at) > 1) + 1) if run.size]


def _words(series: _Series, part: Part, name: str) -> str:
    lines = [f"<b>{name}</b>", f"{_('mean')}: {number_with_unit(part.mean, series.sensor)}"]
    if not series.sensor.is_direction:
        digits = series.sensor.decimals
        spread = f"{format_number(part.p10, digits)} … {format_number(part.p90, digits)}"
        lines.append(f"{_('10–90 %')}: {spread} {verbatim(series.sensor.unit)}")
        lines.append(f"{_('median')}: {number_with_unit(part.median, series.sensor)}")
    lines.append(_("{rows} readings").format(rows=format_number(part.rows)))
    return "<br>".join(lines)


def _map(series: _Series, plot: Plot, number: int, clock: Sequence[str], months: Sequence[str]) -> dict[str, Any]:
    result = series.result
    bar = {
        **colour_bar(series.style, "" if series.sensor.is_direction else series.sensor.unit),
        "x": plot.right,
        "xanchor": "left",
        "xpad": 8,
        "y": plot.bottom,
        "yanchor": "bottom",
        "lenmode": "fraction",
        "len": plot.top - plot.bottom,
    }
    words = [
        [_cell(series, float(mean), int(rows), f"{month}, {hour}") for mean, rows, hour in zip(*row, clock, strict=True)]
        for *row, month in zip(result.mean, result.rows, months, strict=True)
    ]
    ends = {"zmin": 0, "zmax": 360} if series.sensor.is_direction else {}
    return {
        "type": "heatmap",
        "z": {**typed(result.mean, "f8"), "shape": f"{_MONTHS}, {_HOURS}"},
        "xaxis": axis_key("x", number),
        "yaxis": axis_key("y", number),
        "xgap": 1,
        "ygap": 1,
        "hoverongaps": False,
        "colorscale": direction_scale() if series.sensor.is_direction else value_scale(series.style),
        "colorbar": {**bar, **compass()} if series.sensor.is_direction else bar,
        "customdata": words,
        "hovertemplate": "%{customdata}<extra></extra>",
        **ends,
    }


def _cell(series: _Series, mean: float, rows: int, name: str) -> str:
    counted = _("{rows} readings").format(rows=format_number(rows))
    return f"<b>{name}</b><br>{_('mean')}: {number_with_unit(mean, series.sensor)}<br>{counted}"


def _values(series: _Series) -> dict[str, Any]:
    """The axis of values."""
    if series.sensor.is_direction:
        return {**compass(), "range": [-8, 368]}
    unit = {"ticksuffix": f" {verbatim(series.sensor.unit)}", "showticksuffix": "last"}
    ground = {"rangemode": "tozero" if series.sensor.aggregation == "sum" else "normal"}
    return {**unit, **ground, "tickmode": "auto", "nticks": 6, "separatethousands": True}


def _axis_pair(
    series: _Series, plot: Plot, number: int, x: dict[str, Any], y: dict[str, Any], *, grid: bool = True
) -> dict[str, Any]:
    axis = {**axis_style(series.style), "fixedrange": True, "tickmode": "array", "showgrid": grid}
    domain = plot.domain
    return {
        axis_name("x", number): {**axis, "domain": domain["x"], "anchor": axis_key("y", number), "showline": grid, **x},
        axis_name("y", number): {**axis, "domain": domain["y"], "anchor": axis_key("x", number), **y},
    }
