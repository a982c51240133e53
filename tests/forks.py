"""Programs of the site without the second that their imports take:
forked from a process that has imported them already.

``python -m tests.forks``, started by each test process that needs it, forks a child for each
command line, which becomes that program: it leads a session of its own and has the arguments,
environment, folder, files and signals that it would have been started with, and one thread; psutil
sees its own command line and environment. Two things are not as at a start: modules are imported,
though nothing in them has run yet; and its parent is the process that forks.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import types
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from jobs.worker.process import single_threaded, thread_count

ROOT = Path(__file__).resolve().parent.parent
IMPORTED = """application serve api.servers.waitress api.servers.gunicorn gunicorn.app.wsgiapp jobs.worker.child
    jobs.worker.supervisor jobs.worker.attempt_cleanup commands.setup data.ingest.importing xlsxwriter pandas openapi_pydantic
    alembic.command rich.progress commands.analyse commands.doctor commands.history commands.imports commands.queue
    commands.stations commands.worker"""
# in the command line and the environment of the server: its children write their own there
_ROOM = 1000 * " "


_starting = threading.Lock()  # threads of a test get one server


class Forked:
    """A process that was forked, as ``subprocess.Popen`` is one;
    ``reap(pid)`` is its exit code, None while it runs.
    """

    def __init__(self, pid: int, reap: Callable[[int], int | None]) -> None:
        self.pid, self._reap = pid, reap
        self.returncode: int | None = None
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        with self._lock:
            if self.returncode is None:
                self.returncode = self._reap(self.pid)
            return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        while (code := self.poll()) is None:
            try:
                ended = os.pidfd_open(self.pid)
            except ProcessLookupError:  # another thread has reaped it
                continue
            try:
                # select.select refuses the numbers of a process with many open files
                waits = select.poll()
                waits.register(ended, select.POLLIN)
                if not waits.poll(None if timeout is None else timeout * 1000):
                    raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
            finally:
                os.close(ended)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)  # not reaped, so the pid is still its own

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def fork(arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str], files: Sequence[int]) -> Forked:
    """Start ``python ARGUMENTS`` (a file, or ``-m MODULE``) by a fork;
    ``files``: standard input, output and error.
    """
    return Forked(_ask({"arguments": list(arguments), "cwd": str(cwd), "env": dict(env)}, files), _ask)


def _ask(question: Any, files: Sequence[int] = ()) -> Any:
    with _starting:
        line, lock = _server()
    with lock:
        socket.send_fds(line, [json.dumps(question).encode()], list(files))
        answer = line.recv(100)
    assert answer, "tests.forks has ended; what it printed says why"
    return json.loads(answer)


@cache
def _server() -> tuple[socket.socket, threading.Lock]:
    """The connection to this process's own server, which ends with it; one question at a time."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-u", "-m", "tests.forks", _ROOM]
    environment = single_threaded(os.environ) | {"ROOM": _ROOM}
    with theirs:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=theirs.fileno(), start_new_session=True)
    atexit.register(server.wait)
    atexit.register(ours.close)  # comes first
    return ours, threading.Lock()


def _serve(line: socket.socket) -> list[str]:
    """Answer until the test process is gone; in each child, return what it is to run."""
    for name in IMPORTED.split():
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    assert thread_count() == 1
    while True:
        message, files, _, _ = socket.recv_fds(line, 1 << 20, 3)
        if not message:
            sys.exit()
        question = json.loads(message)
        if isinstance(question, int):
            answer = _reap(question)
        elif not (answer := os.fork()):
            line.detach()
            _become(question, files)
            return list(question["arguments"])
        for file in files:
            os.close(file)
        line.send(json.dumps(answer).encode())


def _reap(pid: int) -> int | None:
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def _become(asked: Mapping[str, Any], files: Sequence[int]) -> None:
    os.setsid()
    for number, file in enumerate(files):
        os.dup2(file, number)
    os.closerange(len(files), 1024)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])


