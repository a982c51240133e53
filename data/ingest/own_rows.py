"""Rows of the own table by their keys: what is there, and setting some of its columns.
Knows no inventory and no flags.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, Dialect, Table, select

from data.arrays import Bools, Floats, Integers
from data.ingest.bulk_columns import ColumnWriter, takes_columns
from data.ingest.long_inserts import long_inserts

KEYS_AT_ONCE = 500  # below the least limit of parameters of any database


class ObservationRows:
    """Some sensors of the table ``observation``; its other columns stay as they are."""

    def __init__(self, dialect: Dialect, table: Table, sensors: Sequence[str]) -> None:
        self.sensors = tuple(sensors)
        self._table = table
        self._columns = ColumnWriter(dialect, table, self.sensors) if takes_columns(dialect) else None
        self._insert = self._columns.upsert if self._columns is not None else long_inserts(dialect, table, self.sensors)

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
        self._insert(connection, station, times, values)
