"""The children of a worker: one forked process an attempt, watched until it ends, and what becomes
of the job then.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import structlog

from errors import JobDied
from jobs.job import Job, JobError, Status
from jobs.ledger.ledger import Ledger
from jobs.policy import LARGE
from jobs.worker.attempt_cleanup import AttemptCleanup
from jobs.worker.attempt_errors import death_error, is_overdue, timeout_error
from jobs.worker.pending_outcomes import PendingOutcomes
from jobs.worker.process import end_child, fork_child, limit_memory, poll_child

LARGE_NICENESS = 5  # large jobs leave the processor to others who want it
LAST_WORDS_S = 2.0  # for a child whose outcome is written: it logs and ends by itself

log = structlog.get_logger(__name__)


@dataclass
class Child:
    """A process that runs one attempt. Times are the monotonic clock's: no setting of clocks moves
    the deadline.

    ``over_s`` is when its outcome was found written.
    """

    job: Job
    pid: int
    started_s: float
    over_s: float | None = None

    @property
    def deadline_s(self) -> float:
        """Return when it must have ended."""
        return self.started_s + self.job.timeout_s


class Children:
    """Those that are alive. ``body`` is run in a child; ``memory_mb`` is what each may take (0: no
    limit).

    What becomes of an attempt is noted in ``outcomes``; what it left is cleaned up when it did not
    end well.
    """

    def __init__(
        self, ledger: Ledger, body: Callable[[Job], None], outcomes: PendingOutcomes, cleanup: AttemptCleanup, memory_mb: int = 0
    ) -> None:
        self._ledger = ledger
        self._body = body
        self._outcomes = outcomes
        self._cleanup = cleanup
        self._memory_mb = memory_mb
        self._alive: dict[int, Child] = {}

    def __iter__(self) -> Iterator[Child]:
        return iter(list(self._alive.values()))

    def __len__(self) -> int:
        return len(self._alive)

    def in_queue(self, queue: str) -> int:
        """Return how many run jobs of a queue."""
        return sum(child.job.queue == queue for child in self)

    def attempts(self) -> dict[str, int]:
        """The attempts that they run: job id → attempt."""
        return {child.job.id: child.job.attempt for child in self}

    def start(self, job: Job) -> None:
        """Fork a child for a claimed job; the caller has one thread.

        Where there is no process or no memory left, it failed.
        """
        self._ledger.engine.dispose()  # no connection may be carried across the fork
        try:
            pid = fork_child(partial(self._in_child, job))
        except OSError as exc:
            died = JobDied("The process of the job could not be started: {why}.", why=str(exc))
            self._outcomes.note(job.id, job.attempt, JobError.of(died))
            return
        self._alive[pid] = Child(job, pid, time.monotonic())
        log.info("attempt started", job=job.id, attempt=job.attempt, child=pid)

    def watch(self) -> None:
        """Notice those that ended by themselves, with all that they had started, and kill those
        that took too long.
        """
        for child in self:
            exit_code = poll_child(child.pid)
            if exit_code is not None:
                del self._alive[child.pid]
                self._outcomes.note(child.job.id, child.job.attempt, death_error(exit_code, self._memory_mb))
                if exit_code:
                    self._cleanup.start(child.job.id, child.job.attempt)
            elif is_overdue(time.monotonic() - child.started_s, child.job.timeout_s):
                self.kill(child)
                self._outcomes.note(child.job.id, child.job.attempt, timeout_error(child.job.timeout_s))

    def stop_unwanted(self) -> None:
        """Kill those whose attempt is no longer the one: cancelled, or given to another worker.

        One that has just written how it ended is left to end, but not for long: another may have
        written it.

        Raises:
            SQLAlchemyError: the ledger does not answer; then they go on.
        """
        statuses = self._ledger.attempt_statuses(self.attempts())
        for child in self:
            status = statuses.get(child.job.id)
            if status is Status.RUNNING:
                continue
            if status not in (None, Status.CANCELLED):
                child.over_s = child.over_s or time.monotonic()
                if time.monotonic() - child.over_s < LAST_WORDS_S:
                    continue
            self.kill(child)
            self._ledger.stopped(child.job.id, child.job.attempt)

    def give_back(self) -> None:
        """Kill all; their jobs are queued again."""
        for child in self:
            log.info("job given back", job=child.job.id)
            self.kill(child)
            self._outcomes.note(child.job.id, child.job.attempt, None)

    def kill(self, child: Child) -> None:
        """End a child and all that it has started, also what it left running elsewhere."""
        del self._alive[child.pid]
        end_child(child.pid)
        log.info("child ended", job=child.job.id, attempt=child.job.attempt, child=child.pid)
        self._cleanup.start(child.job.id, child.job.attempt)

    def _in_child(self, job: Job) -> None:
        structlog.contextvars.bind_contextvars(job=job.id, attempt=job.attempt)
        if self._memory_mb:
            limit_memory(self._memory_mb)
        if job.queue == LARGE:
            os.nice(LARGE_NICENESS)
        self._body(job)
