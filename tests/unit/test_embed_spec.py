"""Laws of a chart in another page: what it asks for, what its viewers may see,
whom it may be framed by.
"""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.embeds.origin import check_origin
from access.embeds.shown_rights import shown_rights
from access.embeds.spec import EmbedSpec, check_label, last_text, parse_last
from access.grants import EVERYTHING, Grant, Purpose, Rights
from access.made_of import MadeOf
from data.request import HistoryRequest
from data.time.resolution import RESOLUTIONS
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
    """A grant of everything but for one or two limits, so that much is allowed,
    by one of them or by some together.
    """
    limits = draw(st.lists(st.sampled_from(sorted(_LIMITS)), max_size=2, unique=True))
    return replace(Grant(may_embed=True), **{name: draw(_LIMITS[name]) for name in limits})


_FIXED = EmbedSpec(("EWR",), ("t",), NOW_MS, NOW_MS + DAY_MS)
_OWNERS = st.lists(_grants(), max_size=3).map(lambda grants: Rights(tuple(grants)))


@st.composite
def _shows(draw):
    last = draw(st.none() | st.integers(1, 800).map(lambda hours: hours * HOUR_MS))
    start = NOW_MS + draw(st.integers(-20 * 24, 5 * 24)) * HOUR_MS
    return EmbedSpec(
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


MADE = {
    "dew": MadeOf(("t", "rain")),
    "past": MadeOf(("t",), 5 * HOUR_MS),
    "between": MadeOf(("t",), elsewhere=(("elsewhere", "t"), ("elsewhere", "rain"))),
}


@given(_shows(), _OWNERS, _MOMENTS, st.sampled_from([("dew",), ("past",), ("dew", "rain"), ("past", "t"), ("between", "t")]))
def test_a_derived_sensor_may_be_seen_exactly_when_its_owner_may_embed_its_inputs_which_do_not_exist(
    spec, owner, now_ms, sensors
):
    spec, owner = replace(spec, sensors=sensors), replace(owner, derived=MADE)
    shown, rights = spec.request(now_ms), shown_rights(spec, owner, now_ms)
    assert rights.allows(shown, Purpose.VIEW) == owner.allows(shown, Purpose.EMBED)
    for name in {"t", "rain"} - set(sensors):
        assert not rights.allows(replace(shown, sensors=(name,)), Purpose.VIEW)
        assert not any(rights.knows(station, name) for station in spec.stations)
    assert not rights.stations(["elsewhere"])
    assert not any(rights.knows("elsewhere", name) for name in ("t", "rain", *sensors))


def test_a_view_that_looks_back_loads_what_was_before_and_its_viewers_may_see_that():
    spec = replace(_FIXED, view="earlier", options={"offset": "2mo", "as": "difference"}, timezone="Europe/Berlin")
    shown, loaded = spec.shown(NOW_MS), spec.request(NOW_MS)
    assert (shown.start_ms, shown.end_ms) == (NOW_MS, NOW_MS + DAY_MS)
    assert (loaded.start_ms, loaded.end_ms) == (NOW_MS - 61 * DAY_MS - HOUR_MS, NOW_MS + DAY_MS)  # summer time began to end
    assert spec.is_shown(loaded, NOW_MS)
    assert shown_rights(spec, EVERYTHING, NOW_MS).allows(loaded, Purpose.VIEW)
    late = Rights((Grant(may_embed=True, from_ms=NOW_MS - DAY_MS),))
    assert not shown_rights(spec, late, NOW_MS).allows(loaded, Purpose.VIEW)
    rolling = EmbedSpec(("EWR",), ("t",), last_ms=7 * DAY_MS, view="earlier")
    assert rolling.request(NOW_MS).start_ms == rolling.shown(NOW_MS).start_ms - 7 * DAY_MS


@given(_shows())
def test_what_is_kept_is_what_was_shown(spec):
    assert EmbedSpec.from_json(spec.to_json()) == spec


@given(_shows(), _OWNERS, _MOMENTS)
def test_what_is_shown_may_be_seen_exactly_when_its_owner_may_embed_it(spec, owner, now_ms):
    shown = spec.request(now_ms)
    rights = shown_rights(spec, owner, now_ms)
    assert rights.allows(shown, Purpose.VIEW) == owner.allows(shown, Purpose.EMBED)


@given(_shows(), _OWNERS, _MOMENTS)
def test_a_file_needs_controls_and_an_owner_who_may_embed_and_export(spec, owner, now_ms):
    shown = spec.request(now_ms)
    may = spec.controls and owner.allows(shown, Purpose.EMBED) and owner.allows(shown, Purpose.EXPORT)
    assert shown_rights(spec, owner, now_ms).allows(shown, Purpose.EXPORT) == may


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
    spec = EmbedSpec(("a",), ("t",), start_ms=NOW_MS, end_ms=NOW_MS + DAY_MS)
    rights = shown_rights(spec, Rights((replace(Grant(may_embed=True), **limit),)), NOW_MS)
    shown = spec.request(NOW_MS)
    assert (rights.allows(shown, Purpose.VIEW), rights.allows(shown, Purpose.EXPORT)) == (seen, saved)


@given(_shows(), _OWNERS, _MOMENTS, st.data())
def test_nothing_may_be_seen_through_a_chart_that_it_does_not_show_or_its_owner_may_not_embed(spec, owner, now_ms, data):
    first, last = spec.span(now_ms)
    start = data.draw(st.integers(first - HOUR_MS, last - 1))
    request = HistoryRequest(
        tuple(data.draw(st.lists(st.sampled_from([*spec.stations, *spec.stations, "ab", "x"]), min_size=1, max_size=2))),
        (data.draw(st.sampled_from([*spec.sensors, *spec.sensors, "other"])),),
        start,
        data.draw(st.integers(start + 1, last + HOUR_MS)),
        data.draw(st.just(spec.resolution) | st.sampled_from(RESOLUTIONS)),
        spec.timezone,
    )
    if shown_rights(spec, owner, now_ms).allows(request, Purpose.VIEW):
        assert set(request.stations) <= set(spec.stations)
        assert set(request.sensors) <= set(spec.sensors)
        assert first <= request.start_ms < request.end_ms <= last
        assert RESOLUTIONS.index(request.resolution) >= RESOLUTIONS.index(spec.resolution)
        assert owner.allows(request, Purpose.EMBED)


@given(_shows(), _OWNERS, _MOMENTS)
def test_a_viewer_may_embed_nothing_in_turn(spec, owner, now_ms):
    assert not shown_rights(spec, owner, now_ms).allows(spec.request(now_ms), Purpose.EMBED)


@given(_shows(), _MOMENTS, st.integers(0, 59 * MINUTE_MS))
def test_a_range_may_be_loaded_and_seen_for_an_hour_after_it_was_told(spec, now_ms, waited_ms):
    told = spec.request(now_ms)
    later_ms = now_ms + waited_ms
    assert spec.is_shown(told, later_ms)
    assert shown_rights(spec, EVERYTHING, later_ms).allows(told, Purpose.VIEW)


@given(_shows(), _MOMENTS)
def test_no_other_request_is_the_one_that_is_shown(spec, now_ms):
    shown = spec.request(now_ms)
    others = [
        replace(shown, start_ms=shown.start_ms + 1),
        replace(shown, end_ms=shown.end_ms - 1),
        replace(shown, stations=("elsewhere",)),
        replace(shown, sensors=(*shown.sensors, "other")),
        replace(shown, timezone="Asia/Makassar"),
        replace(shown, resolution=next(name for name in RESOLUTIONS if name != shown.resolution)),
    ]
    assert not any(spec.is_shown(other, now_ms) for other in others)


def test_a_rolling_range_of_long_ago_is_not_shown():
    spec = EmbedSpec(("a",), ("t",), last_ms=7 * DAY_MS)
    old = spec.request(NOW_MS - 2 * HOUR_MS)
    assert not spec.is_shown(old, NOW_MS)
    assert not shown_rights(spec, EVERYTHING, NOW_MS).allows(old, Purpose.VIEW)


@pytest.mark.parametrize(
    ("last", "step_ms"),
    [("24h", MINUTE_MS), ("7d", 10 * MINUTE_MS), ("30d", 30 * MINUTE_MS), ("365d", HOUR_MS)],
)
def test_those_who_look_within_a_step_ask_for_the_same(last, step_ms):
    spec = EmbedSpec(("a",), ("t",), last_ms=parse_last(last))
    begin = NOW_MS // step_ms * step_ms
    first, latest, next_step = (spec.request(moment) for moment in (begin, begin + step_ms - 1, begin + step_ms))
    assert first == latest != next_step
    assert first.end_ms - first.start_ms == spec.last_ms
    assert first.end_ms > begin + step_ms - 1  # the newest row is in it


def test_a_rolling_range_of_days_is_of_whole_days_of_its_zone():
    spec = EmbedSpec(("a",), ("t",), last_ms=30 * DAY_MS, resolution="1d", timezone="Asia/Jakarta")
    shown = spec.request(NOW_MS)  # 2023-11-15 05:13 in Jakarta
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
        EmbedSpec(("a",), ("t",), last_ms=parse_last(text))


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
        EmbedSpec(**{"stations": ("a",), "sensors": ("t",), **fields})


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


# What another version or a slip of the hand has left in the table


def test_a_chart_of_two_centuries_of_minutes_costs_no_more_than_its_two_ends():
    tracemalloc.start()
    try:
        spec = EmbedSpec(("a",), ("rain",), -2_208_988_800_000, 4_102_444_800_000, None, "1min", "Asia/Jakarta")
        again = EmbedSpec.from_json(spec.to_json())
        assert again.is_shown(spec.request(NOW_MS), NOW_MS)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_what_was_kept_is_not_checked_as_a_request_again():
    """The start lies after the end: whoever looks at it is told so,
    but the list that it is in is not lost.
    """
    kept = json.dumps(json.loads(_FIXED.to_json()) | {"start_ms": _FIXED.end_ms, "end_ms": _FIXED.start_ms})
    found = EmbedSpec.from_json(kept)
    with pytest.raises(InvalidRequest):
        found.request(NOW_MS)


@pytest.mark.parametrize(
    "change",
    [
        {"resolution": "5min"},
        {"timezone": "Mars/Olympus"},
        {"theme": "sepia"},
        {"language": "tlh"},
        {"start_ms": 10**18},
        {"stations": "EWR"},
        {"refresh_s": 0},
        {"unheard": 1},
    ],
)
def test_what_cannot_be_told_is_a_value_error(change):
    with pytest.raises(ValueError):
        EmbedSpec.from_json(json.dumps(json.loads(_FIXED.to_json()) | change))
