"""One SQLite library at a time.

Python's sqlite3 and connectorx each carry a SQLite of their own. POSIX locks belong to a process,
not to a library: when one of them closes a file, the locks of the other are gone as well, and
neither sees that the other has the file open (https://www.sqlite.org/howtocorrupt.html, 2.2). So
within a process, either many fast reads are on their way or one general read, never both; and
between them Python's connections are closed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class SharedLock:
    """A readers-writer lock: many shared holders, or one exclusive.
    An exclusive one waits only for those that hold it now.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._waiting = 0

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Hold the lock with others; waits while an exclusive holder has it or waits for it."""
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
    def exclusive(self) -> Iterator[None]:
        """Hold the lock alone."""
        with self._changed:
            self._waiting += 1
            try:
                self._changed.wait_for(lambda: self._inside == 0)
                yield  # holding the condition: no other thread comes in
            finally:
                self._waiting -= 1
                self._changed.notify_all()
