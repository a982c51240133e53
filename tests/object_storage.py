"""Object storage of a test run's own: moto's server, and a relay before it that loses answers,
refuses, keeps silent or lies about the time.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from tests.e2e.relay import RelayHandler
from tests.processes import answers, free_port, wait_until
from tests.servers import program

SECRET = "hush-hush-hush"  # of the key with which tests ask
_SERVER = """
import sys
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
make_server("127.0.0.1", int(sys.argv[1]), DomainDispatcherApplication(create_backend_app), threaded=True).serve_forever()
"""
_numbers = itertools.count()

Fault = Callable[[str, str], str | int | None]


@contextmanager
def object_storage() -> Iterator[int]:
    """Run a server with an empty bucket ``tiles``; yields its port."""
    port = free_port()
    command = [program("setpriv"), "--pdeathsig", "KILL", sys.executable, "-c", _SERVER, str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/moto-api/"), "the object storage to answer")
        ask(port, "PUT", "/tiles")
        yield port
    finally:
        process.kill()
        process.wait()


def new_prefix() -> str:
    """Return the URL of a part of the storage that no other test uses."""
    return f"s3://tiles/{os.getpid()}/{next(_numbers)}"


def credentials(port: int) -> dict[str, str]:
    """Return the environment of who may ask the server on a port."""
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1"}
    return {**keys, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "NO_PROXY": "127.0.0.1"}


def ask(
    port: int, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Send a request; return status, headers and body."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as server:
        server.request(method, path, body, headers or {"Host": f"127.0.0.1:{port}"})
        answer = server.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()


class FaultyStorage:
    """Relays ``port`` to an object storage. ``fault`` decides of each request, by method and path:
    None passes it on, a status answers it, ``"lost"`` carries it out and gives no answer,
    ``"silent"`` waits until :meth:`heal`. It tells that indices were written ``years`` later than
    they were, and leaves the header ``ignored`` out.
    """

    def __init__(self, behind: int) -> None:
        self.fault: Fault = lambda _method, _path: None
        self.years = 0
        self.ignored = ""
        self.asked: list[str] = []
        self._healed = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, behind))
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def heal(self) -> None:
        """From now on all gets through."""
        self.fault = lambda _method, _path: None
        self._healed.set()

    def be_silent(self) -> None:
        """From now on nothing is answered."""
        self._healed.clear()
        self.fault = lambda _method, _path: "silent"

    def wait(self) -> None:
        """Wait until it is healed."""
        self._healed.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._healed.set()
        self._server.shutdown()
        self._server.server_close()


def _handler(storage: FaultyStorage, behind: int) -> type[BaseHTTPRequestHandler]:
    class Handler(RelayHandler):
        protocol_version = "HTTP/1.1"

        def _relay(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            storage.asked.append(f"{self.command} {self.path}")
            fault = storage.fault(self.command, self.path)
            if fault == "silent":
                storage.wait()
                self.close_connection = True
                return
            if isinstance(fault, int):
                self.send(fault, {}, b"")
                return
            told = {name: value for name, value in self.headers.items() if name.lower() != storage.ignored.lower()}
            status, headers, answer = ask(behind, self.command, self.path, body, told)
            if fault == "lost":
                self.close_connection = True
                return
            self.send(status, headers, self._shifted(answer))

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _relay

        def _shifted(self, answer: bytes) -> bytes:
            if not storage.years or "index" not in self.path:
                return answer
            return re.sub(rb"<LastModified>(\d{4})", lambda found: b"<LastModified>%d" % (int(found[1]) + storage.years), answer)

    return Handler
