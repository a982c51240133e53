"""Engines of the web process for a database server: what says nothing is given up, and not asked again for a second.

No thread in the usual case: the driver itself listens for only so long. A statement that was given up is gone with its
connection, and with it its transaction; only a COMMIT that was on its way may still be carried out by a server that wakes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from typing import Any

from sqlalchemy import Dialect, Engine, event

from data.patience import PATIENCE_S, Gate

_AWAY = "the database did not answer a moment ago"
_SILENT = "no answer in time"


def give_up_silent_servers(engine: Engine, what: str) -> None:
    """Make an engine impatient, for good; ``what`` as :class:`data.patience.Gate`.

    SQLite has a limit of its own, so it stays as it is.

    A question that is given up or refused raises SQLAlchemy's OperationalError, like any of a server that is not there.
    """
    driver = engine.dialect.driver
    if driver not in _OPENED:
        return
    gate, opened = Gate(what), _OPENED[driver]

    def connect(dialect: Dialect, _record: Any, arguments: Any, options: Any) -> Any:
        # A failure empties the pool, so while nobody answers every question comes past here.
        error = dialect.loaded_dbapi.OperationalError
        if not gate.let_through():
            raise error(_AWAY)
        try:
            return _Attempt(lambda: opened(dialect, gate, arguments, options)).result(error)
        except Exception as silence:
            gate.note_silence(str(silence).partition("\n")[0])
            raise

    def failed(context: Any) -> None:
        # PyMySQL says that its limit of time was over only by what its error came of.
        if isinstance(getattr(context.original_exception, "__context__", None), TimeoutError):
            gate.note_silence(_SILENT)

    def answered(*_whatever: Any) -> None:
        if gate.is_shut:
            gate.note_answer()

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "handle_error", failed)
    event.listen(engine, "after_cursor_execute", answered)
    if driver == "pymysql":
        event.listen(engine, "connect", _limit_reads)


class _Attempt:
    """A connection that is being opened in a thread; when nobody waits for it any more it is closed as soon as it is there."""

    def __init__(self, open_it: Any) -> None:
        self._open = open_it
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._given_up = False
        self.connection: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.connection = self._open()
        except BaseException as error:  # noqa: BLE001 - it is raised where it was asked
            self.error = error
        with self._lock:
            self._ended.set()
            late = self._given_up and self.connection is not None
        if late:
            self.connection.close()

    def result(self, silent: type[Exception]) -> Any:
        """The connection, or what the driver raised; ``silent`` when it was given up."""
        threading.Thread(target=self.run, daemon=True).start()
        if not self._ended.wait(PATIENCE_S):
            with self._lock:
                self._given_up = not self._ended.is_set()
        if self._given_up:
            raise silent(_SILENT)
        if self.error is not None:
            raise self.error
        return self.connection


def _open_psycopg(_dialect: Dialect, gate: Gate, arguments: Any, options: Any) -> Any:
    import psycopg

    class Connection(psycopg.Connection[Any]):
        """Waits for a server only as long as it says something now and then."""

        def wait(self, gen: Generator[Any, Any, Any], *rest: Any, **more: Any) -> Any:
            return super().wait(self._while_it_talks(gen), *rest, **more)

        def _while_it_talks(self, gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
            heard_s = time.monotonic()
            try:
                wanted = next(gen)
                while True:
                    ready = yield wanted
                    if ready:  # nothing is ready when an interval is over: see psycopg.waiting
                        heard_s = time.monotonic()
                    elif time.monotonic() - heard_s > PATIENCE_S:
                        gate.note_silence(_SILENT)
                        self.close()
                        raise psycopg.OperationalError(_SILENT)
                    wanted = gen.send(ready)
            except StopIteration as end:
                return end.value

    return Connection.connect(*arguments, **options)


def _open_pymysql(dialect: Dialect, _gate: Gate, arguments: Any, options: Any) -> Any:
    return dialect.loaded_dbapi.connect(*arguments, **options | {"write_timeout": PATIENCE_S})


def _limit_reads(connection: Any, _record: object) -> None:
    connection._read_timeout = PATIENCE_S  # noqa: SLF001 - as in data/drivers.py, after which this is called


_OPENED = {"psycopg": _open_psycopg, "pymysql": _open_pymysql}
