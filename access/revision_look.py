"""Looking into the database for what people have decided or set since, seldom enough for every
question to ask.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import Engine, Select, select
from sqlalchemy.exc import SQLAlchemyError

from access.tables import quality_revision
from data.database.engine import lacks_tables
from errors import LedgerUnavailable

LOOK_EVERY_S: Final = 0.5


class RevisionLook:
    """Knows the revision of decisions and limits, at most LOOK_EVERY_S seconds old. One statement
    looks for all who ask; of threads that ask at once one does. ``clock``: seconds.
    """

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._clock = clock
        self._lock = threading.Lock()
        self._look_s = float("-inf")  # when to look again
        self._revision = 0

    def __call__(self) -> int:
        """Return the revision, 0 before the first change; raises as :func:`rows_of`."""
        if self._clock() >= self._look_s:
            with self._lock:
                if self._clock() >= self._look_s:  # else another thread has looked meanwhile
                    rows = rows_of(self._engine, select(quality_revision.c.revision))
                    self._revision = rows[0].revision if rows else 0
                    self._look_s = self._clock() + LOOK_EVERY_S
        return self._revision

    def again(self) -> None:
        """Have the next question look: this process has changed something."""
        with self._lock:  # who is reading may have begun before the change
            self._look_s = float("-inf")


class KeptByRevision(ABC):
    """What a process keeps of a table whose rows have the revision at which they changed.

    All of it is kept. What has changed since is read where ``look`` says that there is something
    new, by one statement that answers with the changes alone.
    """

    def __init__(self, engine: Engine, look: RevisionLook | None = None) -> None:
        self._engine = engine
        self._look = look or RevisionLook(engine)
        self._lock = threading.Lock()
        self._known = 0  # the revision up to which all is read
        self._revision = 0  # the latest that was read

    def look_again(self) -> None:
        """Have the next question look for changes: this process has made one."""
        self._look.again()

    def _keep_up(self) -> None:
        """Read what has changed; raises as :func:`rows_of`."""
        if self._look() > self._known:
            with self._lock:
                if (revision := self._look()) > self._known:  # else another thread has read it meanwhile
                    self._read_changes()
                    self._known = revision

    @abstractmethod
    def _read_changes(self) -> None:
        """Read the rows that changed after ``_revision``, and move it on."""


def rows_of(engine: Engine, query: Select[Any]) -> Sequence[Any]:
    """Return the rows of a query.

    Raises:
        LedgerUnavailable: the database does not answer.
        SQLAlchemyError: it is not up to date with the program; whoever answers says what to do.
    """
    try:
        with engine.connect() as connection:
            return connection.execute(query).all()
    except SQLAlchemyError as exc:
        if lacks_tables(exc):
            raise
        raise LedgerUnavailable from exc
