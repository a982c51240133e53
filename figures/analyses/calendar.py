"""The calendar as a heat map: a row a month, a column a day of the month; or hours of days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from analysis.answer import Answer, SubjectAnswer
from analysis.calendar import Calendar, Day
from data.arrays import Floats, Integers
from data.catalogue import Catalogue, Sensor
from figures.analyses.calendar_hours import hours_figure
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
from figures.canvas import TOP_PX, Canvas, Plot, arrange_plots, axis_key, axis_name, canvas_layout, hidden_axes, plot_title
from figures.history import Figure
from figures.notes import NOTE_PX, drawn_of, in_middle, no_data, note_above, note_lines
from figures.subjects import MOST_SUBJECTS, period_doors, sensor_of, subject_title
from figures.template import Style, axis_style
from i18n import short_months

_DAYS: Final = 31
_HEAD_PX: Final = 42  # colour bar and days of the month, above a plot and under its name
_USUAL_PX: Final = 560  # height of a plot
_ROW_PX: Final = (14, 28)  # of a month
_MOST_PX: Final = 8000  # of a plot: what a browser paints in one piece
_MOST_ROWS: Final = 2000  # of all plots
_TWO_COLUMNS_PX: Final = 900
_GAP_PX: Final = 58
_LABELLED_PX: Final = 11  # a row lower than this has no name of its own


@dataclass(frozen=True)
class _Page:
    """One subject's days: ``at`` is the place (row, column) of each; row 0 is ``first``."""

    subject: SubjectAnswer
    sensor: Sensor
    days: tuple[Day, ...]
    dates: np.ndarray
    doors: Integers
    first: int  # months since 1970
    rows: int

    @property
    def at(self) -> tuple[Integers, Integers]:
        months = self.dates.astype("datetime64[M]")
        row: Integers = months.astype(np.int64) - self.first
        column: Integers = (self.dates - months.astype("datetime64[D]")).astype(np.int64)
        return row, column

    @property
    def months(self) -> range:
        """The months of its rows, since 1970."""
        return range(self.first, self.first + self.rows)

    def placed(self, values: Floats | Integers) -> Floats:
        """Values of days, [day] or [day][n], as f8[row][column]; NaN where there is no day."""
        cells = np.full((self.rows, _DAYS, *values.shape[1:]), np.nan)
        cells[self.at] = values
        return cells


def figure(answer: Answer, catalogue: Catalogue, canvas: Canvas) -> Figure:
    """Return a heat map a series, of what ``show`` of the canvas says: ``completeness``, ``mean``,
    ``max``, ``min`` or ``total`` of each day, or of each hour where it was asked for. A day is a
    door to itself.
    """
    if answer.options.get("by") == "hour" and answer.subjects:
        return hours_figure(answer, catalogue, canvas)
    pages = _fitting([_page(answer, subject, catalogue) for subject in answer.subjects[:MOST_SUBJECTS]])
    if not pages:
        return no_data(canvas)
    shown = canvas.choice("show", SHOWN)
    row_px = _row_px(max(page.rows for page in pages))
    notes = note_lines(drawn_of(len(pages), len(answer.subjects)), canvas)
    columns = 2 if canvas.width_px >= _TWO_COLUMNS_PX else 1
    plot_px = round(max(page.rows for page in pages) * row_px) + _HEAD_PX
    top_px = TOP_PX + NOTE_PX * len(notes)
    places = arrange_plots(len(pages), canvas, columns=columns, plot_px=plot_px, gap_px=_GAP_PX, top_px=top_px)
    share = 1 / (places.height - canvas_layout(canvas, 0)["margin"]["b"] - top_px)
    layout = canvas_layout(canvas, places.height, top_px)
    layout["annotations"] = note_above(notes, canvas.style)
    width_px = canvas.width_px * (places.plots[0].right - places.plots[0].left)
    data: list[dict[str, Any]] = []
    for number, (page, place) in enumerate(zip(pages, places.plots, strict=True)):
        top = place.top - _HEAD_PX * share
        plot = Plot(place.left, place.right, max(0.0, top - page.rows * row_px * share), top)
        layout["annotations"].append(
            plot_title(place, subject_title(page.subject, catalogue, shown_name(shown, "day"), width_px), canvas.style)
        )
        if why := why_nothing(page.sensor, shown, rows=any(day.rows for day in page.days)):
            layout["annotations"].append(in_middle(plot, "<br>".join(note_lines([why], canvas)), canvas.style))
            layout.update(hidden_axes(plot, number))
            continue
        layout.update(_axes(page, plot, number, row_px, canvas.style))
        bar = {**bar_above(page.sensor, shown, canvas), "x": plot.left, "y": place.top}
        data += _traces(page, number, shown, _limits(pages, page, shown), bar, canvas.style)
    return {"data": data, "layout": layout}


