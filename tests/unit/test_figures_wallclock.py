"""The wall-clock axis: linear, with an exact inverse, and honest about clock changes."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from figures.wallclock import WallClock, offset_ms, offsets_ms

ZONES = ("Asia/Jakarta", "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia")
TIMES = st.integers(min_value=-2_000_000_000_000, max_value=4_000_000_000_000)


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@given(st.sampled_from(ZONES), TIMES, st.integers(1, 400 * 86_400_000), st.integers(-86_400_000, 86_400_000 * 400))
def test_an_axis_time_returns_to_the_very_millisecond(zone: str, start: int, length: int, offset: int) -> None:
    clock = WallClock(start, start + length, zone)
    time = start + offset
    on_axis = float(clock.to_axis(np.array([time], dtype=np.float64))[0])
    assert on_axis - clock.offset_ms == time


@given(st.sampled_from(ZONES), st.lists(TIMES, min_size=1, max_size=30))
def test_offsets_of_many_times_are_those_of_each(zone: str, times: list[int]) -> None:
    found = offsets_ms(np.array(times, dtype=np.float64), zone)
    assert found.tolist() == [offset_ms(time, zone) for time in times]


@given(st.sampled_from(ZONES), TIMES)
def test_the_axis_shows_the_clock_of_the_zone_at_the_windows_start(zone: str, start: int) -> None:
    shown = WallClock(start, start + 1000, zone).to_axis(np.array([start], dtype=np.float64))[0]
    wall = (datetime(1970, 1, 1, tzinfo=UTC) + np.timedelta64(start, "ms").astype("timedelta64[us]").item()).astimezone(
        ZoneInfo(zone)
    )
    assert round(shown) == round((wall.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)


@pytest.mark.parametrize(
    ("start", "end", "zone", "changes"),
    [
        # 02:00 CET became 03:00 CEST
        ("2019-03-31T00:59:59", "2019-03-31T01:00:01", "Europe/Berlin", True),
        # the end is not in the window
        ("2019-03-31T00:59:59", "2019-03-31T01:00:00", "Europe/Berlin", False),
        ("2019-03-31T01:00:00", "2019-06-01T00:00:00", "Europe/Berlin", False),
        ("2019-01-01T00:00:00", "2029-01-01T00:00:00", "Asia/Jakarta", False),
    ],
)
def test_a_window_knows_whether_its_clocks_change(start: str, end: str, zone: str, changes: bool) -> None:
    assert WallClock(ms(start), ms(end), zone).changes is changes


def test_a_window_with_a_clock_change_keeps_its_starting_offset() -> None:
    clock = WallClock(ms("2019-03-30T00:00:00"), ms("2019-04-02T00:00:00"), "Europe/Berlin")
    after = ms("2019-04-01T00:00:00")  # 02:00 CEST, but 01:00 CET throughout
    assert clock.to_axis(np.array([after], dtype=np.float64))[0] - after == 3_600_000
    assert clock.name == "CET"


def test_buckets_of_a_day_begin_at_midnight_on_both_sides_of_a_clock_change() -> None:
    clock = WallClock(ms("2019-03-30T23:00:00"), ms("2019-04-02T22:00:00"), "Europe/Berlin")
    midnights = np.array([ms("2019-03-30T23:00:00"), ms("2019-03-31T22:00:00"), ms("2019-04-01T22:00:00")], dtype=np.float64)
    assert not np.any(clock.bucket_to_axis(midnights) % 86_400_000)
