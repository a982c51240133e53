"""The review of what quality control found, and what people decided about it: what the scripts of
the page are told (assets/review.js, decisions.js, decide.js), and their words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dash import html

from analysis.answer import Answer
from analysis.quality.review import GAPS, RULES, QualityEvent
from data.catalogue import Catalogue
from data.request import HistoryRequest
from escaping import visible
from figures.analyses.quality import FOUND, event_span
from figures.rule_words import found_words, of_words, rule_name
from figures.words import length_text
from i18n import current_language, format_date, format_number, format_time
from i18n import gettext as _
from layouts import ids
from layouts.limit_words import limit_words

MOST_TOLD: Final = 400  # events, and series beside them
MOST_NAMED: Final = 60  # series of Trend, which draws no more than forty unasked
LIST_SCRIPTS: Final = ("decisions.js", "eventpicture.js", "review.js")
DECISION_SCRIPTS: Final = ("decisions.js",)

Series = tuple[str, str]
"""A station and a sensor."""


@dataclass(frozen=True)
class Reviewed:
    """A window whose series people may decide about: its request, the series about which anything
    was decided in it, and about which whoever looks at it may decide.
    """

    request: HistoryRequest
    catalogue: Catalogue
    decided: Collection[Series]
    may_review: Callable[[Series], bool]

    @property
    def series(self) -> list[Series]:
        """The series that decisions may be about: none that is computed."""
        measured = [name for name in self.catalogue.ordered(self.request.sensors) if not self.catalogue[name].formula]
        return [(station, sensor) for station in self.request.stations for sensor in measured]


def decisions_told(reviewed: Reviewed) -> dict[str, Any]:
    """Return what the page needs to show what was decided, and to decide: the series with their
    names and whether one may, those with decisions, and the zone of times.
    """
    return _told_of(reviewed.series[:MOST_NAMED], reviewed)


def _told_of(series: Sequence[Series], reviewed: Reviewed) -> dict[str, Any]:
    named = [_series_told(one, reviewed) for one in series]
    scripts = DECISION_SCRIPTS if reviewed.decided else ()
    return {"zone": reviewed.request.timezone, "series": named, "decided": list(reviewed.decided), "scripts": scripts}


def _series_told(series: Series, reviewed: Reviewed) -> dict[str, Any]:
    station, sensor = series
    known = reviewed.catalogue[sensor]
    name = f"{visible(station)} · {visible(known.label(current_language()))}"
    return {"station": station, "sensor": sensor, "name": name, "unit": known.unit, "may": reviewed.may_review(series)}


def events_told(answer: Answer, reviewed: Reviewed, drawing: Mapping[str, str]) -> dict[str, Any]:
    """Return :func:`decisions_told`, and the events that the page lists: those that its filter lets
    through, hard ones first, then long ones. ``drawing`` are options as
    :func:`layouts.views.drawing_options` gives them.

    ``from`` and ``to`` are the stamps of the first and last reading, ``door`` the window with what
    is around them (int ms UTC); ``left`` is how many are not told.
    """
    found = [
        (subject.station, event)
        for subject in answer.subjects
        for event in subject.result.events
        if _is_wanted(subject.station, event, drawing)
    ]
    found.sort(key=lambda one: (one[1].severity != "hard", one[1].from_ - one[1].to_, one[1].from_))
    unlisted = sum(subject.result.events_in_all - len(subject.result.events) for subject in answer.subjects)
    series, listed = reviewed.series, {station for station, _event in found[:MOST_TOLD]}
    if len(series) > MOST_TOLD:
        series = [one for one in series if one[0] in listed][:MOST_TOLD]
    told = _told_of(series, reviewed)
    may = {(one["station"], one["sensor"]) for one in told["series"] if one["may"]}
    may |= {(station, "") for station, _sensor in may}
    return {
        **told,
        "events": [
            {**_told(station, event, answer.timezone, reviewed.catalogue), "may": (station, event.sensor) in may}
            for station, event in found[:MOST_TOLD]
        ],
        "left": len(found[MOST_TOLD:]) + unlisted,
        "filtered": bool(drawing["rule"] or drawing["of"]),
        "scripts": LIST_SCRIPTS,
    }


def _is_wanted(station: str, event: QualityEvent, drawing: Mapping[str, str]) -> bool:
    if (event.rule in GAPS) != (drawing["found"] == FOUND[1]):
        return False
    return drawing["rule"] in ("", event.rule) and drawing["of"] in ("", f"{station}.{event.sensor}")


def _told(station: str, event: QualityEvent, timezone: str, catalogue: Catalogue) -> dict[str, Any]:
    return {
        "station": station,
        "sensor": event.sensor,
        "rule": event.rule,
        "from": int(event.from_),
        "to": int(event.to_),
        "door": event_span(event),
        "hard": event.severity == "hard",
        "gap": event.rule in GAPS,
        "words": [
            _when(event, timezone),
            rule_name(event.rule),
            f"{visible(station)} · {_of_words(event, catalogue)}",
            found_words(event, catalogue),
            length_text(event.to_ - event.from_) if event.to_ > event.from_ else "–",
            format_number(event.rows),
        ],
    }


def _of_words(event: QualityEvent, catalogue: Catalogue) -> str:
    """Return the sensor of an event, and the one that contradicts it."""
    one = of_words(event.sensor, catalogue)
    return f"{one} – {of_words(event.other, catalogue)}" if event.other else one


def _when(event: QualityEvent, timezone: str) -> str:
    """From its first to its last reading, with no date twice: ``8 May 2013 22:00–23:00``."""
    start, end = (format_time(at, timezone, zone=False) for at in (event.from_, event.to_))
    if start == end:
        return start
    day = format_date(event.from_, timezone)
    return f"{start}–{end.removeprefix(day).strip()}" if end.startswith(day) else f"{start} – {end}"


def review_place() -> html.Section:
    """Return the place of the review beneath the chart, empty, with the words of its scripts."""
    words = {**_list_words(), **_decision_words(), **_dialog_words(), **limit_words()}
    return html.Section(id=ids.REVIEW, className="review", hidden=True, **{"data-words": json.dumps(words)})


def _list_words() -> Mapping[str, Any]:
    """Of the list of events."""
    return {
        "heads": [_("Event"), _("Rule"), _("Series"), _("Found"), _("Duration"), _("Readings")],
        "events": _("Events"),
        "count": _("{left} of {all} to decide"),
        "more": _("{number} more events are not listed; choose a shorter range or a rule."),
        "none": _("There are no such events in this window."),
        "all": _("All events"),
        "go": _("Go"),
        "goHint": _("Show it in Trend"),
        "keys": _("Keys: j next, k previous, Enter: Trend"),
        "keysAll": _("Keys: j next, k previous, w wrong, r right, u undo, Enter: Trend"),
        "hard": _("Cannot be right"),
        "suspect": _("Suspect"),
        "picture": _("The event with the readings around it"),
        "moreActs": _("Suspect, correct or fill"),
        "fill": _("Fill…"),
    }


def _decision_words() -> Mapping[str, Any]:
    """Of decisions: what each says, their list, and what becomes of them."""
    return {
        "kinds": {
            "wrong": _("Wrong"),
            "right": _("Right"),
            "suspect": _("Suspect"),
            "offset": _("Corrected by {amount}"),
            "factor": _("Multiplied by {amount}"),
            "shift": _("Shifted by {minutes} min"),
            "delete": _("Removed"),
            "fill": _("Filled from {series}"),
        },
        "rules": {rule: rule_name(rule) for rule in RULES},
        "decision": _("Decision"),
        "decisions": _("Decisions"),
        "decisionHeads": [_("Readings"), _("Series"), _("Decision"), _("Reason"), _("By"), ""],
        "undo": _("Undo"),
        "measured": _("Show as measured"),
        "counted": _("Show with decisions"),
        "applying": _("Being applied…"),
        "waiting": _("Saved. It waits for a worker, and counts once that has applied it."),
        "unapplied": _("The decision is saved, but it could not be applied. It counts after the next load."),
        "conflict": _("Somebody else has decided about these readings meanwhile:"),
        "anyway": _("Decide anyway"),
        "leave": _("Leave it"),
        "trouble": _("The server does not answer; try again later."),
    }


def _dialog_words() -> Mapping[str, Any]:
    """Of the dialog in which readings are flagged or corrected by hand."""
    return {
        "title": _("Decide about readings"),
        "from": _("First reading"),
        "to": _("Last reading"),
        "choices": {
            "wrong": _("Wrong: leave them out"),
            "right": _("Right: they count, whatever rules say"),
            "suspect": _("Suspect: mark them"),
            "offset": _("Add an amount"),
            "factor": _("Multiply by a factor"),
            "shift": _("Shift in time"),
            "delete": _("Remove"),
            "fill": _("Fill from another series"),
        },
        "ruleOf": _("Rule"),
        "anyRule": _("All readings"),
        "amounts": {"offset": _("Add ({unit})"), "factor": _("Factor"), "shift": _("Minutes, later is positive")},
        "fillFrom": _("Fill from"),
        "reason": _("Reason"),
        "reasonIfAny": _("Reason (optional)"),
        "noTime": _("Give a date and a time."),
        "noAmount": _("Give a number."),
        "save": _("Decide"),
        "cancel": _("Cancel"),
        "close": _("Close"),
    }
