"""The figure of the history page: its rail names the series, and nothing lies over the data."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import plotly.graph_objects as go
import pytest

from data.catalogue import load_catalogue
from data.view.records import HistoryView
from figures.history import Figure, history_figure
from figures.panels import HEADER_PX
from figures.rail import drawn_colours, railed
from i18n import set_language
from tests.unit.test_figures_history import array, crowded, every_kind, hours, many, size
from tests.unit.views import line, view

CATALOGUE = load_catalogue()


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    set_language("en")
    yield
    set_language("en")


def drawn(made: HistoryView) -> Figure:
    return railed(history_figure(made, CATALOGUE), made, CATALOGUE)


def test_a_figure_with_a_rail_has_no_legend_no_hover_and_not_the_room_of_them() -> None:
    before, figure = history_figure(every_kind(), CATALOGUE), drawn(every_kind())
    go.Figure(figure)
    layout, room = figure["layout"], before["layout"]["margin"]["t"] - HEADER_PX
    assert room > 0
    assert (layout["showlegend"], layout["hovermode"]) == (False, False)
    assert (layout["margin"]["t"], layout["height"]) == (HEADER_PX, before["layout"]["height"] - room)
    assert layout["meta"]["legend"] == room  # a picture takes it, and names its series
    assert drawn(view(line(hours(2), [1.0, 2.0])))["layout"]["meta"]["legend"] > 0
    assert "hovertemplate" not in json.dumps(figure)
    assert layout["xaxis"]["hoverformat"]  # how fine the cursor's time is


def test_rows_behind_points_are_not_sent_but_values_of_flagged_readings_are() -> None:
    made = every_kind()
    data = drawn(made)["data"]
    flagged = [trace for trace in data if "customdata" in trace]
    assert [array(trace["customdata"]).tolist() for trace in flagged] == [[-9999, 26]]
    crowd = view(crowded(1200, 8760))
    assert size(drawn(crowd)) < 0.92 * size(history_figure(crowd, CATALOGUE, width_px=1200))


def test_each_series_of_the_rail_is_the_group_of_its_traces() -> None:
    figure = drawn(every_kind())
    series = figure["layout"]["meta"]["series"]
    assert [one["key"] for one in series] == list(dict.fromkeys(trace["legendgroup"] for trace in figure["data"]))
    assert series[0] == {
        "key": "aws-1.temperature",
        "name": ["aws-1", "temperature"],
        "station": "aws-1",
        "short": "aws-1",
        "sensor": "Air temperature",
        "unit": "°C",
        "decimals": 1,
        "aggregation": "mean",
        "bucket": "1h",
        "exact": False,
        "drawn": "hourly mean",
    }


def test_the_colour_of_each_series_is_the_one_that_is_drawn() -> None:
    second = view(line(hours(2), [1.0, 2.0]), line(hours(2), [0.0, 1.0], sensor="dew_point"))
    figure = drawn(second)
    lines = {trace["legendgroup"]: trace["line"]["color"] for trace in figure["data"]}
    assert drawn_colours(figure) == lines
    assert len(set(lines.values())) == 2
    assert drawn_colours(drawn(every_kind())).keys() == {one["key"] for one in drawn(every_kind())["layout"]["meta"]["series"]}


def test_names_of_the_rail_are_text_and_short_ones_differ() -> None:
    names = ("%{y} x", "sensor__proto__7", "evil\u202egnp", "n" * 124, "n" * 123 + "m")
    made = view(*(line(hours(2), [1.0, 2.0], station=name) for name in names))
    series = {one["key"].removesuffix(".temperature"): one for one in drawn(made)["layout"]["meta"]["series"]}
    shown = (*names[:2], "evil\\u202egnp", *names[3:])
    assert {name: one["station"] for name, one in series.items()} == dict(zip(names, shown, strict=True))
    short = [one["short"] for one in series.values()]
    assert len(set(short)) == len(names)
    assert max(map(len, short)) <= 22


def test_the_band_keeps_all_digits_of_long_numbers() -> None:
    y = np.array([1_234_567.8, 1_234_568.9])
    band = drawn(view(line(hours(2), y, bucket="1h", lower=y, upper=y + 0.1)))["data"][0]
    assert f"{array(band['y'])[-1]:.1f}" == "1234567.8"


def test_the_median_of_many_stations_stands_before_them_and_their_hues_are_told() -> None:
    meta = drawn(many(9))["layout"]["meta"]
    entries = [
        (one["key"], one.get("of"), one.get("many", False)) for one in meta["series"] if one["sensor"] == "Air temperature"
    ]
    assert entries == [("temperature", 9, False), *((f"aws-{number:02d}.temperature", None, True) for number in range(9))]
    assert len(meta["hues"]) == 8
    alone = railed(history_figure(many(9), CATALOGUE), many(9), CATALOGUE, alone=True)["layout"]["meta"]
    assert "hues" not in alone
    assert not any("of" in one for one in alone["series"])
    assert "hues" not in drawn(every_kind())["layout"]["meta"]
