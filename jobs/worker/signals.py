"""Sleep of a supervisor until a signal or a wake-up arrives; none is missed."""

from __future__ import annotations

import select
import signal
import socket
import time
from types import TracebackType
from typing import Self

from jobs.worker.wake import WakeSocket

_STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class SignalWaiter:
    """Counts the signals that ask to stop, and sleeps until one of them,
    a child's end or a wake-up.

    A context manager: outside of it the process has its old handlers. For the main thread.
    """

    def __init__(self, wakeup: WakeSocket) -> None:
        self._wakeup = wakeup
        self._reader, self._writer = socket.socketpair()
        self.stops = 0
        self.first_stop_s: float | None = None  # monotonic

    def sleep(self, wait_s: float) -> None:
        """Return after ``wait_s`` seconds, or as soon as something happens."""
        sources: list[WakeSocket | socket.socket] = [self._wakeup, self._reader]
        ready, _, _ = select.select(sources, [], [], wait_s)
        if self._wakeup in ready:
            self._wakeup.drain()
        if self._reader in ready:
            self._reader.recv(4096)

    def __enter__(self) -> Self:
        for end in (self._reader, self._writer):
            end.setblocking(False)
        self._before = {number: signal.signal(number, self._stop) for number in _STOPPING}
        self._before[signal.SIGCHLD] = signal.signal(
            signal.SIGCHLD, lambda *_: None
        )  # a handler, so that it writes to the socket
        self._descriptor = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        signal.set_wakeup_fd(self._descriptor)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._reader.close()
        self._writer.close()

    def _stop(self, _number: int, _frame: object) -> None:
        self.stops += 1
        self.first_stop_s = self.first_stop_s or time.monotonic()
