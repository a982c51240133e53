"""A program: one Celery worker for one queue, with as many processes as the queue has slots. jobs/celery_worker.py starts it.

``python -m jobs.celery_pool`` and one argument, JSON of :class:`PoolOrder`; settings from the environment.
"""

from __future__ import annotations

import gc
import importlib
import json
import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from config import Settings, load_settings
from jobs.child import make_run_job
from jobs.job import WorkerInfo
from jobs.process import die_with, ensure_single_threaded
from jobs.worker import PRELOADED, RunJob
from logs import configure_logs


@dataclass(frozen=True)
class PoolOrder:
    """What a pool is told by its worker. ``lifeline`` is the descriptor of a socket; ``log_level`` as in the settings."""

    worker_id: str
    host: str
    worker_pid: int
    queues: tuple[str, ...]  # all of the worker
    worker_slots: int  # all of the worker
    queue: str
    slots: int
    lifeline: int

    def to_json(self) -> str:
        """JSON; :meth:`from_json` is the inverse."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> PoolOrder:
        """The order that :meth:`to_json` wrote."""
        fields = json.loads(text)
        return cls(**fields | {"queues": tuple(fields["queues"])})

    @property
    def worker(self) -> WorkerInfo:
        """The worker that the pool belongs to."""
        return WorkerInfo(self.worker_id, self.host, self.worker_pid, self.queues, self.worker_slots, 0, 0)


def main(make: Callable[[Settings], RunJob] = make_run_job) -> None:
    """Run tasks of the queue until told to stop (SIGTERM), or until the worker dies."""
    ensure_single_threaded()
    order = PoolOrder.from_json(sys.argv[1])
    die_with(order.worker_pid, signal.SIGTERM)
    for module in PRELOADED:
        importlib.import_module(module)
    settings = load_settings()
    configure_logs(settings.log_level)
    pool = _make_pool(settings, make(settings), order)
    gc.collect()
    gc.freeze()  # children share what is here; a collection in one of them must not copy it
    pool.start()
    sys.exit(pool.exitcode or 0)


def _make_pool(settings: Settings, run_job: RunJob, order: PoolOrder) -> Any:
    from celery import signals
    from celery.exceptions import Reject

    from jobs.celery_app import TASK, make_app
    from jobs.celery_attempt import AttemptRunner, Lifeline, Stop

    app = make_app(settings, client=False)
    runner = AttemptRunner(settings, run_job, order.worker, Lifeline.inherited(order.lifeline))
    pool_pid = os.getpid()
    logging.getLogger("celery.worker.control").setLevel(logging.ERROR)  # each revoke warns that there is no result backend
    warnings.filterwarnings("ignore", message="You're running the worker with superuser")  # only JSON comes in

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
        hostname=f"{order.queue}@{order.worker_id}",
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


if __name__ == "__main__":
    main()
