"""``schedule …``: reports that are made and sent by themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from access.names import LOCAL_USER, is_reserved
from commands.opening import opened_access, opened_site, quiet_settings
from commands.printing import AsJson, say, say_json, show
from data.time.months import iso_utc, iso_utc_or_none

if TYPE_CHECKING:
    from access.schedules.report_runs import ReportRun
    from access.schedules.report_schedule import ReportSchedule
    from access.store import AccessStore
    from config import Settings
    from jobs.ledger.ledger import Ledger

_schedules = typer.Typer(no_args_is_help=True, help="Reports that are made and sent by themselves.")
_SHOWN = 3  # periods of a schedule


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
    from access.schedules.report_schedule import add_schedule
    from commands.report import definition_of_words
    from data.time.epoch import epoch_ms
    from errors import ConfigurationError
    from reports.inquiry import read_report_format
    from reports.period import due_ms, last_complete, read_every

    with opened_access() as (settings, store):
        if to and not (settings.smtp_host and settings.smtp_from):
            raise ConfigurationError("No mail can be sent: set RIWAYAT_SMTP_HOST and RIWAYAT_SMTP_FROM.")
        owner = _owner(settings, store, name, whose)
        definition = definition_of_words(settings, store, name, owner, language)
        rhythm = read_every(every)
        next_ms = due_ms(rhythm, last_complete(rhythm, epoch_ms(), definition.timezone))
        title = (definition.title or ", ".join(definition.stations))[:120]
        made = add_schedule(
            store,
            owner,
            title,
            definition.to_json(),
            every=rhythm,
            form=read_report_format(form),
            recipients=to or (),
            folder=None if folder is None else str(_folder(folder)),
            next_ms=next_ms,
        )
    if as_json:
        say_json({"id": made.id, "next": iso_utc(made.next_ms)})
    else:
        say(made.id)


@_schedules.command("list")
def list_schedules(as_json: AsJson = False) -> None:
    """Show schedules, when each is next due, and what became of the latest periods."""
    from access.schedules.report_runs import runs_of
    from access.schedules.report_schedule import all_schedules
    from jobs.ledger.ledger import open_ledger

    with opened_access() as (settings, store):
        ledger = open_ledger(settings)
        try:
            rows = [_row(each, runs_of(store.engine, each.id)[:_SHOWN], ledger) for each in all_schedules(store.engine)]
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


def _folder(folder: Path) -> Path:
    if not folder.is_dir():
        raise typer.BadParameter(f"{folder} is no folder", param_hint="--folder")
    return folder.resolve()


def _row(schedule: ReportSchedule, runs: list[ReportRun], ledger: Ledger) -> dict[str, Any]:
    return {
        "id": schedule.id,
        "name": schedule.name,
        "owner": schedule.owner,
        "every": schedule.every,
        "format": schedule.format,
        "to": [*schedule.recipients, *([schedule.folder] if schedule.folder else [])],
        "next": iso_utc(schedule.next_ms),
        "periods": [_period(each, ledger) for each in runs],
    }


def _period(run: ReportRun, ledger: Ledger) -> dict[str, Any]:
    from errors import JobNotFound

    status = "sent" if run.sent_ms is not None else "given up" if run.next_ms is None else "due"
    if run.sent_ms is None and run.next_ms is not None and run.job is not None:
        try:
            status = ledger.get(run.job).status.value
        except JobNotFound:
            status = "due"
    return {"period": run.period, "status": status, "sent": iso_utc_or_none(run.sent_ms), "job": run.job, "note": run.note}


def _said(periods: list[dict[str, Any]]) -> str:
    return "; ".join(f"{each['period']} {each['status']}" + (f" ({each['note']})" if each["note"] else "") for each in periods)
