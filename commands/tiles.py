"""``tiles``: what was kept of the history, whether it is whole, and how to forget it."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_tiles = typer.Typer(no_args_is_help=True, help="The tiles: columns of history on disk, read once from the database.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(_tiles, name="tiles")


@_tiles.command()
def status(as_json: AsJson = False) -> None:
    """List the series on disk: tiles, rows, bytes, months, last use; and how much of the budget they take."""
    from config import load_settings
    from data.months import iso_utc, month_name
    from data.tiles import TileStore

    settings = load_settings()
    found = [
        {
            "source": one.key.source,
            "station": one.key.station,
            "sensor": one.key.sensor,
            "tiles": one.tiles,
            "rows": one.rows,
            "flagged": one.flagged,
            "bytes": one.bytes,
            "first_month": month_name(one.first_month),
            "last_month": month_name(one.last_month),
            "used": iso_utc(one.used_ms // 1000 * 1000) if one.used_ms else None,
        }
        for one in TileStore(settings.tiles_path).status()
    ]
    total, budget = sum(one["bytes"] for one in found), settings.tile_budget_bytes  # type: ignore[misc]
    if as_json:
        typer.echo(json.dumps({"bytes": total, "budget_bytes": budget, "series": found}, ensure_ascii=False))
        return
    if found:
        _print(found)
    typer.echo(f"{total / 1e9:.3f} of {budget / 1e9:g} GB in {settings.tiles_path}", err=True)


@_tiles.command()
def verify(as_json: AsJson = False) -> None:
    """Read every byte and check it. Damaged tiles are dropped, and read again when needed; exit 1 when there were any."""
    from config import load_settings
    from data.months import month_name
    from data.tiles import TileStore

    checked, damages = TileStore(load_settings().tiles_path).verify()
    found = [{**one.key._asdict(), "month": month_name(one.month), "reason": one.reason} for one in damages]
    if as_json:
        typer.echo(json.dumps({"checked": checked, "damaged": found}, ensure_ascii=False))
    else:
        for one in found:
            typer.echo(f"{one['station']} {one['sensor']} {one['month']}: {one['reason']}")
        typer.echo(f"{checked} tiles checked, {len(found)} damaged and dropped", err=True)
    if found:
        raise typer.Exit(1)


@_tiles.command()
def clear(
    station: Annotated[str | None, typer.Option(help="Only this station's.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove the tiles, and with all of them the Excel files made of them. Nothing is lost: they are read again when needed."""
    from config import load_settings
    from data.site import open_shelf
    from data.tiles import TileStore

    settings = load_settings()
    store = TileStore(settings.tiles_path)
    if not yes and not as_json:
        typer.confirm(f"Remove the tiles of {station or 'all stations'} in {store.root}?", abort=True, err=True)
    removed = store.clear(station) + (0 if station else open_shelf(settings).clear())
    typer.echo(json.dumps({"bytes": removed}) if as_json else f"{removed / 1e9:.3f} GB removed")


def _print(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*(name.replace("_", " ") for name in rows[0]))
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    console = Console()
    (console if console.is_terminal else Console(width=240)).print(table)
