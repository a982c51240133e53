"""Which events are listed, and the list of what was found, each a door to its readings."""

from __future__ import annotations

from typing import Final

from dash import html
from dash.development.base_component import Component

from analysis.answer import Answer, SubjectAnswer
from analysis.quality.review import Quality, QualityEvent
from data.catalogue import Catalogue
from escaping import visible
from figures.analyses.quality import event_span
from figures.rule_words import found_words, of_words, rule_name
from figures.words import length_text
from i18n import format_number, format_range
from i18n import gettext as _
from layouts.controls import Control, door, listed

MOST_SHOWN: Final = 20
_MOST_STATIONS: Final = 40


def label() -> str:
    """Return the name of its tab."""
    return _("Quality")


def controls() -> tuple[Control, ...]:
    """Return the choice of all events or those of readings that cannot be right."""
    return (Control("severity", _("Show"), {"all": _("All"), "hard": _("Cannot be right")}),)


def details(answer: Answer, catalogue: Catalogue) -> Component | None:
    """Return the events of each station that has any, and what was not checked; None where there is
    nothing to say.
    """
    found = [_events(subject, answer.timezone, catalogue) for subject in answer.subjects if subject.result.events]
    unasked = _unasked(answer, catalogue)
    lists = [*found[:_MOST_STATIONS], *([unasked] if unasked else [])]
    return html.Div(lists, className="lists") if lists else None


def _events(subject: SubjectAnswer, timezone: str, catalogue: Catalogue) -> Component:
    result: Quality = subject.result
    shown = sorted(result.events, key=_weight)[:MOST_SHOWN]
    rows = [
        [
            door(format_range(event.from_, event.to_, timezone), *event_span(event)),
            rule_name(event.rule),
            of_words(event.sensor, catalogue),
            found_words(event, catalogue),
            length_text(event.to_ - event.from_),
        ]
        for event in sorted(shown, key=lambda event: event.from_)
    ]
    left = result.events_in_all - len(shown)
    more = _("{number} more events are not listed; JSON has them.").format(number=format_number(left)) if left > 0 else ""
    heads = [_("Event"), _("Rule"), _("Sensor"), _("Found"), _("Duration")]
    return listed(visible(subject.station), heads, rows, more, texts=4)


def _weight(event: QualityEvent) -> tuple[bool, int]:
    """Hard ones first, then long ones."""
    return event.severity != "hard", event.from_ - event.to_


def _unasked(answer: Answer, catalogue: Catalogue) -> Component | None:
    """What could not be checked, and what it takes."""
    lacking: dict[tuple[str, str], list[str]] = {}
    for subject in answer.subjects:
        for each in subject.result.unasked:
            lacking.setdefault((each.sensor, each.lacks), []).append(visible(subject.station))
    if not lacking:
        return None
    said = [
        html.Li(f"{of_words(sensor, catalogue)}: {_takes(lacks)} ({_some(stations)})")
        for (sensor, lacks), stations in lacking.items()
    ]
    return html.Section([html.H2(_("Not checked")), html.Ul(said, className="list-more")], className="list-block")


def _takes(lacks: str) -> str:
    return {
        "position": _("night and clear sky need the position of the station in the catalogue"),
        "neighbours": _("neighbours need three more stations in the selection"),
        "quantity": _("steps and standstill need its quantity in the catalogue"),
    }[lacks]


def _some(stations: list[str], most: int = 3) -> str:
    named = ", ".join(stations[:most])
    return named if len(stations) <= most else f"{named} …"
