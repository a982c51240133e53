"""What was read, as columns; and how single values become numbers, the same on every path."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

Int64Array = npt.NDArray[np.int64]
Float64Array = npt.NDArray[np.float64]

_LEAST_MS, _GREATEST_MS = -(2**63), 2**63 - 1


@dataclass(frozen=True)
class Readings:
    """Rows of one station, in the database's order (by time), equal times in the order in which they were written.

    ``times`` int64[n], ms UTC; ``values`` float64[n] a sensor, NaN where there is none; ``missing`` counts NULLs and ``bad``
    values that are no number at all (their value is NaN); ``bad_times`` counts rows left out because their time is no number.
    ``own_times`` are of sensors whose rows are others' not (a tall table); ``flagged`` are times whose value the source calls
    bad, sorted, of sensors that have some.
    """

    times: Int64Array
    values: Mapping[str, Float64Array]
    missing: Mapping[str, int]
    bad: Mapping[str, int]
    bad_times: int = 0
    own_times: Mapping[str, Int64Array] = field(default_factory=dict)
    flagged: Mapping[str, Int64Array] = field(default_factory=dict)

    def times_of(self, sensor: str) -> Int64Array:
        """Times of a sensor's values, int64 ms UTC."""
        return self.own_times.get(sensor, self.times)


@dataclass
class ReadingsBuilder:
    """Collects chunks of columns and joins them once, column by column, so that at most one column is there twice."""

    sensors: Sequence[str]
    missing: dict[str, int] = field(init=False)
    bad: dict[str, int] = field(init=False)
    bad_times: int = 0
    _times: list[Int64Array] = field(default_factory=list)
    _values: dict[str, list[Float64Array]] = field(init=False)

    def __post_init__(self) -> None:
        self.missing = dict.fromkeys(self.sensors, 0)
        self.bad = dict.fromkeys(self.sensors, 0)
        self._values = {sensor: [] for sensor in self.sensors}

    def add(self, times: Int64Array, values: Sequence[Float64Array]) -> None:
        """Add a chunk: one array of values a sensor, in the order of ``sensors``."""
        self._times.append(times)
        for sensor, column in zip(self.sensors, values, strict=True):
            self._values[sensor].append(column)

    def build(self) -> Readings:
        """Everything that was added, in order; the builder is empty afterwards."""
        return Readings(
            times=_joined(self._times, np.int64),
            values={sensor: _joined(self._values.pop(sensor), np.float64) for sensor in self.sensors},
            missing=self.missing,
            bad=self.bad,
            bad_times=self.bad_times,
        )


def _joined(chunks: list[Any], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    joined = chunks[0] if len(chunks) == 1 else np.concatenate(chunks) if chunks else np.empty(0, dtype)
    chunks.clear()
    return joined


def numbers(column: Iterable[Any]) -> tuple[Float64Array, int, int]:
    """Values of any type as float64: (values with NaN where there is none, how many are None, how many are no number).

    Text counts as a number when it is written as one in ASCII; an integer or a decimal is rounded to the nearest double.
    """
    column = list(column)
    kinds = set(map(type, column))
    if kinds <= {float, type(None)}:
        return np.array(column, dtype=np.float64), column.count(None), 0
    read = [_number(value) for value in column]
    bad = sum(value is None for value in read) - column.count(None)
    return np.array(read, dtype=np.float64), column.count(None), bad


def _number(value: Any) -> float | None:
    try:
        if isinstance(value, str):
            return float(value) if value.isascii() and "_" not in value else None
        return float(value) if isinstance(value, Real | Decimal) else None
    except (ValueError, OverflowError):
        return None


def milliseconds(column: Iterable[Any]) -> tuple[Int64Array, npt.NDArray[np.bool_] | None]:
    """Times as int64 ms, rounded down, and which rows have one (None: all)."""
    column = list(column)
    if set(map(type, column)) <= {int}:
        try:
            return np.array(column, dtype=np.int64), None
        except OverflowError:
            pass  # a time beyond 64 bits: row by row
    read = [_millisecond(value) for value in column]
    good = np.array([value is not None for value in read], dtype=np.bool_)
    return np.array([value for value in read if value is not None], dtype=np.int64), good


def _millisecond(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        whole = math.floor(value)
    except (ValueError, OverflowError):
        return None
    return whole if _LEAST_MS <= whole <= _GREATEST_MS else None
