"""What happens next to a job: pure decisions. Time and chance are passed in; the ledger and the worker act."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from access.grants import Purpose
from errors import JobDied, JobTimeout, QueueFull
from jobs.job import JobError

HISTORY = "history"  # ordinary jobs
LARGE = "history-large"  # jobs that read so much that they would keep others waiting
QUEUES = (HISTORY, LARGE)

WORKBOOK = "workbook"  # a kind of job, as HISTORY is the other: it writes the rows of its request to an XLSX file

FIRST_DELAY_MS = 1_000
LONGEST_DELAY_MS = 60_000
JITTER = 0.25  # part of a delay that chance may take off, so that jobs that failed together do not return together

HEARTBEAT_MS = 2_000
LEASE_MS = 5_000  # with a heartbeat until it is seen and jobs/leases.py to be sure, a dead worker is noticed within 10 s
ALIVE_MS = 10_000  # a worker that was silent for longer is not counted

IMPLAUSIBLE_MS = 60_000  # a time that lies so much further ahead than it can means that the clock was set back

_CRASHES = frozenset({signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE})


@dataclass(frozen=True)
class Limits:
    """When a worker takes no more jobs by itself; None: never."""

    max_jobs: int | None = None
    max_seconds: float | None = None
    stop_when_empty: bool = False

    def reached(self, *, claimed: int, worked_s: float, empty: bool) -> bool:
        """Whether it has claimed or worked enough, or found nothing left to do."""
        enough_jobs = self.max_jobs is not None and claimed >= self.max_jobs
        enough_time = self.max_seconds is not None and worked_s >= self.max_seconds
        return enough_jobs or enough_time or (self.stop_when_empty and empty)


@dataclass(frozen=True)
class Shares:
    """How much of the queue one user may take, and all together; None: as much as they like."""

    user_jobs: int | None = None  # queued or running
    queued_jobs: int | None = None

    def check(self, *, active_of_user: int, queued: int) -> None:
        """Whether one more job may be queued.

        Raises:
            QueueFull: saying how many there are and what to do.
        """
        if self.user_jobs is not None and active_of_user >= self.user_jobs:
            raise QueueFull(
                "Loads of yours that wait or run: {count}; no more than {limit} may. Wait until one has ended, or cancel one.",
                count=active_of_user,
                limit=self.user_jobs,
            )
        if self.queued_jobs is not None and queued >= self.queued_jobs:
            raise QueueFull(
                "Loads of all users that wait: {count}; no more than {limit} may. Try again in a few minutes.",
                count=queued,
                limit=self.queued_jobs,
            )


def purpose_of(kind: str) -> Purpose:
    """What must be granted for a job of a kind."""
    return Purpose.EXPORT if kind == WORKBOOK else Purpose.LOAD


def queue_of(rows_to_read: int, large_rows: int) -> str:
    """The queue of a job that has to read so many observations × sensors."""
    return LARGE if rows_to_read >= large_rows else HISTORY


def backoff_ms(failures: int, jitter: float) -> int:
    """Wait before the next attempt: 1 s, 2 s, 4 s … 60 s, less up to a quarter. ``jitter`` is in [0, 1)."""
    delay_ms = min(FIRST_DELAY_MS << max(0, min(failures, 32) - 1), LONGEST_DELAY_MS)
    return round(delay_ms * (1 - JITTER * jitter))


def retry_delay_ms(failures: int, tries: int, retryable: bool, jitter: float) -> int | None:
    """How long to wait before trying again after the ``failures``-th failure; None when the job fails for good."""
    return backoff_ms(failures, jitter) if retryable and failures < tries else None


def is_overdue(running_s: float, timeout_s: float) -> bool:
    """Whether an attempt has used up its wall-clock time."""
    return running_s >= timeout_s


def timeout_error(timeout_s: float) -> JobError:
    """The error of an attempt that was stopped at its time limit."""
    return JobError.of(JobTimeout("The job took longer than it may ({seconds} s).", seconds=f"{timeout_s:g}"))


def death_error(exit_code: int, memory_mb: int = 0) -> JobError:
    """The error of a child that ended without a result; ``exit_code`` is negative for a signal, as in subprocess.

    ``memory_mb`` is what it might take (0: no limit): libraries that are refused memory abort without a word.
    """
    if exit_code >= 0:
        return JobError.of(JobDied("The process of the job ended without a result (exit code {exit_code}).", exit_code=exit_code))
    number = -exit_code
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    if number == signal.SIGKILL:
        return JobError.of(JobDied("The process of the job was killed (SIGKILL); often the machine ran out of memory."))
    if number in _CRASHES and memory_mb:
        return JobError.of(
            JobDied(
                "The process of the job crashed ({signal}); it may have needed more memory than its {limit} MB.",
                signal=name,
                limit=memory_mb,
            )
        )
    if number in _CRASHES:
        return JobError.of(JobDied("The process of the job crashed ({signal}).", signal=name))
    return JobError.of(JobDied("The process of the job was stopped by a signal ({signal}).", signal=name))


def lost_error() -> JobError:
    """The error of an attempt whose worker let the lease run out."""
    return JobError.of(JobDied("The worker that ran the job stopped answering."))
