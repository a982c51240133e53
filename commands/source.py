"""``source``: a table that the site has already: guess a mapping, try it, look at what is new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.printing import AsJson, output, say, say_json, table_of, write_new
from config import load_settings
from errors import ConfigurationError

if TYPE_CHECKING:
    from data.catalogue import Catalogue
    from data.source.mapped.mapping_report import MappingReport
    from data.source.mapped.source import MappedSource


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
    from data.catalogue import load_catalogue
    from data.database.engine import make_engine
    from data.source.connection.failures import classified
    from data.source.mapped.programs import mapping_of, programs_in
    from data.source.mapped.propose import mapping_text, propose_mappings, sample_of

    settings = load_settings()
    catalogue, engine = load_catalogue(settings.sensors).measured, make_engine(url, statement_timeout_s=settings.job_timeout)
    with classified(engine.url), engine.connect() as connection:
        programs = programs_in(connection, schema) if table is None else []
        if programs:
            _give(mapping_of(connection, programs[0], programs[1:], schema), out)
            return
        found = propose_mappings(connection, catalogue, schema)
        chosen = next((each for each in found if table in (None, each.table)), None)
        if chosen is None:
            known = ", ".join(each.table for each in found) or "none"
            raise ConfigurationError("No such table looks like observations. Tables that do: {known}.", known=known)
        sample = sample_of(connection, chosen)
    others = [each.table for each in found if each is not chosen]
    _give(mapping_text(chosen, catalogue, settings.timezone, sample, others), out)


def _give(text: str, out: Path | None) -> None:
    """Print a mapping, or write it to a new file."""
    if out is None:
        say(text, nl=False)
        return
    write_new(out, text)


def check(as_json: AsJson = False) -> None:
    """Try the mapping of RIWAYAT_SOURCE: what it finds, what it lacks, how fast it reads;
    then look at the table.
    """
    from commands.setup import bring_up_to_date
    from data.site import open_site
    from data.source.mapped.check import check_mapping
    from data.source.mapped.outlying_check import outlying_rows, outlying_words
    from data.source_sync import sync_inventory

    settings = load_settings()
    site = open_site(settings)
    source = _mapped(site.source)
    report = check_mapping(source, site.catalogue)
    bring_up_to_date(settings, sync=False)
    sync_inventory(site)
    apart = outlying_rows(source, site.inventory.stations())
    report = replace(report, warnings=(*report.warnings, *outlying_words(apart)))
    derived = _derived(source, site.catalogue)
    if as_json:
        outlying = [asdict(each) for each in apart]
        say_json(asdict(report) | {"outlying": outlying, "derived": derived})
    else:
        _print(report, derived)


def look(as_json: AsJson = False) -> None:
    """Note what is new in the table since the last sync, as a job does; for a timer."""
    from data.database.engine import explained
    from data.site import open_site
    from data.source_sync import sync_inventory

    site = open_site(load_settings())
    _mapped(site.source)
    with explained(site.engine):
        found = sync_inventory(site)
    if as_json:
        say_json(asdict(found))
    else:
        say(f"{found.stations} new stations, {found.months} new or changed months.")


def _mapped(source: object) -> MappedSource:
    from data.source.mapped.source import MappedSource

    if not isinstance(source, MappedSource):
        raise ConfigurationError("RIWAYAT_SOURCE names no mapping; manage.py source inspect URL writes one.")
    return source


def _derived(source: MappedSource, catalogue: Catalogue) -> list[dict[str, Any]]:
    """Return the derived sensors, each with the inputs that the mapping lacks."""
    mapped = {each.name for each in source.mapping.sensors}
    found = []
    for each in catalogue.derived:
        lacks = [one.reference.shown for one in each.inputs if one.sensor.name not in mapped]
        found.append({"sensor": each.name, "formula": each.formula, "lacks": lacks})
    return found


def _print(report: MappingReport, derived: Sequence[Mapping[str, Any]]) -> None:
    console = output(soft_wrap=True)
    console.print(f"table      {report.table} ({report.source})")
    console.print(f"time       {report.time}, {report.time_type}")
    console.print(f"interval   {report.step_seconds:g} s" if report.step_seconds else "interval   unknown")
    console.print(f"freshness  {report.freshness}")
    path = "fast path" if report.fast_path else "row by row"
    console.print(
        f"reading    {report.month_rows:,} rows in {report.seconds:g} s, {report.rows_per_second:,} rows a second ({path})"
    )
    heads = ("sensor", "from", "type", "values", "nulls", "bad", "flagged", "least", "greatest")
    for table in (
        table_of(("station", "first", "last"), report.stations),
        table_of(heads, [list(asdict(each).values()) for each in report.sensors]),
        table_of(("derived sensor", "formula", "lacks"), [list(each.values()) for each in derived]),
        table_of(("time in the table", "UTC"), report.sample),
    ):
        console.print()
        console.print(table)
    if report.explain:
        console.print("\nhow the database reads a month")
        for line in report.explain:
            console.print(f"  {line}", markup=False)
    for warning in report.warnings:
        console.print(f"\n! {warning}")
