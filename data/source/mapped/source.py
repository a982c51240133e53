"""A source as a mapping describes it, and its connected reader, which plan and load know it by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self

import numpy as np
from sqlalchemy import Connection, Engine, event

from data.source.connection.query_columns import Int64Array, Readings
from data.source.connection.session import SourceSession
from data.source.mapped import sql, station_bounds
from data.source.mapped import totals as mapped_totals
from data.source.mapped.mapping import MappedSensor, SourceMapping
from data.source.mapped.reflected import ReflectedTable, reflect_table
from data.source.mapped.station_rows import Rows, split_by_station
from data.source.mapped.totals import Gauge, counted, increments_of, next_total
from data.source.mapped.wall_times import Segment
from data.time.months import month_bounds_ms


@dataclass(frozen=True)
class TableSource:
    """What observations are read from: a table, a view or a query, as a mapping describes it;
    ``engine`` is of its database.

    ``fast=False`` never takes the fast path. ``session_name`` (letters, digits, hyphens) marks all
    queries on a server, which bounds each by ``statement_timeout_s``; the engine has the same.
    """

    mapping: SourceMapping
    engine: Engine
    fast: bool = True
    session_name: str = "riwayat"
    statement_timeout_s: float | None = None

    @property
    def id(self) -> str:
        """Name of the source, the first folder of its tiles: a fingerprint of its mapping."""
        return self.mapping.source_id

    def open(self, *, fast: bool = True) -> MappedReader:
        """A reader to be used in a ``with`` statement; ``fast=False`` takes the general path only.

        Raises:
            SourceUnavailable: the database does not answer; trying again may help.
            SourceMismatch: it answers, but not as described; trying again cannot help.
        """
        return MappedReader(self, fast_path=fast)


@dataclass(frozen=True)
class MappedSource(TableSource):
    """An existing table of others, read-only: its engine is one of :func:`as_others_see`, its
    inventory comes of a sync.
    """


_READ_ONLY = {
    "mysql": ("SET time_zone = @@global.time_zone", "SET SESSION TRANSACTION READ ONLY"),
    "mariadb": ("SET time_zone = @@global.time_zone", "SET SESSION TRANSACTION READ ONLY"),
    "sqlite": ("PRAGMA query_only = ON",),
    "duckdb": ("SET TimeZone = 'UTC'",),
}


def as_others_see(engine: Engine) -> Engine:
    """The engine of a foreign database, whose sessions may only read, and see a TIMESTAMP as every
    other client of the server.

    On MariaDB and MySQL our own sessions are in UTC; here the wall clock of the server's sessions
    counts, whose zone the mapping names.
    """
    statements = _READ_ONLY.get(engine.url.get_backend_name(), ())

    def prepare(dbapi: Any, _record: object) -> None:
        if hasattr(dbapi, "read_only"):  # psycopg says so as it begins a transaction: nothing is left in a pooler's session
            dbapi.read_only = True
        cursor = dbapi.cursor()
        for statement in statements:
            cursor.execute(statement)
        cursor.close()

    event.listen(engine, "connect", prepare)
    return engine


class MappedReader:
    """A connected source. Nothing stays open between queries; its methods may be called from
    several threads.
    """

    def __init__(self, source: TableSource, *, fast_path: bool = True) -> None:
        self.source = source
        self.session = SourceSession(
            source.engine,
            source.mapping.label,
            fast_path=fast_path and source.fast,
            name=source.session_name,
            timeout_s=source.statement_timeout_s,
        )
        self._reflected: ReflectedTable | None = None
        self._sensors = {sensor.name: sensor for sensor in source.mapping.sensors}

    def __enter__(self) -> Self:
        """Connect and see that the table is as described."""
        with self.session.engine() as engine, engine.connect() as connection:
            self._reflected = self.reflect(connection)
            self.session.connected(connection)
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing stays open between queries."""

    def reflect(self, connection: Connection) -> ReflectedTable:
        """The table as it is now."""
        return reflect_table(connection, self.source.mapping)

    @property
    def reflected(self) -> ReflectedTable:
        """The table as it was when the reader was opened."""
        if self._reflected is None:
            raise RuntimeError("the reader is not open")
        return self._reflected

    @property
    def fast_reads(self) -> int:
        """Queries for rows that the fast path has read."""
        return self.session.fast_reads

    @property
    def general_reads(self) -> int:
        """Queries for rows that the general path has read."""
        return self.session.general_reads

    @property
    def finds_all_stations(self) -> bool:
        """Return whether no index finds the rows of one station, so that several are better read
        together.
        """
        return bool(self.source.mapping.station) and not self.reflected.station_led

    def read(self, station: str, sensors: Sequence[str], windows: Iterable[tuple[int, int]]) -> Readings:
        """All rows of a station in some [start, end) windows (ms UTC, in order), one query a window
        (more where clocks change).

        Raises:
            SourceUnavailable, SourceMismatch: see data/source/connection/failures.py. Values never
            raise; they are counted.
        """
        return self.read_together([station], sensors, windows)[station]

    def read_together(
        self, stations: Sequence[str], sensors: Sequence[str], windows: Iterable[tuple[int, int]]
    ) -> dict[str, Readings]:
        """Read several stations by the same queries; return the readings by station."""
        chosen, many = [self._sensors[sensor] for sensor in sensors], list(windows)
        found = self._raw(stations, chosen, many)
        totals = [sensor for sensor in chosen if sensor.is_total]
        if not totals and all(sensor.step_s is None for sensor in chosen):
            return found
        return {station: self._counted(station, chosen, many, raw) for station, raw in found.items()}

    def _raw(
        self, stations: Sequence[str], chosen: Sequence[MappedSensor], windows: Iterable[tuple[int, int]]
    ) -> dict[str, Readings]:
        """Rows as the table has them: of a running total the totals."""
        values, singles = len(self.source.mapping.values), sql.singles(self.reflected, chosen)
        rows = [Rows(chosen, self.reflected.clock, values, singles) for _ in stations]
        for start_ms, end_ms in windows:
            for segment in self.reflected.clock.segments(start_ms, end_ms):
                self._read(rows, stations, chosen, segment)
                for each in rows:
                    each.end_segment(segment, start_ms, end_ms)
        return {station: each.readings() for station, each in zip(stations, rows, strict=True)}

    def _counted(
        self, station: str, chosen: Sequence[MappedSensor], windows: Sequence[tuple[int, int]], raw: Readings
    ) -> Readings:
        """What fell in each interval, of sensors whose table has totals or rates."""
        values, missing = dict(raw.values), dict(raw.missing)
        window = (windows[0][0], windows[-1][1])
        for sensor in chosen:
            if not sensor.is_total:
                values[sensor.name] = counted(sensor, raw)
                continue
            found = increments_of(self._gauge(station, sensor), raw, window)
            # The first total of all tells no increment, nor does one of several of a time: none of
            # them is unreadable.
            missing[sensor.name] += int(np.count_nonzero(np.isnan(found) & np.isfinite(raw.values[sensor.name])))
            values[sensor.name] = found
        return replace(raw, values=values, missing=missing)

    def _gauge(self, station: str, sensor: MappedSensor) -> Gauge:
        def read(start_ms: int, end_ms: int) -> Readings:
            return self._raw([station], [sensor], [(start_ms, end_ms)])[station]

        def next_row(edge_ms: int, *, forward: bool) -> int | None:
            with self.session.engine() as engine, engine.connect() as connection:
                return next_total(connection, self.reflected, station, sensor, edge_ms, forward=forward)

        zone = self.source.mapping.timezone if sensor.counts == "day_total" else None
        return Gauge(sensor.name, zone, read, partial(next_row, forward=True), partial(next_row, forward=False))

    def flags(self, station: str, sensors: Sequence[str], start_ms: int, end_ms: int) -> Mapping[str, Int64Array]:
        """Times (sorted, ms UTC) in [start, end) that a table beside the rows calls bad, of sensors
        that have some.

        None here: the quality codes of a mapping come with the rows.
        """
        del station, sensors, start_ms, end_ms
        return {}

    def fingerprints(self, stations: Sequence[str], month: int) -> Mapping[str, str | None]:
        """By station, what a month holds, taken before it is read; None where a high-water mark
        names changed months.
        """
        if self.reflected.high_water or self.reflected.updated:
            return dict.fromkeys(stations)
        with self.session.engine() as engine, engine.connect() as connection:
            return mapped_totals.fingerprints(connection, self.reflected, stations, *month_bounds_ms(month))

    def untimed(self, stations: Sequence[str]) -> int:
        """Rows of some stations whose time is NULL, a zero date, or none that can be read, and
        which are in no month.

        Asked once a job.
        """
        with self.session.engine() as engine, engine.connect() as connection:
            lacking = station_bounds.untimed(connection, self.reflected, sql.of_stations(self.reflected, stations))
            return lacking + station_bounds.unreadable_beyond(connection, self.reflected, stations)

    def _read(self, rows: Sequence[Rows], stations: Sequence[str], sensors: Sequence[MappedSensor], segment: Segment) -> None:
        statement = sql.readings(self.reflected, stations, sensors, segment)
        add = rows[0].add if len(rows) == 1 else partial(split_by_station, rows)
        self.session.count_read(fast_path=self.session.stream(statement, ", ".join(stations), add))
