"""The calendar of hours as strips: a column a day, a row an hour, 00 at the top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from analysis.answer import Answer, SubjectAnswer
from analysis.calendar import Hours
from analysis.clock_hours import HOURS, ClockHours, clock_hours
from data.arrays import Floats, Integers
from data.catalogue import Catalogue, Sensor
from data.time.epoch import DAY_MS
from figures.analyses.calendar_shown import (
    SHOWN,
    bar_above,
    cell_words,
    colour_limits,
    colours,
    shares,
    shown_name,
    told_cells,
    why_nothing,
)
from figures.arrays import TypedArray, measured
from figures.canvas import (
    TOP_PX,
    Canvas,
    Plot,
    arrange_plots,
    axis_key,
    axis_name,
    canvas_layout,
    hidden_axes,
    plot_title,
)
from figures.history import Figure
from figures.notes import NOTE_PX, drawn_of, in_middle, note_above, note_lines
from figures.subjects import MOST_SUBJECTS, sensor_of, subject_title
from figures.template import axis_style

_MOST_CELLS: Final = 100_000  # of all plots: eleven years of one series
_HEAD_PX: Final = 28  # colour bar, above the strips and under the name of a plot
_GAP_PX: Final = 40  # under a strip, for its dates
_HOUR_PX: Final = 5
_ONE_STRIP_HOUR_PX: Final = 12
_LEAST_HOUR_PX: Final = 2
_MOST_PX: Final = 8000  # of a plot: what a browser paints in one piece
_LEAST_DAY_PX: Final = 2
_LONGEST: Final = {12: 366, 6: 184, 3: 92, 1: 31}  # days of so many months
_TICK_PX: Final = 78
_SQUARE_PX: Final = 8  # of a day, from which on cells stand apart


@dataclass(frozen=True)
class _Strip:
    """Dates of one row of a plot: those of the answer from ``first`` up to ``last``, on an axis of
    ``days`` from ``begin`` (days since 1970) on.
    """

    first: int
    last: int
    begin: int
    days: int


@dataclass(frozen=True)
class _Page:
    """The hours of a series that are drawn."""

    subject: SubjectAnswer
    sensor: Sensor
    hours: Hours

    def values(self, shown: str) -> Floats:
        """What is shown of each hour, f8[date][24]; NaN where there is nothing."""
        if shown == "completeness":
            return shares(self.hours.rows, self.hours.expected)
        found: Floats = getattr(self.hours, shown)
        return found


@dataclass(frozen=True)
class _Drawing:
    """What all pages share: what is shown of hours, which there are, and in which strips."""

    canvas: Canvas
    shown: str
    clock: ClockHours
    strips: Sequence[_Strip]

    @property
    def hour_px(self) -> float:
        """How high an hour is."""
        if len(self.strips) == 1:
            return _ONE_STRIP_HOUR_PX
        return min(_HOUR_PX, max(_LEAST_HOUR_PX, (_MOST_PX / len(self.strips) - _GAP_PX) / HOURS))

    @property
    def plot_px(self) -> int:
        """How high the plot of a series is."""
        return round(_HEAD_PX + len(self.strips) * (HOURS * self.hour_px + _GAP_PX)) - _GAP_PX

    def plot(self, place: Plot, at: int, share: float) -> Plot:
        """The place of a strip in that of its series; ``share`` is a pixel's of the height."""
        top = place.top - share * (_HEAD_PX + at * (HOURS * self.hour_px + _GAP_PX))
        return Plot(place.left, place.right, max(0.0, top - share * HOURS * self.hour_px), top)

    def traces(self, page: _Page, strip: _Strip, number: int, limits: tuple[float, float]) -> list[dict[str, Any]]:
        """Heat maps of a strip: of hours with a value, and of those without one."""
        dates = slice(strip.first, strip.last)
        values, known = page.values(self.shown)[dates], ~np.isnan(page.hours.rows[dates])
        rows, expected = page.hours.rows[dates].T, page.hours.expected[dates].T
        doors = np.broadcast_to(self.clock.doors[dates], (HOURS, *self.clock.doors[dates].shape))
        day_px = self.canvas.width_px / strip.days
        heat = {
            "type": "heatmap",
            "x0": (int(self.clock.day[0]) + strip.first) * DAY_MS,
            "dx": DAY_MS,
            "y0": 0,
            "dy": 1,
            "xaxis": axis_key("x", number),
            "yaxis": axis_key("y", number),
            "xgap": int(day_px >= _SQUARE_PX),
            "ygap": int(self.hour_px >= _SQUARE_PX),
            "hoverongaps": False,
            "customdata": told_cells(doors, rows, expected),
            "showscale": False,
        }
        style, sensor = self.canvas.style, page.sensor
        found = [{**heat, "z": _cells(values, sensor), "zmin": limits[0], "zmax": limits[1]}]
        found[0] |= {"colorscale": colours(sensor, self.shown, style), "hovertemplate": _words(sensor, self.shown, expected)}
        if (known & np.isnan(values)).any():
            nothing = np.where(known & np.isnan(values), 0.0, np.nan)
            flat = {"colorscale": [[0, style.pending], [1, style.pending]], "zmin": 0, "zmax": 1}
            found.append({**heat, **flat, "z": _cells(nothing, sensor), "hovertemplate": _words(sensor, "", expected)})
        return found


