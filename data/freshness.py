"""Looking at a mapped table: what there is, and what has changed since the last look (docs/decisions/0013).

Our own table needs none of this: import keeps its inventory. A changed month gets a new generation; plan and tiles know no more.
Marks and fingerprints are taken before rows are read, so that a stale tile never looks fresh.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection, Select, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from data.inventory import MonthInventory
from data.months import month_of, month_start_ms
from data.request import HistoryRequest
from data.site import Site
from data.source import survey, watch
from data.source.mapped import MappedReader, MappedSource
from data.source.survey import FoundStation
from data.source.watch import Change, Changes, Mark
from data.tables import month_inventory as months_table
from data.tables import source_look, source_month, station_inventory
from data.upsert import upsert

Noted = tuple[str, int, str]  # station, month, fingerprint

LOOK_AGAIN_MS = 5_000  # open months are not looked at more often
_AHEAD_MS = 62 * 86_400_000  # clocks of loggers run ahead

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Looked:
    """What a look found: stations that are new, and months that are new or changed."""

    stations: int = 0
    months: int = 0


@dataclass(frozen=True)
class LastLook:
    """When (ms UTC), and where the table's high-water columns stood then."""

    looked_ms: int
    marks: tuple[Mark, ...]
    turn: int


@dataclass(frozen=True)
class ExactMonth:
    """A month that a job has read whole: its rows, and what its fingerprint was before."""

    station: str
    month: int
    generation: int
    rows: int
    first_ms: int | None
    last_ms: int | None
    fingerprint: str | None


def look(site: Site, request: HistoryRequest | None = None, *, now_ms: int | None = None) -> Looked:
    """Bring the inventory of a mapped source up to date; nothing for our own table.

    Without a high-water mark only closed months of ``request`` are compared, and those whose turn it is. Stations that the
    mapping lists anew, or no longer, are only seen to without a request: the table may have to be searched for them.

    Raises:
        SourceUnavailable, SourceMismatch: see data/source/failures.py.
    """
    source = site.source
    if not isinstance(source, MappedSource):
        return Looked()
    now = _now_ms() if now_ms is None else now_ms
    before = last_look(site)
    with source.open() as reader, reader.session.engine() as engine, engine.connect() as connection:
        marks = watch.marks(connection, reader.shape)
        if before is None:
            stations = list(survey.survey(connection, reader.shape))
            return _write(site, LastLook(now, marks, 1), None, lambda into: _store_survey(site, into, stations, 1))
        known = {station.name: station.step_ms for station in site.inventory.whole.stations()}
        listed = set(source.mapping.stations)
        added = list(survey.survey(connection, reader.shape, sorted(listed - set(known)))) if listed and not request else []
        changes, noted = _changes(site, connection, reader, before, request, now)
        steps = {name: _step(connection, reader, name, changes) for name in {key[0] for key in changes} if not known.get(name)}
    turn = before.turn + 1

    def store(into: Connection) -> Looked:
        _forget(site, into, set(known) - listed if listed and not request else set())
        for station, month, fingerprint in noted:
            _note_fingerprint(into, site, station, month, fingerprint, now)
        new = _store_survey(site, into, added, turn)
        found = _store_changes(site, into, changes, steps, set(known) | {station.name for station in added}, turn)
        return Looked(new.stations + found.stations, new.months + found.months)

    return _write(site, LastLook(now, marks, turn), before, store)


def last_look(site: Site) -> LastLook | None:
    """The last look at a mapped source; None before the first."""
    columns = source_look.c
    query = select(columns.looked, columns.marks, columns.turn).where(columns.source == site.source.id)
    row = site.ask(lambda: _first(site, query))
    return LastLook(row[0], watch.parse(row[1]), row[2]) if row else None


def _first(site: Site, query: Select[Any]) -> Sequence[Any] | None:
    with site.engine.connect() as connection:
        return connection.execute(query).first()


def look_is_due(site: Site, request: HistoryRequest, now_ms: int | None = None) -> bool:
    """Whether a mapped table may hold what the inventory does not know. Reads small tables of our own only."""
    if not isinstance(site.source, MappedSource):
        return False
    now, last = _now_ms() if now_ms is None else now_ms, last_look(site)
    if last is None:
        return True
    if request.end_ms > _open_from_ms(site, now) and now - last.looked_ms >= LOOK_AGAIN_MS:
        return True
    minutes = site.source.check_minutes
    if minutes is None:
        return False
    since_ms = last.looked_ms if last.marks else _checked_ms(site, request)
    return since_ms is not None and now - since_ms >= minutes * 60_000


