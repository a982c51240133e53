"""Rows of the own table by their keys: what is there, and setting some of its columns.
Knows no inventory and no flags.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, Dialect, Table, select

from data.arrays import Bools, Floats, Integers
from data.database.upsert import upsert
from data.ingest.bulk_columns import ColumnWriter, takes_columns

KEYS_AT_ONCE = 500  # below the least limit of parameters of any database
_ROWS_AT_ONCE = 5_000


class ObservationRows:
    """Some sensors of the table ``observation``; its other columns stay as they are."""

    def __init__(self, dialect: Dialect, table: Table, sensors: Sequence[str]) -> None:
        self.sensors = tuple(sensors)
        self._table = table
        self._columns = ColumnWriter(dialect, table, self.sensors) if takes_columns(dialect) else None
        self._upsert = upsert(dialect, table, self.sensors)
        compiled = self._upsert.compile(dialect=dialect, column_keys=["station", "time", *self.sensors])
        # SQLite takes plain tuples much faster than SQLAlchemy prepares dictionaries.
        self._sql = str(compiled)
        self._order: list[str] = getattr(compiled, "positiontup", None) or [] if dialect.name == "sqlite" else []

    def existing(self, connection: Connection, station: str, times: Integers) -> tuple[Bools, Floats]:
        """Return which keys (sorted, unique) exist, and their values (NaN where missing)."""
        there, values = np.zeros(len(times), np.bool_), np.full((len(times), len(self.sensors)), np.nan)
        for rows in self._rows_of(connection, station, times):
            if rows:
                at = np.searchsorted(times, np.array([row[0] for row in rows], np.int64))
                there[at] = True
                # None becomes NaN
                values[at] = np.array([row[1:] for row in rows], dtype=np.float64)
        return there, values

    def _rows_of(self, connection: Connection, station: str, times: Integers) -> Iterator[Sequence[Sequence[Any]]]:
        """(time, value …) of the keys that are there."""
        if self._columns is not None:
            yield self._columns.existing(connection, station, times)
            return
        columns = self._table.c
        names = [columns[name] for name in self.sensors]
        for start in range(0, len(times), KEYS_AT_ONCE):
            keys = times[start : start + KEYS_AT_ONCE].tolist()
            query = select(columns.time, *names).where(columns.station == station, columns.time.in_(keys))
            yield connection.execute(query).all()

    def put(self, connection: Connection, station: str, times: Integers, values: Floats) -> None:
        """Insert rows, or set these columns where the key exists.
        ``values``: [n, sensors], NaN where missing.
        """
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
