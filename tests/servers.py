"""Database servers of a test's own, which it may stop, kill and start again:
Debian's PostgreSQL and MariaDB.

Each keeps its data in a folder of its own and listens on a free port of 127.0.0.1. What is written
is not safe from a power cut, only from a kill. The kernel kills a server whose tests were killed.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import psutil
from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.exc import OperationalError

from tests.databases import missing_server
from tests.processes import STOP_S, free_port, wait_until

PASSWORD = "hunter2"  # of the user whom :meth:`OwnServer.new_database` names

_LOCATIONS = os.pathsep.join(["/usr/sbin", *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))])
_numbers = itertools.count()


class OwnServer(ABC):
    """A server on a port of its own; used as a context manager,
    it runs and at the end is gone with all its data.
    """

    needs: ClassVar[Sequence[str]]
    stop_signal: ClassVar[signal.Signals]
    user: ClassVar[str | None] = None  # whom it runs as, when the tests are root's

    def __init__(self) -> None:
        for name in ("setpriv", *self.needs):
            program(name)
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="riwayat-server-", dir="/tmp"))
        # a user of its own has to pass, where the tests' folders are root's alone
        self.folder.chmod(0o711)
        self._process: subprocess.Popen[bytes] | None = None
        self._make(self.folder / "data")

    @property
    @abstractmethod
    def administrator(self) -> str:
        """URL of one who may do everything, without a database of ours."""

    @abstractmethod
    def _make(self, data: Path) -> None:
        """Make an empty data directory."""

    @abstractmethod
    def _command(self) -> Sequence[str]:
        """How it is started."""

    @abstractmethod
    def _statements(self, name: str) -> Sequence[str]:
        """What makes a database and a user ``name`` with a password,
        who may do everything in it.
        """

    @property
    def is_running(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start it if it does not run, and wait until it answers."""
        if not self.is_running:
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    [program("setpriv"), *self._as_user(), "--pdeathsig", "KILL", *self._command()],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=self.folder,
                    start_new_session=True,
                )
        wait_until(lambda: not self.is_running or answers(self.administrator), f"{type(self).__name__} to answer")
        assert self.is_running, self.output()
        return self

    def stop(self) -> None:
        """Shut it down as its service does: whoever is connected is thrown out."""
        assert self._process is not None
        self._process.send_signal(self.stop_signal)
        self._process.wait(STOP_S)

    def kill(self) -> None:
        """``kill -9`` it and all its processes: to its clients, as if its machine had crashed."""
        if self._process is None or not self.is_running:
            return
        first = psutil.Process(self._process.pid)
        for process in [first, *first.children(recursive=True)]:
            # those of PostgreSQL end by themselves with the first
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait(STOP_S)

    def freeze(self) -> None:
        """From now on it does nothing: the kernel still takes connections and what is sent,
        and nobody answers.
        """
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on where it was."""
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        assert self._process is not None
        first = psutil.Process(self._process.pid)
        # the first one first: then it makes no more of them
        for process in [first, *first.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def new_database(self) -> str:
        """URL of a new, empty database, with a user and a password."""
        name = f"scada_{next(_numbers)}"
        engine = create_engine(self.administrator, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in self._statements(name):
                connection.exec_driver_sql(statement)
        engine.dispose()
        made: URL = make_url(self.administrator).set(username=name, password=PASSWORD, database=name)
        return made.render_as_string(hide_password=False)

    def output(self) -> str:
        """What it has printed."""
        return self._log.read_text(errors="replace")

    @property
    def _log(self) -> Path:
        return self.folder / "output.txt"

    def _as_user(self) -> list[str]:
        if self.user is None or os.geteuid() != 0:
            return []
        return [f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"]

    def _run(self, command: Sequence[str]) -> None:
        done = subprocess.run([program("setpriv"), *self._as_user(), *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.kill()
        shutil.rmtree(self.folder)


class OwnPostgresql(OwnServer):
    """A PostgreSQL of one test run."""

    needs = ("initdb", "postgres")
    stop_signal = signal.SIGINT  # "fast", as Debian's service
    user = "postgres"

    @property
    def administrator(self) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/postgres"

    def _make(self, data: Path) -> None:
        data.mkdir(mode=0o700)
        if self._as_user():
            shutil.chown(data, self.user)
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"]
        self._run([program("initdb"), "-D", str(data), *options])
        with (data / "postgresql.conf").open("a") as conf:
            conf.write("fsync = off\nfull_page_writes = off\nshared_buffers = 32MB\nmax_wal_size = 64MB\nautovacuum = off\n")
            conf.write("listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\n")

    def _command(self) -> Sequence[str]:
        return [program("postgres"), "-D", str(self.folder / "data"), "-p", str(self.port)]

    def _statements(self, name: str) -> Sequence[str]:
        return f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'", f"CREATE DATABASE {name} OWNER {name}"


class OwnMariadb(OwnServer):
    """A MariaDB of one test run."""

    needs = ("mariadb-install-db", "mariadbd")
    stop_signal = signal.SIGTERM

    @property
    def administrator(self) -> str:
        return f"mysql+pymysql://root@127.0.0.1:{self.port}/mysql"

    def _make(self, data: Path) -> None:
        (self.folder / "temporary").mkdir()
        self._run([program("mariadb-install-db"), *self._options(), "--auth-root-authentication-method=normal", "--skip-test-db"])

    def _command(self) -> Sequence[str]:
        listening = [f"--port={self.port}", "--bind-address=127.0.0.1", f"--socket={self.folder / 'socket'}"]
        return [program("mariadbd"), *self._options(), *listening, f"--pid-file={self.folder / 'pid'}"]

    def _options(self) -> list[str]:
        small = ["--innodb-log-file-size=16M", "--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=2"]
        mine = ["--user=root"] if os.geteuid() == 0 else []
        # one that starts removes the temporary tables of every other one in its folder for them
        apart = [f"--datadir={self.folder / 'data'}", f"--tmpdir={self.folder / 'temporary'}"]
        return ["--no-defaults", *apart, *small, *mine]

    def _statements(self, name: str) -> Sequence[str]:
        return (
            f"CREATE DATABASE {name} CHARACTER SET utf8mb4",
            f"CREATE USER {name}@'%%' IDENTIFIED BY '{PASSWORD}'",
            f"GRANT ALL ON {name}.* TO {name}@'%%'",
        )


OWN_SERVERS: dict[str, type[OwnServer]] = {"postgresql": OwnPostgresql, "mariadb": OwnMariadb}


def answers(url: str) -> bool:
    """Whether a server lets one in."""
    engine = create_engine(url)
    try:
        engine.connect().close()
    except OperationalError:
        return False
    finally:
        engine.dispose()
    return True


@cache
def program(name: str) -> str:
    """The path of a program of a server; a test without it is skipped, but fails in CI."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), _LOCATIONS]))
    if found is None:
        missing_server(f"{name} is not installed (Debian's packages postgresql and mariadb-server)")
    return str(found)
