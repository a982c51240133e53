"""Rows of a mapped table, as they arrive by either path, made into readings of one station."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data.source import zones
from data.source.clock import Clock
from data.source.columns import Float64Array, Int64Array, Readings, numbers
from data.source.mapped_sql import qualities
from data.source.mapping import MappedSensor
from data.source.zones import Segment

Mask = npt.NDArray[np.bool_]


@dataclass
class Rows:
    """Collects the chunks of one query after another.

    ``add`` takes a chunk's columns as :func:`data.source.mapped_sql.readings` orders them, each Arrow's or a list.
    """

    sensors: Sequence[MappedSensor]
    clock: Clock
    tall: bool
    missing: dict[str, int] = field(init=False)
    bad: dict[str, int] = field(init=False)
    bad_times: int = 0
    _chunks: list[tuple[Int64Array, list[Any]]] = field(default_factory=list)  # of the segment at hand
    _parts: list[tuple[Int64Array, list[Any]]] = field(default_factory=list)  # of segments that are done

    def __post_init__(self) -> None:
        self.missing = {sensor.name: 0 for sensor in self.sensors}
        self.bad = {sensor.name: 0 for sensor in self.sensors}

    def add(self, columns: Sequence[Any]) -> None:
        """Add a chunk of a segment."""
        times, valid = self.clock.milliseconds(columns[0])
        rest = self._tall(columns[1:]) if self.tall else self._wide(columns[1:])
        if not valid.all():
            self.bad_times += len(valid) - int(np.count_nonzero(valid))
            times, rest = times[valid], [column[valid] for column in rest]
        self._chunks.append((times, rest))

    def end_segment(self, segment: Segment, start_ms: int, end_ms: int) -> None:
        """Make instants of the wall-clock times of a segment's chunks; keep what lies in [start, end) ms UTC."""
        if not self._chunks:
            return
        wall, columns = _joined(self._chunks)
        self._chunks.clear()
        wall, columns = self._within(wall, columns, segment.start_ms, segment.end_ms)
        times = zones.to_utc(wall, segment)
        self._parts.append(self._within(times, columns, start_ms, end_ms))

    def _within(self, times: Int64Array, columns: list[Any], start_ms: int, end_ms: int) -> tuple[Int64Array, list[Any]]:
        """Rows of [start, end); the others came along because the column cannot tell more exactly."""
        if not len(times) or (int(times.min()) >= start_ms and int(times.max()) < end_ms):
            return times, columns
        inside = (times >= start_ms) & (times < end_ms)
        self._uncount([column[~inside] for column in columns])
        return times[inside], [column[inside] for column in columns]

    def _uncount(self, dropped: list[Any]) -> None:
        """Rows that came along but lie outside the window: their values count nowhere."""
        for at, sensor in enumerate(self.sensors):
            column = dropped[1][dropped[0] == at] if self.tall else dropped[at]
            absent = int(np.count_nonzero(np.isnan(column)))
            self.missing[sensor.name] -= min(absent, self.missing[sensor.name])

    def readings(self) -> Readings:
        """Everything that was added, in the catalogue's units."""
        times, columns = _joined(self._parts) if self._parts else (np.empty(0, np.int64), self._nothing())
        self._parts.clear()
        return self._of_tall(times, columns) if self.tall else self._of_wide(times, columns)

    def _wide(self, columns: Sequence[Any]) -> list[Any]:
        values = []
        for sensor, column in zip(self.sensors, columns, strict=False):
            array, missing, bad = doubles(column)
            self.missing[sensor.name] += missing
            self.bad[sensor.name] += bad
            values.append(array)
        return [*values, *(integers(column) for column in columns[len(values) :])]

    def _tall(self, columns: Sequence[Any]) -> list[Any]:
        places = integers(columns[0])
        array, missing, bad = doubles(columns[1])
        absent = np.isnan(array)
        if missing or bad:
            nulls = _nulls(columns[1])
            for at, sensor in enumerate(self.sensors):
                of = places == at
                self.missing[sensor.name] += int(np.count_nonzero(of & nulls))
                self.bad[sensor.name] += int(np.count_nonzero(of & absent & ~nulls))
        return [places, array, *(integers(column) for column in columns[2:])]

    def _of_wide(self, times: Int64Array, columns: list[Any]) -> Readings:
        marks = dict(zip(qualities(self.sensors), columns[len(self.sensors) :], strict=True))
        values, flagged = {}, {}
        for at, sensor in enumerate(self.sensors):
            values[sensor.name] = sensor.conversion(columns[at])
            if sensor.quality is not None:
                flagged[sensor.name] = last_bad(times, values[sensor.name], marks[sensor.quality] != 0)
        found = {name: bad for name, bad in flagged.items() if len(bad)}
        return Readings(times, values, self.missing, self.bad, self.bad_times, flagged=found)

    def _of_tall(self, times: Int64Array, columns: list[Any]) -> Readings:
        places, array, marks = columns[0], columns[1], columns[2] if len(columns) > 2 else None
        values, own_times, flagged = {}, {}, {}
        for at, sensor in enumerate(self.sensors):
            of = np.flatnonzero(places == at)
            own_times[sensor.name], values[sensor.name] = times[of], sensor.conversion(array[of])
            if marks is not None and sensor.quality is not None:
                flagged[sensor.name] = last_bad(times[of], array[of], marks[of] != 0)
        found = {name: bad for name, bad in flagged.items() if len(bad)}
        return Readings(times, values, self.missing, self.bad, self.bad_times, own_times, found)

    def _nothing(self) -> list[Any]:
        marks = len(qualities(self.sensors))
        values = 1 if self.tall else len(self.sensors)
        codes = [np.empty(0, np.int64)] if self.tall else []
        return [*codes, *([np.empty(0)] * values), *([np.empty(0, np.int64)] * (min(marks, 1) if self.tall else marks))]


