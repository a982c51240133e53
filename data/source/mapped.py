"""A source that is an existing table, read-only, as a mapping describes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from sqlalchemy import Engine, event

from data.months import month_bounds_ms
from data.source import fast, general, mapped_sql, running, survey, watch
from data.source.columns import Int64Array, Readings
from data.source.mapped_rows import Rows, dealt
from data.source.mapping import MappedSensor, SourceMapping
from data.source.session import Session, SessionReader
from data.source.shape import Shape, read_shape
from data.source.zones import Segment


@dataclass(frozen=True)
class MappedSource:
    """See :class:`data.source.table.Source`; ``engine`` is of the database that holds the table (:func:`as_others_see`)."""

    mapping: SourceMapping
    engine: Engine
    fast: bool = True
    session_name: str = "riwayat"
    statement_timeout_s: float | None = None

    @property
    def id(self) -> str:
        """Name of the source: a fingerprint of its mapping."""
        return self.mapping.source_id

    @property
    def table(self) -> str:
        """Name of the table, for messages."""
        return self.mapping.table

    @property
    def check_minutes(self) -> float | None:
        """How long closed months are trusted; None: for ever."""
        return self.mapping.check_minutes

    @property
    def outlives_client(self) -> bool:
        """Whether a query may go on when the process that asked is gone."""
        return running.goes_on_without_client(self.engine)

    def stop_queries(self, session_name: str) -> int:
        """End the sessions of another process; how many there were. Errors are the driver's own."""
        return running.stop_queries(self.engine, session_name)

    def open(self, *, fast: bool = True) -> MappedReader:
        """A reader to be used in a ``with`` statement; ``fast=False`` takes the general path only."""
        return MappedReader(self, fast_path=fast)


def as_others_see(engine: Engine) -> Engine:
    """The engine of a foreign database: a TIMESTAMP of MariaDB and MySQL shows what every other client of the server sees.

    Our own sessions are in UTC; here the wall clock of the server's sessions counts, whose zone the mapping names.
    """
    if engine.url.get_backend_name() in {"mysql", "mariadb"}:
        event.listen(engine, "connect", _in_the_servers_zone)
    return engine


def _in_the_servers_zone(dbapi: Any, _record: object) -> None:
    with dbapi.cursor() as cursor:
        cursor.execute("SET time_zone = @@global.time_zone")


class MappedReader(SessionReader):
    """A connected mapped source; see :class:`data.source.reader.AnyReader`."""

    def __init__(self, source: MappedSource, *, fast_path: bool = True) -> None:
        self.source = source
        super().__init__(source, fast_path=fast_path)
        self._shape: Shape | None = None
        self._sensors = {sensor.name: sensor for sensor in source.mapping.sensors}

    def __enter__(self) -> Self:
        with self._session.engine() as engine, engine.connect() as connection:
            self._shape = read_shape(connection, self.source.mapping)
            self._session.connected(connection)
        return self

    @property
    def shape(self) -> Shape:
        """The table as it was when the reader was opened."""
        if self._shape is None:
            raise RuntimeError("the reader is not open")
        return self._shape

    @property
    def session(self) -> Session:
        """The connected database."""
        return self._session

    @property
    def finds_all_stations(self) -> bool:
        """Whether no index finds the rows of one station."""
        return bool(self.source.mapping.station) and not self.shape.station_led

    def read(self, station: str, sensors: Sequence[str], windows: Iterable[tuple[int, int]]) -> Readings:
        """All rows of a station in some windows, one query a window (more where clocks change)."""
        return self.read_together([station], sensors, windows)[station]

    def read_together(
        self, stations: Sequence[str], sensors: Sequence[str], windows: Iterable[tuple[int, int]]
    ) -> dict[str, Readings]:
        """The same of several stations, by the same queries."""
        chosen = [self._sensors[sensor] for sensor in sensors if sensor in self._sensors]
        rows = [Rows(chosen, self.shape.clock, self.source.mapping.tall) for _ in stations]
        for start_ms, end_ms in windows:
            for segment in self.shape.clock.segments(start_ms, end_ms):
                self._read(rows, stations, chosen, segment)
                for each in rows:
                    each.end_segment(segment, start_ms, end_ms)
        return {station: each.readings() for station, each in zip(stations, rows, strict=True)}

    def flags(self, station: str, sensors: Sequence[str], start_ms: int, end_ms: int) -> Mapping[str, Int64Array]:
        """None: quality codes come with the rows."""
        del station, sensors, start_ms, end_ms
        return {}

    def fingerprints(self, stations: Sequence[str], month: int) -> Mapping[str, str | None]:
        """What a month holds, taken before it is read; None where a high-water mark names changed months."""
        if self.shape.high_water or self.shape.updated:
            return dict.fromkeys(stations)
        with self._session.engine() as engine, engine.connect() as connection:
            return watch.fingerprints(connection, self.shape, stations, *month_bounds_ms(month))

    def untimed(self, stations: Sequence[str]) -> int:
        """Rows of some stations whose time is NULL or a zero date."""
        with self._session.engine() as engine, engine.connect() as connection:
            return survey.untimed(connection, self.shape, mapped_sql.of_stations(self.shape, stations))

    def _read(self, rows: Sequence[Rows], stations: Sequence[str], sensors: Sequence[MappedSensor], segment: Segment) -> None:
        statement = mapped_sql.readings(self.shape, stations, sensors, segment)
        add = rows[0].add if len(rows) == 1 else partial(dealt, rows)
        found = self._session.run_fast(statement, ", ".join(stations), partial(fast.read_chunks, add=add))
        if found is None:
            with self._session.engine() as engine:
                general.stream(engine, statement, add)
        self._session.count_read(fast_path=found is not None)
