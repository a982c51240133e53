"""Items of JSON, a station, a time and values each, become arrivals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo

import numpy as np
import pyarrow as pa

from data.arrays import Integers
from data.cells.times import TimeReader
from data.inbox.arrivals import Arrivals
from data.ingest.file_clock import FileClock
from data.ingest.file_observations import StationColumn
from data.time.epoch import DAY_MS, EARLIEST_MS, LATEST_MS

Values = Mapping[str, float | None]  # by sensor; None: there is no value


def times_of(texts: Sequence[str], stations: Sequence[str], zone: tzinfo) -> tuple[Integers, Integers]:
    """Return times of ISO 8601 as int64[n] ms UTC, and the positions (int64, sorted) of texts that
    are none, name an hour that the clocks of ``zone`` skipped, or lie outside the years 1 to 9999.

    Texts without an offset are wall-clock times of ``zone``. An hour that its clocks showed twice
    is told by the order of a station's items.
    """
    read = TimeReader().read([pa.array(texts, pa.string())])
    utc, exists = FileClock(zone).to_utc(read.ms, StationColumn.of(stations, np.arange(len(stations))))
    times = np.where(read.utc, read.ms, utc)
    is_storable = (times >= EARLIEST_MS + DAY_MS) & (times <= LATEST_MS - DAY_MS)  # in every zone
    return times, np.flatnonzero(~read.present | ~(exists | read.utc) | ~is_storable)


def arrivals_of_items(stations: Sequence[str], times: Integers, values: Sequence[Values]) -> Arrivals:
    """Return items as arrivals, without those that speak of no sensor; ``times``: int64 ms UTC."""
    alike: dict[tuple[str, ...], list[int]] = {}  # rows by the sensors that they speak of: few kinds
    for row, item in enumerate(values):
        alike.setdefault(tuple(item), []).append(row)
    sensors = tuple(dict.fromkeys(name for names in alike for name in names))
    cells, given = np.full((len(values), len(sensors)), np.nan), np.zeros((len(values), len(sensors)), np.bool_)
    for names, rows in alike.items():
        at = np.ix_(rows, [sensors.index(name) for name in names])
        cells[at] = np.array([list(values[row].values()) for row in rows], np.float64)  # None becomes NaN
        given[at] = True
    found = Arrivals(sensors, np.array(stations, object), times, cells, given)
    return found[np.flatnonzero(given.any(axis=1))]
