"""``source``: a table that the site has already: guess a mapping, try it, look at what is new."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.printing import output
from errors import ConfigurationError

if TYPE_CHECKING:
    from data.source.mapped import MappedSource
    from data.source.trial import Trial

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="A table that the site has already (RIWAYAT_SOURCE).")
    group.command("inspect")(inspect)
    group.command()(check)
    group.command()(look)
    app.add_typer(group, name="source")


def inspect(
    url: Annotated[str, typer.Argument(help="SQLAlchemy URL of the database.")],
    table: Annotated[str | None, typer.Option(help="Table or view; default: what looks most like observations.")] = None,
    schema: Annotated[str | None, typer.Option(help="Schema of PostgreSQL; default: the user's own.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the mapping to a new file instead of standard output.")] = None,
) -> None:
    """Look at a database and write a mapping with comments, for a person to correct."""
    from config import load_settings
    from data.catalogue import load_catalogue
    from data.engine import make_engine
    from data.source.failures import classified
    from data.source.inspecting import guesses, mapping_text, sample_of

    settings = load_settings()
    catalogue, engine = load_catalogue(settings.sensors), make_engine(url, statement_timeout_s=settings.job_timeout)
    with classified(engine.url), engine.connect() as connection:
        found = guesses(connection, catalogue, schema)
        chosen = next((each for each in found if table in (None, each.table)), None)
        if chosen is None:
            known = ", ".join(each.table for each in found) or "none"
            raise ConfigurationError("No such table looks like observations; those that do: {known}.", known=known)
        sample = sample_of(connection, chosen)
    others = [each.table for each in found if each is not chosen]
    text = mapping_text(chosen, catalogue, settings.timezone, sample, others)
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as exc:
        raise ConfigurationError("{file} cannot be written: {why}.", file=out, why=exc.strerror or exc) from exc
    typer.echo(f"Wrote {out}.", err=True)


def check(as_json: AsJson = False) -> None:
    """Try the mapping of RIWAYAT_SOURCE: what it finds, what it lacks, how fast it reads; then look at the table."""
    from commands.setup import bring_up_to_date
    from config import load_settings
    from data.freshness import look as look_at
    from data.site import open_site
    from data.source.trial import try_mapping

    settings = load_settings()
    site = open_site(settings)
    trial = try_mapping(_mapped(site.source), site.catalogue)
    bring_up_to_date(settings, look=False)
    look_at(site)
    if as_json:
        typer.echo(json.dumps(asdict(trial), ensure_ascii=False))
    else:
        _print(trial)


def look(as_json: AsJson = False) -> None:
    """Note what is new in the table since the last look, as a job does before it reads; for a timer."""
    from config import load_settings
    from data.engine import explained
    from data.freshness import look as look_at
    from data.site import open_site

    site = open_site(load_settings())
    _mapped(site.source)
    with explained(site.engine):
        found = look_at(site)
    if as_json:
        typer.echo(json.dumps(asdict(found)))
    else:
        typer.echo(f"{found.stations} new stations, {found.months} new or changed months.")


def _mapped(source: object) -> MappedSource:
    from data.source.mapped import MappedSource

    if not isinstance(source, MappedSource):
        raise ConfigurationError("RIWAYAT_SOURCE names no mapping to try; manage.py source inspect URL writes one.")
    return source


def _print(trial: Trial) -> None:
    from rich.table import Table

    console = output(soft_wrap=True)
    console.print(f"table      {trial.table} ({trial.source})")
    console.print(f"time       {trial.time}, {trial.time_type}")
    console.print(f"interval   {trial.step_seconds:g} s" if trial.step_seconds else "interval   unknown")
    console.print(f"freshness  {trial.freshness}")
    path = "fast path" if trial.fast_path else "row by row"
    console.print(
        f"reading    {trial.month_rows:,} rows in {trial.seconds:g} s, {trial.rows_per_second:,} rows a second ({path})"
    )
    stations = Table("station", "first", "last", box=None)
    for station in trial.stations:
        stations.add_row(*station)
    sensors = Table("sensor", "from", "type", "values", "nulls", "bad", "flagged", "least", "greatest", box=None)
    for each in trial.sensors:
        sensors.add_row(*(_cell(value) for value in asdict(each).values()))
    sample = Table("time in the table", "UTC", box=None)
    for row in trial.sample:
        sample.add_row(*row)
    for shown in (stations, sensors, sample):
        console.print()
        console.print(shown)
    for warning in trial.warnings:
        console.print(f"\n! {warning}")


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:g}" if isinstance(value, float) else str(value)
