"""Observations into the own table: only rows that change are written,
and only then a month's generation grows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np
from sqlalchemy import Connection, Engine, delete, insert, select

from data.arrays import Bools, Floats, Integers, differ
from data.batches.journal import Journal
from data.batches.stations import prune_station
from data.catalogue import Catalogue
from data.database.tables import observation_flag, observation_table
from data.ingest.own_rows import KEYS_AT_ONCE, ObservationRows
from data.inventory import OWN_SOURCE, Inventory
from data.time.months import months_of


@dataclass(frozen=True)
class WriteCounts:
    """How many keys were new, and how many were there already;
    ``overwritten`` of these with a value of the same sensors.
    """

    stored: int
    replaced: int
    overwritten: int


class ObservationWriter:
    """Writes some sensors of the own table; other columns of an existing row stay."""

    def __init__(
        self,
        engine: Engine,
        catalogue: Catalogue,
        sensors: Sequence[str],
        judged: Sequence[str] = (),
        journal: Journal | None = None,
    ) -> None:
        """``judged``: the sensors for which the file carries quality codes.

        ``journal``: of the batch that all belongs to; without one nothing takes it back.
        """
        self.journal = journal
        self.engine = engine.execution_options(sqlite_begin="IMMEDIATE")
        self.judged = tuple(judged)
        self.inventory = Inventory(engine, OWN_SOURCE)
        self.sensors = tuple(sensors)
        self._table = observation_table(catalogue)
        self._rows = ObservationRows(engine.dialect, self._table, self.sensors)

    def write(
        self, connection: Connection, station: str, times: Integers, values: Floats, bad: Bools | None = None
    ) -> WriteCounts:
        """Write rows of one station inside the caller's transaction, after ``inventory.lock``.

        ``times``: int64[n] ms UTC, sorted, unique. ``values``: float64[n, sensors], NaN where
        missing. ``bad``: bool[n, judged], what the source calls bad; None when it says nothing.
        Other sensors' flags stay as they are.
        """
        stored = overwritten = 0
        emptied = np.zeros(len(self.sensors), np.bool_)
        values = values + 0.0  # SQLite knows no negative zero; now no database is given any
        months = months_of(times)
        starts = np.flatnonzero(np.diff(months, prepend=months[0] - 1))
        ends = np.append(starts[1:], len(times))
        known = self.inventory.months_in(connection, station, int(months[0]), int(months[-1]))
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            part, month = slice(start, end), int(months[start])
            entry = known.get(month)
            overlaps = entry is not None and entry.rows > 0 and entry.first_ms <= times[end - 1] and entry.last_ms >= times[start]
            new, before = self._write_month(
                connection, station, month, times[part], values[part], bad[part] if bad is not None else None, overlaps
            )
            stored += new
            if before is not None:
                overwritten += int(np.isfinite(before).any(axis=1).sum())
                emptied |= (np.isfinite(before) & np.isnan(values[part])).any(axis=0)
        if emptied.any():
            prune_station(connection, self.inventory, self._table, station, compress(self.sensors, emptied))
        return WriteCounts(stored, len(times) - stored, overwritten)

    def _write_month(
        self, connection: Connection, station: str, month: int, times: Integers, values: Floats, bad: Bools | None, overlaps: bool
    ) -> tuple[int, Floats | None]:
        """Return how many keys were new, and what the others held; None where none was there."""
        new = np.ones(len(times), np.bool_)
        changed, before = new, None
        if overlaps:
            there, before = self._rows.existing(connection, station, times)
            new = ~there
            changed = new | differ(before, values).any(axis=1)
        flagged = self._write_flags(connection, station, times, bad) if bad is not None else False
        if changed.any():
            self._rows.put(connection, station, times[changed], values[changed])
            if self.journal is not None:
                was = before[changed] if before is not None else None
                self.journal.note("rows", station, self.sensors, times[changed], ~new[changed], was)
        if flagged or changed.any():
            added = int(new.sum())
            at = slice(None) if flagged else changed
            first, last = int(times[at][0]), int(times[at][-1])
            self.inventory.record(connection, station, month=month, added=added, first_ms=first, last_ms=last)
        return int(new.sum()), before

    def _write_flags(self, connection: Connection, station: str, times: Integers, bad: Bools) -> bool:
        """Flags become as the file says, for its rows and sensors; whether any changed."""
        columns = observation_flag.c
        wanted = {(int(times[row]), self.judged[number]) for row, number in np.argwhere(bad).tolist()}
        there: set[tuple[int, str]] = set()
        for start in range(0, len(times), KEYS_AT_ONCE):
            keys = times[start : start + KEYS_AT_ONCE].tolist()
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
        if self.journal is None:
            return wanted != there
        for name in self.judged:
            changed = sorted(time for time, sensor in there ^ wanted if sensor == name)
            was = np.array([(time, name) in there for time in changed], np.bool_)
            self.journal.note("flags", station, (name,), np.array(changed, np.int64), was)
        return wanted != there
