"""Wall clocks that change: every instant of a window is in one segment,
and times become the instants they show.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings, strategies

from data.source.mapped.wall_times import Segment, is_second_pass_of_doubled_hour, segments, to_utc
from data.time.zones import zone_offset_ms

HOUR = 3_600_000
ZONES = ["Europe/Berlin", "America/New_York", "Asia/Jakarta", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"]


@settings(max_examples=150, deadline=None)
@given(
    zone=strategies.sampled_from(ZONES),
    start=strategies.integers(-(10**12), 2 * 10**12),
    length=strategies.integers(1, 60 * 24 * HOUR),
)
def test_segments_cover_each_instant_of_a_window(zone, start, length):
    tz, end = ZoneInfo(zone), start + length
    found = segments(tz, start, end)
    instants = np.unique(np.linspace(start, end - 1, 200).astype(np.int64))
    for at in instants.tolist():
        shown = at + zone_offset_ms(tz, at)
        places = [each for each in found if each.start_ms <= shown < each.end_ms]
        assert any(
            shown - offset == at for each in places for offset in (each.offset_ms, each.second_offset_ms) if offset is not None
        )


def test_the_offset_is_that_of_the_zone():
    at = int(datetime(2019, 7, 1, tzinfo=UTC).timestamp() * 1000)
    assert zone_offset_ms(ZoneInfo("Europe/Berlin"), at) == 2 * HOUR
    assert zone_offset_ms(ZoneInfo("Europe/Berlin"), -(2**61)) == zone_offset_ms(ZoneInfo("Europe/Berlin"), -(2**62))


@pytest.mark.parametrize(
    ("minutes", "second"),
    [
        ([0, 10, 20, 30, 40, 50, 0, 10, 20], [False] * 6 + [True] * 3),  # the clock jumps back
        ([0, 0], [False, True]),  # hourly: the second row is the second pass
        ([0, 10, 5, 20, 30], [False] * 5),  # a late row is no change of clocks
        ([0, 0, 10, 10, 20, 20], [False] * 6),  # doubled rows are none either
        ([30], [False]),
        ([], []),
    ],
)
def test_the_second_pass_begins_where_the_clock_jumps_back(minutes, second):
    assert is_second_pass_of_doubled_hour(np.array(minutes, np.int64) * 60_000, HOUR).tolist() == second


def test_a_segment_with_one_offset_is_shifted():
    assert to_utc(np.array([HOUR], np.int64), Segment(0, 2 * HOUR, HOUR)).tolist() == [0]


def test_the_hour_that_occurs_twice_is_one_segment_whose_rows_are_two_hours():
    begin = int(datetime(2019, 10, 27, tzinfo=UTC).timestamp() * 1000)
    (doubled,) = [
        each for each in segments(ZoneInfo("Europe/Berlin"), begin, begin + 2 * HOUR) if each.second_offset_ms is not None
    ]
    assert doubled == Segment(begin + 2 * HOUR, begin + 3 * HOUR, 2 * HOUR, HOUR)
    shown = np.array([doubled.start_ms, doubled.start_ms + HOUR // 2] * 2, np.int64)
    assert (to_utc(shown, doubled) - begin).tolist() == [0, HOUR // 2, HOUR, 3 * HOUR // 2]
