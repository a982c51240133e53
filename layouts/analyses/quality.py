"""Which events are listed (layouts/review.py lists them), and what could not be checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dash import html
from dash.development.base_component import Component

from analysis.answer import Answer
from analysis.quality.review import COMPARING, RULES
from data.catalogue import Catalogue
from data.request import HistoryRequest
from escaping import visible
from figures.analyses.quality import FOUND
from figures.rule_words import of_words, rule_name
from i18n import gettext as _
from layouts.controls import Control

_MOST_SERIES: Final = 60  # that are offered to choose from; of more a cell of the picture chooses


def label() -> str:
    """Return the name of its tab."""
    return _("Quality")


def controls() -> tuple[Control, ...]:
    """Return the choices of what is listed: all events or those of readings that cannot be right,
    events of readings or gaps, of which rule, of which series.
    """
    rules = {"": _("All rules"), **{rule: rule_name(rule) for rule in RULES}}
    return (
        Control("severity", _("Show"), {"all": _("All"), "hard": _("Cannot be right")}),
        Control("found", _("List"), dict(zip(FOUND, (_("Readings"), _("Gaps")), strict=True)), drawing=True, default=FOUND[0]),
        Control("rule", _("Rule"), rules, drawing=True, folded=True),
        Control("of", _("Series"), drawing=True, folded=True, loaded=_series),
    )


def _series(request: HistoryRequest, catalogue: Catalogue) -> Mapping[str, str]:
    """Each series of a request, and each station as a whole."""
    measured = [name for name in catalogue.ordered(request.sensors) if not catalogue[name].formula]
    names = [(station, sensor) for station in request.stations for sensor in ("", *measured)]
    if len(names) > _MOST_SERIES:
        return {}
    found = {f"{station}.{sensor}": f"{visible(station)} · {of_words(sensor, catalogue)}" for station, sensor in names}
    return {"": _("All series"), **found}


def details(answer: Answer, catalogue: Catalogue) -> Component | None:
    """Return which rules flagged no reading, and what could not be checked, and what it takes; None
    where there is neither.
    """
    blocks = [block for block in (_comparing(answer), _unasked(answer, catalogue)) if block is not None]
    return html.Div(blocks, className="lists") if blocks else None


def _comparing(answer: Answer) -> Component | None:
    found = {count.rule for subject in answer.subjects for count in subject.result.counts} & COMPARING
    if not found:
        return None
    told = _(
        "These rules compare sensors or stations: {rules}. "
        "Which of them is wrong is for you to decide; until then all readings count."
    )
    named = ", ".join(rule_name(rule) for rule in RULES if rule in found)
    return html.Section([html.H2(_("No reading left out")), html.P(told.format(rules=named))], className="list-block")


def _unasked(answer: Answer, catalogue: Catalogue) -> Component | None:
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
