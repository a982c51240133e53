"""Laws of what is granted: coverage of time by grants."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from access.denials import denial_reason
from access.grants import EVERYTHING, Grant, Purpose, Rights, pairs, uncovered, whole_buckets
from access.identity import Identity, authorise
from access.made_of import MadeOf
from data.request import HistoryRequest
from data.time.resolution import RESOLUTIONS
from errors import NotPermitted, UnknownSensor, UnknownStation

_HALF_HOUR = 1_800_000
_ENDS = st.none() | st.integers(-20, 120)
_GRANTED_ENDS = st.none() | st.integers(-20, 120).map(lambda half_hours: half_hours * _HALF_HOUR)
_NAMES = st.lists(st.sampled_from(["*", "a", "b", "a*", "temperature", "rain*"]), min_size=1, max_size=2).map(tuple)
_GRANTS = st.builds(
    Grant,
    stations=_NAMES,
    sensors=_NAMES,
    from_ms=_GRANTED_ENDS,
    to_ms=_GRANTED_ENDS,
    longest_ms=st.none() | st.integers(1, 120).map(lambda half_hours: half_hours * _HALF_HOUR),
    finest=st.sampled_from(RESOLUTIONS),
    may_export=st.booleans(),
    may_embed=st.booleans(),
    may_review=st.booleans(),
)
_MANY = st.lists(_GRANTS, max_size=5).map(tuple)


@st.composite
def _requests(draw):
    start = draw(st.integers(0, 90))
    end = draw(st.integers(start + 1, 100))
    stations = draw(st.sampled_from([("a",), ("b",), ("a", "b")]))
    sensors = draw(st.sampled_from([("temperature",), ("rainfall",), ("rainfall", "temperature")]))
    return HistoryRequest(stations, sensors, start * _HALF_HOUR, end * _HALF_HOUR, draw(st.sampled_from(RESOLUTIONS)), "UTC")


@given(st.integers(0, 50), st.integers(1, 50), st.lists(st.tuples(_ENDS, _ENDS), max_size=6))
def test_what_is_uncovered_is_exactly_what_no_span_holds(start, length, spans):
    left = uncovered(start, start + length, spans)
    for moment in range(start, start + length):
        held = any((begin is None or begin <= moment) and (until is None or moment < until) for begin, until in spans)
        assert held != any(begin <= moment < until for begin, until in left)
    assert list(left) == sorted(left)


@given(_MANY, _GRANTS, _requests(), st.sampled_from(Purpose))
def test_a_further_grant_never_takes_a_right_away(grants, more, request, purpose):
    if Rights(grants).allows(request, purpose):
        assert Rights((*grants, more)).allows(request, purpose)


MADE = {
    "sum": MadeOf(("rainfall", "temperature")),
    "past": MadeOf(("rainfall",), 3 * _HALF_HOUR),
    "between": MadeOf(("temperature",), elsewhere=(("b", "rainfall"),)),
    "past_elsewhere": MadeOf((), 3 * _HALF_HOUR, (("b", "temperature"),)),
}


@given(_MANY, _requests(), st.sampled_from(Purpose), st.sampled_from(sorted(MADE)))
def test_a_derived_sensor_is_granted_exactly_where_all_its_inputs_are_from_where_it_looks_back_to(grants, request, purpose, name):
    asked, made = replace(request, sensors=(name,)), MADE[name]
    grants = tuple(replace(grant, longest_ms=None) for grant in grants)
    looked_at = replace(request, start_ms=request.start_ms - made.back_ms)
    inputs = [replace(looked_at, sensors=made.sensors)] if made.sensors else []
    inputs += [replace(looked_at, stations=(at,), sensors=(sensor,)) for at, sensor in made.elsewhere]
    rights, floors = Rights(grants, derived=MADE), [Rights(grants).floor(one, purpose) for one in inputs]
    coarsest = None if None in floors else max(floors, key=RESOLUTIONS.index)
    assert rights.floor(asked, purpose) == coarsest
    known = all(Rights(grants).knows(*pair) for one in inputs for pair in pairs(one))
    assert all(rights.knows(at, name) for at in request.stations) == known
    if not rights.allows(asked, purpose):
        assert denial_reason(rights, asked, purpose).message


def test_a_formula_that_names_all_its_stations_exists_where_it_stands_for_who_sees_all_of_them():
    made = {"apart": MadeOf(("temperature",), elsewhere=(("b", "temperature"),), station="a")}
    for stations, known in ((("a", "b"), True), (("a", "c"), False), (("b", "c"), False), (("*",), True)):
        rights = Rights((Grant(stations, ("temperature",)),), derived=made)
        assert (rights.names_sensor("apart"), rights.knows("a", "apart"), rights.knows("c", "apart")) == (known, known, False)


@given(_requests(), st.sampled_from(Purpose), st.sampled_from(sorted(MADE)))
def test_a_grant_of_a_derived_sensor_alone_gives_nothing(request, purpose, name):
    rights = Rights((Grant(sensors=(name,), may_embed=True),), derived=MADE)
    assert not rights.allows(replace(request, sensors=(name,)), purpose)
    assert not rights.names_sensor(name)


def test_a_length_that_may_be_asked_for_is_that_of_the_request_and_not_of_what_it_looks_at():
    request = HistoryRequest(("a",), ("past",), 4 * _HALF_HOUR, 6 * _HALF_HOUR)
    assert Rights((Grant(longest_ms=2 * _HALF_HOUR),), derived=MADE).allows(request, Purpose.VIEW)


def test_who_asks_before_a_formula_has_all_that_is_granted_is_told_from_when_it_has():
    request = HistoryRequest(("a",), ("past",), 4 * _HALF_HOUR, 6 * _HALF_HOUR)
    rights = Rights((Grant(from_ms=2 * _HALF_HOUR),), derived=MADE)
    assert "Choose a start of 1970-01-01T02:30:00Z or later" in denial_reason(rights, request, Purpose.VIEW).message
    assert rights.allows(replace(request, start_ms=5 * _HALF_HOUR), Purpose.VIEW)


@given(_MANY, _requests(), st.sampled_from(Purpose), st.randoms())
def test_the_order_of_grants_does_not_matter(grants, request, purpose, shuffler):
    shuffled = list(grants)
    shuffler.shuffle(shuffled)
    assert Rights(tuple(shuffled)).allows(request, purpose) == Rights(grants).allows(request, purpose)


@given(_MANY, _requests(), st.sampled_from(Purpose), st.integers(0, 99), st.integers(1, 100))
def test_a_part_of_what_is_allowed_is_allowed_if_it_cuts_no_bucket_of_the_floor(grants, request, purpose, start, end):
    rights, start_ms, end_ms = Rights(grants), start * _HALF_HOUR, end * _HALF_HOUR
    if start < end and request.start_ms <= start_ms and end_ms <= request.end_ms and rights.allows(request, purpose):
        part = replace(request, stations=request.stations[:1], sensors=request.sensors[:1], start_ms=start_ms, end_ms=end_ms)
        floor = rights.floor(part, purpose)
        assert floor is not None
        assert rights.allows(part, purpose) == rights.is_whole(part, floor)


@given(_MANY, _requests(), st.sampled_from(Purpose))
def test_what_is_allowed_is_made_of_whole_buckets_of_its_floor_and_would_be_allowed_at_it(grants, request, purpose):
    rights = Rights(grants)
    if rights.allows(request, purpose):
        floor = rights.floor(request, purpose)
        assert RESOLUTIONS.index(floor) <= RESOLUTIONS.index(request.resolution)
        assert whole_buckets(floor, request.start_ms, request.end_ms, "UTC") == (request.start_ms, request.end_ms)
        assert rights.allows(replace(request, resolution=floor), purpose)


@given(_MANY, _requests(), st.sampled_from(Purpose))
def test_the_floor_is_the_finest_resolution_at_which_no_pair_lacks_anything(grants, request, purpose):
    rights = Rights(grants)

    def lacks_nothing(resolution):
        asked = replace(request, resolution=resolution)
        return all(not rights.lacks(asked, station, sensor, purpose) for station, sensor in pairs(request))

    upto = RESOLUTIONS[: RESOLUTIONS.index(request.resolution) + 1]
    assert rights.floor(request, purpose) == next(filter(lacks_nothing, upto), None)


def _is_granted_minute_by_minute(grants, request, purpose):
    """Each half hour (all ends are at one) of each pair lies in some grant that fits:
    the law, without spans.
    """
    finer = RESOLUTIONS[: RESOLUTIONS.index(request.resolution) + 1]
    length = request.end_ms - request.start_ms

    def covered(resolution, station, sensor, moment):
        return any(
            any(fnmatchcase(station, one) for one in grant.stations)
            and any(fnmatchcase(sensor, one) for one in grant.sensors)
            and (grant.from_ms is None or grant.from_ms <= moment)
            and (grant.to_ms is None or moment < grant.to_ms)
            and (grant.longest_ms is None or length <= grant.longest_ms)
            and RESOLUTIONS.index(grant.finest) <= RESOLUTIONS.index(resolution)
            and (purpose is not Purpose.EXPORT or grant.may_export)
            and (purpose is not Purpose.EMBED or grant.may_embed)
            and (purpose is not Purpose.REVIEW or grant.may_review)
            for grant in grants
        )

    moments = range(request.start_ms, request.end_ms, _HALF_HOUR)
    for resolution in finer:
        if all(covered(resolution, *pair, moment) for pair in pairs(request) for moment in moments):
            return whole_buckets(resolution, request.start_ms, request.end_ms, "UTC") == (request.start_ms, request.end_ms)
    return False


@settings(max_examples=300)
@given(_MANY, _requests(), st.sampled_from(Purpose))
def test_what_is_authorised_is_what_is_granted_of_each_station_sensor_and_minute(grants, request, purpose):
    identity = Identity("sari", rights=Rights(grants))
    if _is_granted_minute_by_minute(grants, request, purpose):
        authorise(identity, request, purpose)
    else:
        with pytest.raises((NotPermitted, UnknownStation, UnknownSensor)):
            authorise(identity, request, purpose)


@given(_MANY, _requests(), st.sampled_from([Purpose.EXPORT, Purpose.EMBED, Purpose.REVIEW]))
def test_whoever_may_export_or_embed_may_view(grants, request, purpose):
    if Rights(grants).allows(request, purpose):
        assert Rights(grants).allows(request, Purpose.VIEW)


@given(_MANY, _requests(), st.sampled_from(Purpose))
def test_what_is_allowed_is_known(grants, request, purpose):
    rights = Rights(grants)
    if rights.allows(request, purpose):
        assert rights.stations(request.stations) == list(request.stations)
        assert rights.sensors(request.stations, request.sensors) == list(request.sensors)


@given(_requests(), st.sampled_from(Purpose))
def test_without_a_grant_nothing_is_allowed_and_to_an_administrator_all(request, purpose):
    assert not Rights().allows(request, purpose)
    assert not Rights().stations(request.stations)
    assert EVERYTHING.allows(request, purpose)


def test_two_grants_that_meet_cover_a_range_together_and_a_gap_of_one_millisecond_is_none():
    request = HistoryRequest(("a",), ("temperature",), 0, 100, "raw", "UTC")
    assert Rights((Grant(to_ms=50), Grant(from_ms=50))).allows(request, Purpose.VIEW)
    gap = Rights((Grant(to_ms=50), Grant(from_ms=51)))
    assert gap.lacks(request, "a", "temperature", Purpose.VIEW) == ((50, 51),)


def test_a_bucket_of_a_floor_cannot_be_cut_to_single_observations():
    hourly, hour = Rights((Grant(finest="1h"),), zone="UTC"), 2 * _HALF_HOUR
    whole = HistoryRequest(("a",), ("temperature",), 0, 24 * hour, "1h", "UTC")
    assert hourly.allows(whole, Purpose.VIEW)
    assert hourly.allows(replace(whole, resolution="1d"), Purpose.VIEW)
    assert not hourly.allows(replace(whole, resolution="10min"), Purpose.VIEW)
    assert not hourly.allows(replace(whole, end_ms=60_000), Purpose.VIEW)
    assert not hourly.allows(replace(whole, start_ms=hour - 60_000), Purpose.VIEW)
    # its hours begin at half past
    assert not hourly.allows(replace(whole, timezone="Asia/Kolkata"), Purpose.VIEW)
    raw_before_noon = Rights((*hourly.grants, Grant(to_ms=12 * hour)), zone="UTC")
    assert raw_before_noon.allows(replace(whole, end_ms=60_000), Purpose.VIEW)
    assert not raw_before_noon.allows(replace(whole, end_ms=12 * hour + 60_000), Purpose.VIEW)


def test_a_station_of_one_grant_and_a_sensor_of_another_are_no_right_to_the_pair():
    rights = Rights((Grant(("a",), ("temperature",)), Grant(("b",), ("rainfall",))))
    assert not rights.knows("a", "rainfall")
    assert rights.sensors(["a"], ["temperature", "rainfall"]) == ["temperature"]
    assert not rights.allows(HistoryRequest(("a", "b"), ("temperature",), 0, 1, "raw", "UTC"), Purpose.VIEW)


@given(
    st.lists(st.text("ab*?[]!-", max_size=5), max_size=4),
    st.text("ab*?[]!-", max_size=5),
)
def test_patterns_are_those_of_the_shell_also_where_names_are_looked_up(patterns: list[str], name: str) -> None:
    grant = Grant(stations=tuple(patterns), sensors=tuple(patterns))
    expected = any(fnmatchcase(name, pattern) for pattern in patterns)
    assert grant.names(name) is expected
    assert grant.names_sensor(name) is expected


def test_a_grant_of_ten_thousand_names_asks_each_of_them_once() -> None:
    """A chart of many stations is looked at by everybody;
    a comparison of each with each would take minutes.
    """
    names = tuple(Counted(f"aws-{number}") for number in range(2_000))
    Counted.compared = 0
    assert Rights((Grant(stations=names),)).stations(names) == list(names)
    assert Counted.compared < 20 * len(names)


class Counted(str):
    """A name that counts how often it is compared."""

    compared = 0

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return super().__eq__(other)

    __hash__ = str.__hash__


@pytest.mark.parametrize(
    ("purpose", "field"), [(Purpose.EXPORT, "may_export"), (Purpose.EMBED, "may_embed"), (Purpose.REVIEW, "may_review")]
)
def test_a_grant_without_a_purpose_allows_the_others_only(purpose, field):
    request = HistoryRequest(("a",), ("temperature",), 0, _HALF_HOUR, "raw", "UTC")
    others = {"may_export": True, "may_embed": True, "may_review": True}
    without, with_it = (Rights((Grant(**others | {field: value}),)) for value in (False, True))
    allowed = {one for one in Purpose if without.allows(request, one)}
    assert allowed == set(Purpose) - {purpose}
    assert with_it.allows(request, purpose)


def test_whole_days_of_another_zone_than_the_sites_are_not_whole():
    day_ms, ahead_ms = 48 * _HALF_HOUR, 14 * _HALF_HOUR
    grant = Grant(finest="1d")
    of_utc = HistoryRequest(("a",), ("temperature",), day_ms, 2 * day_ms, "1d", "UTC")
    of_jakarta = HistoryRequest(("a",), ("temperature",), day_ms - ahead_ms, 2 * day_ms - ahead_ms, "1d", "Asia/Jakarta")
    found = {
        zone: [Rights((grant,), zone=zone).allows(request, Purpose.VIEW) for request in (of_utc, of_jakarta)]
        for zone in (None, "UTC", "Asia/Jakarta")
    }
    assert found == {None: [True, True], "UTC": [True, False], "Asia/Jakarta": [False, True]}