def _page(answer: Answer, subject: SubjectAnswer, catalogue: Catalogue) -> _Page:
    sensor = sensor_of(subject, catalogue)
    result: Calendar = subject.result
    dates, doors = period_doors(answer, "1d", sensor)
    months = dates.astype("datetime64[M]").astype(np.int64)
    return _Page(subject, sensor, result.days, dates, doors, int(months[0]), int(months[-1] - months[0]) + 1)


def _fitting(pages: list[_Page]) -> list[_Page]:
    """The first pages that have so many rows in all; at least one."""
    rows = np.cumsum([page.rows for page in pages])
    return pages[: max(1, int(np.searchsorted(rows, _MOST_ROWS, "right")))]


def _row_px(rows: int) -> float:
    least, most = _ROW_PX
    return min(max(_USUAL_PX / rows, least), most, _MOST_PX / rows)


def _values(page: _Page, shown: str) -> Floats:
    """What is drawn of each day, f8[day]; NaN where there is nothing."""
    if shown == "completeness":
        return shares(_numbers(page, "rows"), np.nan_to_num(_numbers(page, "expected")))
    return _numbers(page, shown)


def _numbers(page: _Page, name: str) -> Floats:
    """A number of each day, f8[day]; NaN where it has none."""
    return np.array([np.nan if (value := getattr(day, name)) is None else value for day in page.days], np.float64)


def _limits(pages: list[_Page], page: _Page, shown: str) -> tuple[float, float]:
    """Ends of the colour scale, which all series of a sensor share."""
    values = np.concatenate([_values(each, shown) for each in pages if each.sensor.name == page.sensor.name])
    return colour_limits(values, page.sensor, shown)


def _traces(
    page: _Page, number: int, shown: str, limits: tuple[float, float], bar: dict[str, Any], style: Style
) -> list[dict[str, Any]]:
    """Heat maps of days with a value, and of those without one, which are doors as well."""
    values, expected = _values(page, shown), _numbers(page, "expected")
    heat = {
        "type": "heatmap",
        "x0": 1,
        "dx": 1,
        "y": [f"{short_months()[month % 12]} {1970 + month // 12:04d}" for month in page.months],
        "xaxis": axis_key("x", number),
        "yaxis": axis_key("y", number),
        "xgap": 1,
        "ygap": 1,
        "hoverongaps": False,
        "customdata": told_cells(*(page.placed(each) for each in (page.doors, _numbers(page, "rows"), expected))),
    }
    days = {**heat, "z": _cells(page, values), "zmin": limits[0], "zmax": limits[1], "colorbar": bar}
    days |= {"colorscale": colours(page.sensor, shown, style), "hovertemplate": _words(page, shown, expected)}
    if not np.isnan(values).any():
        return [days]
    nothing = _cells(page, np.where(np.isnan(values), 0.0, np.nan))
    flat = {"colorscale": [[0, style.pending], [1, style.pending]], "zmin": 0, "zmax": 1, "showscale": False}
    return [days, {**heat, **flat, "z": nothing, "hovertemplate": _words(page, "", expected)}]


def _cells(page: _Page, values: Floats) -> TypedArray:
    return {**measured(page.placed(values).ravel(), page.sensor.decimals), "shape": f"{page.rows}, {_DAYS}"}


def _words(page: _Page, shown: str, expected: Floats) -> str:
    return cell_words("%{x} %{y}", page.sensor, shown, "day", expected)


def _axes(page: _Page, plot: Plot, number: int, row_px: float, style: Style) -> dict[str, Any]:
    axis = {**axis_style(style), "showgrid": False, "fixedrange": True, "ticks": "", "ticklabeloverflow": "allow"}
    x, y = axis_key("x", number), axis_key("y", number)
    named = [row for row, month in enumerate(page.months) if row_px >= _LABELLED_PX or month % 12 == 0]
    return {
        axis_name("x", number): {
            **axis,
            "domain": plot.domain["x"],
            "anchor": y,
            "side": "top",
            "range": [0.5, _DAYS + 0.5],
            "tickmode": "array",
            "tickvals": [1, 5, 10, 15, 20, 25, 30],
        },
        axis_name("y", number): {
            **axis,
            "domain": plot.domain["y"],
            "anchor": x,
            "tickfont": {**axis["tickfont"], "size": 10},
            "type": "category",
            "range": [page.rows - 0.5, -0.5],
            "tickmode": "array",
            "tickvals": named,
            "ticktext": [_month(page.months[row], first=row == named[0]) for row in named],
        },
    }


def _month(month: int, *, first: bool) -> str:
    """A month's name; the first one's and a January's with the year."""
    name = short_months()[month % 12]
    return f"<b>{1970 + month // 12}</b> {name}" if first or month % 12 == 0 else name
