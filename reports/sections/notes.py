"""What people noted at times of the period."""

from __future__ import annotations

from access.notes.note import NoteKind
from data.catalogue import Catalogue
from i18n import current_language
from i18n import gettext as _
from reports.document import Instant, Part, ReportSection, ReportTable, Words
from reports.material import StationMaterial


def section(station: StationMaterial) -> ReportSection:
    """Return shared notes of the station and its series, by time."""
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
        for note in station.whole.notes
        if note.content.station == station.name
    ]
    part: Part = Words(_("There is no shared note of this period."))
    if rows:
        header = (_("From"), _("To"), _("Sensor"), _("Kind"), _("Note"), _("By"))
        part = ReportTable(_("Notes"), _("Shared notes of the station and its sensors"), header, rows)
    return ReportSection(_("Notes"), [part])


def _of(sensor: str | None, catalogue: Catalogue) -> str:
    if sensor is None:
        return _("All sensors")
    return catalogue[sensor].label(current_language()) if sensor in catalogue else sensor


def _kind(kind: NoteKind) -> str:
    words: dict[NoteKind, str] = {"event": _("event"), "maintenance": _("maintenance"), "calibration": _("calibration")}
    return words[kind]
