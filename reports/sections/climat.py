"""The monthly report of a station in the order of WMO's CLIMAT message."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Final

from analysis.climat import LEAST_YEARS, NORMAL_YEARS, Climat, DayCount, DayExtreme, Element, climat, normal, quintile
from i18n import current_language, format_number
from i18n import gettext as _
from reports.document import Amount, Cell, Part, ReportSection, ReportTable, Words
from reports.material import StationMaterial

_SYMBOLS: Final[Mapping[str, str]] = {
    "station_pressure": "P0",
    "sea_level_pressure": "P",
    "temperature": "T",
    "temperature_deviation": "sT",
    "max_temperature": "Tx",
    "min_temperature": "Tn",
    "vapour_pressure": "e",
    "precipitation": "R1",
    "wet_days": "nr",
    "sunshine": "S1",
}


def section(station: StationMaterial) -> ReportSection:
    """Return the elements of the month with missing days and normals; then extremes and days."""
    return ReportSection(_("Monthly report (CLIMAT)"), list(_parts(station)))


def _parts(station: StationMaterial) -> Iterator[Part]:
    month = climat(station.question, station.observed)
    if not month.elements:
        yield Words(_("The station measures none of its elements."))
        return
    first = station.whole.period.start.year - NORMAL_YEARS  # more may be compared with
    spans = [(year, question) for year, question in station.earlier.items() if year >= first]
    earlier = {year: climat(question, station.with_readings(question)) for year, question in spans}
    rows = [row for each in month.elements for row in _rows(each, earlier)]
    header = (
        *(_("Element"), _("Symbol"), _("Value"), _("Unit"), _("Missing days")),
        *(_("Mean of earlier years"), _("Years"), _("Percent of it")),
    )
    caption = _("In the order of FM 71 CLIMAT, WMO-No. 306; a value that too few days have is not given")
    yield ReportTable("CLIMAT", caption, header, rows)
    if month.extremes:
        yield ReportTable(_("CLIMAT extremes"), _("Extremes of the month and their days"), *_extremes(month.extremes))
    if month.counts:
        yield ReportTable(_("CLIMAT days"), _("Days beyond limits"), *_counts(month.counts))
    if cut := station.cut_days:
        words = _("The last day of {sensors} ends in the next month, of which nothing may be exported: it is missing.")
        yield Words(words.format(sensors=", ".join(each.label(current_language()) for each in cut)))
    words = _("A normal, and the quintile of precipitation, need {least} of the {all} years before (WMO-No. 1203).")
    yield Words(words.format(least=LEAST_YEARS, all=NORMAL_YEARS))


def _rows(element: Element, earlier: Mapping[int, Climat]) -> Iterator[tuple[Cell, ...]]:
    decimals = 0 if element.name == "wet_days" else 1
    years = [found.value(element.name) for found in earlier.values()]
    mean, number = normal(years)
    share = 100 * element.value / mean if element.name in ("precipitation", "sunshine") and mean else math.nan
    yield (
        _element(element.name),
        _SYMBOLS[element.name],
        Amount(element.value, decimals),
        element.unit,
        Amount(element.missing),
        Amount(mean, 1),
        Amount(number),
        Amount(share) if math.isfinite(share) else None,
    )
    if element.name == "precipitation":
        fifth = quintile(element.value, years)
        yield (_("Quintile of precipitation"), "Rd", Amount(fifth), "", None, None, Amount(number), None)


def _extremes(found: tuple[DayExtreme, ...]) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    words = {
        "highest_daily_mean": _("Highest daily mean temperature"),
        "lowest_daily_mean": _("Lowest daily mean temperature"),
        "highest_temperature": _("Highest temperature"),
        "lowest_temperature": _("Lowest temperature"),
        "greatest_precipitation": _("Most precipitation of a day"),
        "highest_wind": _("Highest wind speed"),
    }
    return (_("What"), _("Value"), _("Unit"), _("Day")), [
        (words[each.name], Amount(each.value, 1), each.unit, each.date) for each in found
    ]


def _counts(found: tuple[DayCount, ...]) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    words = {
        "warm_days": _("Maximum of {limit} °C or more"),
        "frost_days": _("Minimum below {limit} °C"),
        "ice_days": _("Maximum below {limit} °C"),
        "rain_days": _("Precipitation of {limit} mm or more"),
    }
    return (_("Days with"), _("Number")), [
        (words[each.name].format(limit=format_number(each.limit)), Amount(each.days)) for each in found
    ]


def _element(name: str) -> str:
    return {
        "station_pressure": _("Mean pressure at station level"),
        "sea_level_pressure": _("Mean pressure at sea level"),
        "temperature": _("Mean air temperature"),
        "temperature_deviation": _("Standard deviation of daily mean temperature"),
        "max_temperature": _("Mean daily maximum temperature"),
        "min_temperature": _("Mean daily minimum temperature"),
        "vapour_pressure": _("Mean vapour pressure"),
        "precipitation": _("Total precipitation"),
        "wet_days": _("Days with 1 mm or more"),
        "sunshine": _("Total sunshine"),
    }[name]
