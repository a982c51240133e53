"""Rain as bars of days, months or years, or as the running total of each year."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from analysis.answer import Answer, SubjectAnswer
from analysis.rain import Rain, Total, with_day_start
from data.catalogue import Catalogue, Sensor
from data.time.epoch import DAY_MS
from figures.canvas import Canvas, arrange_plots, axis_key, axis_name, canvas_layout, plot_title
from figures.colour_scales import ramp_colours
from figures.history import Figure
from figures.notes import NOTE_PX, drawn_of, in_middle, no_data, note_above, note_lines
from figures.subjects import MOST_SUBJECTS, number_with_unit, period_doors, subject_title
from figures.template import Style, axis_style, series_colour, translucent
from figures.words import tick_formats
from i18n import format_number
from i18n import gettext as _

SHOWS: Final = ("day", "month", "year", "cumulative")
COMPLETE: Final = 0.9  # of the readings due
MOST_DAYS: Final = 4000  # bars of a plot
_BUCKETS: Final = {"day": "1d", "month": "1mo", "year": "1y"}
_HOVER_DATES: Final = {"day": "%-d %b %Y", "month": "%B %Y", "year": "%Y"}
_LEAP: Final = np.datetime64("2000-01-01")  # the year on whose days running totals are drawn


def figure(answer: Answer, catalogue: Catalogue, canvas: Canvas) -> Figure:
    """Return bars of totals, or running totals, a plot a gauge. Each bar or point is a door to its
    day, month or year.
    """
    if not answer.subjects:
        return no_data(canvas)
    drawn = answer.subjects[:MOST_SUBJECTS]
    show, said = _shown(canvas.choice("show", SHOWS), drawn)
    if show != "cumulative" and any(not _whole(each) for one in drawn for each in _totals(one.result, show)):
        said.append(_("Lighter: not complete."))
    lines = note_lines([*drawn_of(len(drawn), len(answer.subjects)), *said], canvas)
    plot_px = (300 if len(drawn) == 1 else 180) if not canvas.phone else 200
    plots = arrange_plots(len(drawn), canvas, columns=1, plot_px=plot_px, top_px=8 + NOTE_PX * len(lines))
    layout = canvas_layout(canvas, plots.height, plots.top_px)
    data: list[dict[str, Any]] = []
    notes = note_above(lines, canvas.style)
    for place, (subject, plot) in enumerate(zip(drawn, plots.plots, strict=True)):
        sensor = with_day_start(catalogue[subject.sensors[0]], answer.options.get("day_start", ""))
        notes.append(plot_title(plot, subject_title(subject, catalogue, sensor.unit, canvas.width_px), canvas.style))
        axes = {"xaxis": axis_key("x", place), "yaxis": axis_key("y", place)}
        if show == "cumulative":
            traces = _running(answer, subject, sensor, canvas.style)
        else:
            traces = _bars(answer, subject, sensor, show, canvas.style)
        if not traces:
            notes.append(in_middle(plot, _("No data"), canvas.style))
        data += [{**trace, **axes} for trace in traces]
        layout[axis_name("x", place)] = _dates(canvas, place, plot.domain["x"], show, there=bool(traces))
        layout[axis_name("y", place)] = _amounts(canvas.style, place, plot.domain["y"], there=bool(traces))
    return {"data": data, "layout": {**layout, "annotations": notes, "barmode": "overlay"}}


def _shown(show: str, subjects: tuple[SubjectAnswer, ...]) -> tuple[str, list[str]]:
    """What is drawn, and why it is not what was chosen."""
    most = max(len(subject.result.days) for subject in subjects)
    if show != "day" or most <= MOST_DAYS:
        return show, []
    text = _("Too many days to draw ({days}); months are drawn. Choose a shorter range for days.")
    return "month", [text.format(days=format_number(most))]


def _totals(result: Rain, show: str) -> tuple[Total, ...]:
    return {"day": result.days, "month": result.months, "year": result.years}[show]


def _whole(total: Total) -> bool:
    """Whether a period is complete; one whose readings due are not known counts as such."""
    return total.total != total.total or (total.whole and not total.complete < COMPLETE)


def _bars(answer: Answer, subject: SubjectAnswer, sensor: Sensor, show: str, style: Style) -> list[dict[str, Any]]:
    totals = _totals(subject.result, show)
    there = [place for place, each in enumerate(totals) if each.total == each.total]
    if not there:
        return []
    dates, doors = period_doors(answer, _BUCKETS[show], sensor)
    unit = {"day": "D", "month": "M", "year": "Y"}[show]
    ends = (dates.astype(f"datetime64[{unit}]") + 1).astype("datetime64[D]")
    days = (ends - dates).astype(np.int64)[there]
    colour = series_colour(sensor.color, style)
    lighter = translucent(colour, 0.45)
    said = [_complete(totals[place]) for place in there]
    values = [totals[place].total for place in there]
    return [
        {
            "type": "bar",
            "x": [str(dates[place]) for place in there],
            "y": values,
            "width": (days * DAY_MS * 0.86).tolist(),
            "offset": (days * DAY_MS * 0.07).tolist(),
            "marker": {"color": [colour if _whole(totals[place]) else lighter for place in there], "line": {"width": 0}},
            "customdata": doors[there].tolist(),
            "hovertext": [number_with_unit(value, sensor) + text for value, text in zip(values, said, strict=True)],
            "hovertemplate": f"%{{x|{_HOVER_DATES[show]}}}<br>%{{hovertext}}<extra></extra>",
        }
    ]


def _complete(total: Total) -> str:
    if _whole(total) or total.complete != total.complete:
        return ""
    share = format_number(min(100 * total.complete, 99.9 if not total.whole else 100.0), 1)
    return "<br>" + _("{percent} % complete").format(percent=share)


def _running(answer: Answer, subject: SubjectAnswer, sensor: Sensor, style: Style) -> list[dict[str, Any]]:
    """A line a year, the later the stronger, broken where days have no readings."""
    result: Rain = subject.result
    if not np.isfinite(result.running).any():
        return []
    dates, doors = period_doors(answer, "1d", sensor)
    years = dates.astype("datetime64[Y]")
    every = np.unique(years)
    lines = []
    for year, colour in zip(every, ramp_colours(style, len(every)), strict=True):
        own = np.flatnonzero(years == year)
        sums = result.running[own].tolist()
        months = dates[own].astype("datetime64[M]")
        day = (dates[own] - months.astype("datetime64[D]")).astype(np.int64)
        on = (_LEAP.astype("datetime64[M]") + (months - year.astype("datetime64[M]")).astype(np.int64)).astype(
            "datetime64[D]"
        ) + day
        lines.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": [str(each) for each in on],
                "y": [value if value == value else None for value in sums],
                "connectgaps": False,
                "line": {"color": colour, "width": 2 if year == every[-1] else 1.25},
                "name": str(year),
                "customdata": doors[own].tolist(),
                "hovertext": [number_with_unit(value, sensor) if value == value else "" for value in sums],
                "hovertemplate": f"%{{x|%-d %b}} {year}<br>%{{hovertext}}<extra></extra>",
            }
        )
    return lines


def _dates(canvas: Canvas, place: int, domain: list[float], show: str, *, there: bool) -> dict[str, Any]:
    formats = {"tickformat": "%b"} if show == "cumulative" else {"tickformatstops": tick_formats()}
    return {
        **axis_style(canvas.style),
        **formats,
        "type": "date",
        "domain": domain,
        "anchor": axis_key("y", place),
        "fixedrange": True,
        "showgrid": False,
        "showline": True,
        "showticklabels": there,
        "nticks": min(12, max(4, canvas.width_px // 80)),
        **({"minallowed": "1999-12-31", "maxallowed": "2001-01-02"} if show == "cumulative" else {}),
    }


def _amounts(style: Style, place: int, domain: list[float], *, there: bool) -> dict[str, Any]:
    return {
        **axis_style(style),
        "domain": domain,
        "anchor": axis_key("x", place),
        "fixedrange": True,
        "rangemode": "tozero",
        "showticklabels": there,
        "automargin": "left",
        "separatethousands": True,
        "nticks": 6,
    }
