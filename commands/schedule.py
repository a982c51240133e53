"""``schedule …``: reports that are made and sent by themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from access.names import LOCAL_USER, is_reserved
from commands.opening import opened_access, opened_site, quiet_settings
from commands.printing import AsJson, say, say_json, show
from data.time.months import iso_utc

if TYPE_CHECKING:
    from access.store import AccessStore
    from config import Settings

_schedules = typer.Typer(no_args_is_help=True, help="Reports that are made and sent by themselves.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(_schedules, name="schedule")


@_schedules.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A saved view's name, or a definition: a .toml file.")],
    every: Annotated[str, typer.Option(help="month or week.")] = "month",
    to: Annotated[list[str] | None, typer.Option(help="A mail address; may be repeated.")] = None,
    folder: Annotated[Path | None, typer.Option(help="A folder into which the files are written.")] = None,
    form: Annotated[str, typer.Option("--format", help="pdf, html or xlsx.")] = "pdf",
    whose: Annotated[
        str | None,
        typer.Option("--as", help="Whose rights; default: the saved view's owner. With sign-in a file needs it."),
    ] = None,
    language: Annotated[str | None, typer.Option(help="en or id; default: as the definition says, else en.")] = None,
    as_json: AsJson = False,
) -> None:
    """Send a report every month or week, from the next whole one on.

    The definition is kept as it is now: a saved view that changes later changes nothing.
    """
    from commands.report import definition_of_words
    from reports.inquiry import read_report_format
    from reports.period import read_every
    from reports.report_schedules import schedule_report

    with opened_access() as (settings, store):
        owner = _owner(settings, store, name, whose)
        definition = definition_of_words(settings, store, name, owner, language)
        how = {"every": read_every(every), "form": read_report_format(form), "recipients": to or ()}
        made = schedule_report(store, settings, owner, definition, folder=_folder(folder), **how)  # type: ignore[arg-type]
    if as_json:
        say_json({"id": made.id, "next": iso_utc(made.next_ms)})
    else:
        say(made.id)


@_schedules.command("list")
def list_schedules(as_json: AsJson = False) -> None:
    """Show schedules, when each is next due, and what became of the latest periods."""
    from access.schedules.report_schedule import all_schedules
    from jobs.ledger.ledger import open_ledger
    from reports.report_schedules import told_schedule

    with opened_access() as (settings, store):
        ledger = open_ledger(settings)
        try:
            rows = [told_schedule(store, ledger, each) for each in all_schedules(store.engine)]
        finally:
            ledger.engine.dispose()
    if as_json:
        say_json(rows)
    else:
        show([{**row, "periods": _said(row["periods"])} for row in rows], False, "There is no schedule.")


@_schedules.command()
def remove(schedule: Annotated[str, typer.Argument(help="The id that list shows.")]) -> None:
    """Send a schedule's reports no longer."""
    from access.schedules.report_schedule import remove_schedule

    with opened_access() as (_settings, store):
        remove_schedule(store, schedule)
    say(f"Removed {schedule}.", err=True)


@_schedules.command()
def run(quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing.")] = False) -> None:
    """Submit the reports that are due now, and try again what was not delivered; the worker calls
    this by itself.
    """
    from access.store import open_access
    from data.time.epoch import epoch_ms
    from jobs.worker.wake import make_wake
    from reports.scheduling import Scheduler

    settings = quiet_settings()
    with opened_site(settings) as (site, ledger):
        access = open_access(settings, engine=ledger.engine)
        looked = Scheduler(site, ledger, access, make_wake(settings, ledger)).run(epoch_ms())
    if not quiet:
        say(f"Looked at {looked} periods." if looked else "Nothing is due.", err=True)


def _owner(settings: Settings, store: AccessStore, name: str, whose: str | None) -> str:
    """With whose rights a report is made: of who is named, else of the saved view's owner. Where
    people sign in, nothing runs with the rights of whoever sits at the machine.
    """
    from commands.report import is_file_name, view_of_name

    owner = whose or (LOCAL_USER if is_file_name(name) else view_of_name(store, name, None).owner)
    if settings.auth == "none":
        return owner
    if whose is None and is_file_name(name):
        raise typer.BadParameter("say with whose rights the reports of a file are made", param_hint="--as")
    found = store.account_rights(owner)
    is_known = found.account is not None or (settings.auth == "proxy" and (found.admin or bool(found.rights.grants)))
    if is_reserved(owner) or not is_known:
        raise typer.BadParameter(f"there is no user {owner!r} to whom anything is granted", param_hint="--as")
    return owner


def _folder(folder: Path | None) -> str | None:
    if folder is not None and not folder.is_dir():
        raise typer.BadParameter(f"{folder} is no folder", param_hint="--folder")
    return None if folder is None else str(folder.resolve())


def _said(periods: list[dict[str, Any]]) -> str:
    return "; ".join(f"{each['period']} {each['status']}" + (f" ({each['note']})" if each["note"] else "") for each in periods)
