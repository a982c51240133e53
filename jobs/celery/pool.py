"""One Celery worker for one queue, with as many processes as the queue has slots;
a forked child of jobs/celery/worker.py.
"""

from __future__ import annotations

import os
import signal
import warnings
from dataclasses import dataclass
from typing import Any

from celery import signals
from celery.exceptions import Reject

from config import Settings
from jobs.celery.app import make_app
from jobs.celery.attempt import AttemptRunner, Lifeline, Stop
from jobs.celery.message import TASK
from jobs.job import WorkerInfo
from jobs.worker.process import die_with, name_process
from jobs.worker.supervisor import RunJob


@dataclass(frozen=True)
class PoolOrder:
    """What a pool is told by its worker."""

    worker: WorkerInfo
    queue: str
    slots: int
    lifeline: Lifeline


def run_pool(settings: Settings, run_job: RunJob, order: PoolOrder) -> None:
    """Run tasks of the queue until told to stop (SIGTERM): then those that were begun end first."""
    name_process("riwayat-pool")
    # only JSON comes in
    warnings.filterwarnings("ignore", message="You're running the worker with superuser")
    pool = _make_pool(settings, run_job, order)
    pool.start()
    if pool.exitcode:
        raise SystemExit(pool.exitcode)


def _make_pool(settings: Settings, run_job: RunJob, order: PoolOrder) -> Any:
    app = make_app(settings, client=False)
    runner = AttemptRunner(settings, run_job, order.worker, order.lifeline, order.queue)
    pool_pid = os.getpid()

    @signals.setup_logging.connect(weak=False)
    def logs_are_set_up(**_: object) -> None:
        """Celery leaves logging alone when somebody listens here."""

    @signals.worker_process_init.connect(weak=False)
    def in_process(**_: object) -> None:
        die_with(pool_pid, signal.SIGKILL)

    @app.task(name=TASK)
    def run(job_id: str) -> None:
        """Run a job. A worker that is ending leaves it to the others."""
        if runner.stop is not Stop.NO:
            raise Reject("the worker is ending", requeue=True)
        runner.run(job_id)

    return app.Worker(
        hostname=f"{order.queue}@{order.worker.id}",
        queues=[order.queue],
        concurrency=order.slots,
        pool="prefork",
        loglevel="WARNING",
        optimization="fair",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    )
