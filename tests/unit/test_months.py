"""UTC months as integers."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.time.months import iso_utc, month_bounds_ms, month_name, month_of, months_between, months_of, parse_month

ANY_MS = st.integers(-62_135_596_800_000, 253_402_300_799_999)


def ms(*date: int) -> int:
    return round(datetime(*date, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("time_ms", "name"),
    [(0, "1970-01"), (-1, "1969-12"), (ms(2020, 2, 29, 23, 59, 59), "2020-02"), (ms(2039, 1, 1), "2039-01")],
)
def test_a_month_is_the_one_that_holds_the_time(time_ms: int, name: str) -> None:
    assert month_name(month_of(time_ms)) == name


@given(ANY_MS)
def test_every_time_lies_within_the_bounds_of_its_month(time_ms: int) -> None:
    start, end = month_bounds_ms(month_of(time_ms))
    assert start <= time_ms < end


@given(st.lists(ANY_MS, min_size=1))
def test_many_times_get_the_same_months_as_one_by_one(times: list[int]) -> None:
    assert months_of(np.array(times, dtype=np.int64)).tolist() == [month_of(time) for time in times]


def test_the_end_of_a_range_is_exclusive() -> None:
    months = months_between(ms(2019, 1, 31), ms(2019, 3, 1))
    assert [month_name(month) for month in months] == ["2019-01", "2019-02"]
    assert list(months_between(5, 5)) == []


@given(st.integers(1 * 12, 9999 * 12 + 11))
def test_a_month_s_name_reads_back(month: int) -> None:
    assert parse_month(month_name(month)) == month


@given(ANY_MS)
def test_iso_text_reads_back_to_the_same_millisecond(time_ms: int) -> None:
    since = datetime.fromisoformat(iso_utc(time_ms)) - datetime(1970, 1, 1, tzinfo=UTC)
    assert since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000 == time_ms
