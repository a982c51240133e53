"""``report``: what stations recorded in a period, as a page, a PDF or a workbook."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from access.names import LOCAL_USER
from commands.loading import follow, is_completed, note_export
from commands.opening import opened_site, quiet_settings
from commands.printing import AsJson, check_new, say, say_json

if TYPE_CHECKING:
    from access.saved.saved_view import SavedView
    from access.store import AccessStore
    from config import Settings
    from data.site import Site
    from reports.definition import ReportDefinition
    from reports.inquiry import ReportInquiry


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(report)


def report(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A saved view's name, or a definition: a .toml file.")],
    period: Annotated[str, typer.Option(help="2024-05, 2024, 2024-Q2, 2024-W23, or 2024-05-01..2024-06-15 (end excluded).")],
    out: Annotated[Path, typer.Option(help="FILE.html, FILE.pdf or FILE.xlsx; it must not be there yet.")],
    owner: Annotated[str | None, typer.Option("--as", help="Whose saved view; default: the only one of that name.")] = None,
    language: Annotated[str | None, typer.Option(help="en or id; default: as the definition says, else en.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a report through the queue and write it to a file."""
    from access.identity import owner_identity
    from access.store import open_access
    from jobs.worker.wake import make_wake
    from reports.starting import start_report

    settings = quiet_settings()
    check_new(out)
    with opened_site(settings) as (site, ledger):
        access = open_access(settings, engine=ledger.engine)
        definition = definition_of_words(settings, access, name, owner, language)
        inquiry = _inquiry(definition, period, out)
        identity = owner_identity(settings, access, LOCAL_USER)
        job = follow(site, ledger, start_report(site, ledger, identity, inquiry, make_wake(settings, ledger)), ours=True)
        if not is_completed(job):
            raise typer.Exit(1)
        _take(site, job, out)
        note_export(ledger, job, f"report {inquiry.format}", out)
    if as_json:
        say_json({"file": str(out), "period": inquiry.period, "format": inquiry.format, **_told(job.metrics)})
    else:
        say(f"Wrote {out}.", err=True)


def definition_of_words(
    settings: Settings, access: AccessStore, name: str, owner: str | None, language: str | None
) -> ReportDefinition:
    """Return the definition that a saved view's name or a file means.

    Raises:
        NotFound: there is no saved view of that name.
        Conflict: several users have one; says who.
        InvalidRequest: the file is no definition.
    """
    from data.catalogue import load_catalogue
    from reports.definition import definition_of_view, make_definition, read_definition

    if is_file_name(name):
        catalogue = load_catalogue(settings.sensors)
        read = read_definition(Path(name), lambda stations: catalogue.zone_of(stations, settings.timezone))
        return make_definition(name, **{**read.model_dump(), "language": language or read.language})
    found = view_of_name(access, name, owner)
    return definition_of_view(found.shows, language=language or "en", title=found.name)


def is_file_name(name: str) -> bool:
    """Return whether words name a file with a definition, not a saved view."""
    return Path(name).suffix.lower() == ".toml"


def view_of_name(access: AccessStore, name: str, owner: str | None) -> SavedView:
    """Return the saved view of a name, of one user or the only one of all.

    Raises:
        NotFound, Conflict: as :func:`definition_of_words`.
    """
    from access.saved.saved_view import views_named
    from errors import Conflict, NotFound

    found = views_named(access, name, owner)
    if not found:
        raise NotFound("There is no saved view {view_id}.", view_id=name)
    if len(found) > 1:
        users = ", ".join(each.owner for each in found)
        raise Conflict("Several users have a saved view {name}: {users}. Choose one with --as.", name=name, users=users)
    return found[0]


def _inquiry(definition: ReportDefinition, period: str, out: Path) -> ReportInquiry:
    from errors import InvalidRequest
    from reports.inquiry import ReportInquiry, read_report_format
    from reports.period import read_period

    try:
        read_period(period, definition.timezone)
        return ReportInquiry(definition, period.strip(), read_report_format(out.suffix.lstrip(".")))
    except InvalidRequest as exc:
        raise typer.BadParameter(exc.message) from exc


def _take(site: Site, job: Any, out: Path) -> None:
    from errors import Conflict
    from reports.writing import report_of_job

    found = report_of_job(site, job)
    if found is None:
        raise Conflict("The report is no longer kept. Make it again.")
    with found.open("rb") as made, out.open("xb") as file:
        shutil.copyfileobj(made, file)


def _told(metrics: Any) -> dict[str, Any]:
    return {name: metrics[name] for name in ("bytes", "earlier_years", "seconds_writing") if name in metrics}
