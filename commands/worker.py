"""``worker``: run jobs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.worker.process import ensure_single_threaded, restart

if TYPE_CHECKING:
    from config import Settings
    from jobs.attempt_in_hand import AttemptInHand
    from jobs.job import Metrics
    from jobs.worker.chore import Chore
    from jobs.worker.supervisor import WorkerEnd


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(worker)


def worker(
    queue: Annotated[
        list[str] | None, typer.Option(help="Queue to serve; may be repeated. Default: history and history-large.")
    ] = None,
    slots: Annotated[
        int | None,
        typer.Option(min=1, help="Jobs of each queue at a time; default RIWAYAT_WORKER_SLOTS, RIWAYAT_WORKER_SLOTS_LARGE."),
    ] = None,
    max_jobs: Annotated[int | None, typer.Option(min=1, help="End after so many jobs.")] = None,
    max_seconds: Annotated[float | None, typer.Option(min=0, help="Take no more jobs after so many seconds, then end.")] = None,
    stop_when_empty: Annotated[bool, typer.Option("--stop-when-empty", help="End when no job waits.")] = False,
) -> None:
    """Run jobs until told to stop. SIGTERM finishes or requeues them, then exits;
    a second one does not wait.
    """
    ensure_single_threaded()
    # after the environment is right: what follows imports numpy and the like
    from config import load_settings
    from jobs.policy import QUEUES
    from jobs.worker.attempt_cleanup import make_cancel_query
    from jobs.worker.supervisor import WorkerEnd

    for name in queue or ():
        if name not in QUEUES:  # whoever waits in a queue that is misspelt here would wait for ever
            raise typer.BadParameter(f"there is no queue {name!r}; there are {' and '.join(QUEUES)}", param_hint="--queue")
    settings = load_settings()
    outcome = _runner(settings)(
        queues=queue or QUEUES,
        slots=slots,
        max_jobs=max_jobs,
        max_seconds=max_seconds,
        stop_when_empty=stop_when_empty,
        cancel_query=make_cancel_query(settings),
        # a worker that ends by itself is somebody's for one job
        chores=() if stop_when_empty else _chores(),
    )
    if outcome is WorkerEnd.RESTART:
        restart()


def _chores() -> tuple[Chore, ...]:
    """What the worker sees to besides: reports that are due (docs/reports.md), and alarms
    (docs/alarms.md).
    """
    from access.alarm_rules.alarm_rule import any_alarm
    from access.schedules.report_runs import anything_due
    from data.time.epoch import epoch_ms
    from jobs.worker.chore import Chore

    return (
        Chore(lambda engine: anything_due(engine, epoch_ms()), ("schedule", "run", "--quiet")),
        Chore(any_alarm, ("alarms", "evaluate", "--quiet")),
    )


def _runner(settings: Settings) -> Callable[..., WorkerEnd]:
    """Return what runs jobs here: a local worker, or one that gets them through the broker."""
    from jobs.policy import REPORT
    from jobs.worker.child import make_run_job

    run_job = make_run_job(settings, {REPORT: _write_report})

    if settings.queue == "celery":
        from jobs.celery.worker import run_celery_worker

        return partial(run_celery_worker, settings, run_job)
    from jobs.worker.supervisor import run_worker

    return partial(run_worker, settings, run_job)


def _write_report(hand: AttemptInHand) -> Metrics:
    """Write a report; what draws and prints it is imported by the job that needs it."""
    from reports.writing import write_report

    return write_report(hand)
