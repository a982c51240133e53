"""What derived tiles are made of: the generations of the months that a formula looks at, and the
tiles of its inputs (docs/decisions/0032).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from data.arrays import Bools, Integers
from data.catalogue import Sensor
from data.formula import Reference
from data.inventory import MonthTable
from data.tiles.index import Marks
from data.time.months import month_starts_ms, months_of


@dataclass(frozen=True)
class DerivedMonth:
    """A tile to be made: of a derived sensor of a station, one UTC month, under a generation.

    ``rows`` are the station's of that month; ``due``: by input the months that it looks at and that
    may have values, with their generations.
    """

    station: str
    sensor: Sensor
    month: int
    generation: int
    rows: int
    due: Mapping[Reference, Mapping[int, int]]


@dataclass(frozen=True)
class InputMonths:
    """An input of a derived series: the ``months`` of its station, and in which of them it
    ``may_have`` values, as far as first and last time tell, and has a ``fresh`` tile: one that
    holds what the table holds.
    """

    station: str
    sensor: str
    months: MonthTable
    may_have: Bools
    fresh: Bools

    def generations(self, rows: Integers) -> dict[int, int]:
        """Return the generations of some rows of the months, by month."""
        return dict(zip(self.months.month[rows].tolist(), self.months.generation[rows].tolist(), strict=True))


@dataclass(frozen=True)
class DerivedSeries:
    """A derived sensor of a station of which tiles are lacking: those of the ``lacking`` rows of
    its ``months``, which begin where its formula looks back to, and ``generations`` of them all.
    """

    station: str
    sensor: Sensor
    months: MonthTable
    generations: Integers
    lacking: Bools
    inputs: Mapping[Reference, InputMonths]

    def to_make(self) -> Iterator[DerivedMonth]:
        """Yield the tiles to be made, by month."""
        looked_at = {name: self._looked_at(each) for name, each in self.inputs.items()}
        for row in np.flatnonzero(self.lacking).tolist():
            due = {}
            for name, (first, stop) in looked_at.items():
                rows = np.arange(first[row], stop[row])
                due[name] = self.inputs[name].generations(rows[self.due[name][rows]])
            numbers = int(self.months.month[row]), int(self.generations[row]), int(self.months.rows[row])
            yield DerivedMonth(self.station, self.sensor, *numbers, due)

    @cached_property
    def due(self) -> Mapping[Reference, Bools]:
        """By input: which of its months are looked at for lacking tiles, and may have values."""
        return {name: self._within(each) & (each.months.rows > 0) & each.may_have for name, each in self.inputs.items()}

    @cached_property
    def stale(self) -> Mapping[Reference, Bools]:
        """By input: of which of the months that are due a tile must be read."""
        return {name: due & ~self.inputs[name].fresh for name, due in self.due.items()}

    def _looked_at(self, each: InputMonths) -> tuple[Integers, Integers]:
        return rows_looked_at(self.months, self.sensor.back_ms, each.months)

    def _within(self, each: InputMonths) -> Bools:
        """Return which months of an input are looked at for a lacking tile."""
        first, stop = self._looked_at(each)
        steps = np.zeros(len(each.months) + 1, np.int64)
        np.add.at(steps, first[self.lacking], 1)
        np.add.at(steps, stop[self.lacking], -1)
        within: Bools = np.cumsum(steps[:-1]) > 0
        return within


def rows_looked_at(months: MonthTable, back_ms: int, of: MonthTable) -> tuple[Integers, Integers]:
    """Return for each row of one station's months the rows [first, stop) of another's, or of its
    own, that a formula looks at for it, and ``back_ms`` before.
    """
    begins = months_of(month_starts_ms(months.month) - back_ms) if back_ms else months.month
    return np.searchsorted(of.month, begins), np.searchsorted(of.month, months.month, "right")


def generations_looked_at(months: MonthTable, sensor: Sensor, others: Sequence[MonthTable] = ()) -> Integers:
    """Return for each row of one station's months the sum of the generations of all months that a
    sensor's formula looks at, there and at ``others``: what its tile has as generation.

    Generations never fall, so an equal sum is equal generations. Of a measured sensor, and of a
    formula that looks neither back nor elsewhere, it is the row's own.
    """
    if not sensor.back_ms and not others:
        return months.generation
    found = np.zeros(len(months), np.int64)
    for each in (months, *others):
        first, stop = rows_looked_at(months, sensor.back_ms, each)
        total = np.concatenate([[0], np.cumsum(each.generation)])
        found += total[stop] - total[first]
    return found


def fresh(marks: Marks, months: Integers, generations: Integers, fingerprint: int) -> Bools:
    """Return which months have tiles that hold what the table holds (its generation),
    by today's rules (fingerprint).
    """
    if not len(marks.month):
        return np.zeros(len(months), np.bool_)
    at = np.searchsorted(marks.month, months)
    at[at == len(marks.month)] = 0
    there: Bools = marks.month[at] == months
    same: Bools = (marks.generation[at] == generations) & (marks.fingerprint[at] == fingerprint)
    return there & same
