"""A connected database of a source: the fast path and the general one, each query with a connection
of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, Select

from data.source.connection import fast
from data.source.connection.failures import classified
from data.source.connection.locks import SharedLock
from data.source.connection.sqltext import as_text

FAST_FAILURES = 3  # when it has failed so often and never succeeded, the fast path is not tried again
# Options of one query: those of a connection are of all after it, too.
STREAMED = {"stream_results": True, "yield_per": 20_000}

log = structlog.get_logger(__name__)

AddChunk = Callable[[Sequence[Any]], None]  # takes columns: Arrow's by the fast path, tuples of any values by the other


class SourceSession:
    """May be used from several threads. ``table`` names what is read, for messages; the sessions
    bear ``name``.

    While one on a SQLite file is open, nobody else in the process may use that file (see
    data/source/connection/locks.py); the engine's own connections are closed for it.
    """

    def __init__(self, engine: Engine, table: str, *, fast_path: bool, name: str, timeout_s: float | None) -> None:
        self.fast_reads = 0
        self.general_reads = 0
        self._engine, self._table, self._name, self._timeout_s = engine, table, name, timeout_s
        self._url = fast.connectorx_url(engine.url) if fast_path else None
        self._failures = 0
        self._counting = threading.Lock()
        self._lock = SharedLock()

    def connected(self, connection: Connection) -> None:
        """Prepare the fast path, once, on the first connection: its own sessions get the name and
        limits of the engine's.

        Where it could not connect it is not tried: it would take half a minute to say so.
        """
        if self._url is None:
            return
        checks_client = (connection.dialect.server_version_info or (0,)) >= (14,)
        self._url = fast.with_session(self._url, self._name, self._timeout_s, checks_client=checks_client)
        if not fast.connects(connection, self._engine, self._url):
            log.debug("the fast path cannot connect, reading row by row", table=self._table)
            self._url = None

    def stream(self, statement: Select[Any], station: str, add: AddChunk) -> bool:
        """Run a query and hand over its rows in chunks of columns; return whether the fast path did
        it.

        Raises:
            SourceUnavailable, SourceMismatch: see data/source/connection/failures.py.
        """
        if self._run_fast(statement, station, add):
            return True
        with self.engine() as engine, engine.connect() as connection:
            result = connection.execute(statement, execution_options=STREAMED)
            for chunk in result.partitions():
                add(list(zip(*chunk, strict=True)))
        return False

    def _run_fast(self, statement: Select[Any], station: str, add: AddChunk) -> bool:
        """Return whether the fast path could do it; where it could not, nothing was handed over."""
        # SQL text ends at a NUL for some drivers; a bound parameter does not.
        if self._url is None or self._failures >= FAST_FAILURES or "\0" in station:
            return False
        self._require_server()
        try:
            with self._lock.shared():
                sql = as_text(statement, self._engine.dialect, name=self._name, timeout_s=self._timeout_s)
                fast.read_chunks(self._url, sql, add)
        except fast.FastPathFailed as exc:
            with self._counting:
                self._failures += 0 if self.fast_reads else 1
            log.info("fast path failed, reading row by row", table=self._table, station=station, why=str(exc)[:200])
            return False
        return True

    def _require_server(self) -> None:
        """See that the server answers, in one round trip: connectorx would try for half a minute to
        connect.
        """
        if self._engine.dialect.name != "sqlite":
            with self.engine() as engine:
                engine.connect().close()  # a pooled connection is tried first

    def count_read(self, *, fast_path: bool) -> None:
        """Note by which path a query was read."""
        with self._counting:
            self.fast_reads += fast_path
            self.general_reads += not fast_path

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """The engine, its errors classified; on a SQLite file that connectorx reads, too, alone and
        closed afterwards.
        """
        with classified(self._engine.url):
            if self._url is None or self._engine.dialect.name != "sqlite":
                yield self._engine
                return
            with self._lock.exclusive():
                try:
                    yield self._engine
                finally:
                    self._engine.dispose()
