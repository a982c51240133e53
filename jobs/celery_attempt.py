"""What a process of Celery's pool does with a message: claim that very job, run it in a child, watch it, write how it ended.

It is a worker of one job. The job runs in a child of its own, as everywhere, because only then can somebody see that it
was killed, takes too long or hangs in a library, and still write so.
"""

from __future__ import annotations

import contextlib
import random
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum

import structlog
from sqlalchemy.exc import SQLAlchemyError

from config import Settings
from data.site import open_shelf
from errors import JobDied, StaleAttempt
from jobs import policy
from jobs.child import persist
from jobs.children import Children
from jobs.job import Job, JobError, WorkerInfo
from jobs.ledger import open_ledger
from jobs.stopping import QueryStopper, make_cancel_query
from jobs.worker import BUSY_TICK_S, STOP_GRACE_S, RunJob

_LOOK = (signal.SIGTERM, signal.SIGCHLD)

log = structlog.get_logger(__name__)


class Stop(IntEnum):
    """Whether the worker that this process belongs to is ending."""

    NO = 0
    SOON = 1  # what is nearly done may finish
    NOW = 2


class Lifeline:
    """From a worker to all its pools and their processes: whether it lives, and whether it is ending.

    The worker holds one end of a pair of sockets. Everybody else looks at what it wrote without taking it away.
    """

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def look(self) -> Stop:
        """What the worker says now; a worker that is dead says NOW."""
        try:
            said = self._end.recv(2, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return Stop.NO
        return Stop.SOON if len(said) == 1 else Stop.NOW


class AttemptRunner:
    """Runs jobs one at a time, for the worker ``me``; lives in a process of the pool."""

    def __init__(self, settings: Settings, run_job: RunJob, me: WorkerInfo, lifeline: Lifeline) -> None:
        self._settings = settings
        self._run_job = run_job
        self._me = me
        self._lifeline = lifeline
        self._ledger = open_ledger(settings)
        self._stopper = QueryStopper(make_cancel_query(settings), open_shelf(settings))

    def run(self, job_id: str) -> bool:
        """Run the job if it waits; False when there is nothing to do: it has ended, or another message was first.

        Raises:
            SQLAlchemyError: the ledger does not answer.
        """
        with _looking():
            try:
                job = self._ledger.claim(self._me.id, self._me.queues, only=job_id)
                if job is None:
                    return False
                self._ledger.engine.dispose()  # no connection may be carried across the fork
                self._write_end(self._attempt(job))
            finally:
                self._ledger.engine.dispose()
                self._stopper.finish()
        return True

    @property
    def stop(self) -> Stop:
        """Whether the worker is ending."""
        return self._lifeline.look()

    def _attempt(self, job: Job) -> Callable[[], None] | None:
        """Run and watch one attempt; what is left to be written, None when there is nothing."""
        children = Children(self._in_child, self._settings.worker_memory_mb)
        try:
            children.start(job)
        except OSError as exc:
            died = JobDied("The process of the job could not be started: {why}.", why=str(exc))
            return self._failure(job, JobError.of(died))
        try:
            return self._watch(job, children)
        finally:  # Celery's own time limit, too, ends here with an exception
            for child in children:
                children.kill(child)

    def _watch(self, job: Job, children: Children) -> Callable[[], None] | None:
        (child,) = children
        stop_at_s: float | None = None
        renewed_s = time.monotonic()
        while True:
            for _, exit_code in children.reap():
                if exit_code:
                    self._stop_queries(job)
                return self._failure(job, policy.death_error(exit_code, children.memory_mb))
            if child.is_overdue:
                return self._end(job, children, self._failure(job, policy.timeout_error(job.timeout_s)))
            stop_at_s = stop_at_s or self._stop_at_s()
            if stop_at_s is not None and (time.monotonic() >= stop_at_s or self.stop is Stop.NOW):
                log.info("job given back", job=job.id)
                return self._end(job, children, lambda: self._ledger.requeue(job.id, job.attempt))
            renew = time.monotonic() - renewed_s >= policy.HEARTBEAT_MS / 1000
            if not self._may_go_on(job, renew):
                return self._end(job, children, lambda: self._ledger.stopped(job.id, job.attempt))
            renewed_s = time.monotonic() if renew else renewed_s
            signal.sigtimedwait(_LOOK, max(0.0, min(BUSY_TICK_S, child.deadline_s - time.monotonic())))

    def _stop_at_s(self) -> float | None:
        return None if self.stop is Stop.NO else time.monotonic() + STOP_GRACE_S

    def _may_go_on(self, job: Job, renew: bool) -> bool:
        """Whether the attempt is still the one, as far as the ledger answers; ``renew`` its lease as well."""
        try:
            if renew:
                self._ledger.renew({job.id: job.attempt})
            return job.id in self._ledger.held({job.id: job.attempt})
        except SQLAlchemyError as exc:
            log.error("the ledger does not answer", error=str(exc), job=job.id)
            return True

    def _end(self, job: Job, children: Children, left: Callable[[], None] | None) -> Callable[[], None] | None:
        for child in children:
            children.kill(child)
        self._stop_queries(job)
        return left

    def _stop_queries(self, job: Job) -> None:
        self._ledger.engine.dispose()
        self._stopper.stop(job.id, job.attempt)

    def _failure(self, job: Job, error: JobError) -> Callable[[], None]:
        return lambda: self._ledger.fail(job.id, job.attempt, error, jitter=random.random())  # noqa: S311 - spreads retries # nosec B311

    def _write_end(self, left: Callable[[], None] | None) -> None:
        """Write how the attempt ended, unless the child has done so itself."""
        if left is not None:
            with contextlib.suppress(StaleAttempt):  # it has: completed, failed, or cancelled meanwhile
                persist(left, self._settings.ledger_patience)

    def _in_child(self, job: Job) -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _LOOK)
        self._run_job(job.id, job.attempt)


@contextmanager
def _looking() -> Iterator[None]:
    """SIGTERM, by which a revoke comes, and the end of a child only wake the supervisor, and kill nobody."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _LOOK)
    try:
        yield
    finally:
        while signal.sigtimedwait(_LOOK, 0) is not None:  # what came too late is for nobody
            pass
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
