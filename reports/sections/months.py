"""Each month, or part of one, of the period."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.days import Periods, periods
from analysis.question import Observed
from i18n import current_language, format_month
from i18n import gettext as _
from reports.document import Amount, Cell, Part, ReportSection, ReportTable
from reports.material import StationMaterial, sensor_label
from reports.period import MOST_DAYS
from reports.pictures import daily_pictures


def section(station: StationMaterial) -> ReportSection:
    """Return mean or total, extremes and completeness of each month by sensor; of a longer period
    its days as a picture, too.
    """
    parts: list[Part] = [_table(station, each) for each in station.observed]
    if station.whole.period.days > MOST_DAYS:
        parts += daily_pictures(station)
    return ReportSection(_("By month"), parts)


def _table(station: StationMaterial, observed: Observed) -> ReportTable:
    sensor, found = observed.sensor, periods(station.question, observed, "1mo")
    dates = station.question.dates(found.start, sensor)
    value = {"sum": _("Total"), "direction": _("Mean direction")}.get(sensor.aggregation, _("Mean"))
    header = [_("Month"), value, _("Readings"), _("Complete, %")]
    if not sensor.is_direction:
        header[2:2] = [_("Lowest"), _("Highest")]
    rows = list(_rows(found, dates, sensor.decimals, is_direction=sensor.is_direction))
    return ReportTable(_("Months"), sensor_label(sensor, current_language()), header, rows)


def _rows(found: Periods, dates: list[str], decimals: int, *, is_direction: bool) -> Iterator[tuple[Cell, ...]]:
    for place, date in enumerate(dates):
        year, month = int(date[:4]), int(date[5:7])
        part = "" if found.whole[place] else f" ({_('part')})"
        extremes = () if is_direction else (Amount(float(found.min[place]), decimals), Amount(float(found.max[place]), decimals))
        yield (
            format_month(year * 12 + month - 1) + part,
            Amount(float(found.value[place]), decimals),
            *extremes,
            Amount(int(found.rows[place])),
            Amount(100 * float(found.complete[place]), 1),
        )
