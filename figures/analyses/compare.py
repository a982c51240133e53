"""Years beside each other: lines over the same months, each year alone, or what differs from the
median.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from analysis.answer import Answer, SubjectAnswer
from analysis.compare import Compare
from data.catalogue import Catalogue
from data.time.epoch import DAY_MS
from figures.canvas import TOP_PX, Canvas, arrange_plots, axis_name, canvas_layout, hidden_axes, plot_title
from figures.history import Figure
from figures.legend import legend_px, top_legend
from figures.notes import NOTE_PX, drawn_of, in_middle, no_data, note_above, note_lines
from figures.subjects import MOST_SUBJECTS, sensor_of, subject_title
from figures.template import axis_style
from figures.words import verbatim
from figures.year_lines import FORMS, LEAP, MOST_COLOURED, YearsPlace, as_bars, label_days, year_traces
from i18n import format_number, short_months
from i18n import gettext as _

_MOST_PANELS: Final = 24
_PLOT_PX: Final = {"overlay": 300, "side by side": 130, "difference": 240}
_MONTH_SPAN_MS: Final = 75 * DAY_MS  # from here on ticks are at months


def figure(answer: Answer, catalogue: Catalogue, canvas: Canvas) -> Figure:
    """Return the years of each series: over each other (``as`` of the canvas: ``overlay``), one a
    plot (``side by side``) or less the median of all (``difference``). A point is a door to its
    day or month.
    """
    if not answer.subjects:
        return no_data(canvas)
    form = canvas.choice("as", FORMS)
    wanted = _wanted(answer, form)
    panels = wanted[:_MOST_PANELS] if form == FORMS[1] else wanted[:MOST_SUBJECTS]
    years = tuple(sorted({year for subject, _year in panels for year in subject.result.years}))
    notes = note_lines([*drawn_of(len(panels), len(wanted)), *_said(answer, form)], canvas)
    places, top_px = _arranged(len(panels), canvas, form, years, notes)
    width_px = canvas.width_px * (places.plots[0].right - places.plots[0].left)
    layout = {**canvas_layout(canvas, places.height, top_px), "barmode": "group", "bargap": 0.2}
    if form != FORMS[1]:
        layout |= {"showlegend": True, "legend": top_legend(canvas.style) | {"traceorder": "reversed"}}
    layout["annotations"] = note_above(notes, canvas.style)
    data: list[dict[str, Any]] = []
    for number, ((subject, year), plot) in enumerate(zip(panels, places.plots, strict=True)):
        place = YearsPlace(answer, subject, sensor_of(subject, catalogue), plot, number, canvas.style, years, form, year)
        more = str(year) if year is not None else _number_of_years(subject.result)
        title = (
            subject_title(subject, catalogue, more, width_px) if form != FORMS[1] else _panel_title(place, catalogue, width_px)
        )
        layout["annotations"].append(plot_title(plot, title, canvas.style))
        if not np.isfinite(place.values).any():
            layout["annotations"].append(in_middle(plot, _("No data in this window"), canvas.style))
            layout.update(hidden_axes(plot, number))
            continue
        layout.update(_axes(place, canvas))
        data += year_traces(place, with_legend=form != FORMS[1] and not data)
    return {"data": data, "layout": layout}


def _wanted(answer: Answer, form: str) -> list[tuple[SubjectAnswer, int | None]]:
    if form != FORMS[1]:
        return [(subject, None) for subject in answer.subjects]
    return [(subject, year) for subject in answer.subjects for year in reversed(subject.result.years)]


def _said(answer: Answer, form: str) -> list[str]:
    """What the values are, where the title does not say it."""
    if form == FORMS[2]:
        return [_("less the median of all years")]
    return [_("running total of each year")] if answer.options.get("cumulative") else []


def _arranged(number: int, canvas: Canvas, form: str, years: Sequence[int], notes: Sequence[str]) -> tuple[Any, int]:
    """Places of the plots, and what stands above them: the legend's rows and the note, in px."""
    top_px = TOP_PX + NOTE_PX * len(notes)
    columns = 1
    if form == FORMS[1]:
        columns = 1 if canvas.phone else 4 if canvas.width_px >= 1000 else 3
    else:
        entries = len(years) + 2 if len(years) <= MOST_COLOURED else 4
        top_px += legend_px(entries, 9, canvas.width_px)
        columns = 2 if number > 1 and canvas.width_px >= 1100 else 1
    return arrange_plots(number, canvas, columns=columns, plot_px=_PLOT_PX[form], top_px=top_px), top_px


