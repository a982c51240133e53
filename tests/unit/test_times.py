# ruff: noqa: E501 - a case is one line
from __future__ import annotations

import warnings

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from data.cells.times import TimeKeys

T0 = 1_577_836_800_000  # 2020-01-01T00:00Z
DAY = 86_400_000


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def read(*columns, decimal=".", **keys):
    return TimeKeys(**keys).reader(decimal).read([pa.array(column) for column in columns])


def shown(found):
    """Each time as text to the minute or, where it has some, the second;
    None where there is none.
    """
    texts = [str(time) for time in found.ms.astype("datetime64[ms]").astype("datetime64[s]")]
    return [text.removesuffix(":00") if there else None for text, there in zip(texts, found.present, strict=True)]


@pytest.mark.parametrize(
    ("cells", "ms", "utc"),
    [
        (["2020-01-01", "2020-01-01 00:01"], [T0, T0 + 60_000], [False, False]),
        (["2020-01-01T00:00:00Z", "2020-01-01T07:00:00+07:00"], [T0, T0], [True, True]),
        # mixed in one file
        (["2020-01-01T00:00:00Z", "2020-01-01 00:00:00"], [T0, T0], [True, False]),
        (["2020-01-01 07:00:00.000 +07:00", "2020-01-01 00:00 Z"], [T0, T0], [True, True]),
        (["2020-01-01 00:00:00.1239"], [T0 + 123], [False]),
        (["2020-01-01T00:00:00.123456789Z", "2020-01-01T00:00:01Z"], [T0 + 123, T0 + 1000], [True, True]),
        (["1969-12-31T23:59:59.9999Z"], [-1], [True]),  # rounded down, also before 1970
    ],
)
def test_iso_times_with_and_without_offset(cells, ms, utc):
    found = read(cells)
    assert (found.ms.tolist(), found.utc.tolist(), found.present.all()) == (ms, utc, True)


def test_a_count_of_milliseconds_is_no_iso_time():
    # datetime.fromisoformat takes the digit after 16101216 for the sign between date and time
    assert read(["1610121610123", "202001011000", "2020-01-01"]).unreadable.tolist() == [0, 1]


def test_an_empty_time_is_no_time_and_a_wrong_one_is_named():
    assert read(["", "2020-01-01", None]).present.tolist() == [False, True, False]
    assert read(["", "2020"], time_format="%Y").present.tolist() == [False, True]
    for time_format in ("ISO8601", "%Y-%m-%d", "%Y-%m-%d%z"):
        found = read(["", "soon"], time_format=time_format)
        assert (found.unreadable.tolist(), found.present.tolist()) == ([1], [False, False])


def test_formats_and_joined_columns():
    assert read(["01/02/2020"], ["3:04"], time_format="%d/%m/%Y %H:%M").ms.tolist() == [1_580_526_240_000]
    assert read(["2020-01-01 07:00 +0700"], time_format="%Y-%m-%d %H:%M %z").ms.tolist() == [T0]


@pytest.mark.parametrize(
    ("time_format", "right", "wrong"),
    [
        ("%Y %j %H%M", {"2021 120 0030": "2021-04-30T00:30"}, ["2021 120 30", "2021 120 100", "2021 120 130"]),
        ("%Y%j%H%M", {"20211200030": "2021-04-30T00:30"}, ["2021120030", "202151200"]),
        # strptime: the tenth of January
        ("%d%m%Y", {"01012020": "2020-01-01T00:00"}, ["1012020", "112020"]),
        ("%y%m%d", {"070101": "2007-01-01T00:00"}, ["70101"]),  # strptime: October 1970
        ("%Y%m%d%H%M%S", {"20200101000000": "2020-01-01T00:00"}, ["2020010100000", "2020111000"]),
        ("%Y%m%d %H", {"20200101 3": "2020-01-01T03:00"}, ["202011 3"]),
        ("%Y %j", {"2020 366": "2020-12-31T00:00", "2021 1": "2021-01-01T00:00"}, ["2021 366", "2021 0"]),
        ("%d/%m/%Y", {"1/2/2020": "2020-02-01T00:00"}, ["1/2/20", "30/2/2020"]),
        ("%d/%m/%y", {"1/2/20": "2020-02-01T00:00"}, ["1/2/2020"]),
    ],
)
def test_digits_that_lack_zeros_are_read_rightly_or_not_at_all(time_format, right, wrong):
    found = read([*right, *wrong], time_format=time_format)
    assert shown(found) == [*right.values(), *[None] * len(wrong)]
    assert found.unreadable.tolist() == list(range(len(right), len(right) + len(wrong)))


def test_the_message_on_packed_digits_says_what_to_write():
    assert "time_parts" in TimeKeys(time_format="%Y %j %H%M").reader().expected


