"""The children of a worker: one forked process for each job that it runs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import structlog

from jobs import policy
from jobs.job import Job
from jobs.policy import LARGE
from jobs.process import end_child, fork_child, limit_memory, poll_child

LARGE_NICENESS = 5  # large jobs leave the processor to others who want it

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Child:
    """A process that runs one attempt. ``started_s`` is the monotonic clock's: no setting of clocks moves the deadline."""

    job: Job
    pid: int
    started_s: float

    @property
    def deadline_s(self) -> float:
        """When it must have ended, by the monotonic clock."""
        return self.started_s + self.job.timeout_s

    @property
    def is_overdue(self) -> bool:
        """Whether it has used up its time."""
        return policy.is_overdue(time.monotonic() - self.started_s, self.job.timeout_s)


class Children:
    """Those that are alive. ``body`` is run in a child; ``memory_mb`` is what each may take (0: no limit)."""

    def __init__(self, body: Callable[[Job], None], memory_mb: int = 0) -> None:
        self._body = body
        self.memory_mb = memory_mb
        self._alive: dict[int, Child] = {}

    def __iter__(self) -> Iterator[Child]:
        return iter(list(self._alive.values()))

    def __len__(self) -> int:
        return len(self._alive)

    def in_queue(self, queue: str) -> int:
        """How many run jobs of a queue."""
        return sum(child.job.queue == queue for child in self)

    def attempts(self) -> dict[str, int]:
        """The attempts that they run: job id → attempt."""
        return {child.job.id: child.job.attempt for child in self}

    def start(self, job: Job) -> None:
        """Fork a child; the caller has one thread and no connection to a database.

        Raises:
            OSError: there is no process or no memory left.
        """
        pid = fork_child(partial(self._in_child, job))
        self._alive[pid] = Child(job, pid, time.monotonic())
        log.info("attempt started", job=job.id, attempt=job.attempt, child=pid)

    def reap(self) -> list[tuple[Child, int]]:
        """Children that have ended by themselves, with their exit codes; all that they had started is ended, too."""
        ended = []
        for child in self:
            exit_code = poll_child(child.pid)
            if exit_code is not None:
                del self._alive[child.pid]
                ended.append((child, exit_code))
        return ended

    def kill(self, child: Child) -> None:
        """End a child and all that it has started."""
        del self._alive[child.pid]
        end_child(child.pid)
        log.info("child ended", job=child.job.id, attempt=child.job.attempt, child=child.pid)

    def _in_child(self, job: Job) -> None:
        structlog.contextvars.bind_contextvars(job=job.id, attempt=job.attempt)
        if self.memory_mb:
            limit_memory(self.memory_mb)
        if job.queue == LARGE:
            os.nice(LARGE_NICENESS)
        self._body(job)
