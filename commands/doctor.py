"""``doctor``: look at all that a working site needs, and say what to do where it is missing."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from commands.printing import AsJson, output, say_json, some
from config import Settings, load_settings
from errors import RiwayatError

FREE_DISK_GB = 1.0  # less than this and imports and tiles soon fail
STORED_WITHIN_S = 60.0  # what has arrived; later, nothing stores it
MIGRATE = "run manage.py migrate"


@dataclass(frozen=True)
class Check:
    """One thing looked at: what was found, and where it is not well, what to do."""

    check: str
    ok: bool
    found: str
    advice: str = ""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor(as_json: AsJson = False) -> None:
    """Check settings, folders, databases and the worker; exit 1 when something needs attention."""
    checks = list(examine(load_settings()))
    if as_json:
        say_json({"checks": [asdict(check) for check in checks]})
    else:
        _print(checks)
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


def examine(settings: Settings) -> Iterator[Check]:
    """Yield all checks, in the order in which a fault of one explains those after it."""
    yield _folder("data folder", settings.data_dir.resolve())
    yield _folder("tile folder", settings.tiles_path)
    yield _disk(settings.tiles_path)
    if settings.object_store_url:
        yield _guarded("object storage", None, lambda: _object_storage(settings))
    yield _guarded("sensor catalogue", None, lambda: _catalogue(settings))
    yield _guarded("observations", settings.history_url, lambda: _observations(settings))
    yield _guarded("job ledger", settings.jobs_url, lambda: _ledger(settings))
    yield _guarded("worker", settings.jobs_url, lambda: _worker(settings))
    if settings.takes_in:
        yield _guarded("inbox", None, lambda: _inbox(settings))
    if settings.auth == "login":
        yield _guarded("users", settings.jobs_url, lambda: _users(settings))
    if settings.auth != "none":
        yield _guarded("grants", settings.jobs_url, lambda: _grants(settings))


def _folder(name: str, path: Path) -> Check:
    if not os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where a folder above may not be entered
        return Check(name, False, f"{path} is not there, or may not be entered", MIGRATE)
    return Check(name, os.access(path, os.W_OK), str(path), f"make {path} writable for this user")


def _disk(path: Path) -> Check:
    there = next(folder for folder in (path, *path.parents) if os.path.exists(folder))  # noqa: PTH110 - as above
    free_gb = shutil.disk_usage(there).free / 1e9
    return Check("disk", free_gb >= FREE_DISK_GB, f"{free_gb:.1f} GB free", "free some, or lower RIWAYAT_TILE_BUDGET_GB")


def _inbox(settings: Settings) -> Check:
    from access.ingest_keys import ingest_keys
    from data.inbox.rejected_items import RejectedItems
    from jobs.receiving import open_spool

    keys, spool = some(len(ingest_keys(settings)), "key"), open_spool(settings)
    rows, oldest_s = spool.rows_waiting(), spool.oldest_s()
    waits_s = 0.0 if oldest_s is None else max(0.0, time.time() - oldest_s)
    found = f"{keys}, {some(rows, 'observation')} waiting" + (f", the oldest for {waits_s:.0f} s" if rows else "")
    if rejected := RejectedItems(settings.inbox_path).count():
        found += f", {rejected} rejected (manage.py rejected list)"
    return Check("inbox", waits_s < STORED_WITHIN_S, found, "start manage.py receive, or see its log")


def _object_storage(settings: Settings) -> Check:
    from data.site import open_object_store
    from data.tiles.object_store import conditions_hold

    objects = open_object_store(settings, patient=False)
    ok = objects is not None and conditions_hold(objects, f"probe/{secrets.token_hex(8)}")
    found = "" if ok else ", which puts objects against a condition (If-Match, If-None-Match): indices would be lost"
    return Check(
        "object storage", ok, f"{settings.object_store_url}{found}", "take a store that keeps to them, or a shared folder"
    )


def _guarded(name: str, url: str | None, look: Callable[[], Check]) -> Check:
    """A check whose own failure is a finding, not the end of the examination;
    looking makes no empty database.
    """
    from sqlalchemy import make_url
    from sqlalchemy.exc import SQLAlchemyError

    from data.database.engine import explanation, sqlite_path

    try:
        path = sqlite_path(url) if url else None
        if path is not None and not os.path.exists(path):  # noqa: PTH110 - as above
            return Check(name, False, f"{path} is not there", MIGRATE)
        return look()
    except RiwayatError as exc:
        return Check(name, False, exc.message, "see docs/configuration.md")
    except SQLAlchemyError as exc:
        return Check(name, False, explanation(exc, make_url(url or "")).message, "see docs/databases.md")


def _catalogue(settings: Settings) -> Check:
    from data.catalogue import load_catalogue

    return Check("sensor catalogue", True, some(len(load_catalogue(settings.sensors).sensors), "sensor"))


def _observations(settings: Settings) -> Check:
    from data.site import open_site

    stations = open_site(settings).inventory.stations()
    rows = sum(station.rows for station in stations)
    found = f"{some(len(stations), 'station')}, {some(rows, 'row')}"
    return Check("observations", rows > 0, found, "import some: manage.py import --help")


def _ledger(settings: Settings) -> Check:
    from jobs.job import Status
    from jobs.ledger.ledger import open_ledger

    failed = len(open_ledger(settings).jobs(status=Status.FAILED))
    return Check("job ledger", True, f"answers; {failed} of the latest jobs failed")


def _worker(settings: Settings) -> Check:
    from jobs.ledger.ledger import open_ledger

    alive = len(open_ledger(settings).workers())
    return Check("worker", alive > 0, f"{alive} alive", "start the site (make run), or a worker alone: manage.py worker")


def _users(settings: Settings) -> Check:
    from access.store import open_access

    able = [one for one in open_access(settings).accounts() if one.has_password and not one.disabled]
    return Check("users", bool(able), f"{len(able)} can sign in", "manage.py users add NAME, or users password NAME")


def _grants(settings: Settings) -> Check:
    from access.store import open_access

    number = len(open_access(settings).grants())
    found = some(number, "grant") if number else "nothing is granted, so nobody but administrators sees anything"
    return Check("grants", number > 0, found, "manage.py grants add everyone --stations '*', or less: docs/access.md")


def _print(checks: list[Check]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table("", "check", "found", "what to do", box=None)
    for check in checks:
        mark, advice = ("[green]ok[/]", "") if check.ok else ("[red]![/]", check.advice)
        table.add_row(mark, check.check, escape(check.found), advice)
    output(markup=True).print(table)
