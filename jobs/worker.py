"""The worker: one single-threaded supervisor that claims jobs, forks a child for each, and watches them.

A child runs ``run_job(job_id, attempt)`` and writes its own result to the ledger. Whatever else may end it (cancel, time
limit, a crash, kill -9, no memory) is seen here and written down: no job ever hangs in silence. The supervisor holds no
database connection while it forks.
"""

from __future__ import annotations

import gc
import importlib
import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from enum import Enum

import structlog
from sqlalchemy import inspect
from sqlalchemy.exc import SQLAlchemyError

from config import Settings
from data.site import open_shelf
from errors import ConfigurationError, JobDied
from jobs import policy
from jobs.children import Child, Children
from jobs.endings import Endings
from jobs.job import Job, JobError, WorkerInfo
from jobs.leases import LeaseWatch
from jobs.ledger import Ledger, open_ledger
from jobs.policy import HISTORY, LARGE, QUEUES
from jobs.process import thread_count
from jobs.signals import Bell
from jobs.stopping import CancelQuery, QueryStopper
from jobs.wake import WakeSocket

RunJob = Callable[[str, int], None]

IDLE_TICK_S = 1.0  # a job that nobody woke us for waits at most this long
BUSY_TICK_S = 0.4  # a cancelled child is gone within a second
STOP_GRACE_S = 2.0  # what is nearly done may finish; the rest goes back into the line
TROUBLE_TICK_S = 1.0  # wait after the ledger did not answer
SUSPICIOUS_TICK_S = 0.5  # a worker seems to be dead
LEDGER_BUSY_MS = 1_000  # a ledger that others hold: children and signals do not wait longer for it

PRELOADED = ("numpy", "pyarrow", "pandas", "connectorx")  # so that a fork finds them loaded

log = structlog.get_logger(__name__)


class Outcome(Enum):
    """Why a worker returned."""

    ENDED = "ended"  # asked to stop, or its limits are reached
    RESTART = "restart"  # asked to begin anew


def run_worker(
    settings: Settings,
    run_job: RunJob,
    *,
    queues: Sequence[str] = QUEUES,
    slots: int | None = None,
    max_jobs: int | None = None,
    max_seconds: float | None = None,
    stop_when_empty: bool = False,
    cancel_query: CancelQuery | None = None,
) -> Outcome:
    """Run jobs of ``queues`` until told to stop or a limit is reached; running jobs then finish.

    Each queue has slots of its own, so that none keeps another waiting: ``slots``, or what the settings say.

    SIGTERM, SIGINT or SIGHUP: jobs that are nearly done finish, others go back into the line without losing a try; a
    second signal does not wait. ``cancel_query(job_id, attempt)`` stops what a killed child left running on the server
    of its source (jobs/stopping.py).

    Raises:
        ConfigurationError: when the jobs database has not been migrated.
    """
    for module in PRELOADED:
        importlib.import_module(module)
    ledger = open_ledger(settings, busy_ms=LEDGER_BUSY_MS)
    own_slots = {queue: slots or slots_of(settings, queue) for queue in queues}
    name, total = f"{os.getpid()}-{secrets.token_hex(4)}", sum(own_slots.values())
    me = WorkerInfo(name, socket.gethostname(), os.getpid(), tuple(queues), total, 0, 0)
    require_ledger(ledger)
    limits = policy.Limits(max_jobs, max_seconds, stop_when_empty)
    with closing(WakeSocket(settings, me.id)) as wakeup:

        def in_child(job: Job) -> None:
            wakeup.close_copy()
            run_job(job.id, job.attempt)

        children = Children(in_child, settings.worker_memory_mb)
        return Worker(ledger, me, own_slots, children, limits, wakeup, QueryStopper(cancel_query, open_shelf(settings))).run()


def slots_of(settings: Settings, queue: str) -> int:
    """Jobs of a queue that one worker runs at a time."""
    return {HISTORY: settings.worker_slots, LARGE: settings.worker_slots_large}.get(queue, settings.worker_slots)


