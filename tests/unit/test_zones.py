"""The offsets of zones agree with zoneinfo at every instant,
and at both readings of a clock's time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, strategies

from data.time.zones import ZoneOffsets, changes, zone_offset_ms

HOUR, DAY = 3_600_000, 86_400_000
ZONES = [
    "Asia/Jakarta", "Europe/Brussels", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia",
    "Asia/Gaza", "America/Boa_Vista", "Africa/Freetown", "Africa/Monrovia", "Antarctica/Troll", "UTC",
]  # fmt: skip
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MS = timedelta(milliseconds=1)


def ms(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    return (datetime(year, month, day, hour, minute, tzinfo=UTC) - EPOCH) // MS


@given(
    zone=strategies.sampled_from(ZONES),
    at=strategies.integers(ms(1900, 1, 1), ms(2100, 1, 1)),
    span=strategies.integers(0, 900 * DAY),
)
def test_the_offset_of_every_instant_of_a_span_is_zoneinfos(zone, at, span):
    times = np.unique(np.linspace(at, at + span, 40).astype(np.int64))
    expected = [zone_offset_ms(ZoneInfo(zone), time) for time in times.tolist()]
    assert ZoneOffsets(ZoneInfo(zone), at, at + span).at(times).tolist() == expected


@given(zone=strategies.sampled_from(ZONES), which=strategies.integers(0, 500), off=strategies.integers(-26 * 60, 26 * 60))
def test_both_readings_of_a_clock_are_those_of_zoneinfos_fold(zone, which, off):
    tz = ZoneInfo(zone)
    found = changes(tz, ms(1900, 1, 1), ms(2100, 1, 1))
    near = found[which % len(found)].at_ms if found else ms(2000, 1, 1)
    wall = near + off * 60_000 + zone_offset_ms(tz, near)
    naive = EPOCH.replace(tzinfo=None) + wall * MS
    expected = [wall - (naive.replace(tzinfo=tz, fold=fold).utcoffset() or timedelta()) // MS for fold in (0, 1)]
    first, second = ZoneOffsets(tz, near - DAY, near + DAY).passes(np.array([wall]))
    assert [first.item(), second.item()] == expected


@pytest.mark.parametrize(
    ("zone", "start", "number"),
    [
        ("America/Boa_Vista", (2000, 10, 7), 2),  # summer time that was taken back after a week
        ("Asia/Gaza", (2040, 10, 18), 2),  # before and after Ramadan, 6.96 days apart
        ("Africa/Freetown", (1939, 8, 31), 2),  # 3.98 days: the closest of all
        ("Asia/Jakarta", (2000, 1, 1), 0),
    ],
)
def test_changes_that_are_close_together_are_all_found(zone, start, number):
    begin = ms(*start)
    assert len(changes(ZoneInfo(zone), begin, begin + 14 * DAY)) == number


def test_a_time_that_clocks_skip_is_the_change_and_one_they_show_twice_is_the_first():
    offsets = ZoneOffsets(ZoneInfo("Europe/Brussels"), ms(2024, 1, 1), ms(2024, 12, 31))
    walls = np.array([ms(2024, 3, 31, 2, 30), ms(2024, 10, 27, 2, 30)])
    assert offsets.to_utc(walls).tolist() == [ms(2024, 3, 31, 1), ms(2024, 10, 27, 0, 30)]


def test_a_fixed_offset_is_a_zone_that_never_changes():
    offsets = ZoneOffsets(timezone(timedelta(hours=7)), 0, DAY)
    assert offsets.to_wall(np.array([0, DAY])).tolist() == [7 * HOUR, DAY + 7 * HOUR]
    assert changes(timezone(timedelta(hours=7)), 0, DAY) == []
