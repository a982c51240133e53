"""Pictures of a window beside an earlier one, and of stations beside each other."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analysis.answer import Moment
from analysis.differences import Differences, Offset
from analysis.earlier import Earlier, Side
from data.request import request_of
from figures.template import series_colour, style_of, translucent
from i18n import set_language
from layouts.analyses import compare, differences, earlier
from layouts.controls import Control, control_field
from layouts.views import tab_views, view_controls, view_names, view_tabs
from tests.unit.answers import CATALOGUE, ODD_NAMES, answer, at, drawn, numbers, subject, words

HOUR = 3_600_000


@pytest.fixture(autouse=True)
def _english():
    yield
    set_language("en")


def beside() -> Earlier:
    """Three hours, and the same a day before: one lacks a value."""
    begin, before = at("2024-03-09"), at("2024-03-08")
    values, earlier_values = np.array([1.0, 2.0, math.nan]), np.array([3.0, 3.0, 5.0])
    sides = [Side(Moment(start), Moment(start + 3 * HOUR), 3, 1.0, 2.0, 1.0, 3.0) for start in (begin, before)]
    starts = tuple(Moment(begin + n * HOUR) for n in range(3))
    counts = np.ones(3, np.int64)
    difference = values - earlier_values
    return Earlier(
        "1h", np.array([0, 60, 120]), starts, values, earlier_values, difference, counts, counts, sides[0], sides[1], -2.5, ""
    )


def stations(number: int = 2) -> Differences:
    """Two days at so many stations, each a degree warmer than the one before."""
    names = tuple(f"S{place}" for place in range(number))
    values = np.arange(number, dtype=float)[:, None] + np.array([[10.0, 20.0]])
    starts = (Moment(at("2024-03-09")), Moment(at("2024-03-10")))
    offsets = tuple(Offset(name, 2, float(place), 0.0, 1.0) for place, name in enumerate(names) if place)
    return Differences("1d", names[0], names, starts, values, np.ones((number, 2), np.int64), values - values[0], offsets)


def test_an_earlier_window_lies_under_this_one_over_its_clock_and_each_point_leads_to_its_own_time():
    made = answer("earlier", "2024-03-09", "2024-03-09T03:00", subject(beside()))
    before, this = drawn(made)["data"]
    assert (numbers(before["y"]).tolist(), numbers(this["y"])[:2].tolist()) == ([3.0, 3.0, 5.0], [1.0, 2.0])
    assert numbers(before["x"]).tolist() == numbers(this["x"]).tolist()
    doors = numbers(before["customdata"])
    assert doors[1, 0] < at("2024-03-08T01:00") < at("2024-03-08T02:00") < doors[1, 1] < at("2024-03-09")
    assert "−2.5" in words(drawn(made))


def test_the_difference_to_an_earlier_window_is_that_of_the_answer():
    (line,) = drawn(answer("earlier", "2024-03-09", "2024-03-09T03:00", subject(beside())), **{"as": "difference"})["data"]
    assert numbers(line["y"])[:2].tolist() == [-2.0, -1.0]


@pytest.mark.parametrize(("scale", "same"), [("same", True), ("own", False)])
def test_windows_side_by_side_have_one_scale_unless_each_is_to_have_its_own(scale, same):
    made = answer("earlier", "2024-03-09", "2024-03-09T03:00", subject(beside()))
    layout = drawn(made, **{"as": "side by side", "y": scale})["layout"]
    assert (layout["yaxis"]["range"] == layout["yaxis2"]["range"]) is same


def test_a_title_of_two_lines_does_not_lie_over_the_note():
    made = answer("earlier", "2024-03-09", "2024-03-09T03:00", subject(beside()))
    shifts = [drawn(made, **{"as": form})["layout"]["annotations"][0]["yshift"] for form in ("overlay", "side by side")]
    assert shifts[1] - shifts[0] >= 14


def test_stations_are_lines_of_the_colours_that_trend_gives_them_and_days_lead_to_themselves():
    lines = drawn(answer("differences", "2024-03-09", "2024-03-11", subject(stations())))["data"]
    assert [numbers(line["y"]).tolist() for line in lines] == [[10.0, 20.0], [11.0, 21.0]]
    hues = [series_colour("", style_of("light"), place, station_count=2) for place in range(2)]
    assert [line["line"]["color"] for line in lines] == [translucent(hue, 1.0) for hue in hues]
    assert numbers(lines[0]["customdata"])[1, :2].tolist() == [at("2024-03-10"), at("2024-03-11")]  # of 23 hours


def test_the_station_that_others_are_compared_with_has_no_difference_to_itself():
    made = answer("differences", "2024-03-09", "2024-03-11", subject(stations(3)))
    picture = drawn(made, **{"as": "difference"})
    assert [numbers(line["y"]).tolist() for line in picture["data"]] == [[1.0, 1.0], [2.0, 2.0]]
    assert "less S0" in words(picture)


def test_of_many_stations_only_the_one_compared_with_has_a_colour_and_lies_over_the_others():
    lines = drawn(answer("differences", "2024-03-09", "2024-03-11", subject(stations(12))))["data"]
    assert len({line["line"]["color"] for line in lines}) == 2
    assert lines[-1]["name"] == "S0"


def test_few_sums_are_bars_beside_each_other():
    made = answer("differences", "2024-03-09", "2024-03-11", subject(stations(), sensor="rainfall"))
    one, other = drawn(made)["data"]
    assert (one["type"], one["offset"] + one["width"]) == ("bar", pytest.approx(other["offset"]))


def test_directions_have_the_four_winds_on_their_axis_and_their_differences_degrees():
    made = answer("differences", "2024-03-09", "2024-03-11", subject(stations(), sensor="wind_direction"))
    winds, degrees = (drawn(made, **{"as": form})["layout"]["yaxis"] for form in ("overlay", "difference"))
    assert (winds["ticktext"], winds["ticksuffix"]) == (["N", "E", "S", "W", "N"], "")
    assert ("ticktext" in degrees, degrees["ticksuffix"]) == (False, " °")


@pytest.mark.parametrize("form", ["overlay", "side by side", "difference"])
@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize(("theme", "width"), [("light", 1000), ("dark", 262)])
def test_odd_names_stay_names_and_nothing_says_so(form, language, theme, width):
    set_language(language)
    odd = answer("earlier", "2024-03-09", "2024-03-09T03:00", *(subject(beside(), name) for name in ODD_NAMES))
    text = words(drawn(odd, theme=theme, width_px=width, **{"as": form}))
    assert "&lt;b&gt;" in text
    named = stations(len(ODD_NAMES))
    named = Differences(**{**vars(named), "stations": ODD_NAMES, "base": ODD_NAMES[0]})
    picture = drawn(answer("differences", "2024-03-09", "2024-03-11", subject(named)), theme=theme, **{"as": form})
    assert not any("%{y}" in line["name"] or "<b>" in line["name"] for line in picture["data"])
    for name in ("earlier", "differences"):
        assert words(drawn(answer(name, "2024-03-09", "2024-03-11")))


def test_both_windows_and_how_stations_differ_are_told_in_numbers():
    made = answer("earlier", "2024-03-09", "2024-03-09T03:00", subject(beside()))
    assert "−2.5" in str(earlier.details(made, CATALOGUE))
    made = answer("differences", "2024-03-09", "2024-03-11", subject(stations()))
    assert "+1.0" in str(differences.details(made, CATALOGUE))


REQUEST = request_of(["a", "b"], ["temperature"], "2022-05-01", "2024-02-01", "raw", "UTC")


def test_years_periods_and_stations_are_one_tab_and_the_controls_say_which_is_shown():
    assert tab_views("earlier") == ("compare", "earlier", "differences", "drift")
    assert view_names()["differences"] == "Compare: Stations"
    row = str(view_tabs())
    assert row.count("data-views='compare earlier differences drift'") == 1
    assert "data-view='earlier'" not in row
    by = view_controls("earlier", {}, REQUEST, CATALOGUE).children[0]
    pressed = {vars(one)["data-view"]: vars(one)["aria-pressed"] for one in by.children[1].children}
    assert pressed == {"compare": "false", "earlier": "true", "differences": "false", "drift": "false"}


def test_choices_are_those_of_what_is_loaded():
    years = next(control for control in compare.controls() if control.name == "years").of_loaded(REQUEST, CATALOGUE)
    assert years is not None
    assert (tuple(years.choices or ()), years.default) == (("2022", "2023", "2024"), "2022,2023,2024")
    base = next(control for control in differences.controls() if control.name == "base")
    assert base.of_loaded(REQUEST, CATALOGUE).choices == {"": "a", "b": "b"}
    alone = request_of(["a"], ["temperature"], "2022-05-01", "2022-06-01", "raw", "UTC")
    assert base.of_loaded(alone, CATALOGUE) is None
    long = request_of(["a"], ["temperature"], "1990-01-01", "2024-01-01", "raw", "UTC")
    written = next(control for control in compare.controls() if control.name == "years").of_loaded(long, CATALOGUE)
    assert (written.choices, written.many) == (None, False)


def test_the_scale_is_asked_for_where_plots_stand_side_by_side():
    for options, there in (({}, False), ({"as": "side by side"}, True)):
        assert ("data-option='y'" in str(view_controls("compare", options, REQUEST, CATALOGUE))) is there


def test_several_of_many_choices_are_pressed_and_what_is_no_choice_stands_in_a_field():
    many = control_field(Control("years", "Years", {"1": "1", "2": "2", "3": "3"}, many=True, default="1,2,3"), "1,3")
    assert [vars(part)["aria-pressed"] for part in many.children[1].children] == ["true", "false", "true"]
    own = control_field(Control("offset", "Offset", {"day": "A day"}, own="such as 36h"), "36h")
    assert own.children[2].children[1].value == "36h"
    folded = control_field(Control("months", "Months", {"": "All", "9": "Sep"}, folded=True), "9")
    assert folded.children[1].value == "9"
    usual = control_field(Control("months", "Months", {"": "All", "9": "Sep"}, folded=True), "").children[1]
    assert usual.value in {each["value"] for each in usual.options if each["label"] == "All"} - {""}  # which would look empty
