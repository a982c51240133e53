"""Outcomes of attempts that the ledger may not know yet:
kept until it answers, so that none is lost.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import structlog

from errors import StaleAttempt
from jobs.job import JobError
from jobs.ledger.ledger import Ledger

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Outcome:
    job_id: str
    attempt: int
    error: JobError | None


class PendingOutcomes:
    """The outcomes of a worker's attempts, in the order in which they were noted."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._noted: list[_Outcome] = []

    def __len__(self) -> int:
        return len(self._noted)

    def note(self, job_id: str, attempt: int, error: JobError | None) -> None:
        """Keep the outcome of an ended attempt: ``error``, or None to requeue the job.
        What the attempt wrote itself holds.
        """
        self._noted.append(_Outcome(job_id, attempt, error))

    def flush(self) -> None:
        """Write the noted outcomes to the ledger.

        Raises:
            SQLAlchemyError: the ledger does not answer; what is not written stays noted.
        """
        while self._noted:
            try:
                self._write(self._noted[0])
            except StaleAttempt:  # it has: completed, failed, or cancelled meanwhile
                pass
            self._noted.pop(0)

    def _write(self, outcome: _Outcome) -> None:
        if outcome.error is None:
            self._ledger.requeue(outcome.job_id, outcome.attempt)
            return
        self._ledger.fail(outcome.job_id, outcome.attempt, outcome.error, jitter=random.random())  # noqa: S311 - spreads retries # nosec B311
        log.warning("attempt failed", job=outcome.job_id, attempt=outcome.attempt, error=outcome.error.message)
