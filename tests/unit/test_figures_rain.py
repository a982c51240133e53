"""The picture of rain, and its lists: what is drawn is what was answered."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from analysis.answer import Answer, SubjectAnswer
from analysis.rain import Rain, Total
from data.catalogue import load_catalogue
from data.request import request_of
from figures.analyses.rain import figure
from figures.canvas import Canvas
from figures.template import style_of
from i18n import set_language
from layouts.analyses.rain import controls, details

CATALOGUE = load_catalogue()
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
START_MS = 1_704_067_200_000  # 2024-01-01


def answer(name: str = "A") -> Answer:
    """Three days: a whole one, one with half its readings, one with none."""
    nan = float("nan")
    days = (
        Total("2024-01-01", 4.0, 1.0, True),
        Total("2024-01-02", 2.0, 0.5, True),
        Total("2024-01-03", nan, 0.0, True),
    )
    month, year = Total("2024-01-01", 6.0, 0.5, False), Total("2024-01-01", 6.0, 0.5, False)
    amounts = {"1": 2, "10": 0, "20": 0, "50": 0}
    running = np.array([4.0, 6.0, nan])
    result = Rain(days, (month,), (year,), days[:1], (), (), amounts, (), running, (), (), "too short", 6.0)
    subject = SubjectAnswer(name, ("rainfall",), ("mm",), 3, result)
    return Answer("rain", START_MS, START_MS + 3 * DAY_MS, "UTC", {}, (subject,))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize("show", ["day", "month", "year", "cumulative"])
def test_every_picture_of_rain_is_a_plotly_figure(theme, language, show):
    set_language(language)
    try:
        drawn = figure(answer("%{y}<b>"), CATALOGUE, Canvas(style_of(theme), 900, {"show": show}))
    finally:
        set_language("en")
    assert go.Figure(drawn).data
    assert "%{y}" not in json.dumps(drawn["data"])
    title = drawn["layout"]["annotations"][-1]["text"]
    assert title.startswith("<b>%&#123;y}&lt;b&gt;</b>")  # the name is shown, and is no markup


def test_bars_are_the_totals_and_doors_to_their_days_and_incomplete_ones_are_lighter():
    drawn = figure(answer(), CATALOGUE, Canvas(style_of("light"), 900))
    (bars,) = drawn["data"]
    assert bars["y"] == [4.0, 2.0]
    assert [each[:2] for each in bars["customdata"]] == [[START_MS + n * DAY_MS, START_MS + (n + 1) * DAY_MS] for n in (0, 1)]
    assert bars["marker"]["color"][0] != bars["marker"]["color"][1]
    assert any("Lighter" in note["text"] for note in drawn["layout"]["annotations"])


def test_days_that_begin_at_seven_are_doors_from_seven_to_seven():
    seven = replace(answer(), options={"day_start": "07"})
    (bars,) = figure(replace(seven, start_ms=START_MS + 7 * HOUR_MS), CATALOGUE, Canvas(style_of("light"), 900))["data"]
    assert bars["customdata"][0][:2] == [START_MS + 7 * HOUR_MS, START_MS + 7 * HOUR_MS + DAY_MS]


def test_the_start_of_the_rain_day_is_a_choice_of_the_catalogues_midnight_and_seven():
    control = next(each for each in controls() if each.name == "day_start")
    loaded = request_of(["a"], ["rainfall"], "2024-01-01", "2024-02-01", "raw", "UTC")
    found = control.of_loaded(loaded, CATALOGUE).choices
    assert set(found.values()) == {"00:00", "07:00"}
    assert "" in found


def test_lists_of_rain_say_why_there_are_no_return_levels():
    assert "need 10 years" in str(details(answer(), CATALOGUE))


def test_an_empty_answer_of_rain_says_so():
    empty = Answer("rain", START_MS, START_MS + DAY_MS, "UTC", {}, ())
    drawn = figure(empty, CATALOGUE, Canvas(style_of("light"), 900))
    assert any("No data" in note["text"] for note in drawn["layout"]["annotations"])
