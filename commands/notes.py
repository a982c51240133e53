"""``notes …``: notes on times of stations and sensors, and logbooks that become notes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from access.names import LOCAL_USER
from commands.opening import opened_access
from commands.printing import AsJson, say, say_json, show
from config import Settings
from errors import os_error_sentence

if TYPE_CHECKING:
    from access.identity import Identity
    from access.notes.note import Note
    from access.store import AccessStore
    from data.site import Site

_notes = typer.Typer(no_args_is_help=True, help="Notes on times of stations and sensors; logbooks that become notes.")
_Owner = Annotated[str, typer.Option("--as", help="The user who asks; default: that of a site without sign-in.")]
_Station = Annotated[str | None, typer.Option(help="Only of this station.")]
_Sensor = Annotated[str | None, typer.Option(help="Only of this sensor, and of stations as a whole.")]
_From = Annotated[str | None, typer.Option("--from", help="Only what touches the time from here on.")]
_To = Annotated[str | None, typer.Option("--to", help="Only what begins before.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(_notes, name="notes")


@contextmanager
def _opened(owner: str) -> Iterator[tuple[Settings, AccessStore, Site, Identity]]:
    from access.identity import owner_identity
    from data.site import open_site

    with opened_access() as (settings, store):
        site = open_site(settings, definitions=store.definitions, decisions=store.decisions, limits=store.limits)
        yield settings, store, site, owner_identity(settings, store, owner)


@_notes.command("list")
def list_notes(
    station: _Station = None,
    sensor: _Sensor = None,
    start: _From = None,
    end: _To = None,
    owner: _Owner = LOCAL_USER,
    as_json: AsJson = False,
) -> None:
    """The user's notes and those that others share, by time."""
    with _opened(owner) as (settings, store, site, identity):
        found = [_json(one) for one in _asked(settings, store, site, identity, station, sensor, start, end)]
    show(found, as_json, "There is no note.", ("id", "from", "to", "station", "sensor", "kind", "text", "owner"))


@_notes.command()
def add(
    text: Annotated[str, typer.Argument(help="What is to be known, at most 1,000 characters.")],
    station: Annotated[str, typer.Option(help="The station.")],
    start: Annotated[str, typer.Option("--from", help="ISO 8601; without an offset on the station's clock.")],
    end: Annotated[str | None, typer.Option("--to", help="The end of a span; without it the note is about a moment.")] = None,
    sensor: Annotated[str | None, typer.Option(help="Of the station; without it the note is about all of it.")] = None,
    kind: Annotated[str, typer.Option(help="event, maintenance or calibration.")] = "event",
    shared: Annotated[bool, typer.Option("--shared", help="There for all who may see the sensor then.")] = False,
    owner: _Owner = LOCAL_USER,
    as_json: AsJson = False,
) -> None:
    """Write a note, and print its id."""
    from access.notes.note import NoteContent
    from access.notes.note_table import add_note
    from data.request import parse_time

    with _opened(owner) as (settings, store, site, identity):
        zone = site.catalogue.zone_of([station], settings.timezone)
        start_ms = parse_time(start, zone, field="from")
        end_ms = start_ms if end is None else parse_time(end, zone, field="to")
        content = NoteContent(station, sensor, start_ms, end_ms, text, kind, shared)  # type: ignore[arg-type]  # checked there
        made = add_note(store, site, identity, content)
    if as_json:
        say_json(_json(made))
    else:
        say(made.id)


@_notes.command()
def remove(note_id: Annotated[str, typer.Argument(metavar="ID", help="As list shows it.")], owner: _Owner = LOCAL_USER) -> None:
    """Remove a note of the user's; an administrator may remove any that is shared."""
    from access.notes.note_table import remove_note

    with _opened(owner) as (_settings, store, _site, identity):
        remove_note(store, identity, note_id)
    say(f"The note {note_id} is gone.", err=True)


@_notes.command("import")
def import_log(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A logbook: CSV with a header; .gz, .bz2, .xz too.")],
    profile: Annotated[
        str, typer.Option(help="How it is read: a TOML file, or a bundled one: riwayat, fcr_maintenance.")
    ] = "riwayat",
    timezone: Annotated[
        str | None, typer.Option(help="Zone of times without an offset, or station: its own. Default: the profile's.")
    ] = None,
    station: Annotated[str | None, typer.Option(help="Station of all rows, whatever the file says.")] = None,
    shared: Annotated[bool, typer.Option("--shared", help="Share rows that do not say whether they are.")] = False,
    owner: _Owner = LOCAL_USER,
    as_json: AsJson = False,
) -> None:
    """Make notes of a logbook, all or none; what is there already is left as it is."""
    from access.notes.note_files import import_notes
    from data.ingest.log_profile import LogProfile, load_log_profile
    from data.ingest.logbook import read_log

    found = load_log_profile(profile)
    wishes: dict[str, Any] = {"timezone": timezone} if timezone is not None else {}
    wishes |= {"station": None, "station_name": station} if station is not None else {}
    how = LogProfile.model_validate(found.model_dump(by_alias=True) | wishes)
    with _opened(owner) as (settings, store, site, identity):
        catalogue = site.catalogue
        rows = read_log(file, how, catalogue.sensors, lambda name: catalogue.zone_of([name], settings.timezone))
        done = import_notes(store, site, identity, file, rows, shared=shared)
    if as_json:
        say_json({"file": str(file), **asdict(done)})
    say(f"{file}: {done.read} rows read, {done.added} notes added; the others are there already.", err=True)


@_notes.command()
def export(
    out: Annotated[Path | None, typer.Option(help="A new file; without it on standard output.")] = None,
    station: _Station = None,
    sensor: _Sensor = None,
    start: _From = None,
    end: _To = None,
    owner: _Owner = LOCAL_USER,
) -> None:
    """Write the notes that the user sees as CSV, which import takes."""
    from access.notes.note_files import export_notes

    with _opened(owner) as (settings, store, site, identity):
        text = export_notes(_asked(settings, store, site, identity, station, sensor, start, end, every=True))
    if out is None:
        say(text.rstrip("\n"))
        return
    try:
        with out.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as exc:
        raise typer.BadParameter(os_error_sentence(exc), param_hint="--out") from exc


def _asked(
    settings: Settings,
    store: AccessStore,
    site: Site,
    identity: Identity,
    station: str | None,
    sensor: str | None,
    start: str | None,
    end: str | None,
    *,
    every: bool = False,
) -> list[Note]:
    from access.notes.note_table import MOST_LISTED, MOST_READ, visible_notes
    from data.request import parse_time
    from data.time.epoch import EARLIEST_MS, LATEST_MS

    zone = settings.timezone if station is None else site.catalogue.zone_of([station], settings.timezone)
    first = EARLIEST_MS if start is None else parse_time(start, zone, field="from")
    last = LATEST_MS if end is None else parse_time(end, zone, field="to")
    names = [station] if station is not None else None, [sensor] if sensor is not None else None
    return visible_notes(store, identity, *names, (first, last), limit=MOST_READ if every else MOST_LISTED)


def _json(one: Note) -> dict[str, Any]:
    from data.time.months import iso_utc

    content = one.content
    return {
        "id": one.id,
        "from": iso_utc(content.start_ms),
        "to": None if content.is_moment else iso_utc(content.end_ms),
        **{name: getattr(content, name) for name in ("station", "sensor", "kind", "text", "shared")},
        "owner": one.owner,
        "created": iso_utc(one.created_ms),
        "changed": iso_utc(one.changed_ms),
    }
