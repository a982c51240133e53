"""Statistics of what is drawn, where points are buckets."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analysis.drawn_points import drawn_statistics, is_each_bucket_drawn
from data.catalogue import load_catalogue
from data.view.records import HistoryView
from tests.unit.views import DAY_MS, HOUR_MS, START_MS, line, series, view

CATALOGUE = load_catalogue()
NAME = ("aws-1", "rainfall")


def week(*values: float) -> HistoryView:
    """Daily sums of rain, the first of the day before the window of a week."""
    x = START_MS + DAY_MS * np.arange(-1, len(values) - 1)
    return view(series(*NAME, "bars", x, values, bucket="1d", width=DAY_MS), end_ms=START_MS + 7 * DAY_MS)


def test_a_bucket_counts_that_begins_in_the_window_and_has_a_value() -> None:
    found = drawn_statistics(week(50.0, 1.0, 3.0, math.nan, 8.0), CATALOGUE, {})
    (one,), summary = found.view.statistics, found.summaries[NAME]
    assert (one.rows, one.min, one.max, one.sum, one.mean, one.last) == (3, 1, 8, 12, 4, 8)
    assert (one.min_time, one.max_time) == (START_MS, START_MS + 3 * DAY_MS)
    assert [summary.median, summary.std] == pytest.approx([3, np.std([1, 3, 8], ddof=1)])
    assert found.buckets == {NAME: "1d"}


def test_of_points_that_are_readings_the_statistics_stay_and_of_no_bucket_there_are_none() -> None:
    made = view(line([START_MS], [20.0]), series(*NAME, "bars", [], [], bucket="1h", width=HOUR_MS))
    found = drawn_statistics(made, CATALOGUE, {})
    assert found.view.statistics[0] == made.statistics[0]
    assert (found.view.statistics[1].rows, found.view.statistics[1].mean) == (0, None)
    assert math.isnan(found.summaries[NAME].median)


def test_a_direction_of_buckets_has_the_mean_of_its_unit_vectors_and_no_quantiles() -> None:
    made = view(series("aws-1", "wind_direction", "dots", [START_MS, START_MS + HOUR_MS], [350.0, 10.0], bucket="1h"))
    found = drawn_statistics(made, CATALOGUE, {})
    assert found.view.statistics[0].mean == pytest.approx(0, abs=1e-9) or found.view.statistics[0].mean == pytest.approx(360)
    assert math.isnan(found.summaries["aws-1", "wind_direction"].median)


@pytest.mark.parametrize(("bucket", "days", "each"), [("1h", 10, True), ("1h", 100, False), ("1d", 100, True), ("raw", 1, False)])
def test_more_buckets_than_columns_are_drawn_by_a_choice_among_them(bucket: str, days: int, each: bool) -> None:
    made = view(line([START_MS], [20.0], bucket=bucket), end_ms=START_MS + days * DAY_MS, resolution=bucket)
    assert is_each_bucket_drawn(made, 800) is each
