"""Deleting observations of a station in a range: whole rows, or one sensor of them;
kept as a batch, and undone as one.

Rows go by the time that they carry. Of one sensor goes what a history of the range shows: (start,
end] where it is stamped at the end of its interval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, false, func, or_, select, true

from data.batches import batch_records
from data.batches.journal import Integers, Journal, Values
from data.batches.restoring import Restorer
from data.batches.stations import prune_station
from data.catalogue import Catalogue
from data.database.tables import observation_flag
from data.ingest.sent_totals import running_total
from data.range_rows import lag_ms
from data.time.months import iso_utc

_ROWS_A_TRANSACTION = 20_000


@dataclass(frozen=True)
class Deletion:
    """What to delete: [start, end) in int ms UTC of one sensor, or whole rows."""

    station: str
    sensor: str | None
    start_ms: int
    end_ms: int


@dataclass(frozen=True)
class DeletionExtent:
    """What a deletion concerns: how many rows, from when to when (int ms UTC; None: none)."""

    rows: int = 0
    first_ms: int | None = None
    last_ms: int | None = None


@dataclass(frozen=True)
class _Span:
    """Rows with start <= time < end lose these sensors; ``whole`` rows go altogether."""

    start_ms: int
    end_ms: int
    sensors: tuple[str, ...]
    whole: bool


class Deleter:
    """Carries out one deletion in the own table.

    Raises:
        UnknownStation: nothing of that station was imported.
        UnknownSensor: the catalogue has no such sensor.
    """

    def __init__(self, engine: Engine, catalogue: Catalogue, wanted: Deletion) -> None:
        self._engine = engine
        self._restorer = Restorer(engine)
        self._restorer.inventory.station(wanted.station)
        self._wanted = wanted
        self._span = _span(catalogue, wanted, self._restorer.sensors)
        self._table = self._restorer.table
        self._taken: set[str] = set()  # sensors of which values have gone

    def count(self) -> DeletionExtent:
        """Count the rows that a deletion would remove; return their number, first and last time."""
        time = self._table.c.time
        query = select(func.count(), func.min(time), func.max(time)).select_from(self._table).where(self._here(self._span))
        with self._engine.connect() as connection:
            return DeletionExtent(*connection.execute(query).one())

    def run(self, report: Callable[[int], None] = lambda _: None) -> tuple[int, int]:
        """Delete; returns the batch and how many rows lost something.
        ``report`` gets the number of rows done.
        """
        wanted = self._wanted
        what = {
            "station": wanted.station,
            "sensor": wanted.sensor,
            "from": iso_utc(wanted.start_ms),
            "to": iso_utc(wanted.end_ms),
        }
        journal = batch_records.begin(self._engine, "delete", what)
        left: _Span | None = self._span
        while left is not None:
            with batch_records.writing(self._engine) as connection:
                journal.note_station(connection, self._restorer.inventory.source, wanted.station)
                self._restorer.inventory.lock(connection, wanted.station)
                left = self._delete_first(connection, journal, left)
                journal.flush(connection)
            report(journal.totals.removed)
        with batch_records.writing(self._engine) as connection:
            self._restorer.inventory.lock(connection, wanted.station)
            prune_station(connection, self._restorer.inventory, self._table, wanted.station, self._taken)
        batch_records.finish(self._engine, journal)
        return journal.id, journal.totals.removed

    def _delete_first(self, connection: Connection, journal: Journal, span: _Span) -> _Span | None:
        """Delete the first rows of a span; what is left of it."""
        columns, station = self._table.c, self._wanted.station
        query = select(columns.time, *(columns[name] for name in span.sensors)).where(self._here(span))
        rows = connection.execute(query.order_by(columns.time).limit(_ROWS_A_TRANSACTION)).all()
        is_last = len(rows) < _ROWS_A_TRANSACTION
        here = span if is_last else replace(span, end_ms=int(rows[-1][0]) + 1)
        times = np.array([row[0] for row in rows], np.int64)
        values = np.array([row[1:] for row in rows], np.float64).reshape(len(rows), len(span.sensors))
        self._drop_beside(connection, journal, here)
        if len(times):
            self._note(journal, here, times, values)
            left = self._restorer.remove(connection, self._here(here), len(times), span.sensors)
            gone = ~np.isin(times, np.array(left, np.int64))
            self._restorer.note(connection, station, times, -gone.astype(np.int64))
            journal.totals.removed += len(times)
        return None if is_last else replace(span, start_ms=here.end_ms)

    def _note(self, journal: Journal, span: _Span, times: Integers, values: Values) -> None:
        """Keep what the rows held; a sensor that none of them has a value of needs no column."""
        some = np.flatnonzero(np.isfinite(values).any(axis=0))
        kept = tuple(span.sensors[number] for number in some.tolist())
        self._taken.update(kept)
        journal.note("rows", self._wanted.station, kept, times, np.ones(len(times), np.bool_), values[:, some])

    def _drop_beside(self, connection: Connection, journal: Journal, span: _Span) -> None:
        """Flags and running totals of what goes: no later total may be taken
        against one whose row is not there.
        """
        station = self._wanted.station
        for kind, table in (("flags", observation_flag), ("totals", running_total)):
            columns = table.c
            chosen = true() if span.whole else columns.sensor.in_(span.sensors)
            here = and_(columns.station == station, _within(columns.time, span), chosen)
            value = [columns.total] if kind == "totals" else []
            rows = connection.execute(select(columns.sensor, columns.time, *value).where(here).order_by(columns.time)).all()
            if rows:
                connection.execute(delete(table).where(here))
            for sensor in sorted({row[0] for row in rows}):
                mine = [row[1:] for row in rows if row[0] == sensor]
                times = np.array([row[0] for row in mine], np.int64)
                before = np.array([row[1] for row in mine], np.float64)[:, None] if value else None
                journal.note(kind, station, (sensor,), times, np.ones(len(times), np.bool_), before)  # type: ignore[arg-type]

    def _here(self, span: _Span) -> ColumnElement[bool]:
        """Rows that a span deletes something of."""
        columns = self._table.c
        has_some = true() if span.whole else or_(false(), *(columns[name].is_not(None) for name in span.sensors))
        return and_(columns.station == self._wanted.station, _within(columns.time, span), has_some)


def _span(catalogue: Catalogue, wanted: Deletion, present: Sequence[str]) -> _Span:
    if wanted.sensor is None:
        return _Span(wanted.start_ms, wanted.end_ms, tuple(present), whole=True)
    shift = lag_ms(catalogue[wanted.sensor])
    return _Span(wanted.start_ms + shift, wanted.end_ms + shift, (wanted.sensor,), whole=False)


def _within(time: ColumnElement[Any], span: _Span) -> ColumnElement[bool]:
    return and_(time >= span.start_ms, time < span.end_ms)
