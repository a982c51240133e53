"""The distribution's picture: bins, exceedances and boxes as answered."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.distribution import Box, Distribution
from i18n import set_language
from layouts.analyses import distribution as page
from tests.unit.answers import ODD_NAMES, answer, drawn, numbers, subject, words

NOTHING = Distribution(0, np.empty(0), np.empty(0, np.int64), (), ())
FORMS = ("histogram", "exceedance", "box")


@pytest.fixture(autouse=True)
def _english():
    set_language("en")
    yield
    set_language("en")


def spread(rows: int = 6) -> Distribution:
    box = Box("03", rows, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 2.1)
    return Distribution(rows, np.array([0.0, 2.0, 4.0]), np.array([1, 5]), ((1, 3.9), (50, 2.5), (99.9, 0.1)), (box,))


def picture_of(*subjects, by="month", **drawing):
    return drawn(answer("distribution", "2024-01-01", "2025-01-01", *subjects, by=by, bins=50), **drawing)


def test_a_bar_spans_its_bin_and_is_as_high_as_its_count():
    (bars,) = picture_of(subject(spread()))["data"]
    assert (numbers(bars["x"]).tolist(), numbers(bars["width"]).tolist(), bars["offset"]) == ([0, 2], [2, 2], 0)
    assert numbers(bars["y"]).tolist() == [1, 5]


def test_the_exceedance_pairs_percents_with_the_values_of_the_answer():
    (line,) = picture_of(subject(spread()), show="exceedance")["data"]
    assert list(zip(line["x"], line["y"], strict=True)) == list(spread().exceeded)


@pytest.mark.parametrize(("by", "place"), [("month", 2), ("hour", 3)])
def test_a_box_stands_at_its_part_with_the_quantiles_of_the_answer(by, place):
    box, least, mean, most = picture_of(subject(spread()), by=by, show="box")["data"]
    found = [box[name] for name in ("x", "lowerfence", "q1", "median", "q3", "upperfence")]
    assert found == [[place], [1.0], [1.5], [2.0], [2.5], [3.0]]
    assert [each["y"] for each in (least, mean, most)] == [[0.5], [2.1], [3.5]]


@pytest.mark.parametrize("width", [1000, 262])
def test_readings_that_no_bin_holds_are_said_however_narrow_it_is(width):
    assert "1 out of range" in words(picture_of(subject(spread(7), sensor="wind_direction"), width_px=width)).replace("<br>", " ")
    assert "out of range" not in words(picture_of(subject(spread())))


@pytest.mark.parametrize("show", FORMS)
def test_no_reading_no_series_and_no_quantile_say_so(show):
    assert "No data" in words(picture_of(subject(NOTHING), show=show))
    assert "No data" in words(picture_of(show=show))
    said = words(picture_of(subject(spread(), sensor="wind_direction"), show=show))
    assert ("no quantiles" in said) == (show != "histogram")


def test_boxes_by_nothing_and_series_beyond_the_most_say_so():
    without = Distribution(6, spread().edges, spread().counts, spread().exceeded, ())
    assert "Choose boxes" in words(picture_of(subject(without), by="none", show="box"))
    assert "12 of 13 plots drawn" in words(picture_of(*(subject(spread(), str(n)) for n in range(13))))


@pytest.mark.parametrize("show", FORMS)
@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1000, 262])
def test_odd_names_stay_names_in_each_theme_and_language(show, language, theme, width):
    set_language(language)
    odd = [subject(spread(), name) for name in (*ODD_NAMES, "%{y}<b>")]
    text = words(picture_of(*odd, theme=theme, width_px=width, show=show))
    assert "%{y}" not in text
    assert "&lt;b&gt;" in text


def test_its_first_control_is_of_the_picture_alone():
    assert [(control.name, control.drawing) for control in page.controls()] == [("show", True), ("bins", False), ("by", False)]
    assert tuple(page.controls()[0].choices) == FORMS
