"""Periods of reports: what their names mean, on the clock of a zone."""

from __future__ import annotations

import pytest

from data.request import parse_time
from data.time.months import iso_utc
from errors import InvalidRequest
from i18n import set_language
from reports.definition import read_definition
from reports.period import due_ms, last_complete, read_period


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2024-05", "2024-04-30T17:00:00Z", "2024-05-31T17:00:00Z"),
        ("2024-12", "2024-11-30T17:00:00Z", "2024-12-31T17:00:00Z"),
        ("2024", "2023-12-31T17:00:00Z", "2024-12-31T17:00:00Z"),
        ("2024-Q4", "2024-09-30T17:00:00Z", "2024-12-31T17:00:00Z"),
        ("2024-W01", "2023-12-31T17:00:00Z", "2024-01-07T17:00:00Z"),
        (" 2024-05-01..2024-06-15 ", "2024-04-30T17:00:00Z", "2024-06-14T17:00:00Z"),
    ],
)
def test_a_period_is_a_span_of_the_zones_clock(text, start, end):
    assert [iso_utc(each) for each in read_period(text, "Asia/Jakarta").span] == [start, end]


def test_a_month_in_which_clocks_change_is_an_hour_shorter():
    start, end = read_period("2024-03", "America/New_York").span
    assert end - start == (31 * 24 - 1) * 3_600_000


@pytest.mark.parametrize("text", ["0001", "0001-01", "0001-Q1", "0001-W01", "9999-W52"])
def test_a_period_that_begins_or_ends_beyond_the_calendar_of_utc_is_refused(text):
    with pytest.raises(InvalidRequest, match="is not a period"):
        read_period(text, "Asia/Jakarta")


def test_no_year_is_compared_that_would_begin_before_the_calendar():
    assert read_period("0002-01", "Asia/Jakarta").years_before(1) is None


def test_a_period_within_the_hour_that_a_clock_shows_twice_goes_by_the_moments():
    found = read_period("2024-11-03T05:30:00Z..2024-11-03T06:10:00Z", "America/New_York")  # 1:30 EDT to 1:10 EST
    assert [iso_utc(each) for each in found.span] == ["2024-11-03T05:30:00Z", "2024-11-03T06:10:00Z"]
    assert found.years_before(1) is None  # that hour was another Sunday's
    with pytest.raises(InvalidRequest):
        read_period("2024-11-03T06:10:00Z..2024-11-03T05:30:00Z", "America/New_York")


@pytest.mark.parametrize(
    "text", ["", "2024-13", "2024-Q5", "2024-W54", "24-05", "2024-5", "may", "2024-06-15..2024-05-01", "..", "٢٠٢٤", "9999-12"]
)
def test_what_is_no_period_is_refused_and_shows_how_one_is_written(text):
    with pytest.raises(InvalidRequest) as refused:
        read_period(text, "UTC")
    assert refused.value.field in ("period", "start", "end")


def test_the_same_dates_of_an_earlier_year_and_the_28th_where_there_was_no_29th():
    leap = read_period("2024-02-29..2024-03-02", "UTC")
    assert [iso_utc(each) for each in leap.years_before(1)] == ["2023-02-28T00:00:00Z", "2023-03-02T00:00:00Z"]
    assert leap.years_before(4000) is None


@pytest.mark.parametrize(
    ("every", "now", "period", "next_due"),
    [
        ("month", "2024-06-01 01:59", "2024-04", "2024-06-01 02:00"),
        ("month", "2024-06-01 02:00", "2024-05", "2024-07-01 02:00"),
        ("month", "2024-01-10", "2023-12", "2024-02-01 02:00"),
        ("week", "2024-01-08 03:00", "2024-W01", "2024-01-15 02:00"),
        ("week", "2024-01-08 01:00", "2023-W52", "2024-01-08 02:00"),
    ],
)
def test_the_latest_whole_period_is_told_two_hours_after_its_end(every, now, period, next_due):
    zone = "Asia/Jakarta"
    found = last_complete(every, parse_time(now, zone, field="now"), zone)
    assert (found.name, due_ms(every, found)) == (period, parse_time(next_due, zone, field="due"))


def test_periods_have_names_in_words():
    set_language("id")
    try:
        titles = [read_period(text, "UTC").title for text in ("2024-05", "2024-Q2", "2024-W23", "2024")]
    finally:
        set_language("en")
    assert titles == ["Mei 2024", "Triwulan 2 2024", "Minggu 23 2024", "2024"]


def test_a_definition_without_a_zone_is_of_the_zone_of_its_stations(tmp_path):
    file = tmp_path / "valley.toml"
    file.write_text('stations = ["JFK"]\nsensors = ["temperature"]\n', encoding="utf-8")
    zones = {("JFK",): "America/New_York"}
    assert read_definition(file, lambda stations: zones[tuple(stations)]).timezone == "America/New_York"
