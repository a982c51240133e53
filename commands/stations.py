"""``stations`` and ``sensors``: what there is."""

from __future__ import annotations

import json
from typing import Annotated

import typer

_PIPE_WIDTH = 240  # characters; a line a row, for grep

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(stations)
    app.command()(sensors)


def stations(as_json: AsJson = False) -> None:
    """List the stations: their sensors, first and last observation, usual step, rows."""
    from config import load_settings
    from data.engine import explained
    from data.months import iso_utc
    from data.site import open_site

    site = open_site(load_settings())
    with explained(site.engine):
        found = site.inventory.stations()
    rows: list[dict[str, object]] = [
        {
            "station": station.name,
            "sensors": list(station.sensors),
            "first": iso_utc(station.first_ms) if station.first_ms is not None else None,
            "last": iso_utc(station.last_ms) if station.last_ms is not None else None,
            "rows": station.rows,
            "step_seconds": station.step_ms / 1000 if station.step_ms is not None else None,
            "synthetic": station.synthetic,
        }
        for station in found
    ]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
    elif not rows:
        typer.echo("There is no station yet; manage.py import brings in files, manage.py demo makes a synthetic one.", err=True)
    else:
        _print(rows)


def sensors(as_json: AsJson = False) -> None:
    """List the sensors of the catalogue: unit, valid range, how each is aggregated and drawn."""
    from config import load_settings
    from data.catalogue import load_catalogue

    rows: list[dict[str, object]] = [
        {
            "sensor": sensor.name,
            "label": sensor.label("en"),
            "unit": sensor.unit,
            "valid_min": sensor.valid_min,
            "valid_max": sensor.valid_max,
            "aggregation": sensor.aggregation,
            "drawing": sensor.drawing,
            "stamp": sensor.stamp,
        }
        for sensor in load_catalogue(load_settings().sensors)
    ]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
    else:
        _print(rows)


def _print(rows: list[dict[str, object]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in rows[0]:
        numeric = all(isinstance(row[name], int | float) and not isinstance(row[name], bool) for row in rows)
        wraps = name in {"sensors", "label"}
        table.add_column(name.replace("_", " "), justify="right" if numeric else "left", overflow="fold", no_wrap=not wraps)
    for row in rows:
        table.add_row(*(_text(value) for value in row.values()))
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = _PIPE_WIDTH
    console.print(table)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, float):
        return f"{value:g}"
    return ", ".join(value) if isinstance(value, list) else "-" if value is None else str(value)
