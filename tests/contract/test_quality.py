"""The analysis ``quality``: what it lists of stations whose faults are known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from data.quality_limits import QualityLimits
from data.site import Site
from data.station_metadata import StationMetadata
from tests.contract.test_analyses import HOUR, at, found, question, site, store  # noqa: F401 - a fixture

MINUTE = 60_000
START, END = "2024-01-20", "2024-02-10"  # over the end of a month


def course(times: np.ndarray, seed: int, digits: int = 1) -> np.ndarray:
    """A temperature with days and weather, in steps of its digits."""
    random = np.random.default_rng(seed)
    weather = np.convolve(random.normal(0, 1, len(times) + 40), np.ones(41) / 41, "valid") * 6
    return np.round(12 + 5 * np.sin(times / (24 * HOUR) * 2 * np.pi) + weather, digits)


def listed(asked: Any, **options: str) -> list[tuple[str, str, str, str]]:
    """(rule, sensor, from, to) of each event of the first station."""
    events = found("quality", asked, **options)["results"][0]["events"]
    return [(each["rule"], each["sensor"], each["from"][5:16], each["to"][5:16]) for each in events]


@pytest.fixture
def times() -> np.ndarray:
    return np.arange(at(START), at(END), HOUR)


def test_faults_are_listed_as_events_and_a_clean_station_has_none(site: Site, times: np.ndarray) -> None:  # noqa: F811
    clean, faulty = course(times, 1), course(times, 1)
    faulty[100] = -30  # a spike
    faulty[270:310] = 9.9  # stuck over the end of January
    faulty[400] = 99  # no thermometer shows that
    store(site, "clean", times, temperature=clean)
    kept = np.delete(np.arange(len(times)), [450, 451, 452])
    store(site, "faulty", times[kept], temperature=faulty[kept])
    assert listed(question(site, "clean", "temperature", START, END)) == []
    asked = question(site, "faulty", "temperature", START, END)
    assert listed(asked) == [
        ("spike", "temperature", "01-24T04:00", "01-24T04:00"),
        ("stuck", "temperature", "01-31T06:00", "02-01T21:00"),
        ("range", "temperature", "02-05T16:00", "02-05T16:00"),
        ("gap", "", "02-07T17:00", "02-07T21:00"),
    ]
    result = found("quality", asked)["result"]
    spike, _, beyond, _ = result["events"]
    assert (spike["severity"], spike["value"], spike["limit"], spike["unit"], spike["rows"]) == ("hard", -30, 6, "°C", 1)
    assert (beyond["value"], beyond["limit"]) == (99, 60)
    gap = result["counts"][0]
    assert (gap["sensor"], gap["rule"], gap["events"], gap["rows"]) == ("", "gap", 1, 3)
    assert {each["lacks"] for each in result["unasked"]} == {"neighbours"}


def test_a_frozen_station_is_one_event_without_its_sensors_and_the_jump_after_it(site: Site) -> None:  # noqa: F811
    times = np.arange(at("2024-01-28"), at("2024-02-04"), 10 * MINUTE)
    columns = {
        "temperature": course(times, 2),
        "humidity": np.round(60 + course(times, 3)),
        "pressure": 1000 + course(times, 4, 2),
    }
    for values in columns.values():
        values[560:620] = values[560]  # over the end of January
        values[620:] += 10
    store(site, "a", times, **columns)
    asked = question(site, "a", "temperature humidity pressure", "2024-01-28", "2024-02-04")
    assert listed(asked) == [("frozen", "", "01-31T21:20", "02-01T07:10")]


def test_only_hard_events_are_listed_where_only_these_are_asked_for(site: Site, times: np.ndarray) -> None:  # noqa: F811
    values = course(times, 5)
    values[200:] += 7.5
    values[300:] += 15
    store(site, "a", times, temperature=values)
    asked = question(site, "a", "temperature", START, END)
    assert [rule for rule, *_ in listed(asked)] == ["step", "step"]
    assert [start for _, _, start, _ in listed(asked, severity="hard")] == ["02-01T11:00"]


def test_a_station_that_departs_from_its_neighbours_is_found_where_the_request_names_them(
    site: Site,  # noqa: F811
    times: np.ndarray,
) -> None:
    random = np.random.default_rng(6)
    for place, station in enumerate("abcd"):
        values = course(times, 7) + np.round(place + random.normal(0, 0.3, len(times)), 1)
        if station == "a":
            values[200:230] += np.concatenate([np.arange(10), np.full(10, 10.0), np.arange(10, 0, -1)])
        store(site, station, times, temperature=values)
    answer = found("quality", question(site, "a b c d", "temperature", START, END))
    rules = [[event["rule"] for event in result["events"]] for result in answer["results"]]
    assert rules == [["neighbours"], [], [], []]
    assert listed(question(site, "a", "temperature", START, END)) == []


def test_the_catalogues_limits_of_a_station_go_before_the_usual_ones(site: Site, times: np.ndarray) -> None:  # noqa: F811
    values = course(times, 8)
    values[250:] += 5
    store(site, "a", times, temperature=values)
    assert listed(question(site, "a", "temperature", START, END)) == []
    strict = StationMetadata(quality={"temperature": QualityLimits(step=((60, 4.0),))})
    stricter = replace(site, catalogue=replace(site.catalogue, stations={"a": strict}))
    assert [rule for rule, *_ in listed(question(stricter, "a", "temperature", START, END))] == ["step"]


def test_light_at_night_needs_the_stations_position_and_the_answer_says_so(site: Site, times: np.ndarray) -> None:  # noqa: F811
    light = np.round(np.maximum(0, 700 * np.sin((times / (24 * HOUR) - 0.25) * 2 * np.pi)))
    light[240 + 1] = 300  # one in the morning
    store(site, "a", times, solar_radiation=light)
    result = found("quality", question(site, "a", "solar_radiation", START, END))["result"]
    assert [each["rule"] for each in result["events"]] == []
    assert ("solar_radiation", "sun", "position") in {tuple(each.values()) for each in result["unasked"]}
    placed = StationMetadata(latitude=0.0, longitude=0.0)
    known = replace(site, catalogue=replace(site.catalogue, stations={"a": placed}))
    assert [(rule, start) for rule, _, start, _ in listed(question(known, "a", "solar_radiation", START, END))] == [
        ("sun", "01-30T01:00")
    ]


def test_dead_par_and_a_silent_sensor_are_found_beside_the_others(site: Site) -> None:  # noqa: F811
    times = np.arange(at(START), at("2024-01-26"), 10 * MINUTE)
    light = np.maximum(0, 700 * np.sin((times / (24 * HOUR) - 0.25) * 2 * np.pi)).round(1)
    par = np.round(2 * light + np.random.default_rng(9).normal(0, 1, len(times)), 2)
    par[300:] = np.round(np.random.default_rng(9).uniform(0.05, 0.8, len(times) - 300), 3)
    humid = np.round(50 + course(times, 10) * 2, 1)
    humid[500:540] = np.nan
    store(site, "a", times, solar_radiation=light, par_sensor=par, humidity=humid)
    asked = question(site, "a", "solar_radiation par_sensor humidity", START, "2024-01-26")
    assert {(rule, sensor) for rule, sensor, *_ in listed(asked)} == {
        ("variation", "par_sensor"),
        ("par_ratio", "par_sensor"),
        ("silent", "humidity"),
    }
    events = found("quality", asked)["results"][0]["events"]
    assert {each["other"] for each in events if each["rule"] == "par_ratio"} == {"solar_radiation"}
    assert {each["other"] for each in events if each["rule"] != "par_ratio"} == {None}
