"""A connection of gunicorn's that never waits for its client (see api/servers/gunicorn.py)."""

from __future__ import annotations

import errno
import socket
import time
from select import POLLOUT, poll
from typing import Any, Final

from gunicorn.workers.gthread import TConn

from api.servers.client_pace import ClientPace
from api.servers.request_buffer import RequestBuffer

PIECE_BYTES: Final = 256 << 10  # that are taken from a client, or sent, at once
# of one answer; more than any page or script, so that only downloads ever wait for their reader
WAITING_BYTES: Final = 8 << 20


class BufferingSocket(socket.socket):
    """A connection that keeps what its client does not take at once."""

    def __init__(self, taken: socket.socket) -> None:
        super().__init__(taken.family, taken.type, taken.proto, fileno=taken.detach())
        self.unsent = bytearray()
        self.is_answered = False  # by a thread, at this moment
        self._left_s = time.monotonic()
        self.pace = ClientPace(self._left_s)

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        """What has come. A thread gets nothing: what it has is the whole request,
        and it must wait for no client.
        """
        return b"" if self.is_answered else super().recv(bufsize, flags)

    def sendall(self, data: Any, flags: int = 0) -> None:  # noqa: ARG002 - the socket's own
        """Keep all of it to be sent. Waits only while much is kept already,
        and gives a client up that takes too little.
        """
        began_s = time.monotonic()
        if self.unsent:
            self.pace.until_s += began_s - self._left_s  # that the answer took to go on
        else:
            self.pace.catch_up(began_s)
        while len(self.unsent) >= WAITING_BYTES and not self.flush():
            waiting = poll()
            waiting.register(self, POLLOUT)
            if not waiting.poll(max(0.0, self.pace.until_s - time.monotonic()) * 1000):
                raise ConnectionResetError(errno.ECONNRESET, "the client takes too little")
        self.unsent += data
        self.flush()
        self._left_s = time.monotonic()

    def flush(self) -> bool:
        """Send what the client takes now; whether nothing is left."""
        while self.unsent:
            try:
                with memoryview(self.unsent) as kept, kept[:PIECE_BYTES] as piece:
                    sent = self.send(piece, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return False
            del self.unsent[:sent]
            self.pace.take(sent)
        return True

    def drop(self) -> None:
        """Forget what was not sent: half an answer must not look like a whole one."""
        self.unsent.clear()


class BufferedConnection(TConn):  # type: ignore[misc]  # gunicorn has no types
    """A connection with what came of its next request, given up at ``until_s`` (monotonic)."""

    def __init__(self, cfg: Any, sock: socket.socket, client: Any, server: Any) -> None:
        super().__init__(cfg, BufferingSocket(sock), client, server)
        self.arrival = RequestBuffer()
        self.until_s = 0.0
        self.told = False  # to go on with the body
        # part of the body will not be read, so that nobody knows where the next request begins
        self.is_torn = False

    def give(self) -> None:
        """Hand the whole request to gunicorn's parser; keep what came of the next one."""
        self.init()
        self.sock.is_answered = self.data_ready = True
        self.sock.pace.begin(time.monotonic())
        self.is_torn = self.arrival.is_torn
        text, rest = self.arrival.cut()
        self.parser.unreader.unread(text)
        self.arrival, self.told = RequestBuffer(rest), False

    def take_back(self) -> bool:
        """Return, after the answer, whether another request may follow."""
        self.sock.is_answered = False
        self.sock.setblocking(False)
        return not (self.is_torn or self.parser.unreader.buf.getvalue())

    @property
    def held_bytes(self) -> int:
        return len(self.arrival) + len(self.sock.unsent)
