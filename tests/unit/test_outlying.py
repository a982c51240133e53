"""Rows of a clock that stood on 1970 or 2099 set no range;
real history does, however long its pauses.
"""

from __future__ import annotations

import pytest

from data.outlying import Stretch, usual

DAY = 86_400_000
NOW = 20_000 * DAY  # 2024-10-04


def days(first: float, last: float, rows: int) -> Stretch:
    return Stretch(int(first * DAY), int(last * DAY), rows)


REAL = days(18_000, 19_990, 1_000)


@pytest.mark.parametrize(
    ("others", "span", "rows"),
    [
        ([], (18_000, 19_990), 0),
        ([days(0, 0, 1)], (18_000, 19_990), 1),  # 1970
        ([days(0, 1, 250)], (18_000, 19_990), 250),  # a quarter, within two days
        ([days(0, 1, 251)], (0, 19_990), 0),
        ([days(10_000, 10_030, 10)], (18_000, 19_990), 10),  # a hundredth, within a month
        ([days(10_000, 10_030, 11)], (10_000, 19_990), 0),
        ([days(10_000, 10_100, 5)], (10_000, 19_990), 0),  # few, but for months: that was measured
        ([days(17_900, 17_900, 1)], (17_900, 19_990), 0),  # not far
        ([days(47_500, 47_500, 1)], (18_000, 19_990), 1),  # 2099
        ([days(20_002, 20_002, 1)], (18_000, 19_990), 1),  # the day after tomorrow
        ([days(20_000.9, 20_000.9, 1)], (18_000, 20_000.9), 0),  # a clock that runs ahead
        # a month that reaches into the future counts up to now
        ([days(19_991, 20_009, 7)], (18_000, 20_000), 1),
        ([days(0, 0, 3), days(10_000, 10_000, 3), days(47_500, 47_500, 500)], (18_000, 19_990), 506),
    ],
)
def test_what_is_in_the_future_or_few_and_far_sets_no_range(others, span, rows):
    found, outlying = usual([REAL, *others], NOW)
    assert found is not None
    assert (found.first_ms, found.last_ms, outlying) == (span[0] * DAY, int(span[1] * DAY), rows)


@pytest.mark.parametrize("last", [19_999, 20_000])
def test_a_station_that_came_back_today_is_shown_up_to_today(last):
    assert usual([days(15_000, 18_000, 100_000), days(last, last, 1)], NOW) == (days(15_000, last, 100_001), 0)


def test_one_that_came_back_for_a_while_long_ago_is_not():
    assert usual([days(15_000, 18_000, 100_000), days(19_998, 19_998, 1)], NOW) == (days(15_000, 18_000, 100_000), 1)


def test_where_all_is_in_the_future_nothing_sets_a_range():
    assert usual([days(47_500, 47_500, 9)], NOW) == (None, 9)


def test_where_there_is_only_one_stretch_it_does_however_few_its_rows():
    assert usual([days(0, 0, 1)], NOW) == (days(0, 0, 1), 0)
