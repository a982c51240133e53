"""``audit …``: who did what, as whoever runs the site sees it."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from access.actions import ACTIONS, LEAST_AGE_DAYS
from commands.access_output import AsJson, opened
from commands.printing import print_table

_DAY_MS = 86_400_000

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
    from access.audit import entry_json, wanted_entries

    with opened() as (settings, access):
        found = access.audit.entries(wanted_entries(settings.timezone, actor, action, since, until), limit=limit)
    if as_json:
        typer.echo(json.dumps([entry_json(entry) for entry in found], ensure_ascii=False, indent=2))
        return
    header = ["time", "actor", "via", "address", "action", "outcome", "subject"]
    print_table(header, [[_text(shown[name]) for name in header] for shown in map(entry_json, found)])


@audit.command()
def export(
    out: Annotated[Path, typer.Argument(metavar="FILE.csv|-", help="Where to write it; - is standard output.")],
    actor: ByActor = None,
    action: OfAction = None,
    since: Since = None,
    until: Until = None,
) -> None:
    """Write all entries as CSV, newest first."""
    from access.audit import wanted_entries
    from access.audit_csv import csv_pieces

    with opened() as (settings, access):
        wanted = wanted_entries(settings.timezone, actor, action, since, until)
        pieces = csv_pieces(access.audit.every(wanted))
        if str(out) == "-":
            for piece in pieces:
                sys.stdout.buffer.write(piece)
        else:
            with out.open("wb") as file:
                file.writelines(pieces)
        access.audit.record("export", {"of": "audit", "format": "csv"})


@audit.command()
def prune(
    days: Annotated[float, typer.Option(min=LEAST_AGE_DAYS, help="Forget entries that are older than this.")],
    as_json: AsJson = False,
) -> None:
    """Forget old entries for good. That it was done, and how many there were, is an entry too."""
    with opened() as (_, access):
        gone = access.audit.prune(_now_ms() - int(days * _DAY_MS))
    typer.echo(f"{gone} entries are forgotten.", err=True)
    if as_json:
        typer.echo(json.dumps({"forgotten": gone}))


def _text(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    return " ".join(f"{name}={','.join(each) if isinstance(each, list) else each}" for name, each in value.items())


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
