"""How long a page waits for a database: a moment, and while nobody answers, not even that."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from errors import SourceUnavailable

PATIENCE_S = 0.8  # that a page waits for one question
AGAIN_S = 1.0  # while nobody answers, how often one question is let through to find out
_MOST_HANGING = 12  # questions that were given up and have not ended; as many connections are taken
_SLICE_S = 0.05

Answer = TypeVar("Answer")

log = structlog.get_logger(__name__)


class Ask(Protocol):
    """Puts a question to a database and returns what it answers."""

    def __call__(self, question: Callable[[], Answer]) -> Answer:
        """The answer.

        Raises:
            SourceUnavailable: the database does not answer; only of those who are impatient.
        """


def ask_directly(question: Callable[[], Answer]) -> Answer:
    """For commands and jobs: as long as it takes; what a driver raises comes as it is."""
    return question()


class Gate:
    """Remembers whether a database answers: after a failure it is shut, and lets one question through every ``again_s``.

    ``what``: what the log calls the database, in the plural. Any answer, even a late one, opens it.
    """

    def __init__(self, what: str, *, again_s: float = AGAIN_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._again_s = again_s
        self._clock = clock
        self._lock = threading.Lock()
        self._ask_at: float | None = None  # while nobody answers: when the next question is let through

    @property
    def is_shut(self) -> bool:
        """Whether nobody has answered lately."""
        return self._ask_at is not None

    def let_through(self) -> bool:
        """Whether a question may be asked now; while shut, True once in ``again_s``."""
        with self._lock:
            if self._ask_at is None:
                return True
            if self._clock() < self._ask_at:
                return False
            self._ask_at = self._clock() + self._again_s
            return True

    def note_answer(self) -> None:
        """The database answered."""
        with self._lock:
            back, self._ask_at = self._ask_at is not None, None
        if back:
            log.info(f"the {self._what} answer again")

    def note_silence(self, why: str) -> None:
        """It did not."""
        with self._lock:
            first, self._ask_at = self._ask_at is None, self._clock() + self._again_s
        if first:
            log.warning(f"the {self._what} do not answer", error=why)


class Impatient:
    """For the web process: every question has a thread of its own, which is left behind when the answer takes too long.

    No driver can promise that: a server that was stopped still takes what is sent to it. After a failure all questions are
    refused at once; one every ``again_s`` is let through, and its answer, even a late one, ends that.
    """

    def __init__(
        self, *, patience_s: float = PATIENCE_S, again_s: float = AGAIN_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._slices = max(1, round(patience_s / _SLICE_S))
        self._gate = Gate("observations", again_s=again_s, clock=clock)
        self._lock = threading.Lock()
        self._hanging = 0

    def __call__(self, question: Callable[[], Answer]) -> Answer:
        """As :class:`Ask`."""
        if not self._let_through():
            raise _away()
        asked = _Asked(question)
        threading.Thread(target=contextvars.copy_context().run, args=(self._run, asked), daemon=True).start()
        # Slices, so that time in which this very process did not get a processor is not taken for the database's.
        if not any(asked.ended.wait(_SLICE_S) for _ in range(self._slices)):
            self._give_up(asked)
            raise _away()
        if asked.error is None:
            return asked.answer  # type: ignore[no-any-return]
        if _is_trouble(asked.error):
            raise _away() from asked.error
        raise asked.error

    def _let_through(self) -> bool:
        with self._lock:
            if self._gate.is_shut and self._hanging >= _MOST_HANGING:
                return False
        return self._gate.let_through()

    def _run(self, asked: _Asked) -> None:
        try:
            asked.answer = asked.question()
        except BaseException as error:  # noqa: BLE001 - it is raised where it was asked
            asked.error = error
        if asked.error is None or not _is_trouble(asked.error):
            self._gate.note_answer()
        else:
            self._gate.note_silence(str(asked.error).splitlines()[0])
        with self._lock:
            asked.ended.set()
            self._hanging -= asked.given_up

    def _give_up(self, asked: _Asked) -> None:
        with self._lock:
            if asked.ended.is_set():
                return
            asked.given_up = True
            self._hanging += 1
        self._gate.note_silence("no answer in time")


class _Asked:
    """A question on its way; ``given_up`` when nobody waits for its answer any more."""

    def __init__(self, question: Callable[[], Any]) -> None:
        self.question = question
        self.answer: Any = None
        self.error: BaseException | None = None
        self.ended = threading.Event()
        self.given_up = False


def _away() -> SourceUnavailable:
    return SourceUnavailable("The database of observations does not answer; try again in a moment.")


def _is_trouble(error: BaseException) -> bool:
    """Whether an error says that the database is not there, rather than that the question was wrong."""
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return lost or isinstance(error, (OperationalError, InterfaceError, PoolTimeout))
