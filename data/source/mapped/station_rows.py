"""Rows of a mapped table, as they arrive by either path, made into readings of one station."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data.cells.values import ValueReader
from data.source.connection.query_columns import Float64Array, Int64Array, Readings
from data.source.mapped import wall_times
from data.source.mapped.clock import Clock
from data.source.mapped.mapping import MappedSensor
from data.source.mapped.sql import qualities
from data.source.mapped.wall_times import Segment

Mask = npt.NDArray[np.bool_]


@dataclass
class Rows:
    """Collects the chunks of one query after another.

    ``add`` takes a chunk's columns as :func:`data.source.mapped.sql.readings` orders them, each
    Arrow's or a list. ``singles`` are the positions of those whose values are of single precision
    in the table.
    """

    sensors: Sequence[MappedSensor]
    clock: Clock
    tall: int  # how many columns of values a tall table has; 0 of a wide one
    singles: AbstractSet[int] = frozenset()
    bad_times: int = 0
    # chunks of the segment at hand, and what has a time
    _unreadable: list[tuple[Any, Mask]] = field(default_factory=list)
    # of the segment at hand
    _chunks: list[tuple[Int64Array, list[Any]]] = field(default_factory=list)
    # of segments that are done
    _parts: list[tuple[Int64Array, list[Any]]] = field(default_factory=list)

    def add(self, columns: Sequence[Any]) -> None:
        """Add a chunk of a segment."""
        times, valid = self.clock.milliseconds(columns[0])
        read = [_as_singles(column) if at in self.singles else column for at, column in enumerate(columns)]
        rest = self._tall(read[1:]) if self.tall else self._wide(read[1:])
        if not valid.all():
            self._unreadable.append((columns[0], valid))
            times, rest = times[valid], [column[valid] for column in rest]
        self._chunks.append((times, rest))

    def end_segment(self, segment: Segment, start_ms: int, end_ms: int) -> None:
        """Make instants of the wall-clock times of a segment's chunks;
        keep what lies in [start, end) ms UTC.
        """
        if not self._chunks:
            return
        for column, valid in self._unreadable:
            self.bad_times += self.clock.unreadable_within(column, valid, segment.start_ms, segment.end_ms)
        self._unreadable.clear()
        wall, columns = _joined(self._chunks)
        self._chunks.clear()
        wall, columns = self._within(wall, columns, segment.start_ms, segment.end_ms)
        times = wall_times.to_utc(wall, segment)
        moved = times is not wall  # else the segment lies within the window
        self._parts.append(self._within(times, columns, start_ms, end_ms) if moved else (times, columns))

    def _within(self, times: Int64Array, columns: list[Any], start_ms: int, end_ms: int) -> tuple[Int64Array, list[Any]]:
        """Return the rows of [start, end), which the column could not tell exactly."""
        if not len(times) or (int(times.min()) >= start_ms and int(times.max()) < end_ms):
            return times, columns
        inside = (times >= start_ms) & (times < end_ms)
        return times[inside], [column[inside] for column in columns]

    def readings(self) -> Readings:
        """Return the rows added so far as readings, in the catalogue's units."""
        times, columns = _joined(self._parts) if self._parts else (np.empty(0, np.int64), self._nothing())
        self._parts.clear()
        return self._of_tall(times, columns) if self.tall else self._of_wide(times, columns)

    def _wide(self, columns: Sequence[Any]) -> list[Any]:
        values = [cells(column, sensor.reader) for sensor, column in zip(self.sensors, columns, strict=False)]
        return [*values, *(integers(column) for column in columns[len(values) :])]

    def _tall(self, columns: Sequence[Any]) -> list[Any]:
        """The number of the sensor, its value, then the marks:
        of several columns of values the first that holds one.
        """
        places = integers(columns[0])
        readers = {sensor.reader for sensor in self.sensors}
        if len(readers) == 1:
            array = self._first(columns[1 : 1 + self.tall], readers.pop())
        else:
            array = np.full(len(places), np.nan)
            for at, sensor in enumerate(self.sensors):
                of = np.flatnonzero(places == at)
                array[of] = self._first([_taken(column, of) for column in columns[1 : 1 + self.tall]], sensor.reader)
        return [places, array, *(integers(column) for column in columns[1 + self.tall :])]

    def _first(self, columns: Sequence[Any], reader: ValueReader) -> Float64Array:
        array = cells(columns[0], reader)
        for column in columns[1:]:
            other = cells(column, reader)
            array = np.where(np.isfinite(array) | np.isnan(other), array, other)
        return array

    def _of_wide(self, times: Int64Array, columns: list[Any]) -> Readings:
        marks = dict(zip(qualities(self.sensors), columns[len(self.sensors) :], strict=True))
        values, flagged = {}, {}
        for at, sensor in enumerate(self.sensors):
            values[sensor.name] = columns[at]
            if sensor.quality is not None:
                flagged[sensor.name] = last_bad(times, columns[at], marks[sensor.quality] != 0)
        return self._counted(times, values, {}, flagged)

    def _of_tall(self, times: Int64Array, columns: list[Any]) -> Readings:
        places, array, marks = columns[0], columns[1], columns[2] if len(columns) > 2 else None
        values, own_times, flagged = {}, {}, {}
        for at, sensor in enumerate(self.sensors):
            of = np.flatnonzero(places == at)
            own_times[sensor.name], values[sensor.name] = times[of], array[of]
            if marks is not None and sensor.quality is not None:
                flagged[sensor.name] = last_bad(times[of], array[of], marks[of] != 0)
        return self._counted(times, values, own_times, flagged)

    def _counted(
        self,
        times: Int64Array,
        values: dict[str, Float64Array],
        own_times: dict[str, Int64Array],
        flagged: dict[str, Int64Array],
    ) -> Readings:
        missing = {name: int(np.count_nonzero(np.isnan(array))) for name, array in values.items()}
        found = {name: marked for name, marked in flagged.items() if len(marked)}
        return Readings(times, values, missing, self.bad_times, own_times, found)

    def _nothing(self) -> list[Any]:
        marks = len(qualities(self.sensors))
        values = 1 if self.tall else len(self.sensors)
        codes = [np.empty(0, np.int64)] if self.tall else []
        return [*codes, *([np.empty(0)] * values), *([np.empty(0, np.int64)] * (min(marks, 1) if self.tall else marks))]


