from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.ingest.file_clock import FileClock
from data.ingest.file_observations import StationColumn
from data.time.zones import zone_of

NEW_YORK = ZoneInfo("America/New_York")


def wall(*times: str) -> np.ndarray:
    return np.array(times, "datetime64[ms]").astype(np.int64)


def stations_of(names: list[str]) -> StationColumn:
    return StationColumn.of(names, np.arange(len(names)))


def utc(clock: FileClock, times: np.ndarray, stations: list[str] | None = None) -> list[str | None]:
    ms, exists = clock.to_utc(times, stations_of(stations or ["A"] * len(times)))
    return [str(np.datetime64(int(t), "ms"))[:16] if ok else None for t, ok in zip(ms, exists, strict=True)]


@pytest.mark.parametrize(
    ("name", "offset_min"),
    [("UTC", 0), ("-05:00", -300), ("+7", 420), ("UTC+7", 420), ("GMT-4", -240), ("+05:45", 345), ("Asia/Jakarta", 420)],
)
def test_zones_by_name_and_by_offset(name, offset_min):
    assert datetime(2020, 1, 1, tzinfo=zone_of(name)).utcoffset() == timedelta(minutes=offset_min)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "-99:00", "7"])
def test_what_is_no_zone_says_what_was_expected(name):
    with pytest.raises(ValueError, match="IANA|offset"):
        zone_of(name)


def test_a_doubled_hour_is_told_by_order_per_station():
    times = wall("2013-11-03T00:30", "2013-11-03T01:30", "2013-11-03T01:30", "2013-11-03T01:30", "2013-11-03T02:30")
    stations = ["A", "A", "A", "B", "A"]
    expected = ["2013-11-03T04:30", "2013-11-03T05:30", "2013-11-03T06:30", "2013-11-03T05:30", "2013-11-03T07:30"]
    assert utc(FileClock(NEW_YORK), times, stations) == expected


def test_a_doubled_hour_is_told_over_the_border_of_chunks():
    clock = FileClock(NEW_YORK)
    assert utc(clock, wall("2013-11-03T01:10", "2013-11-03T01:50")) == ["2013-11-03T05:10", "2013-11-03T05:50"]
    assert utc(clock, wall("2013-11-03T01:10", "2013-11-03T02:00")) == ["2013-11-03T06:10", "2013-11-03T07:00"]


def test_rows_newest_first_go_through_a_doubled_hour_backwards():
    assert utc(FileClock(NEW_YORK), wall("2013-11-03T02:00", "2013-11-03T01:00")) == ["2013-11-03T07:00", "2013-11-03T06:00"]
    times = [f"2013-11-03T{clock}" for clock in ("02:00", "01:30", "01:00", "01:30", "01:00", "00:30")]
    expected = [f"2013-11-03T{clock}" for clock in ("07:00", "06:30", "06:00", "05:30", "05:00", "04:30")]
    assert utc(FileClock(NEW_YORK), wall(*times)) == expected
    assert utc(FileClock(NEW_YORK), wall(*times[::-1])) == expected[::-1]
    clock = FileClock(NEW_YORK)  # over the border of chunks
    assert utc(clock, wall(*times[:3])) + utc(clock, wall(*times[3:])) == expected


@pytest.mark.parametrize(
    ("clocks", "guessed"),
    [
        (["01:00", "01:30", "02:00"], 2),
        (["00:30", "01:00", "01:30"], 0),
        # the second time round tells what the first was
        (["01:00", "01:30", "01:00", "01:30", "02:00"], 0),
        (["01:00", "01:30"], 2),
    ],
)
def test_rows_of_a_doubled_hour_that_nothing_before_tells_apart_are_counted(clocks, guessed):
    clock = FileClock(NEW_YORK)
    utc(clock, wall(*(f"2013-11-03T{each}" for each in clocks)))
    assert clock.guessed.total() == guessed


def test_an_hour_that_does_not_exist_gives_no_time():
    assert utc(FileClock(NEW_YORK), wall("2013-03-10T01:59", "2013-03-10T02:30")) == ["2013-03-10T06:59", None]


@given(st.lists(st.datetimes(datetime(1990, 1, 1), datetime(2035, 1, 1)), min_size=1, max_size=50))  # noqa: DTZ001
def test_times_that_occur_once_agree_with_the_standard_library(moments):
    sorted_utc = sorted({moment.replace(second=0, microsecond=0, tzinfo=UTC) for moment in moments})
    local = [moment.astimezone(NEW_YORK) for moment in sorted_utc]
    once = [moment for moment in local if moment.replace(fold=0).utcoffset() == moment.replace(fold=1).utcoffset()]
    if once:
        ms, exists = FileClock(NEW_YORK).to_utc(
            wall(*(moment.replace(tzinfo=None).isoformat() for moment in once)), stations_of(["A"] * len(once))
        )
        assert exists.all()
        assert ms.tolist() == [round(moment.timestamp() * 1000) for moment in once]
