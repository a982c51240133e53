"""Reading a source: connect once, then month by month by the fast path, or by the general one where that fails."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self, TypeVar

import structlog
from sqlalchemy import Connection, Engine, Select, inspect

from data.source import fast, general, statements
from data.source.columns import Int64Array, Readings, ReadingsBuilder
from data.source.failures import classified, place
from data.source.gate import Gate
from errors import SourceMismatch

if TYPE_CHECKING:
    from data.source.table import TableSource

FAST_FAILURES = 3  # when it has failed so often and never succeeded, the fast path is not tried again

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Reader:
    """A connected source. Its methods may be called from several threads; each query has its own connection.

    While a reader of a SQLite file is open, nobody else in the process may use that file (see data/source/gate.py); the
    engine's own connections are closed for it.
    """

    def __init__(self, source: TableSource, *, fast_path: bool = True) -> None:
        self.source = source
        self.fast_reads = 0
        self.general_reads = 0
        self._url = fast.connectorx_url(source.engine.url) if fast_path and source.fast else None
        self._failures = 0
        self._counting = threading.Lock()
        self._gate = Gate()
        self._columns: frozenset[str] = frozenset()
        self._flagged: dict[str, bool] = {}

    def __enter__(self) -> Self:
        source = self.source
        with self._engine() as engine, engine.connect() as connection:
            columns = inspect(connection).get_columns(source.table, schema=source.schema)
            self._url = self._session_url(connection)
        self._columns = frozenset(str(column["name"]) for column in columns)
        self._require({source.time, source.station, *([source.tie_break] if source.tie_break else [])})
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing stays open between queries."""

    def read(self, station: str, sensors: Sequence[str], windows: Iterable[tuple[int, int]]) -> Readings:
        """All rows of a station in some [start, end) windows (ms UTC, in order), one query a window.

        Raises:
            SourceUnavailable, SourceMismatch: see data/source/failures.py. Values never raise; they are counted.
        """
        self._require({self.source.sensors[sensor] for sensor in sensors})
        builder = ReadingsBuilder(sensors)
        for start_ms, end_ms in windows:
            statement = statements.readings(self.source, station, sensors, start_ms, end_ms)
            by_fast_path = self._fast(statement, station, lambda url, sql: fast.read(url, sql, builder))
            if by_fast_path is None:
                with self._engine() as engine:
                    general.read(engine, statement, builder)
            with self._counting:
                self.fast_reads += by_fast_path is not None
                self.general_reads += by_fast_path is None
        return builder.build()

    def flags(self, station: str, sensors: Sequence[str], start_ms: int, end_ms: int) -> Mapping[str, Int64Array]:
        """Times (sorted, ms UTC) of the values in [start, end) that the source calls bad; only sensors that have some."""
        if self.source.flags is None or not sensors or not self._has_flags(station):
            return {}
        return self._flags(statements.flags(self.source, station, sensors, start_ms, end_ms), station, sensors)

    def _has_flags(self, station: str) -> bool:
        """Whether the station has any; asked once, since most have none and months are many."""
        if station not in self._flagged:
            everything = statements.flags(self.source, station, tuple(self.source.sensors), -(2**62), 2**62).limit(1)
            self._flagged[station] = bool(self._flags(everything, station, tuple(self.source.sensors)))
        return self._flagged[station]

    def _flags(self, statement: Select[Any], station: str, sensors: Sequence[str]) -> Mapping[str, Int64Array]:
        found = self._fast(statement, station, lambda url, sql: fast.read_flags(url, sql, sensors))
        if found is not None:
            return found
        with self._engine() as engine:
            return general.read_flags(engine, statement)

    def _fast(self, statement: Select[Any], station: str, run: Callable[[str, str], T]) -> T | None:
        """What ``run(url, sql)`` gives, or None when the fast path cannot do it."""
        # SQL text ends at a NUL for some drivers; a bound parameter does not.
        if self._url is None or self._failures >= FAST_FAILURES or "\0" in station:
            return None
        source = self.source
        name, timeout_s = source.session_name, source.statement_timeout_s
        try:
            with self._gate.together():
                return run(self._url, statements.as_text(statement, source.engine.dialect, name=name, timeout_s=timeout_s))
        except fast.FastPathFailed as exc:
            with self._counting:
                self._failures += 0 if self.fast_reads else 1
            log.info("fast path failed, reading row by row", table=self.source.table, station=station, why=str(exc)[:200])
            return None

    def _session_url(self, connection: Connection) -> str | None:
        """Connectorx opens its own sessions: they get the name and the limits of the engine's."""
        if self._url is None:
            return None
        source, checks_client = self.source, (connection.dialect.server_version_info or (0,)) >= (14,)
        return fast.with_session(self._url, source.session_name, source.statement_timeout_s, checks_client=checks_client)

    @contextmanager
    def _engine(self) -> Iterator[Engine]:
        """The engine, its errors classified; on a SQLite file that connectorx reads, too, alone and closed afterwards."""
        engine = self.source.engine
        with classified(engine.url):
            if self._url is None or engine.dialect.name != "sqlite":
                yield engine
                return
            with self._gate.alone():
                try:
                    yield engine
                finally:
                    engine.dispose()

    def _require(self, columns: Iterable[str]) -> None:
        lacking = sorted(set(columns) - self._columns)
        if lacking:
            raise SourceMismatch(
                "The table {table} in {database} lacks {columns}; it has {present}.",
                table=self.source.table,
                database=place(self.source.engine.url),
                columns=", ".join(lacking),
                present=", ".join(sorted(self._columns)),
            )
