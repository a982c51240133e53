"""``import``: files of observations into Riwayat's own table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from commands.batches import audit, forget, list_batches, undo
from commands.guessing import guess_profile, list_profiles
from commands.opening import own_table
from commands.printing import AsJson, progress_bar, say, say_json, some
from config import load_settings
from escaping import visible

if TYPE_CHECKING:
    from data.ingest.importing import FileReport, Phase
    from data.ingest.outlying_rows import OutlyingRows

_FILES = "FILE…"
_SECOND_PASS = {"checking": 0.0, "storing": 0.5}  # each file is read twice


class _ImportGroup(TyperGroup):
    """``import FILE…`` beside ``import list`` and the like:
    what names no command is a file (./list is one, too).
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the command that takes files before them, and before ``--help``."""
        return super().parse_args(ctx, args if args and args[0] in self.commands else [_FILES, *args])


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(cls=_ImportGroup, help="Import files of observations; list what was imported, and undo it.")
    also = "Also: import list, undo ID, forget ID, profiles; each tells more with --help. A file called list is ./list."
    group.command(_FILES, epilog=also, no_args_is_help=True)(import_files)
    group.command("list")(list_batches)
    group.command()(undo)
    group.command()(forget)
    group.command("profiles")(list_profiles)
    app.add_typer(group, name="import")


def import_files(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE…",
            help="CSV, Campbell TOA5 and TOB1 to TOB3, Parquet, receiver JSON; .gz, .bz2, .xz too.",
        ),
    ],
    station: Annotated[str | None, typer.Option(help="Station of all rows, whatever the files say.")] = None,
    timezone: Annotated[
        str | None, typer.Option(help="Zone of times without an offset: Asia/Jakarta, or -05:00. Default: the profile's.")
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="How the files are read: a TOML file, or a bundled profile such as nyc_airports.")
    ] = None,
    guess: Annotated[
        bool, typer.Option("--guess", help="Import nothing: print a first profile for FILE, and ten rows as it would store them.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="With --guess: write the profile to a new file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Import observations. All files are checked first:
    where one is wrong, nothing of any is stored. May be repeated.
    """
    from data.ingest import importing
    from data.ingest.file_plan import ImportOptions

    _check_options(station, timezone)
    if guess:
        if profile is not None or as_json:
            raise typer.BadParameter("--guess makes a profile, and TOML; leave out --profile and --json", param_hint="--guess")
        guess_profile(files, ImportOptions(station=station, timezone=timezone, site_timezone=load_settings().timezone), out)
        return
    with own_table() as (settings, catalogue, engine):
        wishes = ImportOptions(profile=profile, station=station, timezone=timezone, site_timezone=settings.timezone)
        with _progress(len(files)) as report:
            reports = importing.import_files(engine, catalogue, files, wishes, report, spool_folder=settings.data_dir)
        batch = reports[0].batch
        audit(settings, "imported", {"batch": batch, "files": [report.file for report in reports]})
    if as_json:
        say_json({"batch": batch, "files": [asdict(report) for report in reports]})
    for file in reports:
        _print_file(file, err=as_json)
    say(f"Batch {batch}; manage.py import undo {batch} undoes it.", err=True)


def _check_options(station: str | None, timezone: str | None) -> None:
    from data.time.zones import zone_of

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
    done: dict[Path, float] = {}
    with progress_bar("import", float(files)) as advance:

        def report(file: Path, phase: Phase, fraction: float) -> None:
            done[file] = _SECOND_PASS[phase] + fraction / 2
            advance(sum(done.values()), f"{phase} {visible(file.name)}")

        yield report


def _print_file(report: FileReport, *, err: bool) -> None:
    """Print one file in words; with JSON on standard output they go to standard error."""
    counts = f"{report.stored} stored, {report.replaced} replaced, {report.rejected} rejected"
    lines = [
        f"{report.file}: {some(report.read, 'row')} read, {counts}",
        f"  profile {report.profile}, times without an offset taken as {report.timezone}",
        *_counted("rejected", report.reasons),
        *_counted("value left out", report.values_left_out),
        *_listed(report.columns_left_out),
        *(f"  note: {note}" for note in report.notes),
        *_apart(report.outlying),
    ]
    say("\n".join(lines), err=err)


def _counted(what: str, reasons: Mapping[str, int]) -> list[str]:
    return [f"  {what}: {reason}: {count}" for reason, count in reasons.items()]


def _apart(outlying: Sequence[OutlyingRows]) -> list[str]:
    return [
        f"  far from the rest, or in the future: {some(each.rows, 'row')} of {each.station}, {each.first} to {each.last};"
        " kept, but left out of the ranges of the page"
        for each in outlying
    ]


def _listed(columns: Sequence[str]) -> list[str]:
    return [f"  columns left out: {', '.join(columns)}"] if columns else []