def reload(site: Site, request: HistoryRequest) -> int:
    """Make the tiles of a request stale, whatever the table says of itself; how many months. The next load reads them again."""
    months, columns = request.months, months_table.c
    statement = (
        update(months_table)
        .where(columns.source == site.source.id, columns.station.in_(request.stations))
        .where(columns.month.between(months[0], months[-1]))
        .values(generation=columns.generation + 1)
    )

    def write() -> int:
        with site.engine.begin() as connection:
            return connection.execute(statement).rowcount

    return site.ask(write)


def settle(site: Site, read: Iterable[ExactMonth]) -> None:
    """Note what months really held; only where nobody has found them changed meanwhile."""
    if not isinstance(site.source, MappedSource) or not (months := list(read)):
        return
    columns, now = months_table.c, _now_ms()
    with site.engine.begin() as connection:
        for each in months:
            same = (columns.source == site.source.id, columns.station == each.station, columns.month == each.month)
            bounds = {} if each.first_ms is None else {"first": each.first_ms, "last": each.last_ms}
            connection.execute(
                update(months_table).where(*same, columns.generation == each.generation).values({"rows": each.rows, **bounds})
            )
            if each.fingerprint is not None:
                _note_fingerprint(connection, site, each.station, each.month, each.fingerprint, now)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _open_from_ms(site: Site, now_ms: int) -> int:
    """Start of the months that still grow: the current one, or the last that there is where that is earlier."""
    lasts = [station.last_ms for station in site.inventory.whole.stations() if station.last_ms is not None]
    return month_start_ms(month_of(min([now_ms, *([max(lasts)] if lasts else [])])))


def _checked_ms(site: Site, request: HistoryRequest) -> int | None:
    """When the month of a request that was compared longest ago was; None when none was ever read."""
    columns, months = source_month.c, request.months
    query = select(func.min(columns.checked)).where(
        columns.source == site.source.id,
        columns.station.in_(request.stations),
        columns.month.between(months[0], months[-1]),
    )
    row = site.ask(lambda: _first(site, query))
    return row[0] if row else None


def _changes(
    site: Site, connection: Connection, reader: MappedReader, before: LastLook, request: HistoryRequest | None, now: int
) -> tuple[dict[tuple[str, int], Change], list[Noted]]:
    """Months that are new or changed, and the fingerprints that were compared to find some of them."""
    if before.marks:
        return watch.changes(connection, reader.shape, before.marks), []
    found = watch.rows_between(connection, reader.shape, _open_from_ms(site, now), now + _AHEAD_MS)
    grown = {key: change for key, change in found.items() if _has_grown(site, key, change)}
    differing, noted = _differing(site, connection, reader, request, now) if request else ({}, [])
    return grown | differing, noted


def _has_grown(site: Site, key: tuple[str, int], change: Change) -> bool:
    known = site.inventory.months(key[0], key[1], key[1]).get(key[1])
    return known is None or (known.rows, known.last_ms) != (change.rows, change.last_ms)


def _differing(
    site: Site, connection: Connection, reader: MappedReader, request: HistoryRequest, now: int
) -> tuple[dict[tuple[str, int], Change], list[Noted]]:
    """Months of a request whose fingerprint is no longer what it was before they were read."""
    columns, months = source_month.c, request.months
    open_month, minutes = month_of(_open_from_ms(site, now)), reader.source.check_minutes
    query = select(columns.station, columns.month, columns.fingerprint, columns.checked).where(
        columns.source == site.source.id,
        columns.station.in_(request.stations),
        columns.month.between(months[0], months[-1]),
    )
    with site.engine.connect() as own:
        noted = own.execute(query).all()
    due: dict[int, dict[str, str | None]] = {}
    for station, month, before, checked in noted:
        if month >= open_month or (minutes is not None and now - checked >= minutes * 60_000):
            due.setdefault(month, {})[station] = before
    changed: dict[tuple[str, int], Change] = {}
    found: list[Noted] = []
    for month, stations in due.items():
        start, end = month_start_ms(month), month_start_ms(month + 1)
        fingerprints = watch.fingerprints(connection, reader.shape, list(stations), start, end)
        found += [(station, month, fingerprint) for station, fingerprint in fingerprints.items()]
        for station in (name for name, fingerprint in fingerprints.items() if fingerprint != stations[name]):
            changed |= watch.rows_between(connection, reader.shape, start, end, station)
            changed.setdefault((station, month), Change(0, start, end - 1))
    return changed, found


