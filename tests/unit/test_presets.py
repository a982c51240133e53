"""Range presets: wall-clock days backwards from the newest observation."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callbacks.presets import bounds, preset_range, wall_clock, wall_clock_or
from data.inventory import Outlying, StationInventory
from data.request import parse_time, written_time
from errors import InvalidRequest

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
        ("month", "2020-02-01 00:00"),
        ("season", "2019-12-01 00:00"),  # the winter, which began the year before
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
        ("2019-03-31", "2019-03-31"),  # in To its end is meant
        ("last July", "last July"),
        ("2019-03-31T14:30", "2019-03-31 14:30"),
        ("2019-03-31T14:30:00Z", "2019-03-31 21:30"),  # + 7 h
        ("nonsense", "nonsense"),
        (None, ""),
    ],
)
def test_times_of_a_link_are_shown_as_wall_clock(text, shown):
    assert wall_clock_or(text, JAKARTA) == shown


def test_rows_of_2099_set_no_preset_unless_there_are_no_others():
    usual = (FIRST, LAST)
    astray = ms("2099-01-01 00:00")
    odd = StationInventory(
        "odd", (), FIRST, astray, 100, 60_000, synthetic=False, outlying=Outlying(1, ((astray, astray),), usual)
    )
    lost = StationInventory("lost", (), astray, astray, 1, None, synthetic=False, outlying=Outlying(1, ((astray,) * 2,), None))
    assert bounds([odd, lost], ()) == usual
    assert bounds([odd, lost], ["lost"]) == (astray, astray)


def test_a_station_of_one_row_far_from_all_others_does_not_set_the_sites_range():
    real = replace(station("real", FIRST, LAST), rows=1000)
    assert bounds([real, station("epoch", 0, 0)], ()) == (FIRST, LAST)
    assert bounds([real, station("epoch", 0, 0)], ["epoch"]) == (0, 0)


@pytest.mark.parametrize(("month", "start"), [(3, 3), (5, 3), (6, 6), (8, 6), (9, 9), (11, 9), (12, 12)])
def test_a_season_begins_in_december_march_june_or_september(month, start):
    assert preset_range("season", FIRST, ms(f"2019-{month:02d}-15 08:00"), JAKARTA)[0] == ms(f"2019-{start:02d}-01")


# -- what is written into From and To --------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2013-07-31", "2013-07-31", "2013-08-01"),  # To is inclusive when it is a date alone
        ("20130731", "2013-07-31", "2013-08-01"),
        ("2013-07-31 00:00", "2013-07-31", "2013-07-31"),
        ("2013-07-31T14:30+07:00", "2013-07-31 14:30", "2013-07-31 14:30"),
        ("31 Jul 2013", "2013-07-31", "2013-08-01"),
        ("31 Juli 2013 14.30", "2013-07-31 14:30", "2013-07-31 14:30"),
        ("2013-03", "2013-03-01", "2013-04-01"),
        ("2013", "2013-01-01", "2014-01-01"),
        ("Agustus lalu", "2019-08-01", "2019-09-01"),  # of the newest data
        ("last January", "2020-01-01", "2020-02-01"),
    ],
)
def test_from_is_the_first_moment_of_what_is_written_and_to_the_end_of_it(text, start, end):
    for field, moment in (("start", start), ("end", end)):
        assert written_time(text, JAKARTA, field=field, newest=lambda: LAST) == ms(moment)


def test_now_and_what_counts_back_from_it_are_understood():
    now = written_time("now", JAKARTA, field="end", newest=lambda: LAST)
    assert now - written_time("now-7d", JAKARTA, field="start", newest=lambda: LAST) == pytest.approx(7 * 86_400_000, abs=60_000)
    assert written_time("sekarang", JAKARTA, field="end", newest=lambda: LAST) >= now


@pytest.mark.parametrize("text", ["", "soon", "31 Feb 2013", "July 2013 14:30", "31 Jul 2013 24:00", "9999-12-31", "2013-13-01"])
@pytest.mark.parametrize("field", ["start", "end"])
def test_what_is_neither_a_time_nor_words_is_refused_with_what_one_may_write(text, field):
    if (text, field) == ("9999-12-31", "start"):
        return
    with pytest.raises(InvalidRequest, match=r"Cannot read “.*”\. Try 31 Jul 2013, 2013-07-31 or now-7d\.") as caught:
        written_time(text, JAKARTA, field=field, newest=lambda: LAST)
    assert caught.value.field == field
