"""How much of what was due is there, by sensor and by day."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.calendar import Calendar
from analysis.summary import Summary
from i18n import current_language
from i18n import gettext as _
from reports.document import Amount, Instant, Part, ReportSection, ReportTable
from reports.material import StationMaterial
from reports.pictures import completeness_strips


def section(station: StationMaterial) -> ReportSection:
    """Return readings, those due, gaps and flagged readings of each sensor; below, its days."""
    return ReportSection(_("Completeness"), list(_parts(station)))


def _parts(station: StationMaterial) -> Iterator[Part]:
    language, catalogue = current_language(), station.whole.catalogue
    rows, strips = [], []
    for summary, calendar in zip(station.summaries, station.calendars, strict=True):
        found: Summary = summary.result
        days: Calendar = calendar.result
        longest = max(days.gaps, key=lambda gap: gap.missing, default=None)
        label = catalogue[summary.sensors[0]].label(language)
        rows.append(
            (
                label,
                Amount(found.rows),
                Amount(found.expected),
                Amount(None if found.complete is None else 100 * found.complete, 1),
                Amount(found.flagged),
                Amount(found.gaps),
                Amount(longest.missing if longest else None),
                Instant(longest.from_) if longest else None,
            )
        )
        strips.append((label, [(day.date, day.rows, day.expected) for day in days.days]))
    header = (
        *(_("Sensor"), _("Readings"), _("Due"), _("Complete, %"), _("Flagged"), _("Gaps")),
        *(_("Missing in the longest gap"), _("which began")),
    )
    yield ReportTable(_("Completeness"), _("Readings that are there, of those due by the usual step"), header, rows)
    yield from completeness_strips(strips)
