"""Cleaning: finite, sorted, unique, the last written wins, and what is bad is flagged,
never dropped.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.readings import FLAG_RANGE, FLAG_SOURCE, clean
from tests.tiled import sensor_named

TEMPERATURE = sensor_named("temperature")
rows = st.lists(st.tuples(st.integers(-50, 50), st.floats(-200, 200) | st.just(np.nan) | st.just(np.inf)), max_size=60)


@given(rows, st.lists(st.integers(-60, 60)))
def test_cleaning_equals_a_dictionary_written_in_order(readings: list[tuple[int, float]], bad: list[int]) -> None:
    finite = [(time, value) for time, value in readings if np.isfinite(value)]
    last = dict(finite)
    expected = {
        time: (value, FLAG_RANGE * (not -80 <= value <= 60) | FLAG_SOURCE * (time in bad)) for time, value in sorted(last.items())
    }

    cleaned = clean([time for time, _ in readings], [value for _, value in readings], TEMPERATURE, bad)

    found = zip(cleaned.times.tolist(), zip(cleaned.values.tolist(), cleaned.flags.tolist(), strict=True), strict=True)
    assert dict(found) == expected
    assert cleaned.times.tolist() == sorted(expected)
    assert cleaned.nonfinite == len(readings) - len(finite)
    assert cleaned.duplicates == len(finite) - len(last)


@pytest.mark.parametrize(("value", "flag"), [(-80.0, 0), (60.0, 0), (60.01, FLAG_RANGE), (-9999.0, FLAG_RANGE)])
def test_limits_are_valid_and_what_is_beyond_is_flagged(value: float, flag: int) -> None:
    assert clean([1], [value], TEMPERATURE).flags.tolist() == [flag]


def test_sorted_finite_input_is_not_copied() -> None:
    times, values = np.arange(1000), np.zeros(1000)

    cleaned = clean(times, values, TEMPERATURE)

    assert np.shares_memory(cleaned.times, times)
    assert np.shares_memory(cleaned.values, values)
