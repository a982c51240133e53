"""The inventory: what there is of each station, kept by import and by jobs,
so that nobody ever counts observations.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, func, select, update
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from data.catalogue import Catalogue
from data.database.circuit_breaker import RunQuery, run_directly
from data.database.tables import OWN_SOURCE
from data.database.tables import month_inventory as months_table
from data.database.tables import station_inventory as stations_table
from data.database.upsert import upsert
from data.inventory_records import KnownStations, MonthInventory, MonthTable, StationInventory, month_table_of
from data.outlying import AHEAD_MS, FAR_MS, Outlying, Stretch, outlying
from data.sensor_spans import Spans, dump_spans, merged, parse_spans
from data.time.epoch import DAY_MS, epoch_ms
from errors import SourceUnavailable, UnknownStation

__all__ = [
    "OWN_SOURCE",
    "Inventory",
    "KnownStations",
    "MonthInventory",
    "MonthTable",
    "Outlying",
    "StationInventory",
]

_SUGGESTIONS = 5
# so many without rows lie at least in a pause that sets rows apart
_MONTHS_APART = FAR_MS // (32 * DAY_MS)
_LAST_MONTH = 9999 * 12 + 11
_STATIONS_A_QUERY = 500  # databases bound the number of parameters

_NO_FORMULAS = Catalogue({})
Shown = Callable[[StationInventory], StationInventory | None]


class Inventory:
    """The inventory of one source. Reads small tables only; every call is one query.

    ``run_query`` puts the questions to the database. Where it is impatient,
    each call may raise SourceUnavailable. Stations come with what they have of the derived sensors
    of a ``catalogue``.
    """

    def __init__(
        self,
        engine: Engine,
        source: str,
        run_query: RunQuery = run_directly,
        now_ms: Callable[[], int] = epoch_ms,
        catalogue: Catalogue = _NO_FORMULAS,
    ) -> None:
        self._engine, self._run_query = engine, run_query
        self.source, self.now_ms, self._catalogue = source, now_ms, catalogue
        self.whole = self  # without regard to who sees what of it
        self._shown: Shown = lambda station: station
        self._last: tuple[StationInventory, ...] = ()

    def as_shown(self, shown: Shown) -> Inventory:
        """The same for who sees only a part: ``shown`` makes that part of a station,
        or None of one that is not to be there.
        """
        part = Inventory(self._engine, self.source, self._run_query, self.now_ms, self._catalogue)
        part.whole, part._shown = self, shown
        return part

    def knowing(self, catalogue: Catalogue) -> Inventory:
        """The same with what stations have of another catalogue's derived sensors."""
        found = Inventory(self._engine, self.source, self._run_query, self.now_ms, catalogue)
        if self.whole is not self:
            found.whole = self.whole.knowing(catalogue)
        found._shown, found._last = self._shown, self._last
        return found

    def stations(self) -> tuple[StationInventory, ...]:
        """Return all stations, sorted by name."""
        self._last = self._stations()
        return self._last

    def known(self, names: Iterable[object] | None = None) -> KnownStations:
        """Return all stations, or those of some names that there are; while the database does not
        answer, those that this process was told last (at first none).
        """
        wanted = None if names is None else {name for name in names if isinstance(name, str)}
        if self.whole is not self:
            found = self.whole.known(wanted)
            return KnownStations(self._part(found.stations), found.away)
        try:
            return KnownStations(self.stations() if wanted is None else self._some(wanted))
        except SourceUnavailable:
            return KnownStations(tuple(each for each in self._last if wanted is None or each.name in wanted), away=True)

    def station(self, name: str) -> StationInventory:
        """Return the inventory of one station.

        Raises:
            UnknownStation: naming the known ones that are most like it.
        """
        return self.named([name])[0]

    def named(self, names: Sequence[str]) -> tuple[StationInventory, ...]:
        """Return some stations, in the order asked for.

        Raises:
            UnknownStation: naming the first that is not there,
                and the known ones that are most like it.
        """
        found = {station.name: station for station in self._some(names)}
        for name in names:
            if name not in found:
                raise self._unknown(name)
        return tuple(found[name] for name in names)

    def months(self, station: str, first_month: int, last_month: int) -> Mapping[int, MonthInventory]:
        """The months with rows from ``first_month`` to ``last_month``, both included, in order."""
        query = self._months_of(station, first_month, last_month)
        found = self._run_query(lambda: self._plain_rows(query))
        return {row[0]: MonthInventory(*row) for row in found if row[1]}

    def month_table(self, stations: Sequence[str], first_month: int, last_month: int, *, emptied: bool = False) -> MonthTable:
        """Months with rows of some stations, as :meth:`months` has them,
        from one query for many stations.

        ``emptied``: also months whose rows have all gone; tiles may still show them.
        """
        columns = months_table.c
        wanted = (columns.station, columns.month, columns.rows, columns.first, columns.last, columns.generation)
        since = func.coalesce(columns.appended_since, columns.generation)
        found: list[Sequence[Any]] = []
        for some in _chunks(stations):
            here = (columns.source == self.source, columns.station.in_(some), columns.month.between(first_month, last_month))
            query = select(*wanted, since).where(*here, *([] if emptied else [columns.rows > 0]))
            found += self._run_query(lambda query=query: self._plain_rows(query))  # type: ignore[misc]
        return month_table_of(stations, found)

    def months_in(self, connection: Connection, station: str, first_month: int, last_month: int) -> Mapping[int, MonthInventory]:
        """Return what :meth:`months` does, inside a transaction of the caller's,
        and with months that a job has found to be empty.
        """
        query = self._months_of(station, first_month, last_month)
        return {row[0]: MonthInventory(*row) for row in connection.execute(query)}

    def _months_of(self, station: str, first_month: int, last_month: int) -> Select[Any]:
        columns = months_table.c
        query = select(columns.month, columns.rows, columns.first, columns.last, columns.generation)
        here = (self._of(columns, station), columns.month.between(first_month, last_month))
        return query.where(*here).order_by(columns.month)

    def record(self, connection: Connection, station: str, *, month: int, added: int, first_ms: int, last_ms: int) -> None:
        """Note a change of a month inside the transaction that makes it, of rows from ``first_ms``
        to ``last_ms``: rows grow, bounds widen, the generation grows.

        Call :meth:`lock` first when others may write the same station at the same time.
        """
        known = self.months_in(connection, station, month, month).get(month)
        values: dict[str, Any] = {"rows": added, "first": first_ms, "last": last_ms, "generation": 1, "appended_since": 1}
        if known is not None:
            values |= {"rows": known.rows + added, "generation": known.generation + 1}
            is_later = known.rows and first_ms > known.last_ms
            values["appended_since"] = self._appended_since(connection, station, known) if is_later else known.generation + 1
            if known.rows:
                values |= {"first": min(known.first_ms, first_ms), "last": max(known.last_ms, last_ms)}
        keys = {"source": self.source, "station": station, "month": month}
        connection.execute(upsert(connection.dialect, months_table, tuple(values)).values({**keys, **values}))

    def _appended_since(self, connection: Connection, station: str, known: MonthInventory) -> int:
        """Return since which generation a month has only grown at its end, if it does so now."""
        columns = months_table.c
        query = select(columns.appended_since).where(self._of(columns, station), columns.month == known.month)
        found: int | None = connection.scalar(query)
        return known.generation if found is None else found

    def correct(self, connection: Connection, station: str, *, month: int, added: int, bounds: tuple[int, int] | None) -> None:
        """Note a change after which a month may have fewer rows:
        ``added`` may be negative, ``bounds`` are (first, last) now.

        A month without rows keeps its entry and its generation, so that a tile of it is stale,
        and never looks fresh again.
        """
        columns = months_table.c
        since = columns.generation + 1
        values: dict[str, Any] = {"rows": 0, "generation": since, "appended_since": since}
        if bounds is not None:
            self.record(connection, station, month=month, added=added, first_ms=bounds[0], last_ms=bounds[1])
            values = {"first": bounds[0], "last": bounds[1], "appended_since": columns.generation}
        connection.execute(update(months_table).where(self._of(columns, station), columns.month == month).values(values))

    def describe(
        self,
        connection: Connection,
        station: str,
        *,
        sensors: Spans,
        step_ms: int | None = None,
        synthetic: bool | None = None,
    ) -> None:
        """Merge what is known of a station: sensors are added and their spans grow;
        step and mark are replaced where given.
        """
        self.lock(connection, station)
        known = merged(self._spans(connection, station), sensors)
        values = {"sensors": dump_spans(known), "step_ms": step_ms, "synthetic": synthetic}
        given = {name: value for name, value in values.items() if value is not None}
        connection.execute(update(stations_table).where(self._of(stations_table.c, station)).values(given))

    def correct_spans(self, connection: Connection, station: str, spans: Spans) -> None:
        """Replace the bounds of some sensors; call :meth:`lock` first."""
        known = self._spans(connection, station)
        if any(known.get(name) != span for name, span in spans.items()):
            values = {"sensors": dump_spans({**known, **spans})}
            connection.execute(update(stations_table).where(self._of(stations_table.c, station)).values(values))

    def _spans(self, connection: Connection, station: str) -> Spans:
        query = select(stations_table.c.sensors).where(self._of(stations_table.c, station))
        return parse_spans(connection.execute(query).scalar_one())

    def lock(self, connection: Connection, station: str) -> None:
        """Make sure that the station has a row, and hold it until the transaction ends
        (SQLite has one writer anyway).
        """
        columns = stations_table.c
        new = {"source": self.source, "station": station, "sensors": "{}", "synthetic": False}
        connection.execute(upsert(connection.dialect, stations_table, ()).values(new))
        connection.execute(select(columns.station).where(self._of(columns, station)).with_for_update())

    def _some(self, names: Iterable[str]) -> tuple[StationInventory, ...]:
        """Return those of some stations that there are, sorted by name."""
        askable = sorted({name for name in names if "\0" not in name})  # PostgreSQL takes no such text
        return tuple(station for some in _chunks(askable) for station in self._stations(some))

    def _stations(self, names: Sequence[str] | None = None) -> tuple[StationInventory, ...]:
        wanted = None if names is None else sorted({*names, *self._catalogue.other_stations})
        stored = {station.name: station for station in self._stored(wanted)}
        # Sorted here, so that every database gives the same order.
        asked = sorted(stored if names is None else stored.keys() & set(names))
        return self._part(stored[name].with_derived(self._catalogue, stored) for name in asked)

    def _stored(self, names: Sequence[str] | None) -> Iterator[StationInventory]:
        """Yield stations as they are stored, without derived sensors; in any order."""
        station, month = stations_table.c, months_table.c
        # Grouped before it is joined, so that no database sorts the text of the sensors.
        of_months = (
            select(
                month.station,
                func.min(month.first).label("first"),
                func.max(month.last).label("last"),
                func.sum(month.rows).label("rows"),
                (func.max(month.month) - func.min(month.month) + 1 - func.count(month.month)).label("without"),
            )
            .where(month.source == self.source, month.rows > 0, *([month.station.in_(names)] if names is not None else []))
            .group_by(month.station)
            .subquery()
        )
        has = of_months.c
        told = (station.station, station.sensors, has.first, has.last, func.coalesce(has.rows, 0), station.step_ms)
        query = (
            select(*told, station.synthetic, has.without)
            .select_from(stations_table.outerjoin(of_months, has.station == station.station))
            .where(station.source == self.source, *([station.station.in_(names)] if names is not None else []))
        )
        found = self._run_query(lambda: self._plain_rows(query))
        apart = self._outlying(found)
        for name, text, first, last, rows, step_ms, synthetic, _ in found:
            spans = parse_spans(text)
            known = (first, last, int(rows), step_ms, bool(synthetic), apart.get(name), spans)
            yield StationInventory(name, tuple(spans), *known)

    def _part(self, stations: Iterable[StationInventory]) -> tuple[StationInventory, ...]:
        return tuple(station for station in map(self._shown, stations) if station is not None)

    def _outlying(self, found: Sequence[Sequence[Any]]) -> Mapping[str, Outlying]:
        """Return outlying rows of stations with rows in the future, or with months missing."""
        now = self.now_ms()
        late = [row[0] for row in found if row[3] is not None and (row[3] > now + AHEAD_MS or row[7] >= _MONTHS_APART)]
        if not late:
            return {}
        table = self.month_table(late, 0, _LAST_MONTH)
        months: dict[int, list[Stretch]] = {}
        columns = (table.station, table.first_ms, table.last_ms, table.rows)
        for position, *stretch in zip(*(column.tolist() for column in columns), strict=True):
            months.setdefault(position, []).append(Stretch(*stretch))
        told = {late[position]: outlying(stretches, now) for position, stretches in months.items()}
        return {name: each for name, each in told.items() if each is not None}

    def _plain_rows(self, query: Select[Any]) -> Sequence[Sequence[Any]]:
        """Return rows of text and integers as the driver gives them, in half the time."""
        with self._engine.connect() as connection, connection.execute(query) as result:
            return list(result.cursor.fetchall())

    def _of(self, columns: ReadOnlyColumnCollection[str, Any], station: str) -> ColumnElement[bool]:
        return and_(columns.source == self.source, columns.station == station)

    def _unknown(self, name: str) -> UnknownStation:
        names = [station.name for station in self._stations()]
        if names:
            near = difflib.get_close_matches(name, names, _SUGGESTIONS, cutoff=0.3) or names[:_SUGGESTIONS]
            return UnknownStation(
                "There is no station {station}. Known stations: {known}.",
                field="stations",
                station=name,
                known=", ".join(near) + (", …" if len(near) < len(names) else ""),
            )
        if self.whole is not self:
            return UnknownStation("There is no station {station}.", field="stations", station=name)
        if self.source == OWN_SOURCE:
            return UnknownStation("There is no station {station}; nothing has been imported yet.", field="stations", station=name)
        return UnknownStation(
            "There is no station {station}; this mapping has not found any yet. Run manage.py source check.",
            field="stations",
            station=name,
        )


def _chunks(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), _STATIONS_A_QUERY):
        yield names[start : start + _STATIONS_A_QUERY]
