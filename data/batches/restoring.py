"""Putting back what a piece of a journal says was there, and keeping the inventory right."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, func, insert, inspect, select, update

from data.batches.journal import Change, Integers, Mask
from data.batches.stations import restore_station
from data.database.tables import observation_flag, table_of
from data.database.upsert import upsert
from data.ingest.own_rows import KEYS_AT_ONCE, ObservationRows
from data.ingest.sent_totals import add_totals, running_total
from data.inventory import OWN_SOURCE, Inventory
from data.time.months import month_bounds_ms, months_of
from data.time.zones import zone_of

_NONE = np.empty(0, np.int64)


class Restorer:
    """Works inside transactions of the caller's, after ``inventory.lock``.
    ``removed`` and ``restored`` count rows.
    """

    def __init__(self, engine: Engine) -> None:
        self.inventory = Inventory(engine, OWN_SOURCE)
        names = [str(column["name"]) for column in inspect(engine).get_columns("observation")]
        self.sensors = tuple(name for name in names if name not in {"station", "time"})
        self.table = table_of(self.sensors)
        self.removed = self.restored = 0
        self._dialect = engine.dialect

    def restore(self, connection: Connection, change: Change, set_later: Callable[[Integers], Mask]) -> Integers:
        """Undo a change; times of rows that it had made and that stay,
        since others have set other sensors of them.

        ``set_later`` tells which of some times a later batch has sent a running total for.
        """
        if change.kind == "rows":
            return self._rows(connection, change)
        if change.kind == "flags":
            self._flags(connection, change)
        elif change.kind == "totals":
            self._totals(connection, change, set_later)
        else:
            restore_station(connection, self.inventory, self.table, change.station, change.what)
        return _NONE

    def note(self, connection: Connection, station: str, times: Integers, added: Integers) -> None:
        """Tell the inventory: rows at ``times`` changed;
        at ``added`` there is one more, or (negative numbers of) one less.
        """
        months = months_of(times)
        for month in np.unique(months).tolist():
            bounds = self._bounds(connection, station, month)
            count = int(added[months == month].sum())
            self.inventory.correct(connection, station, month=month, added=count, bounds=bounds)

    def remove(self, connection: Connection, here: ColumnElement[bool], rows: int, sensors: Sequence[str]) -> list[int]:
        """Remove ``rows`` rows, or empty these sensors where a row has others;
        return the times of the latter.
        """
        others = [self.table.c[name].is_(None) for name in self.sensors if name not in sensors]
        if connection.execute(delete(self.table).where(here, *others)).rowcount == rows:
            return []
        left = list(connection.execute(select(self.table.c.time).where(here)).scalars())
        connection.execute(update(self.table).where(here).values(dict.fromkeys(sensors)))
        return left

    def _rows(self, connection: Connection, change: Change) -> Integers:
        made, old = change.times[~change.there], change.times[change.there]
        rows = ObservationRows(self._dialect, self.table, change.sensors)
        here, _ = rows.existing(connection, change.station, made)
        left = self._remove(connection, change, made[here])
        known, _ = rows.existing(connection, change.station, old)
        if len(old):
            rows.put(connection, change.station, old, change.before[change.there])
        gone = np.setdiff1d(made[here], left, assume_unique=True)
        self.removed, self.restored = self.removed + len(gone), self.restored + len(old)
        times = np.concatenate([made[here], old])
        added = np.concatenate([-np.isin(made[here], gone).astype(np.int64), (~known).astype(np.int64)])
        self.note(connection, change.station, times, added)
        return left

    def _remove(self, connection: Connection, change: Change, times: Integers) -> Integers:
        """Remove rows, or empty these sensors where a row has others; times of the latter."""
        left: list[int] = []
        for start in range(0, len(times), KEYS_AT_ONCE):
            keys = times[start : start + KEYS_AT_ONCE].tolist()
            here = and_(self.table.c.station == change.station, self.table.c.time.in_(keys))
            left += self.remove(connection, here, len(keys), change.sensors)
        return np.array(sorted(left), np.int64)

    def _flags(self, connection: Connection, change: Change) -> None:
        (sensor,), columns = change.sensors, observation_flag.c
        for start in range(0, len(change.times), KEYS_AT_ONCE):
            keys = change.times[start : start + KEYS_AT_ONCE].tolist()
            here = (columns.station == change.station, columns.sensor == sensor, columns.time.in_(keys))
            connection.execute(delete(observation_flag).where(*here))
        flagged = change.times[change.there].tolist()
        if flagged:
            connection.execute(
                insert(observation_flag), [{"station": change.station, "time": time, "sensor": sensor} for time in flagged]
            )
        self.note(connection, change.station, change.times, np.zeros(len(change.times), np.int64))

    def _totals(self, connection: Connection, change: Change, set_later: Callable[[Integers], Mask]) -> None:
        """Restore running totals; later batches get the increments they have without this one."""
        (sensor,), totals = change.sensors, change.before[:, 0]
        if not change.what.get("follow"):
            kept = zip(change.times[change.there].tolist(), totals[change.there].tolist(), strict=True)
            rows = [{"station": change.station, "sensor": sensor, "time": time, "total": total} for time, total in kept]
            if rows:
                connection.execute(upsert(self._dialect, running_total, ["total"]), rows)
            return
        zone = change.what.get("zone")
        found = add_totals(connection, change.station, sensor, change.times, totals, zone_of(zone) if zone else None)
        rows_of = ObservationRows(self._dialect, self.table, [sensor])
        there, _ = rows_of.existing(connection, change.station, found.other_times)
        which = there & set_later(found.other_times)
        if which.any():
            times = found.other_times[which]
            rows_of.put(connection, change.station, times, found.other_values[which][:, None])
            self.note(connection, change.station, times, np.zeros(len(times), np.int64))

    def _bounds(self, connection: Connection, station: str, month: int) -> tuple[int, int] | None:
        """First and last time of a month, by two steps of the index."""
        time, (start, end) = self.table.c.time, month_bounds_ms(month)
        here = (self.table.c.station == station, time >= start, time < end)
        first, last = (connection.execute(select(each).where(*here)).scalar() for each in (func.min(time), func.max(time)))
        return None if first is None or last is None else (int(first), int(last))
