"""``rejected …``: what loggers wrote or published and could not be taken."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from commands.opening import opened_access, quiet_settings
from commands.printing import AsJson, say, show, some
from data.time.months import iso_utc

_SHOWN = 200  # characters of an item in the list

_rejected = typer.Typer(no_args_is_help=True, help="What loggers wrote or published and could not be taken.")
Items = Annotated[list[str], typer.Argument(metavar="ID…", help="Ids that list shows.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(_rejected, name="rejected")


@_rejected.command("list")
def list_rejected(limit: Annotated[int, typer.Option(help="At most so many.")] = 50, as_json: AsJson = False) -> None:
    """Show the items that came last, with why they were rejected."""
    from data.inbox.rejected_items import RejectedItems

    rows = [
        {
            "id": item.id,
            "since": iso_utc(int(item.since_s * 1000)),
            "source": item.source,
            "why": item.why,
            "lines": item.lines.decode(errors="replace")[:_SHOWN],
        }
        for item in RejectedItems(quiet_settings().inbox_path).newest(limit)
    ]
    show(rows, as_json, "Nothing was rejected.")


@_rejected.command("replay")
def replay_items(
    items: Items,
    lines: Annotated[Path | None, typer.Option("--lines", help="A file with mended lines in place of the item's.")] = None,
) -> None:
    """Read items again, by the profile, mapping and catalogue of now."""
    from data.catalogue import load_catalogue
    from jobs.replaying import replay

    if lines is not None and len(items) != 1:
        raise typer.BadParameter("mended lines are of one item", param_hint="--lines")
    mended = None if lines is None else lines.read_text(encoding="utf-8")
    with opened_access() as (settings, store):
        catalogue = load_catalogue(settings.sensors)
        for item in items:
            done = replay(settings, catalogue, item, mended)
            told = {"item": item, "source": done.source, "observations": done.observations, "left": done.left}
            store.audit.record("rejected_replayed", told)
            left = f", {some(done.left, 'item')} left" if done.left else ""
            say(f"{item}: {some(done.observations, 'observation')}{left}", err=True)


@_rejected.command("remove")
def remove_items(items: Items) -> None:
    """Remove items for good."""
    from data.inbox.rejected_items import RejectedItems
    from jobs.replaying import find_rejected

    with opened_access() as (settings, store):
        for item in items:
            source = find_rejected(settings, item).source
            RejectedItems(settings.inbox_path).remove(item)
            store.audit.record("rejected_removed", {"item": item, "source": source})
            say(f"Removed {item}.", err=True)
