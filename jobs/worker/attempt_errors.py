"""Errors of attempts that cannot say themselves how they ended: overdue, killed,
or lost with their worker.
"""

from __future__ import annotations

import signal

from errors import JobDied, JobTimeout
from jobs.job import JobError

_CRASHES = frozenset({signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE})


def is_overdue(running_s: float, timeout_s: float) -> bool:
    """Return whether an attempt has used up its wall-clock time."""
    return running_s >= timeout_s


def timeout_error(timeout_s: float) -> JobError:
    """The error of an attempt that was stopped at its time limit."""
    return JobError.of(JobTimeout("The load exceeded the time limit of {seconds} s.", seconds=f"{timeout_s:g}"))


def death_error(exit_code: int, memory_mb: int = 0) -> JobError:
    """The error of a child that ended without a result;
    ``exit_code`` is negative for a signal, as in subprocess.

    ``memory_mb`` is what it might take (0: no limit): libraries that are
    refused memory abort without a word.
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
