"""A month of a derived series, computed from its inputs as they are where flags of rules and what
people decided count (docs/decisions/0039).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from data.arrays import Bools, Integers
from data.catalogue import Sensor
from data.derived_flags import DerivedFlags
from data.derived_sensors import checked_formula, station_formula
from data.deriving import derived_rows
from data.flag_choice import LEFT_OUT, FlagChoice
from data.flag_layer import OverlaidSeries, within
from data.readings import FLAG_HARD, FLAG_SOURCE, FLAG_SUSPECT, Observations
from data.site_like import SiteLike
from data.tiles.format import TileEntry
from data.time.months import month_bounds_ms


@dataclass(frozen=True)
class DerivedOverlay:
    """``tiles`` of the month, by choice of flags; the stamps ``flagged`` i8[k] ms UTC of readings
    of which an input is flagged by a rule or a person, and which are ``hard``, bool[k].
    """

    tiles: Mapping[FlagChoice, Observations]
    flagged: Integers
    hard: Bools


def inputs_are_there(layer: DerivedFlags, entry: TileEntry) -> bool:
    """Return whether the inputs of a month are there, with their flags."""
    for each in layer.inputs:
        there = within(each.entries(), layer.months_read(entry.month))
        if (entry.rows and not there) or there.keys() - each.months(there):
            return False
    return True


def derived_overlay(site: SiteLike, layer: DerivedFlags, sensor: Sensor, month: int) -> DerivedOverlay | None:
    """Return a month of a derived series with the flags of its inputs; None where no flag or
    decision makes an input another one.

    Raises:
        TileDamaged: a tile is damaged, and out of the index now.
    """
    if not _differ(layer, month):
        return None
    bounds = month_bounds_ms(month)
    times, _, flags = layer.tiles.open_series(layer.base, *bounds).read()
    bad_as_measured = times[flags & FLAG_SOURCE != 0]
    tiles = {choice: _computed(site, layer, sensor, bounds, choice) for choice in LEFT_OUT}
    new = {choice: np.setdiff1d(_bad(tile), bad_as_measured, assume_unique=True) for choice, tile in tiles.items()}
    for choice, tile in tiles.items():
        at = np.isin(tile.times, new[choice])
        kind = np.where(np.isin(tile.times[at], new["hard"]), FLAG_HARD, FLAG_SUSPECT)
        tile.flags[at] = (tile.flags[at] & ~np.uint8(FLAG_SOURCE)) | kind.astype(np.uint8)
    return DerivedOverlay(tiles, new["all"], np.isin(new["all"], new["hard"]))


def _differ(layer: DerivedFlags, month: int) -> bool:
    months = layer.months_read(month)
    overlaid = (OverlaidSeries(each, choice) for each in layer.inputs for choice in LEFT_OUT)
    return any(each.months(within(each.layer.entries(), months)) for each in overlaid)


def _computed(site: SiteLike, layer: DerivedFlags, sensor: Sensor, bounds: tuple[int, int], choice: FlagChoice) -> Observations:
    formula = station_formula(sensor, checked_formula(sensor), site.catalogue.stations.get(layer.base.station))
    read = {
        each.reference: OverlaidSeries(of, choice).open(bounds[0] - layer.back_ms, bounds[1]).read()
        for each, of in zip(sensor.inputs, layer.inputs, strict=True)
    }
    return derived_rows(sensor, formula, read, bounds)


def _bad(rows: Observations) -> Integers:
    """Return the stamps of what is made of a flagged reading."""
    found: Integers = rows.times[rows.flags & FLAG_SOURCE != 0]
    return found
