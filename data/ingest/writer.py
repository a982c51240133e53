"""Observations into the own table: only rows that change are written, and only then a month's generation grows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Engine, delete, insert, select

from data.catalogue import Catalogue
from data.ingest.columns import ColumnWriter, takes_columns
from data.inventory import OWN_SOURCE, Inventory
from data.months import months_of
from data.tables import observation_flag, observation_table
from data.upsert import upsert

_KEYS_AT_ONCE = 500  # below the least limit of parameters of any database
_ROWS_AT_ONCE = 5_000

Times = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Written:
    """How many keys were new, and how many were there already."""

    stored: int
    replaced: int


class ObservationWriter:
    """Writes some sensors of the own table; the other columns of a row that is there stay as they are."""

    def __init__(self, engine: Engine, catalogue: Catalogue, sensors: Sequence[str], judged: Sequence[str] = ()) -> None:
        """``judged``: the sensors for which the file carries quality codes."""
        self.engine = engine.execution_options(sqlite_begin="IMMEDIATE")
        self.judged = tuple(judged)
        self.inventory = Inventory(engine, OWN_SOURCE)
        self.sensors = tuple(sensors)
        self._table = observation_table(catalogue)
        self._columns = ColumnWriter(engine.dialect, self._table, self.sensors) if takes_columns(engine.dialect) else None
        self._upsert = upsert(engine.dialect, self._table, self.sensors)
        compiled = self._upsert.compile(dialect=engine.dialect, column_keys=["station", "time", *self.sensors])
        # SQLite takes plain tuples much faster than SQLAlchemy prepares dictionaries.
        self._sql = str(compiled)
        self._order: list[str] = getattr(compiled, "positiontup", None) or [] if engine.dialect.name == "sqlite" else []

    def write(self, connection: Connection, station: str, times: Times, values: Values, bad: Mask | None = None) -> Written:
        """Write rows of one station inside the caller's transaction, after ``inventory.lock``.

        ``times``: int64[n] ms UTC, sorted, unique. ``values``: float64[n, sensors], NaN where missing. ``bad``: bool[n, judged],
        what the source calls bad; None when it says nothing. Other sensors' flags stay as they are.
        """
        stored = 0
        values = values + 0.0  # SQLite knows no negative zero; now no database is given any
        months = months_of(times)
        starts = np.flatnonzero(np.diff(months, prepend=months[0] - 1))
        ends = np.append(starts[1:], len(times))
        known = self.inventory.months_in(connection, station, int(months[0]), int(months[-1]))
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            part, month = slice(start, end), int(months[start])
            entry = known.get(month)
            overlaps = entry is not None and entry.first_ms <= times[end - 1] and entry.last_ms >= times[start]
            stored += self._write_month(
                connection, station, month, times[part], values[part], bad[part] if bad is not None else None, overlaps
            )
        return Written(stored, len(times) - stored)

    def _write_month(
        self, connection: Connection, station: str, month: int, times: Times, values: Values, bad: Mask | None, overlaps: bool
    ) -> int:
        new = np.ones(len(times), np.bool_)
        changed = new
        if overlaps:
            there, before = self._existing(connection, station, times)
            new = ~there
            same = (before == values) | (np.isnan(before) & np.isnan(values))
            changed = new | ~same.all(axis=1)
        flagged = self._write_flags(connection, station, times, bad) if bad is not None else False
        if changed.any():
            self._insert(connection, station, times[changed], values[changed])
        if flagged or changed.any():
            added = int(new.sum())
            first, last = int(times[0]), int(times[-1])
            self.inventory.record(connection, station, month=month, added=added, first_ms=first, last_ms=last)
        return int(new.sum())

    def _existing(self, connection: Connection, station: str, times: Times) -> tuple[Mask, Values]:
        """Which keys are there, and their values (NaN where missing or not there)."""
        there, before = np.zeros(len(times), np.bool_), np.full((len(times), len(self.sensors)), np.nan)
        for rows in self._rows_of(connection, station, times):
            if rows:
                at = np.searchsorted(times, np.array([row[0] for row in rows], np.int64))
                there[at] = True
                before[at] = np.array([row[1:] for row in rows], dtype=np.float64)  # None becomes NaN
        return there, before

    def _rows_of(self, connection: Connection, station: str, times: Times) -> Iterator[Sequence[Sequence[Any]]]:
        """(time, value …) of the keys that are there."""
        if self._columns is not None:
            yield self._columns.existing(connection, station, times)
            return
        columns = self._table.c
        names = [columns[name] for name in self.sensors]
        for start in range(0, len(times), _KEYS_AT_ONCE):
            keys = times[start : start + _KEYS_AT_ONCE].tolist()
            query = select(columns.time, *names).where(columns.station == station, columns.time.in_(keys))
            yield connection.execute(query).all()

    def _insert(self, connection: Connection, station: str, times: Times, values: Values) -> None:
        if self._columns is not None:
            self._columns.upsert(connection, station, times, values)
            return
        if self._order:
            columns: dict[str, list[object]] = {"station": [station] * len(times), "time": times.tolist()}
            # SQLite stores NaN as NULL.
            columns |= {name: values[:, number].tolist() for number, name in enumerate(self.sensors)}
            connection.exec_driver_sql(self._sql, list(zip(*(columns[name] for name in self._order), strict=True)))
            return
        cells = values.astype(object)
        cells[np.isnan(values)] = None
        names = ("station", "time", *self.sensors)
        for start in range(0, len(times), _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            rows = zip(times[part].tolist(), cells[part].tolist(), strict=True)
            connection.execute(self._upsert, [dict(zip(names, (station, time, *row), strict=True)) for time, row in rows])

    def _write_flags(self, connection: Connection, station: str, times: Times, bad: Mask) -> bool:
        """Flags become as the file says, for its rows and sensors; whether any changed."""
        columns = observation_flag.c
        wanted = {(int(times[row]), self.judged[number]) for row, number in np.argwhere(bad).tolist()}
        there: set[tuple[int, str]] = set()
        for start in range(0, len(times), _KEYS_AT_ONCE):
            keys = times[start : start + _KEYS_AT_ONCE].tolist()
            query = select(columns.time, columns.sensor).where(
                columns.station == station, columns.time.in_(keys), columns.sensor.in_(self.judged)
            )
            there.update((time, sensor) for time, sensor in connection.execute(query))
        for time, sensor in sorted(there - wanted):
            connection.execute(
                delete(observation_flag).where(columns.station == station, columns.time == time, columns.sensor == sensor)
            )
        new = [{"station": station, "time": time, "sensor": sensor} for time, sensor in sorted(wanted - there)]
        if new:
            connection.execute(insert(observation_flag), new)
        return wanted != there
