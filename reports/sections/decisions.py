"""What people decided about readings of the period."""

from __future__ import annotations

from data.decision import Decision, DecisionKind
from data.sensor import Sensor
from figures.rule_words import rule_name
from i18n import current_language
from i18n import gettext as _
from reports.document import Amount, Cell, Instant, Part, ReportSection, ReportTable, Words
from reports.material import StationMaterial


def section(station: StationMaterial) -> ReportSection:
    """Return the decisions in force about readings of the station's series in the period."""
    start, end = station.whole.period.span
    rows = [
        _row(sensor, each)
        for sensor in station.sensors
        for each in station.whole.site.decisions(station.name, sensor.name)
        if each.start_ms < end and each.end_ms >= start
    ]
    part: Part = Words(_("No decision of a person is in force for this period."))
    if rows:
        header = (_("No."), _("Sensor"), _("Decision"), _("From"), _("To"), _("Rule"), _("Number"), _("Filled from"))
        part = ReportTable(_("Decisions"), _("Decisions of people that are in force; both times are included"), header, rows)
    return ReportSection(_("Decisions of people"), [part])


def _row(sensor: Sensor, decision: Decision) -> tuple[Cell, ...]:
    return (
        Amount(decision.number),
        sensor.label(current_language()),
        _kind(decision.kind),
        Instant(decision.start_ms),
        Instant(decision.end_ms),
        rule_name(decision.rule) if decision.rule else "",
        Amount(decision.amount, 3),
        " · ".join(decision.filled_from or ()),
    )


def _kind(kind: DecisionKind) -> str:
    words: dict[DecisionKind, str] = {
        "right": _("right"),
        "wrong": _("wrong"),
        "suspect": _("suspect"),
        "offset": _("offset added"),
        "factor": _("multiplied"),
        "shift": _("times shifted, ms"),
        "delete": _("taken out"),
        "fill": _("filled in"),
    }
    return words[kind]
