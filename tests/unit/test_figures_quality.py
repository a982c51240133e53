"""The matrix of quality control, what is told of its events, and what was not checked."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, get_args

import pytest

from analysis.answer import Moment
from analysis.quality.review import MOST_EVENTS, RULES, Quality, QualityEvent, RuleCount, Unasked, listed_events
from analysis.registry import find
from data.request import HistoryRequest
from figures.analyses.quality import FOUND
from figures.rule_words import found_words, rule_name
from i18n import LANGUAGES, set_language
from layouts.analyses import quality
from layouts.review import Reviewed, decisions_told, events_told
from layouts.views import drawing_options
from tests.unit.answers import CATALOGUE, ODD_NAMES, answer, at, drawn, subject

HOUR = 3_600_000


@pytest.fixture(autouse=True)
def _english():
    yield
    set_language("en")


def event(rule: str, sensor: str, hours: int, **more: Any) -> QualityEvent:
    start = at("2024-03-10")
    said: dict[str, Any] = {"severity": "hard", "rows": 5, "value": 16.8, "limit": 4.0, "unit": "°C"} | more
    return QualityEvent(rule=rule, sensor=sensor, from_=Moment(start), to_=Moment(start + hours * HOUR), **said)


def found() -> Quality:
    events = (event("stuck", "temperature", 144), event("stuck", "temperature", 9), event("gap", "", 2, unit="readings"))
    counts = (RuleCount("", "gap", 1, 1, 5), RuleCount("temperature", "stuck", 2, 0, 10))
    return Quality(1, events, 60, counts, (Unasked("temperature", "neighbours", "neighbours"),))


def test_of_too_many_events_the_longest_of_each_rule_and_the_hard_ones_are_listed_in_their_order():
    steps = [event("step", "temperature", 1, severity="suspect", rows=place) for place in range(MOST_EVENTS + 5)]
    longer = event("step", "temperature", 9, severity="suspect")
    rare = [event("spike", "temperature", 0, severity="suspect"), event("stuck", "temperature", 3)]
    listed = listed_events([*steps, longer, *rare])
    assert listed == (*steps[: MOST_EVENTS - 3], longer, *rare)
    assert listed_events([*steps[:5], *rare]) == (*steps[:5], *rare)


def made(*stations: str):
    return answer("quality", "2024-03-01", "2024-04-01", *(subject(found(), station) for station in stations))


def test_a_cell_has_the_number_of_events_of_readings_and_names_its_rule_and_series():
    (marks,) = drawn(made("JFK", "EWR"))["data"]
    assert list(zip(marks["x"], marks["y"], marks["text"], strict=True)) == [(0, 0, "2"), (0, 1, "2")]
    assert marks["customdata"][0][3:] == ["stuck", "JFK.temperature"]
    assert "JFK" in marks["customdata"][0][2]
    assert not marks["customdata"][0][0] < marks["customdata"][0][1]  # no door


def test_gaps_have_a_matrix_of_their_own_and_the_cell_that_filters_the_list_is_outlined():
    (marks,) = drawn(made("JFK", "EWR"), found="gaps", rule="gap", of="EWR.")["data"]
    assert list(zip(marks["x"], marks["y"], marks["text"], strict=True)) == [(0, 0, "1"), (0, 1, "1")]
    assert marks["marker"]["line"]["width"] == [0, 2]
    (of_readings,) = drawn(made("JFK"))["data"]
    assert marks["marker"]["color"][0] != of_readings["marker"]["color"][0]  # hard, and only suspect


def test_nothing_found_is_said_in_the_place_of_the_matrix():
    nothing = answer("quality", "2024-03-01", "2024-04-01", subject(Quality(1, (), 0, (), ())))
    picture = drawn(nothing)
    assert not picture["data"]
    assert "Nothing found" in picture["layout"]["annotations"][0]["text"]
    assert quality.details(nothing, CATALOGUE) is None


def reviewed(*stations: str, decided: tuple[tuple[str, str], ...] = (), may: bool = True) -> Reviewed:
    request = HistoryRequest(stations, ("temperature",), at("2024-03-01"), at("2024-04-01"), "raw", "UTC")
    return Reviewed(request, CATALOGUE, decided, lambda one: may and one[0] != "EWR")


def told(*stations: str, **options: str) -> dict[str, Any]:
    return events_told(made(*stations), reviewed(*stations), drawing_options("quality", options))


def test_events_of_readings_are_told_apart_from_gaps_hard_and_long_ones_first():
    found = told("JFK")
    assert [(each["rule"], each["words"][4]) for each in found["events"]] == [("stuck", "6\u202fd"), ("stuck", "9\u202fh")]
    first, start = found["events"][0], at("2024-03-10")
    assert (first["from"], first["to"]) == (start, start + 144 * HOUR)
    assert first["door"] == (start - 72 * HOUR, start + 216 * HOUR)
    assert first["words"][0] == "10 Mar 2024 00:00 – 16 Mar 2024 01:00"  # summer time
    assert found["left"] == 57
    assert [each["rule"] for each in told("JFK", found="gaps")["events"]] == ["gap"]


def test_an_event_says_no_date_twice():
    assert told("JFK")["events"][1]["words"][0] == "10 Mar 2024 00:00–10:00"


def test_a_rule_and_a_series_filter_what_is_told():
    assert {each["station"] for each in told("JFK", "LGA", of="LGA.temperature")["events"]} == {"LGA"}
    assert (told("JFK", rule="spike")["events"], told("JFK", rule="spike")["filtered"]) == ([], True)
    assert told("JFK")["filtered"] is False


def test_only_who_may_review_a_series_is_told_that_its_events_may_be_decided_about():
    found = told("JFK", "EWR")["events"]
    assert {each["station"]: each["may"] for each in found} == {"JFK": True, "EWR": False}
    gaps = told("JFK", "EWR", found="gaps")["events"]  # of the whole station
    assert {each["station"]: each["may"] for each in gaps} == {"JFK": True, "EWR": False}


def test_scripts_of_decisions_come_where_anything_was_decided():
    nothing = decisions_told(reviewed("JFK"))
    assert (nothing["scripts"], nothing["decided"]) == ((), [])
    assert [each["name"] for each in nothing["series"]] == ["JFK · Air temperature"]
    assert decisions_told(reviewed("JFK", decided=(("JFK", "temperature"),)))["scripts"] == ("decisions.js",)


def test_of_a_contradiction_both_sensors_are_named_and_that_no_reading_is_left_out():
    both = Quality(
        1, (event("dew_point", "dew_point", 3, other="temperature"),), 1, (RuleCount("dew_point", "dew_point", 1, 1, 5),), ()
    )
    of_both = answer("quality", "2024-03-01", "2024-04-01", subject(both))
    (listed,) = events_told(of_both, reviewed("JFK"), drawing_options("quality", {}))["events"]
    assert listed["words"][2].endswith("– Air temperature")
    lists = json.dumps(quality.details(of_both, CATALOGUE).to_plotly_json(), default=lambda one: one.to_plotly_json())
    assert "compare sensors or stations: Dew point too high." in lists


def test_what_was_not_checked_is_said():
    lists = json.dumps(quality.details(made("JFK"), CATALOGUE).to_plotly_json(), default=lambda one: one.to_plotly_json())
    assert "neighbours need three more stations" in lists


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_rule_has_a_name_and_every_lack_a_sentence(language):
    set_language(language)
    assert len({rule_name(rule) for rule in RULES} - set(RULES)) == len(RULES)
    for lacks in ("position", "neighbours", "quantity"):
        one = Quality(1, (), 0, (), (Unasked("temperature", "sun", lacks),))
        assert quality.details(answer("quality", "2024-03-01", "2024-04-01", subject(one)), CATALOGUE) is not None


def test_what_was_found_is_said_with_its_limit_and_unit():
    assert found_words(event("stuck", "temperature", 144), CATALOGUE) == "16.8\u202f°C for 144.0 h"
    assert found_words(event("range", "temperature", 0), CATALOGUE) == "16.8\u202f°C (limit 4.0)"
    assert found_words(event("step", "temperature", 0), CATALOGUE) == "by 16.8\u202f°C (limit 4.0)"
    assert found_words(event("spike", "temperature", 0), CATALOGUE) == "16.8\u202f°C, out by more than 4.0"
    assert found_words(event("gap", "", 2), CATALOGUE) == "5 missing"
    assert found_words(event("source", "temperature", 0, limit=float("nan")), CATALOGUE) == "16.8\u202f°C"


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_station_of_any_name_is_drawn_and_listed(name):
    drawn(made(name))
    assert quality.details(made(name), CATALOGUE) is not None
    assert told(name)["events"][0]["station"] == name


def test_many_sensors_are_counted_beyond_what_is_drawn():
    more = drawn(made(*(f"S{number}" for number in range(60))))
    assert len(more["data"][0]["x"]) == 40
    assert "20 more sensors" in more["layout"]["annotations"][0]["text"]


def test_the_control_offers_the_options_of_the_analysis():
    severity, found, rule, of = quality.controls()
    assert tuple(severity.choices or ()) == get_args(find("quality").module.Options.model_fields["severity"].annotation)
    assert tuple(found.choices or ()) == FOUND
    assert tuple(rule.choices or ()) == ("", *RULES)
    request = reviewed("JFK").request
    assert (of.of_loaded(request, CATALOGUE).choices or {}).keys() == {"", "JFK.", "JFK.temperature"}
    many = replace(request, stations=tuple(f"S{number}" for number in range(50)))
    assert of.of_loaded(many, CATALOGUE) is None
