"""What was read, as columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Int64Array = npt.NDArray[np.int64]
Float64Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Readings:
    """Rows of one station, in the database's order (by time), equal times in the order in which
    they were written.

    ``times`` int64[n], ms UTC; ``values`` float64[n] a sensor, NaN where there is none, infinite
    where a cell is no number at all; ``missing`` counts the former; ``bad_times`` counts rows left
    out because their time cannot be read. ``own_times`` are of sensors whose rows are others' not
    (a tall table); ``flagged`` are times whose value the source calls bad, sorted, of sensors that
    have some.
    """

    times: Int64Array
    values: Mapping[str, Float64Array]
    missing: Mapping[str, int]
    bad_times: int = 0
    own_times: Mapping[str, Int64Array] = field(default_factory=dict)
    flagged: Mapping[str, Int64Array] = field(default_factory=dict)

    def times_of(self, sensor: str) -> Int64Array:
        """Times of a sensor's values, int64 ms UTC."""
        return self.own_times.get(sensor, self.times)
