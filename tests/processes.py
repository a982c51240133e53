"""Real processes of a site in tests: started as a user starts them, polled until ready,
nothing left behind.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.context import ForkServerContext
from pathlib import Path
from types import TracebackType
from typing import IO, Self, TypeVar

import psutil

from jobs.worker.process import single_threaded
from tests.forks import Forked, fork

ROOT = Path(__file__).resolve().parent.parent
MANAGE = str(ROOT / "manage.py")
READY_S = 60.0  # the machine may be busy with other tests
STOP_S = 40.0  # longer than any part of a site waits for another before it kills it
_MARK = "RIWAYAT_TEST_MARK"
_POLL_S, _SLOW_POLL_S = 0.05, 0.2

# Whether programs are forked from one that has imported everything (tests/forks.py), not started,
# which takes a second longer.
forks = False

T = TypeVar("T")


@contextmanager
def real_starts() -> Iterator[None]:
    """Start programs as a user does, all imports included, whatever :data:`forks` says."""
    global forks
    before, forks = forks, False
    try:
        yield
    finally:
        forks = before


def free_port(first: int = 10_000, last: int = 31_999) -> int:
    """A port of 127.0.0.1 that was free a moment ago,
    and that no connection is given by the system.

    Linux takes ports from 32768 on for the near end of connections; one of those could be in use
    before a server binds it, and whoever asks such a port whether it answers may be connected to
    himself.
    """
    while True:
        port = random.randint(first, last)
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port


def wait_until(condition: Callable[[], T], what: str, deadline_s: float = READY_S) -> T:
    """Poll until ``condition()`` is true and return it;
    fail, naming ``what``, after ``deadline_s`` seconds.

    What is not there after a second is looked for less often: a look into a page or at all
    processes costs milliseconds, of a machine on which what is waited for has to run.
    """
    began = time.monotonic()
    while not (value := condition()):
        waited_s = time.monotonic() - began
        if waited_s > deadline_s:
            raise AssertionError(f"waited {deadline_s:g} s in vain: {what}")
        time.sleep(_POLL_S if waited_s < 1 else _SLOW_POLL_S)
    return value


def assert_within(limit_s: float, attempt: Callable[[], float]) -> None:
    """The quickest of at most four attempts, each of which returns how long it took,
    must keep to a promise of some seconds.

    On a busy machine one may be late; a program that is too slow is late each time.
    """
    took_s = [attempt()]
    while took_s[-1] > limit_s and len(took_s) < 4:
        took_s.append(attempt())
    assert min(took_s) <= limit_s, took_s


def clean_forks() -> ForkServerContext:
    """How to start processes that inherit nothing of a test, without a second of imports."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["jobs.kinds.history", "jobs.ledger.ledger", "tests.tiled"])
    return context


def site_environment(**settings: object) -> dict[str, str]:
    """The environment of a child: ours without any RIWAYAT_ setting,
    plus those given (``data_dir=…`` → RIWAYAT_DATA_DIR).
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("RIWAYAT_")}
    return single_threaded(own) | {f"RIWAYAT_{name.upper()}": str(value) for name, value in settings.items()}


def run_manage(*arguments: str, cwd: Path, timeout_s: float = 120, **settings: object) -> subprocess.CompletedProcess[str]:
    """Run ``manage.py`` to its end, in a folder that is not the project's;
    output is captured as text.
    """
    return run_program([MANAGE, *arguments], cwd=cwd, env=site_environment(**settings), timeout_s=timeout_s)


def run_program(
    arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str], answer: str = "", timeout_s: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run ``python ARGUMENTS`` to its end, with ``answer`` on standard input;
    output is captured as text.
    """
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(answer.encode())
        given.seek(0)
        process = _start(arguments, cwd, env, (given, out, err))
        try:
            code = process.wait(timeout_s)
        finally:
            process.kill()
        printed = [_whole(file) for file in (out, err)]
    return subprocess.CompletedProcess(arguments, code, *printed)


