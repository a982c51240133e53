from __future__ import annotations

from datetime import UTC
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.cells.running_totals import Totals, carried, context_ms, increments, rate_to_sum

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
    assert increments(np.arange(len(totals)), np.array(totals)).tolist() == pytest.approx(expected, nan_ok=True, abs=0)


@pytest.mark.parametrize(
    ("hours", "totals", "expected"),
    [
        ((22, 23), (1.0, 1.5), (1.0, 0.5)),
        # a new day starts from zero, though the total is greater
        ((23, 25), (1.0, 3.0), (1.0, 3.0)),
        ((23, 24, 25), (1.0, 1.4, 0.2), (1.0, 0.4, 0.2)),  # midnight closes the old day
        ((23, 24, 25), (1.0, 0.1, 0.3), (1.0, 0.1, 0.2)),  # midnight opens the new day: it fell
        ((23, 24, 25), (1.0, 0.0, 0.0), (1.0, 0.0, 0.0)),
        ((12, 13, 14), (2.0, 0.5, 0.7), (2.0, 0.5, 0.2)),  # the logger restarted at noon
        ((12, 60), (2.0, 2.5), (2.0, 2.5)),  # days later
        # an unchanged total is no new rain, whenever the logger resets
        ((23, 24, 24.5, 25, 25.5), (5.2, 5.2, 5.2, 5.2, 0.0), (5.2, 0.0, 0.0, 0.0, 0.0)),
        ((23, 24.01, 24.02), (2.2, 2.2, 0.2), (2.2, 0.0, 0.2)),
        ((23, 25.25, 25.5), (2.2, 2.2, 0.0), (2.2, 0.0, 0.0)),  # rows are missing over midnight
        ((23, 25, 47, 49), (0.6, 0.6, 0.6, 0.6), (0.6, 0.0, 0.0, 0.0)),  # the logger hangs
        # after a whole day without a row it was reset, so that the same total is new
        ((23, 47, 71, 95), (5.0, 5.0, 5.0, 2.0), (5.0, 5.0, 5.0, 2.0)),  # one row a day
        ((24, 48, 72), (5.0, 5.0, 5.0), (5.0, 5.0, 5.0)),
        ((12, 84, 85), (0.2, 0.2, 0.2), (0.2, 0.2, 0.0)),
        ((12, 35.9), (0.2, 0.2), (0.2, 0.0)),  # not a whole day
        # the logger had hung: it falls on that day
        ((23, 72.1, 72.2), (2.2, 2.2, 0.0), (2.2, 0.0, 0.0)),
        # one that grows after midnight and falls later on that day had not been reset yet
        ((23.5, 24.5, 25.5), (5.2, 5.4, 0.0), (5.2, 0.2, 0.0)),
        ((23.5, 24, 24.25, 25, 25.5, 26), (5.2, 5.4, 5.6, 5.6, 0.2, 0.4), (5.2, 0.2, 0.2, 0.0, 0.2, 0.2)),
        ((23.5, 33), (1.0, 3.0), (1.0, 3.0)),  # no fall: it had
        # falls at the next midnight: it had, too
        ((23.5, 24.5, 48), (1.0, 3.0, 0.0), (1.0, 3.0, 0.0)),
        # a whole day before the fall there was a reset
        ((12, 47, 49), (2.0, 2.5, 0.0), (2.0, 2.5, 0.0)),
        ((0.5, 24.5, 25.5), (5.0, 6.0, 0.0), (5.0, 6.0, 0.0)),
        # a logger that resets an hour before midnight, having stayed on summer time
        ((22.5, 23, 23.5, 24.5, 46.5, 47), (1.0, 0.0, 0.4, 0.6, 0.6, 0.0), (1.0, 0.0, 0.4, 0.2, 0.0, 0.0)),
    ],
)
def test_a_days_total(hours, totals, expected):
    found = increments(times(*hours), np.array(totals), UTC)
    assert found.tolist() == pytest.approx(list(expected), abs=1e-12)


def test_the_day_is_the_local_one():
    # 17:00 UTC is midnight in Jakarta: 18:00 UTC begins the new day's total.
    found = increments(times(16, 18), np.array([1.0, 3.0]), ZoneInfo("Asia/Jakarta"))
    assert found.tolist() == [1.0, 3.0]


