"""What is noted of the series of a request: notes, and the history of its stations."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from access.grants import Purpose
from access.identity import Identity
from access.notes.note import Note
from access.notes.note_table import MOST_LISTED, visible_notes
from access.notes.note_viewer import NoteViewer
from access.notes.visible_history import visible_history
from access.store import AccessStore
from data.catalogue import Catalogue
from data.request import HistoryRequest
from data.station_history import HistoryEntry


@dataclass(frozen=True)
class Noted:
    """Notes and entries of the history of stations, by time."""

    notes: tuple[Note, ...] = ()
    history: tuple[HistoryEntry, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.notes or self.history)

    @property
    def version(self) -> str:
        """Equal for what says the same; empty where there is nothing."""
        return hashlib.sha256(repr((self.notes, self.history)).encode("utf-8", "replace")).hexdigest()[:16] if self else ""

    def only(self, sensors: Collection[str]) -> Noted:
        """Return those of some sensors, and of stations as a whole."""
        notes = tuple(one for one in self.notes if one.content.sensor is None or one.content.sensor in sensors)
        return Noted(notes, tuple(one for one in self.history if one.sensor is None or one.sensor in sensors))


def noted(
    store: AccessStore,
    catalogue: Catalogue,
    identity: Identity,
    request: HistoryRequest,
    site_zone: str,
    purpose: Purpose = Purpose.VIEW,
    *,
    limit: int = MOST_LISTED,
) -> Noted:
    """Return what is there for an identity of a request's series in its range: of a ``purpose``
    other than VIEW as :func:`access.notes.note_table.visible_notes`. ``site_zone`` is the clock of
    stations that have none of their own; ``limit``: of notes, the first so many.
    """
    span = request.start_ms, request.end_ms
    notes = visible_notes(store, identity, request.stations, request.sensors, span, purpose=purpose, limit=limit)
    if all(name not in catalogue.stations or not catalogue.stations[name].history for name in request.stations):
        return Noted(tuple(notes))
    viewer = NoteViewer(store, identity, purpose)
    history = visible_history(catalogue, viewer, request.stations, request.sensors, span, site_zone)
    return Noted(tuple(notes), tuple(history))
