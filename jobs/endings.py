"""How attempts ended, as far as the ledger may not know it yet: kept until it answers, so that no ending is lost."""

from __future__ import annotations

import random
from dataclasses import dataclass

import structlog

from errors import StaleAttempt
from jobs.job import JobError
from jobs.ledger import Ledger

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Ending:
    job_id: str
    attempt: int
    error: JobError | None


class Endings:
    """Of a worker's attempts, in the order in which they were noted."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._noted: list[_Ending] = []

    def __len__(self) -> int:
        return len(self._noted)

    def note(self, job_id: str, attempt: int, error: JobError | None) -> None:
        """The attempt is over, unless it has written its own end; ``error`` None gives the job back."""
        self._noted.append(_Ending(job_id, attempt, error))

    def settle(self) -> None:
        """Write them down.

        Raises:
            SQLAlchemyError: the ledger does not answer; what is not written stays noted.
        """
        while self._noted:
            try:
                self._write(self._noted[0])
            except StaleAttempt:  # it has: completed, failed, or cancelled meanwhile
                pass
            self._noted.pop(0)

    def _write(self, ending: _Ending) -> None:
        if ending.error is None:
            self._ledger.requeue(ending.job_id, ending.attempt)
            return
        self._ledger.fail(ending.job_id, ending.attempt, ending.error, jitter=random.random())  # noqa: S311 - spreads retries # nosec B311
        log.warning("attempt failed", job=ending.job_id, attempt=ending.attempt, error=ending.error.message)
