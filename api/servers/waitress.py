"""waitress, whose loop collects requests and sends answers already;
no client may be slow for ever, and health has a thread.
"""

from __future__ import annotations

import time
from typing import Any, Final

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from api.servers.client_pace import ClientPace

HEAD_S: Final = 20.0  # from the first byte of a request to the end of its head
REQUEST_S: Final = 120.0  # from there to its last
CHECK_S: Final = 5  # how often this is looked at
CONNECTIONS: Final = 500  # a process may open 1,024 files on most systems, and tiles are files, too

_HEALTH: Final = ("healthz", "readyz")


def make_server(application: Any, *, host: str, port: int, threads: int, health_below: str, **how: Any) -> TcpWSGIServer:
    """A server that listens on every address of ``host``; its ``run`` answers until interrupted.

    ``health_below`` is the path below which health is asked for;
    ``how`` is as for ``waitress.serve``.
    """
    own = {
        "cleanup_interval": CHECK_S,
        "connection_limit": CONNECTIONS,
        # select() knows files up to number 1,023 only; each open tile is one
        "asyncore_use_poll": True,
    }
    adjusted = Adjustments(host=host, port=port, threads=threads, **own, **how)
    dispatcher = Dispatcher(frozenset(f"{health_below}{name}" for name in _HEALTH))
    dispatcher.set_thread_count(threads)
    waited_for: dict[int, Any] = {}  # by all of them in one loop
    servers = [Server(application, waited_for, dispatcher=dispatcher, adj=adjusted, sockinfo=each) for each in adjusted.listen]
    return servers[0]


class SiteChannel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """A connection that knows since when a request comes in, and how fast its answer goes out."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.begun_s = time.time()
        self.pace = ClientPace(self.begun_s)

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Send what the client takes now; how much that is."""
        sent = int(super().send(data, do_close=do_close))
        self.pace.take(sent)
        return sent

    def received(self, data: bytes) -> bool:
        """Take what has come."""
        if self.request is None:
            self.begun_s = time.time()
        return bool(super().received(data))

    def service(self) -> None:
        """Answer a request, in a thread."""
        if not self.total_outbufs_len:  # else an earlier answer is still being sent
            self.pace.begin(time.time())
        super().service()

    def is_too_slow(self, now_s: float) -> bool:
        """Whether its client takes too long over a request, or too little of an answer;
        looked at every CHECK_S.
        """
        if self.total_outbufs_len:
            return now_s > self.pace.until_s
        self.pace.catch_up(now_s)
        if self.request is None:
            return False
        return bool(now_s - self.begun_s > (REQUEST_S if self.request.headers_finished else HEAD_S))

    @property
    def is_idle(self) -> bool:
        """Whether nothing is to be done for it now."""
        return not self.requests and not self.total_outbufs_len


class Server(TcpWSGIServer):  # type: ignore[misc]
    """A server that gives up clients who keep it waiting."""

    channel_class = SiteChannel

    def maintenance(self, now: float) -> None:
        """Close what has been of no use for long; called by the loop from time to time."""
        super().maintenance(now)
        crowded = self.in_connection_overflow  # then who sends nothing must not keep others out
        for channel in list(self.active_channels.values()):
            if channel.is_too_slow(now) or (crowded and channel.is_idle and now - channel.begun_s > CHECK_S):
                channel.handle_close()


class Dispatcher(ThreadedTaskDispatcher):  # type: ignore[misc]
    """Threads for requests, and one more for health, asked for when all others are busy."""

    def __init__(self, health: frozenset[str]) -> None:
        super().__init__()
        self._paths = health
        self._health = ThreadedTaskDispatcher()
        self._health.set_thread_count(1)

    def add_task(self, task: Any) -> None:
        """Have a request answered."""
        asked = task.requests[0]
        if not asked.error and asked.path in self._paths:
            self._health.add_task(task)
        else:
            super().add_task(task)

    def shutdown(self, cancel_pending: bool = True, timeout: float = 5) -> bool:
        """End all threads."""
        self._health.shutdown(cancel_pending, timeout)
        return bool(super().shutdown(cancel_pending, timeout))
