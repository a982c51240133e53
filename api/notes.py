"""Notes over HTTP: list, write, change, remove."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask import Response, jsonify

from access.identity import Identity
from access.notes.note import Note, NoteContent
from access.notes.note_table import add_note, change_note, found_notes, remove_note, visible_note
from access.notes.note_viewer import NoteViewer
from access.notes.visible_history import visible_history
from access.restricted_site import own_zone
from api.jobs import ApiServices
from api.note_inputs import NewNote, NoteChange, NotesQuery
from api.note_outputs import NoteAnswer, NoteList
from api.operations import Answer, Api
from data.request import parse_time
from data.station_history import HistoryEntry
from data.station_listing import listed_history
from data.time.epoch import ALL_TIME
from data.time.months import iso_utc

_NOTE: Final = Answer("The note.", NoteAnswer)


def add_note_routes(api: Api, services: ApiServices) -> None:
    """``/api/notes``."""

    @api.get("/api/notes", {200: Answer("The list.", NoteList)}, 400, 404, scope="read", query=NotesQuery)
    def list_notes(query: NotesQuery) -> Response:
        """One's own notes, and those that others share of what one may see; at most a thousand.

        `more` says that later ones may be left out: ask for a time or a station.
        `history` is what the sensor catalogue says of the stations' past there.
        """
        identity = services.identify()
        stations, sensors, span = _asked(services, identity, query)
        found = found_notes(services.access, identity, stations, sensors, span)
        return jsonify(
            notes=[note_json(identity, one) for one in found.notes],
            more=found.more,
            history=[listed_history(one) for one in _history(services, identity, stations, sensors, span)],
        )

    @api.post("/api/notes", {201: _NOTE}, 400, 404, 409, scope="load", body=NewNote)
    def create_note(body: NewNote) -> Response:
        """Write a note on a time or a span of a station, or of one of its sensors.

        It gives no right to what it is about. The same is written once (409).
        """
        identity = services.identify()
        zone = body.timezone or _zone(services, identity, body.station)
        start_ms = parse_time(body.start, zone, field="from")
        end_ms = start_ms if body.end is None else parse_time(body.end, zone, field="to")
        content = NoteContent(body.station, body.sensor, start_ms, end_ms, body.text, body.kind, body.shared)
        answer = jsonify(note_json(identity, add_note(services.access, services.site, identity, content)))
        answer.status_code = 201
        return answer

    @api.patch("/api/notes/<note_id>", {200: _NOTE}, 400, 404, scope="load", body=NoteChange)
    def change_own_note(note_id: str, body: NoteChange) -> Response:
        """Change what is given of a note of one's own."""
        identity = services.identify()
        fields = _changed(services, identity, visible_note(services.access, identity, note_id), body)
        return jsonify(note_json(identity, change_note(services.access, services.site, identity, note_id, **fields)))

    @api.delete("/api/notes/<note_id>", {204: Answer("It is gone.")}, 404, scope="load")
    def delete_note(note_id: str) -> Response:
        """Remove a note of one's own; an administrator may remove any that is shared."""
        remove_note(services.access, services.identify(), note_id)
        return Response(status=204)


def note_json(identity: Identity, found: Note) -> dict[str, Any]:
    """Return a note as :class:`api.note_outputs.NoteAnswer` describes it."""
    content, own = found.content, found.owner == identity.user
    return {
        "id": found.id,
        "owner": found.owner,
        "own": own,
        "removable": own or identity.admin,
        **{name: getattr(content, name) for name in ("station", "sensor", "kind", "text", "shared")},
        "from": iso_utc(content.start_ms),
        "to": None if content.is_moment else iso_utc(content.end_ms),
        "created": iso_utc(found.created_ms),
        "changed": iso_utc(found.changed_ms),
    }


_Asked = tuple[list[str] | None, list[str] | None, tuple[int, int]]


def _asked(services: ApiServices, identity: Identity, query: NotesQuery) -> _Asked:
    """Return stations, sensors and time that are asked for.

    Raises:
        JobNotFound, NotPermitted: as :meth:`jobs.services.Services.job`.
        InvalidRequest: a time is none.
    """
    stations, sensors = ([name] if name else None for name in (query.station, query.sensor))
    span = ALL_TIME
    if query.job is not None:
        of = services.job(query.job).request
        stations, sensors, span = stations or list(of.stations), sensors or list(of.sensors), (of.start_ms, of.end_ms)
    zone = query.timezone or _zone(services, identity, *(stations or ())[:1])
    times = ((query.start, "from", span[0]), (query.end, "to", span[1]))
    start, end = (usual if text is None else parse_time(text, zone, field=name) for text, name, usual in times)
    return stations, sensors, (max(start, span[0]), min(end, span[1]))


def _history(
    services: ApiServices, identity: Identity, stations: list[str] | None, sensors: list[str] | None, span: tuple[int, int]
) -> list[HistoryEntry]:
    catalogue = services.site.catalogue
    known = catalogue.stations if stations is None else stations
    viewer = NoteViewer(services.access, identity)
    return visible_history(catalogue, viewer, known, sensors, span, services.settings.timezone)


def _changed(services: ApiServices, identity: Identity, found: Note, body: NoteChange) -> Mapping[str, Any]:
    """Return the fields that are given, as a note has them; a moment that is moved stays one."""
    given = body.model_fields_set
    fields: dict[str, Any] = {name: getattr(body, name) for name in ("station", "kind", "text", "shared")}
    fields = {name: value for name, value in fields.items() if value is not None}
    if "sensor" in given:
        fields["sensor"] = body.sensor
    zone = body.timezone or _zone(services, identity, body.station or found.content.station)
    if body.start is not None:
        fields["start_ms"] = parse_time(body.start, zone, field="from")
    if body.end is not None:
        fields["end_ms"] = parse_time(body.end, zone, field="to")
    elif "end" in given or (found.content.is_moment and "start_ms" in fields):
        fields["end_ms"] = fields.get("start_ms", found.content.start_ms)
    return fields


def _zone(services: ApiServices, identity: Identity, *stations: str) -> str:
    return own_zone(services.site.catalogue, identity.rights, stations, services.settings.timezone)
