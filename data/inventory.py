"""The inventory: what there is of each station, kept by import and by jobs, so that nobody ever counts observations."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, func, insert, select, update
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from data.patience import Ask, ask_directly
from data.tables import month_inventory as months_table
from data.tables import station_inventory as stations_table
from data.upsert import upsert
from errors import SourceUnavailable, UnknownStation

OWN_SOURCE = "own"
_SUGGESTIONS = 5
_STATIONS_A_QUERY = 500  # databases bound the number of parameters

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class StationInventory:
    """A station: its sensors that have ever had a value (sorted), first and last time (ms UTC), rows, usual step."""

    name: str
    sensors: tuple[str, ...]
    first_ms: int | None
    last_ms: int | None
    rows: int
    step_ms: int | None
    synthetic: bool


@dataclass(frozen=True)
class MonthInventory:
    """A station's UTC month: rows, first and last time (ms UTC); ``generation`` grows whenever a row of it changes."""

    month: int
    rows: int
    first_ms: int
    last_ms: int
    generation: int


Shown = Callable[[StationInventory], StationInventory | None]


@dataclass(frozen=True)
class KnownStations:
    """The stations as far as they are known; ``away`` says that the database does not answer."""

    stations: tuple[StationInventory, ...]
    away: bool = False


@dataclass(frozen=True)
class MonthTable:
    """Months with rows of several stations, a row each; ``station`` is the position among those asked for.

    Sorted by station and month. Arrays of int64 of one length; times in ms UTC, and the rest as :class:`MonthInventory`.
    """

    station: Integers
    month: Integers
    rows: Integers
    first_ms: Integers
    last_ms: Integers
    generation: Integers

    def __len__(self) -> int:
        return len(self.month)

    def only(self, chosen: npt.NDArray[np.bool_]) -> MonthTable:
        """Some of its rows."""
        return MonthTable(*(getattr(self, field.name)[chosen] for field in fields(self)))


