"""The remaining time, as it is told."""

import pytest

from jobs.kinds.row_rate import RowRate


def test_nothing_is_told_before_there_is_anything_to_tell_from():
    pace = RowRate(0.0)
    assert pace.seconds_left(100) is None
    pace.update(0.1, 10)
    assert pace.seconds_left(100) is None


def test_a_steady_pace_tells_rows_divided_by_rate():
    pace = RowRate(0.0)
    for second in range(1, 6):
        pace.update(float(second), 1000 * second)
    assert pace.seconds_left(3000) == pytest.approx(3.0)
    assert pace.seconds_left(0) == 0.0


def test_a_hiccup_moves_the_estimate_only_a_little():
    pace = RowRate(0.0)
    for second in range(1, 11):
        pace.update(float(second), 1000 * second)
    pace.update(11.0, 10_000)  # one second without a row
    assert pace.seconds_left(1000) == pytest.approx(1.0, rel=0.25)


def test_waiting_for_the_first_row_does_not_count_as_a_pace_of_zero():
    pace = RowRate(0.0)
    pace.update(5.0, 0)
    assert pace.seconds_left(100) is None
    pace.update(10.0, 1000)
    assert pace.seconds_left(100) == pytest.approx(1.0)
