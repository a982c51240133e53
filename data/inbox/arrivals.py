"""Observations that have arrived and are not stored yet: a table in memory, or an Arrow file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.arrays import Bools, Floats, Integers


@dataclass(frozen=True)
class Arrivals:
    """Observations as they came, in order; of equal stations and times the later one holds.

    ``stations``: object[n] of str; ``times``: int64[n] ms UTC; ``values``: float64[n, sensors], NaN
    where there is no value; ``given``: bool[n, sensors], whether the sender said anything of the
    sensor: what was not said stays as it is, and NaN that was said empties.
    """

    sensors: tuple[str, ...]
    stations: npt.NDArray[np.object_]
    times: Integers
    values: Floats
    given: Bools

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, rows: npt.NDArray[np.int64] | slice) -> Arrivals:
        return Arrivals(self.sensors, self.stations[rows], self.times[rows], self.values[rows], self.given[rows])

    def to_arrow(self) -> pa.Table:
        """Return a column of stations, of times and of each sensor: null where nothing was said."""
        columns = [
            pa.array(self.stations, pa.string()).dictionary_encode(),
            pa.array(self.times),
            *(pa.array(self.values[:, at], mask=~self.given[:, at]) for at in range(len(self.sensors))),
        ]
        return pa.table(columns, names=["station", "time", *self.sensors])  # a sensor may be called station, too


@dataclass(frozen=True)
class StationRows:
    """Rows of one station that say something of the same sensors.

    ``times``: int64[n] ms UTC, sorted, unique; ``values``: float64[n, sensors].
    """

    station: str
    sensors: tuple[str, ...]
    times: Integers
    values: Floats


def arrivals_of(table: pa.Table) -> Arrivals:
    """Return what :meth:`Arrivals.to_arrow` made a table of."""
    sensors = tuple(table.column_names[2:])
    columns = [table.column(2 + at) for at in range(len(sensors))]
    given = [np.asarray(column.is_valid(), np.bool_) for column in columns]
    values = [np.asarray(column.to_numpy(), np.float64) for column in columns]
    return Arrivals(
        sensors,
        np.asarray(table.column(0).to_pylist(), object),
        np.asarray(table.column(1).to_numpy(), np.int64),
        np.stack(values, axis=1) if values else np.empty((len(table), 0)),
        np.stack(given, axis=1) if given else np.empty((len(table), 0), np.bool_),
    )


def joined_arrivals(parts: Sequence[Arrivals]) -> Arrivals:
    """Return some arrivals behind each other, with the sensors of all."""
    sensors = tuple(dict.fromkeys(name for part in parts for name in part.sensors))
    rows = sum(map(len, parts))
    values, given = np.full((rows, len(sensors)), np.nan), np.zeros((rows, len(sensors)), np.bool_)
    begin = 0
    for part in parts:
        at = np.ix_(range(begin, begin + len(part)), [sensors.index(name) for name in part.sensors])
        values[at], given[at] = part.values, part.given
        begin += len(part)
    stations = np.concatenate([part.stations for part in parts])
    return Arrivals(sensors, stations, np.concatenate([part.times for part in parts]), values, given)


def rows_by_station(arrivals: Arrivals) -> Iterator[StationRows]:
    """Yield what is to be written: of each station, time and sensor what was said last."""
    names, which = np.unique(arrivals.stations.astype(str), return_inverse=True)
    order = np.lexsort((arrivals.times, which))  # stable: what came later stands later
    bounds = np.searchsorted(which[order], np.arange(len(names) + 1))
    for station, begin, end in zip(names.tolist(), bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        yield from _rows_of(station, arrivals[order[begin:end]])


def _rows_of(station: str, arrivals: Arrivals) -> Iterator[StationRows]:
    """Yield the rows of one station, whose times are sorted, by the sensors that they speak of."""
    times, row = np.unique(arrivals.times, return_inverse=True)
    values = np.full((len(times), len(arrivals.sensors)), np.nan)
    given = np.zeros_like(values, np.bool_)
    for at in range(len(arrivals.sensors)):
        said = np.flatnonzero(arrivals.given[:, at])
        values[row[said], at] = arrivals.values[said, at]  # of equal rows numpy keeps the last
        given[row[said], at] = True
    patterns, kind = np.unique(given, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        if pattern.any():
            here = kind.reshape(-1) == number
            sensors = tuple(name for name, said in zip(arrivals.sensors, pattern.tolist(), strict=True) if said)
            yield StationRows(station, sensors, times[here], values[np.ix_(here, pattern)])
