"""A relay before a site that lets a test decide how the questions of the chart are answered;
all else gets through.
"""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

VIEW = b'"output":"chart-answer.data"'
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class RelayHandler(BaseHTTPRequestHandler):
    """Sends answers of whatever stands behind a relay."""

    def send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Send an answer; headers that are of one connection only are this one's own."""
        with contextlib.suppress(OSError):  # nobody waits for it any more
            self.send_response_only(status)
            for name, value in headers.items():
                if name.lower() not in _HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_parts: object) -> None:
        """Say nothing."""


class Relay:
    """Relays ``http://127.0.0.1:port`` to a site.
    ``views`` are the bodies of the chart's questions so far.
    """

    def __init__(self, site_port: int) -> None:
        self.views: list[bytes] = []
        self._answer: int | None = None
        self._free = threading.Event()
        self._free.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, site_port))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def refuse(self, status: int) -> None:
        """From now on the chart's questions are answered with that status;
        0 cuts their connections.
        """
        self._answer = status

    def hold(self) -> None:
        """From now on the chart's questions wait."""
        self._free.clear()

    def pass_on(self) -> None:
        """All gets through, as at first, and what waited too."""
        self._answer = None
        self._free.set()

    def has_heard(self, count: int) -> bool:
        """Whether so many of the chart's questions have come."""
        return len(self.views) >= count

    def decide(self, body: bytes) -> int | None:
        """What a request is answered with: a status, or None for the site's own answer."""
        if VIEW not in body:
            return None
        self.views.append(body)
        self._free.wait()
        return self._answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._free.set()
        self._server.shutdown()
        self._server.server_close()


def _handler(relay: Relay, site_port: int) -> type[BaseHTTPRequestHandler]:
    class Handler(RelayHandler):
        def do_GET(self) -> None:
            self._relay(b"")

        def do_POST(self) -> None:
            self._relay(self.rfile.read(int(self.headers.get("Content-Length", 0))))

        def _relay(self, body: bytes) -> None:
            status = relay.decide(body)
            if status is None:
                self._pass(body)
            elif status:
                self.send(status, {"Content-Type": "application/json", "Retry-After": "1"}, b"{}")
            self.close_connection = True

        def _pass(self, body: bytes) -> None:
            site = http.client.HTTPConnection("127.0.0.1", site_port, timeout=60)
            with contextlib.closing(site):
                site.request(self.command, self.path, body, dict(self.headers))
                answer = site.getresponse()
                self.send(answer.status, dict(answer.getheaders()), answer.read())

    return Handler
