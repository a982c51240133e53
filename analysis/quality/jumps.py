"""Changes from one reading to the next that are too quick: steps, and spikes that come back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from analysis.quality.spans import tolerance
from data.arrays import Floats, Integers

Tolerances = Sequence[tuple[float, float]]  # (minutes, greatest change in the sensor's unit)
_BACK: Final = 0.5  # a spike's neighbours are nearer to each other than this part of its height


class Beyond(NamedTuple):
    """Rows beyond their limit: their places i8[k], the limit f8[k] of each, and f8[k] how many
    times the limit it reaches.
    """

    at: Integers
    limit: Floats
    excess: Floats

    def without(self, rows: Integers) -> Beyond:
        """Return them without some rows."""
        kept = ~np.isin(self.at, rows)
        return Beyond(self.at[kept], self.limit[kept], self.excess[kept])


def steps(times: Integers, values: Floats, limits: Tolerances) -> Beyond:
    """Return the rows that differ from the one before by more than the elapsed time allows.

    Tolerances of 1 to 12 hours are as WMO-No. 488's time consistency check, those of minutes as
    WMO-No. 8, volume V (plausible rate of change).
    """
    change = np.abs(np.diff(values))
    at = np.flatnonzero(change > min(each for _, each in limits))
    limit = tolerance(limits, times[at + 1] - times[at])
    excess = change[at] / limit
    too_quick = excess > 1.0
    return Beyond(at[too_quick] + 1, limit[too_quick], excess[too_quick])


def spikes(times: Integers, values: Floats, limits: Tolerances) -> Beyond:
    """Return the rows that stand out from both neighbours, on the same side, by more than the
    elapsed time allows.

    QARTOD's spike test, with a limit by elapsed time, and only where the neighbours agree: a step
    is none.
    """
    change = np.diff(values)
    large = np.abs(change) > min(each for _, each in limits)
    at = np.flatnonzero(large[:-1] & large[1:])
    up, down = change[at], change[at + 1]
    height = np.minimum(np.abs(up), np.abs(down))
    limit = tolerance(limits, np.maximum(times[at + 1] - times[at], times[at + 2] - times[at + 1]))
    excess = height / limit
    is_spike = (up * down < 0) & (np.abs(up + down) < _BACK * height) & (excess > 1.0)
    return Beyond(at[is_spike] + 1, limit[is_spike], excess[is_spike])