class Worker:
    """The supervisor. Its state is its children and the endings that are still to be written to the ledger."""

    def __init__(
        self,
        ledger: Ledger,
        me: WorkerInfo,
        slots: Mapping[str, int],
        children: Children,
        limits: policy.Limits,
        wakeup: WakeSocket,
        stopper: QueryStopper,
    ) -> None:
        self._ledger = ledger
        self._me = me
        self._slots = slots
        self._children = children
        self._limits = limits
        self._bell = Bell(wakeup)
        self._stopper = stopper
        self._leases = LeaseWatch()
        self._endings = Endings(ledger)
        self._claimed = 0
        self._heartbeat_at_s = 0.0
        self._restart = False
        self._empty = False
        self._started_s = time.monotonic()
        self._log = log.bind(worker=me.id)

    def run(self) -> Outcome:
        """Work until it is time to end."""
        gc.collect()
        gc.freeze()  # children share what is here; a collection in one of them must not copy it
        self._log.info("worker started", pid=self._me.pid, slots=dict(self._slots), threads=thread_count())
        with self._bell:
            while True:
                wait_s = self._step()
                if self._is_over():
                    break
                self._bell.sleep(wait_s)
            self._end()
        self._log.info("worker ended", restart=self._restart)
        return Outcome.RESTART if self._restart and not self._bell.stops else Outcome.ENDED

    # -- one round --------------------------------------------------------------------------------------------------

    def _step(self) -> float:
        """Everything that may be due; returns how long nothing else will be, in seconds."""
        self._reap()
        self._stop_overdue()
        try:
            self._endings.settle()
            self._heartbeat()
            self._stop_cancelled()
            self._claim()
        except SQLAlchemyError as exc:
            self._log.error("the ledger does not answer", error=str(exc))
            return TROUBLE_TICK_S
        return self._next_due_s()

    def _reap(self) -> None:
        """Notice children that ended by themselves."""
        self._stopper.reap()
        for child, exit_code in self._children.reap():
            self._endings.note(child.job.id, child.job.attempt, policy.death_error(exit_code, self._children.memory_mb))
            if exit_code:
                self._stop_queries(child.job.id, child.job.attempt)

    def _stop_overdue(self) -> None:
        for child in self._children:
            if child.is_overdue:
                self._kill(child)
                self._endings.note(child.job.id, child.job.attempt, policy.timeout_error(child.job.timeout_s))

    def _stop_cancelled(self) -> None:
        """Kill children whose attempt is no longer the one: cancelled, or given to another worker."""
        held = self._ledger.held(self._children.attempts())
        for child in self._children:
            if child.job.id not in held:
                self._kill(child)
                self._ledger.stopped(child.job.id, child.job.attempt)

    def _kill(self, child: Child) -> None:
        self._children.kill(child)
        self._stop_queries(child.job.id, child.job.attempt)

    def _stop_queries(self, job_id: str, attempt: int) -> None:
        self._ledger.engine.dispose()  # no connection may be carried across the fork
        self._stopper.stop(job_id, attempt)

    def _heartbeat(self) -> None:
        """Renew the leases of our jobs, and fail the attempts of workers that did not."""
        if time.monotonic() < self._heartbeat_at_s:
            return
        if self._ledger.heartbeat(self._me, self._children.attempts()) and not self._restart:
            self._log.info("asked to restart")
            self._restart = True
        expired = self._ledger.expired()
        for lease in self._leases.lost(expired, time.monotonic()):
            self._endings.note(lease.job_id, lease.attempt, policy.lost_error())
            self._stop_queries(lease.job_id, lease.attempt)
        self._endings.settle()
        self._heartbeat_at_s = time.monotonic() + (SUSPICIOUS_TICK_S if expired else policy.HEARTBEAT_MS / 1000)

    def _claim(self) -> None:
        self._empty = False
        while queues := self._free_queues():
            job = self._ledger.claim(self._me.id, queues)
            if job is None:
                self._empty = not self._children and self._ledger.waiting(self._me.queues) == 0
                return
            self._claimed += 1
            self._start(job)

    def _start(self, job: Job) -> None:
        self._ledger.engine.dispose()  # no connection may be carried across the fork
        try:
            self._children.start(job)
        except OSError as exc:
            self._endings.note(
                job.id, job.attempt, JobError.of(JobDied("The process of the job could not be started: {why}.", why=str(exc)))
            )

    # -- when ---------------------------------------------------------------------------------------------------------

    def _free_queues(self) -> list[str]:
        """Queues of which one more job may be claimed."""
        if self._is_ending():
            return []
        return [queue for queue, slots in self._slots.items() if self._children.in_queue(queue) < slots]

    def _is_ending(self) -> bool:
        worked_s = time.monotonic() - self._started_s
        enough = self._limits.reached(claimed=self._claimed, worked_s=worked_s, empty=self._empty)
        return self._bell.stops > 0 or self._restart or enough

    def _is_over(self) -> bool:
        first_stop_s = self._bell.first_stop_s
        if self._bell.stops > 1 or (first_stop_s is not None and time.monotonic() - first_stop_s >= STOP_GRACE_S):
            return True
        return self._is_ending() and not self._children and not self._endings

    def _next_due_s(self) -> float:
        now_s = time.monotonic()
        due = [now_s + (BUSY_TICK_S if self._children else IDLE_TICK_S), self._heartbeat_at_s]
        due += [child.deadline_s for child in self._children]
        due += [] if self._bell.first_stop_s is None else [self._bell.first_stop_s + STOP_GRACE_S]
        due += [] if self._limits.max_seconds is None or self._is_ending() else [self._started_s + self._limits.max_seconds]
        return max(0.0, min(due) - now_s)

    def _end(self) -> None:
        """Give unfinished jobs back and sign off. Without the ledger their leases run out by themselves."""
        self._reap()
        for child in self._children:
            self._log.info("job given back", job=child.job.id)
            self._kill(child)
            self._endings.note(child.job.id, child.job.attempt, None)
        try:
            self._endings.settle()
            self._ledger.leave(self._me.id)
        except SQLAlchemyError as exc:
            self._log.error("the ledger does not answer", error=str(exc))
        self._ledger.engine.dispose()
        self._stopper.finish()


def require_ledger(ledger: Ledger) -> None:
    """Raise when the tables are not there; a database that does not answer yet may still come."""
    try:
        ready = inspect(ledger.engine).has_table("job")
    except SQLAlchemyError:
        return
    if not ready:
        raise ConfigurationError("The jobs database is not prepared; run manage.py migrate first.")
