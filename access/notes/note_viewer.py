"""Who looks at notes and at the history of stations, for a purpose."""

from __future__ import annotations

from dataclasses import replace

from access.embeds.embed_table import find_embed
from access.grants import Purpose
from access.identity import Identity
from access.names import EMBED_OWNER
from access.notes.note import Note, is_span_granted
from access.store import AccessStore


class NoteViewer:
    """An identity that looks for a purpose; ``sees_own``: its private notes, too, which only who
    looks at the page, and programs of theirs, do.
    """

    def __init__(self, store: AccessStore, identity: Identity, purpose: Purpose = Purpose.VIEW) -> None:
        self.user = identity.user
        self.sees_own = purpose is Purpose.VIEW
        self._purposes: tuple[Purpose, ...] = (purpose,)
        self._rights = identity.rights
        if identity.user.startswith(EMBED_OWNER):
            self._look_through_embed(store, identity)

    def _look_through_embed(self, store: AccessStore, identity: Identity) -> None:
        """Take the rights of who made the chart, who may embed more time than it shows now: a span
        that began before is told as well.
        """
        found, shown = find_embed(store, self.user.removeprefix(EMBED_OWNER)), identity.rights.shown
        none = found is None or shown is None or not found.spec.notes  # shown is None where it has ended
        rights = identity.rights if found is None or none else store.account_rights(found.owner).rights
        self._rights = replace(rights, everything=rights.everything and not none, shown=frozenset() if none else shown)
        self.sees_own, self._purposes = False, (*self._purposes, Purpose.EMBED)

    def sees(self, found: Note) -> bool:
        """Return whether a note is there for them; one's own is, what it is about one has said
        oneself.
        """
        content = found.content
        if self.sees_own and found.owner == self.user:
            return True
        return content.shared and self.may_know(content.station, content.sensor, (content.start_ms, content.end_ms))

    @property
    def sees_everything(self) -> bool:
        """Whether every shared note is for them."""
        return self._rights.everything and self._rights.shown is None

    def may_know_of(self, station: str, sensor: str | None) -> bool:
        """Return whether there is a time at which a station or sensor of it may be for them."""
        known = sensor is not None and self._rights.knows(station, sensor)
        return known or bool(self._rights.stations([station]))

    def may_know(self, station: str, sensor: str | None, span: tuple[int, int]) -> bool:
        """Return whether what happened to a station or sensor of it in all of [start, end) (int ms
        UTC; equal: a moment) is for them.
        """
        return all(is_span_granted(self._rights, station, sensor, span, each) for each in self._purposes)