def _run(arguments: list[str]) -> NoReturn:
    """Be the program of a command line."""
    sys.orig_argv = [sys.executable, *arguments]
    _show(sys.orig_argv)
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        _measure_late()
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        if Path(arguments[0]).name == "app.py":
            _fork_keeper()
        elif arguments[1:2] == ["history"]:
            _fork_worker()
        runpy.run_path(arguments[0], run_name="__main__")
    sys.exit()


def _show(command: Sequence[str]) -> None:
    """Let the files ``cmdline`` and ``environ`` in /proc show the command and os.environ,
    the mark of a test first.
    """
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    begin, end, environ_begin, environ_end = (int(field) for field in fields[45:49])
    named = sorted((f"{name}={value}" for name, value in os.environ.items()), key=lambda one: "_TEST_MARK=" not in one)
    for first, last, words in ((begin, end, command), (environ_begin, environ_end, named)):
        text = "".join(f"{word}\0" for word in words).encode()[: last - first - 1]
        ctypes.memmove(first, text.ljust(last - first, b"\0"), last - first)


def _measure_late() -> None:
    """Choose where counts are kept when the first one is made, not at the import of their library:
    gunicorn.conf.py says it in between.
    """
    from prometheus_client import values

    chosen = cache(values.get_value_class)
    vars(values)["ValueClass"] = lambda *which, **kind: chosen()(*which, **kind)


def _fork_ahead(be: Callable[[dict[str, str]], None]) -> Callable[[Mapping[str, str]], Forked]:
    """Fork a child before anything is opened. The function that is returned gives it its
    environment, with which it begins to ``be`` another program; it ends with us if we never do.
    """
    asked, start = os.pipe()
    if pid := os.fork():
        os.close(asked)

        def begin(environment: Mapping[str, str]) -> Forked:
            os.write(start, json.dumps(dict(environment)).encode())
            os.close(start)
            return Forked(pid, _reap)

        return begin
    os.close(start)
    with os.fdopen(asked) as line:
        environment = line.read()
    if not environment:
        os._exit(0)
    os.setsid()
    be(json.loads(environment))
    sys.exit()


def _fork_keeper() -> None:
    """Fork the first keeper of a site (serve.py), which forks its workers."""
    import serve
    from jobs.worker import keeper

    real, site = serve.start_keeper, str(os.getpid())

    def popen(command: list[str], preexec_fn: Callable[[], None]) -> Forked:
        if pid := os.fork():
            return Forked(pid, _reap)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # as exec does
        preexec_fn()
        _run(command[1:])

    def be_keeper(_environment: dict[str, str]) -> None:
        vars(keeper)["subprocess"] = types.SimpleNamespace(Popen=popen, TimeoutExpired=subprocess.TimeoutExpired)
        _show([sys.executable, "-m", "jobs.worker.keeper", "worker", site])
        keeper.main(["worker", site])

    begin = _fork_ahead(be_keeper)

    def start_keeper(command: str) -> Any:
        if command != "worker":
            return real(command)
        serve.start_keeper = real
        return begin(os.environ)

    serve.start_keeper = start_keeper


def _fork_worker() -> None:
    """Fork the worker that a command in the foreground starts where none is alive."""
    from jobs import foreground

    def be_worker(environment: dict[str, str]) -> None:
        os.environ.clear()
        os.environ.update(environment)
        with Path(os.devnull).open("r+b", buffering=0) as nothing:
            for number in (0, 1):
                os.dup2(nothing.fileno(), number)
        _run([str(ROOT / "manage.py"), "worker", "--stop-when-empty"])

    begin = _fork_ahead(be_worker)

    def popen(_command: list[str], *, env: Mapping[str, str], **_how: Any) -> Forked:
        vars(foreground)["subprocess"] = subprocess  # another one is started
        return begin(env)

    vars(foreground)["subprocess"] = types.SimpleNamespace(**vars(subprocess) | {"Popen": popen})


if __name__ == "__main__":
    _run(_serve(socket.socket(fileno=0)))
