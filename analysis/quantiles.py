"""Exact quantiles of groups of values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from analysis.bins import FINE, Grid, Keys
from analysis.value_counts import GridCounts, count_values
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


def quantiles_of_parts(parts: Callable[[], Iterable[Floats]], probabilities: Sequence[float]) -> Floats:
    """Return what :func:`quantiles` returns of some finite values that come in ``parts``, without
    having all of them in memory: they are gone through three times, and kept are those of the cells
    in which a quantile lies.
    """
    ends = [(float(part.min()), float(part.max())) for part in parts() if len(part)]
    if not ends:
        return np.full(len(probabilities), np.nan)
    grid = Grid(min(least for least, _ in ends), max(greatest for _, greatest in ends))
    counts = np.zeros(FINE, np.int64)
    for part in parts():
        counts += np.bincount(grid.cells(part), minlength=FINE)
    is_wanted = np.zeros(FINE, bool)
    low = np.floor((counts.sum() - 1) * np.asarray(probabilities, np.float64))
    is_wanted[np.searchsorted(np.cumsum(counts), [low, np.minimum(low + 1, counts.sum() - 1)], "right")] = True
    listed = np.concatenate([part[is_wanted[grid.cells(part)]] for part in parts()])
    found: Floats = GridCounts(counts[None], grid, listed, None).quantiles(probabilities)[0]
    return found