def _step(connection: Connection, reader: MappedReader, name: str, changes: Changes) -> int | None:
    of = [change for (station, _), change in changes.items() if station == name]
    first, last = min(change.first_ms for change in of), max(change.last_ms for change in of)
    return survey.usual_step(connection, reader.shape, name, first, last)


def _write(site: Site, now: LastLook, before: LastLook | None, store: Callable[[Connection], Looked]) -> Looked:
    """Store a look, unless somebody else has looked since ``before``: then theirs holds."""
    values = {"looked": now.looked_ms, "marks": watch.dump(now.marks), "turn": now.turn}
    try:
        with site.engine.begin() as connection:
            if before is None:
                connection.execute(insert(source_look).values(source=site.source.id, **values))
            else:
                mine = (source_look.c.source == site.source.id, source_look.c.turn == before.turn)
                if not connection.execute(update(source_look).where(*mine).values(values)).rowcount:
                    return Looked()
            found = store(connection)
    except IntegrityError:  # the first look of another process
        return Looked()
    log.info("looked at the source", table=site.source.id, stations=found.stations, months=found.months)
    return found


def _store_survey(site: Site, connection: Connection, stations: list[FoundStation], turn: int) -> Looked:
    months = 0
    for station in stations:
        _describe(site, connection, station.name, station.step_ms)
        last = int(month_of(station.last_ms))
        known = site.inventory.months_in(connection, station.name, int(month_of(station.first_ms)), last)
        for month in station.months:
            if month.month not in known or known[month.month].rows == 0:
                change = Change(month.rows, month.first_ms, month.last_ms)
                _store_month(site, connection, (station.name, month.month), change, known.get(month.month), turn)
                months += 1
    return Looked(len(stations), months)


def _store_changes(
    site: Site,
    connection: Connection,
    changes: Changes,
    steps: Mapping[str, int | None],
    known_stations: set[str],
    turn: int,
) -> Looked:
    # Rows that the mapping's filters leave out make a known month stale, but no new one.
    changes = {key: each for key, each in changes.items() if each.rows or key[0] in known_stations}
    for name in sorted({key[0] for key in changes}):
        _describe(site, connection, name, steps.get(name))
    for (name, month), change in changes.items():
        known = site.inventory.months_in(connection, name, month, month).get(month)
        _store_month(site, connection, (name, month), change, known, turn)
    return Looked(len({key[0] for key in changes} - known_stations), len(changes))


def _forget(site: Site, connection: Connection, stations: set[str]) -> None:
    """Stations that the mapping no longer lists."""
    for table in (station_inventory, months_table, source_month):
        for station in sorted(stations):
            connection.execute(delete(table).where(table.c.source == site.source.id, table.c.station == station))


def _store_month(
    site: Site, connection: Connection, key: tuple[str, int], change: Change, known: MonthInventory | None, turn: int
) -> None:
    rows, first, last, generation = change.rows, change.first_ms, change.last_ms, turn
    if known is not None:
        generation = max(known.generation + 1, turn)
        if known.rows:
            rows, first, last = max(known.rows, rows), min(known.first_ms, first), max(known.last_ms, last)
    columns = ("rows", "first", "last", "generation")
    values = dict(zip(columns, (rows, first, last, generation), strict=True))
    keys = {"source": site.source.id, "station": key[0], "month": key[1]}
    connection.execute(upsert(connection.dialect, months_table, columns).values({**keys, **values}))


def _describe(site: Site, connection: Connection, name: str, step_ms: int | None) -> None:
    source = site.source
    assert isinstance(source, MappedSource)  # noqa: S101 - look saw it # nosec B101
    sensors = [sensor.name for sensor in source.mapping.sensors]
    site.inventory.describe(connection, name, sensors=sensors, step_ms=step_ms)


def _note_fingerprint(connection: Connection, site: Site, station: str, month: int, fingerprint: str, now: int) -> None:
    keys = {"source": site.source.id, "station": station, "month": month}
    statement = upsert(connection.dialect, source_month, ("fingerprint", "checked"))
    connection.execute(statement.values({**keys, "fingerprint": fingerprint, "checked": now}))
