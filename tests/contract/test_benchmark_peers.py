"""What another library drew counts only where that is the whole window, reduced as asked."""

from __future__ import annotations

import pytest

from benchmarks.peers import _is_reduced
from benchmarks.view import SENSORS


@pytest.mark.parametrize(
    ("points", "first_ms", "last_ms", "counts"),
    [
        (2000, 100, 1000, True),
        (1802, 150, 950, True),
        (2002, 100, 1000, True),
        (1700, 100, 1000, False),  # too few
        (2100, 100, 1000, False),  # not reduced as asked
        (2000, 50, 1000, False),  # of another window
        (2000, 100, 800, False),  # not the whole of it
    ],
)
def test_only_a_whole_window_in_as_many_points_as_asked_for_counts(points, first_ms, last_ms, counts):
    answer = {"points": [points] * len(SENSORS), "ends_ms": [[first_ms, last_ms]] * len(SENSORS)}
    assert _is_reduced(answer, 2000, 100, 1000) is counts
    assert not _is_reduced({"points": [points], "ends_ms": [[first_ms, last_ms]]}, 2000, 100, 1000)
