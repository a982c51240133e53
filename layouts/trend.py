"""The controls of Trend: its axes and lines, which lie behind one button."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from dash import html
from dash.development.base_component import Component

from analysis.answer import Answer, SubjectAnswer
from analysis.events import Events
from analysis.inquiry import TREND
from data.catalogue import Catalogue, Sensor
from data.request import HistoryRequest
from data.time.epoch import MINUTE_MS
from data.view.records import LENGTHS
from escaping import visible
from figures.subjects import sensor_of, subject_label
from figures.trend_options import ALL, MOST_UNASKED, Threshold, entries
from figures.words import bucket_name, length_text, threshold_words
from i18n import current_language, format_number, ngettext
from i18n import gettext as _
from layouts.controls import Control, control_field, view_door
from layouts.flags import flag_choice
from layouts.statistics import share_text

_MOST_PROBLEMS: Final = 4  # sentences; when those are mended, the next are said


def trend_controls(
    options: Mapping[str, str], catalogue: Catalogue, request: HistoryRequest, problems: Sequence[str] = ()
) -> Component:
    """Return the disclosure of all options with what is chosen; beside it what is wrong with them,
    which is seen while it is closed, too.
    """
    sensors = [catalogue[name] for name in catalogue.ordered(request.sensors) if name in catalogue]
    panels, *smoothing = [control_field(control, options.get(control.name, control.default)) for control in _of_all()]
    whole = [flag_choice(options), panels, html.Div(smoothing, className="axes-row")]
    if len(sensors) > 1 and len(request.series) > MOST_UNASKED:
        whole.insert(0, control_field(_only(sensors), options.get("only", "")))
    each = [_of_sensor(one, options) for one in sensors]
    name, chosen = _("Axes and lines"), " •" if options.keys() - {"stats"} else ""
    words = html.Span(_("Axes"), className="axes-words")
    summary = html.Summary(["⋮ ", words, chosen], className="axes-summary", title=name, **{"aria-label": name})
    help_ = html.P(_("Axis: 10..40, or 0.. for its lower end alone. Empty: as the readings need."), className="axes-help")
    reset = view_door(_("Reset"), TREND, {})
    parts = [html.Details([summary, html.Div([*whole, *each, help_, reset], className="axes-panel")], className="axes")]
    if problems:
        parts.append(html.P(" ".join(problems[:_MOST_PROBLEMS]), className="axes-problem", role="alert"))
    return html.Div(parts, className="trend-options")


def _only(sensors: Sequence[Sensor]) -> Control:
    """Which sensor is drawn of too many series for one chart."""
    names = {one.name: visible(one.label(current_language())) for one in sensors}
    return Control("only", _("Sensor"), {**names, ALL: _("All")})


def _of_all() -> tuple[Control, ...]:
    """Options of the whole chart."""
    panels = {
        "unit": _("One per unit"),
        "own": _("One per series"),
        "shared": _("One per series, same scale"),
        "pair": _("Two units together"),
    }
    lengths = {"": _("Off"), **{length: bucket_name(length) for length in LENGTHS}}
    kinds = {"mean": _("Mean"), "median": _("Median")}
    return (
        Control("panel", _("Panels"), panels, default="unit"),
        Control("smooth", _("Smooth lines over"), lengths),
        Control("smooth_by", _("by their running"), kinds, default="mean"),
    )


def _of_sensor(sensor: Sensor, options: Mapping[str, str]) -> Component:
    """A sensor's name and its parts of the options."""
    controls = [Control("y", _("Axis"), hint="10..40", of=sensor.name)]
    if sensor.aggregation == "mean":
        scales = {"": _("Linear"), sensor.name: _("Logarithmic")}
        controls.append(Control("log", _("Scale"), scales, of=sensor.name))
    if sensor.aggregation != "direction":
        lines = (("above", _("Above")), ("below", _("Below")))
        controls += [Control(name, words, of=sensor.name) for name, words in lines]
    name = f"{visible(sensor.label(current_language()))} ({visible(sensor.unit)})"
    fields = [control_field(control, _part(options, control)) for control in controls]
    return html.Div(
        [html.Span(name, className="axes-sensor"), *fields], className="axes-row", role="group", **{"aria-label": name}
    )


def _part(options: Mapping[str, str], control: Control) -> str:
    """What an option says of one sensor; of one that has no value, its name."""
    found = dict(entries(options.get(control.name, "")))
    return found[control.of] or (control.of if control.choices else "") if control.of in found else ""


def crossings(found: Sequence[tuple[Threshold, Answer]], catalogue: Catalogue) -> Component | None:
    """Return how often and how long each series was beyond each threshold, with a button to the
    view that lists the events; None without thresholds.
    """
    lines = [html.Li(_crossed(subject, catalogue)) for _threshold, answer in found for subject in answer.subjects]
    if not lines:
        return None
    doors = [_to_events(threshold, catalogue[threshold.sensor]) for threshold, _answer in found]
    return html.Div([html.Ul(lines), html.P(doors)], className="crossings")


def _crossed(subject: SubjectAnswer, catalogue: Catalogue) -> str:
    """``EWR · Air temperature above 35 °C: 5 events, 1 d 3 h in all (6 %)``."""
    result: Events = subject.result
    words = threshold_words(result.kind, result.threshold, sensor_of(subject, catalogue))
    named = f"{subject_label(subject, catalogue)} {words}"
    if not subject.rows:
        return _("{named}: no readings").format(named=named)
    if not result.events_in_all:
        return _("{named}: never").format(named=named)
    number = ngettext("{number} event", "{number} events", result.events_in_all)
    lasted = length_text(round(result.minutes * MINUTE_MS))
    text = _("{named}: {events}, {duration} in all").format(
        named=named, events=number.format(number=format_number(result.events_in_all)), duration=lasted
    )
    return f"{text} ({share_text(result.share)})" if math.isfinite(result.share) else text


def _to_events(threshold: Threshold, sensor: Sensor) -> Component:
    """A button that opens the view of events with the same threshold."""
    words = _("See them in Events, {threshold}").format(threshold=threshold_words(threshold.kind, threshold.value, sensor))
    return view_door(words, "events", {threshold.kind: f"{threshold.value:.15g}"})
