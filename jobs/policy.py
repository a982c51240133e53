"""What happens next to a job: pure decisions. Time and chance are passed in; the ledger and the worker act."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from errors import JobDied, JobTimeout
from jobs.job import JobError

FIRST_DELAY_MS = 1_000
LONGEST_DELAY_MS = 60_000
JITTER = 0.25  # part of a delay that chance may take off, so that jobs that failed together do not return together

HEARTBEAT_MS = 2_000
LEASE_MS = 8_000  # four heartbeats; with a second of polling a dead worker is noticed within 10 s
ALIVE_MS = 10_000  # a worker that was silent for longer is not counted

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


def death_error(exit_code: int) -> JobError:
    """The error of a child that ended without a result; ``exit_code`` is negative for a signal, as in subprocess."""
    if exit_code >= 0:
        return JobError.of(JobDied("The process of the job ended without a result (exit code {exit_code}).", exit_code=exit_code))
    number = -exit_code
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    if number == signal.SIGKILL:
        return JobError.of(JobDied("The process of the job was killed (SIGKILL); often the machine ran out of memory."))
    if number in _CRASHES:
        return JobError.of(JobDied("The process of the job crashed ({signal}).", signal=name))
    return JobError.of(JobDied("The process of the job was stopped by a signal ({signal}).", signal=name))


def lost_error() -> JobError:
    """The error of an attempt whose worker let the lease run out."""
    return JobError.of(JobDied("The worker that ran the job stopped answering."))
