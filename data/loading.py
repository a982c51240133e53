"""Reading one month of a station into tiles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import structlog

from data.clean import clean
from data.freshness import ExactMonth
from data.months import month_bounds_ms, month_name
from data.plan import Missing
from data.site import Site
from data.source import AnyReader
from data.tiles import SeriesKey, TileEntry

# A cell is one number of 8 bytes: rows × (sensors + the time).
CELLS_PER_QUERY = 4_000_000  # 32 MB of Arrow: a longer month is read in several queries
CELLS_PER_READ = 12_000_000  # 96 MB: a month that is wider takes several reads, each of some sensors

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class LoadedMonth:
    """Tiles of one :class:`Missing`. ``read`` of them were read now, the others found written by an earlier attempt.

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


def load_month(site: Site, reader: AnyReader, wanted: Missing) -> LoadedMonth:
    """Read, clean and write the wanted tiles; those that are there by now are taken as they are. Publishes nothing.

    Nobody else on this host reads the same month meanwhile. The generation was read with the plan, before the rows: if an
    import came in between, the tile is stale from the start and the next plan reads it again.

    Raises:
        SourceUnavailable, SourceMismatch: see data/source/failures.py.
    """
    with site.tiles.build_lock(site.source.id, wanted.station, wanted.month):
        fingerprint = reader.fingerprint(wanted.station, wanted.month)
        # A tile of an earlier attempt, whose fingerprint nobody noted, could be stale without anybody seeing it later.
        found = _found(site, wanted) if fingerprint is None else []
        there = {key.sensor for key, _ in found}
        lacking = tuple(sensor for sensor in wanted.sensors if sensor not in there)
        if not lacking:
            return LoadedMonth(wanted, tuple(found))
        loaded = _read(site, reader, replace(wanted, sensors=lacking))
        exact = replace(loaded.exact, fingerprint=fingerprint) if loaded.exact else None
        return replace(loaded, wanted=wanted, entries=(*found, *loaded.entries), exact=exact)


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


def _read(site: Site, reader: AnyReader, wanted: Missing) -> LoadedMonth:
    readings = reader.read(wanted.station, wanted.sensors, windows(wanted))
    flagged = {**readings.flagged, **reader.flags(wanted.station, wanted.sensors, *month_bounds_ms(wanted.month))}
    values, missing, bad_times = dict(readings.values), readings.missing, readings.bad_times
    times = {name: readings.times_of(name) for name in wanted.sensors}
    exact = _exact(wanted, times)
    del readings  # so that each sensor's values go as soon as their tile is written
    entries: list[tuple[SeriesKey, TileEntry]] = []
    bad = duplicates = 0
    for name in wanted.sensors:
        sensor = site.catalogue[name]
        cleaned = clean(times.pop(name), values.pop(name), sensor, flagged.get(name))
        key = SeriesKey(site.source.id, wanted.station, name)
        entry = site.tiles.write(key, wanted.month, cleaned, generation=wanted.generation, fingerprint=sensor.fingerprint)
        entries.append((key, entry))
        log.debug("tile written", station=wanted.station, sensor=name, month=month_name(wanted.month), rows=entry.rows)
        bad += cleaned.nonfinite - missing[name]
        duplicates += cleaned.duplicates
    size = sum(entry.bytes for _, entry in entries)
    return LoadedMonth(wanted, tuple(entries), len(entries), size, bad, duplicates, bad_times, exact)


def _exact(wanted: Missing, times: Mapping[str, npt.NDArray[np.int64]]) -> ExactMonth:
    """What the month really held; of a tall table the sensor with most rows counts."""
    present = [each for each in times.values() if len(each)]
    first = min((int(each.min()) for each in present), default=None)
    last = max((int(each.max()) for each in present), default=None)
    rows = max(map(len, present), default=0)
    return ExactMonth(wanted.station, wanted.month, wanted.generation, rows, first, last, None)