def split_by_station(rows: Sequence[Rows], columns: Sequence[Any]) -> None:
    """Split a chunk of several stations, and add to each one's rows;
    the last column is the number of the station.
    """
    places = integers(columns[-1])
    order = np.argsort(places.astype(np.int16), kind="stable")  # 16 bits are sorted by counting
    ends = np.searchsorted(places[order], np.arange(len(rows) + 1))
    sorted_columns = [_taken(column, order) for column in columns[:-1]]
    for each, low, high in zip(rows, ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        if high > low:
            each.add([column[low:high] for column in sorted_columns])


def last_bad(times: Int64Array, values: Float64Array, bad: Mask) -> Int64Array:
    """Times, sorted, whose value is called bad: of equal times the last finite one,
    which is the one that is kept.
    """
    if not bad.any():
        return times[:0]
    finite = np.isfinite(values)
    times, bad = times[finite], bad[finite]
    if not (times[1:] >= times[:-1]).all():
        order = np.argsort(times, kind="stable")
        times, bad = times[order], bad[order]
    last = np.append(times[1:] != times[:-1], True) if len(times) else np.empty(0, np.bool_)
    return times[last & bad]


def cells(column: Any, reader: ValueReader) -> Float64Array:
    """Values as float64 in the catalogue's unit: NaN where there is none,
    infinite where a cell is no number at all.
    """
    if isinstance(column, pa.Array) and pa.types.is_float64(column.type) and not (reader.missing or reader.words):
        return reader.convert(column.to_numpy(zero_copy_only=column.null_count == 0))
    found = reader.read(column)
    if len(found.unreadable):
        found.values[found.unreadable] = np.inf
    return found.values


def _as_singles(column: Any) -> pa.Array:
    """The singles whose doubles these are; a reader takes them as they were written."""
    doubles = column if isinstance(column, pa.Array) else pa.array(column, pa.float64())
    return doubles.cast(pa.float32(), safe=False)


def integers(column: Any) -> Int64Array:
    """Small integers of an expression that is never NULL."""
    if isinstance(column, pa.Array):
        return np.asarray(column.to_numpy(zero_copy_only=False), np.int64)
    return np.array(column, np.int64)


def _taken(column: Any, order: npt.NDArray[np.int64]) -> Any:
    return column.take(pa.array(order)) if isinstance(column, pa.Array) else [column[at] for at in order.tolist()]


def _joined(parts: Sequence[tuple[Int64Array, list[Any]]]) -> tuple[Int64Array, list[Any]]:
    """All parts as one, whose own columns go as they are joined, so that at most one is there
    twice.
    """
    if len(parts) == 1:
        return parts[0]
    times = np.concatenate([part[0] for part in parts])
    return times, [np.concatenate([part[1].pop(0) for part in parts]) for _ in range(len(parts[0][1]))]
