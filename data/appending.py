"""Rows that came after the last one of a tile: only these are read, and the tile is written anew
from its own columns and theirs (docs/decisions/0051-following.md).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from data.load_plan_records import Missing
from data.readings import Observations, clean
from data.site import Site
from data.source import MappedReader
from data.tiles.series import Chunk
from data.tiles.tile_store import SeriesKey, TileEntry
from data.time.months import month_bounds_ms
from errors import TileDamaged

Written = tuple[SeriesKey, TileEntry]


def append_tails(site: Site, reader: MappedReader, wanted: Missing) -> list[Written]:
    """Write those of the wanted tiles of which only the end is missing; the others are left to
    whoever reads the whole month. Publishes nothing; call it under the month's lock.

    Raises:
        SourceUnavailable, SourceMismatch: see data/source/connection/failures.py.
    """
    by_last: dict[int, list[str]] = defaultdict(list)
    for sensor in wanted.sensors:
        entry = site.tiles.entries(_key(site, wanted, sensor)).get(wanted.month)
        if entry is not None and _lacks_only_its_end(entry, wanted, site.catalogue[sensor].fingerprint):
            by_last[entry.last_ms].append(sensor)
    return [written for last_ms, sensors in by_last.items() for written in _append(site, reader, wanted, sensors, last_ms)]


def _lacks_only_its_end(entry: TileEntry, wanted: Missing, fingerprint: int) -> bool:
    is_part = wanted.appended_since <= entry.generation < wanted.generation
    return is_part and entry.rows > 0 and entry.fingerprint == fingerprint


def _append(site: Site, reader: MappedReader, wanted: Missing, sensors: list[str], last_ms: int) -> Iterator[Written]:
    """Yield the tiles of some sensors whose last row is at ``last_ms`` (ms UTC), with the rows that
    are later.
    """
    begin_ms, end_ms = last_ms + 1, month_bounds_ms(wanted.month)[1]
    readings = reader.read(wanted.station, sensors, [(begin_ms, end_ms)])
    flagged = {**readings.flagged, **reader.flags(wanted.station, sensors, begin_ms, end_ms)}
    for name in sensors:
        sensor, key = site.catalogue[name], _key(site, wanted, name)
        base = _base(site, key, wanted.month, last_ms)
        if base is None:
            continue
        tail = clean(readings.times_of(name), readings.values[name], sensor, flagged.get(name))
        times, values, flags = base
        whole = Observations(
            np.concatenate([times, tail.times]),
            np.concatenate([values, tail.values]),
            np.concatenate([flags, tail.flags]),
            direction=tail.direction,
        )
        yield key, site.tiles.write(key, wanted.month, whole, generation=wanted.generation, fingerprint=sensor.fingerprint)


def _base(site: Site, key: SeriesKey, month: int, last_ms: int) -> Chunk | None:
    """Return times, values and flags of a published tile; None of one that is damaged, or that
    another host has replaced meanwhile.
    """
    try:
        found = site.tiles.open_series(key, *month_bounds_ms(month)).read()
    except TileDamaged:  # and dropped: the month is read whole
        return None
    return found if len(found[0]) and found[0][-1] == last_ms else None


def _key(site: Site, wanted: Missing, sensor: str) -> SeriesKey:
    return SeriesKey(site.source_id, wanted.station, sensor)
