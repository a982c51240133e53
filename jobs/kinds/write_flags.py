"""Making flags of rules and what people decided, as tiles beside those of readings
(docs/decisions/0039, 0041).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.quality.flag_rows import FlagRows, rule_marks
from analysis.quality.station_months import MonthRows
from analysis.quality.verdicts import judged
from data.arrays import Integers
from data.catalogue import Sensor
from data.corrected_month import corrected_month
from data.corrections import CorrectedRows, measured
from data.derived_flags import DerivedFlags
from data.derived_overlay import derived_overlay, inputs_are_there
from data.flag_choice import LEFT_OUT
from data.flag_layer import FlagLayer, OverlaidSeries, within
from data.flag_names import FLAG_NAMES, packed
from data.flags_missing import months_with_flags
from data.overlay import flag_layer
from data.readings import FLAG_HARD, FLAG_SUSPECT, Observations
from data.request import HistoryRequest
from data.site_like import SiteLike
from data.tiles.format import TileEntry
from data.tiles.tile_store import SeriesKey
from data.time.epoch import EARLIEST_MS, LATEST_MS
from data.time.months import month_bounds_ms, month_start_ms

Position = tuple[float, float] | None
Looked = Callable[[SeriesKey, TileEntry], None]

_MONTHS_AT_ONCE = 12  # are published together


def write_flags(
    site: SiteLike,
    request: HistoryRequest,
    published: Mapping[SeriesKey, Collection[int]] | None = None,
    report: Looked | None = None,
) -> list[tuple[SeriesKey, int]]:
    """Make and publish the flags of a request's months that have none, or those of other limits or
    decisions; return the (key, month) pairs that it uses, for touch and evict.

    Only of the ``published`` months of some series, when given. ``report`` gets each tile of
    readings that was looked at, and its series. Cheap where the flags are made already.

    Raises:
        TileDamaged: a tile of readings is damaged, and out of the index now.
    """
    used: list[tuple[SeriesKey, int]] = []
    for station, name in request.series:
        layer = flag_layer(site, station, name)
        base = within(layer.entries(), months_with_flags(request))
        lacking = base.keys() - layer.months(base)
        if published is not None:
            lacking &= set(published.get(layer.base, ()))
        if isinstance(layer, DerivedFlags) and lacking:
            used += _write_inputs(site, layer, lacking)
            lacking = {month for month in lacking if inputs_are_there(layer, base[month])}
        metadata = site.catalogue.stations.get(station)
        sensor, position = site.catalogue[name], metadata.position if metadata else None
        maker = _Maker(site, layer, sensor, position)
        entries = [base[month] for month in sorted(lacking)]
        for some in (entries[at : at + _MONTHS_AT_ONCE] for at in range(0, len(entries), _MONTHS_AT_ONCE)):
            maker.write(some, report)
        used += [(key, month) for key in layer.keys_made for month in site.tiles.entries(key) if month in base]
    return used


def _write_inputs(site: SiteLike, layer: DerivedFlags, months: Collection[int]) -> list[tuple[SeriesKey, int]]:
    """Make the flags of the inputs of some months of a derived series."""
    used: list[tuple[SeriesKey, int]] = []
    start_ms = max(month_start_ms(layer.months_read(min(months))[0]), EARLIEST_MS)
    end_ms = min(month_bounds_ms(max(months))[1], LATEST_MS)
    for each in layer.inputs:
        request = HistoryRequest((each.base.station,), (each.base.sensor,), start_ms, end_ms)
        used += write_flags(site, request)
    return used


@dataclass(frozen=True)
class _Maker:
    """Makes the flags of a series."""

    site: SiteLike
    layer: FlagLayer
    sensor: Sensor
    position: Position

    def write(self, entries: Sequence[TileEntry], report: Looked | None) -> None:
        """Write what is kept of some months, and publish it."""
        layer = self.layer
        made: dict[SeriesKey, list[TileEntry]] = {}
        for entry in entries:
            mark = layer.mark(entry)  # from before its readings are opened: what changes meanwhile makes it stale
            tiles = self._tiles(entry)
            if isinstance(layer, DerivedFlags):
                derived = list(self._derived(layer, entry))
                mark, tiles = layer.mark_made(mark, differs=len(derived) > 1), iter(derived)
            for key, tile in tiles:
                written = layer.tiles.write(key, entry.month, tile, generation=entry.generation, fingerprint=mark)
                made.setdefault(key, []).append(written)
            if report is not None:
                report(layer.base, entry)
        for key in sorted(made, key=lambda key: key == layer.key):  # the flags say that the others are there
            layer.tiles.publish(key, made[key], ordered=layer.is_plain)

    def _derived(self, layer: DerivedFlags, entry: TileEntry) -> Iterator[tuple[SeriesKey, Observations]]:
        """Yield what is kept of a month of a derived series."""
        found = derived_overlay(self.site, layer, self.sensor, entry.month)
        if found is None:
            yield layer.key, _plain(np.empty(0, np.int64), np.empty(0, np.int64))
            return
        yield from ((OverlaidSeries(layer, choice).key, tile) for choice, tile in found.tiles.items())
        rule = np.full(len(found.flagged), FLAG_NAMES.index("inputs"))
        yield layer.key, Observations(found.flagged, packed(rule, np.zeros_like(rule)), found.hard.astype(np.uint8))

    def _tiles(self, entry: TileEntry) -> Iterator[tuple[SeriesKey, Observations]]:
        """Yield what is kept of a month: its flags and their limits, which readings are corrected,
        and its rows with flags and corrections where these change any.
        """
        layer, reach = self.layer, self.layer.reach_in(entry.month)
        rows = self._rows(entry)
        marks = rule_marks(
            MonthRows(rows.times, rows.values, rows.flags), self.sensor, entry.step_ms or None, self.layer.limits, self.position
        )
        own, found = judged(rows.times, rows.values, rows.flags, marks, reach.decisions)
        for choice, which in zip(LEFT_OUT, (found.hard, np.ones(len(found.at), bool)), strict=True):
            if which.any() or reach.changes_tile:
                flags = own.copy()
                flags[found.at[which]] |= np.where(found.hard[which], FLAG_HARD, FLAG_SUSPECT).astype(np.uint8)
                tile = Observations(rows.times, rows.values, flags, direction=self.sensor.is_direction)
                yield OverlaidSeries(layer, choice).key, tile
        if reach.corrects:
            changed = rows.chosen(rows.by > 0)
            yield layer.corrected_key, _plain(changed.times, changed.by)
        if len(found.at):
            yield layer.limits_key, _limits(rows, found)
        flagged = found.hard.astype(np.uint8)
        yield layer.key, Observations(rows.times[found.at], packed(found.rule, found.by), flagged)

    def _rows(self, entry: TileEntry) -> CorrectedRows:
        if self.layer.reach_in(entry.month).corrects:
            return corrected_month(self.site, self.layer, self.sensor, entry.month)
        return measured(*self.layer.tiles.open_series(self.layer.base, *month_bounds_ms(entry.month)).read())


def _plain(times: Integers, values: Integers) -> Observations:
    return Observations(times, values.astype(np.float64), np.zeros(len(times), np.uint8))


def _limits(rows: CorrectedRows, found: FlagRows) -> Observations:
    """Return the limit of each stretch of flagged readings, at its first one."""
    kept = np.isfinite(found.limit)
    at, rule, since, limit = found.at[kept], found.rule[kept], found.since[kept], found.limit[kept]
    _, first = np.unique(np.stack([rule, since]), axis=1, return_index=True)
    first = np.sort(first)
    return Observations(rows.times[at[first]], limit[first], (rule[first] + 1).astype(np.uint8))
