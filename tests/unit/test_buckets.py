"""Buckets partition time, in every zone and year, and begin where a clock on the wall says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.request import parse_time
from data.time.buckets import BUCKETS, BY_NAME, Bucket, bucket_bounds, bucket_edges, nice_bucket
from errors import TooLarge
from tests.tiled import DAY, HOUR, MINUTE

ZONES = [
    "UTC",
    "Asia/Jakarta",
    "Asia/Kathmandu",  # +05:45
    "Europe/Berlin",
    "America/St_Johns",  # -03:30, and changes
    "Australia/Lord_Howe",  # changes by half an hour
    "Africa/Casablanca",  # changes around Ramadan
    "Pacific/Apia",  # left out a whole day in 2011
    "America/Sao_Paulo",  # changed at midnight
]


def wall(time_ms: int, zone: str) -> datetime:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


@settings(max_examples=150, deadline=None)
@given(
    bucket=st.sampled_from(BUCKETS),
    zone=st.sampled_from(ZONES),
    start=st.integers(parse_time("1890-01-01", "UTC", field="start"), parse_time("2080-01-01", "UTC", field="end")),
    buckets=st.floats(0.01, 40),
    day_start=st.sampled_from([0, 7 * 60, 9 * 60 + 30, 23 * 60 + 59]),
)
def test_buckets_partition_time(bucket: Bucket, zone: str, start: int, buckets: float, day_start: int) -> None:
    end = start + max(1, int(min(bucket.usual_ms * buckets, 40 * 365 * DAY)))

    edges = bucket_edges(bucket, start, end, zone, day_start)

    assert (np.diff(edges) > 0).all()
    assert edges[0] <= start < edges[1]
    assert edges[-2] < end <= edges[-1]
    # Any part of the range has the same edges: a bucket does not depend on what was asked.
    middle = (start + end) // 2
    part = bucket_edges(bucket, middle, end, zone, day_start)
    assert part.tolist() == edges[edges.searchsorted(part[0]) :].tolist()


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("name", "step_min"), [("10min", 10), ("1h", 60)])
def test_short_buckets_begin_at_round_wall_clock_times_or_where_the_clock_changes(zone: str, name: str, step_min: int) -> None:
    start = parse_time("2018-01-01", "UTC", field="start")

    edges = bucket_edges(BY_NAME[name], start, start + 370 * DAY, zone)

    odd = [edge for edge in edges.tolist() if (wall(edge, zone).hour * 60 + wall(edge, zone).minute) % step_min]
    assert np.diff(edges).max() <= step_min * MINUTE
    assert all(wall(edge, zone).minute == 30 for edge in odd)
    assert len(odd) <= 2


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        ("2019-03-31", "Europe/Berlin", 23),
        ("2019-10-27", "Europe/Berlin", 25),
        ("2020-02-29", "Europe/Berlin", 24),
        ("1968-02-29", "Asia/Jakarta", 24),
        ("2019-04-07", "Australia/Lord_Howe", 24.5),
        ("2018-11-04", "America/Sao_Paulo", 23),  # begins at 01:00, since midnight never was
    ],
)
def test_a_day_is_as_long_as_the_clock_makes_it(day: str, zone: str, hours: float) -> None:
    noon = parse_time(f"{day} 12:00", zone, field="start")

    edges = bucket_edges(BY_NAME["1d"], noon, noon + 1, zone)

    assert np.diff(edges).tolist() == [hours * HOUR]
    assert wall(int(edges[0]), zone).date().isoformat() == day


def test_a_day_may_begin_in_the_morning_as_rain_days_do() -> None:
    eight = parse_time("2019-03-31 08:00", "Europe/Berlin", field="start")

    edges = bucket_edges(BY_NAME["1d"], eight, eight + 2 * HOUR, "Europe/Berlin", 9 * 60)

    assert [wall(edge, "Europe/Berlin").isoformat() for edge in edges.tolist()] == [
        "2019-03-30T09:00:00",
        "2019-03-31T09:00:00",
        "2019-04-01T09:00:00",
    ]


def test_months_and_years_begin_at_local_midnight() -> None:
    start, end = parse_time("1899-12-15", "UTC", field="start"), parse_time("1904-03-15", "UTC", field="end")

    months = bucket_edges(BY_NAME["1mo"], start, end, "Asia/Jakarta")
    years = bucket_edges(BY_NAME["1y"], start, end, "Asia/Jakarta")

    assert {(wall(edge, "Asia/Jakarta").day, wall(edge, "Asia/Jakarta").hour) for edge in months.tolist()} == {(1, 0)}
    assert [wall(edge, "Asia/Jakarta").year for edge in years.tolist()] == list(range(1899, 1906))


def test_weeks_begin_on_mondays() -> None:
    edges = bucket_edges(BY_NAME["7d"], 0, 30 * DAY, "Asia/Jakarta")

    assert {wall(edge, "Asia/Jakarta").weekday() for edge in edges.tolist()} == {0}


@pytest.mark.parametrize(
    ("span", "most", "least", "name"),
    [
        (DAY, 400, None, "5min"),
        (365 * DAY, 400, None, "1d"),
        (DAY, 400, "1h", "1h"),
        (10 * 365 * DAY, 400, "1h", "14d"),
        (1, 9, None, "1s"),
    ],
)
def test_the_nice_bucket_is_the_shortest_that_fits(span: int, most: int, least: str | None, name: str) -> None:
    assert nice_bucket(span, most, BY_NAME[least] if least else None).name == name


@pytest.mark.parametrize(
    ("days", "width_px", "name"),
    [
        (365, 876, "1d"),  # 876 / 365 = 2.4 px: days, though 3 px would ask for two of them
        (365, 729, "2d"),  # 1.99 px
        (30, 876, "3h"),  # 240 bars of 3.65 px: what is shorter and wide enough stays
        (30, 1500, "1h"),  # 720 bars of 2.08 px
        (3650, 876, "14d"),  # 120 months would fit, but weeks are finer
    ],
)
def test_single_units_may_be_narrower_than_multiples(days: int, width_px: int, name: str) -> None:
    assert nice_bucket(days * DAY, width_px // 3, None, width_px // 2).name == name


def test_a_coarser_bucket_is_made_of_whole_ones_of_the_resolution() -> None:
    """Three of ten minutes are half an hour; a quarter of an hour would cut the second in two."""
    for least in ("10min", "1h", "1d"):
        for span in range(1, 3000):
            bucket = nice_bucket(span * HOUR, 300, BY_NAME[least], 450)
            assert bucket.unit == "month" or bucket.count % BY_NAME[least].count == 0
    assert nice_bucket(75 * HOUR, 300, BY_NAME["10min"], 450).name == "30min"


@pytest.mark.parametrize("bucket", ["1min", "1h", "1d", "1mo", "5y"])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Jakarta", "Europe/Berlin"])
def test_bounds_are_the_outermost_edges(bucket: str, zone: str) -> None:
    random = np.random.default_rng(3)
    for start, length in zip(random.integers(0, 1_600_000_000_000, 20), random.integers(1, 3 * DAY, 20), strict=True):
        span = int(start), int(start + length)
        edges = bucket_edges(BY_NAME[bucket], *span, zone, 420)
        assert bucket_bounds(BY_NAME[bucket], *span, zone, 420) == (edges[0], edges[-1])


def test_no_more_buckets_are_made_at_once_than_memory_is_for() -> None:
    century = 36_525 * DAY
    assert bucket_bounds(BY_NAME["1min"], -century, century, "UTC") == (-century, century)
    with pytest.raises(TooLarge, match="2,000,000 steps of 1min"):
        bucket_edges(BY_NAME["1min"], -century, century, "UTC")
