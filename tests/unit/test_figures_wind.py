"""The picture of a wind rose, and its table: what is drawn is what was counted."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from analysis.answer import Answer, SubjectAnswer
from analysis.other_rose import OtherGroup, OtherRose
from analysis.wind import SECTORS, Group, Wind
from data.catalogue import load_catalogue
from data.request import request_of
from figures.analyses.wind import figure
from figures.canvas import Canvas
from figures.colour_scales import ramp_colours
from figures.template import LEAST_CONTRAST, contrast, style_of
from i18n import set_language
from layouts.analyses.wind import controls, details

CATALOGUE = load_catalogue()
ODD = ["%{y}", "<b>", "sensor__proto__7"]


def rose(rows: int = 100, groups: tuple[Group, ...] = ()) -> Wind:
    """A rose with 25 calms in each 100 rows, the rest from north, east and north-north-west."""
    counts = np.zeros((16, 2), np.int64)
    counts[0], counts[4], counts[15] = (rows // 4, rows // 8), (rows // 8, 0), (0, rows - rows // 4 * 3)
    calm = rows - int(counts.sum())
    return Wind(
        sectors=SECTORS,
        classes=(4.0, math.inf),
        counts=counts,
        calm=calm,
        calm_below=0.5,
        rows=rows,
        unpaired=3,
        prevailing="N",
        groups=groups,
        mean=2.0,
        max=7.0,
        mean_direction=10.0,
        constancy=60.0,
        weibull={"shape": 2.0, "scale": 3.0},
    )


def answer(*results: Wind, by: str = "none", names: list[str] | None = None) -> Answer:
    stations = names or [f"S{place}" for place in range(len(results))]
    subjects = tuple(
        SubjectAnswer(name, ("wind_speed", "wind_direction"), ("m/s", "°"), result.rows, result)
        for name, result in zip(stations, results, strict=True)
    )
    return Answer("wind", 0, 86_400_000, "UTC", {"by": by}, subjects)


def canvas(theme: str = "light", width_px: int = 900) -> Canvas:
    return Canvas(style_of(theme), width_px)


def test_percents_add_to_100_with_calms_which_are_in_the_centre_and_no_sector():
    result = rose()
    drawn = figure(answer(result), CATALOGUE, canvas())
    percents = np.array([trace["r"] for trace in drawn["data"]])
    assert percents.sum() + 100 * result.calm / result.rows == pytest.approx(100)
    assert np.allclose(percents.T, result.counts)  # of 100 rows
    assert any("calm<br>26.0" in note["text"] for note in drawn["layout"]["annotations"])
    axis = drawn["layout"]["polar"]["angularaxis"]
    assert (axis["rotation"], axis["direction"], axis["ticktext"][:3]) == (90, "clockwise", ["N", "NE", "E"])


def test_parts_are_a_rose_each_of_one_scale_and_what_is_not_drawn_is_said():
    month = [Group(f"{number:02d}", 100, 25, rose().counts, 2.0) for number in range(1, 13)]
    one = rose(groups=tuple(month))
    drawn = figure(answer(one, one, by="month"), CATALOGUE, canvas())
    polars = [name for name in drawn["layout"] if name.startswith("polar")]
    assert len(polars) == 12
    assert len({tuple(drawn["layout"][name]["radialaxis"]["range"]) for name in polars}) == 1
    assert "12 of 24 plots drawn" in drawn["layout"]["annotations"][0]["text"]
    hours = tuple(Group(f"{hour:02d}", 100, 25, rose().counts, 2.0) for hour in range(24))
    drawn = figure(answer(rose(groups=hours), by="hour"), CATALOGUE, canvas())
    assert len([name for name in drawn["layout"] if name.startswith("polar")]) == 24


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize("width_px", [262, 900])
def test_a_rose_is_legal_in_every_theme_language_and_width_with_any_name(theme, language, width_px):
    set_language(language)
    try:
        drawn = figure(answer(*[rose()] * 3, names=ODD), CATALOGUE, canvas(theme, width_px))
        assert controls()
    finally:
        set_language("en")
    go.Figure(drawn)
    texts = [note["text"] for note in drawn["layout"]["annotations"]]
    assert not any("<b>" in text or "%{" in text for text in texts)
    assert drawn["layout"]["height"] > 150


def other(limits: tuple[float, ...] = (5.0, 9.0), groups: tuple[OtherGroup, ...] = ()) -> OtherRose:
    """A rose of humidity: 60 readings from the north, 30 from the east, 10 with calms."""
    counts = np.zeros((16, len(limits) + 1), np.int64)
    counts[0, 0], counts[4, -1] = 60, 30
    calm = np.array([*[0] * len(limits), 10])
    by_sector = np.full(16, math.nan)
    return OtherRose("humidity", "%", (*limits, math.inf), counts, by_sector, by_sector, calm, 7.0, 100, 3, 0, groups)


def test_a_rose_of_another_sensor_has_its_classes_and_shares_of_its_readings():
    made = answer(replace(rose(), other=other()))
    drawn = figure(made, CATALOGUE, canvas())
    assert [trace["name"] for trace in drawn["data"]] == ["<\u202f5", "5–9", "≥\u202f9"]
    percents = np.array([trace["r"] for trace in drawn["data"]])
    assert (percents[0, 0], percents[2, 4], percents.sum()) == (60, 30, 90)
    texts = " ".join(note["text"] for note in drawn["layout"]["annotations"])
    assert "calm<br>10.0" in texts
    assert "Relative humidity by wind direction" in texts
    listed = str(details(made, CATALOGUE))
    assert "Relative humidity by wind direction" in listed
    assert "3 readings of wind have no value of it." in listed


def test_the_legend_of_several_stations_names_the_classes_with_their_unit_and_parts_are_a_rose_each():
    two = answer(replace(rose(), other=other()), replace(rose(), other=other()))
    drawn = figure(two, CATALOGUE, canvas())
    assert [trace["name"] for trace in drawn["data"] if trace["showlegend"]] == ["<\u202f5", "5–9", "≥\u202f9"]
    assert drawn["layout"]["legend"]["title"]["text"] == "%"
    season = OtherGroup("DJF", 10, other().counts, other().calm)
    parts = answer(replace(rose(groups=(Group("DJF", 10, 0, rose().counts, 1.0),)), other=other(groups=(season,))), by="season")
    assert any("Dec–Feb" in note["text"] for note in figure(parts, CATALOGUE, canvas())["layout"]["annotations"])


def test_a_rose_may_be_of_the_stations_other_sensors():
    control = next(each for each in controls() if each.name == "of")
    loaded = request_of(["a"], ["wind_speed", "wind_direction", "humidity"], "2024-01-01", "2024-02-01", "raw", "UTC")
    assert control.of_loaded(loaded, CATALOGUE).choices == {"": "wind speed", "humidity": "Relative humidity"}
    alone = request_of(["a"], ["wind_speed", "wind_direction"], "2024-01-01", "2024-02-01", "raw", "UTC")
    assert control.of_loaded(alone, CATALOGUE) is None


def test_a_rose_of_nothing_says_so_and_has_no_table():
    nothing = Wind(SECTORS, (4.0, math.inf), np.zeros((16, 2), np.int64), 0, 0.5, 0, 0, None, *[math.nan] * 4, None, ())
    drawn = figure(answer(nothing), CATALOGUE, canvas())
    go.Figure(drawn)
    assert any(note["text"] == "No data" for note in drawn["layout"]["annotations"])
    assert details(answer(nothing), CATALOGUE) is None
    go.Figure(figure(answer(), CATALOGUE, canvas()))


def test_the_table_has_every_share_of_the_rose():
    section = str(details(answer(rose()), CATALOGUE).to_plotly_json())
    assert "26.0" in section
    assert "100.0" in section


def test_directions_in_whole_tens_are_told_with_their_stations():
    made = answer(rose(), replace(rose(), whole_tens=True))
    assert "S1: directions are whole tens of degrees" in str(details(made, CATALOGUE))
    assert "whole tens" not in str(details(answer(rose()), CATALOGUE))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_colour_of_growth_stands_out_from_the_ground_and_more_stands_out_more(theme):
    found = [contrast(colour, style_of(theme).ground) for colour in ramp_colours(style_of(theme), 8)]
    assert found == sorted(found)
    assert found[0] >= LEAST_CONTRAST
