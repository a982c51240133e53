"""From a definition and a period to a document: numbers by analyses, words by sections."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import pyarrow as pa

from analysis.climat import METHOD as CLIMAT_METHOD
from analysis.codec import code_digest
from analysis.registry import find
from config import VERSION
from data.export.manifest import FileRecord, Manifest, manifest_of
from data.quality_limits import RULES_VERSION
from escaping import visible
from i18n import current_language, format_number, format_range
from i18n import gettext as _
from reports.definition import SectionName
from reports.document import Document, Part, ReportSection, ReportTable, StationChapter, Words
from reports.material import Material, StationMaterial, sensor_label
from reports.period import LEAST_YEAR_DAYS, MOST_DAYS
from reports.sections import climat, completeness, daily, decisions, drift, earlier, extremes, flags, months, notes, rain, wind

Told = Callable[[str, int, int], object]  # hears of each station that is done: its name, which, of how many

_SECTIONS: Final[Mapping[SectionName, Callable[[StationMaterial], ReportSection]]] = {
    "completeness": completeness.section,
    "flags": flags.section,
    "decisions": decisions.section,
    "notes": notes.section,
    "months": months.section,
    "extremes": extremes.section,
    "daily": daily.section,
    "climat": climat.section,
    "wind": wind.section,
    "rain": rain.section,
    "earlier": earlier.section,
    "drift": drift.section,
}
_ASKED_OF: Final[Mapping[SectionName, str]] = {
    "completeness": "calendar",
    "flags": "quality",
    "extremes": "summary",
    "wind": "wind",
    "rain": "rain",
    "drift": "drift",
}


def collect(material: Material, made: str, told: Told = lambda *_: None) -> Document:
    """Return the report in the current language; ``made`` says when, in words.

    Raises:
        NotPermitted: only whole steps may be seen.
        TileDamaged: a tile is damaged; it is out of the index then, so the next load reads it
            again.
    """
    chapters = []
    for place, name in enumerate(material.request.stations):
        chapters.append(_chapter(material, name))
        told(name, place + 1, len(material.request.stations))
    definition, stations = material.definition, material.request.stations
    names = ", ".join(map(visible, stations[:4])) + (f" +{len(stations) - 4}" if len(stations) > 4 else "")
    return Document(
        title=definition.title or _("Station report"),
        subtitle=f"{names} · {material.period.title}",
        language=definition.language,
        timezone=definition.timezone,
        facts=_facts(material, made),
        chapters=chapters,
        method=_method(material),
    )


def _chapter(material: Material, name: str) -> StationChapter:
    station = material.station(name)
    if not station.observed:
        nothing = ReportSection(_("Readings"), [Words(_("There are no readings of this station in the period."))])
        return StationChapter(name, _station_facts(station), [nothing])
    chosen = [make for section, make in _SECTIONS.items() if section in sections_of(material)]
    return StationChapter(name, _station_facts(station), [make(station) for make in chosen])


def sections_of(material: Material) -> list[SectionName]:
    """Return the sections of a report that say something of its period: a month has no table of
    months, a longer period none of days, and one of less than a year no drift.
    """
    left_out = {"months"} if material.period.is_month else {"climat"}
    left_out |= {"daily"} if material.period.days > MOST_DAYS else set()
    left_out |= {"drift"} if material.period.days < LEAST_YEAR_DAYS else set()
    return [name for name in material.definition.sections if name not in left_out]


def _facts(material: Material, made: str) -> list[tuple[str, str]]:
    definition, site = material.definition, material.site
    facts = [
        (_("Period"), format_range(*material.period.span, material.period.timezone)),
        (_("Time zone"), definition.timezone),
        (_("Stations"), ", ".join(map(visible, material.request.stations))),
        (_("Flags that count"), _flags_words(definition.flags)),
        (_("Institution"), site.settings.institution),
        (_("Software"), f"Riwayat {VERSION}"),
        (_("Made"), made),
    ]
    return [(what, said) for what, said in facts if said]


def _station_facts(station: StationMaterial) -> list[tuple[str, str]]:
    known = station.whole.catalogue.stations.get(station.name)
    position = known.position if known else None
    elevation = known.elevation if known else None
    not_known = _("not known")
    sensors = ", ".join(sensor_label(sensor, current_language()) for sensor in station.sensors)
    return [
        (_("Position"), f"{position[0]:g}°, {position[1]:g}°" if position else not_known),
        (_("Elevation"), f"{format_number(elevation, 1)} m" if elevation is not None else not_known),
        (_("Sensors"), sensors or "–"),
    ]


def _flags_words(choice: str) -> str:
    return {
        "none": _("none: all readings count"),
        "hard": _("readings that cannot be right are left out"),
        "all": _("suspect readings are left out, too"),
    }[choice]


def _method(material: Material) -> Sequence[ReportSection]:
    read = _manifest(material)
    parts = [_versions(material, read), _methods(material), *_checksums(material, read)]
    return [ReportSection(_("How this was made"), parts)]


def _manifest(material: Material) -> Manifest:
    """Return what the report's readings were, as an exported file's manifest says it."""
    none = FileRecord(name="", format="report", units="none", bytes=0, rows=0, sha256="")
    return manifest_of(material.site, material.request, none)


def _versions(material: Material, read: Manifest) -> Part:
    rows = [
        ("Riwayat", VERSION),
        ("pyarrow", pa.__version__),
        (_("Rules of quality control"), str(RULES_VERSION)),
        (_("Analyses, digest of their code"), code_digest()),
        (_("Catalogue, fingerprints of sensors"), ", ".join(f"{each.name} {each.fingerprint}" for each in read.sensors)),
        (_("Source"), material.site.source_id),
    ]
    return ReportTable(_("Versions"), _("Versions and fingerprints"), (_("What"), _("Version")), rows)


def _methods(material: Material) -> Part:
    asked = [(name, _ASKED_OF[name]) for name in sections_of(material) if name in _ASKED_OF]
    rows = [(each.name, each.source) for _section, analysis in asked for each in find(analysis).module.METHOD]
    if "climat" in sections_of(material):
        rows += [(each.name, each.source) for each in CLIMAT_METHOD]
    return ReportTable(_("Method"), _("Methods and their sources"), (_("What"), _("Source")), rows)


def _checksums(material: Material, read: Manifest) -> list[Part]:
    """Those of each month; of a longer period one digest of them a series."""
    if material.period.days > MOST_DAYS:
        rows = [(each.station, each.sensor, _months(each.months), _digest(each.months)) for each in read.series]
        header = (_("Station"), _("Sensor"), _("Months (UTC)"), _("SHA-256 of their lines in the manifest"))
        return [ReportTable(_("Checksums"), _("Digests of what was read"), header, rows)]
    rows = [(each.station, each.sensor, month, said) for each in read.series for month, said in sorted(each.months.items())]
    header = (_("Station"), _("Sensor"), _("Month (UTC)"), _("Generation, checksum of readings, of flags"))
    return [ReportTable(_("Checksums"), _("Checksums of the months that were read"), header, rows)]


def _months(months: Mapping[str, str]) -> str:
    return f"{min(months)} – {max(months)} ({len(months)})" if months else "–"


def _digest(months: Mapping[str, str]) -> str:
    lines = "".join(f"{month} {said}\n" for month, said in sorted(months.items()))
    return hashlib.sha256(lines.encode()).hexdigest()
