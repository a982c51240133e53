"""Drift and break against the report's other stations, over the period and the years before it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from analysis.answer import SubjectAnswer
from analysis.drift import Drift
from figures.drift_words import before_month, cautions, chance_words, compared_as, finer, lack_words
from i18n import current_language, format_range
from i18n import gettext as _
from reports.document import Amount, Cell, Part, ReportSection, ReportTable, Words
from reports.material import StationMaterial, sensor_label


def section(station: StationMaterial) -> ReportSection:
    """Return drift a year and most likely break of each sensor that another station has."""
    return ReportSection(_("Drift against neighbours"), list(_parts(station)))


def _parts(station: StationMaterial) -> Iterator[Part]:
    whole = station.whole
    answer = whole.drift
    subjects = [each for each in answer.subjects if each.station == station.name] if answer else []
    if answer is None or not subjects:
        yield Words(_("No other station of the report has a sensor of this one."))
        return
    header = (
        *(_("Sensor"), _("Unit"), _("Months"), _("Neighbours"), _("Drift a year"), _("from"), _("to"), _("By chance")),
        *(_("Most likely break"), _("Size"), _("By chance")),
    )
    span = format_range(answer.start_ms, answer.end_ms, answer.timezone)
    caption = _("Monthly differences to neighbours, {span}; of sums their ratio in percent").format(span=span)
    yield ReportTable(_("Drift"), caption, header, [_row(station, each, answer.timezone) for each in subjects])
    yield Words(" ".join([chance_words(), *_lacks(station, subjects), *cautions(subjects)]))


def _row(station: StationMaterial, subject: SubjectAnswer, timezone: str) -> Sequence[Cell]:
    result: Drift = subject.result
    sensor = station.whole.catalogue[subject.sensors[0]]
    decimals = compared_as(sensor, result).decimals
    finest = finer(compared_as(sensor, result)).decimals
    trend, found = result.trend, result.likely_break
    slopes = (trend.slope, trend.low, trend.high) if trend else (math.nan,) * 3
    return (
        sensor.label(current_language()),
        result.unit,
        Amount(result.months),
        Amount(len(result.neighbours)),
        *(Amount(each, finest) for each in slopes),
        None if trend is None else _("no") if trend.significant else _("perhaps"),
        None if found is None else before_month(found.month, timezone),
        Amount(found.size if found else None, decimals),
        None if found is None else _("no") if found.significant else _("perhaps"),
    )


def _lacks(station: StationMaterial, subjects: Sequence[SubjectAnswer]) -> Iterator[str]:
    for each in subjects:
        if words := lack_words(each.result):
            yield f"{sensor_label(station.whole.catalogue[each.sensors[0]], current_language())}: {words}"