def test_days_of_23_hours_are_days():
    # one row a day at 23:59 in Berlin over the change to summer time, 2024-03-30 to 2024-04-01
    at = np.array([1_711_839_540_000, 1_711_922_340_000, 1_712_008_740_000])
    assert increments(at, np.array([0.2, 0.2, 0.2]), ZoneInfo("Europe/Berlin")).tolist() == [0.2, 0.2, 0.2]


@pytest.mark.parametrize("lag_minutes", [0, 1, 7, 30, 60, 95])
@pytest.mark.parametrize("step_minutes", [1, 10, 30])
@pytest.mark.parametrize("seed", range(3))
def test_a_days_total_adds_up_to_what_fell_whenever_the_logger_resets(lag_minutes, step_minutes, seed):
    random = np.random.default_rng(seed)
    zone = ZoneInfo("Europe/Berlin")
    minutes = np.arange(0, 5 * 1440, step_minutes)
    # from 2024-03-29 00:00 in Berlin over the change to summer time
    at = 1_711_666_800_000 + minutes * 60_000
    # the last reset is not seen
    fell = np.where((random.random(len(minutes)) < 0.2) & (minutes < 5 * 1440 - 60), 0.2, 0.0)
    # so that no total after a reset is that of before it
    fell[(minutes % 1440 == 300) | (minutes == 0)] = 1.0
    sent = fell.copy()
    clock = minutes - lag_minutes  # the logger stays on winter time
    for row in range(1, len(minutes)):
        is_reset = (clock[row] - 1) // 1440 != (clock[row - 1] - 1) // 1440 and clock[row] > 0
        sent[row] = fell[row] if is_reset else sent[row - 1] + fell[row]
    found = increments(at, np.round(sent, 1), zone)
    assert found.sum() == pytest.approx(fell.sum())


@pytest.mark.parametrize("zone", [None, ZoneInfo("Europe/Berlin")])
@pytest.mark.parametrize("seed", range(5))
def test_totals_may_be_counted_piece_by_piece_with_what_is_carried_on(zone, seed):
    random = np.random.default_rng(seed)
    at = np.sort(random.choice(5 * 1440, 300, replace=False)) * 60_000 + 1_711_666_800_000
    totals = np.round(np.cumsum(random.integers(0, 3, 300)) * 0.2 % 7, 1)
    whole, state, found = increments(at, totals, zone), Totals(), []
    for part in np.split(np.arange(300), np.sort(random.choice(299, 6, replace=False)) + 1):
        joined = state + Totals(at[part], totals[part])
        found += increments(joined.times, joined.totals, zone)[len(state.times) :].tolist()
        state = carried(joined.times, joined.totals, zone)
    if zone is None:
        assert found == pytest.approx(whole.tolist(), nan_ok=True)
    else:  # only what a later fall of the same day says may differ: the first row of a day
        differ = np.flatnonzero(~np.isclose(found, whole))
        days = (at + 2 * HOUR_MS) // (24 * HOUR_MS)
        assert all(days[row] != days[row - 1] for row in differ)


def test_what_depends_on_a_total_are_its_local_day_and_the_row_before():
    berlin = ZoneInfo("Europe/Berlin")
    midnight = 1_711_839_600_000  # 2024-03-31 00:00 in Berlin, a day of 23 hours
    assert context_ms(midnight + HOUR_MS, midnight + HOUR_MS, berlin) == (midnight, midnight + 23 * HOUR_MS)
    assert context_ms(midnight, midnight, berlin) == (
        midnight - 24 * HOUR_MS,
        midnight + 23 * HOUR_MS,
    )  # may close the day before
    assert context_ms(5, 7, None) == (5, 7)


def test_a_rate_becomes_the_sum_of_a_step():
    assert rate_to_sum(np.array([6.0, NAN]), 600_000).tolist() == pytest.approx([1.0, NAN], nan_ok=True)


@given(st.lists(st.integers(0, 500), min_size=1, max_size=60), st.integers(1, 400))
def test_increments_add_up_to_what_fell_whatever_the_gauge_can_hold(tips, capacity):
    counter, totals = 0, []
    for tip in tips:
        # it starts again before it overflows
        counter = counter + tip if counter + tip <= capacity else tip
        totals.append(counter * 0.2)
    found = increments(np.arange(len(totals) + 1), np.array([0.0, *totals]))[1:]
    seen = [0, *(round(total / 0.2) for total in totals)]
    expected = sum(now - before if now >= before else now for before, now in pairwise(seen)) * 0.2
    assert found.sum() == pytest.approx(expected)
    assert (found >= 0).all()
