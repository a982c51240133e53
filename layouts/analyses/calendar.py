"""The calendar's choices, and its list of gaps."""

from __future__ import annotations

from typing import Final

from dash import html
from dash.development.base_component import Component

from analysis.answer import Answer, SubjectAnswer
from analysis.calendar import Calendar, Gap
from data.catalogue import Catalogue
from figures.subjects import MOST_SUBJECTS, subject_label
from figures.words import length_text
from i18n import format_number, format_range
from i18n import gettext as _
from layouts.controls import Control, door, listed

MOST_LISTED: Final = 50
_CONTEXT_STEPS: Final = 12  # usual steps beside a gap that its door shows


def label() -> str:
    """Return the name of its tab."""
    return _("Calendar")


def controls() -> tuple[Control, ...]:
    """Return what is shown, of each day or of each hour."""
    choices = {
        "completeness": _("Completeness"),
        "mean": _("Mean"),
        "max": _("Maximum"),
        "min": _("Minimum"),
        "total": _("Total"),
    }
    parts = {"day": _("day"), "hour": _("hour")}
    return (
        Control("show", _("Show"), choices, drawing=True, default="completeness"),
        Control("by", _("Each"), parts, default="day"),
    )


def details(answer: Answer, catalogue: Catalogue) -> Component | None:
    """Return the longest gaps of each series that is drawn; None where none has any."""
    found = [
        _gaps(subject, answer.timezone, subject_label(subject, catalogue))
        for subject in answer.subjects[:MOST_SUBJECTS]
        if subject.result.gaps_in_all
    ]
    return html.Div(found, className="lists") if found else None


def _gaps(subject: SubjectAnswer, timezone: str, name: str) -> Component:
    result: Calendar = subject.result
    longest = sorted(result.gaps, key=lambda gap: (-gap.missing, gap.from_))[:MOST_LISTED]
    rows = [
        [
            door(format_range(gap.from_, gap.to_, timezone), *_around(gap)),
            length_text(gap.to_ - gap.from_),
            format_number(gap.missing),
        ]
        for gap in longest
    ]
    more = result.gaps_in_all - len(longest)
    words = _("{number} shorter gaps are not listed; JSON has up to {most}.") if more else ""
    return listed(
        _("Gaps, {series}").format(series=name),
        [_("Gap"), _("Length"), _("Missing readings")],
        rows,
        words.format(number=format_number(more), most=format_number(1000)),
    )


def _around(gap: Gap) -> tuple[int, int]:
    """A window with as much around a gap as shows where it is: half of it, or some readings."""
    length = gap.to_ - gap.from_
    room = max(length // 2, _CONTEXT_STEPS * length // (gap.missing + 1))
    return int(gap.from_ - room), int(gap.to_ + room)