def hours_figure(answer: Answer, catalogue: Catalogue, canvas: Canvas) -> Figure:
    """Return strips of hours of each series, of what ``show`` of the canvas says. An hour is a
    door to its day.
    """
    clock = clock_hours(answer.start_ms, answer.end_ms, answer.timezone)
    most = min(MOST_SUBJECTS, max(1, _MOST_CELLS // (clock.days * HOURS)))
    pages = [_Page(subject, sensor_of(subject, catalogue), subject.result.hours) for subject in answer.subjects[:most]]
    drawing = _Drawing(canvas, canvas.choice("show", SHOWN), clock, _strips(clock, canvas.width_px))
    notes = note_lines(drawn_of(len(pages), len(answer.subjects)), canvas)
    top_px = TOP_PX + NOTE_PX * len(notes)
    places = arrange_plots(len(pages), canvas, columns=1, plot_px=drawing.plot_px, gap_px=_GAP_PX, top_px=top_px)
    layout = canvas_layout(canvas, places.height, top_px)
    layout["annotations"] = note_above(notes, canvas.style)
    share = 1 / (places.height - layout["margin"]["b"] - top_px)
    data: list[dict[str, Any]] = []
    for number, (page, place) in enumerate(zip(pages, places.plots, strict=True)):
        title = subject_title(page.subject, catalogue, shown_name(drawing.shown, "hour"), canvas.width_px)
        layout["annotations"].append(plot_title(place, title, canvas.style))
        first = number * len(drawing.strips)
        if why := why_nothing(page.sensor, drawing.shown, rows=bool(np.nansum(page.hours.rows))):
            layout["annotations"].append(in_middle(place, "<br>".join(note_lines([why], canvas)), canvas.style))
            layout.update(hidden_axes(place, first))
            continue
        bar = {"showscale": True, "colorbar": {**bar_above(page.sensor, drawing.shown, canvas), "x": place.left, "y": place.top}}
        limits = colour_limits(_of_sensor(pages, page, drawing.shown), page.sensor, drawing.shown)
        for at, strip in enumerate(drawing.strips):
            layout.update(_axes(strip, drawing.plot(place, at, share), first + at, canvas))
            values, *nothing = drawing.traces(page, strip, first + at, limits)
            data += [{**values, **(bar if at == 0 else {})}, *nothing]
    return {"data": data, "layout": layout}


def _words(sensor: Sensor, shown: str, expected: Floats) -> str:
    return cell_words("%{x|%-d %b %Y} %{y:02d}:00", sensor, shown, "hour", expected)


def _of_sensor(pages: Sequence[_Page], page: _Page, shown: str) -> Floats:
    """What is shown of all series of a page's sensor, which share their colours."""
    return np.concatenate([each.values(shown).ravel() for each in pages if each.sensor.name == page.sensor.name])


def _cells(values: Floats, sensor: Sensor) -> TypedArray:
    """f8[date][24] as the heat map has it: [24][date]."""
    cells = np.ascontiguousarray(values.T)
    return {**measured(cells.ravel(), sensor.decimals), "shape": f"{cells.shape[0]}, {cells.shape[1]}"}


def _strips(clock: ClockHours, width_px: int) -> list[_Strip]:
    """One of all dates where they have room; else years, or such parts of them as have."""
    months = next((number for number, days in _LONGEST.items() if days * _LEAST_DAY_PX <= width_px), 1)
    first = int(clock.day[0])
    if clock.days <= _LONGEST[months]:
        return [_Strip(0, clock.days, first, clock.days)]
    ends = [np.datetime64(day, "D").astype("datetime64[M]").astype(np.int64) for day in (first, int(clock.day[-1]))]
    begins = np.arange(int(ends[0]) // months * months, int(ends[1]) + months + 1, months)
    edges: Integers = begins.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    parts = [
        (begin, end) for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True) if begin < first + clock.days
    ]
    return [_Strip(max(0, begin - first), min(clock.days, end - first), begin, _LONGEST[months]) for begin, end in parts]


def _axes(strip: _Strip, plot: Plot, number: int, canvas: Canvas) -> dict[str, Any]:
    axis = {**axis_style(canvas.style), "showgrid": False, "fixedrange": True, "ticks": "", "ticklabeloverflow": "allow"}
    half = DAY_MS // 2  # a cell has its date in the middle
    long = strip.days > 62
    ticks = (
        {"dtick": "M1", "tickformat": "%b\n%Y"}
        if long
        else {"tickformat": "%-d %b\n%Y", "nticks": max(2, int(canvas.width_px / _TICK_PX))}
    )
    return {
        axis_name("x", number): {
            **axis,
            "type": "date",
            "domain": plot.domain["x"],
            "anchor": axis_key("y", number),
            "range": [strip.begin * DAY_MS - half, (strip.begin + strip.days) * DAY_MS - half],
            **ticks,
        },
        axis_name("y", number): {
            **axis,
            "domain": plot.domain["y"],
            "anchor": axis_key("x", number),
            "range": [HOURS - 0.5, -0.5],
            "tickmode": "array",
            "tickvals": [0, 6, 12, 18],
            "ticktext": ["00:00", "06:00", "12:00", "18:00"],
        },
    }
