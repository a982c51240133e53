"""A client that takes an answer steadily, but too slowly, is given up;
the loops of the servers are turned by hand.
"""

from __future__ import annotations

import os
import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config

from api.servers import gunicorn_connection, waitress
from api.servers.client_pace import LEAST_BYTES, WITHIN_S, ClientPace
from api.servers.gunicorn_connection import WAITING_BYTES, BufferedConnection, BufferingSocket
from tests.processes import wait_until

ASKING = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def test_a_client_has_a_minute_for_each_256_kb_of_an_answer():
    pace = ClientPace(100.0)
    pace.take(10 * LEAST_BYTES)
    pace.take(LEAST_BYTES // 2)
    assert pace.until_s == 100.0 + 11.5 * WITHIN_S
    pace.catch_up(200.0)
    assert pace.until_s == 100.0 + 11.5 * WITHIN_S
    pace.catch_up(1000.0)
    assert pace.until_s == 1000.0 + WITHIN_S
    pace.take(10 * LEAST_BYTES)
    pace.begin(1100.0)
    assert pace.until_s == 1100.0 + WITHIN_S


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What both servers hold for the time, s."""
    now_s = [1000.0]
    told = SimpleNamespace(time=lambda: now_s[0], monotonic=lambda: now_s[0])
    monkeypatch.setattr(gunicorn_connection, "time", told)
    monkeypatch.setattr(waitress, "time", told)
    return now_s


@pytest.fixture
def pair(clock: list[float]) -> Iterator[tuple[BufferingSocket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with BufferingSocket(ours) as sock, theirs:
        yield sock, theirs


def send_to_reader_of(
    a_second: int, pair: Any, clock: list[float], monkeypatch: pytest.MonkeyPatch, *, after_s: float = 0.0
) -> None:
    """Send 1 MB more than is kept, to a client that takes so many bytes in each second,
    and before that nothing.
    """
    sock, client = pair
    begin_s = clock[0] + after_s

    class Waiting:
        def register(self, *_: object) -> None:
            """There is one client only."""

        def poll(self, most_ms: float) -> bool:
            if most_ms <= 0:
                return False
            clock[0] += 1
            if a_second and clock[0] > begin_s:
                client.recv(a_second)
            return True

    monkeypatch.setattr(gunicorn_connection, "poll", Waiting)
    sock.sendall(bytes(WAITING_BYTES + (1 << 20)))
    sock.sendall(b"x")


@pytest.mark.parametrize("a_second", [0, 1, LEAST_BYTES // 120])
def test_a_thread_of_gunicorn_waits_minutes_for_a_steady_trickle(pair, clock, monkeypatch, a_second):
    began_s = clock[0]
    with pytest.raises(ConnectionResetError):
        send_to_reader_of(a_second, pair, clock, monkeypatch)
    assert clock[0] - began_s <= 5 * WITHIN_S  # what the system holds of it counts as taken


def test_a_thread_of_gunicorn_waits_for_whom_takes_enough(pair, clock, monkeypatch):
    began_s = clock[0]
    send_to_reader_of(LEAST_BYTES // 40, pair, clock, monkeypatch)
    assert clock[0] - began_s > 2 * WITHIN_S


def test_a_thread_of_gunicorn_waits_for_a_proxy_that_took_much_at_once_and_sends_it_on_slowly(pair, clock, monkeypatch):
    sock, proxy = pair
    for _ in range(64):  # MB, that nginx keeps
        sock.sendall(bytes(1 << 20))
        while sock.unsent:
            proxy.recv(1 << 20)
            sock.flush()
    send_to_reader_of(LEAST_BYTES // 40, pair, clock, monkeypatch, after_s=(64 << 20) / 500_000)


def test_the_next_answer_on_a_connection_begins_anew(pair, clock):
    ours, _ = pair
    with closing(BufferedConnection(Config(), ours, ("127.0.0.1", 1), ("127.0.0.1", 2))) as conn:
        conn.sock.pace.take(10 * LEAST_BYTES)
        conn.arrival.add(ASKING)
        conn.give()
        assert conn.sock.pace.until_s == clock[0] + WITHIN_S


def test_what_an_answer_takes_to_go_on_is_not_its_clients_time(pair, clock, monkeypatch):
    sock, _client = pair
    sock.sendall(bytes(WAITING_BYTES // 2))
    clock[0] += 10 * WITHIN_S  # a piece that is long in the making
    send_to_reader_of(LEAST_BYTES // 40, pair, clock, monkeypatch)


def test_waitress_gives_up_whom_takes_too_little_and_the_answer_ends(clock):
    ended = threading.Event()

    def application(environ: Any, start_response: Any) -> Iterator[bytes]:
        if environ["PATH_INFO"] == "/short":
            start_response("200 OK", [("Content-Length", str(4 * LEAST_BYTES))])
            yield bytes(4 * LEAST_BYTES)
            return
        start_response("200 OK", [("Content-Type", "text/plain")])
        try:
            while True:
                yield bytes(1 << 16)
        finally:
            ended.set()

    server = waitress.make_server(
        application, host="127.0.0.1", port=0, threads=1, health_below="/", outbuf_high_watermark=1 << 20
    )

    def turn() -> bool:
        server.asyncore.loop(timeout=0.001, count=1, map=server._map, use_poll=server.adj.asyncore_use_poll)
        return False

    def is_held() -> bool:
        return turn() or any(one.total_outbufs_len > server.adj.outbuf_high_watermark for one in server.active_channels.values())

    try:
        with socket.socket() as client:
            # as below, so that little lies in between
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 15)
            client.connect(("127.0.0.1", int(server.effective_port)))
            wait_until(lambda: turn() or server.active_channels, "the connection")
            (channel,) = server.active_channels.values()
            channel.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 15)
            client.setblocking(False)

            def take(left: int) -> None:
                while left > 0:
                    turn()
                    with suppress(BlockingIOError):
                        left -= len(client.recv(min(left, 1 << 16)))

            def is_answered() -> bool:
                """Whether the short answer is out, its last bytes, too."""
                turn()
                with suppress(BlockingIOError):
                    client.recv(1 << 16)
                return not channel.requests and not channel.total_outbufs_len

            def is_given_up() -> bool:
                """Whether it is, a second after what it took was enough for;
                the thread may send to it until its buffers are full.
                """
                clock[0] = channel.pace.until_s + 1
                server.maintenance(clock[0])
                return not channel.connected

            client.sendall(ASKING.replace(b"/ ", b"/short ", 1))
            take(4 * LEAST_BYTES)
            wait_until(is_answered, "the end of the short answer")
            server.maintenance(clock[0])  # nothing waits
            assert channel.pace.until_s >= clock[0] + 5 * WITHIN_S
            client.sendall(ASKING)
            wait_until(is_held, "an answer that waits for its client")
            assert channel.pace.until_s < clock[0] + 3 * WITHIN_S  # it began anew
            take(2 * LEAST_BYTES)
            wait_until(is_held, "an answer that waits again")
            assert channel.pace.until_s > clock[0] + 2 * WITHIN_S
            clock[0] = channel.pace.until_s - 1
            server.maintenance(clock[0])
            assert channel.connected
            wait_until(is_given_up, "an end of patience")
            wait_until(ended.is_set, "the end of the answer")
    finally:
        server.task_dispatcher.shutdown()
        server.close()


def test_waitress_answers_where_more_files_are_open_than_select_knows():
    def application(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    with ExitStack() as opened:
        for _file in range(1100):
            opened.enter_context(Path(os.devnull).open("rb"))
        server = waitress.make_server(application, host="127.0.0.1", port=0, threads=1, health_below="/")
        opened.callback(server.close)
        opened.callback(server.task_dispatcher.shutdown)
        threading.Thread(target=server.run, daemon=True).start()
        with urllib.request.urlopen(f"http://127.0.0.1:{server.effective_port}/", timeout=20) as answer:
            assert answer.read() == b"ok"
