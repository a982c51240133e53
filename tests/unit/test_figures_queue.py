"""The queue's last day: what is counted in each quarter of an hour,
and that the figures are legal.
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from figures.queue import BUCKET_MS, buckets, depth_figure, longest_wait_s, most_waiting, wait_figure

DAY = 86_400_000
NOON = 20_000 * DAY + DAY // 2  # on a quarter of an hour
STARTS = np.array([NOON, NOON + BUCKET_MS, NOON + 2 * BUCKET_MS])


def test_a_day_has_96_buckets_of_which_the_last_is_the_current_one():
    starts = buckets(NOON + 1 - DAY, NOON + 1)
    assert (len(starts), starts[-1]) == (96, NOON)
    assert set(np.diff(starts)) == {BUCKET_MS}


@pytest.mark.parametrize(
    ("waits", "most"),
    [
        ([], [0, 0, 0]),
        ([(NOON + 1000, NOON + 2000)], [1, 0, 0]),  # shorter than a bucket, yet seen
        # through a whole bucket without a change
        ([(NOON - 1000, NOON + 2 * BUCKET_MS)], [1, 1, 0]),
        ([(NOON + 1000, NOON + 3000), (NOON + 2000, NOON + 4000)], [2, 0, 0]),  # 2 at one time
        # one comes when the other leaves
        ([(NOON + 1000, NOON + 2000), (NOON + 2000, NOON + 3000)], [1, 0, 0]),
        ([(NOON + 1000, NOON + 1000)], [0, 0, 0]),  # no time at all
        ([(NOON - 9000, NOON - 1000)], [0, 0, 0]),  # before
    ],
)
def test_the_depth_is_the_most_jobs_that_waited_at_one_time(waits, most):
    assert most_waiting(waits, STARTS).tolist() == most


def test_the_wait_counts_where_it_ended():
    waits = [(NOON - 5_000, NOON + 1_000), (NOON + 1_000, NOON + 3_000), (NOON, NOON + BUCKET_MS), (0, NOON - 1)]
    assert longest_wait_s(waits, STARTS).tolist() == [6.0, 900.0, 0.0]


@pytest.mark.parametrize("make", [depth_figure, wait_figure])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_figures_are_legal_with_and_without_jobs(make, theme):
    for waits in ([], [(NOON - 9_000, NOON - 2_000)]):
        figure = make(waits, NOON - DAY, NOON, "Asia/Jakarta", theme)
        go.Figure(figure)
        assert len(figure["data"][0]["y"]) == len(figure["data"][0]["customdata"]) == 96


def test_an_empty_day_is_flat_and_a_short_wait_looks_short():
    assert depth_figure([], NOON - DAY, NOON, "UTC", "light")["layout"]["yaxis"]["ticktext"] == ["0", "2"]
    top = wait_figure([(NOON - 2_100, NOON - 2_000)], NOON - DAY, NOON, "UTC", "light")["layout"]["yaxis"]["range"][1]
    assert top > 5
