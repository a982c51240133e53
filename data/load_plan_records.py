"""What a plan says: the tiles of a request, and which of them must be read or made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import compress
from typing import Final

import numpy as np

from data.arrays import Bools, Integers
from data.derived_plan import DerivedSeries
from data.inventory import MonthTable
from data.tiles.tile_store import SeriesKey

NEVER_APPENDED: Final = 2**62


@dataclass(frozen=True)
class Missing:
    """Tiles to be read together: some sensors of a station's UTC month.
    ``rows`` are the month's (of one sensor); of a tile of the generation ``appended_since``, or a
    later one, only the rows after its last are missing.
    """

    station: str
    month: int
    sensors: tuple[str, ...]
    generation: int
    rows: int
    first_ms: int
    last_ms: int
    appended_since: int = NEVER_APPENDED


@dataclass(frozen=True)
class Plan:
    """Tiles of a request, and which of them must be read.

    ``months`` has a row for each month with rows of the range; ``wanted`` [months, sensors] says of
    which sensors there is a tile (a station may never have had a value of one, and the row at the
    very end may be one sensor's alone), and ``lacking`` whose tile is absent or stale.
    ``rows_total`` estimates observations × sensors in the range, the months at its ends in
    proportion. ``sync_due`` says that a mapped table may hold more than the inventory knows: only a
    job finds out. ``derived`` are the lacking tiles that formulas make; ``rows_of_inputs`` counts
    the observations × sensors that are read for them besides what the request itself lacks.
    """

    source: str
    stations: tuple[str, ...]
    sensors: tuple[str, ...]
    months: MonthTable
    wanted: Bools
    lacking: Bools
    rows_total: int
    sync_due: bool = False
    derived: tuple[DerivedSeries, ...] = ()
    rows_of_inputs: int = 0

    @cached_property
    def missing(self) -> tuple[Missing, ...]:
        """Return what must be read, a month of a station each."""
        rows = np.flatnonzero(self.lacking.any(axis=1)).tolist()
        own = [missing_of(self.months, row, self.stations[self.months.station[row]], self._lacks(row)) for row in rows]
        if not self.derived:
            return tuple(own)
        formulas = {each.sensor.name for each in self.derived}
        found: dict[tuple[str, int], Missing] = {}
        for each in (*own, *self.inputs):
            before = found.get((each.station, each.month))
            names = {*each.sensors, *(before.sensors if before else ())} - formulas
            found[each.station, each.month] = replace(each, sensors=tuple(sorted(names)))
        places = {name: place for place, name in enumerate(self.stations)}
        # Other stations, which formulas read, come last.
        ordered = sorted(found.values(), key=lambda each: (places.get(each.station, len(places)), each.station, each.month))
        return tuple(each for each in ordered if each.sensors)

    @cached_property
    def inputs(self) -> tuple[Missing, ...]:
        """Return the tiles that must be read for derived ones, an input's month each."""
        return tuple(
            missing_of(each.months, row, each.station, (each.sensor,))
            for series in self.derived
            for reference, each in series.inputs.items()
            for row in np.flatnonzero(series.stale[reference]).tolist()
        )

    def _lacks(self, row: int) -> tuple[str, ...]:
        return tuple(compress(self.sensors, self.lacking[row]))

    @cached_property
    def keys(self) -> tuple[tuple[SeriesKey, int], ...]:
        """Return all tiles, present or not."""
        return tuple((key, month) for key, months in self.series() for month in months.tolist())

    def series(self) -> Iterator[tuple[SeriesKey, Integers]]:
        """Yield every series of the request that was ever recorded, and its months."""
        for position, name in enumerate(self.stations):
            of = rows_of(self.months, position)
            months, wanted = self.months.month[of], self.wanted[of]
            for column, sensor in enumerate(self.sensors):
                if wanted[:, column].any():
                    yield SeriesKey(self.source, name, sensor), months[wanted[:, column]]

    @property
    def is_complete(self) -> bool:
        """Return whether nothing must be read."""
        return not self.lacking.any()

    @property
    def without_data(self) -> tuple[str, ...]:
        """Stations that have nothing of the sensors in the range,
        as far as first and last of their months tell.
        """
        has = np.zeros(len(self.stations), np.bool_)
        has[self.months.station[(self.months.rows > 0) & self.wanted.any(axis=1)]] = True
        return tuple(compress(self.stations, ~has))

    @property
    def missing_months(self) -> set[int]:
        """UTC months of which some tile must be read."""
        return set(self.months.month[self.lacking.any(axis=1)].tolist())

    @property
    def tiles_total(self) -> int:
        """Return how many tiles the request is made of."""
        return int(self.wanted.sum())

    @property
    def tiles_present(self) -> int:
        """Return how many tiles of the request are there and fresh."""
        return self.tiles_total - int(self.lacking.sum())

    @property
    def rows_missing(self) -> int:
        """Return the observations × sensors of tiles that must be read or made, whole months."""
        return self._rows_lacking + self.rows_of_inputs

    @property
    def rows_tiles(self) -> int:
        """Return the observations × sensors of all tiles of the request, whole months, and of what
        is read besides.
        """
        return int((self.months.rows * self.wanted.sum(axis=1)).sum()) + self.rows_of_inputs

    @property
    def _rows_lacking(self) -> int:
        return int((self.months.rows * self.lacking.sum(axis=1)).sum())


def rows_of(months: MonthTable, position: int) -> slice:
    """Return which rows of a table are those of a station, whose position is given."""
    begin, end = np.searchsorted(months.station, [position, position + 1])
    return slice(int(begin), int(end))


def missing_of(months: MonthTable, row: int, station: str, sensors: tuple[str, ...]) -> Missing:
    """Return what must be read of a row of a table of months."""
    names = ("month", "generation", "rows", "first_ms", "last_ms", "appended_since")
    numbers = {name: int(getattr(months, name)[row]) for name in names}
    return Missing(station=station, sensors=sensors, **numbers)
