"""The scatter's picture: cells, line and numbers as answered."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from analysis.answer import Moment, SubjectAnswer
from analysis.scatter import MOST_POINTS, Fit, Points, Scatter
from data.time.epoch import DAY_MS
from i18n import set_language
from layouts.analyses import scatter as page
from tests.unit.answers import CATALOGUE, ODD_NAMES, answer, drawn, numbers, words

COUNTS = np.array([[1, 0, 100], [0, 10, 0]])
PAIRS = Scatter(
    111,
    7,
    np.array([0.0, 2.0, 4.0]),
    np.array([0.0, 1.0, 2.0, 3.0]),
    COUNTS,
    0.8768,
    Fit(-0.5, 2.25, -0.6, -0.4, 2.05, 2.45, 0.1),
    0.3,
)
NOTHING = Scatter(0, 7, np.empty(0), np.empty(0), np.empty((0, 0), np.int64), math.nan, None, math.nan)


@pytest.fixture(autouse=True)
def _english():
    set_language("en")
    yield
    set_language("en")


def picture_of(result=PAIRS, station="JFK", sensors=("temperature", "humidity"), **drawing):
    units = tuple(CATALOGUE[name].unit for name in sensors)
    subject = SubjectAnswer(station, sensors, units, 118, result)
    return drawn(answer("scatter", "2024-01-01", "2025-01-01", subject, bins=60), **drawing)


def test_a_cell_has_the_logarithm_of_its_count_where_its_values_are():
    density = picture_of()["data"][0]
    assert (numbers(density["x"]).tolist(), numbers(density["y"]).tolist()) == ([0, 2, 4], [0, 1, 2, 3])
    np.testing.assert_array_equal(numbers(density["z"]), [[0, np.nan], [np.nan, 1], [2, np.nan]])
    assert "100 readings" in density["customdata"][2][0]
    assert density["colorbar"]["ticktext"] == ["1", "10", "100"]


def test_few_pairs_are_points_each_of_which_leads_to_its_day_and_density_is_a_choice():
    few = replace(PAIRS, rows=2, points=Points((Moment(DAY_MS), Moment(2 * DAY_MS)), np.array([1.0, 3.0]), np.array([0.5, 2.5])))
    points = picture_of(few)["data"][0]
    assert (points["mode"], numbers(points["x"]).tolist(), numbers(points["y"]).tolist()) == ("markers", [1, 3], [0.5, 2.5])
    assert points["customdata"][0] == [DAY_MS // 2, 3 * DAY_MS // 2]
    assert "1 Jan 1970 19:00 EST" in points["hovertext"][0]
    assert picture_of(few, **{"as": "density"})["data"][0]["type"] == "heatmap"
    assert "drawn as their density" in words(picture_of(replace(PAIRS, rows=MOST_POINTS + 1), **{"as": "points"}))


def test_the_line_is_the_fit_from_end_to_end_and_the_numbers_are_said():
    *_, line = (picture := picture_of())["data"]
    assert (line["x"], line["y"]) == ([0.0, 4.0], [2.25, 0.25])
    said = words(picture).replace("<br>", " ")
    for text in (
        "r = 0.877",
        "n = 111",
        "7 without partner",
        "y = 2.25 − 0.500 x",
        "slope −0.600 to −0.400 (95 %)",
        "y − x: 0.300",
    ):
        assert text in said
    assert "intercept 2.05 to 2.45" in said


def test_axes_have_name_and_unit_and_two_stations_of_one_sensor_their_own():
    layout = picture_of()["layout"]
    assert [layout[axis]["title"]["text"] for axis in ("xaxis", "yaxis")] == ["Air temperature [°C]", "Relative humidity [%]"]
    layout = picture_of(station="JFK · LGA", sensors=("temperature", "temperature"))["layout"]
    assert layout["yaxis"]["title"]["text"] == "LGA · Air temperature [°C]"


def test_no_pair_no_series_and_no_fit_say_so_or_draw_no_line():
    assert "No two readings" in words(picture_of(NOTHING))
    assert "No data" in words(drawn(answer("scatter", "2024-01-01", "2025-01-01")))
    flat = picture_of(replace(PAIRS, fit=None, correlation=math.nan, difference=math.nan))
    assert len(flat["data"]) == 1
    assert "r = " not in words(flat)


def test_a_direction_has_no_line_and_no_correlation():
    picture = picture_of(sensors=("wind_direction", "temperature"))
    assert len(picture["data"]) == 1
    assert "turns at north" in words(picture)
    assert "r = " not in words(picture)


@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1000, 262])
@pytest.mark.parametrize("name", [*ODD_NAMES[:2], "%{y}<b>"])
def test_odd_names_stay_names_in_each_theme_and_language(language, theme, width, name):
    set_language(language)
    picture = picture_of(station=f"{name} · {name}", sensors=("temperature", "temperature"), theme=theme, width_px=width)
    text = words(picture) + picture["layout"]["xaxis"]["title"]["text"]
    assert "%{y}" not in text
    assert "<b><b>" not in text


def test_its_control_is_the_option_of_the_analysis():
    assert [(control.name, control.drawing) for control in page.controls()] == [("as", True), ("bins", False)]
