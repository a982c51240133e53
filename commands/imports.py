"""``import``: files of observations into Riwayat's own table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from data.ingest.importing import FileReport, Phase

_SECOND_PASS = {"checking": 0.0, "storing": 0.5}  # each file is read twice


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(import_files)


def import_files(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="CSV, Campbell TOA5, Parquet, receiver JSON; .gz, .bz2, .xz too.")
    ],
    station: Annotated[str | None, typer.Option(help="Station of all rows, whatever the files say.")] = None,
    timezone: Annotated[
        str | None, typer.Option(help="Zone of times without an offset: Asia/Jakarta, or -05:00. Default: the profile's.")
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="How the files are read: a TOML file, or a bundled profile such as nyc_airports.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Import observations. All files are checked first: where one is wrong, nothing of any is stored. May be repeated."""
    from config import load_settings
    from data.catalogue import load_catalogue
    from data.engine import explained, make_engine, migrate_observations
    from data.ingest import importing
    from data.ingest.plan import Wishes

    _check_options(station, timezone)
    settings = load_settings()
    settings.prepare()
    catalogue = load_catalogue(settings.sensors)
    engine = make_engine(settings.history_url)
    try:
        migrate_observations(engine, catalogue)
        wishes = Wishes(profile=profile, station=station, timezone=timezone, site_timezone=settings.timezone)
        with explained(engine), _progress(len(files)) as report:
            reports = importing.import_files(engine, catalogue, files, wishes, report)
    finally:
        engine.dispose()
    if as_json:
        typer.echo(json.dumps({"files": [asdict(report) for report in reports]}, ensure_ascii=False))
    for file in reports:
        _tell(file, err=as_json)


def _check_options(station: str | None, timezone: str | None) -> None:
    from data.ingest.zones import zone_of

    if station is not None and not station.strip():
        raise typer.BadParameter("the name is empty", param_hint="--station")
    if timezone is not None:
        try:
            zone_of(timezone)
        except ValueError as exc:
            raise typer.BadParameter(str(exc), param_hint="--timezone") from exc


@contextmanager
def _progress(files: int) -> Iterator[Callable[[Path, Phase, float], None]]:
    """A bar over all files on standard error; yields what reports to it."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    done: dict[Path, float] = {}
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("import", total=float(files))

        def report(file: Path, phase: Phase, fraction: float) -> None:
            done[file] = _SECOND_PASS[phase] + fraction / 2
            progress.update(task, description=f"{phase} {file.name}", completed=sum(done.values()))

        yield report


def _tell(report: FileReport, *, err: bool) -> None:
    """One file in words; with JSON on standard output the words go to standard error."""
    lines = [
        f"{report.file}: {report.read} rows read, {report.stored} stored, {report.replaced} replaced, {report.rejected} rejected",
        f"  profile {report.profile}, times without an offset taken as {report.timezone}",
        *_counted("rejected", report.reasons),
        *_counted("value left out", report.values_left_out),
        *_listed(report.columns_left_out),
    ]
    typer.echo("\n".join(lines), err=err)


def _counted(what: str, reasons: Mapping[str, int]) -> list[str]:
    return [f"  {what}: {reason}: {count}" for reason, count in reasons.items()]


def _listed(columns: Sequence[str]) -> list[str]:
    return [f"  columns left out: {', '.join(columns)}"] if columns else []