def _whole(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


def _start(
    arguments: Sequence[str], cwd: Path, env: Mapping[str, str], files: Sequence[IO[bytes]]
) -> subprocess.Popen[bytes] | Forked:
    """Start ``python ARGUMENTS`` in a session of its own;
    ``files``: standard input, output and error.
    """
    if forks:
        return fork(arguments, cwd=cwd, env=env, files=[file.fileno() for file in files])
    given, out, err = files
    command = [sys.executable, *arguments]
    return subprocess.Popen(command, cwd=cwd, env=env, stdin=given, stdout=out, stderr=err, start_new_session=True)


class ServerProcess:
    """A long-running program of the site (``app.py``, ``manage.py worker``) and all that it starts.

    Used as a context manager: at the end the program is asked to stop (SIGTERM), and it is an error
    if it or anything that it started, in whatever process group, is still there :data:`STOP_S`
    seconds later.
    """

    def __init__(self, arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> None:
        self._mark = uuid.uuid4().hex
        self._name = " ".join(arguments)
        self._log = cwd / f"output-{self._mark[:8]}.txt"
        # a renamed process keeps its mark
        marked = {**env, _MARK: self._mark, "SPT_NOENV": "1", "PYTHONUNBUFFERED": "1"}
        with Path(os.devnull).open("rb") as nothing, self._log.open("wb") as log:
            self.process = _start(arguments, cwd, marked, (nothing, log, log))

    @property
    def pid(self) -> int:
        return self.process.pid

    def output(self) -> str:
        """What it has printed so far."""
        return self._log.read_text(errors="replace")

    def wait_until_ready(self, ready: Callable[[], bool], deadline_s: float = READY_S) -> None:
        """Poll until ready; when it ends first, or the deadline passes,
        fail and show its output.
        """

        def settled() -> bool:
            return self.process.poll() is not None or ready()

        try:
            wait_until(settled, f"{self._name} to be ready", deadline_s)
        except AssertionError as exc:
            raise AssertionError(f"{exc}; it printed:\n{self.output()}") from None
        if self.process.poll() is not None:
            raise AssertionError(f"it ended with {self.process.returncode} before it was ready; it printed:\n{self.output()}")

    def family(self) -> list[psutil.Process]:
        """Every living process that carries this program's mark:
        itself, its worker, the children of its jobs.
        """
        mark = f"{_MARK}={self._mark}".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            # psutil takes five times as long, and a busy machine has hundreds of processes
            with suppress(OSError, psutil.NoSuchProcess):
                if mark in (folder / "environ").read_bytes():  # a zombie's is empty
                    found.append(psutil.Process(int(folder.name)))
        return found

    def listens_on(self, port: int) -> bool:
        """Whether it is this program that listens there, and no other one."""
        for process in self.family():
            with suppress(psutil.Error):
                if any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in process.net_connections("tcp")):
                    return True
        return False

    def child(self) -> psutil.Process | None:
        """The process of a running job."""
        return next((process for process in self.family() if _name(process) == "riwayat-job"), None)

    def stop(self, number: signal.Signals = signal.SIGTERM, deadline_s: float = STOP_S) -> int:
        """Ask it to stop and wait; returns its exit code.
        Everything that it started must be gone as well.
        """
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(deadline_s)
            wait_until(lambda: not self.family(), f"no orphan of {self._name}", deadline_s)
        except (subprocess.TimeoutExpired, AssertionError) as exc:
            left = [f"{process.pid} {' '.join(process.cmdline())}" for process in self.family()]
            self.kill()
            raise AssertionError(f"{exc}; left over: {left}; it printed:\n{self.output()}") from None
        return code

    def kill(self) -> None:
        """End it and everything that it started, at once."""
        for process in self.family():
            try:
                process.kill()
            except psutil.Error:
                continue
        self.process.wait(STOP_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            self.stop()
        else:
            self.kill()
            print(f"--- output of {self._name} ---\n{self.output()}")


class SiteProcess(ServerProcess):
    """``python app.py`` on a free port, with its worker."""

    def __init__(self, *, cwd: Path, **settings: object) -> None:
        self.port = int(str(settings.pop("port", 0))) or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        environment = site_environment(host="127.0.0.1", port=self.port, **settings)
        super().__init__([str(ROOT / "app.py")], cwd=cwd, env=environment)

    def start(self) -> Self:
        """Wait until it is ready: databases, and a live worker."""
        self.wait_until_ready(lambda: answers(f"{self.url}/readyz") and self.listens_on(self.port))
        return self


class WebProcess(ServerProcess):
    """The web alone, as gunicorn.conf.py serves it on a larger site (``web_workers`` processes,
    two by default): no worker.
    """

    def __init__(self, *, cwd: Path, **settings: object) -> None:
        self.port = int(str(settings.pop("port", 0))) or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        where = ["--chdir", str(ROOT), "--bind", f"127.0.0.1:{self.port}", "--no-control-socket"]
        super().__init__(["-m", "gunicorn", "app:server", *where, "--threads", "8"], cwd=cwd, env=site_environment(**settings))

    def start(self) -> Self:
        """Wait until it answers."""
        self.wait_until_ready(lambda: answers(f"{self.url}/healthz") and self.listens_on(self.port))
        return self


class WorkerProcess(ServerProcess):
    """``manage.py worker`` alone."""

    def __init__(self, *, cwd: Path, **settings: object) -> None:
        super().__init__([MANAGE, "worker"], cwd=cwd, env=site_environment(**settings))


def _name(process: psutil.Process) -> str:
    try:
        return str(process.name())
    except psutil.Error:  # it has just ended
        return ""


def is_gone(process: psutil.Process) -> bool:
    """Whether it has ended; a zombie has."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # between the two looks
        return True


def answers(url: str) -> bool:
    """Whether an HTTP server answers there, and well (2xx)."""
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:  # an HTTPError too: not ready yet
        return False
