"""What people decided about readings of the period."""

from __future__ import annotations

from decimal import Decimal

from access.decisions.made_decision import MadeDecision
from data.decision import DecisionKind
from figures.rule_words import rule_name
from i18n import current_language
from i18n import gettext as _
from reports.document import Amount, Cell, Instant, Part, ReportSection, ReportTable, Words
from reports.material import StationMaterial


def section(station: StationMaterial) -> ReportSection:
    """Return the decisions in force about readings of the station's series in the period."""
    labels = {sensor.name: sensor.label(current_language()) for sensor in station.sensors}
    found = [made for made in station.whole.decisions if made.decision.station == station.name]
    rows = [_row(labels.get(made.decision.sensor, made.decision.sensor), made) for made in found]
    parts: list[Part] = [Words(_("No decision of a person is in force for this period."))]
    if rows:
        header = (
            *(_("No."), _("Sensor"), _("Decision"), _("From"), _("To"), _("Rule"), _("Amount"), _("Filled from")),
            *(_("Reason"), _("By"), _("Made")),
        )
        caption = _("Decisions of people that are in force; both times are included")
        parts = [ReportTable(_("Decisions"), caption, header, rows)]
        if station.whole.definition.flags == "none":
            parts.append(Words(_("This report's numbers are of readings as measured: they count none of these decisions.")))
    return ReportSection(_("Decisions of people"), parts)


def _row(label: str, made: MadeDecision) -> tuple[Cell, ...]:
    decision = made.decision
    return (
        Amount(decision.number),
        label,
        _kind(decision.kind),
        Instant(decision.start_ms),
        Instant(decision.end_ms),
        rule_name(decision.rule) if decision.rule else "",
        _exact(decision.amount),
        " · ".join(decision.filled_from or ()),
        made.reason,
        made.made_by,
        Instant(made.made_ms),
    )


def _exact(amount: float | None) -> Amount:
    """Return an amount with as many digits as tell it from any other."""
    digits = 0 if amount is None else -int(Decimal(repr(amount)).normalize().as_tuple().exponent)
    return Amount(amount, max(0, digits))


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
