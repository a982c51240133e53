"""One SQLite library at a time.

Python's sqlite3 and connectorx each carry a SQLite of their own. POSIX locks belong to a process, not to a library: when
one of them closes a file, the locks of the other are gone as well, and neither sees that the other has the file open
(https://www.sqlite.org/howtocorrupt.html, 2.2). So within a process, either many fast reads are on their way or one
general read, never both; and between them Python's connections are closed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Gate:
    """Lets many in together, or one alone. One who wants to be alone waits only for those inside."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._waiting = 0

    @contextmanager
    def together(self) -> Iterator[None]:
        """Be inside with others; waits while somebody is alone or wants to be."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting == 0)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be inside alone."""
        with self._changed:
            self._waiting += 1
            try:
                self._changed.wait_for(lambda: self._inside == 0)
                yield  # holding the lock: nobody comes in
            finally:
                self._waiting -= 1
                self._changed.notify_all()
