"""What a process of Celery's pool does with a message: claim that very job, run it in a child,
watch it, write how it ended.

It is a worker of one job. The job runs in a child of its own, as everywhere, because only then can
somebody see that it was killed, takes too long or hangs in a library, and still write so.
"""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import structlog
from sqlalchemy.exc import SQLAlchemyError

from config import Settings
from data.site import open_shelf
from jobs import policy
from jobs.job import Job, WorkerInfo
from jobs.ledger.ledger import open_ledger
from jobs.worker.attempt_cleanup import AttemptCleanup, make_cancel_query
from jobs.worker.child import persist
from jobs.worker.children import Children
from jobs.worker.pending_outcomes import PendingOutcomes
from jobs.worker.supervisor import BUSY_TICK_S, RunJob

_WAKING = (signal.SIGTERM, signal.SIGCHLD)

log = structlog.get_logger(__name__)


class Stop(IntEnum):
    """Whether the worker that this process belongs to is ending."""

    NO = 0
    SOON = 1  # what is nearly done may finish
    NOW = 2


class Lifeline:
    """From a worker to all its pools and their processes: whether it lives, and whether it is
    ending.

    The worker holds one end of a pair of sockets. Everybody else looks at what it wrote without
    taking it away.
    """

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def check(self) -> Stop:
        """Return whether the worker asks to stop; NOW when it is dead."""
        try:
            said = self._end.recv(2, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return Stop.NO
        return Stop.SOON if len(said) == 1 else Stop.NOW


class AttemptRunner:
    """Runs jobs of a queue one at a time, for the worker ``me``; lives in a process of the pool."""

    def __init__(self, settings: Settings, run_job: RunJob, me: WorkerInfo, lifeline: Lifeline, queue: str) -> None:
        self._settings = settings
        self._run_job = run_job
        self._me = me
        self._lifeline = lifeline
        self._queue = queue
        self._ledger = open_ledger(settings)
        self._cleanup = AttemptCleanup(self._ledger, make_cancel_query(settings), open_shelf(settings))

    def run(self, job_id: str) -> bool:
        """Run the job if it waits; False when there is nothing to do: it has ended, or another
        message was first.

        Raises:
            SQLAlchemyError: the ledger does not answer.
        """
        outcomes = PendingOutcomes(self._ledger)
        children = Children(self._ledger, self._in_child, outcomes, self._cleanup, self._settings.worker_memory_mb)
        with _watching_signals():
            try:
                job = self._ledger.claim(self._me.id, (self._queue,), only=job_id)
                if job is None:
                    log.info("message for nothing", job=job_id)
                    return False
                children.start(job)
                self._watch(children)
                persist(outcomes.flush, self._settings.ledger_patience)
            finally:
                for child in children:  # Celery's own time limit, too, ends here with an exception
                    children.kill(child)
                self._ledger.engine.dispose()
                self._cleanup.finish()
        return True

    @property
    def stop(self) -> Stop:
        """Return whether the worker is ending."""
        return self._lifeline.check()

    def _watch(self, children: Children) -> None:
        """Return when the child has ended, by itself or by us."""
        give_back_s: float | None = None
        renewed_s = time.monotonic()
        while children:
            children.watch()
            now_s, stop = time.monotonic(), self.stop
            if stop is not Stop.NO:
                give_back_s = give_back_s or now_s + policy.TIMES.stop_grace_s
                if now_s >= give_back_s or stop is Stop.NOW:
                    children.give_back()
            try:
                if now_s - renewed_s >= policy.TIMES.heartbeat_s:
                    self._ledger.renew(children.attempts())
                    renewed_s = now_s
                children.stop_unwanted()
            except SQLAlchemyError as exc:  # the child goes on
                log.error("the ledger does not answer", error=str(exc))
            for child in children:
                signal.sigtimedwait(_WAKING, max(0.0, min(BUSY_TICK_S, child.deadline_s - time.monotonic())))

    def _in_child(self, job: Job) -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _WAKING)
        self._run_job(job.id, job.attempt)


@contextmanager
def _watching_signals() -> Iterator[None]:
    """SIGTERM and the end of a child only wake the supervisor, and kill nobody."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _WAKING)
    try:
        yield
    finally:
        while signal.sigtimedwait(_WAKING, 0) is not None:  # what came too late is for nobody
            pass
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
