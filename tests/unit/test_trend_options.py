"""How Trend is drawn as its reader wants: axes and panels, and what is said of what cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from callbacks.link import parse_link
from callbacks.selection import Selection
from data.catalogue import load_catalogue
from data.request import HistoryRequest
from data.view.records import HistoryView, Smoothing, SmoothLine
from figures.history import history_figure, is_blank
from figures.trend_options import (
    MOST_PROBLEMS,
    ReadOptions,
    read_smoothing,
    read_trend_options,
    smoothing_problems,
    threshold_problems,
)
from i18n import set_language
from layouts.badge import badge
from layouts.trend import trend_controls
from tests.unit.views import HOUR_MS, START_MS, line, series, view

CATALOGUE = load_catalogue()
X = [float(START_MS + hour * HOUR_MS) for hour in range(4)]


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    set_language("en")
    yield
    set_language("en")


def drawn() -> HistoryView:
    flagged: dict[str, Any] = {"flagged_x": np.array(X[:1]), "flagged_y": np.array([99.0]), "total_flagged": 1}
    return view(
        line(X, [20.0, 25.0, 45.0, 22.0]),
        line(X, [21.0, 24.0, 30.0, 23.0], station="aws-2"),
        line(X, [80.0, 70.0, 60.0, 75.0], sensor="humidity", **flagged),
        series("aws-1", "rainfall", "bars", X, [0.0, 1.0, 0.0, 2.0]),
        series("aws-1", "wind_direction", "dots", X, [0.0, 90.0, 180.0, 270.0]),
    )


def read(**texts: str) -> ReadOptions:
    return read_trend_options(texts, CATALOGUE, drawn())


def layout(**texts: str) -> dict[str, Any]:
    figure = history_figure(drawn(), CATALOGUE, options=read(**texts).options)
    go.Figure(figure)  # Plotly takes it
    found: dict[str, Any] = figure["layout"]
    return found


def axes(made: dict[str, Any]) -> list[dict[str, Any]]:
    return [axis for name, axis in made.items() if name.startswith("yaxis")]


@pytest.mark.parametrize(
    ("text", "expected", "automatic"),
    [
        ("10..40", [10, 40], False),
        ("-5 .. 1e2", [-5, 100], False),
        ("0..", [0, None], "max"),
        ("..40", [None, 40], "min"),
    ],
)
def test_limits_hold_for_the_panel_of_a_sensor_and_an_end_without_one_is_where_readings_end(
    text: str, expected: list[float | None], automatic: Any
) -> None:
    first, second, *_rest = axes(layout(y=f"temperature:{text}"))
    assert (first["range"], first["autorange"]) == (expected, automatic)
    assert second["autorange"] is True


def test_readings_beyond_the_limits_are_told_above_the_panel() -> None:
    words = [note["text"] for note in layout(y="temperature:21..40,humidity:0..100")["annotations"]]
    assert "readings reach 20.0, 45.0" in words[0]
    assert "reach" not in words[1]


def test_a_flagged_value_beyond_chosen_limits_stays_at_the_edge_of_its_panel() -> None:
    figure = history_figure(drawn(), CATALOGUE, options=read(y="humidity:60..70").options)
    flagged = next(trace for trace in figure["data"] if trace["uid"].endswith("flagged"))
    go.Figure(figure)
    assert flagged["marker"]["symbol"] == [105]  # points up, beyond


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ({"y": "presure:1..2"}, "presure is not in this chart; it has temperature, humidity, rainfall, wind_direction."),
        ({"y": "temperature:40..10"}, "the lower limit must be below"),
        ({"y": "temperature:warm"}, 'Cannot read "warm" as limits of Air temperature'),
        ({"y": "temperature:.."}, 'Cannot read ".."'),
        ({"y": "temperature"}, 'Cannot read ""'),
        ({"y": "temperature:1e999.."}, "Cannot read"),
        ({"y": "wind_direction:0..90"}, "Wind direction always shows the whole circle."),
        ({"log": "rainfall"}, "Rainfall has values of 0 or below here"),
        ({"log": "temperature", "y": "temperature:0..40"}, "limits of a logarithmic axis must be above 0"),
        ({"panel": "many"}, 'There are no panels "many"'),
    ],
)
def test_what_cannot_be_drawn_is_said_and_all_else_is_drawn(texts: dict[str, str], words: str) -> None:
    found = read(**texts)
    assert words in " ".join(found.problems)
    go.Figure(history_figure(drawn(), CATALOGUE, options=found.options))
    beside = {**texts, "y": texts.get("y", "") + ",humidity:0..100"}
    assert read(**beside).options.limits["humidity"].high == 100


def test_options_of_a_sensor_that_only_another_chart_has_are_left_out_without_a_word() -> None:
    found = read(y="pressure:900..1100,humidity:0..100", log="pressure", above="pressure:1000", below=" pressure : 900")
    assert found.problems == ()
    assert found.options == read(y="humidity:0..100").options


def test_a_logarithmic_axis_has_limits_in_powers_of_ten() -> None:
    first, second, *_rest = axes(layout(log="temperature", y="temperature:10..100"))
    assert (first["type"], first["range"], second["type"]) == ("log", [1, 2], "linear")


def test_each_series_has_its_own_panel_with_its_station_and_may_share_a_scale_with_its_unit() -> None:
    own = layout(panel="own")
    assert len(axes(own)) == 5
    assert "aws-2 · Air temperature" in own["annotations"][1]["text"]
    assert not any("matches" in axis for axis in axes(own))
    shared = axes(layout(panel="shared", y="temperature:0..50"))
    assert [axis.get("matches") for axis in shared] == [None, "y", None, None, None]
    assert [axis["range"] for axis in shared[:2]] == [[0, 50], [0, 50]]


def test_two_units_share_a_place_with_the_second_axis_at_the_right_but_never_a_direction() -> None:
    made = layout(panel="pair")
    assert [axis.get("overlaying") for axis in axes(made)] == [None, "y", None, None]
    assert made["margin"]["r"] > layout()["margin"]["r"]
    assert made["height"] < layout()["height"]
    assert "(right)" in made["annotations"][0]["text"]


def test_more_own_panels_than_can_be_read_are_refused() -> None:
    many = view(*(line(X, [1.0, 2.0, 3.0, 4.0], station=f"s{number}") for number in range(13)))
    found = read_trend_options({"panel": "own"}, CATALOGUE, many)
    assert found.options.panel == "unit"
    assert "Up to 12 series" in found.problems[0]


def test_trend_keeps_the_options_that_it_knows_and_forgets_what_else_is_in_an_address() -> None:
    link = parse_link("?job=a&from=2013-01-01&y=temperature:10..40&utm_source=mail&log=")
    assert Selection().with_view(link.view, link.options).options == {"y": "temperature:10..40"}


def smoothed(refused: Any = "") -> HistoryView:
    x = np.array(X if not refused else [])
    running = SmoothLine(Smoothing("7d", "median"), x, x * 0 + 24.0, refused)
    return view(line(X, [20.0, 25.0, 45.0, 22.0], smooth=running), series("aws-1", "rainfall", "bars", X, [0.0, 1.0, 0.0, 2.0]))


def test_a_running_value_is_drawn_over_its_line_which_stays_and_both_are_named() -> None:
    figure = history_figure(smoothed(), CATALOGUE)
    go.Figure(figure)
    raw, running, _rain = figure["data"]
    assert (raw["opacity"] < 1, raw["legendgroup"], running["showlegend"]) == (True, running["legendgroup"], False)
    assert running["line"]["width"] > raw["line"]["width"]
    assert "7-day running median" in figure["layout"]["annotations"][0]["text"]
    assert "running" not in figure["layout"]["annotations"][1]["text"]
    assert "7-day running median drawn over it".replace(" ", "\u00a0").replace("-", "\u2011") in badge(smoothed())


@pytest.mark.parametrize(
    ("texts", "expected", "words"),
    [
        ({}, None, ""),
        ({"smooth": "7d"}, Smoothing("7d"), ""),
        ({"smooth": "1h", "smooth_by": "median"}, Smoothing("1h", "median"), ""),
        ({"smooth": "2d"}, None, 'Cannot smooth over "2d"; choose one of 1h, 1d, 7d, 30d.'),
        ({"smooth": "1d", "smooth_by": "mode"}, Smoothing("1d"), "choose mean or median"),
    ],
)
def test_smoothing_is_one_of_few_lengths_by_mean_or_median(texts: dict[str, str], expected: Smoothing | None, words: str) -> None:
    found, problems = read_smoothing(texts)
    assert found == expected
    assert words in " ".join(problems)


@pytest.mark.parametrize(
    ("refused", "words"), [("finer", "zoom in"), ("many", "Choose the mean"), ("floor", "whole steps"), ("", "")]
)
def test_a_line_that_is_not_smoothed_says_why(refused: Any, words: str) -> None:
    problems = " ".join(smoothing_problems(smoothed(refused), Smoothing("7d", "median")))
    assert words in problems
    assert bool(problems) == bool(words)


def test_a_chart_without_lines_says_that_it_has_nothing_to_smooth() -> None:
    bars = view(series("aws-1", "rainfall", "bars", X, [0.0, 1.0, 0.0, 2.0]))
    assert "Only lines" in smoothing_problems(bars, Smoothing("1d"))[0]
    assert smoothing_problems(bars, None) == ()


def test_a_threshold_is_a_named_line_in_the_panel_of_its_sensor_on_any_axis() -> None:
    made = layout(above="temperature:35.25,humidity:90", below="temperature:-1", log="humidity")
    lines = [(shape["yref"], shape["y0"], shape["label"]["text"]) for shape in made["shapes"]]
    assert lines == [("y", 35.25, "above 35.25 °C"), ("y2", 90, "above 90.0 %"), ("y", -1, "below \u22121.0 °C")]
    own = layout(above="temperature:35", panel="own")
    assert [shape["yref"] for shape in own["shapes"]] == ["y", "y2"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("temperature:hot", 'Cannot read "hot" as a threshold of Air temperature'),
        ("temperature:nan", 'Cannot read "nan"'),
        ("wind_direction:90", "Wind direction has no threshold"),
        ("presure:1000", "presure is not in this chart"),
    ],
)
def test_a_threshold_that_is_none_is_said(text: str, words: str) -> None:
    found = read(above=text)
    assert found.options.thresholds == ()
    assert words in found.problems[0]


def test_a_threshold_of_readings_has_no_line_over_bars_that_are_sums_of_them() -> None:
    sums = view(series("aws-1", "rainfall", "bars", X, [0.0, 9.0, 0.0, 2.0], 60, bucket="1d"))
    read_ = read_trend_options({"above": "rainfall:5"}, CATALOGUE, sums)
    assert history_figure(sums, CATALOGUE, options=read_.options)["layout"]["shapes"] == []
    assert "has no line" in threshold_problems(read_.options.thresholds, sums, CATALOGUE)[0]


def test_each_sensor_has_one_threshold_a_side_the_last_and_few_sentences_are_said_at_once() -> None:
    found = read(above="temperature:1,temperature:2", below="temperature:0")
    assert [(one.kind, one.value) for one in found.options.thresholds] == [("above", 2), ("below", 0)]
    wrong = read(y=",".join(f"sensor{number}:1..2" for number in range(100)))
    assert len(wrong.problems) == MOST_PROBLEMS
    assert (
        str(trend_controls({}, CATALOGUE, HistoryRequest(("aws-1",), ("temperature",), 0, 1), wrong.problems)).count(
            "is not in this chart"
        )
        == 4
    )


@pytest.mark.parametrize(
    ("y", "rows", "blank"),
    [([20.0], 1, False), ([20.0, 21.0], 0, False), ([20.0, np.nan, 21.0], 0, True), ([20.0], 0, True), ([], 0, True)],
)
def test_nothing_is_seen_of_a_line_where_no_reading_is_and_no_line_passes(y: list[float], rows: int, blank: bool) -> None:
    assert is_blank(line(X[: len(y)], y, total_rows=rows)) == blank


def test_a_narrow_panel_says_what_its_axis_leaves_out_before_what_the_badge_says_too() -> None:
    options = read(y="temperature:21..40").options
    wide, narrow = (
        history_figure(smoothed(), CATALOGUE, width_px=width, options=options)["layout"]["annotations"][0]["text"]
        for width in (1200, 300)
    )
    assert ("readings reach" in wide, "running" in wide) == (True, True)
    assert ("readings reach" in narrow, "running" in narrow) == (True, False)
