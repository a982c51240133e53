"""``queue …``: the ledger as the administrator sees it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from commands.opening import opened_ledger
from commands.printing import AsJson, print_table, say, say_json, some
from data.time.months import iso_utc
from errors import Conflict, JobNotFound
from jobs.job import Job, Status, job_json
from jobs.worker.wake import make_wake

if TYPE_CHECKING:
    from jobs.ledger.ledger import Ledger

DAY_S = 86_400

Limit = Annotated[int, typer.Option(min=1, help="At most so many jobs.")]

queue = typer.Typer(no_args_is_help=True, help="Look at jobs, retry, cancel and prune them.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(queue, name="queue")


@queue.command()
def status(as_json: AsJson = False) -> None:
    """Jobs a queue and status, and the workers that are alive."""
    with opened_ledger() as (_, ledger):
        counts, workers = ledger.counts(), ledger.workers()
    if as_json:
        alive = [
            {
                **{name: getattr(worker, name) for name in ("id", "host", "pid", "queues", "slots")},
                "started": iso_utc(worker.started_ms),
                "seen": iso_utc(worker.seen_ms),
            }
            for worker in workers
        ]
        queues = {name: {one.value: found.get(one, 0) for one in Status} for name, found in counts.items()}
        say_json({"queues": queues, "workers": alive})
        return
    print_table(
        ["queue", *(one.value for one in Status)],
        [[name, *(found.get(one, 0) for one in Status)] for name, found in counts.items()],
    )
    for worker in workers:
        say(f"worker {worker.pid} on {worker.host}: queues {', '.join(worker.queues)}; {worker.slots} at a time")
    if not workers:
        say("No worker is running; start one with: manage.py worker")


@queue.command("list")
def list_jobs(
    status: Annotated[Status | None, typer.Option(help="Only jobs of this status.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only jobs of this user.")] = None,
    limit: Limit = 50,
    before: Annotated[str | None, typer.Option(help="Only jobs older than the job with this id.")] = None,
    as_json: AsJson = False,
) -> None:
    """Jobs, newest first."""
    with opened_ledger() as (_, ledger):
        _print_jobs(ledger.jobs(owner, status, limit, before), as_json)


@queue.command()
def failed(limit: Limit = 50, as_json: AsJson = False) -> None:
    """Failed jobs, newest first, with their reasons."""
    with opened_ledger() as (_, ledger):
        _print_jobs(ledger.jobs(status=Status.FAILED, limit=limit), as_json)


@queue.command()
def show(job_id: Annotated[str, typer.Argument(metavar="ID")], as_json: AsJson = False) -> None:
    """Everything about one job."""
    with opened_ledger() as (_, ledger):
        job = ledger.get(job_id)
        place = ledger.position(job)
    if as_json:
        say_json(job_json(job) | {"position": place})
        return
    for name, value in job_json(job).items():
        say(f"{name}: {value if isinstance(value, str | int | float) else json.dumps(value, ensure_ascii=False)}")
    if place is not None:
        say(f"position: {place}")
    if job.error is not None and job.error.details:
        say(f"details:\n{job.error.details}")


@queue.command()
def retry(
    job_ids: Annotated[list[str], typer.Argument(metavar="ID…|all", help="Jobs to retry; all: every failed one.")],
    as_json: AsJson = False,
) -> None:
    """Put failed or cancelled jobs at the end of the line; what they have read stays read."""
    with opened_ledger() as (settings, ledger):
        everything = job_ids == ["all"]
        ids = [job.id for job in ledger.jobs(status=Status.FAILED, limit=sys.maxsize)] if everything else job_ids
        refused = _retry_each(ledger, ids[::-1] if everything else ids)
        make_wake(settings, ledger)()
    say(f"{len(ids) - len(refused)} of {some(len(ids), 'job')} queued again.", err=True)
    if as_json:
        queued = [job_id for job_id in ids if job_id not in refused]
        say_json({"queued": queued, "refused": [{"id": job_id, "message": why} for job_id, why in refused.items()]})
    if refused and not everything:
        raise typer.Exit(1)


@queue.command()
def cancel(job_id: Annotated[str, typer.Argument(metavar="ID")], as_json: AsJson = False) -> None:
    """Stop a job that waits or runs."""
    with opened_ledger() as (settings, ledger):
        job = ledger.cancel(job_id)
        make_wake(settings, ledger)()
    say(f"Job {job_id} is cancelled.", err=True)
    if as_json:
        say_json(job_json(job))


@queue.command()
def restart(as_json: AsJson = False) -> None:
    """Ask all workers to finish their jobs and begin anew, with the code that is on disk now."""
    with opened_ledger() as (settings, ledger):
        asked = ledger.ask_restart()
        make_wake(settings, ledger)()
    say(f"{some(asked, 'worker')} asked to restart.", err=True)
    if as_json:
        say_json({"workers": asked})


@queue.command()
def reconcile(as_json: AsJson = False) -> None:
    """RIWAYAT_QUEUE=celery: send a message for every waiting job that has none.
    Workers do so by themselves every second.
    """
    from jobs.worker.wake import reconcile as send_lost

    with opened_ledger() as (settings, ledger):
        sent = send_lost(settings, ledger)
    say(f"{some(sent, 'message')} sent.", err=True)
    if as_json:
        say_json({"messages": sent})


@queue.command()
def prune(
    days: Annotated[float, typer.Option(min=0, help="Forget jobs that ended longer ago than this.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Forget jobs that ended long ago, and remove Excel and NetCDF files that are no longer kept.
    Tiles are not touched.
    """
    from data.site import open_object_store, open_shelf

    with opened_ledger() as (settings, ledger):
        gone = ledger.prune(older_than_s=days * DAY_S)
        removed = open_shelf(settings, open_object_store(settings)).prune()
    say(f"{some(gone, 'job')} forgotten.", err=True)
    if as_json:
        say_json({"forgotten": gone, "workbook_bytes": removed})


def _retry_each(ledger: Ledger, ids: Sequence[str]) -> dict[str, str]:
    """Retry all of them; which could not be, and why."""
    refused = {}
    for job_id in ids:
        try:
            ledger.retry(job_id, limited=False)
        except (Conflict, JobNotFound) as exc:
            refused[job_id] = exc.message
            say(f"{job_id}: {exc.message}", err=True)
    return refused


def _print_jobs(jobs: Sequence[Job], as_json: bool) -> None:
    if as_json:
        say_json([job_json(job) for job in jobs])
        return
    rows = [
        [
            job.id,
            job.status.value,
            f"{job.progress.fraction:.0%}" if job.progress else "",
            job.owner,
            iso_utc(job.created_ms),
            job.attempt,
            job.error.message if job.error else job.request.describe(),
        ]
        for job in jobs
    ]
    print_table(["id", "status", "done", "owner", "created", "attempts", "what"], rows)
