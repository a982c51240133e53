"""Ranges of time as people write them."""

from __future__ import annotations

import pytest

from data.request import parse_time
from data.time.range_words import LONGEST, parse_range_words

ZONE = "America/New_York"
NEWEST, NOW = "2013-09-20 14:30:20", "2026-11-30 08:00"


def ms(text: str) -> int:
    return parse_time(text, ZONE, field="")


def meant(text: str) -> tuple[int, int] | None:
    return parse_range_words(text, ZONE, now_ms=ms(NOW), newest_ms=ms(NEWEST))


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2013", "2013-01-01", "2014-01-01"),
        (" 2013-03 ", "2013-03-01", "2013-04-01"),
        ("2013-12", "2013-12-01", "2014-01-01"),
        ("2013-3-5", "2013-03-05", "2013-03-06"),
        ("2013-03-10", "2013-03-10", "2013-03-11"),  # of 23 hours
        ("13 Jul 2013", "2013-07-13", "2013-07-14"),
        ("July 13, 2013", "2013-07-13", "2013-07-14"),
        ("Juli 2013", "2013-07-01", "2013-08-01"),
        ("agustus 2012", "2012-08-01", "2012-09-01"),
        ("last July", "2013-07-01", "2013-08-01"),
        ("Juli lalu", "2013-07-01", "2013-08-01"),
        ("October", "2012-10-01", "2012-11-01"),
        ("September", "2013-09-01", "2013-10-01"),  # which has begun
        ("last september", "2012-09-01", "2012-10-01"),
        ("this month", "2013-09-01", "2013-10-01"),
        ("bulan lalu", "2013-08-01", "2013-09-01"),
        ("last year", "2012-01-01", "2013-01-01"),
        ("tahun ini", "2013-01-01", "2014-01-01"),
        ("last 7 days", "2013-09-13 14:31", "2013-09-20 14:31"),
        ("30 hari terakhir", "2013-08-21 14:31", "2013-09-20 14:31"),
        ("last 24 hours", "2013-09-19 14:31", "2013-09-20 14:31"),
        ("now-7d", "2026-11-23 08:00", "2026-11-30 08:00"),
        ("now - 3mo", "2026-08-30 08:00", "2026-11-30 08:00"),
        ("now-9mo", "2026-02-28 08:00", "2026-11-30 08:00"),
        ("now-36h", "2026-11-28 20:00", "2026-11-30 08:00"),
        ("today", "2026-11-30", "2026-12-01"),
        ("kemarin", "2026-11-29", "2026-11-30"),
        ("2013-03-01 to 2013-04-15", "2013-03-01", "2013-04-16"),
        ("March – May 2013", "2013-03-01", "2013-06-01"),
        ("2013-03..2013-05", "2013-03-01", "2013-06-01"),
        ("1 Jan 2013 sampai 15 Feb 2013", "2013-01-01", "2013-02-16"),
    ],
)
def test_words_mean_a_range_on_the_clock_of_the_zone(text, start, end):
    assert meant(text) == (ms(start), ms(end))


@pytest.mark.parametrize(
    "text",
    [
        "", "JFK", "wind", "2013-13", "2013-02-30", "0000", "31 Feb 2013", "last", "last 0", "now", "now-7", "now-7q", "last 7",
        "2014 to 2013", "2013 to", "a to b to c", "July 7", "last July 2012", "12 12 July", "9999-12-31", "²013",
        "x" * (LONGEST + 1), "last 99999 years", "now-9999y",
    ],
)  # fmt: skip
def test_anything_else_means_none(text):
    assert meant(text) is None


def test_what_lies_beyond_the_calendar_means_nothing() -> None:
    for text in ("0001", "9999", "0001-01-01 to 9999-12-31"):
        assert parse_range_words(text, "Asia/Jakarta", now_ms=ms(NOW), newest_ms=ms(NEWEST)) is None
