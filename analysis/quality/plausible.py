"""Values beyond what an instrument can show, or beyond the climate of the month."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.quality.spans import NONE, Spans, concatenated, spans_of
from data.arrays import Floats, Integers
from data.time.months import month_of, month_start_ms


def beyond_range(times: Integers, values: Floats, bounds: tuple[float, float], join_ms: int) -> Spans:
    """Return where values are outside ``bounds``, (least, greatest) in the sensor's unit.

    WMO-No. 8, volume V: the plausible value check; QARTOD's gross range test.
    """
    least, greatest = bounds
    if not len(values) or (values.min() >= least and values.max() <= greatest):
        return NONE
    at = np.flatnonzero((values < least) | (values > greatest))
    limit = np.where(values[at] < least, least, greatest)
    beyond = 1.0 + np.abs(values[at] - limit) / max(greatest - least, 1e-9)
    return spans_of(times, values, at, limit, beyond, join_ms)


def beyond_climate(times: Integers, values: Floats, climate: Sequence[tuple[float, float]], join_ms: int) -> Spans:
    """Return where values lie beyond the extremes of their UTC month, which are (least, greatest)
    for January to December.

    QARTOD's climatology test; WMO-No. 488: limits from the climate of the month.
    """
    if not len(times):
        return NONE
    found = []
    for month in range(month_of(int(times[0])), month_of(int(times[-1])) + 1):
        low, high = np.searchsorted(times, [month_start_ms(month), month_start_ms(month + 1)])
        found.append(beyond_range(times[low:high], values[low:high], climate[month % 12], join_ms))
    return concatenated(found)
