"""The thresholds of events, and the list of what was found."""

from __future__ import annotations

import math
from typing import Final

from dash import html
from dash.development.base_component import Component

from analysis.answer import Answer, SubjectAnswer
from analysis.events import MOST_EVENTS, Events
from data.catalogue import Catalogue, Sensor
from data.time.epoch import MINUTE_MS
from figures.subjects import MOST_SUBJECTS, event_window, sensor_of, subject_label
from figures.words import length_text
from i18n import format_number, format_range, format_time
from i18n import gettext as _
from layouts.controls import Control, door, listed
from layouts.statistics import share_text, value_text

MOST_SHOWN: Final = 50


def label() -> str:
    """Return the name of its tab."""
    return _("Events")


def controls() -> tuple[Control, ...]:
    """Return fields for the threshold and the least duration."""
    one = _("such as 35")
    return (
        Control("above", _("Above"), hint=one),
        Control("below", _("Below"), hint=one),
        Control("minutes", _("For at least (min)"), default="0", hint=_("Shorter events are left out; 60 is an hour.")),
    )


def details(answer: Answer, catalogue: Catalogue) -> Component | None:
    """Return the longest events of each series that is drawn; None where there is none."""
    found = [
        _events(subject, answer.timezone, catalogue)
        for subject in answer.subjects[:MOST_SUBJECTS]
        if subject.result.events_in_all
    ]
    return html.Div(found, className="lists") if found else None


def _events(subject: SubjectAnswer, timezone: str, catalogue: Catalogue) -> Component:
    result: Events = subject.result
    sensor = sensor_of(subject, catalogue)
    longest = sorted(result.events, key=lambda event: (event.from_ - event.to_, event.from_))[:MOST_SHOWN]
    rows = [
        [
            door(format_range(event.from_, event.to_, timezone), *event_window(event)),
            length_text(round(event.minutes * MINUTE_MS)),
            value_text(event.extreme, sensor),
            format_time(event.extreme_time, timezone),
        ]
        for event in longest
    ]
    heads = [_("Event"), _("Duration"), _("Maximum") if result.kind == "above" else _("Minimum"), _("Reached")]
    return listed(_title(subject, catalogue), heads, rows, _more(result, len(longest), sensor))


def _title(subject: SubjectAnswer, catalogue: Catalogue) -> str:
    return _("Events, {series}").format(series=subject_label(subject, catalogue))


def _more(result: Events, shown: int, sensor: Sensor) -> str:
    """The time of all events, and how many are not listed."""
    value = f"{format_number(result.threshold, sensor.decimals)} {sensor.unit}"
    words = _("Above {value} for {duration} in all.") if result.kind == "above" else _("Below {value} for {duration} in all.")
    text = words.format(value=value, duration=length_text(round(result.minutes * MINUTE_MS)))
    if math.isfinite(result.share):
        text += " " + _("That is {share} of the time with readings.").format(share=share_text(result.share))
    if result.events_in_all > shown:
        left = _("{number} more events are not listed; JSON has up to {most}.")
        text += " " + left.format(number=format_number(result.events_in_all - shown), most=format_number(MOST_EVENTS))
    return text