def dealt(rows: Sequence[Rows], columns: Sequence[Any]) -> None:
    """Add a chunk of several stations to each one's rows; the last column is the number of the station."""
    places = integers(columns[-1])
    order = np.argsort(places.astype(np.int16), kind="stable")  # 16 bits are sorted by counting
    ends = np.searchsorted(places[order], np.arange(len(rows) + 1))
    sorted_columns = [_taken(column, order) for column in columns[:-1]]
    for each, low, high in zip(rows, ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        if high > low:
            each.add([column[low:high] for column in sorted_columns])


def last_bad(times: Int64Array, values: Float64Array, bad: Mask) -> Int64Array:
    """Times, sorted, whose value is called bad: of equal times the last finite one, which is the one that is kept."""
    if not bad.any():
        return times[:0]
    finite = np.isfinite(values)
    times, bad = times[finite], bad[finite]
    if not (times[1:] >= times[:-1]).all():
        order = np.argsort(times, kind="stable")
        times, bad = times[order], bad[order]
    last = np.append(times[1:] != times[:-1], True) if len(times) else np.empty(0, np.bool_)
    return times[last & bad]


def doubles(column: Any) -> tuple[Float64Array, int, int]:
    """Values as float64 (NaN where there is none), how many are NULL, how many are no number at all."""
    if not isinstance(column, pa.Array):
        return numbers(column)
    kind = column.type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        whole = column if pa.types.is_float64(kind) else column.cast(pa.float64(), safe=False)
        array: Float64Array = whole.to_numpy(zero_copy_only=whole.null_count == 0)
        return array, column.null_count, 0
    if pa.types.is_string(kind):
        try:
            return pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False), column.null_count, 0
        except pa.ArrowInvalid:
            pass  # one of them is no number, or one that only Python reads
    return numbers(column.to_pylist())


def integers(column: Any) -> Int64Array:
    """Small integers of an expression that is never NULL."""
    if isinstance(column, pa.Array):
        return np.asarray(column.to_numpy(zero_copy_only=False), np.int64)
    return np.array(column, np.int64)


def _taken(column: Any, order: npt.NDArray[np.int64]) -> Any:
    return column.take(pa.array(order)) if isinstance(column, pa.Array) else [column[at] for at in order.tolist()]


def _nulls(column: Any) -> Mask:
    if isinstance(column, pa.Array):
        return np.asarray(column.is_null().to_numpy(zero_copy_only=False), np.bool_)
    return np.array([value is None for value in column], np.bool_)


def _joined(parts: Sequence[tuple[Int64Array, list[Any]]]) -> tuple[Int64Array, list[Any]]:
    if len(parts) == 1:
        return parts[0]
    times = np.concatenate([part[0] for part in parts])
    return times, [np.concatenate(column) for column in zip(*(part[1] for part in parts), strict=True)]
