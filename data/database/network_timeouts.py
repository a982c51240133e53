"""Engines of the web process for a database server:
what says nothing is given up, and not asked again for a second.

No thread in the usual case: the driver itself listens for only so long. A statement that was given
up is gone with its connection, and with it its transaction; only a COMMIT that was on its way may
still be carried out by a server that wakes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, wait
from typing import Any

from sqlalchemy import Dialect, Engine, event

from data.database.circuit_breaker import PATIENCE_S, CircuitBreaker

_AWAY = "the database did not answer a moment ago"
_SILENT = "no answer in time"


def install_network_timeouts(engine: Engine, what: str) -> None:
    """Give up a server that is silent for ``PATIENCE_S``, in every later use of an engine.

    ``what`` is as in :class:`data.database.circuit_breaker.CircuitBreaker`.
    SQLite has a limit of its own, so it stays as it is.

    A question that is given up or refused raises SQLAlchemy's OperationalError,
    like any of a server that is not there.
    """
    driver = engine.dialect.driver
    if driver not in _OPENED:
        return
    breaker, opened = CircuitBreaker(what), _OPENED[driver]

    def connect(dialect: Dialect, _record: Any, arguments: Any, options: Any) -> Any:
        # A failure empties the pool, so while the server is silent every question comes past here.
        error = dialect.loaded_dbapi.OperationalError
        if not breaker.allow_probe():
            raise error(_AWAY)
        try:
            return _open_in_time(lambda: opened(dialect, breaker, arguments, options), error)
        except Exception as silence:
            breaker.record_failure(str(silence).partition("\n")[0])
            raise

    def failed(context: Any) -> None:
        # PyMySQL says that its limit of time was over only by what its error came of.
        if isinstance(getattr(context.original_exception, "__context__", None), TimeoutError):
            breaker.record_failure(_SILENT)

    def answered(*_whatever: Any) -> None:
        if breaker.is_open:
            breaker.record_success()

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "handle_error", failed)
    event.listen(engine, "after_cursor_execute", answered)
    if driver == "pymysql":
        event.listen(engine, "connect", _limit_reads)


def _open_in_time(open_it: Callable[[], Any], silent: type[Exception]) -> Any:
    """Return the connection that a thread opens, or raise what the driver raised;
    ``silent`` after the time limit: then it is closed as soon as it is there.
    """
    opening: Future[Any] = Future()

    def run() -> None:
        try:
            opening.set_result(open_it())
        except BaseException as error:  # noqa: BLE001 - it is raised where it was asked
            opening.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    if not wait([opening], PATIENCE_S).done:
        opening.add_done_callback(lambda late: None if late.exception() else late.result().close())
        raise silent(_SILENT)
    return opening.result()


def _open_psycopg(_dialect: Dialect, breaker: CircuitBreaker, arguments: Any, options: Any) -> Any:
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
                        breaker.record_failure(_SILENT)
                        self.close()
                        raise psycopg.OperationalError(_SILENT)
                    wanted = gen.send(ready)
            except StopIteration as end:
                return end.value

    return Connection.connect(*arguments, **options)


def _open_pymysql(dialect: Dialect, _breaker: CircuitBreaker, arguments: Any, options: Any) -> Any:
    return dialect.loaded_dbapi.connect(*arguments, **options | {"write_timeout": PATIENCE_S})


def _limit_reads(connection: Any, _record: object) -> None:
    connection._read_timeout = PATIENCE_S  # noqa: SLF001 - as in data/database/drivers.py, after which this is called


_OPENED = {"psycopg": _open_psycopg, "pymysql": _open_pymysql}