def test_the_message_on_hour_24_says_what_to_write():
    reader = TimeKeys(time_format="%Y-%m-%d %H:%M").reader()
    assert "hour24 = true" in reader.explain("2024-01-31 24:00")
    assert "hour24" not in reader.explain("2024-13-31 12:00")


@pytest.mark.parametrize(
    ("parts", "rows", "expected"),
    [
        (["year", "doy", "hhmm"], [("2021", "120", "30"), ("2021", "120", "100"), ("2021", "120", "2330")], ["30T00:30", "30T01:00", "30T23:30"]),
        (["year", "month", "day", "hour"], [(2021, 4, 30, 7), (2021, 4, 31, 7), (2021, 4, 30, 24)], ["30T07:00", None, None]),
        (["ddmmyyyy"], [("1042021",), ("30042021",), ("310042021",)], ["01T00:00", "30T00:00", None]),
        (["yymmdd", "hhmmss"], [("210430", "30"), ("210430", "10000"), ("210430", "6000")], ["30T00:00:30", "30T01:00", None]),
        (["yyyymmddhhmm"], [("202104300030",), ("20210430030",)], ["30T00:30", None]),
        (["date", "hhmm"], [("2021-04-30", "130"), ("30.04.2021", "130"), ("", "")], ["30T01:30", None, None]),
        (["year", "month", "day"], [("2021", "4", "30"), ("21", "4", "30"), ("0", "4", "30")], ["30T00:00", None, None]),
        (["yyyymmdd", "hhmm"], [("20210430", "5"), ("210430", "5"), ("20210430", "inf"), ("inf", "5")], ["30T00:05", None, None, None]),
        (["year", "doy", "hour", "minute"], [("2021", "120", "1", "60"), ("2021", "120", "1.5", "0"), ("", "", "", "")], [None, None, None]),
    ],
)  # fmt: skip
def test_parts_of_a_time_in_columns_of_their_own(parts, rows, expected):
    found = read(*zip(*rows, strict=True), time_parts=dict(zip(parts, parts, strict=True)))
    assert shown(found) == [text and f"2021-04-{text}" for text in expected]
    blank = [at for at, row in enumerate(rows) if not any(row)]
    assert found.unreadable.tolist() == [at for at, text in enumerate(expected) if text is None and at not in blank]


@pytest.mark.parametrize(
    ("keys", "columns"),
    [
        ({}, [["2024-01-31 24:00", "2024-01-31 24:01", "2024-01-31T24:00:00Z"]]),
        ({"time_format": "%d.%m.%Y %H:%M"}, [["31.01.2024 24:00", "31.01.2024 24:30", "31.1.2024 24:00"]]),
        ({"time_format": "%Y%m%d %H%M"}, [["20240131", "20240131", "20240131"], ["2400", "2401", "2400"]]),
        ({"time_parts": {"yyyymmdd": "d", "hhmm": "h"}}, [["20240131"] * 3, ["2400", "2401", "2400"]]),
        ({"time_parts": {"yyyymmdd": "d", "hour": "h", "minute": "m"}}, [[20240131] * 3, [24, 24, 24], [0, 1, 0]]),
    ],
)
def test_hour_24_is_the_midnight_that_ends_the_day_where_the_keys_say_so(keys, columns):
    assert shown(read(*columns, hour24=True, **keys)) == ["2024-02-01T00:00", None, "2024-02-01T00:00"]
    assert not read(*columns, **keys).present.any()


def test_words_of_zones_are_utc_gmt_or_as_the_keys_say():
    cells = ["2024-01-15 12:00 UTC", "2024-01-15 12:00 EST", "2024-07-15 12:00 EDT", "2024-07-15 12:00 gmt"]
    found = read(cells, time_format="%Y-%m-%d %H:%M %Z")
    assert (shown(found), found.unreadable.tolist()) == (["2024-01-15T12:00", None, None, "2024-07-15T12:00"], [1, 2])
    found = read(cells, time_format="%Y-%m-%d %H:%M %Z", zones={"EST": "-05:00", "EDT": "UTC-4"})
    assert shown(found) == ["2024-01-15T12:00", "2024-01-15T17:00", "2024-07-15T16:00", "2024-07-15T12:00"]
    assert found.utc.all()


def test_morning_and_afternoon_may_be_one_letter():
    cells = ["05/01/24 12:00a", "05/01/24 1:00p", "05/01/24 01:00 p.m.", "05/01/24 13:00p"]
    assert shown(read(cells[:2], time_format="%m/%d/%y %I:%M%p")) == ["2024-05-01T00:00", "2024-05-01T13:00"]
    assert shown(read(cells[2:], time_format="%m/%d/%y %I:%M %p")) == ["2024-05-01T13:00", None]


