"""Events over time: a bar each, from the threshold to its extreme."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from analysis.answer import Answer, SubjectAnswer
from analysis.events import Event, Events
from data.catalogue import Catalogue, Sensor
from data.time.epoch import MINUTE_MS
from figures.arrays import times, typed
from figures.canvas import TOP_PX, Canvas, Plot, arrange_plots, axis_key, axis_name, canvas_layout, hidden_axes, plot_title
from figures.history import Figure
from figures.notes import NOTE_PX, drawn_of, in_middle, no_data, note_above, note_lines
from figures.subjects import HOVER, MOST_SUBJECTS, event_window, number_with_unit, sensor_of, subject_title
from figures.template import Style, axis_style, series_colour
from figures.wallclock import WallClock
from figures.words import length_text, threshold_words, tick_formats, verbatim
from i18n import format_number, format_range, format_time
from i18n import gettext as _

_PLOT_PX: Final = 190
_MOST_BARS: Final = 3000  # of all series


def figure(answer: Answer, catalogue: Catalogue, canvas: Canvas) -> Figure:
    """Return the events of each series on one time axis each, on the clock of the answer's zone. An
    event is a door to itself, with some time around it.
    """
    subjects = answer.subjects[:MOST_SUBJECTS]
    if not subjects:
        return no_data(canvas)
    clock = WallClock(answer.start_ms, answer.end_ms, answer.timezone)
    each = _MOST_BARS // len(subjects)
    zone = _("{zone} throughout; the clocks change in this window").format(zone=clock.name) if clock.changes else clock.name
    notes = note_lines([*drawn_of(len(subjects), len(answer.subjects)), zone], canvas)
    top_px = TOP_PX + NOTE_PX * len(notes)
    places = arrange_plots(len(subjects), canvas, columns=1, plot_px=_PLOT_PX, top_px=top_px)
    layout = {**canvas_layout(canvas, places.height, top_px), "barmode": "overlay", "bargap": 0}
    layout["annotations"] = note_above(notes, canvas.style)
    layout["shapes"] = []
    data: list[dict[str, Any]] = []
    for number, (subject, plot) in enumerate(zip(subjects, places.plots, strict=True)):
        result: Events = subject.result
        sensor = sensor_of(subject, catalogue)
        events = longest(result.events, each)
        title = subject_title(subject, catalogue, _said(result, sensor, len(events)), canvas.width_px)
        layout["annotations"].append(plot_title(plot, title, canvas.style))
        if not events:
            layout["annotations"].append(in_middle(plot, _none(subject, sensor), canvas.style))
            layout.update(hidden_axes(plot, number))
            continue
        layout.update(_axes(clock, sensor, plot, number, canvas))
        layout["shapes"].append(_threshold(result, clock, number, canvas.style))
        data.append(_bars(answer, result, events, sensor, number, clock, canvas.style))
    return {"data": data, "layout": layout}


def longest(events: Sequence[Event], most: int) -> list[Event]:
    """Return the longest events, by time; of equal ones the earlier."""
    kept = sorted(events, key=lambda event: (event.from_ - event.to_, event.from_))[:most]
    return sorted(kept, key=lambda event: event.from_)


def _said(result: Events, sensor: Sensor, drawn: int) -> str:
    """What counts as an event, and how many there are and are drawn."""
    found = threshold_words(result.kind, result.threshold, sensor)
    if drawn < result.events_in_all:
        words = _("the longest {drawn} of {number} events")
        return f"{found} · " + words.format(drawn=format_number(drawn), number=format_number(result.events_in_all))
    return found


def _none(subject: SubjectAnswer, sensor: Sensor) -> str:
    if not subject.rows:
        return _("No data in this window")
    threshold = threshold_words(subject.result.kind, subject.result.threshold, sensor)
    return verbatim(_("Never {threshold} for long enough").format(threshold=threshold))


def _bars(
    answer: Answer, result: Events, events: Sequence[Event], sensor: Sensor, number: int, clock: WallClock, style: Style
) -> dict[str, Any]:
    """Bars from the threshold to the extreme; their outline keeps a short one visible."""
    begin = np.array([event.from_ for event in events], np.float64)
    length = np.array([event.to_ - event.from_ for event in events], np.float64)
    extreme = np.array([event.extreme for event in events], np.float64)
    colour = series_colour(sensor.color, style)
    return {
        "type": "bar",
        "x": times(clock.to_axis(begin)),
        "width": typed(np.maximum(length, 1.0), "f8"),
        "offset": 0,
        "base": result.threshold,
        "y": typed(extreme - result.threshold, "f8"),
        "marker": {"color": colour, "line": {"color": colour, "width": 1.5}},
        "xaxis": axis_key("x", number),
        "yaxis": axis_key("y", number),
        "customdata": [[*event_window(event), _words(event, sensor, answer.timezone)] for event in events],
        "hovertemplate": HOVER,
    }


def _words(event: Event, sensor: Sensor, timezone: str) -> str:
    lasted = length_text(round(event.minutes * MINUTE_MS))
    lines = [
        f"<b>{format_range(event.from_, event.to_, timezone)}</b>",
        _("{duration}, {rows} readings").format(duration=lasted, rows=format_number(event.rows)),
        _("extreme {value} at {time}").format(
            value=number_with_unit(event.extreme, sensor), time=format_time(event.extreme_time, timezone, zone=False)
        ),
    ]
    return "<br>".join(lines)


def _threshold(result: Events, clock: WallClock, number: int, style: Style) -> dict[str, Any]:
    start, end = clock.window
    line = {"color": style.muted, "width": 1, "dash": "4px,3px"}
    ends = {"x0": start, "x1": end, "y0": result.threshold, "y1": result.threshold}
    return {"type": "line", "xref": axis_key("x", number), "yref": axis_key("y", number), **ends, "line": line}


def _axes(clock: WallClock, sensor: Sensor, plot: Plot, number: int, canvas: Canvas) -> dict[str, Any]:
    axis = {**axis_style(canvas.style), "fixedrange": True}
    return {
        axis_name("x", number): {
            **axis,
            "type": "date",
            "domain": plot.domain["x"],
            "anchor": axis_key("y", number),
            "range": list(clock.window),
            "tickformatstops": tick_formats(),
            "nticks": min(10, max(3, canvas.width_px // 100)),
            "showline": True,
        },
        axis_name("y", number): {
            **axis,
            "domain": plot.domain["y"],
            "anchor": axis_key("x", number),
            "automargin": "left",
            "nticks": 6,
            "ticksuffix": f" {verbatim(sensor.unit)}",
            "showticksuffix": "last",
            "separatethousands": True,
        },
    }
