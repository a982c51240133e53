"""The least and the greatest reading of each sensor, and when they were."""

from __future__ import annotations

from analysis.summary import Summary
from data.sensor import Sensor
from i18n import current_language
from i18n import gettext as _
from reports.document import Amount, Cell, Instant, ReportSection, ReportTable
from reports.material import StationMaterial, sensor_label


def section(station: StationMaterial) -> ReportSection:
    """Return mean or total, and extremes with their times; of equal ones the first."""
    language, rows = current_language(), list[tuple[Cell, ...]]()
    for subject in station.summaries:
        sensor, found = station.whole.catalogue[subject.sensors[0]], subject.result
        rows.append((sensor_label(sensor, language), *_cells(found, sensor)))
    header = (
        *(_("Sensor"), _("Mean"), _("Median"), _("Standard deviation"), _("Total")),
        *(_("Lowest"), _("at"), _("Highest"), _("at")),
    )
    caption = _("Of all readings that count; of equal extremes the first is named")
    return ReportSection(_("Extremes"), [ReportTable(_("Extremes"), caption, header, rows)])


def _cells(found: Summary, sensor: Sensor) -> tuple[Cell, ...]:
    decimals = sensor.decimals
    mean = (Amount(found.mean, decimals), Amount(found.median, decimals), Amount(found.std, decimals + 1))
    if sensor.is_direction:
        return (mean[0], None, mean[2], None, None, None, None, None)
    sums = sensor.aggregation == "sum"  # the mean of what single readings add says nothing
    return (
        *((None, None, None, Amount(found.total, decimals)) if sums else (*mean, None)),
        Amount(found.min, decimals),
        None if found.min_time is None else Instant(found.min_time),
        Amount(found.max, decimals),
        None if found.max_time is None else Instant(found.max_time),
    )
