"""Exact quantiles of groups of values."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.bins import Keys
from analysis.value_counts import count_values
from data.arrays import Floats


def quantiles(values: Floats, probabilities: Sequence[float]) -> Floats:
    """Return quantiles of finite values, f8[k]; NaN where there is no value."""
    found: Floats = grouped_quantiles(values, None, 1, probabilities)[0]
    return found


def grouped_quantiles(values: Floats, key: Keys | None, groups: int, probabilities: Sequence[float]) -> Floats:
    """Return quantiles of the values of each group, f8[groups][k], as
    :meth:`analysis.value_counts.ValueCounts.quantiles`; ``key`` is the group of each value, None
    where there is one group.
    """
    return count_values(values, key, groups).quantiles(probabilities)
