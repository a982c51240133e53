"""Notes and the history of stations as files of rows tell them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from access.grants import Purpose
from access.identity import Identity
from access.notes.note import Note
from access.notes.note_table import MOST_READ
from access.notes.noted import noted
from access.store import AccessStore
from data.file_note import FileNote
from data.request import HistoryRequest
from data.site import Site
from data.station_history import HistoryEntry

HISTORY: Final = "station history"


def with_file_notes(site: Site, store: AccessStore, identity: Identity, request: HistoryRequest) -> Site:
    """Return the site with what is noted of a request's series in its range, as far as the
    identity may take it away: shared notes alone.
    """
    found = noted(store, site.catalogue, identity, request, site.settings.timezone, Purpose.EXPORT, limit=MOST_READ)
    notes = [*map(_of_note, found.notes), *map(_of_history, found.history)]
    return replace(site, notes=tuple(sorted(notes, key=lambda one: (one.start_ms, one.station, one.sensor or ""))))


def _of_note(found: Note) -> FileNote:
    content = found.content
    end_ms = None if content.is_moment else content.end_ms
    return FileNote(content.station, content.sensor, content.start_ms, end_ms, content.kind, content.text, found.owner)


def _of_history(found: HistoryEntry) -> FileNote:
    text = " · ".join(part for part in (found.instrument, found.place, found.text) if part)
    return FileNote(found.station, found.sensor, found.start_ms, found.end_ms, HISTORY, text)
