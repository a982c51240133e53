"""HistoryRequest: validated, immutable, equal when it asks for the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.request import HistoryRequest, parse_time, request_of
from data.time.epoch import EARLIEST_MS, LATEST_MS
from data.time.months import iso_utc
from data.time.resolution import RESOLUTIONS
from errors import InvalidRequest

names = st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=4)


@given(names, names, st.integers(-(10**12), 10**12), st.integers(1, 10**11), st.sampled_from(RESOLUTIONS))
def test_a_request_survives_json(stations: list[str], sensors: list[str], start: int, length: int, resolution: str) -> None:
    request = HistoryRequest(tuple(stations), tuple(sensors), start, start + length, resolution, "Asia/Jakarta")  # type: ignore[arg-type]
    assert HistoryRequest.from_json(request.to_json()) == request


def test_order_and_repetition_of_names_make_no_other_request() -> None:
    one = HistoryRequest(("b", "a", "b"), ("y", "x"), 0, 1)
    other = HistoryRequest(("a", "b"), ("x", "y", "x"), 0, 1)
    assert one == other
    assert hash(one) == hash(other)
    assert one.to_json() == other.to_json()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"stations": []}, "stations"),
        ({"sensors": []}, "sensors"),
        ({"start": "yesterday"}, "start"),
        ({"end": ""}, "end"),
        ({"end": "0000-01-01"}, "end"),
        ({"start": "2020-01-02", "end": "2020-01-01"}, "end"),
        ({"start": "2020-01-01", "end": "2020-01-01"}, "end"),
        ({"resolution": "2h"}, "resolution"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../etc/passwd"}, "timezone"),
    ],
)
def test_a_wrong_request_names_the_field_that_is_wrong(change: dict[str, object], field: str) -> None:
    asked: dict[str, object] = {
        "stations": ["a"],
        "sensors": ["x"],
        "start": "2020-01-01",
        "end": "2020-02-01",
        "resolution": "raw",
        "timezone": "UTC",
    }
    with pytest.raises(InvalidRequest) as caught:
        request_of(**{**asked, **change})  # type: ignore[arg-type]
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("text", "timezone", "utc"),
    [
        ("2019-03-01", "Asia/Jakarta", "2019-02-28T17:00:00Z"),
        ("2019-03-01T12:30", "UTC", "2019-03-01T12:30:00Z"),
        ("2019-03-01 12:30:00+02:00", "Asia/Jakarta", "2019-03-01T10:30:00Z"),
        # the doubled hour means its first
        ("2013-11-03 01:30", "America/New_York", "2013-11-03T05:30:00Z"),
        ("1960-01-01", "UTC", "1960-01-01T00:00:00Z"),
        ("2039-06-30T23:59:59.250", "UTC", "2039-06-30T23:59:59.250Z"),
    ],
)
def test_a_time_without_offset_is_wall_clock_of_the_zone(text: str, timezone: str, utc: str) -> None:
    assert iso_utc(parse_time(text, timezone, field="start")) == utc


def test_what_is_a_request_can_be_told_to_the_last_moment_of_the_calendar() -> None:
    widest = HistoryRequest(("a",), ("x",), EARLIEST_MS, LATEST_MS)
    assert "0001-01-01T00:00:00Z..9999-12-31T23:59:59.999Z" in widest.describe()
    for start, end in ((EARLIEST_MS - 1, LATEST_MS), (EARLIEST_MS, LATEST_MS + 1)):
        with pytest.raises(InvalidRequest, match="between 1 and 9999"):
            HistoryRequest(("a",), ("x",), start, end)
