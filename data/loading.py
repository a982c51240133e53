"""Reading one month of a station, or of several stations at once, into tiles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import pairwise

import structlog

from data.appending import append_tails
from data.arrays import Integers
from data.load_plan import Missing
from data.readings import clean
from data.site import Site
from data.source import MappedReader
from data.source.connection.query_columns import Readings
from data.source_sync import ExactMonth
from data.tiles.month_lock import month_locked
from data.tiles.tile_store import SeriesKey, TileEntry
from data.time.months import month_bounds_ms, month_name

# A cell is one number of 8 bytes: rows × (sensors + the time).
CELLS_PER_QUERY = 4_000_000  # 32 MB of Arrow: a longer month is read in several queries
# 96 MB: a month that is wider takes several reads, each of some sensors
CELLS_PER_READ = 12_000_000
CELLS_TOGETHER = CELLS_PER_READ // 2  # of several stations: two such reads may be in hand
STATIONS_TOGETHER = 50

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class LoadedMonth:
    """Tiles of one :class:`Missing`. ``read`` of them were read now,
    the others found written by an earlier attempt.

    ``exact`` is what the month held, where its rows were read.
    """

    wanted: Missing
    entries: tuple[tuple[SeriesKey, TileEntry], ...]
    read: int = 0
    bytes: int = 0
    bad_values: int = 0
    duplicates: int = 0
    bad_times: int = 0
    exact: ExactMonth | None = None


def cells(wanted: Missing) -> int:
    """Return how many numbers one read holds in memory."""
    return wanted.rows * (len(wanted.sensors) + 1)


def reads(wanted: Missing) -> Iterator[Missing]:
    """The same in pieces of some sensors each, so that none holds much more than CELLS_PER_READ."""
    width = max(1, CELLS_PER_READ // max(1, wanted.rows) - 1)
    for begin in range(0, len(wanted.sensors), width):
        yield replace(wanted, sensors=wanted.sensors[begin : begin + width])


def windows(wanted: Missing) -> Sequence[tuple[int, int]]:
    """[start, end) windows (ms UTC) that partition the whole month,
    each of about CELLS_PER_QUERY cells or fewer.

    Cuts are spread evenly between the first and the last row.
    """
    begin, end = month_bounds_ms(wanted.month)
    pieces = max(1, -(-cells(wanted) // CELLS_PER_QUERY))
    span = wanted.last_ms - wanted.first_ms
    cuts = [begin, *(wanted.first_ms + span * piece // pieces for piece in range(1, pieces)), end]
    return [(left, right) for left, right in pairwise(cuts) if left < right]


def group_pieces(reader: MappedReader, pieces: Sequence[Missing]) -> list[tuple[Missing, ...]]:
    """Group the pieces that are read by the same queries:
    each alone, or a month of several stations.

    Where no index finds the rows of one station, a query for one costs
    nearly what a query for all does.
    """
    if not reader.finds_all_stations:
        return [(piece,) for piece in pieces]
    open_groups: dict[tuple[int, tuple[str, ...]], list[Missing]] = {}
    groups: list[list[Missing]] = []
    for piece in pieces:
        group = open_groups.get((piece.month, piece.sensors))
        if group is None or len(group) == STATIONS_TOGETHER or sum(map(cells, [*group, piece])) > CELLS_TOGETHER:
            group = open_groups[piece.month, piece.sensors] = []
            groups.append(group)
        group.append(piece)
    return [tuple(group) for group in groups]


def load_months(site: Site, reader: MappedReader, wanted: Sequence[Missing]) -> list[LoadedMonth]:
    """Read, clean and write the wanted tiles of one month;
    those that are there by now are taken as they are. Publishes nothing.

    No other process of this host reads the same month meanwhile. The generation was read with the
    plan, before the rows: if an import came in between, the tile is stale from the start and the
    next plan reads it again.

    Raises:
        SourceUnavailable, SourceMismatch: see data/source/connection/failures.py.
    """
    with ExitStack() as locks:
        # all in the same order, so that no two wait for each other
        for each in sorted(wanted, key=lambda one: one.station):
            locks.enter_context(month_locked(site.tiles.root, site.source_id, each.station, each.month))
        fingerprints = reader.fingerprints([each.station for each in wanted], wanted[0].month)
        # A tile of an earlier attempt, whose fingerprint nobody noted,
        # could be stale without anybody seeing it later.
        found = {each.station: _found(site, each) if fingerprints[each.station] is None else [] for each in wanted}
        lacking = [_without(each, (key.sensor for key, _ in found[each.station])) for each in wanted]
        grown = {each.station: append_tails(site, reader, each) for each in lacking if site.mapped is None}
        lacking = [_without(each, (key.sensor for key, _ in grown.get(each.station, ()))) for each in lacking]
        read = _read_all(site, reader, [each for each in lacking if each.sensors])
        loaded = []
        for each in wanted:
            done, more = read.get(each.station, LoadedMonth(each, ())), grown.get(each.station, [])
            exact = replace(done.exact, fingerprint=fingerprints[each.station]) if done.exact else None
            entries, size = (*found[each.station], *more, *done.entries), done.bytes + sum(entry.bytes for _, entry in more)
            loaded.append(replace(done, wanted=each, entries=entries, read=done.read + len(more), bytes=size, exact=exact))
        return loaded


def _without(wanted: Missing, there: Iterable[str]) -> Missing:
    present = set(there)
    return replace(wanted, sensors=tuple(sensor for sensor in wanted.sensors if sensor not in present))


def _read_all(site: Site, reader: MappedReader, wanted: Sequence[Missing]) -> dict[str, LoadedMonth]:
    """Read the months by station; stations that lack the same sensors are read together."""
    by_sensors: dict[tuple[str, ...], list[Missing]] = {}
    for each in wanted:
        by_sensors.setdefault(each.sensors, []).append(each)
    loaded: dict[str, LoadedMonth] = {}
    for sensors, group in by_sensors.items():
        stations, parts = [each.station for each in group], windows(_joined(group))
        if len(stations) == 1:
            read = {stations[0]: reader.read(stations[0], sensors, parts)}
        else:
            read = reader.read_together(stations, sensors, parts)
        loaded |= {each.station: _write(site, reader, each, read.pop(each.station)) for each in group}
    return loaded


def _joined(group: Sequence[Missing]) -> Missing:
    """Join what is missing of several stations, as if their rows were of one."""
    first, last = min(each.first_ms for each in group), max(each.last_ms for each in group)
    return replace(group[0], rows=sum(each.rows for each in group), first_ms=first, last_ms=last)


def _found(site: Site, wanted: Missing) -> list[tuple[SeriesKey, TileEntry]]:
    """Tiles, as new as wanted or newer, that another worker or an earlier attempt has
    written since the plan was made.
    """
    found = []
    for sensor in wanted.sensors:
        key = SeriesKey(site.source_id, wanted.station, sensor)
        entry = site.tiles.resume(key, wanted.month)
        if entry is None or entry.generation < wanted.generation or entry.fingerprint != site.catalogue[sensor].fingerprint:
            continue
        found.append((key, entry))
    return found


def _write(site: Site, reader: MappedReader, wanted: Missing, readings: Readings) -> LoadedMonth:
    flagged = {**readings.flagged, **reader.flags(wanted.station, wanted.sensors, *month_bounds_ms(wanted.month))}
    values, missing, bad_times = dict(readings.values), readings.missing, readings.bad_times
    times = {name: readings.times_of(name) for name in wanted.sensors}
    exact = _exact(site, wanted, times)
    del readings  # so that each sensor's values go as soon as their tile is written
    entries: list[tuple[SeriesKey, TileEntry]] = []
    bad = duplicates = 0
    for name in wanted.sensors:
        sensor = site.catalogue[name]
        cleaned = clean(times.pop(name), values.pop(name), sensor, flagged.get(name))
        key = SeriesKey(site.source_id, wanted.station, name)
        entry = site.tiles.write(key, wanted.month, cleaned, generation=wanted.generation, fingerprint=sensor.fingerprint)
        entries.append((key, entry))
        log.debug("tile written", station=wanted.station, sensor=name, month=month_name(wanted.month), rows=entry.rows)
        bad += cleaned.nonfinite - missing[name]
        duplicates += cleaned.duplicates
    size = sum(entry.bytes for _, entry in entries)
    return LoadedMonth(wanted, tuple(entries), len(entries), size, bad, duplicates, bad_times, exact)


def _exact(site: Site, wanted: Missing, times: Mapping[str, Integers]) -> ExactMonth:
    """Return what the month really held; of a tall table the sensor with most rows counts.

    Where only some of its sensors were read, the others' rows are not known.
    """
    source = site.mapped
    if source is not None and source.mapping.tall and len(wanted.sensors) < len(source.mapping.sensors):
        return ExactMonth(wanted.station, wanted.month, wanted.generation, None, None, None, None)
    present = [each for each in times.values() if len(each)]
    first = min((int(each.min()) for each in present), default=None)
    last = max((int(each.max()) for each in present), default=None)
    rows = max(map(len, present), default=0)
    return ExactMonth(wanted.station, wanted.month, wanted.generation, rows, first, last, None)
