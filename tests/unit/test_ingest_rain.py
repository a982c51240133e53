from __future__ import annotations

from datetime import UTC
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.ingest.rain import days_of, increments, rate_to_sum

NAN = np.nan
HOUR_MS = 3_600_000
T0 = 1_661_990_400_000  # 2022-09-01T00:00Z


def times(*hours: float) -> np.ndarray:
    return np.array([T0 + round(hour * HOUR_MS) for hour in hours], np.int64)


@pytest.mark.parametrize(
    ("totals", "expected"),
    [
        ([], []),
        ([5.0], [NAN]),
        ([5.0, 5.2, 5.2], [NAN, 0.2, 0.0]),
        ([5.0, 0.0, 0.4], [NAN, 0.0, 0.4]),  # reset to zero
        ([5.0, 0.6], [NAN, 0.6]),  # reset, and it rained since
        ([9.906, 10.16], [NAN, 0.254]),  # no noise of subtraction
        ([1.0, 1.0 - 1e-9], [NAN, 0.0]),  # noise is no reset
    ],
)
def test_a_total_since_reset(totals, expected):
    assert increments(np.array(totals)).tolist() == pytest.approx(expected, nan_ok=True, abs=0)


@pytest.mark.parametrize(
    ("hours", "totals", "expected"),
    [
        ((22, 23), (1.0, 1.5), (1.0, 0.5)),
        ((23, 25), (1.0, 3.0), (1.0, 3.0)),  # a new day starts from zero, though the total is greater
        ((23, 24, 25), (1.0, 1.4, 0.2), (1.0, 0.4, 0.2)),  # midnight closes the old day
        ((23, 24, 25), (1.0, 0.1, 0.3), (1.0, 0.1, 0.2)),  # midnight opens the new day: it fell
        ((23, 24, 25), (1.0, 0.0, 0.0), (1.0, 0.0, 0.0)),
        ((12, 13, 14), (2.0, 0.5, 0.7), (2.0, 0.5, 0.2)),  # the logger restarted at noon
        ((12, 60), (2.0, 2.5), (2.0, 2.5)),  # days later
    ],
)
def test_a_days_total(hours, totals, expected):
    found = increments(np.array(totals), days_of(times(*hours), UTC))
    assert found.tolist() == pytest.approx(list(expected), abs=1e-12)


def test_the_day_is_the_local_one():
    # 17:00 UTC is midnight in Jakarta: 18:00 UTC begins the new day's total.
    found = increments(np.array([1.0, 3.0]), days_of(times(16, 18), ZoneInfo("Asia/Jakarta")))
    assert found.tolist() == [1.0, 3.0]


def test_a_rate_becomes_the_sum_of_a_step():
    assert rate_to_sum(np.array([6.0, NAN]), 600_000).tolist() == pytest.approx([1.0, NAN], nan_ok=True)


@given(st.lists(st.integers(0, 500), min_size=1, max_size=60), st.integers(1, 400))
def test_increments_add_up_to_what_fell_whatever_the_gauge_can_hold(tips, capacity):
    counter, totals = 0, []
    for tip in tips:
        counter = counter + tip if counter + tip <= capacity else tip  # it starts again before it overflows
        totals.append(counter * 0.2)
    found = increments(np.array([0.0, *totals]))[1:]
    seen = [0, *(round(total / 0.2) for total in totals)]
    expected = sum(now - before if now >= before else now for before, now in pairwise(seen)) * 0.2
    assert found.sum() == pytest.approx(expected)
    assert (found >= 0).all()
