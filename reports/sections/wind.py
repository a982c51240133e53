"""The wind rose."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.wind import Wind
from figures.analyses.wind import compass_points
from figures.roses import class_names, short_number
from i18n import gettext as _
from reports.document import Amount, Cell, Part, ReportSection, ReportTable, Words
from reports.material import StationMaterial
from reports.pictures import rose_picture


def section(station: StationMaterial) -> ReportSection:
    """Return a rose of speed by direction, as a picture and in percent."""
    return ReportSection(_("Wind"), list(_parts(station)))


def _parts(station: StationMaterial) -> Iterator[Part]:
    answer = station.answer("wind")
    if answer is None:
        yield Words(_("Needs wind direction and wind speed of one station."))
        return
    found: Wind = answer.subjects[0].result
    unit = answer.subjects[0].units[0]
    yield rose_picture(answer, station.whole.catalogue)
    points = compass_points()
    prevailing = points[found.sectors.index(found.prevailing)] if found.prevailing else "–"
    facts: list[tuple[Cell, ...]] = [
        (_("Readings of speed and direction"), Amount(found.rows)),
        (_("Mean speed, {unit}").format(unit=unit), Amount(found.mean, 1)),
        (_("Highest speed, {unit}").format(unit=unit), Amount(found.max, 1)),
        (
            _("Calm, % (below {limit} {unit})").format(limit=short_number(found.calm_below), unit=unit),
            _percent(found.calm, found.rows),
        ),
        (_("Prevailing direction"), prevailing),
        (_("Direction of the mean vector, °"), Amount(found.mean_direction)),
        (_("Constancy, %"), Amount(found.constancy)),
    ]
    yield ReportTable(_("Wind"), _("Wind of the period"), (_("What"), _("Value")), facts)
    header = (_("From"), *(f"{name} {unit}" for name in class_names(found)), _("All"))
    rows: list[tuple[Cell, ...]] = [
        (point, *(_percent(count, found.rows) for count in counts), _percent(sum(counts), found.rows))
        for point, counts in zip(points, found.counts.tolist(), strict=True)
    ]
    yield ReportTable(_("Wind rose"), _("Percent of all readings, calms included, by direction and speed"), header, rows)


def _percent(count: int, rows: int) -> Amount:
    return Amount(100 * count / rows if rows else None, 1)
