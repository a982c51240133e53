"""What the rules of quality control found."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.quality.review import Quality, Unasked
from figures.rule_words import of_words, rule_name
from i18n import gettext as _
from reports.document import Amount, Part, ReportSection, ReportTable, Words
from reports.material import StationMaterial


def section(station: StationMaterial) -> ReportSection:
    """Return events and readings by sensor and rule, and what could not be asked."""
    return ReportSection(_("Flags by rule"), list(_parts(station)))


def _parts(station: StationMaterial) -> Iterator[Part]:
    subject = station.whole.quality.get(station.name)
    found: Quality | None = subject.result if subject else None
    if found is None or not found.counts:
        yield Words(_("The rules found nothing."))
    else:
        catalogue = station.whole.catalogue
        rows = [
            (of_words(each.sensor, catalogue), rule_name(each.rule), Amount(each.events), Amount(each.hard), Amount(each.rows))
            for each in found.counts
        ]
        header = (_("Sensor"), _("Rule"), _("Events"), _("Events that cannot be right"), _("Readings"))
        caption = _("What rules of quality control found; readings that cannot be right are left out of all numbers")
        if station.whole.definition.flags != "hard":
            caption = _("What rules of quality control found")
        yield ReportTable(_("Flags"), caption, header, rows)
    if found is not None and found.unasked:
        yield Words(_("Not asked: {rules}.").format(rules="; ".join(_unasked(station, found.unasked))))


def _unasked(station: StationMaterial, unasked: tuple[Unasked, ...]) -> list[str]:
    lacks = {"position": _("position not known"), "neighbours": _("too few neighbours"), "quantity": _("quantity not known")}
    by_rule: dict[tuple[str, str], list[str]] = {}
    for each in unasked:
        by_rule.setdefault((each.rule, each.lacks), []).append(of_words(each.sensor, station.whole.catalogue))
    return [
        f"{rule_name(rule)} – {', '.join(dict.fromkeys(of))} ({lacks.get(lack, lack)})" for (rule, lack), of in by_rule.items()
    ]
