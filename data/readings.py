"""Readings as they come from a source, made into observations: finite, sorted, unique, flagged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from data.arrays import Floats, Integers
from data.catalogue import Sensor

FLAG_RANGE = 1  # outside the sensor's valid range
FLAG_SOURCE = 2  # bad by the source's own quality code
FLAG_HARD = 4  # cannot be right by a rule of quality control, where its flags count (data/flag_layer.py)
FLAG_SUSPECT = 8  # should be looked at, by such a rule, where these flags count


@dataclass(frozen=True)
class Observations:
    """Observations of one series: ``times`` i8[n] ms UTC, strictly increasing;
    ``values`` f8[n], finite; ``flags`` u1[n].

    ``nonfinite`` and ``duplicates`` count the readings that were left out;
    ``direction`` says that values are angles.
    """

    times: Integers
    values: Floats
    flags: npt.NDArray[np.uint8]
    nonfinite: int = 0
    duplicates: int = 0
    direction: bool = False


def clean(
    times: Any,
    values: Any,
    sensor: Sensor,
    bad_times: Any = None,
) -> Observations:
    """Drop what is not finite, sort by time, keep the last written of equal times,
    flag what is bad.

    ``times`` int ms UTC [n] and ``values`` [n] in the sensor's unit, in the order written, as
    arrays or what makes them; ``bad_times`` are the times that the source calls bad. Input that is
    sorted and finite already is not copied.
    """
    times, values = np.asarray(times, dtype=np.int64), np.asarray(values, dtype=np.float64)
    finite = np.isfinite(values)
    nonfinite = len(values) - int(np.count_nonzero(finite))
    if nonfinite:
        times, values = times[finite], values[finite]
    before = len(times)
    if not (times[1:] > times[:-1]).all():
        times, values = _sorted_last_wins(times, values)
    flags = ((values < sensor.valid_min) | (values > sensor.valid_max)).view(np.uint8) * np.uint8(FLAG_RANGE)
    if bad_times is not None and len(bad := np.asarray(bad_times, dtype=np.int64)) and len(times):
        at = np.minimum(np.searchsorted(times, bad), len(times) - 1)
        flags[at[times[at] == bad]] |= FLAG_SOURCE
    return Observations(times, values, flags, nonfinite, before - len(times), sensor.is_direction)


def _sorted_last_wins(times: Integers, values: Floats) -> tuple[Integers, Floats]:
    order = np.argsort(times, kind="stable")
    times = times[order]
    last = np.append(times[1:] != times[:-1], True)
    return times[last], values[order[last]]
