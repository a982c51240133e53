"""A connected database of a source: the fast path and the general one, each query with a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import structlog
from sqlalchemy import Connection, Engine, Select

from data.source import fast, statements
from data.source.failures import classified
from data.source.gate import Gate

FAST_FAILURES = 3  # when it has failed so often and never succeeded, the fast path is not tried again

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Described(Protocol):
    """What a session must know of a source."""

    @property
    def engine(self) -> Engine:
        """Of the database that holds the table."""

    @property
    def table(self) -> str:
        """Name of the table, for messages."""

    @property
    def fast(self) -> bool:
        """Whether the fast path may be taken at all."""

    @property
    def session_name(self) -> str:
        """Marks all queries on a server."""

    @property
    def statement_timeout_s(self) -> float | None:
        """Bounds each query on a server."""


class Session:
    """May be used from several threads.

    While one on a SQLite file is open, nobody else in the process may use that file (see data/source/gate.py); the engine's
    own connections are closed for it.
    """

    def __init__(self, described: Described, *, fast_path: bool = True) -> None:
        self.fast_reads = 0
        self.general_reads = 0
        self._described = described
        self._url = fast.connectorx_url(described.engine.url) if fast_path and described.fast else None
        self._failures = 0
        self._counting = threading.Lock()
        self._gate = Gate()

    def connected(self, connection: Connection) -> None:
        """Prepare the fast path, once, on the first connection: its own sessions get the name and limits of the engine's.

        Where it could not connect it is not tried: it would take half a minute to say so.
        """
        if self._url is None:
            return
        described, checks_client = self._described, (connection.dialect.server_version_info or (0,)) >= (14,)
        self._url = fast.with_session(
            self._url, described.session_name, described.statement_timeout_s, checks_client=checks_client
        )
        if not fast.connects(connection, described.engine, self._url):
            log.debug("the fast path cannot connect, reading row by row", table=described.table)
            self._url = None

    def run_fast(self, statement: Select[Any], station: str, run: Callable[[str, str], T]) -> T | None:
        """What ``run(url, sql)`` gives, or None when the fast path cannot do it.

        Raises:
            SourceUnavailable: the server has gone since it was last asked.
        """
        # SQL text ends at a NUL for some drivers; a bound parameter does not.
        if self._url is None or self._failures >= FAST_FAILURES or "\0" in station:
            return None
        described = self._described
        name, timeout_s = described.session_name, described.statement_timeout_s
        self._require_server()
        try:
            with self._gate.together():
                return run(self._url, statements.as_text(statement, described.engine.dialect, name=name, timeout_s=timeout_s))
        except fast.FastPathFailed as exc:
            with self._counting:
                self._failures += 0 if self.fast_reads else 1
            log.info("fast path failed, reading row by row", table=described.table, station=station, why=str(exc)[:200])
            return None

    def _require_server(self) -> None:
        """See that the server answers, in one round trip: connectorx would try for half a minute to connect."""
        if self._described.engine.dialect.name != "sqlite":
            with self.engine() as engine:
                engine.connect().close()  # a pooled connection is tried first

    def count_read(self, *, fast_path: bool) -> None:
        """Note by which path a query was read."""
        with self._counting:
            self.fast_reads += fast_path
            self.general_reads += not fast_path

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """The engine, its errors classified; on a SQLite file that connectorx reads, too, alone and closed afterwards."""
        engine = self._described.engine
        with classified(engine.url):
            if self._url is None or engine.dialect.name != "sqlite":
                yield engine
                return
            with self._gate.alone():
                try:
                    yield engine
                finally:
                    engine.dispose()


class SessionReader:
    """What every reader has: a session, by which it reads, and counts of its queries. Nothing stays open between queries."""

    def __init__(self, described: Described, *, fast_path: bool = True) -> None:
        self._session = Session(described, fast_path=fast_path)

    def __exit__(self, *_: object) -> None:
        """Nothing stays open between queries."""

    @property
    def fast_reads(self) -> int:
        """Queries that the fast path has read."""
        return self._session.fast_reads

    @property
    def general_reads(self) -> int:
        """Queries that the general path has read."""
        return self._session.general_reads