def _panel_title(place: YearsPlace, catalogue: Catalogue, width_px: float) -> str:
    name = subject_title(place.subject, catalogue, "", width_px - 40)
    return f"<b>{place.only}</b> · {name.replace('<b>', '').replace('</b>', '')}"


def _number_of_years(result: Compare) -> str:
    """Of how many years what is usual is made: the fewest and most of any day or month."""
    usual = np.array([label != "02-29" for label in result.labels], bool)  # which most years lack
    number = result.number[usual & (result.number > 0)]
    if not number.size:
        return ""
    least, most = int(number.min()), int(number.max())
    if least == most:
        return _("{number} years").format(number=most) if most > 1 else _("1 year")
    return _("{least} to {most} years").format(least=least, most=most)


def _axes(place: YearsPlace, canvas: Canvas) -> dict[str, Any]:
    days = label_days(place.result.labels).astype(np.int64)
    axis = {**axis_style(canvas.style), "fixedrange": True}
    room = 15 if place.monthly else 0.5
    first, last = (float(days[0] - room) * DAY_MS, float(days[-1] + room) * DAY_MS)
    return {
        axis_name("x", place.number): {
            **axis,
            **_ticks(place, first, last, canvas),
            "type": "date",
            "domain": place.plot.domain["x"],
            "anchor": place.axes["yaxis"],
            "range": [first, last],
            "showline": True,
        },
        axis_name("y", place.number): {
            **axis,
            "domain": place.plot.domain["y"],
            "anchor": place.axes["xaxis"],
            "automargin": "left",
            "nticks": 7 if place.form != FORMS[1] else 4,
            "ticksuffix": f" {verbatim(place.sensor.unit)}",
            "showticksuffix": "last",
            "separatethousands": True,
            "zeroline": place.form == FORMS[2] or as_bars(place),
            "zerolinecolor": canvas.style.axis,
            **_range(place, canvas),
        },
    }


def _range(place: YearsPlace, canvas: Canvas) -> dict[str, Any]:
    """Plots of one series side by side share their range, unless each is to have its own."""
    if place.only is None or canvas.choice("y", ("same", "own")) == "own":
        return {"rangemode": "tozero" if as_bars(place) else "normal"}
    values = place.values[np.isfinite(place.values)]
    least, most = float(values.min()), float(values.max())
    room = (most - least) * 0.05 or 1.0
    least = 0.0 if place.sensor.aggregation == "sum" else least - room
    return {"range": [least, most + room]}


def _ticks(place: YearsPlace, first: float, last: float, canvas: Canvas) -> dict[str, Any]:
    """Names of months, or days of a short window; never a year."""
    names = short_months()
    width_px = canvas.width_px * (place.plot.right - place.plot.left)
    if place.monthly or last - first > _MONTH_SPAN_MS:
        starts = [np.datetime64(f"{LEAP}{month:02d}", "D").astype(np.int64) * DAY_MS for month in range(1, 13)]
        inside = [(float(start), names[n]) for n, start in enumerate(starts) if first <= start <= last]
        step = max(1, -(-len(inside) * 34 // int(max(width_px, 34))))
    else:
        days = label_days(place.result.labels)
        inside = [(float(day.astype(np.int64) * DAY_MS), _day_name(day, names)) for day in days]
        step = max(1, -(-len(inside) * 52 // int(max(width_px, 52))))
    kept = inside[::step]
    return {"tickmode": "array", "tickvals": [value for value, _text in kept], "ticktext": [text for _value, text in kept]}


def _day_name(day: np.datetime64, names: Sequence[str]) -> str:
    date = day.astype(object)
    return f"{format_number(date.day)} {names[date.month - 1]}"
