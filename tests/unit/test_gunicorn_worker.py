"""The worker of gunicorn, without gunicorn: its loop is turned by hand."""

from __future__ import annotations

import logging
import os
import selectors
import socket
from collections.abc import Iterator

import pytest
from gunicorn.config import Config

from api.servers import gunicorn
from api.servers.gunicorn import BufferingWorker


@pytest.fixture
def worker() -> Iterator[BufferingWorker]:
    made = BufferingWorker(1, os.getppid(), [], None, 30, Config(), logging.getLogger("gunicorn"))
    made.poller = selectors.DefaultSelector()
    yield made
    for conn in list(made._waiting):
        made._give_up(conn)
    made.poller.close()
    made.tmp.close()


@pytest.fixture
def client(worker: BufferingWorker) -> Iterator[socket.socket]:
    """Who has connected, and sent nothing yet."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as connected:
        worker.accept(listener)
        yield connected


def test_a_worker_that_ends_waits_a_moment_for_a_request_on_its_way(worker, client, monkeypatch):
    now_s = [gunicorn.time.monotonic()]
    monkeypatch.setattr(gunicorn.time, "monotonic", lambda: now_s[0])
    worker.alive = False
    for passed_s, connections in ((0.0, 1), (1.9, 1), (0.2, 0)):
        now_s[0] += passed_s
        worker.murder_pending()
        assert worker.nr_conns == connections


def test_a_body_in_chunks_that_are_none_is_refused_before_a_thread_reads_it(worker, client):
    client.sendall(b"POST /api/jobs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n")
    (conn,) = worker._waiting
    assert worker.poller.select(5)
    worker._arrives(conn)
    assert client.recv(20).startswith(b"HTTP/1.1 400 ")
