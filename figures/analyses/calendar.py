"""The calendar as a heat map: a row a month, a column a day of the month; or hours of days."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np

from analysis.answer import Answer, SubjectAnswer
from analysis.calendar import Calendar, Day
from data.arrays import Floats, Integers
from data.catalogue import Catalogue, Sensor
from figures.analyses.calendar_hours import hours_figure
from figures.analyses.calendar_shown import SHOWN, bar_above, colour_limits, colours, shares, shown_name, why_nothing
from figures.arrays import TypedArray, typed
from figures.canvas import TOP_PX, Canvas, Plot, arrange_plots, axis_key, axis_name, canvas_layout, hidden_axes, plot_title
from figures.history import Figure
from figures.notes import NOTE_PX, drawn_of, in_middle, no_data, note_above, note_lines
from figures.subjects import HOVER, MOST_SUBJECTS, number_with_unit, period_doors, sensor_of, subject_title
from figures.template import Style, axis_style
from i18n import format_number, short_months
from i18n import gettext as _

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
        data += [_ground(page, number, canvas.style), _days(page, number, shown, _limits(pages, page, shown), bar, canvas.style)]
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
        return shares(*(np.array([getattr(day, name) or 0.0 for day in page.days]) for name in ("rows", "expected")))
    return np.array([value if (value := getattr(day, shown)) is not None else np.nan for day in page.days], np.float64)


def _limits(pages: list[_Page], page: _Page, shown: str) -> tuple[float, float]:
    """Ends of the colour scale, which all series of a sensor share."""
    values = np.concatenate([_values(each, shown) for each in pages if each.sensor.name == page.sensor.name])
    return colour_limits(values, page.sensor, shown)


def _days(page: _Page, number: int, shown: str, limits: tuple[float, float], bar: dict[str, Any], style: Style) -> dict[str, Any]:
    values = _values(page, shown)
    return {
        **_heat(number, _placed(page, values)),
        "customdata": _words(page, shown, values),
        "colorscale": colours(page.sensor, shown, style),
        "zmin": limits[0],
        "zmax": limits[1],
        "colorbar": bar,
        "hovertemplate": HOVER,
    }


def _ground(page: _Page, number: int, style: Style) -> dict[str, Any]:
    """All days of the window, so that one without a value is seen, and is a door."""
    values = np.zeros(len(page.days))
    return {
        **_heat(number, _placed(page, values)),
        "customdata": _words(page, "", values),
        "colorscale": [[0, style.pending], [1, style.pending]],
        "zmin": 0,
        "zmax": 1,
        "showscale": False,
        "hovertemplate": HOVER,
    }


def _heat(number: int, cells: TypedArray) -> dict[str, Any]:
    return {
        "type": "heatmap",
        "z": cells,
        "x0": 1,
        "dx": 1,
        "y0": 0,
        "dy": 1,
        "xaxis": axis_key("x", number),
        "yaxis": axis_key("y", number),
        "xgap": 1,
        "ygap": 1,
        "hoverongaps": False,
    }


def _placed(page: _Page, values: Floats) -> TypedArray:
    cells = np.full((page.rows, _DAYS), np.nan)
    cells[page.at] = values
    return {**typed(cells, "f8"), "shape": f"{page.rows}, {_DAYS}"}


def _words(page: _Page, shown: str, values: Floats) -> list[list[list[Any] | None]]:
    """[from, to, words] of each cell, by rows; None where the window has no day."""
    cells: list[list[list[Any] | None]] = [[None] * _DAYS for _row in range(page.rows)]
    months, counted = short_months(), cache(_counted)  # most days have as many readings as others
    row, column = page.at
    for day, date, door, value, r, c in zip(
        page.days, page.dates.tolist(), page.doors.tolist(), values.tolist(), row.tolist(), column.tolist(), strict=True
    ):
        lines = [f"<b>{date.day} {months[date.month - 1]} {date.year:04d}</b>"]
        if shown not in ("", "completeness"):
            lines.append(f"{shown_name(shown, 'day')}: {number_with_unit(value, page.sensor)}")
        lines.append(counted(day.rows, day.expected))
        cells[r][c] = [*door, "<br>".join(lines)]
    return cells


def _counted(rows: int, expected: int | None) -> str:
    if expected is None:
        return _("{rows} readings").format(rows=format_number(rows))
    return _("{rows} of {expected} readings").format(rows=format_number(rows), expected=format_number(expected))


def _axes(page: _Page, plot: Plot, number: int, row_px: float, style: Style) -> dict[str, Any]:
    axis = {**axis_style(style), "showgrid": False, "fixedrange": True, "ticks": "", "ticklabeloverflow": "allow"}
    x, y = axis_key("x", number), axis_key("y", number)
    rows = [page.first + row for row in range(page.rows)]
    named = [row for row, month in enumerate(rows) if row_px >= _LABELLED_PX or month % 12 == 0]
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
            "range": [page.rows - 0.5, -0.5],
            "tickmode": "array",
            "tickvals": named,
            "ticktext": [_month(rows[row], first=row == named[0]) for row in named],
        },
    }


def _month(month: int, *, first: bool) -> str:
    """A month's name; the first one's and a January's with the year."""
    name = short_months()[month % 12]
    return f"<b>{1970 + month // 12}</b> {name}" if first or month % 12 == 0 else name
