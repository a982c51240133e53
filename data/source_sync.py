"""Sync of the inventory with a mapped table: what there is,
and what has changed since the last sync (docs/decisions/0013).

Our own table needs none of this: import keeps its inventory. A changed month gets a new generation;
plan and tiles know no more. Marks and fingerprints are taken before rows are read, so that a stale
tile never looks fresh.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, select, update

from data.database.tables import month_inventory as months_table
from data.database.tables import source_month
from data.inventory import MonthInventory
from data.request import HistoryRequest
from data.sensor_spans import NOWHERE, Span, hull
from data.site import Site
from data.source.mapped import changes as mapped_changes
from data.source.mapped import survey, totals
from data.source.mapped.changes import Changes, TableChange
from data.source.mapped.high_water_marks import take_marks
from data.source.mapped.source import MappedReader
from data.source.mapped.tag_names import digest_of
from data.source_sync_tables import (
    LastSync,
    SyncResult,
    bump,
    last_sync,
    note_fingerprint,
    store_changes,
    store_survey,
    write,
)
from data.sync_due import months_rows, open_from_ms
from data.tiles.series import SeriesKey
from data.time.epoch import DAY_MS, MINUTE_MS, epoch_ms
from data.time.months import month_of, month_start_ms

SyncCheckpoint = tuple[str, int, str]  # station, month, fingerprint

_LAST_MONTH = 9999 * 12 + 11
_AHEAD_MS = 62 * DAY_MS  # clocks of loggers run ahead

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ExactMonth:
    """A month that a job has read: its rows (None:
    of some sensors only), and what its fingerprint was before.
    """

    station: str
    month: int
    generation: int
    rows: int | None
    first_ms: int | None
    last_ms: int | None
    fingerprint: str | None


def sync_inventory(site: Site, request: HistoryRequest | None = None, *, now_ms: int | None = None) -> SyncResult:
    """Bring the inventory of a mapped source up to date; nothing for our own table.

    Without a high-water mark only closed months of ``request`` are compared, and those that are
    due. A mapping that has changed is another source, whose first sync this is. Returns the new
    stations, and the months that are new or changed.

    Raises:
        SourceUnavailable, SourceMismatch: see data/source/connection/failures.py.
    """
    source = site.mapped
    if source is None:
        return SyncResult()
    now = epoch_ms() if now_ms is None else now_ms
    before = last_sync(site)
    with source.open() as reader, reader.session.engine() as engine, engine.connect() as connection:
        marks, names, tables = (
            take_marks(connection, reader.reflected),
            digest_of(reader.reflected.keys),
            len(reader.reflected.parts),
        )
        made = LastSync(now, marks, before.sequence + 1 if before else 1, names, tables)
        anew = before is None or (before.names, before.tables) != (names, tables)
        found = list(survey.survey(connection, reader.reflected)) if anew else []
        if before is None:
            return write(site, made, None, lambda into: store_survey(site, into, found, made.sequence))
        known = {station.name: station.step_ms for station in site.inventory.whole.stations()}
        known |= {station.name: station.step_ms for station in found}
        changes, noted = _changes(site, connection, reader, before, request, now)
        steps = {name: _step(connection, reader, name, changes) for name in {key[0] for key in changes} if not known.get(name)}

    def store(into: Connection) -> SyncResult:
        if before.names != names:  # the tags have other keys, so that any month may hold other rows
            bump(site, into)
        for station, month, fingerprint in noted:
            note_fingerprint(into, site, station, month, fingerprint, now)
        surveyed = store_survey(site, into, found, made.sequence)
        changed = store_changes(site, into, changes, steps, set(known), made.sequence)
        return SyncResult(surveyed.stations + changed.stations, surveyed.months + changed.months)

    return write(site, made, before, store)


def record_exact_months(site: Site, read: Iterable[ExactMonth]) -> None:
    """Record in the inventory the exact rows of months that were read,
    unless their generation has changed meanwhile.
    """
    if site.mapped is None or not (months := list(read)):
        return
    columns, now = months_table.c, epoch_ms()
    with site.engine.begin() as connection:
        for each in months:
            same = (columns.source == site.source_id, columns.station == each.station, columns.month == each.month)
            if each.rows is not None:
                bounds = {} if each.first_ms is None else {"first": each.first_ms, "last": each.last_ms}
                fresh = (*same, columns.generation == each.generation)
                connection.execute(update(months_table).where(*fresh).values({"rows": each.rows, **bounds}))
            if each.fingerprint is not None:
                note_fingerprint(connection, site, each.station, each.month, each.fingerprint, now)


def note_spans(site: Site, loaded: Iterable[SeriesKey]) -> None:
    """Note when sensors of a mapped table had values, as fresh tiles tell it;
    a month without one counts as having some.
    """
    if site.mapped is None:
        return
    sensors: dict[str, list[str]] = {}
    for key in loaded:
        sensors.setdefault(key.station, []).append(key.sensor)
    for station, names in sensors.items():
        with site.engine.begin() as connection:
            # so that a sync comes before, and is seen, or after, and widens them
            site.inventory.lock(connection, station)
            months = site.inventory.months_in(connection, station, 0, _LAST_MONTH).values()
            found = {name: _span_of(site, SeriesKey(site.source_id, station, name), months) for name in names}
            site.inventory.correct_spans(connection, station, found)


def _span_of(site: Site, key: SeriesKey, months: Iterable[MonthInventory]) -> Span:
    tiles, fingerprint = site.tiles.entries(key), site.catalogue[key.sensor].fingerprint
    spans = []
    for month in months:
        tile = tiles.get(month.month)
        if tile is None or (tile.generation, tile.fingerprint) != (month.generation, fingerprint):
            spans += [(month.first_ms, month.last_ms)] if month.rows else []
        elif tile.rows:
            spans.append((tile.first_ms, tile.last_ms))
    return hull(spans) or NOWHERE


def _changes(
    site: Site, connection: Connection, reader: MappedReader, before: LastSync, request: HistoryRequest | None, now: int
) -> tuple[dict[tuple[str, int], TableChange], list[SyncCheckpoint]]:
    """Return new or changed months, and the fingerprints compared to find some of them."""
    if before.marks:
        return mapped_changes.changes(connection, reader.reflected, before.marks), []
    found = mapped_changes.rows_between(connection, reader.reflected, open_from_ms(site, now), now + _AHEAD_MS)
    grown = {key: change for key, change in found.items() if _has_grown(site, key, change)}
    differing, noted = _differing(site, connection, reader, request, now) if request else ({}, [])
    return grown | differing, noted


def _has_grown(site: Site, key: tuple[str, int], change: TableChange) -> bool:
    known = site.inventory.months(key[0], key[1], key[1]).get(key[1])
    return known is None or (known.rows, known.last_ms) != (change.rows, change.last_ms)


def _differing(
    site: Site, connection: Connection, reader: MappedReader, request: HistoryRequest, now: int
) -> tuple[dict[tuple[str, int], TableChange], list[SyncCheckpoint]]:
    """Months of a request whose fingerprint is no longer what it was before they were read."""
    columns = source_month.c
    open_month, minutes = month_of(open_from_ms(site, now)), reader.source.mapping.check_minutes
    query = select(columns.station, columns.month, columns.fingerprint, columns.checked).where(
        *months_rows(site, request, columns)
    )
    with site.engine.connect() as own:
        noted = own.execute(query).all()
    due: dict[int, dict[str, str | None]] = {}
    for station, month, before, checked in noted:
        if month >= open_month or (minutes is not None and now - checked >= minutes * MINUTE_MS):
            due.setdefault(month, {})[station] = before
    changed: dict[tuple[str, int], TableChange] = {}
    found: list[SyncCheckpoint] = []
    for month, stations in due.items():
        start, end = month_start_ms(month), month_start_ms(month + 1)
        fingerprints = totals.fingerprints(connection, reader.reflected, list(stations), start, end)
        found += [(station, month, fingerprint) for station, fingerprint in fingerprints.items()]
        for station in (name for name, fingerprint in fingerprints.items() if fingerprint != stations[name]):
            changed |= mapped_changes.rows_between(connection, reader.reflected, start, end, station)
            changed.setdefault((station, month), TableChange(0, start, end - 1))
    return changed, found


def _step(connection: Connection, reader: MappedReader, name: str, changes: Changes) -> int | None:
    of = [change for (station, _), change in changes.items() if station == name]
    first, last = min(change.first_ms for change in of), max(change.last_ms for change in of)
    return survey.usual_step(connection, reader.reflected, name, first, last)
