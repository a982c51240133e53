"""Laws of a chart in another page: what it asks for, what its viewers may see, whom it may be framed by."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.grants import EVERYTHING, Grant, Purpose, Rights
from access.shown import Shows, check_label, check_origin, last_text, parse_last, shown_rights
from data.request import RESOLUTIONS, HistoryRequest
from errors import InvalidRequest

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
NOW_MS = 1_700_000_000_000  # 2023-11-14T22:13:20Z

_NAMES = ("a", "b", "a*", "[x]")  # also what would be a pattern
_ENDS = st.integers(-30, 30).map(lambda days: NOW_MS + days * DAY_MS)
_LIMITS = {
    "stations": st.lists(st.sampled_from(["a", "b", "a?", "a[*]", "[[]x[]]"]), min_size=1, max_size=2).map(tuple),
    "sensors": st.sampled_from([("t",), ("r*",), ("t", "rain")]),
    "from_ms": _ENDS,
    "to_ms": _ENDS,
    "longest_ms": st.integers(1, 40).map(lambda days: days * DAY_MS),
    "finest": st.sampled_from(RESOLUTIONS),
    "may_export": st.just(False),
    "may_embed": st.just(False),
}


@st.composite
def _grants(draw):
    """A grant of everything but for one or two limits, so that much is allowed, by one of them or by some together."""
    limits = draw(st.lists(st.sampled_from(sorted(_LIMITS)), max_size=2, unique=True))
    return replace(Grant(may_embed=True), **{name: draw(_LIMITS[name]) for name in limits})


_OWNERS = st.lists(_grants(), max_size=3).map(lambda grants: Rights(tuple(grants)))


@st.composite
def _shows(draw):
    last = draw(st.none() | st.integers(1, 800).map(lambda hours: hours * HOUR_MS))
    start = NOW_MS + draw(st.integers(-20 * 24, 5 * 24)) * HOUR_MS
    return Shows(
        stations=tuple(draw(st.lists(st.sampled_from(_NAMES), min_size=1, max_size=3, unique=True))),
        sensors=tuple(draw(st.lists(st.sampled_from(["t", "rain"]), min_size=1, max_size=2, unique=True))),
        start_ms=None if last else start,
        end_ms=None if last else start + draw(st.integers(1, 20 * 24)) * HOUR_MS,
        last_ms=last,
        resolution=draw(st.sampled_from(RESOLUTIONS)),
        timezone=draw(st.sampled_from(["UTC", "Asia/Jakarta", "Europe/Berlin"])),
        controls=draw(st.booleans()),
    )


_MOMENTS = st.integers(-40 * DAY_MS, 40 * DAY_MS).map(lambda ms: NOW_MS + ms)


@given(_shows())
def test_what_is_kept_is_what_was_shown(shows):
    assert Shows.from_json(shows.to_json()) == shows


@given(_shows(), _OWNERS, _MOMENTS)
def test_what_is_shown_may_be_seen_exactly_when_its_owner_may_embed_it(shows, owner, now_ms):
    shown = shows.request(now_ms)
    rights = shown_rights(shows, owner, now_ms)
    assert rights.allows(shown, Purpose.VIEW) == owner.allows(shown, Purpose.EMBED)


@given(_shows(), _OWNERS, _MOMENTS)
def test_a_file_needs_controls_and_an_owner_who_may_embed_and_export(shows, owner, now_ms):
    shown = shows.request(now_ms)
    may = shows.controls and owner.allows(shown, Purpose.EMBED) and owner.allows(shown, Purpose.EXPORT)
    assert shown_rights(shows, owner, now_ms).allows(shown, Purpose.EXPORT) == may


@pytest.mark.parametrize(
    ("limit", "seen", "saved"),
    [
        ({}, True, True),
        ({"may_embed": False}, False, False),
        ({"may_export": False}, True, False),
        ({"stations": ("b",)}, False, False),
        ({"sensors": ("rain",)}, False, False),
        ({"from_ms": NOW_MS + 1}, False, False),
        ({"to_ms": NOW_MS + DAY_MS - 1}, False, False),
        ({"from_ms": NOW_MS, "to_ms": NOW_MS + DAY_MS}, True, True),
        ({"longest_ms": DAY_MS - 1}, False, False),
        ({"longest_ms": DAY_MS}, True, True),
        ({"finest": "1h"}, False, False),
    ],
)
def test_each_limit_of_the_owner_is_the_viewers(limit, seen, saved):
    shows = Shows(("a",), ("t",), start_ms=NOW_MS, end_ms=NOW_MS + DAY_MS)
    rights = shown_rights(shows, Rights((replace(Grant(may_embed=True), **limit),)), NOW_MS)
    shown = shows.request(NOW_MS)
    assert (rights.allows(shown, Purpose.VIEW), rights.allows(shown, Purpose.EXPORT)) == (seen, saved)


@given(_shows(), _OWNERS, _MOMENTS, st.data())
def test_nothing_may_be_seen_through_a_chart_that_it_does_not_show_or_its_owner_may_not_embed(shows, owner, now_ms, data):
    first, last = shows.span(now_ms)
    start = data.draw(st.integers(first - HOUR_MS, last - 1))
    request = HistoryRequest(
        tuple(data.draw(st.lists(st.sampled_from([*shows.stations, *shows.stations, "ab", "x"]), min_size=1, max_size=2))),
        (data.draw(st.sampled_from([*shows.sensors, *shows.sensors, "other"])),),
        start,
        data.draw(st.integers(start + 1, last + HOUR_MS)),
        data.draw(st.just(shows.resolution) | st.sampled_from(RESOLUTIONS)),
        shows.timezone,
    )
    if shown_rights(shows, owner, now_ms).allows(request, Purpose.VIEW):
        assert set(request.stations) <= set(shows.stations)
        assert set(request.sensors) <= set(shows.sensors)
        assert first <= request.start_ms < request.end_ms <= last
        assert RESOLUTIONS.index(request.resolution) >= RESOLUTIONS.index(shows.resolution)
        assert owner.allows(request, Purpose.EMBED)


@given(_shows(), _OWNERS, _MOMENTS)
def test_a_viewer_may_embed_nothing_in_turn(shows, owner, now_ms):
    assert not shown_rights(shows, owner, now_ms).allows(shows.request(now_ms), Purpose.EMBED)


@given(_shows(), _MOMENTS, st.integers(0, 59 * MINUTE_MS))
def test_a_range_may_be_loaded_and_seen_for_an_hour_after_it_was_told(shows, now_ms, waited_ms):
    told = shows.request(now_ms)
    later_ms = now_ms + waited_ms
    assert shows.is_shown(told, later_ms)
    assert shown_rights(shows, EVERYTHING, later_ms).allows(told, Purpose.VIEW)


@given(_shows(), _MOMENTS)
def test_no_other_request_is_the_one_that_is_shown(shows, now_ms):
    shown = shows.request(now_ms)
    others = [
        replace(shown, start_ms=shown.start_ms + 1),
        replace(shown, end_ms=shown.end_ms - 1),
        replace(shown, stations=("elsewhere",)),
        replace(shown, sensors=(*shown.sensors, "other")),
        replace(shown, timezone="Asia/Makassar"),
        replace(shown, resolution=next(name for name in RESOLUTIONS if name != shown.resolution)),
    ]
    assert not any(shows.is_shown(other, now_ms) for other in others)


def test_a_rolling_range_of_long_ago_is_not_shown():
    shows = Shows(("a",), ("t",), last_ms=7 * DAY_MS)
    old = shows.request(NOW_MS - 2 * HOUR_MS)
    assert not shows.is_shown(old, NOW_MS)
    assert not shown_rights(shows, EVERYTHING, NOW_MS).allows(old, Purpose.VIEW)


@pytest.mark.parametrize(
    ("last", "step_ms"),
    [("24h", MINUTE_MS), ("7d", 10 * MINUTE_MS), ("30d", 30 * MINUTE_MS), ("365d", HOUR_MS)],
)
def test_those_who_look_within_a_step_ask_for_the_same(last, step_ms):
    shows = Shows(("a",), ("t",), last_ms=parse_last(last))
    begin = NOW_MS // step_ms * step_ms
    first, latest, next_step = (shows.request(moment) for moment in (begin, begin + step_ms - 1, begin + step_ms))
    assert first == latest != next_step
    assert first.end_ms - first.start_ms == shows.last_ms
    assert first.end_ms > begin + step_ms - 1  # the newest row is in it


def test_a_rolling_range_of_days_is_of_whole_days_of_its_zone():
    shows = Shows(("a",), ("t",), last_ms=30 * DAY_MS, resolution="1d", timezone="Asia/Jakarta")
    shown = shows.request(NOW_MS)  # 2023-11-15 05:13 in Jakarta
    assert (shown.end_ms + 7 * HOUR_MS) % DAY_MS == 0
    assert (shown.start_ms + 7 * HOUR_MS) % DAY_MS == 0
    assert shown.end_ms - shown.start_ms == 30 * DAY_MS
    assert shown.end_ms > NOW_MS


@pytest.mark.parametrize("text", ["1h", "24h", "48h", "3d", "7d", "365d"])
def test_a_rolling_range_is_written_as_it_is_read(text):
    assert last_text(parse_last(text)) == text


@pytest.mark.parametrize("text", ["", "7", "0d", "-1d", "7 d", "1w", "99999999d", "7d7d", "٣d"])
def test_what_is_no_rolling_range_is_refused(text):
    with pytest.raises(InvalidRequest):
        Shows(("a",), ("t",), last_ms=parse_last(text))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"start_ms": 0},
        {"start_ms": 0, "end_ms": 1, "last_ms": DAY_MS},
        {"start_ms": 1, "end_ms": 1},
        {"last_ms": DAY_MS, "theme": "pink"},
        {"last_ms": DAY_MS, "language": "xx"},
        {"last_ms": DAY_MS, "resolution": "2h"},
        {"last_ms": DAY_MS, "timezone": "Mars/Base"},
        {"last_ms": DAY_MS, "refresh_s": 1},
        {"last_ms": DAY_MS, "stations": ()},
        {"last_ms": 1},
    ],
)
def test_what_cannot_be_shown_is_refused(fields):
    with pytest.raises(InvalidRequest):
        Shows(**{"stations": ("a",), "sensors": ("t",), **fields})


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ("https://portal.example", "https://portal.example"),
        (" HTTPS://Portal.Example/ ", "https://portal.example"),
        ("https://portal.example:443", "https://portal.example"),
        ("https://portal.example:8443", "https://portal.example:8443"),
        ("https://10.0.0.7", "https://10.0.0.7"),
        ("https://portal", "https://portal"),
        ("https://cuaca.bücher.example", "https://cuaca.xn--bcher-kva.example"),
        ("http://localhost:8081", "http://localhost:8081"),
        ("http://portal.localhost:8081", "http://portal.localhost:8081"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
    ],
)
def test_an_origin_is_kept_as_browsers_write_it(given_, kept):
    assert check_origin(given_) == kept
    assert check_origin(kept) == kept


@pytest.mark.parametrize(
    "text",
    [
        *("", "portal.example", "//portal.example", "ftp://portal.example", "javascript:alert(1)", "null", "*"),
        *("https://", "https://*", "https://*.example", "https://portal.example/page", "https://portal.example?x", "https://a#b"),
        *("https://user@portal.example", "https://portal.example:0", "https://portal.example:99999", "https://[::1]"),
        *("https://a b", "https://a;script-src *", "https://a' 'unsafe-inline'", "https://a, https://b", "https://a\nb"),
        *("https://-a.example", "https://a..b", "https://" + "a" * 300, "https://a_b.example"),
        *("http://portal.example", "http://localhost.example", "http://127.0.0.1.example", "http://10.0.0.7"),
    ],
)
def test_what_is_no_origin_or_not_safe_is_refused(text):
    with pytest.raises(InvalidRequest):
        check_origin(text)


def test_a_label_is_one_line_of_reasonable_length():
    assert check_label("  Kantor pusat · suhu ") == "Kantor pusat · suhu"
    for wrong in ("a\nb", "a" * 121, "a\x00"):
        with pytest.raises(InvalidRequest):
            check_label(wrong)
