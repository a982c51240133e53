"""Range presets: wall-clock days backwards from the newest observation."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callbacks.presets import bounds, preset_range, wall_clock, wall_clock_or
from data.inventory import StationInventory
from data.request import parse_time

JAKARTA = "Asia/Jakarta"


def ms(text: str, zone: str = JAKARTA) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def station(name: str, first: int | None, last: int | None) -> StationInventory:
    return StationInventory(name, ("temperature",), first, last, 1, 60_000, synthetic=False)


FIRST, LAST = ms("2016-02-29 10:20:30"), ms("2020-02-29 10:20:30")


@pytest.mark.parametrize(
    ("preset", "start"),
    [
        ("24h", "2020-02-28 10:21"),
        ("7d", "2020-02-22 10:21"),
        ("30d", "2020-01-30 10:21"),
        ("1y", "2019-02-28 10:21"),  # there is no 29 February 2019
        ("ytd", "2020-01-01 00:00"),
        ("all", "2016-02-29 10:20"),
    ],
)
def test_a_preset_ends_just_after_the_newest_observation(preset, start):
    assert preset_range(preset, FIRST, LAST, JAKARTA) == (ms(start), ms("2020-02-29 10:21"))


def test_the_year_of_year_to_date_is_the_newest_observations():
    last_minute = ms("2019-12-31 23:59:30")
    start, end = preset_range("ytd", FIRST, last_minute, JAKARTA)
    assert (start, end) == (ms("2019-01-01 00:00"), ms("2020-01-01 00:00"))


def test_a_day_with_a_clock_change_is_one_day():
    zone = "Europe/Berlin"
    last = ms("2019-03-31 11:59:30", zone)
    assert preset_range("24h", 0, last, zone) == (ms("2019-03-30 12:00", zone), ms("2019-03-31 12:00", zone))


def test_bounds_are_those_of_the_named_stations_or_of_all():
    stations = [station("a", 10, 20), station("b", 5, 15), station("empty", None, None)]
    assert bounds(stations, ["a"]) == (10, 20)
    assert bounds(stations, []) == (5, 20)
    assert bounds(stations, ["empty"]) is None


@pytest.mark.parametrize("zone", [JAKARTA, "Europe/Berlin", "Asia/Kathmandu"])
@given(time_ms=st.integers(min_value=-(10**12), max_value=4 * 10**12))
def test_what_the_form_writes_means_the_same_time(zone, time_ms):
    assert parse_time(wall_clock(time_ms, zone), zone, field="start") == time_ms


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2019-03-31", "2019-03-31 00:00"),
        ("2019-03-31T14:30", "2019-03-31 14:30"),
        ("2019-03-31T14:30:00Z", "2019-03-31 21:30"),  # + 7 h
        ("nonsense", "nonsense"),
        (None, ""),
    ],
)
def test_times_of_a_link_are_shown_as_wall_clock(text, shown):
    assert wall_clock_or(text, JAKARTA) == shown
