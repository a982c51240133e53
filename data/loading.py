"""Reading one month of a station into tiles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import structlog

from data.clean import clean
from data.months import month_bounds_ms, month_name
from data.plan import Missing
from data.site import Site
from data.source import Reader
from data.tiles import SeriesKey, TileEntry

# A cell is one number of 8 bytes: rows × (sensors + the time).
CELLS_PER_QUERY = 4_000_000  # 32 MB of Arrow: a longer month is read in several queries
CELLS_PER_READ = 12_000_000  # 96 MB: a month that is wider takes several reads, each of some sensors

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class LoadedMonth:
    """Tiles of one :class:`Missing`. ``read`` of them were read now, the others found written by an earlier attempt."""

    wanted: Missing
    entries: tuple[tuple[SeriesKey, TileEntry], ...]
    read: int = 0
    bytes: int = 0
    bad_values: int = 0
    duplicates: int = 0


def cells(wanted: Missing) -> int:
    """How many numbers one read holds in memory."""
    return wanted.rows * (len(wanted.sensors) + 1)


def reads(wanted: Missing) -> Iterator[Missing]:
    """The same in pieces of some sensors each, so that none holds much more than CELLS_PER_READ."""
    width = max(1, CELLS_PER_READ // max(1, wanted.rows) - 1)
    for begin in range(0, len(wanted.sensors), width):
        yield replace(wanted, sensors=wanted.sensors[begin : begin + width])


def windows(wanted: Missing) -> Sequence[tuple[int, int]]:
    """[start, end) windows (ms UTC) that partition the whole month, each of about CELLS_PER_QUERY cells or fewer.

    Cuts are spread evenly between the first and the last row.
    """
    begin, end = month_bounds_ms(wanted.month)
    pieces = max(1, -(-cells(wanted) // CELLS_PER_QUERY))
    span = wanted.last_ms - wanted.first_ms
    cuts = [begin, *(wanted.first_ms + span * piece // pieces for piece in range(1, pieces)), end]
    return [(left, right) for left, right in pairwise(cuts) if left < right]


def load_month(site: Site, reader: Reader, wanted: Missing) -> LoadedMonth:
    """Read, clean and write the wanted tiles; those that are there by now are taken as they are. Publishes nothing.

    Nobody else on this host reads the same month meanwhile. The generation was read with the plan, before the rows: if an
    import came in between, the tile is stale from the start and the next plan reads it again.

    Raises:
        SourceUnavailable, SourceMismatch: see data/source/failures.py.
    """
    with site.tiles.build_lock(site.source.id, wanted.station, wanted.month):
        found = _found(site, wanted)
        there = {key.sensor for key, _ in found}
        lacking = tuple(sensor for sensor in wanted.sensors if sensor not in there)
        if not lacking:
            return LoadedMonth(wanted, tuple(found))
        loaded = _read(site, reader, replace(wanted, sensors=lacking))
        return replace(loaded, wanted=wanted, entries=(*found, *loaded.entries))


def _found(site: Site, wanted: Missing) -> list[tuple[SeriesKey, TileEntry]]:
    """Tiles, as new as wanted or newer, that another worker or an earlier attempt has written since the plan was made."""
    found = []
    for sensor in wanted.sensors:
        key = SeriesKey(site.source.id, wanted.station, sensor)
        entry = site.tiles.resume(key, wanted.month)
        if entry is None or entry.generation < wanted.generation or entry.fingerprint != site.catalogue[sensor].fingerprint:
            continue
        found.append((key, entry))
    return found


def _read(site: Site, reader: Reader, wanted: Missing) -> LoadedMonth:
    readings = reader.read(wanted.station, wanted.sensors, windows(wanted))
    flagged = reader.flags(wanted.station, wanted.sensors, *month_bounds_ms(wanted.month))
    times, values, missing = readings.times, dict(readings.values), readings.missing
    del readings  # so that each sensor's values go as soon as their tile is written
    entries: list[tuple[SeriesKey, TileEntry]] = []
    bad = duplicates = 0
    for name in wanted.sensors:
        sensor = site.catalogue[name]
        cleaned = clean(times, values.pop(name), sensor, flagged.get(name))
        key = SeriesKey(site.source.id, wanted.station, name)
        entry = site.tiles.write(key, wanted.month, cleaned, generation=wanted.generation, fingerprint=sensor.fingerprint)
        entries.append((key, entry))
        log.debug("tile written", station=wanted.station, sensor=name, month=month_name(wanted.month), rows=entry.rows)
        bad += cleaned.nonfinite - missing[name]
        duplicates += cleaned.duplicates
    size = sum(entry.bytes for _, entry in entries)
    return LoadedMonth(wanted, tuple(entries), len(entries), size, bad, duplicates)
