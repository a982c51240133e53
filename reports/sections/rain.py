"""Rain: its total, days, spells and intensities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis.answer import SubjectAnswer
from analysis.rain import Rain, Spell
from i18n import current_language, format_number
from i18n import gettext as _
from reports.document import Amount, Cell, Instant, Part, ReportSection, ReportTable, Words
from reports.material import StationMaterial, sensor_label
from reports.sections.daily import cut_words


def section(station: StationMaterial) -> ReportSection:
    """Return what fell, on how many days, the wettest days and the longest spells."""
    found = station.of_whole_days("rain", most="5")
    if not found:
        return ReportSection(_("Rain"), [Words(_("Needs a sensor that is summed, such as rain."))])
    cut = [sensor for sensor in station.cut_days if sensor.aggregation == "sum"]
    return ReportSection(_("Rain"), [*(part for subject in found for part in _parts(station, subject)), *cut_words(cut)])


def _parts(station: StationMaterial, subject: SubjectAnswer) -> Iterator[Part]:
    sensor, found = station.whole.catalogue[subject.sensors[0]], subject.result
    unit, decimals = sensor.unit, sensor.decimals
    rows: list[tuple[Cell, ...]] = [(_("Total, {unit}").format(unit=unit), Amount(found.total, decimals), None, None)]
    from_ = _("Days with {limit} {unit} or more")
    rows += [(from_.format(limit=limit, unit=unit), Amount(days), None, None) for limit, days in found.days_from.items()]
    wettest = _("Wettest day, {unit}").format(unit=unit)
    rows += [(wettest, Amount(day.total, decimals), day.start, None) for day in found.wettest]
    rows += _spells(_("Longest dry spell, days"), found.dry_spells[:1])
    rows += _spells(_("Longest wet spell, days"), found.wet_spells[:1])
    rows += _intensities(found, unit, decimals)
    header = (_("What"), _("Value"), _("From"), _("To"))
    yield ReportTable(_("Rain"), sensor_label(sensor, current_language()), header, rows)


def _spells(words: str, spells: Sequence[Spell]) -> list[tuple[Cell, ...]]:
    return [(words, Amount(spell.days), spell.from_, spell.to_) for spell in spells]


def _intensities(found: Rain, unit: str, decimals: int) -> list[tuple[Cell, ...]]:
    words = _("Most within {minutes} min, {unit}")
    return [
        (words.format(minutes=format_number(each.minutes), unit=unit), Amount(each.max, decimals), Instant(each.time), None)
        for each in found.intensity
    ]
