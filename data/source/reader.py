"""Reading a source: connect once, then month by month by the fast path, or by the general one where that fails."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import structlog
from sqlalchemy import Connection, Select, inspect

from data.source import statements
from data.source.columns import Int64Array, Readings, ReadingsBuilder
from data.source.failures import classified, place
from data.source.fast import FastPathFailed, connectorx_url, read_fast
from data.source.general import read_general
from errors import SourceMismatch

if TYPE_CHECKING:
    from data.source.table import TableSource

FAST_FAILURES = 3  # when it has failed so often and never succeeded, the fast path is not tried again

log = structlog.get_logger(__name__)


class Reader:
    """A connected source. Its methods may be called from several threads; each query has its own connection.

    The connection that is opened first stays open: it has shown, with a short timeout, that the database answers, and on
    SQLite it keeps each query's connection from being the last one, whose closing would checkpoint the file.
    """

    def __init__(self, source: TableSource, *, fast: bool = True) -> None:
        self.source = source
        self.fast_reads = 0
        self.general_reads = 0
        self._url = connectorx_url(source.engine.url) if fast else None
        self._failures = 0
        self._lock = threading.Lock()
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        with classified(self.source.engine.url):
            self._connection = self.source.engine.connect()
            try:
                self._check(self._connection)
                self._connection.rollback()  # hold the connection, but no snapshot
            except BaseException:
                self._connection.close()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def read(self, station: str, sensors: Sequence[str], windows: Iterable[tuple[int, int]]) -> Readings:
        """All rows of a station in some [start, end) windows (ms UTC, in order), one query a window.

        Raises:
            SourceUnavailable, SourceMismatch: see data/source/failures.py. Values never raise; they are counted.
        """
        builder = ReadingsBuilder(sensors)
        for start_ms, end_ms in windows:
            statement = statements.readings(self.source, station, sensors, start_ms, end_ms)
            if not self._read_fast(statement, station, builder):
                with classified(self.source.engine.url):
                    read_general(self.source.engine, statement, builder)
                self.general_reads += 1
        return builder.build()

    def flags(self, station: str, sensors: Sequence[str], start_ms: int, end_ms: int) -> Mapping[str, Int64Array]:
        """Times (sorted, ms UTC) of the values in [start, end) that the source calls bad; only sensors that have some."""
        if self.source.flags is None or not sensors:
            return {}
        statement = statements.flags(self.source, station, sensors, start_ms, end_ms)
        with classified(self.source.engine.url), self.source.engine.connect() as connection:
            found: dict[str, list[int]] = {}
            for sensor, time_ms in connection.execute(statement):
                found.setdefault(sensor, []).append(time_ms)
        return {sensor: np.array(times, dtype=np.int64) for sensor, times in found.items()}

    def _read_fast(self, statement: Select[Any], station: str, builder: ReadingsBuilder) -> bool:
        # SQL text ends at a NUL for some drivers; a bound parameter does not.
        if self._url is None or self._failures >= FAST_FAILURES or "\0" in station:
            return False
        try:
            read_fast(self._url, statements.as_text(statement, self.source.engine.dialect), builder)
        except FastPathFailed as exc:
            with self._lock:
                self._failures += 0 if self.fast_reads else 1
            log.info("fast path failed, reading row by row", table=self.source.table, station=station, why=str(exc)[:200])
            return False
        self.fast_reads += 1
        return True

    def _check(self, connection: Connection) -> None:
        """Every column that will be asked for exists."""
        source = self.source
        present = {str(column["name"]) for column in inspect(connection).get_columns(source.table, schema=source.schema)}
        named = {source.time, source.station, *source.sensors.values(), *([source.tie_break] if source.tie_break else [])}
        lacking = sorted(named - present)
        if lacking:
            raise SourceMismatch(
                "The table {table} in {database} lacks {columns}; it has {present}.",
                table=source.table,
                database=place(source.engine.url),
                columns=", ".join(lacking),
                present=", ".join(sorted(present)),
            )
