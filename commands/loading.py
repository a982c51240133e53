"""Loading from the command line: a request of words, through the queue, with a progress bar."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from commands.printing import console
from data.flag_choice import read_flags
from data.request import request_of
from data.time.months import month_name
from errors import InvalidRequest, TileDamaged
from escaping import visible

if TYPE_CHECKING:
    from pathlib import Path

    from data.flag_choice import FlagChoice
    from data.request import HistoryRequest
    from data.site import Site
    from jobs.job import Job
    from jobs.ledger.ledger import Ledger

Found = TypeVar("Found")


def request_of_words(
    site: Site, stations: Sequence[str], sensors: Sequence[str], start: str, end: str, resolution: str, timezone: str | None
) -> HistoryRequest:
    """Return the request of a command's words, by default in the stations' own zone, else the
    site's; what is wrong with the words is bad usage.
    """
    zone = timezone or site.catalogue.zone_of(stations, site.settings.timezone)
    try:
        return request_of(stations, sensors, start, end, resolution, zone)
    except InvalidRequest as exc:
        raise typer.BadParameter(exc.message) from exc


def named_options(texts: Sequence[str]) -> dict[str, str]:
    """Return the options of ``--option key=value``."""
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise typer.BadParameter(f"{text!r} is not key=value", param_hint="--option")
        found[key.strip()] = value.strip()
    return found


def load(site: Site, ledger: Ledger, owner: str, request: HistoryRequest, read: Callable[[], Found]) -> tuple[Job, Found | None]:
    """Return the job when it has ended, and what ``read`` makes of its tiles.

    None when it has failed.

    A tile that ``read`` finds damaged is loaded again, once.
    """
    job = _run(site, ledger, owner, request)
    if not is_completed(job):
        return job, None
    try:
        return job, read()
    except TileDamaged:
        job = _run(site, ledger, owner, request)
        return job, read() if is_completed(job) else None


def is_completed(job: Job) -> bool:
    """Return whether a job that has ended has completed; else say why not."""
    if job.status.value == "completed":
        return True
    reason = job.error.message if job.error else f"The job was {job.status.value}."
    console(err=True, soft_wrap=True, markup=False, highlight=False).print(f"Error: {reason}")
    return False


def _run(site: Site, ledger: Ledger, owner: str, request: HistoryRequest) -> Job:
    from jobs.foreground import begin

    return follow(site, ledger, *begin(site, ledger, owner, request))


def follow(site: Site, ledger: Ledger, job: Job, ours: bool) -> Job:
    """Return a job when it has ended, with a progress bar meanwhile; Ctrl-C cancels one that is
    ``ours``.
    """
    from jobs.foreground import cancel, wait_for

    site.engine.dispose()  # nothing of it stays open while others write
    try:
        with _bar() as (progress, errors):
            task = progress.add_task("queued", total=None)
            return wait_for(site.settings, ledger, job, lambda now: _show(progress, task, now), errors.print)
    except KeyboardInterrupt:
        if ours:
            cancel(site.settings, ledger, job)
        raise


@contextmanager
def _bar() -> Iterator[tuple[Progress, Console]]:
    """A progress bar on standard error; only words where that is no terminal."""
    errors = console(err=True, soft_wrap=True, highlight=False)
    words = TextColumn("{task.description}", markup=False)  # a station's name may hold [ and ]
    columns = (words, BarColumn(), TextColumn("{task.fields[detail]}"))
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        yield progress, errors


def _show(progress: Progress, task: Any, job: Job) -> None:
    now = job.progress
    if now is None:
        progress.update(task, description=job.status.value, detail="")
        return
    where = (
        f"{visible(now.station)} {month_name(now.month)}"
        if now.station is not None and now.month is not None
        else job.status.value
    )
    left = f" · about {now.seconds_left:.0f} s left" if now.seconds_left else ""
    detail = f"{now.tiles_done} of {now.tiles_total} tiles · {now.rows:,} of {now.rows_total:,} rows{left}"
    progress.update(task, description=where, total=1.0, completed=now.fraction, detail=detail)


def flags_option(text: str | None) -> FlagChoice:
    """Return the choice of flags that an option names; raises BadParameter where there is none."""
    try:
        return read_flags(text)
    except InvalidRequest as exc:
        raise typer.BadParameter(exc.message, param_hint="--flags") from exc


def note_export(ledger: Ledger, job: Job, kind: str, out: Path) -> None:
    """Note in the audit log that a file of a kind was written of what a job loaded."""
    from access.audit.log import record, request_subject

    record(ledger.engine, "export", request_subject(job.request, job=job.id, format=kind, file=str(out)))
