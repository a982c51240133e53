"""What a sync with a mapped table stores in our own database:
the sync itself, and the months and stations that it found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection, Select, insert, select, update
from sqlalchemy.exc import IntegrityError

from data.database.tables import month_inventory as months_table
from data.database.tables import source_look, source_month
from data.database.upsert import upsert
from data.inventory import MonthInventory
from data.sensor_spans import Span, hull
from data.site import Site
from data.source.mapped.changes import Changes, TableChange
from data.source.mapped.high_water_marks import HighWaterMark, SyncCheckpoint, dump_checkpoint, parse_checkpoint
from data.source.mapped.source import MappedSource
from data.source.mapped.survey import FoundStation
from data.time.months import month_of

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class SyncResult:
    """What a sync found: the number of new stations, and of months that are new or changed."""

    stations: int = 0
    months: int = 0


@dataclass(frozen=True)
class LastSync:
    """The last sync of a source: when (ms UTC), its high-water ``marks``, and ``sequence``,
    its number.

    ``names`` is a digest of the table of names; ``tables`` says how many tables were read.
    """

    synced_ms: int
    marks: tuple[HighWaterMark, ...]
    sequence: int
    names: str = ""
    tables: int = 1


def last_sync(site: Site) -> LastSync | None:
    """Return the last sync of a mapped source; None before the first."""
    columns = source_look.c
    query = select(columns.looked, columns.marks, columns.turn).where(columns.source == site.source_id)
    row = site.run_query(lambda: first_row(site, query))
    if row is None:
        return None
    checkpoint = parse_checkpoint(row[1])
    return LastSync(row[0], checkpoint.marks, row[2], checkpoint.names, checkpoint.tables)


def first_row(site: Site, query: Select[Any]) -> Sequence[Any] | None:
    """Return the first row of a query of our own database; None where there is none."""
    with site.engine.connect() as connection:
        return connection.execute(query).first()


def write(site: Site, now: LastSync, before: LastSync | None, store: Callable[[Connection], SyncResult]) -> SyncResult:
    """Store a sync, unless another process has synced since ``before``: then its result holds."""
    values = {
        "looked": now.synced_ms,
        "marks": dump_checkpoint(SyncCheckpoint(now.marks, now.names, now.tables)),
        "turn": now.sequence,
    }
    try:
        with site.engine.begin() as connection:
            if before is None:
                connection.execute(insert(source_look).values(source=site.source_id, **values))
            else:
                mine = (source_look.c.source == site.source_id, source_look.c.turn == before.sequence)
                if not connection.execute(update(source_look).where(*mine).values(values)).rowcount:
                    return SyncResult()
            found = store(connection)
    except IntegrityError:  # the first sync of another process
        return SyncResult()
    log.info("looked at the source", table=site.source_id, stations=found.stations, months=found.months)
    return found


def bump(site: Site, connection: Connection) -> None:
    """Make every tile of the source stale."""
    columns = months_table.c
    of = update(months_table).where(columns.source == site.source_id)
    connection.execute(of.values(generation=columns.generation + 1))


def store_survey(site: Site, connection: Connection, stations: list[FoundStation], sequence: int) -> SyncResult:
    """Note the stations that a survey found, and their months that are not known."""
    months = 0
    for station in stations:
        _describe(site, connection, station.name, station.step_ms, (station.first_ms, station.last_ms))
        last = int(month_of(station.last_ms))
        known = site.inventory.months_in(connection, station.name, int(month_of(station.first_ms)), last)
        new = [each for each in station.months if each.month not in known or known[each.month].rows == 0]
        for month in new:
            change = TableChange(month.rows, month.first_ms, month.last_ms)
            _store_month(site, connection, (station.name, month.month), change, known.get(month.month), sequence)
        if known and new:
            _bump_neighbours(site, connection, station.name, new[0].month)
        months += len(new)
    return SyncResult(len(stations), months)


def store_changes(
    site: Site,
    connection: Connection,
    changes: Changes,
    steps: Mapping[str, int | None],
    known_stations: set[str],
    sequence: int,
) -> SyncResult:
    """Give changed months a new generation, and note those that are new."""
    # Rows that the mapping's filters leave out make a known month stale, but no new one.
    changes = {key: each for key, each in changes.items() if each.rows or key[0] in known_stations}
    for name in sorted({key[0] for key in changes}):
        bounds = hull((each.first_ms, each.last_ms) for key, each in changes.items() if key[0] == name)
        _describe(site, connection, name, steps.get(name), bounds)
    for (name, month), change in changes.items():
        known = site.inventory.months_in(connection, name, month, month).get(month)
        _store_month(site, connection, (name, month), change, known, sequence)
        _bump_neighbours(site, connection, name, month)
    return SyncResult(len({key[0] for key in changes} - known_stations), len(changes))


def _bump_neighbours(site: Site, connection: Connection, station: str, month: int) -> None:
    """Make stale what running totals of a changed month bear on: later months, whose first
    increment stands on it, and of a day's total the one before, whose last day it may close.
    """
    source, columns = site.source, months_table.c
    totals = {sensor.counts for sensor in source.mapping.sensors if sensor.is_total} if isinstance(source, MappedSource) else ()
    if not totals:
        return
    first = month - 1 if "day_total" in totals else month
    others = (columns.source == source.id, columns.station == station, columns.month >= first, columns.month != month)
    connection.execute(update(months_table).where(*others).values(generation=columns.generation + 1))


def _store_month(
    site: Site, connection: Connection, key: tuple[str, int], change: TableChange, known: MonthInventory | None, sequence: int
) -> None:
    rows, first, last, generation = change.rows, change.first_ms, change.last_ms, sequence
    if known is not None:
        generation = max(known.generation + 1, sequence)
        if known.rows:
            rows, first, last = max(known.rows, rows), min(known.first_ms, first), max(known.last_ms, last)
    columns = ("rows", "first", "last", "generation")
    values = dict(zip(columns, (rows, first, last, generation), strict=True))
    keys = {"source": site.source_id, "station": key[0], "month": key[1]}
    connection.execute(upsert(connection.dialect, months_table, columns).values({**keys, **values}))


def _describe(site: Site, connection: Connection, name: str, step_ms: int | None, bounds: Span | None) -> None:
    """Note that any sensor may have values within the bounds; loading tells which has."""
    source = site.source
    assert isinstance(source, MappedSource)  # noqa: S101 - look saw it # nosec B101
    sensors = dict.fromkeys((sensor.name for sensor in source.mapping.sensors), bounds)
    site.inventory.describe(connection, name, sensors=sensors, step_ms=step_ms)


def note_fingerprint(connection: Connection, site: Site, station: str, month: int, fingerprint: str, now: int) -> None:
    """Note the fingerprint of a month, and when (ms UTC) it was taken."""
    keys = {"source": site.source_id, "station": station, "month": month}
    statement = upsert(connection.dialect, source_month, ("fingerprint", "checked"))
    connection.execute(statement.values({**keys, "fingerprint": fingerprint, "checked": now}))
