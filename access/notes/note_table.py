"""Notes as the table ``note`` has them: adding, finding, changing and removing.
Times are int ms UTC.

One's own are there for oneself, shared ones also for others, as far as they may see the station or
sensor at that time; anything else does not exist for them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from access.audit.log import write_entry
from access.grants import Purpose
from access.identity import Identity
from access.notes.note import Note, NoteContent, is_granted
from access.notes.note_viewer import NoteViewer
from access.restricted_site import restricted_site
from access.store import AccessStore
from access.tables import note as table
from data.site import Site
from data.time.epoch import epoch_ms
from data.time.months import iso_utc
from errors import Conflict, InvalidRequest, NotFound, NotPermitted, UnknownSensor

MOST_NOTES: Final = 10_000  # of one user
MOST_LISTED: Final = 1_000  # of one question
MOST_READ: Final = 20_000  # of all that there are, where they become a file
_MOST_LOOKED_AT: Final = 5_000  # among which those are looked for that are granted
_PAGE: Final = 1_000  # rows that are read at once
_MOST_NAMED: Final = 500  # stations of one statement; of more all are read

_ID: Final = re.compile(r"[0-9a-f]{32}")

log = structlog.get_logger(__name__)


def add_note(store: AccessStore, site: Site, identity: Identity, content: NoteContent) -> Note:
    """Add a note of the identity's.

    Raises:
        UnknownStation, UnknownSensor: there is none, or nothing of it is granted.
        NotPermitted: it is not granted at that time.
        Conflict: the identity has written the same already, or too many.
    """
    require_noted(site, identity, content)
    now_ms, note_id = epoch_ms(), content.id_of(identity.user)
    made = Note(note_id, identity.user, content, now_ms, now_ms)
    try:
        with store.engine.begin() as connection:
            require_room(connection, identity.user, 1)
            connection.execute(insert(table).values(row_values(made)))
            write_entry(connection, "note_added", _audit_fields(made))
    except IntegrityError:
        raise Conflict("You have written this note already.", field="text") from None
    return made


def change_note(store: AccessStore, site: Site, identity: Identity, note_id: object, **changed: Any) -> Note:
    """Change what is given of a note of the identity's: fields of
    :class:`access.notes.note.NoteContent` by name.

    Raises:
        NotFound: as :func:`visible_note`.
        NotPermitted: it is somebody else's, or not granted at that time.
        InvalidRequest, UnknownStation, UnknownSensor: as :func:`add_note`.
    """
    found = visible_note(store, identity, note_id)
    if found.owner != identity.user:
        raise NotPermitted("Only {name} can change this note.", name=found.owner)
    made = replace(found, content=replace(found.content, **changed), changed_ms=epoch_ms())
    require_noted(site, identity, made.content)
    with store.engine.begin() as connection:
        if not connection.execute(update(table).where(table.c.id == found.id).values(row_values(made))).rowcount:
            raise _not_there(found.id)  # removed meanwhile
        write_entry(connection, "note_changed", _audit_fields(made))
    return made


def remove_note(store: AccessStore, identity: Identity, note_id: object) -> None:
    """Remove a note of the identity's; an administrator may remove any that is shared.

    Raises:
        NotFound: as :func:`visible_note`.
        NotPermitted: it is somebody else's.
    """
    found = visible_note(store, identity, note_id)
    if found.owner != identity.user and not identity.admin:
        raise NotPermitted("Only {name} can remove this note.", name=found.owner)
    with store.engine.begin() as connection:
        if connection.execute(delete(table).where(table.c.id == found.id)).rowcount:
            write_entry(connection, "note_removed", _audit_fields(found))


def visible_note(store: AccessStore, identity: Identity, note_id: object) -> Note:
    """Return a note that is there for the identity, whatever is given for its id.

    Raises:
        NotFound: there is none, it is another user's and private, or its time is not granted to
            the identity; all alike.
    """
    if isinstance(note_id, str) and _ID.fullmatch(note_id):
        with store.engine.connect() as connection:
            row = connection.execute(select(table).where(table.c.id == note_id)).one_or_none()
        found = _note(row) if row is not None else None
        if found is not None and NoteViewer(store, identity, Purpose.VIEW).sees(found):
            return found
    raise _not_there(note_id)


def visible_notes(
    store: AccessStore,
    identity: Identity,
    stations: Iterable[str] | None = None,
    sensors: Iterable[str] | None = None,
    span: tuple[int, int] | None = None,
    *,
    purpose: Purpose = Purpose.VIEW,
    limit: int = MOST_LISTED,
) -> list[Note]:
    """Return the notes of :func:`found_notes`."""
    return list(found_notes(store, identity, stations, sensors, span, purpose=purpose, limit=limit).notes)


@dataclass(frozen=True)
class FoundNotes:
    """Notes by time; ``more``: later ones may be there that were not looked for."""

    notes: tuple[Note, ...]
    more: bool


def found_notes(
    store: AccessStore,
    identity: Identity,
    stations: Iterable[str] | None = None,
    sensors: Iterable[str] | None = None,
    span: tuple[int, int] | None = None,
    *,
    purpose: Purpose = Purpose.VIEW,
    limit: int = MOST_LISTED,
) -> FoundNotes:
    """Return the first ``limit`` notes that are there for the identity, by time: of some stations
    as a whole and of some sensors of theirs, that touch [start, end), int ms UTC; None: any.

    What leaves the page has shared notes alone: with a ``purpose`` other than VIEW one's private
    ones are left out too. An embedded chart has those that its maker shows, and none else.
    """
    at = None if stations is None else frozenset(stations)
    of = None if sensors is None else frozenset(sensors)
    found: list[Note] = []
    viewer, most = NoteViewer(store, identity, purpose), max(limit, _MOST_LOOKED_AT)
    for looked_at, one in enumerate(_notes(store, _asked(store, viewer, at, of, span), most + 1)):
        content = one.content
        asked = (at is None or content.station in at) and (of is None or content.sensor is None or content.sensor in of)
        is_found = asked and viewer.sees(one)
        if looked_at == most or (is_found and len(found) == limit):
            return FoundNotes(tuple(found), more=True)
        found += [one] if is_found else []
    return FoundNotes(tuple(found), more=False)


def require_noted(site: Site, identity: Identity, content: NoteContent) -> None:
    """Refuse a note on what is not there, or not granted to the identity at its time.

    Raises:
        UnknownStation, UnknownSensor: there is none, or nothing of it is granted.
        NotPermitted: it is not granted at that time.
    """
    seen = restricted_site(site, identity.rights)
    seen.inventory.named([content.station])
    if content.sensor is not None:
        seen.catalogue[content.sensor]
        if not identity.rights.knows(content.station, content.sensor):
            raise UnknownSensor("{station} has no {sensor}.", field="sensor", station=content.station, sensor=content.sensor)
    if not is_granted(identity.rights, content):
        raise NotPermitted("You may not see {station} at this time, so you cannot write a note there.", station=content.station)


def require_room(connection: Connection, owner: str, count: int) -> None:
    """Raises Conflict where a user would have more than MOST_NOTES with so many more."""
    own = select(func.count()).select_from(table).where(table.c.owner == owner)
    if connection.execute(own).scalar_one() + count > MOST_NOTES:
        raise Conflict("{name} has {most} notes; remove some first.", name=owner, most=MOST_NOTES)


def row_values(made: Note) -> dict[str, Any]:
    """Return a note as its row."""
    content = made.content
    fields = ("station", "sensor", "start_ms", "end_ms", "kind", "text", "shared")
    own = {"id": made.id, "owner": made.owner, "created_ms": made.created_ms, "changed_ms": made.changed_ms}
    return own | {name: getattr(content, name) for name in fields}


def _asked(
    store: AccessStore,
    viewer: NoteViewer,
    stations: Collection[str] | None,
    sensors: Collection[str] | None,
    span: tuple[int, int] | None,
) -> Select[Any]:
    """The rows that may be there for who looks, of what is asked for."""
    few = stations is not None and len(stations) <= _MOST_NAMED
    query = select(table).where(_theirs(viewer, None if few or viewer.sees_everything else _known_stations(store, viewer)))
    if stations is not None and few:
        query = query.where(table.c.station.in_(sorted(stations)))
    if sensors is not None and len(sensors) <= _MOST_NAMED:
        query = query.where(or_(table.c.sensor.is_(None), table.c.sensor.in_(sorted(sensors))))
    if span is not None:  # a span that ends where this begins is before it, a moment there is not
        after = or_(table.c.end_ms > span[0], and_(table.c.start_ms == span[0], table.c.end_ms == span[0]))
        query = query.where(table.c.start_ms < span[1], after)
    return query.order_by(table.c.start_ms, table.c.id)


def _theirs(viewer: NoteViewer, known: Collection[str] | None) -> ColumnElement[bool]:
    at = () if known is None else (table.c.station.in_(known),)
    shared = and_(table.c.shared.is_(True), *at)
    return or_(table.c.owner == viewer.user, shared) if viewer.sees_own else shared


def _known_stations(store: AccessStore, viewer: NoteViewer) -> list[str]:
    """Return the stations with shared notes that exist for who looks: others must not take the
    place of what is for them.
    """
    pairs = select(table.c.station, table.c.sensor).where(table.c.shared.is_(True)).distinct()
    with store.engine.connect() as connection:
        return sorted({row.station for row in connection.execute(pairs) if viewer.may_know_of(row.station, row.sensor)})


def _notes(store: AccessStore, query: Select[Any], most: int) -> Iterator[Note]:
    """Yield notes a page at a time until there are so many, or a few more; those that cannot be
    read are left out.
    """
    last: ColumnElement[bool] | None = None
    for _page in range(0, most, _PAGE):
        with store.engine.connect() as connection:
            rows = connection.execute((query if last is None else query.where(last)).limit(_PAGE)).all()
        yield from filter(None, map(_note, rows))
        if len(rows) < _PAGE:
            return
        at, note_id = rows[-1].start_ms, rows[-1].id
        last = or_(table.c.start_ms > at, and_(table.c.start_ms == at, table.c.id > note_id))


def _not_there(note_id: object) -> NotFound:
    return NotFound("There is no note {note_id}.", note_id=str(note_id)[:40])


def _audit_fields(made: Note) -> Mapping[str, Any]:
    """A note as the audit log tells it: of a private one not its text."""
    content = made.content
    subject = {"note": made.id, "owner": made.owner, "station": content.station, "sensor": content.sensor}
    subject |= {"from": iso_utc(content.start_ms), "to": iso_utc(content.end_ms)}
    return subject | {"kind": content.kind, "shared": content.shared} | ({"text": content.text} if content.shared else {})


def _note(row: Row[Any]) -> Note | None:
    """A row as a note; None of what another version wrote, which hides no other."""
    try:
        content = NoteContent(row.station, row.sensor, row.start_ms, row.end_ms, row.text, row.kind, row.shared)
    except InvalidRequest as exc:
        log.warning("a note cannot be read", note=row.id, reason=str(exc))
        return None
    return Note(row.id, row.owner, content, row.created_ms, row.changed_ms)
