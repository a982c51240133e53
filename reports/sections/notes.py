"""What people noted at times of the period."""

from __future__ import annotations

from collections.abc import Iterator

from access.notes.note import NoteKind
from data.catalogue import Catalogue
from i18n import current_language
from i18n import gettext as _
from reports.document import Instant, Part, ReportSection, ReportTable, Words
from reports.material import StationMaterial


def section(station: StationMaterial) -> ReportSection:
    """Return shared notes of the station and its series, and what the catalogue says of its past,
    by time.
    """
    parts: list[Part] = [*_notes(station), *_history(station)]
    return ReportSection(_("Notes and history"), parts or [Words(_("There is no shared note of this period."))])


def _notes(station: StationMaterial) -> Iterator[Part]:
    catalogue = station.whole.catalogue
    rows = [
        (
            Instant(note.content.start_ms),
            None if note.content.is_moment else Instant(note.content.end_ms),
            _of(note.content.sensor, catalogue),
            _kind(note.content.kind),
            note.content.text,
            note.owner,
        )
        for note in station.whole.noted.notes
        if note.content.station == station.name
    ]
    if rows:
        header = (_("From"), _("To"), _("Sensor"), _("Kind"), _("Note"), _("By"))
        yield ReportTable(_("Notes"), _("Shared notes of the station and its sensors"), header, rows)


def _history(station: StationMaterial) -> Iterator[Part]:
    catalogue = station.whole.catalogue
    rows = [
        (
            Instant(each.start_ms),
            None if each.end_ms is None else Instant(each.end_ms),
            _of(each.sensor, catalogue),
            each.place,
            each.instrument,
            each.text,
        )
        for each in station.whole.noted.history
        if each.station == station.name
    ]
    if rows:
        header = (_("From"), _("To"), _("Sensor"), _("Position"), _("Instrument"), _("What"))
        yield ReportTable(_("Station history"), _("History of the station, as the catalogue says"), header, rows)


def _of(sensor: str | None, catalogue: Catalogue) -> str:
    if sensor is None:
        return _("All sensors")
    return catalogue[sensor].label(current_language()) if sensor in catalogue else sensor


def _kind(kind: NoteKind) -> str:
    words: dict[NoteKind, str] = {"event": _("event"), "maintenance": _("maintenance"), "calibration": _("calibration")}
    return words[kind]