class Inventory:
    """The inventory of one source. Reads small tables only; every call is one query.

    ``ask`` puts the questions to the database. Where it is impatient, each call may raise SourceUnavailable.
    """

    def __init__(self, engine: Engine, source: str, ask: Ask = ask_directly) -> None:
        self._engine = engine
        self._ask = ask
        self._last: tuple[StationInventory, ...] = ()
        self.source = source

    def as_shown(self, shown: Shown) -> Inventory:
        """The same for who sees only a part: ``shown`` makes that part of a station, or None of one that is not to be there."""
        return _ShownInventory(self._engine, self.source, self._ask, self, shown)

    @property
    def whole(self) -> Inventory:
        """The inventory without regard to who sees what of it."""
        return self

    def stations(self) -> tuple[StationInventory, ...]:
        """All stations, sorted by name."""
        self._last = self._stations()
        return self._last

    def known(self) -> KnownStations:
        """All stations; while the database does not answer, those that this process was told last (at first none)."""
        try:
            return KnownStations(self.stations())
        except SourceUnavailable:
            return KnownStations(self._last, away=True)

    def station(self, name: str) -> StationInventory:
        """One station.

        Raises:
            UnknownStation: naming the known ones that are most like it.
        """
        return self.named([name])[0]

    def named(self, names: Sequence[str]) -> tuple[StationInventory, ...]:
        """Some stations, in the order asked for.

        Raises:
            UnknownStation: naming the first that is not there, and the known ones that are most like it.
        """
        askable = [name for name in names if "\0" not in name]  # PostgreSQL takes no such text
        found = {station.name: station for some in _chunks(askable) for station in self._stations(some)}
        for name in names:
            if name not in found:
                raise self._unknown(name)
        return tuple(found[name] for name in names)

    def months(self, station: str, first_month: int, last_month: int) -> Mapping[int, MonthInventory]:
        """The months with rows from ``first_month`` to ``last_month``, both included, in order."""
        found = self._ask(lambda: self._months(station, first_month, last_month))
        return {number: month for number, month in found.items() if month.rows}

    def _months(self, station: str, first_month: int, last_month: int) -> Mapping[int, MonthInventory]:
        with self._engine.connect() as connection:
            return self.months_in(connection, station, first_month, last_month)

    def month_table(self, stations: Sequence[str], first_month: int, last_month: int) -> MonthTable:
        """Months with rows of some stations, as :meth:`months` has them, from one query for many stations."""
        columns = months_table.c
        wanted = (columns.station, columns.month, columns.rows, columns.first, columns.last, columns.generation)
        found: list[Sequence[Any]] = []
        for some in _chunks(stations):
            here = (columns.source == self.source, columns.station.in_(some), columns.month.between(first_month, last_month))
            query = select(*wanted).where(*here, columns.rows > 0)
            found += self._ask(lambda query=query: self._plain_rows(query))  # type: ignore[misc]
        return _month_table(stations, found)

    def months_in(self, connection: Connection, station: str, first_month: int, last_month: int) -> Mapping[int, MonthInventory]:
        """As :meth:`months`, inside a transaction of the caller's, and with months that a job has found to be empty."""
        query = (
            select(
                months_table.c.month, months_table.c.rows, months_table.c.first, months_table.c.last, months_table.c.generation
            )
            .where(self._of(months_table.c, station), months_table.c.month.between(first_month, last_month))
            .order_by(months_table.c.month)
        )
        return {row[0]: MonthInventory(*row) for row in connection.execute(query)}

    def record(self, connection: Connection, station: str, *, month: int, added: int, first_ms: int, last_ms: int) -> None:
        """Note a change of a month inside the transaction that makes it: rows grow, bounds widen, the generation grows.

        Call :meth:`lock` first when others may write the same station at the same time.
        """
        known = self.months_in(connection, station, month, month).get(month)
        columns = months_table.c
        if known is None:
            keys = {"source": self.source, "station": station, "month": month}
            values = {"rows": added, "first": first_ms, "last": last_ms, "generation": 1}
            connection.execute(insert(months_table).values({**keys, **values}))
            return
        connection.execute(
            update(months_table)
            .where(self._of(columns, station), columns.month == month)
            .values(
                {
                    "rows": columns.rows + added,
                    "first": min(known.first_ms, first_ms),
                    "last": max(known.last_ms, last_ms),
                    "generation": columns.generation + 1,
                }
            )
        )

    def describe(
        self,
        connection: Connection,
        station: str,
        *,
        sensors: Iterable[str],
        step_ms: int | None = None,
        synthetic: bool | None = None,
    ) -> None:
        """Merge what is known of a station: sensors are added; step and mark are replaced where given."""
        self.lock(connection, station)
        columns = stations_table.c
        condition = self._of(columns, station)
        known: list[str] = json.loads(connection.execute(select(columns.sensors).where(condition)).scalar_one())
        values: dict[str, object] = {"sensors": json.dumps(sorted({*known, *sensors}))}
        if step_ms is not None:
            values["step_ms"] = step_ms
        if synthetic is not None:
            values["synthetic"] = synthetic
        connection.execute(update(stations_table).where(condition).values(values))

    def lock(self, connection: Connection, station: str) -> None:
        """Make sure that the station has a row, and hold it until the transaction ends (SQLite has one writer anyway)."""
        columns = stations_table.c
        new = {"source": self.source, "station": station, "sensors": "[]", "synthetic": False}
        connection.execute(upsert(connection.dialect, stations_table, ()).values(new))
        connection.execute(select(columns.station).where(self._of(columns, station)).with_for_update())

    def _stations(self, names: Sequence[str] | None = None) -> tuple[StationInventory, ...]:
        station, month = stations_table.c, months_table.c
        same = and_(month.source == station.source, month.station == station.station, month.rows > 0)
        query = (
            select(
                station.station,
                station.sensors,
                func.min(month.first),
                func.max(month.last),
                func.coalesce(func.sum(month.rows), 0),
                station.step_ms,
                station.synthetic,
            )
            .select_from(stations_table.outerjoin(months_table, same))
            .where(station.source == self.source, *([station.station.in_(names)] if names is not None else []))
            .group_by(station.station, station.sensors, station.step_ms, station.synthetic)
        )
        found = self._ask(lambda: self._rows(query))
        # Sorted here, so that every database gives the same order.
        return tuple(
            StationInventory(row[0], tuple(json.loads(row[1])), row[2], row[3], int(row[4]), row[5], bool(row[6]))
            for row in sorted(found, key=lambda row: str(row[0]))
        )

    def _rows(self, query: Select[Any]) -> Sequence[Sequence[Any]]:
        with self._engine.connect() as connection:
            return connection.execute(query).all()

    def _plain_rows(self, query: Select[Any]) -> Sequence[Sequence[Any]]:
        """Rows of text and integers as the driver gives them: half the time where they are ten thousands."""
        with self._engine.connect() as connection, connection.execute(query) as result:
            return list(result.cursor.fetchall())

    def _of(self, columns: ReadOnlyColumnCollection[str, Any], station: str) -> ColumnElement[bool]:
        return and_(columns.source == self.source, columns.station == station)

    def _unknown(self, name: str) -> UnknownStation:
        names = [station.name for station in self._stations()]
        if not names:
            return self._unknown_alone(name)
        near = difflib.get_close_matches(name, names, _SUGGESTIONS, cutoff=0.3) or names[:_SUGGESTIONS]
        return UnknownStation(
            "There is no station {station}; known are {known}.",
            field="stations",
            station=name,
            known=", ".join(near) + (", …" if len(near) < len(names) else ""),
        )

    def _unknown_alone(self, name: str) -> UnknownStation:
        return UnknownStation("There is no station {station}; nothing has been imported yet.", field="stations", station=name)


class _ShownInventory(Inventory):
    """A part of another inventory."""

    def __init__(self, engine: Engine, source: str, ask: Ask, whole: Inventory, shown: Shown) -> None:
        super().__init__(engine, source, ask)
        self._whole = whole
        self._shown = shown

    @property
    def whole(self) -> Inventory:
        return self._whole

    def known(self) -> KnownStations:
        found = self._whole.known()
        return KnownStations(self._part(found.stations), found.away)

    def _stations(self, names: Sequence[str] | None = None) -> tuple[StationInventory, ...]:
        return self._part(super()._stations(names))

    def _part(self, stations: Iterable[StationInventory]) -> tuple[StationInventory, ...]:
        return tuple(station for station in map(self._shown, stations) if station is not None)

    def _unknown_alone(self, name: str) -> UnknownStation:
        return UnknownStation("There is no station {station}.", field="stations", station=name)


def _chunks(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), _STATIONS_A_QUERY):
        yield names[start : start + _STATIONS_A_QUERY]


def _month_table(stations: Sequence[str], found: Sequence[Sequence[Any]]) -> MonthTable:
    """Of rows (station, month, rows, first, last, generation) in any order."""
    positions = {name: position for position, name in enumerate(stations)}
    station = np.fromiter((positions[row[0]] for row in found), np.int64, len(found))
    columns = [np.fromiter(map(itemgetter(column), found), np.int64, len(found)) for column in range(1, 6)]
    order = np.lexsort((columns[0], station))
    return MonthTable(station[order], *(column[order] for column in columns))
