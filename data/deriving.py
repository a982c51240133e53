"""Making derived tiles: a formula computed on the published tiles of its inputs
(docs/decisions/0032). Nothing here asks a database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from data.catalogue import Sensor
from data.derived_plan import DerivedMonth
from data.derived_sensors import checked_formula, station_formula
from data.formula import CheckedFormula, Reference, SensorReadings, evaluate
from data.readings import Observations, clean
from data.site_like import SiteLike
from data.tiles.series import Chunk
from data.tiles.tile_store import SeriesKey, TileEntry
from data.time.months import month_bounds_ms, month_of

_MORE_DECIMALS = 6  # than are shown: what kelvin leaves in the last digits goes


class Deriver:
    """Makes the derived tiles of one load."""

    def __init__(self, site: SiteLike, wanted: Iterable[DerivedMonth]) -> None:
        self._site = site
        self._wanted = {(each.station, each.sensor.name, each.month): each for each in wanted}
        self._checked: dict[str, CheckedFormula] = {}

    def ready(self) -> Iterator[tuple[DerivedMonth, SeriesKey, TileEntry]]:
        """Write the tiles whose inputs are published, one after the other, and yield each;
        publishes none, and makes none twice.

        Raises:
            TileDamaged: an input's tile is; it is out of the index then.
        """
        for wanted, each in list(self._wanted.items()):
            readings = self._readings(each)
            if readings is None:
                continue
            del self._wanted[wanted]
            made = derived_rows(each.sensor, self._formula(each), readings, month_bounds_ms(each.month))
            key, marks = (
                self._key(each.station, each.sensor.name),
                {"generation": each.generation, "fingerprint": each.sensor.fingerprint},
            )
            yield each, key, self._site.tiles.write(key, each.month, made, **marks)

    def _formula(self, wanted: DerivedMonth) -> CheckedFormula:
        """Return the formula for a station, checked once a load: pint takes a moment."""
        name = wanted.sensor.name
        if name not in self._checked:
            self._checked[name] = checked_formula(wanted.sensor)
        return station_formula(wanted.sensor, self._checked[name], self._site.catalogue.stations.get(wanted.station))

    def _key(self, station: str, sensor: str) -> SeriesKey:
        return SeriesKey(self._site.source_id, station, sensor)

    def _readings(self, wanted: DerivedMonth) -> Mapping[Reference, Chunk] | None:
        """Return the rows of each input from where the formula looks back to; None where a tile
        that is due is not there, or older than the plan.
        """
        start, end = month_bounds_ms(wanted.month)
        inputs = [(each, self._key(each.station or wanted.station, each.sensor.name)) for each in wanted.sensor.inputs]
        if not all(self._are_there(key, each.sensor, wanted.due.get(each.reference, {})) for each, key in inputs):
            return None
        found = {}
        for each, key in inputs:
            series = self._site.tiles.open_series(key, start - wanted.sensor.back_ms, end)
            due = wanted.due.get(each.reference, {})
            if not due.keys() <= {entry.month for entry in series.entries}:  # evicted just now
                return None
            # A month without rows may still have a tile of what it was.
            parts = [chunk for chunk in series.chunks() if month_of(int(chunk[0][0])) in due]
            found[each.reference] = _joined(parts)
        return found

    def _are_there(self, key: SeriesKey, sensor: Sensor, due: Mapping[int, int]) -> bool:
        entries, fingerprint = self._site.tiles.entries(key), sensor.fingerprint
        return all(
            month in entries and entries[month].generation >= generation and entries[month].fingerprint == fingerprint
            for month, generation in due.items()
        )


def derived_rows(
    sensor: Sensor, checked: CheckedFormula, inputs: Mapping[Reference, Chunk], bounds: tuple[int, int]
) -> Observations:
    """Compute a derived sensor's observations stamped in ``bounds`` [start, end), ms UTC, from the
    rows of its inputs (times i8 ms UTC, values f8, flags u1).

    A value is of unflagged readings where there are enough of them; where it takes a flagged one,
    it is flagged itself, as by the source (docs/formulas.md).
    """
    every = {name: SensorReadings(times, values) for name, (times, values, _) in inputs.items()}
    found = evaluate(checked, every, sensor.unit_code)
    begin, end = np.searchsorted(found.times, bounds)
    times, values = found.times[begin:end], found.values[begin:end]
    flagged = np.empty(0, np.int64)
    if any(flags.any() for _, _, flags in inputs.values()):
        good = {name: _unflagged(chunk) for name, chunk in inputs.items()}
        of_good = evaluate(checked, good, sensor.unit_code, times=times).values
        known = np.isfinite(of_good)
        values, flagged = np.where(known, of_good, values), times[~known]
    return clean(times, np.round(values, sensor.decimals + _MORE_DECIMALS) + 0.0, sensor, flagged)


def _unflagged(chunk: Chunk) -> SensorReadings:
    times, values, flags = chunk
    return SensorReadings(times[flags == 0], values[flags == 0])


def _joined(parts: list[Chunk]) -> Chunk:
    if not parts:
        return np.empty(0, np.int64), np.empty(0), np.empty(0, np.uint8)
    times, values, flags = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return times, values, flags
