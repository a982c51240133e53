"""The matrix and the list of quality control: numbers as answered, each a door to its readings."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from analysis.answer import Moment
from analysis.quality.review import MOST_EVENTS, RULES, Quality, QualityEvent, RuleCount, Unasked, listed_events
from analysis.registry import find
from figures.rule_words import found_words, rule_name
from i18n import LANGUAGES, set_language
from layouts.analyses import quality
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


def test_a_cell_has_the_number_of_events_and_leads_to_the_longest_with_what_is_around_it():
    (marks,) = drawn(made("JFK", "EWR"))["data"]
    assert list(zip(marks["x"], marks["y"], marks["text"], strict=True)) == [
        (0, 0, "1"), (1, 1, "2"), (0, 2, "1"), (1, 3, "2"),
    ]  # fmt: skip
    start = at("2024-03-10")
    assert marks["customdata"][1][:2] == [start - 72 * HOUR, start + 216 * HOUR]
    assert "JFK" in marks["customdata"][1][2]
    assert marks["marker"]["color"][0] != marks["marker"]["color"][1]  # hard, and only suspect


def test_nothing_found_is_said_in_the_place_of_the_matrix():
    nothing = answer("quality", "2024-03-01", "2024-04-01", subject(Quality(1, (), 0, (), ())))
    picture = drawn(nothing)
    assert not picture["data"]
    assert "Nothing found" in picture["layout"]["annotations"][0]["text"]
    assert quality.details(nothing, CATALOGUE) is None


def test_the_list_has_a_door_to_each_event_and_says_what_is_left_out_and_what_was_not_checked():
    lists = json.dumps(quality.details(made("JFK"), CATALOGUE).to_plotly_json(), default=lambda one: one.to_plotly_json())
    assert lists.count('"data-from"') == 3
    assert "57 more events" in lists
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


def test_many_sensors_are_counted_beyond_what_is_drawn():
    picture = drawn(made(*(f"S{number}" for number in range(30))))
    assert len(picture["data"][0]["x"]) == 40
    assert "20 more sensors" in picture["layout"]["annotations"][0]["text"]


def test_the_control_offers_the_options_of_the_analysis():
    (control,) = quality.controls()
    assert tuple(control.choices or ()) == get_args(find("quality").module.Options.model_fields["severity"].annotation)
