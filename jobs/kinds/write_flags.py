"""Making the flags of rules, as tiles beside those of readings (docs/decisions/0039)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from analysis.quality.flag_rows import FlagRows, flag_rows
from analysis.quality.station_months import MonthRows
from data.catalogue import Sensor
from data.flag_choice import LEFT_OUT
from data.flag_layer import FlagLayer, OverlaidSeries, flag_layer, months_with_flags
from data.quality_limits import QualityLimits
from data.readings import FLAG_HARD, FLAG_SUSPECT, Observations
from data.request import HistoryRequest
from data.site_like import SiteLike
from data.tiles.format import TileEntry
from data.tiles.tile_store import SeriesKey
from data.time.months import month_bounds_ms
from data.usual_limits import limits_of

Position = tuple[float, float] | None
Looked = Callable[[SeriesKey, TileEntry], None]

_MONTHS_AT_ONCE = 12  # are published together


def write_flags(
    site: SiteLike,
    request: HistoryRequest,
    published: Mapping[SeriesKey, Collection[int]] | None = None,
    report: Looked | None = None,
) -> list[tuple[SeriesKey, int]]:
    """Make and publish the flags of a request's months that have none, or those of other limits;
    return the (key, month) pairs that it uses, for touch and evict.

    Only of the ``published`` months of some series, when given. ``report`` gets each tile of
    readings that was looked at, and its series. Cheap where the flags are made already.

    Raises:
        TileDamaged: a tile of readings is damaged, and out of the index now.
    """
    used: list[tuple[SeriesKey, int]] = []
    for station, name in request.series:
        layer = flag_layer(site, station, name)
        if layer is None:
            continue
        base = {month: entry for month, entry in site.tiles.entries(layer.base).items() if month in months_with_flags(request)}
        lacking = base.keys() - layer.months(base)
        if published is not None:
            lacking &= set(published.get(layer.base, ()))
        metadata = site.catalogue.stations.get(station)
        sensor, position = site.catalogue[name], metadata.position if metadata else None
        entries = [base[month] for month in sorted(lacking)]
        for some in (entries[at : at + _MONTHS_AT_ONCE] for at in range(0, len(entries), _MONTHS_AT_ONCE)):
            _write(layer, some, sensor, limits_of(sensor, metadata), position, report)
        keys = (layer.key, *(OverlaidSeries(layer, choice).key for choice in LEFT_OUT))
        used += [(key, month) for key in keys for month in site.tiles.entries(key) if month in base]
    return used


def _write(
    layer: FlagLayer,
    entries: Sequence[TileEntry],
    sensor: Sensor,
    limits: QualityLimits,
    position: Position,
    report: Looked | None,
) -> None:
    made: dict[SeriesKey, list[TileEntry]] = {}
    for entry in entries:
        rows = MonthRows(*layer.tiles.open_series(layer.base, *month_bounds_ms(entry.month)).read())
        found = flag_rows(rows, sensor, entry.step_ms or None, limits, position)
        for key, tile in _tiles(layer, rows, found, sensor):
            written = layer.tiles.write(key, entry.month, tile, generation=entry.generation, fingerprint=layer.mark(entry))
            made.setdefault(key, []).append(written)
        if report is not None:
            report(layer.base, entry)
    for key in sorted(made, key=lambda key: key == layer.key):  # the flags say that the others are there
        layer.tiles.publish(key, made[key])


def _tiles(layer: FlagLayer, rows: MonthRows, found: FlagRows, sensor: Sensor) -> list[tuple[SeriesKey, Observations]]:
    """Return what is kept of a month: its flags, and its rows with them where they change any."""
    tiles = []
    for choice, which in zip(LEFT_OUT, (found.hard, np.ones(len(found.at), bool)), strict=True):
        if which.any():
            flags = rows.flags.copy()
            flags[found.at[which]] |= np.where(found.hard[which], FLAG_HARD, FLAG_SUSPECT).astype(np.uint8)
            key = OverlaidSeries(layer, choice).key
            tiles.append((key, Observations(rows.times, rows.values, flags, direction=sensor.is_direction)))
    times, numbers = rows.times[found.at], found.rule.astype(np.float64)
    return [*tiles, (layer.key, Observations(times, numbers, found.hard.astype(np.uint8)))]
