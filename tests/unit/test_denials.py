"""Why a request is not granted: sentences say what is,
and name nothing that the identity does not know.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.denials import denial_reason
from access.grants import Grant, Purpose, Rights
from access.identity import Identity, authorise
from access.restricted_site import widened_to_buckets
from data.request import HistoryRequest
from data.time.resolution import RESOLUTIONS
from errors import NotAuthenticated, NotPermitted, RiwayatError, UnknownSensor, UnknownStation

DAY = 86_400_000
YEAR_2024 = 1_704_067_200_000
ASKED = HistoryRequest(("aws-1",), ("temperature",), YEAR_2024 - 10 * DAY, YEAR_2024 + 10 * DAY, "raw", "UTC")


def refused(request: HistoryRequest, *grants: Grant, purpose: Purpose = Purpose.VIEW, zone: str | None = None) -> RiwayatError:
    with pytest.raises(RiwayatError) as caught:
        authorise(Identity("siti", rights=Rights(grants, zone=zone)), request, purpose)
    return caught.value


@pytest.mark.parametrize(
    ("grant", "sentence", "field"),
    [
        (Grant(from_ms=YEAR_2024), "You have access to aws-1 from 2024-01-01T00:00:00Z on.", "start"),
        (Grant(to_ms=YEAR_2024), "You have access to aws-1 until 2024-01-01T00:00:00Z.", "start"),
        (
            Grant(from_ms=YEAR_2024, to_ms=YEAR_2024 + DAY),
            "You have access to aws-1 from 2024-01-01T00:00:00Z to 2024-01-02T00:00:00Z.",
            "start",
        ),
        (Grant(longest_ms=7 * DAY), "For aws-1 you can load at most 7 d at a time. Choose a shorter range.", "end"),
        (Grant(finest="1h"), "You have access to aws-1 at 1h or coarser. Choose a coarser resolution.", "resolution"),
        (
            Grant(finest="1h", longest_ms=DAY),
            "You have access to aws-1 at 1h or coarser. Choose a coarser resolution.",
            "resolution",
        ),
        (Grant(sensors=("rain*",)), "There is no sensor temperature.", "sensors"),
        (Grant(stations=("aws-2",)), "There is no station aws-1.", "stations"),
    ],
)
def test_the_sentence_says_what_is_granted(grant, sentence, field):
    error = refused(ASKED, grant)
    assert (error.message, error.field) == (sentence, field)


def test_of_several_ranges_the_nearest_one_is_told():
    grants = (Grant(to_ms=0), Grant(from_ms=YEAR_2024, to_ms=YEAR_2024 + DAY), Grant(from_ms=YEAR_2024 + 500 * DAY))
    assert "from 2024-01-01T00:00:00Z to" in refused(ASKED, *grants).message


def test_what_is_only_for_looking_at_says_so():
    assert "download" in refused(ASKED, Grant(may_export=False), purpose=Purpose.EXPORT).message
    assert "not embed" in refused(ASKED, Grant(), purpose=Purpose.EMBED).message
    assert "not review" in refused(ASKED, Grant(), purpose=Purpose.REVIEW).message
    later = Grant(from_ms=YEAR_2024, may_export=False)
    assert "access to aws-1 from" in refused(ASKED, later, purpose=Purpose.EXPORT).message


def test_a_station_of_which_nothing_is_granted_is_told_before_anything_of_those_that_are():
    both = replace(ASKED, stations=("aws-1", "secret"))
    error = refused(both, Grant(("aws-1",), from_ms=YEAR_2024))
    assert isinstance(error, UnknownStation)
    assert "aws-1" not in error.message


def test_a_sensor_that_is_granted_only_elsewhere_is_no_unknown_one():
    error = refused(ASKED, Grant(("aws-1",), ("rainfall",)), Grant(("aws-2",), ("temperature",)))
    assert isinstance(error, NotPermitted)
    assert error.message == "You do not have access to temperature of aws-1. Choose other sensors."


def test_a_cut_step_of_the_floor_and_another_zone_are_told_and_a_widened_request_is_granted():
    hourly, cut = Rights((Grant(finest="1h"),), zone="UTC"), replace(ASKED, resolution="1h", start_ms=ASKED.start_ms + 60_000)
    assert "full steps of 1h" in refused(cut, *hourly.grants).message
    assert (
        "in the time zone Asia/Jakarta" in refused(replace(ASKED, resolution="1h"), *hourly.grants, zone="Asia/Jakarta").message
    )
    assert widened_to_buckets(hourly, cut) == replace(ASKED, resolution="1h")
    assert hourly.allows(widened_to_buckets(hourly, cut), Purpose.VIEW)
    elsewhere = replace(cut, timezone="America/New_York")
    assert widened_to_buckets(hourly, elsewhere) == replace(ASKED, resolution="1h")  # in the zone that counts
    assert widened_to_buckets(Rights((Grant(),), zone="UTC"), elsewhere) == elsewhere  # no floor
    assert widened_to_buckets(hourly, ASKED) == ASKED  # not granted at all: nothing to make wider


def test_nobody_may_anything():
    with pytest.raises(NotAuthenticated):
        authorise(Identity("", rights=Rights((Grant(),))), ASKED)


_GRANTS = st.builds(
    Grant,
    stations=st.sampled_from([("a",), ("b",), ("*",)]),
    sensors=st.sampled_from([("x",), ("y",), ("*",)]),
    from_ms=st.none() | st.integers(-2, 8).map(lambda days: days * DAY),
    to_ms=st.none() | st.integers(-2, 8).map(lambda days: days * DAY),
    longest_ms=st.none() | st.integers(1, 8).map(lambda days: days * DAY),
    finest=st.sampled_from(RESOLUTIONS),
    may_export=st.booleans(),
)


@given(
    st.lists(_GRANTS, max_size=4).map(tuple),
    st.sampled_from([("a",), ("b",), ("a", "b")]),
    st.sampled_from([("x",), ("x", "y")]),
    st.integers(0, 4),
    st.integers(1, 5),
    st.sampled_from([0, 60_000]),
    st.sampled_from(RESOLUTIONS),
    st.sampled_from([Purpose.VIEW, Purpose.EXPORT]),
)
def test_every_refusal_has_a_reason_and_names_no_station_or_sensor_of_which_nothing_is_granted(
    grants, stations, sensors, start, days, cut, resolution, purpose
):
    rights = Rights(grants)
    request = HistoryRequest(stations, sensors, start * DAY + cut, (start + days) * DAY, resolution, "UTC")
    if rights.allows(request, purpose):
        return
    error = denial_reason(rights, request, purpose)
    unknown = rights.stations(stations) != list(stations) or not all(map(rights.names_sensor, sensors))
    assert isinstance(error, UnknownStation | UnknownSensor) == unknown
    if not unknown:
        assert isinstance(error, NotPermitted)
        assert error.message != "You do not have permission for this."