@pytest.mark.parametrize(
    ("unit", "cells", "ms"),
    [
        ("s", [T0 // 1000, None], T0),
        ("s", [T0 / 1000, None], T0),
        ("s", [f"{T0 // 1000}.25", ""], T0 + 250),
        ("ms", [str(T0), " "], T0),
        ("us", [T0 * 1000 + 999, None], T0),
        ("ns", [f"{T0 + 123}999999", ""], T0 + 123),  # a double would hold no such number
        ("ns", [-1, None], -1),
    ],
)
def test_numbers_since_1970(unit, cells, ms):
    found = read(cells, time_unit=unit)
    assert (found.ms.tolist()[0], found.utc.all(), found.present.tolist()) == (ms, True, [True, False])


def test_no_number_since_1970_is_hexadecimal():
    assert read(["0x66318000", "1714521600"], time_unit="s").unreadable.tolist() == [0]


@pytest.mark.parametrize("time_format", ["ISO8601", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S%z"])
def test_second_60_is_not_the_next_minutes(time_format):
    end = ".5" if "%f" in time_format else "+0000" if "%z" in time_format else ""
    cells = [f"2024-12-31 23:{clock}{end}" for clock in ("59:59", "59:60", "59:61", "00:00")]
    assert read(cells, time_format=time_format).unreadable.tolist() == [1, 2]
    assert read([f"2060-01-01 23:59:00{end}"], time_format=time_format).present.all()


def test_days_of_a_spreadsheet_are_local_and_told_to_the_second():
    found = read(["45413,00", "45413,25", "45413,00694", "60,5", "1.5"], decimal=",", time_unit="excel_day")
    assert shown(found) == ["2024-05-01T00:00", "2024-05-01T06:00", "2024-05-01T00:10", None, None]
    assert (found.utc.any(), found.unreadable.tolist()) == (False, [3, 4])


@pytest.mark.parametrize("kind", [pa.timestamp("ns"), pa.timestamp("us", "Asia/Jakarta"), pa.date32(), pa.timestamp("s")])
def test_stored_timestamps(kind):
    stored = pa.array([T0, None], pa.timestamp("ms")).cast(pa.timestamp("us")).cast(kind)
    found = TimeKeys().reader().read([stored])
    assert (found.ms.tolist()[0], found.present.tolist()) == (T0, [True, False])
    assert bool(found.utc[0]) == (getattr(kind, "tz", None) is not None)


def test_stored_days_and_times_of_day_in_two_columns():
    days, times = pa.array([T0 // DAY], pa.int32()).cast(pa.date32()), pa.array([5400], pa.int32()).cast(pa.time32("s"))
    assert shown(TimeKeys().reader().read([days, times])) == ["2020-01-01T01:30"]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"time_format": "%d.%m. %H:%M"}, "without a year"),
        ({"time_format": "%Y-%m-%d %I:%M"}, "%I with %p, or %H"),
        ({"time_format": "%Y-%m-%d %H:%M %p"}, "%I in place of %H"),
        ({"time_format": "%Y %U"}, "weekday"),
        ({"time_format": "%Y %H:%M"}, "one is lacking"),
        ({"time_format": "%Y-%m-%d %M"}, "one is lacking"),
        ({"time_format": "%Q"}, "bad directive"),
        ({"time_format": "%d %d %Y"}, "each|redefinition"),
        ({"time_format": "%Y", "time_unit": "s"}, "leave out time_format"),
        ({"time_unit": "ns", "hour24": True}, "leave out"),
        ({"time_unit": "days"}, "excel_day"),
        ({"time_format": "%Y-%m-%d %I %p", "hour24": True}, "needs %H"),
        ({"zones": {"EST": "-05:00"}}, "expected %Z"),
        ({"time_format": "%c %Z", "zones": {"EST": "America/New_York"}}, "expected an offset"),
        ({"time_parts": {"year": "a"}}, "must give the day"),
        ({"time_parts": {"year": "a", "month": "b", "day": "c", "minute": "d"}}, "minute without hour"),
        ({"time_parts": {"yyyymmdd": "a", "year": "b"}}, "year twice"),
        ({"time_parts": {"date": "a", "doy": "b"}}, "must give the day"),
        ({"time_parts": {"yyyymmdd": "a"}, "time_format": "%Y"}, "which is lacking"),
        ({"time_parts": {"century": "a"}}, "time_parts"),
    ],
)
def test_keys_that_would_be_read_wrongly_are_refused_and_say_what_to_write(keys, message):
    with pytest.raises(ValidationError, match=message):
        TimeKeys(**keys)


def test_equal_keys_make_equal_readers():
    assert TimeKeys(hour24=True).reader() == TimeKeys(hour24=True).reader() != TimeKeys().reader()
    assert np.array_equal(read(["2020-01-01"]).ms, [T0])
