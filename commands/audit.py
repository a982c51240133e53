"""``audit …``: who did what, as the administrator sees it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from access.audit.actions import ACTIONS, LEAST_AGE_DAYS
from commands.opening import opened_access
from commands.printing import AsJson, check_new, say, say_json, show, some
from data.time.epoch import DAY_MS, epoch_ms

ByActor = Annotated[str | None, typer.Option(help="Only what this user did.")]
OfAction = Annotated[str | None, typer.Option(help=f"Only this: {', '.join(ACTIONS)}.")]
Since = Annotated[str | None, typer.Option("--from", help="From this time on (ISO 8601, or wall clock of the site).")]
Until = Annotated[str | None, typer.Option("--to", help="Before this time.")]

audit = typer.Typer(no_args_is_help=True, help="Who loaded, exported, embedded, signed in, was refused, and what was granted.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(audit, name="audit")


@audit.command("list")
def list_entries(
    actor: ByActor = None,
    action: OfAction = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Entries of the log, newest first."""
    from access.audit.entries import entry_json, parse_audit_filter

    with opened_access() as (settings, access):
        found = access.audit.entries(parse_audit_filter(settings.timezone, actor, action, since, until), limit=limit)
    header = ("time", "actor", "via", "address", "action", "outcome", "subject")
    show([entry_json(entry) for entry in found], as_json, "There is no such entry.", header)


@audit.command()
def export(
    out: Annotated[Path, typer.Argument(metavar="FILE.csv|-", help="Where to write it; - is standard output.")],
    actor: ByActor = None,
    action: OfAction = None,
    since: Since = None,
    until: Until = None,
) -> None:
    """Write all entries as CSV, newest first."""
    from access.audit.csv import csv_pieces
    from access.audit.entries import parse_audit_filter

    if str(out) != "-":
        check_new(out)
    with opened_access() as (settings, access):
        wanted = parse_audit_filter(settings.timezone, actor, action, since, until)
        pieces = csv_pieces(access.audit.every(wanted))
        if str(out) == "-":
            for piece in pieces:
                sys.stdout.buffer.write(piece)
        else:
            with out.open("xb") as file:
                file.writelines(pieces)
        access.audit.record("export", {"of": "audit", "format": "csv"})


@audit.command()
def prune(
    days: Annotated[float, typer.Option(min=LEAST_AGE_DAYS, help="Forget entries that are older than this.")],
    as_json: AsJson = False,
) -> None:
    """Forget old entries for good. That it was done, and how many there were, is an entry too."""
    with opened_access() as (_, access):
        gone = access.audit.prune(epoch_ms() - int(days * DAY_MS))
    say(f"{some(gone, 'entry', 'entries')} forgotten.", err=True)
    if as_json:
        say_json({"forgotten": gone})
