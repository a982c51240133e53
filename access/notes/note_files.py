"""Notes in and out of CSV files: logbooks become notes, all or none, and notes a file that can be
imported again.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from access.audit.log import write_entry
from access.identity import Identity
from access.names import check_name, is_reserved
from access.notes.note import Note, NoteContent
from access.notes.note_table import require_noted, require_room, row_values
from access.store import AccessStore
from access.tables import note as table
from data.ingest.logbook import LogRow
from data.site import Site
from data.time.epoch import epoch_ms
from data.time.months import iso_utc
from errors import ImportRejected, RiwayatError
from escaping import safe_text

COLUMNS: Final = ("id", "from", "to", "station", "sensor", "kind", "text", "shared", "owner")

_ID: Final = re.compile(r"[0-9a-f]{32}")
_AT_ONCE: Final = 500  # ids of one statement


@dataclass(frozen=True)
class ImportedNotes:
    """How many notes a logbook had, and how many of them were new."""

    read: int
    added: int


def import_notes(
    store: AccessStore, site: Site, identity: Identity, file: Path, rows: Sequence[LogRow], *, shared: bool = False
) -> ImportedNotes:
    """Add the rows of a logbook as notes of the identity, or of whom the file names; those that are
    there are left as they are. ``shared`` is for rows that do not say it.

    Raises:
        ImportRejected: a row is no note, or not about what the identity may see; nothing is added.
        Conflict: somebody would have too many notes.
    """
    made = _notes(site, identity, file, rows, shared)
    try:
        added = _add(store, made, file)
    except IntegrityError:  # another import has just added some of them
        added = _add(store, made, file)
    return ImportedNotes(len(rows), added)


def export_notes(notes: Iterable[Note]) -> str:
    """Return notes as CSV: times are ISO 8601 in UTC, ``to`` is empty where it is a moment."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in notes:
        content = one.content
        end = "" if content.is_moment else iso_utc(content.end_ms)
        texts = (content.station, content.sensor or "", content.kind, content.text)
        shared = "true" if content.shared else "false"
        writer.writerow([one.id, iso_utc(content.start_ms), end, *map(safe_text, texts), shared, safe_text(one.owner)])
    return out.getvalue()


def _notes(site: Site, identity: Identity, file: Path, rows: Sequence[LogRow], shared: bool) -> dict[str, Note]:
    """Return the notes of a file by their ids: what it says twice is one."""
    now_ms, found = epoch_ms(), dict[str, Note]()
    noted: set[tuple[str, str | None]] = set()
    for row in rows:
        try:
            content = NoteContent(
                row.station,
                row.sensor,
                row.start_ms,
                row.end_ms,
                row.text,
                row.kind,  # type: ignore[arg-type]  # checked there
                shared if row.shared is None else row.shared,
            )
            if not identity.rights.everything or (row.station, row.sensor) not in noted:
                require_noted(site, identity, content)
                noted.add((row.station, row.sensor))
            owner = identity.user if row.owner is None or is_reserved(row.owner) else check_name(row.owner)
        except RiwayatError as exc:
            raise ImportRejected("{file}, line {line}: {why}", file=file, line=row.line, why=exc.message) from exc
        note_id = row.id if row.id is not None and _ID.fullmatch(row.id) else content.id_of(owner)
        found[note_id] = Note(note_id, owner, content, now_ms, now_ms)
    return found


def _add(store: AccessStore, made: dict[str, Note], file: Path) -> int:
    with store.engine.begin() as connection:
        known = _known(connection, list(made))
        new = [one for note_id, one in made.items() if note_id not in known]
        for owner in {one.owner for one in new}:
            require_room(connection, owner, sum(one.owner == owner for one in new))
        if new:
            connection.execute(insert(table), [row_values(one) for one in new])
        owners = sorted({one.owner for one in made.values()})
        write_entry(connection, "notes_imported", {"file": file.name, "owner": owners, "added": len(new), "known": len(known)})
    return len(new)


def _known(connection: Connection, ids: Sequence[str]) -> set[str]:
    parts = (ids[at : at + _AT_ONCE] for at in range(0, len(ids), _AT_ONCE))
    return {each for part in parts for each in connection.scalars(select(table.c.id).where(table.c.id.in_(part)))}
