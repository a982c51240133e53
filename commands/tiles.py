"""``tiles``: what was kept of the history, whether it is whole, and how to forget it."""

from __future__ import annotations

from typing import Annotated

import typer

from commands.printing import AsJson, say, say_json, show, shown_time, some
from config import load_settings
from data.time.months import month_name

_tiles = typer.Typer(no_args_is_help=True, help="The tiles: columns of history on disk, read once from the database.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(_tiles, name="tiles")


@_tiles.command()
def status(as_json: AsJson = False) -> None:
    """List the series on disk (tiles, rows, bytes, months,
    last use) and their share of the budget.
    """
    from data.site import open_object_store, open_tiles

    settings = load_settings()
    series = open_tiles(settings, open_object_store(settings)).status()
    found = [
        {
            **one.key._asdict(),
            "tiles": one.tiles,
            "rows": one.rows,
            "flagged": one.flagged,
            "bytes": one.bytes,
            "first_month": month_name(one.first_month),
            "last_month": month_name(one.last_month),
            "used": shown_time(one.used_ms or None),
        }
        for one in series
    ]
    total, budget = sum(one.bytes for one in series), settings.tile_budget_bytes
    if as_json:
        say_json({"bytes": total, "budget_bytes": budget, "series": found})
        return
    show(found, as_json=False, nothing="There are no tiles.")
    where = settings.object_store_url or f"{budget / 1e9:g} GB in {settings.tiles_path}"
    say(f"{total / 1e9:.3f} {'GB in' if settings.object_store_url else 'of'} {where}", err=True)


@_tiles.command()
def verify(as_json: AsJson = False) -> None:
    """Read every byte and check it. Damaged tiles are dropped, and read again when needed;
    exit 1 when there were any.
    """
    from data.site import open_object_store, open_tiles

    settings = load_settings()
    checked, damages = open_tiles(settings, open_object_store(settings)).verify()
    found = [{**one.key._asdict(), "month": month_name(one.month), "reason": one.reason} for one in damages]
    if as_json:
        say_json({"checked": checked, "damaged": found})
    else:
        for one in found:
            say(f"{one['station']} {one['sensor']} {one['month']}: {one['reason']}")
        say(f"{some(checked, 'tile')} checked, {len(found)} damaged and dropped", err=True)
    if found:
        raise typer.Exit(1)


@_tiles.command()
def clear(
    station: Annotated[str | None, typer.Option(help="Only this station's.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove the tiles, and with all of them the Excel and NetCDF files made of them.
    Nothing is lost: they are read again when needed.
    """
    from data.site import open_object_store, open_shelf, open_tiles

    settings = load_settings()
    objects = open_object_store(settings)
    store = open_tiles(settings, objects)
    if not yes and not as_json:
        typer.confirm(
            f"Remove the tiles of {station or 'all stations'} in {objects.url if objects else store.root}?", abort=True, err=True
        )
    removed = store.clear(station) + (0 if station else open_shelf(settings, objects).clear())
    if as_json:
        say_json({"bytes": removed})
    else:
        say(f"{removed / 1e9:.3f} GB removed")
