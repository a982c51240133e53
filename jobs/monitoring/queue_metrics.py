"""The queue now and of the last minutes, as numbers for monitoring. Read from the ledger's rows;
nothing is recorded for it.

So every web process says the same, on every host, and nothing is lost when one of them restarts.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, func, select

from jobs.job import ACTIVE, ENDED, Metrics, Status, WorkerInfo
from jobs.ledger.job_records import LedgerBase, metrics_of
from jobs.ledger.tables import job, now_ms
from jobs.policy import QUEUES

LATELY_S = 900
_MOST = 20_000  # jobs; a site that ends more of them in that time gets its latest


@dataclass(frozen=True)
class QueueNow:
    """One queue at this moment. ``oldest_s``: how long the job that has waited longest has waited,
    0 when none waits.
    """

    queue: str
    waiting: int
    running: int
    oldest_s: float
    workers: int
    slots: int


@dataclass(frozen=True)
class EndedJob:
    """A job that ended lately. ``waited_s``, ``ran_s``: of its last attempt,
    None where it had none; ``reason``: error code.
    """

    queue: str
    status: Status
    waited_s: float | None
    ran_s: float | None
    reason: str | None
    metrics: Metrics


@dataclass(frozen=True)
class QueueMetrics:
    """The queues now, and the jobs that ended in the last 15 minutes.

    ``retrying``: jobs that wait for another attempt, or are at it, by (queue,
    reason of the last failure).
    """

    queues: tuple[QueueNow, ...]
    ended: tuple[EndedJob, ...]
    retrying: Mapping[tuple[str, str], int]


def queue_metrics(ledger: LedgerBase, workers: Iterable[WorkerInfo]) -> QueueMetrics:
    """Return the metrics of all queues; three queries of some milliseconds."""
    alive = tuple(workers)
    with ledger.engine.connect() as connection:
        active = connection.execute(_active()).all()
        ended = connection.execute(_ended()).all()
        errors = connection.execute(_errors_of_active()).all()
    names = list(dict.fromkeys([*QUEUES, *(row.queue for row in active), *(row.queue for row in ended)]))
    return QueueMetrics(
        queues=tuple(_queue_now(name, active, alive) for name in names),
        ended=tuple(_ended_job(row) for row in ended),
        retrying=Counter((row.queue, _code(row.error)) for row in errors),
    )


def _active() -> Select[Any]:
    longest = now_ms() - func.min(job.c.queued_ms)
    counted = select(job.c.queue, job.c.status, func.count().label("jobs"), longest.label("longest_ms"))
    return counted.where(job.c.status.in_(ACTIVE)).group_by(job.c.queue, job.c.status)


def _ended() -> Select[Any]:
    columns = (job.c.queue, job.c.status, job.c.queued_ms, job.c.started_ms, job.c.finished_ms, job.c.attempt)
    final = job.c.status.in_(ENDED)
    late = job.c.finished_ms >= now_ms() - LATELY_S * 1000
    return select(*columns, job.c.error, job.c.metrics).where(final, late).order_by(job.c.number.desc()).limit(_MOST)


def _errors_of_active() -> Select[Any]:
    return select(job.c.queue, job.c.error).where(job.c.status.in_(ACTIVE), job.c.error.is_not(None))


def _queue_now(name: str, active: Iterable[Row[Any]], workers: Iterable[WorkerInfo]) -> QueueNow:
    found = {Status(row.status): row for row in active if row.queue == name}
    waiting, running = found.get(Status.QUEUED), found.get(Status.RUNNING)
    serving = [worker for worker in workers if name in worker.queues]
    return QueueNow(
        queue=name,
        waiting=waiting.jobs if waiting else 0,
        running=running.jobs if running else 0,
        oldest_s=max(0, waiting.longest_ms) / 1000 if waiting else 0.0,
        workers=len(serving),
        slots=sum(worker.slots for worker in serving),
    )


def _ended_job(row: Row[Any]) -> EndedJob:
    ran = row.attempt > 0 and row.started_ms is not None
    return EndedJob(
        queue=row.queue,
        status=Status(row.status),
        waited_s=max(0, row.started_ms - row.queued_ms) / 1000 if ran else None,
        ran_s=max(0, row.finished_ms - row.started_ms) / 1000 if ran else None,
        reason=None if row.error is None else _code(row.error),
        metrics=metrics_of(row.metrics),
    )


def _code(error: str) -> str:
    """The code of a stored JobError; what cannot be read still counts."""
    try:
        return str(json.loads(error)["code"])
    except (ValueError, KeyError, TypeError):
        return "unreadable"
