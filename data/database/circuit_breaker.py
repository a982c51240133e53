"""How long a page waits for a database: a moment,
and not even that while the database does not answer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from errors import SourceUnavailable

PATIENCE_S = 0.8  # that a page waits for one question
# while the database does not answer, how often one question is let through to find out
AGAIN_S = 1.0

Answer = TypeVar("Answer")

log = structlog.get_logger(__name__)


class RunQuery(Protocol):
    """Puts a question to a database and returns what it answers."""

    def __call__(self, question: Callable[[], Answer]) -> Answer:
        """Return the answer.

        Raises:
            SourceUnavailable: the database does not answer; only where a page asks.
        """


def run_directly(question: Callable[[], Answer]) -> Answer:
    """Return the answer, for commands and jobs: what a driver raises comes as it is."""
    return question()


def run_for_page(question: Callable[[], Answer]) -> Answer:
    """Return the answer, for the web process, whose engine has network timeouts:
    what a driver raises becomes a sentence.

    Raises:
        SourceUnavailable: the database does not answer.
    """
    try:
        return question()
    except (DBAPIError, PoolTimeout) as error:
        if isinstance(error, (OperationalError, InterfaceError, PoolTimeout)) or error.connection_invalidated:
            raise SourceUnavailable("The database does not answer. Try again in a moment.") from error
        raise


class CircuitBreaker:
    """Remembers whether a database answers: after a failure it is open,
    and lets one question through every ``again_s``.

    ``what``: what the log calls the database, in the plural.
    Any answer, even a late one, closes it.
    """

    def __init__(self, what: str, *, again_s: float = AGAIN_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._again_s = again_s
        self._clock = clock
        self._lock = threading.Lock()
        self._ask_at: float | None = None  # while open: when the next question is let through

    @property
    def is_open(self) -> bool:
        """Return whether the last question was not answered."""
        return self._ask_at is not None

    def allow_probe(self) -> bool:
        """Return whether a question may be asked now; while open, True once in ``again_s``."""
        with self._lock:
            if self._ask_at is None:
                return True
            if self._clock() < self._ask_at:
                return False
            self._ask_at = self._clock() + self._again_s
            return True

    def record_success(self) -> None:
        """Close the circuit; log it when it was open."""
        with self._lock:
            back, self._ask_at = self._ask_at is not None, None
        if back:
            log.info(f"the {self._what} answer again")

    def record_failure(self, why: str) -> None:
        """Open the circuit; log the first failure."""
        with self._lock:
            first, self._ask_at = self._ask_at is None, self._clock() + self._again_s
        if first:
            log.warning(f"the {self._what} do not answer", error=why)
