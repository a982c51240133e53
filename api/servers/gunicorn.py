"""gunicorn's threads behind buffers: a slow client holds a connection, and never a thread.

gunicorn's own worker reads a request, and sends its answer, in the thread that makes the answer. So
a few clients that send or take a byte a second hold all threads, and nobody else is answered, not
even who asks for the site's health. Here the loop that waits for connections collects requests
until they are whole, and sends off what a client has not taken yet, as nginx does. Health has a
thread of its own.
"""

from __future__ import annotations

import errno
import re
import selectors
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, Final

from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, ThreadWorker

from api.servers.client_pace import WITHIN_S
from api.servers.gunicorn_connection import PIECE_BYTES, BufferedConnection
from config import load_settings

HEAD_S: Final = 20.0  # from the first byte of a request to the end of its head
BODY_S: Final = 120.0  # from there to the end of its body
LINGER_S: Final = 2.0  # for the client to close its side, so that it gets the end of what was sent
# of all connections of a process, both ways; then whoever holds most is given up
ALL_BYTES: Final = 256 << 20

_LEAVE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_NO_CHUNKS: Final = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_TOO_LONG: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class BufferingWorker(ThreadWorker):  # type: ignore[misc]
    """See the module's text. Where gunicorn itself ends TLS, its own ways are left:
    what comes is not known before that.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # for bytes of a request, or for the client to take its answer
        self._waiting: set[BufferedConnection] = set()
        self._swept_s = 0.0
        prefix = re.escape(load_settings().url_prefix.encode())
        self._health = re.compile(rb"(GET|HEAD) " + prefix + rb"(healthz|readyz)[ ?]")

    def init_process(self) -> None:
        """Prepare the process of the worker, and serve."""
        self._health_pool = ThreadPoolExecutor(1, "health")
        super().init_process()

    # -- requests come in --------------------------------------------------------------------------

    def accept(self, listener: socket.socket) -> None:
        """Take a connection and wait for its first request; no thread is needed for that."""
        if self.cfg.is_ssl:
            super().accept(listener)
            return
        try:
            sock, client = listener.accept()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK, errno.EMFILE):
                raise
            return
        self.nr_conns += 1
        if self.nr_conns >= self.worker_connections:
            self._make_room()
        conn = BufferedConnection(self.cfg, sock, client, listener.getsockname())
        self._wait(conn, selectors.EVENT_READ, self._arrives, HEAD_S)

    def on_client_socket_readable(self, conn: Any, client: Any) -> None:
        """A kept connection brings its next request."""
        if not isinstance(conn, BufferedConnection):
            super().on_client_socket_readable(conn, client)
            return
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._wait(conn, selectors.EVENT_READ, self._arrives, HEAD_S)
        self._arrives(conn)

    def _arrives(self, conn: BufferedConnection) -> None:
        try:
            piece = conn.sock.recv(PIECE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            self._give_up(conn)
            return
        if not len(conn.arrival):
            conn.until_s = time.monotonic() + HEAD_S
        conn.arrival.add(piece)
        self._go_on(conn)

    def _go_on(self, conn: BufferedConnection) -> None:
        """Give a request to a thread when it is whole; else go on waiting for it."""
        if conn.arrival.is_whole and not conn.arrival.is_broken:
            self._ready(conn)
            self.enqueue_req(conn)
        elif conn.arrival.too_long or conn.arrival.is_broken:
            with suppress(OSError):
                conn.sock.send(_NO_CHUNKS if conn.arrival.is_broken else _TOO_LONG)
            self._close_gently(conn)
        elif conn.arrival.has_head and not conn.told:
            conn.told, conn.until_s = True, time.monotonic() + BODY_S
            if conn.arrival.expects_continue:
                with suppress(OSError):
                    conn.sock.send(_LEAVE)

    def enqueue_req(self, conn: Any) -> None:
        """Have a request answered: health by a thread of its own, however many others there are."""
        if not isinstance(conn, BufferedConnection) or not self._health.match(conn.arrival.first_line):
            super().enqueue_req(conn)
            return
        done = self._health_pool.submit(self.handle, conn)
        done.add_done_callback(lambda future: self.method_queue.defer(self.finish_request, conn, future))

    def handle(self, conn: Any) -> Any:
        """Answer a request, in a thread."""
        if isinstance(conn, BufferedConnection):
            conn.give()
        return super().handle(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Handle a request; an answer that breaks off leaves nothing to be sent."""
        try:
            return super().handle_request(req, conn)
        except BaseException:
            if isinstance(conn, BufferedConnection):
                conn.sock.drop()
            raise

    # -- answers go out ----------------------------------------------------------------------------

    def finish_request(self, conn: Any, fs: Future[Any]) -> None:
        """The thread is done; the client may still have to take its answer."""
        if not isinstance(conn, BufferedConnection):
            super().finish_request(conn, fs)
            return
        if conn.sock.fileno() < 0:  # closed by gunicorn, in the middle of its answer
            self.nr_conns -= 1
            return
        keep = not fs.cancelled() and fs.exception() is None and conn.take_back() and fs.result() is True
        self._wait(conn, selectors.EVENT_WRITE, partial(self._takes, keep=keep), WITHIN_S)
        self._takes(conn, keep=keep)

    def _takes(self, conn: BufferedConnection, *, keep: bool) -> None:
        try:
            sent = conn.sock.flush()
        except OSError:
            self._give_up(conn)
            return
        if not sent:
            conn.until_s = conn.sock.pace.until_s
        elif not keep:
            self._close_gently(conn)
        else:
            self._keep(conn)

    def _keep(self, conn: BufferedConnection) -> None:
        """Wait for the connection's next request; part of it may be there."""
        self._ready(conn)
        if len(conn.arrival):
            self._wait(conn, selectors.EVENT_READ, self._arrives, HEAD_S)
            self._go_on(conn)
            return
        conn.set_timeout()
        if not self.alive:
            conn.timeout = min(conn.timeout, time.monotonic() + STOP_KEEPALIVE_LINGER)
        self.keepalived_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_client_socket_readable, conn))

    def _close_gently(self, conn: BufferedConnection) -> None:
        """Close our side, and wait a moment for the client to close its own;
        at once, it might lose the end of its answer.
        """
        self._ready(conn)
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(conn)
            return
        self._wait(conn, selectors.EVENT_READ, self._parts, LINGER_S)

    def _parts(self, conn: BufferedConnection) -> None:
        try:
            if conn.sock.recv(PIECE_BYTES):
                return  # of no use any more
        except BlockingIOError:
            return
        except OSError:
            pass
        self._give_up(conn)

    # -- waiting -----------------------------------------------------------------------------------

    def _wait(self, conn: BufferedConnection, event: int, then: Callable[[BufferedConnection], None], seconds: float) -> None:
        conn.sock.setblocking(False)
        conn.until_s = time.monotonic() + seconds
        self._waiting.add(conn)
        self.poller.register(conn.sock, event, lambda _sock: then(conn))

    def _ready(self, conn: BufferedConnection) -> None:
        """Wait for nothing of it any more."""
        if conn in self._waiting:
            self._waiting.remove(conn)
            self.poller.unregister(conn.sock)

    def _make_room(self) -> None:
        """Give up who is waited for longest: a silent crowd keeps nobody out."""
        idle = [one for one in self._waiting if not one.sock.unsent]
        if idle:
            self._give_up(min(idle, key=lambda one: one.until_s))

    def _give_up(self, conn: BufferedConnection) -> None:
        self._ready(conn)
        self._close(conn)

    def _close(self, conn: BufferedConnection) -> None:
        self.nr_conns -= 1
        conn.close()

    def murder_pending(self) -> None:
        """Give up, once a second, who was waited for long enough and who holds too much;
        when we end, who then sends nothing.
        """
        super().murder_pending()
        now_s = time.monotonic()
        if now_s - self._swept_s < 1 and self.alive:
            return
        self._swept_s = now_s
        for conn in list(self._waiting):
            if not (self.alive or conn.held_bytes):  # its request may be under way
                conn.until_s = min(conn.until_s, now_s + STOP_KEEPALIVE_LINGER)
            if conn.until_s < now_s:
                self._give_up(conn)
        held = sum(conn.held_bytes for conn in self._waiting)
        for conn in sorted(self._waiting, key=lambda one: one.held_bytes, reverse=True):
            if held <= ALL_BYTES:
                break
            held -= conn.held_bytes
            self._give_up(conn)
