"""The days of a period of up to a month."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from analysis.calendar import Calendar, Day
from data.sensor import Sensor
from i18n import current_language
from i18n import gettext as _
from reports.document import Amount, Part, ReportSection, ReportTable, Words
from reports.material import StationMaterial
from reports.pictures import daily_pictures

_MOST_COLUMNS: Final = 7  # of a table that is printed across a page


@dataclass(frozen=True)
class _Column:
    head: str
    cells: dict[str, Amount]  # by date


def section(station: StationMaterial) -> ReportSection:
    """Return each day's mean, least and greatest reading, or total, as tables and pictures."""
    columns = [list(_columns(station, each.result, each.sensors[0])) for each in station.whole_days]
    dates = sorted({day.date for each in station.whole_days for day in each.result.days})
    parts: list[Part] = [*daily_pictures(station)]
    for few in _packed(columns):
        rows = [(date, *(column.cells.get(date) for column in few)) for date in dates]
        parts.append(ReportTable(_("Days"), _("Days of the sensors' own clock"), (_("Day"), *(each.head for each in few)), rows))
    return ReportSection(_("By day"), [*parts, *cut_words(station.cut_days)])


def cut_words(sensors: Sequence[Sensor]) -> list[Words]:
    """Return that the last day of some sensors is a part of it; nothing of none."""
    if not sensors:
        return []
    words = _("The last day of {sensors} ends after the period, of which nothing may be exported: it is a part.")
    return [Words(words.format(sensors=", ".join(each.label(current_language()) for each in sensors)))]


def _columns(station: StationMaterial, calendar: Calendar, name: str) -> Iterator[_Column]:
    sensor = station.whole.catalogue[name]
    label = f"{sensor.label(current_language())}, {sensor.unit}"
    if sensor.aggregation == "sum":
        yield _column(label, sensor, calendar.days, "total")
        return
    if sensor.is_direction:
        yield _column(f"{label}: {_('mean')}", sensor, calendar.days, "mean")
        return
    for field, words in (("mean", _("mean")), ("min", _("lowest")), ("max", _("highest"))):
        yield _column(f"{label}: {words}", sensor, calendar.days, field)


def _column(head: str, sensor: Sensor, days: Sequence[Day], field: str) -> _Column:
    return _Column(head, {day.date: Amount(getattr(day, field), sensor.decimals) for day in days})


def _packed(columns: list[list[_Column]]) -> Iterator[list[_Column]]:
    """Columns of whole sensors, as many as a page is wide."""
    few: list[_Column] = []
    for own in columns:
        if few and len(few) + len(own) > _MOST_COLUMNS:
            yield few
            few = []
        few = [*few, *own]
    if few:
        yield few
