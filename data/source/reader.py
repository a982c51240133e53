"""Reading our own table: connect once, then month by month by the fast path, or by the general one where that fails."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, Self

from sqlalchemy import Select, inspect

from data.source import fast, general, statements
from data.source.columns import Int64Array, Readings, ReadingsBuilder
from data.source.failures import place
from data.source.session import FAST_FAILURES, SessionReader
from errors import SourceMismatch

if TYPE_CHECKING:
    from data.source.table import TableSource

__all__ = ["FAST_FAILURES", "AnyReader", "Reader"]


class AnyReader(Protocol):
    """A connected source. Its methods may be called from several threads."""

    def __enter__(self) -> Self:
        """Connect and see that the table is as described."""

    def __exit__(self, *_: object) -> None:
        """Nothing stays open between queries."""

    def read(self, station: str, sensors: Sequence[str], windows: Iterable[tuple[int, int]]) -> Readings:
        """All rows of a station in some [start, end) windows (ms UTC, in order).

        Raises:
            SourceUnavailable, SourceMismatch: see data/source/failures.py. Values never raise; they are counted.
        """

    @property
    def finds_all_stations(self) -> bool:
        """Whether a query for one station goes over the rows of the others, too, so that they are better read together."""

    def read_together(
        self, stations: Sequence[str], sensors: Sequence[str], windows: Iterable[tuple[int, int]]
    ) -> dict[str, Readings]:
        """The same by station, for several."""

    def flags(self, station: str, sensors: Sequence[str], start_ms: int, end_ms: int) -> Mapping[str, Int64Array]:
        """Times (sorted, ms UTC) in [start, end) whose values a table beside the rows calls bad; of sensors that have some."""

    def fingerprints(self, stations: Sequence[str], month: int) -> Mapping[str, str | None]:
        """By station, what a month holds, taken before it is read; None where changes are found in another way."""

    def untimed(self, stations: Sequence[str]) -> int:
        """Rows that are in no month, because their time is missing or a zero date; asked once a job."""


class Reader(SessionReader):
    """A connected :class:`data.source.table.TableSource`."""

    def __init__(self, source: TableSource, *, fast_path: bool = True) -> None:
        self.source = source
        super().__init__(source, fast_path=fast_path)
        self._columns: frozenset[str] = frozenset()
        self._flagged: dict[str, bool] = {}

    def __enter__(self) -> Self:
        source = self.source
        with self._session.engine() as engine, engine.connect() as connection:
            columns = inspect(connection).get_columns(source.table, schema=source.schema)
            self._session.connected(connection)
        self._columns = frozenset(str(column["name"]) for column in columns)
        self._require({source.time, source.station, *([source.tie_break] if source.tie_break else [])})
        return self

    def read(self, station: str, sensors: Sequence[str], windows: Iterable[tuple[int, int]]) -> Readings:
        """All rows of a station in some windows, one query a window. See :class:`AnyReader`."""
        self._require({self.source.sensors[sensor] for sensor in sensors})
        builder = ReadingsBuilder(sensors)
        for start_ms, end_ms in windows:
            statement = statements.readings(self.source, station, sensors, start_ms, end_ms)
            by_fast_path = self._session.run_fast(statement, station, lambda url, sql: fast.read(url, sql, builder))
            if by_fast_path is None:
                with self._session.engine() as engine:
                    general.read(engine, statement, builder)
            self._session.count_read(fast_path=by_fast_path is not None)
        return builder.build()

    @property
    def finds_all_stations(self) -> bool:
        """False: the key begins with the station."""
        return False

    def read_together(
        self, stations: Sequence[str], sensors: Sequence[str], windows: Iterable[tuple[int, int]]
    ) -> dict[str, Readings]:
        """One station after the other. See :class:`AnyReader`."""
        many = list(windows)
        return {station: self.read(station, sensors, many) for station in stations}

    def flags(self, station: str, sensors: Sequence[str], start_ms: int, end_ms: int) -> Mapping[str, Int64Array]:
        """Times of the values in [start, end) that the source calls bad. See :class:`AnyReader`."""
        if self.source.flags is None or not sensors or not self._has_flags(station):
            return {}
        return self._flags(statements.flags(self.source, station, sensors, start_ms, end_ms), station, sensors)

    def fingerprints(self, stations: Sequence[str], month: int) -> Mapping[str, str | None]:
        """None: an import bumps the generation."""
        del month
        return dict.fromkeys(stations)

    def untimed(self, stations: Sequence[str]) -> int:
        """None: the time is a key."""
        del stations
        return 0

    def _has_flags(self, station: str) -> bool:
        """Whether the station has any; asked once, since most have none and months are many."""
        if station not in self._flagged:
            everything = statements.flags(self.source, station, tuple(self.source.sensors), -(2**62), 2**62).limit(1)
            self._flagged[station] = bool(self._flags(everything, station, tuple(self.source.sensors)))
        return self._flagged[station]

    def _flags(self, statement: Select[Any], station: str, sensors: Sequence[str]) -> Mapping[str, Int64Array]:
        found = self._session.run_fast(statement, station, lambda url, sql: fast.read_flags(url, sql, sensors))
        if found is not None:
            return found
        with self._session.engine() as engine:
            return general.read_flags(engine, statement)

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
