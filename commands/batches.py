"""``import list``, ``undo``, ``forget`` and ``delete``: what was stored, and undoing it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.opening import own_table
from commands.printing import AsJson, progress_bar, say, say_json, show, some
from data.request import parse_time
from data.time.months import iso_utc, iso_utc_or_none
from errors import ConfigurationError, InvalidRequest

if TYPE_CHECKING:
    from access.audit.actions import Action
    from config import Settings
    from data.batches.batch_records import Batch
    from data.batches.deleting import DeletionExtent

BatchId = Annotated[int, typer.Argument(metavar="ID", help="The number that import list shows.")]


def register(app: typer.Typer) -> None:
    """Add the command that stands beside ``import``; the others are in commands/imports.py."""
    app.command()(delete)


def list_batches(limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50, as_json: AsJson = False) -> None:
    """List imports and deletions, newest first."""
    from data.batches.batch_records import list_batches as batches

    with own_table() as (_, _catalogue, engine):
        rows = [batch_json(each) for each in batches(engine, limit)]
    header = ("batch", "kind", "state", "begun", "stored", "replaced", "removed", "of")
    shown = [row | {"of": _batch_words(row)} for row in rows]
    show(rows if as_json else shown, as_json, "Nothing was imported yet.", header)


def undo(number: BatchId, as_json: AsJson = False) -> None:
    """Take an import or a deletion back: its rows become what they were before it.
    Interrupted, it goes on when given again.
    """
    from data.batches.undo import undo as take_back

    with own_table() as (settings, _, engine):
        with progress_bar("undoing") as report:
            done = take_back(engine, number, report)
        told = {"batch": done.batch, "removed": done.removed, "restored": done.restored}
        audit(settings, "import_undone", told)
    say(f"Batch {done.batch} is undone: {some(done.removed, 'row')} removed, {done.restored} as before.", err=as_json)
    if as_json:
        say_json(told)


def forget(number: BatchId, as_json: AsJson = False) -> None:
    """Keep a batch and all before it for good, and free what is kept to undo them."""
    from data.batches.batch_records import forget as keep

    with own_table() as (_, _catalogue, engine):
        count = keep(engine, number)
    say(f"{some(count, 'batch', 'batches')} can no longer be undone.", err=True)
    if as_json:
        say_json({"forgotten": count})


def delete(
    station: Annotated[str, typer.Option(help="The station.")],
    start: Annotated[str, typer.Option("--from", help="First time: 2019-03-31, or 2019-03-31 14:30, or with an offset.")],
    end: Annotated[str, typer.Option("--to", help="End; it is no longer part of the range.")],
    sensor: Annotated[str | None, typer.Option(help="Only this sensor; default: whole rows.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Zone of bare times; default: the site's.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete imported observations; asks first, and manage.py import undo brings them back."""
    from data.batches.deleting import Deleter, Deletion

    with own_table() as (settings, catalogue, engine):
        _refuse_mapped(settings)
        span = _range(start, end, timezone or settings.timezone)
        deleter = Deleter(engine, catalogue.measured, Deletion(station, sensor, *span))
        found = deleter.count()
        told = _deletion_words(station, sensor, found)
        say(told, err=True)
        batch, rows = None, 0
        if found.rows:
            if not yes:
                _ask()
            with progress_bar("deleting") as report:
                batch, rows = deleter.run(lambda done: report(done / found.rows))
            what = {"batch": batch, "stations": [station], "sensors": [sensor] if sensor else []}
            audit(settings, "deleted", what | {"from": iso_utc(span[0]), "to": iso_utc(span[1])})
    if batch is not None:
        say(f"{some(rows, 'row')} deleted, as batch {batch}; manage.py import undo {batch} undoes it.", err=as_json)
    if as_json:
        say_json({"batch": batch, "rows": rows} | _span_of(found))


def audit(settings: Settings, action: Action, subject: Mapping[str, Any]) -> None:
    """Write down what was done, in the database of jobs; it is made where there is none yet."""
    from access.audit.log import record
    from access.store import migrate_access
    from data.database.engine import make_engine
    from jobs.ledger.ledger import migrate_jobs

    engine = make_engine(settings.jobs_url)
    try:
        migrate_jobs(engine)  # whoever finds the file finds it whole
        migrate_access(engine)
        record(engine, action, subject)
    finally:
        engine.dispose()


def batch_json(found: Batch) -> dict[str, Any]:
    """A batch as ``--json`` gives it."""
    return {
        "batch": found.id,
        "kind": found.kind,
        "state": found.state,
        "begun": iso_utc(found.begun_ms),
        "ended": iso_utc_or_none(found.ended_ms),
        "stored": found.stored,
        "replaced": found.replaced,
        "removed": found.removed,
        **found.what,
    }


def _batch_words(row: Mapping[str, Any]) -> str:
    """What a batch was made of, in a few words."""
    if row["kind"] == "delete":
        return f"{row['station']} {row['sensor'] or 'all sensors'} {row['from']}..{row['to']}"
    return ", ".join(row.get("files", ())) or f"{some(int(row.get('stations', 0)), 'station')}"


def _refuse_mapped(settings: Settings) -> None:
    if settings.source is not None:
        raise ConfigurationError(
            "This site shows the table of {source}, which Riwayat only reads; only what was imported can be deleted.",
            source=settings.source,
        )


def _range(start: str, end: str, timezone: str) -> tuple[int, int]:
    """[from, to) in int ms UTC; what is wrong with the words is bad usage."""
    try:
        found = parse_time(start, timezone, field="start"), parse_time(end, timezone, field="end")
    except InvalidRequest as exc:
        raise typer.BadParameter(exc.message) from exc
    if found[0] >= found[1]:
        raise typer.BadParameter("The start must be before the end.")
    return found


def _deletion_words(station: str, sensor: str | None, found: DeletionExtent) -> str:
    what = f"{sensor} of {station}" if sensor else station
    if found.first_ms is None or found.last_ms is None:
        return f"There are no rows of {what} in that range; nothing is deleted."
    span = _span_of(found)
    return f"{some(found.rows, 'row')} of {what} from {span['first']} to {span['last']} will be deleted."


def _span_of(found: DeletionExtent) -> dict[str, str | None]:
    return {"first": iso_utc_or_none(found.first_ms), "last": iso_utc_or_none(found.last_ms)}


def _ask() -> None:
    """Ask on standard error; anything but yes, and nobody to answer, ends the command."""
    say("Delete them? [y/N] ", nl=False, err=True)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        say("Nothing is deleted; --yes answers beforehand.", err=True)
        raise typer.Exit(1)
