"""The history figure: what is drawn, where, in which words, and how large it is."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from data.catalogue import Catalogue, load_catalogue
from data.request import HistoryRequest
from data.view.records import HistoryView, SeriesView, Spread
from figures.history import empty_figure, history_figure
from figures.legend import legend_rows
from figures.overview import overview_figure, overview_request
from figures.template import LEAST_CONTRAST, STYLES, contrast, series_colour
from figures.traces import steps
from figures.words import bucket_ms, picture_name
from i18n import set_language
from tests.unit.views import DAY_MS, HOUR_MS, START_MS, line, series, view

CATALOGUE = load_catalogue()


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    set_language("en")
    yield
    set_language("en")


def array(value: Any) -> np.ndarray:
    return (
        np.frombuffer(base64.b64decode(value["bdata"]), dtype="<" + value["dtype"])
        if isinstance(value, dict)
        else np.asarray(value)
    )


def hours(count: int) -> list[float]:
    return [float(START_MS + hour * HOUR_MS) for hour in range(count)]


def every_kind() -> HistoryView:
    x = hours(24)
    wave = [25 + hour % 5 for hour in range(24)]
    band: dict[str, Any] = {"lower": np.array(wave) - 1.0, "upper": np.array(wave) + 2.0}
    flagged: dict[str, Any] = {"flagged_x": np.array(x[3:5]), "flagged_y": np.array([-9999.0, 26.0]), "total_flagged": 2}
    return view(
        line(x, wave, rows=60, bucket="1h", exact=False, **band),
        line(x, [*wave[:5], np.nan, *wave[6:]], station="aws-2", **flagged),
        series("aws-1", "rainfall", "bars", x, [0.2] * 24, 60, width=np.full(24, float(HOUR_MS)), bucket="1h", exact=False),
        series("aws-2", "rainfall", "bars", x, [0.4] * 24, 60, width=np.full(24, float(HOUR_MS)), bucket="1h", exact=False),
        series("aws-1", "wind_direction", "dots", x, [float(hour * 15) for hour in range(24)]),
    )


def size(figure: dict[str, Any]) -> int:
    """Bytes as Dash sends them, before compression."""
    return len(json.dumps(figure, separators=(",", ":")).encode())


def traces(figure: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [trace for trace in figure["data"] if trace["type"] == kind]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "id"])
def test_plotly_accepts_every_figure(theme: str, language: str) -> None:
    set_language(language)
    made = every_kind()
    figures = [
        history_figure(made, CATALOGUE, theme=theme, pending=[(START_MS, START_MS + HOUR_MS)], pending_text="…", revision="j"),
        history_figure(view(), CATALOGUE, theme=theme),
        overview_figure(view(made.series[0]), CATALOGUE, theme=theme),
        empty_figure(theme),
    ]
    for figure in figures:
        go.Figure(figure)


def test_one_panel_a_unit_in_the_order_of_the_catalogue_over_one_time_axis() -> None:
    figure = history_figure(every_kind(), CATALOGUE)
    layout = figure["layout"]
    domains = [layout[name]["domain"] for name in ("yaxis", "yaxis2", "yaxis3")]
    assert "yaxis4" not in layout
    assert domains[0][1] == 1
    assert domains[-1][0] == pytest.approx(0)
    assert all(upper[0] > lower[1] for upper, lower in pairwise(domains))
    assert [note["text"].split("</b>")[0] for note in layout["annotations"][:3]] == ["<b>°C", "<b>mm", "<b>°"]
    assert {trace["xaxis"] for trace in figure["data"]} == {"x"}
    assert layout["hoversubplots"] == "axis"


def test_colour_follows_the_sensor_of_one_station_and_the_station_of_several() -> None:
    x = hours(3)
    made = [
        line(x, [1, 2, 3], station=station, sensor=sensor) for sensor in ("temperature", "humidity") for station in ("a", "b")
    ]
    one, other, *more = traces(history_figure(view(*made), CATALOGUE), "scatter")
    alone = traces(history_figure(view(made[0], made[2]), CATALOGUE), "scatter")
    assert one["line"]["color"] == more[0]["line"]["color"] != other["line"]["color"] == more[1]["line"]["color"]
    assert alone[0]["line"]["color"] != alone[1]["line"]["color"]
    assert one["line"]["dash"] == "solid" != other["line"]["dash"]
    assert {trace["line"]["width"] for trace in (one, other)} == {1.25}


def test_two_sensors_of_a_station_on_one_axis_differ() -> None:
    made = [line(hours(3), [1, 2, 3], station=station, sensor=sensor) for sensor in ("a1", "a2") for station in ("a", "b")]
    sensors = {name: replace(CATALOGUE["temperature"], name=name) for name in ("a1", "a2")}
    figure = history_figure(view(*made), Catalogue(sensors))
    looks = [(trace["line"]["color"], trace["line"]["dash"]) for trace in traces(figure, "scatter")]
    assert len(set(looks)) == 4


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("count", [1, 8, 9])
def test_every_colour_is_told_from_its_ground(theme: Any, count: int) -> None:
    style = STYLES[theme]
    for sensor in CATALOGUE:
        for place in range(count):
            for tint in range(3):
                assert contrast(series_colour(sensor.color, style, place, count, tint), style.ground) >= LEAST_CONTRAST


# What is seen without red or green cones, of linear red, green and blue: Machado, Oliveira and
# Fernandes, A physiologically-based model for simulation of color vision deficiency, 2009.
SIGHTS = {
    "normal": np.eye(3),
    "protan": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deutan": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
}
# Ottosson, A perceptual color space for image processing, 2020
TO_LMS = np.array([[0.41222147, 0.53633254, 0.05144599], [0.2119035, 0.6806995, 0.1073970], [0.0883025, 0.2817188, 0.6299787]])
TO_LAB = np.array([[0.21045426, 0.79361779, -0.00407205], [1.9779985, -2.4285922, 0.4505937], [0.0259040, 0.7827718, -0.8086758]])


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("sight", SIGHTS)
def test_eight_stations_are_told_apart_with_any_cones(theme: Any, sight: str) -> None:
    texts = [series_colour("#d55e00", STYLES[theme], place, 8) for place in range(8)]
    encoded = np.array([[int(text[at : at + 2], 16) / 255 for at in (1, 3, 5)] for text in texts])
    light = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    seen = np.cbrt(np.clip(light @ SIGHTS[sight].T, 0, 1) @ TO_LMS.T) @ TO_LAB.T
    apart = np.linalg.norm(seen[:, None] - seen[None], axis=2)[np.triu_indices(8, 1)]
    assert apart.min() > 0.12  # 0.07 of the eight of Okabe and Ito


def test_a_series_of_one_reading_is_seen_as_a_point() -> None:
    alone = traces(history_figure(view(line(hours(1), [21.5])), CATALOGUE), "scatter")[0]
    assert (alone["mode"], array(alone["marker"]["size"]).tolist()) == ("lines+markers", [3])


def test_gaps_are_gaps() -> None:
    (trace,) = traces(history_figure(view(line(hours(3), [1.0, np.nan, 3.0])), CATALOGUE), "scatter")
    assert trace["connectgaps"] is False
    assert np.isnan(array(trace["y"])[1])


def test_a_point_between_two_gaps_is_seen() -> None:
    (trace,) = traces(history_figure(view(line(hours(5), [1.0, np.nan, 3.0, np.nan, 5.0])), CATALOGUE), "scatter")
    assert array(trace["marker"]["size"]).tolist() == [3, 0, 3, 0, 3]


def test_a_band_does_not_bridge_a_gap() -> None:
    y = np.array([5.0, 6.0, np.nan, 7.0, 8.0])
    made = line(hours(5), y, bucket="1h", lower=y - 1, upper=y + 1)
    band = history_figure(view(made), CATALOGUE)["data"][0]
    assert band["fill"] == "toself"
    assert band["hoverinfo"] == "skip"
    outline = array(band["y"])
    # two polygons of two points up, two points back
    assert np.flatnonzero(np.isnan(outline)).tolist() == [4]
    assert outline[:4].tolist() == [6, 7, 5, 4]


def test_rain_of_two_stations_stands_side_by_side_within_the_bucket() -> None:
    bars = traces(history_figure(every_kind(), CATALOGUE), "bar")
    assert [trace["width"] for trace in bars] == [HOUR_MS / 2, HOUR_MS / 2]
    assert [trace["offset"] for trace in bars] == [0, HOUR_MS / 2]


def test_directions_have_compass_ticks_and_are_never_a_line() -> None:
    figure = history_figure(view(series("aws-1", "wind_direction", "dots", hours(3), [350, 0, 10])), CATALOGUE)
    axis = figure["layout"]["yaxis"]
    assert axis["tickvals"] == [0, 90, 180, 270, 360]
    assert axis["ticktext"] == ["N", "E", "S", "W", "N"]
    assert figure["data"][0]["mode"] == "markers"


def test_directions_of_a_column_fill_it() -> None:
    """Columns of an hour, 24 px of 576; sectors of 5.625 degrees."""
    x = np.repeat(hours(24), 2)
    made = series("aws-1", "wind_direction", "dots", x, [90.0, 95.625] * 24, 60, exact=False)
    marker = history_figure(view(made), CATALOGUE, width_px=576)["data"][0]["marker"]
    assert (marker["symbol"], marker["size"]) == ("line-ew-open", 24)


def test_a_stations_name_is_text_and_never_markup() -> None:
    named = line(
        hours(3), [1.0, 2.0, 3.0], station="<a href='https://x'>a&b</a>", flagged_x=np.array(hours(1)), flagged_y=np.array([-9.0])
    )
    names = [trace["name"] for trace in history_figure(view(named), CATALOGUE, width_px=1200)["data"]]
    assert len(names) == 2
    assert all(name.startswith("&lt;a href='https://x'&gt;a&amp;b&lt;/a&gt; · ") for name in names)


def test_a_flagged_point_far_away_stays_at_the_panels_edge_and_tells_its_value() -> None:
    flagged = next(trace for trace in history_figure(every_kind(), CATALOGUE)["data"] if "flagged" in trace["name"])
    assert array(flagged["y"]).tolist() == [25, 26]  # -9999 at the least drawn value
    assert array(flagged["customdata"]).tolist() == [-9999, 26]
    # an open triangle that points down, an open circle
    assert flagged["marker"]["symbol"] == [106, 100]


def test_flagged_markers_are_bounded_and_the_farthest_stays() -> None:
    count = 5000
    x = START_MS + np.linspace(0, DAY_MS, count, endpoint=False)
    y = np.full(count, 30.0)
    y[1234] = 500.0
    made = line(hours(24), [20.0] * 24, flagged_x=x, flagged_y=y, total_flagged=count)
    flagged = history_figure(view(made), CATALOGUE)["data"][-1]
    values = array(flagged["customdata"])
    assert len(values) == 200
    assert 500.0 in values


def test_the_hover_tells_value_unit_rows_and_the_time_with_its_zone() -> None:
    figure = history_figure(view(line(hours(3), [1, 2, 3], rows=8760, exact=False)), CATALOGUE)
    (trace,) = figure["data"]
    assert "%{y:,.1f} °C" in trace["hovertemplate"]
    assert "%{customdata:,} rows" in trace["hovertemplate"]
    assert array(trace["customdata"]).tolist() == [8760] * 3
    assert figure["layout"]["xaxis"]["hoverformat"] == "%-d %b %Y %H:%M WIB"


@pytest.mark.parametrize(
    ("shift_ms", "bucket", "expected"),
    [
        (0, "raw", "%H:%M WIB"),
        (7000, "raw", "%H:%M:%S WIB"),
        (7001, "raw", "%H:%M:%S.%L WIB"),
        (0, "1d", "%-d %b %Y WIB"),
        (0, "1mo", "%B %Y"),
        (0, "1y", "%Y"),
    ],
)
def test_the_time_of_a_hover_is_as_fine_as_the_data(shift_ms: int, bucket: str, expected: str) -> None:
    made = line([time + shift_ms for time in hours(3)], [1, 2, 3], bucket=bucket)
    assert history_figure(view(made), CATALOGUE)["layout"]["xaxis"]["hoverformat"].endswith(expected)


def test_words_and_marks_follow_the_language() -> None:
    english = history_figure(every_kind(), CATALOGUE)
    set_language("id")
    indonesian = history_figure(every_kind(), CATALOGUE)
    assert english["layout"]["separators"] == ".\u202f"
    assert indonesian["layout"]["separators"] == ",\u202f"
    assert "aws-1 · Air temperature" in {trace["name"] for trace in english["data"]}
    assert "aws-1 · Suhu udara" in {trace["name"] for trace in indonesian["data"]}


def test_the_axis_is_the_window_in_the_wall_clock_of_the_request() -> None:
    layout = history_figure(view(line(hours(3), [1, 2, 3])), CATALOGUE)["layout"]
    assert layout["xaxis"]["range"] == [START_MS + 7 * HOUR_MS, START_MS + DAY_MS + 7 * HOUR_MS]
    assert layout["meta"]["offset"] == 7 * HOUR_MS


def test_a_window_with_a_clock_change_says_that_its_axis_keeps_the_first_zone() -> None:
    start = 1_553_900_400_000  # 2019-03-30 00:00 CET
    made = view(line([start], [1]), start_ms=start, end_ms=start + 3 * DAY_MS, timezone="Europe/Berlin")
    assert "CET throughout" in history_figure(made, CATALOGUE)["layout"]["annotations"][-1]["text"]


def test_what_its_user_did_survives_progress_but_a_new_window_wins() -> None:
    made = view(line(hours(3), [1, 2, 3]))
    first, second = (history_figure(made, CATALOGUE, revision="j1", sequence=number)["layout"] for number in (4, 5))
    assert first["uirevision"] == second["uirevision"] == "j1"
    assert first["xaxis"]["uirevision"] != second["xaxis"]["uirevision"]
    assert first["meta"]["sequence"] == 4


def test_data_still_to_come_is_tinted_within_the_window_only() -> None:
    spans = [(START_MS - DAY_MS, START_MS), (START_MS + 12 * HOUR_MS, START_MS + 9 * DAY_MS)]
    (shape,) = history_figure(view(line(hours(3), [1, 2, 3])), CATALOGUE, pending=spans, pending_text="to come")["layout"][
        "shapes"
    ]
    assert [shape["x0"], shape["x1"]] == [START_MS + 19 * HOUR_MS, START_MS + 31 * HOUR_MS]
    assert shape["label"]["text"] == "to come"


def test_a_picture_is_named_after_stations_sensors_and_range() -> None:
    assert picture_name(every_kind(), CATALOGUE) == "riwayat_aws-1-aws-2_temperature-rainfall-wind_direction_20190101_20190102"
    odd = view(line(hours(2), [1, 2], station="Pos Ćikini / 1"))
    assert picture_name(odd, CATALOGUE) == "riwayat_Pos-Cikini-1_temperature_20190101_20190102"


def spread(sensor: str, kind: Any, stations: int) -> Spread:
    x, hour = np.array(hours(24)), np.full(24, float(HOUR_MS))
    return Spread(sensor, stations, kind, "1h", x, hour, np.full(24, 2.0), np.full(24, 1.0), np.full(24, 3.0))


def many(stations: int) -> HistoryView:
    """Temperature, hourly rain and wind direction of stations, with their median."""
    x, names = hours(24), [f"aws-{number:02d}" for number in range(stations)]
    hour = np.full(24, float(HOUR_MS))
    band: dict[str, Any] = {"lower": np.full(24, 19.0), "upper": np.full(24, 22.0), "bucket": "1h", "exact": False}
    made = view(
        *(line(x, [20.0] * 24, station=name, **band) for name in names),
        *(series(name, "rainfall", "bars", x, [0.2] * 24, 60, width=hour, bucket="1h", exact=False) for name in names),
        *(series(name, "wind_direction", "dots", x, [90.0] * 24) for name in names),
    )
    return replace(made, spreads=(spread("rainfall", "bars", stations), spread("temperature", "line", stations)))


@pytest.mark.parametrize("stations", [9, 19, 60])
def test_many_stations_are_grey_lines_beneath_one_median_and_its_band(stations: int) -> None:
    figure = history_figure(many(stations), CATALOGUE)
    go.Figure(figure)
    entries = [trace["name"] for trace in figure["data"] if trace.get("showlegend") is not False]
    assert entries == [f"Median of {stations} stations · {label}" for label in ("Rainfall", "Air temperature")]
    assert [trace["name"] for trace in figure["data"] if "hovertemplate" in trace] == entries
    lines = [
        trace for trace in figure["data"] if trace["mode"] == "lines" and trace.get("hoverinfo") == "skip" and "fill" not in trace
    ]
    assert len(lines) == 2 * stations
    assert {trace["line"]["color"] for trace in lines} == {STYLES["light"].many}
    assert not traces(figure, "bar")
    assert [trace["legendgroup"] for trace in figure["data"] if trace.get("fill")] == ["rainfall", "temperature"]
    assert legend_rows(many(stations), CATALOGUE, 900) == 1
    temperature = next(note["text"] for note in figure["layout"]["annotations"] if "temperature" in note["text"])
    assert f"median of {stations} stations (hourly means), band: 10–90 %" in temperature
    assert "minimum" not in temperature


def test_the_steps_of_rain_end_at_their_last_bucket_before_a_gap() -> None:
    x, y = steps(np.array([0.0, 10.0, 30.0]), np.array([1.0, 2.0, 3.0]), np.array([10.0, 10.0, 10.0]))
    assert x.tolist() == [0, 10, 20, 20, 30, 40, 40]
    assert np.array_equal(y, [1, 2, 2, np.nan, 3, 3, np.nan], equal_nan=True)


def crowded(width_px: int, rows: int) -> SeriesView:
    """First, least, greatest, last of every pixel column: the most points that a line may have."""
    generator = np.random.default_rng(7)
    count = 4 * width_px
    x = START_MS + np.sort(generator.choice(DAY_MS, count, replace=False)).astype(float)
    flagged: dict[str, Any] = {
        "flagged_x": x[:: 2 * 2],
        "flagged_y": generator.normal(900, 9, width_px),
        "total_flagged": width_px,
    }
    y = np.round(generator.normal(1013, 20, count), 2)
    return line(x, y, sensor="pressure", rows=rows, exact=False, **flagged)


@pytest.mark.parametrize("rows", [1, 8760, 83_333])
def test_a_series_takes_at_most_100_kb_at_1200_px(rows: int) -> None:
    figure = history_figure(view(crowded(1200, rows)), CATALOGUE, width_px=1200)
    assert size(figure) <= 100_000


@pytest.mark.parametrize("points", [1200, 2400])
def test_an_aggregated_line_with_its_band_takes_at_most_100_kb(points: int) -> None:
    x = START_MS + np.linspace(0, DAY_MS, points, endpoint=False)
    y = np.sin(x)
    made = line(x, y, rows=60, bucket="1min", lower=y - 1, upper=y + 1, exact=False)
    assert size(history_figure(view(made), CATALOGUE, width_px=1200)) <= 100_000


def test_a_figure_is_text_within_milliseconds() -> None:
    figure = history_figure(view(crowded(1200, 9)), CATALOGUE)
    took = []
    for _ in range(5):
        began = time.perf_counter()
        json.dumps(figure)
        took.append(time.perf_counter() - began)
    assert min(took) < 0.005


@pytest.mark.parametrize(
    ("bucket", "width"), [("raw", 0), ("1min", 60_000), ("10min", 600_000), ("1d", DAY_MS), ("1mo", 28 * DAY_MS)]
)
def test_a_buckets_name_tells_its_width(bucket: str, width: int) -> None:
    assert bucket_ms(bucket) == width


def test_the_overview_shows_one_sensor_of_few_stations_and_nothing_moves_in_it() -> None:
    request = HistoryRequest(tuple("abcdef"), ("rainfall", "humidity"), START_MS, START_MS + DAY_MS)
    small = overview_request(request, CATALOGUE)
    assert small.sensors == ("humidity",)
    assert len(small.stations) == 3
    layout = overview_figure(view(line(hours(3), [1, 2, 3])), CATALOGUE)["layout"]
    assert layout["hovermode"] is False
    assert layout["xaxis"]["fixedrange"]


def test_what_is_still_to_come_is_said_in_the_first_panel_and_not_over_the_name_of_the_second() -> None:
    made = view(line(hours(2), [1, 2]), line(hours(2), [1, 2], sensor="pressure"))
    figure = history_figure(made, CATALOGUE, pending=[(START_MS, START_MS + HOUR_MS)], pending_text="not loaded yet")
    (shape,) = figure["layout"]["shapes"]
    assert (shape["y1"], shape["label"]["textposition"], shape["label"]["padding"]) == (1, "top center", 16)


def test_a_panel_without_a_value_has_no_scale() -> None:
    made = view(line(hours(2), [1, 2]), line(hours(0), [], sensor="pressure"))
    layout = history_figure(made, CATALOGUE)["layout"]
    assert [layout[name]["showticklabels"] for name in ("yaxis", "yaxis2")] == [True, False]


@pytest.mark.parametrize(("width_px", "ticks"), [(1600, 9), (876, 9), (300, 3), (100, 2)])
def test_the_overview_has_as_many_ticks_as_have_room_beside_each_other(width_px: int, ticks: int) -> None:
    axis = overview_figure(view(line(hours(3), [1, 2, 3])), CATALOGUE, width_px=width_px)["layout"]["xaxis"]
    assert axis["nticks"] == ticks
    assert axis["tickangle"] == 0


def test_each_day_month_and_year_of_the_overview_says_its_year_in_one_line() -> None:
    stops = overview_figure(view(line(hours(3), [1, 2, 3])), CATALOGUE)["layout"]["xaxis"]["tickformatstops"]
    formats = [stop["value"] for stop in stops]
    assert all("%Y" in text and "\n" not in text for text in formats)
    assert formats[-2:] == ["%b %Y", "%Y"]


@pytest.mark.parametrize(("sensors", "rows"), [(1, 0), (4, 1), (5, 2)])
def test_the_legend_has_room_above_the_first_panel_in_as_many_rows_as_plotly_fills(sensors, rows):
    # 876 px, a usual screen: four names take 765 px by Plotly's own measure, the fifth 171
    names = ("temperature", "humidity", "pressure", "rainfall", "wind_speed")[:sensors]
    seen = view(*(line([START_MS, START_MS + HOUR_MS], [1.0, 2.0], station="demo-1", sensor=name) for name in names))
    assert legend_rows(seen, CATALOGUE, 876) == rows


def test_four_panels_fit_a_frame_of_600_by_400_pixels() -> None:
    names = ("temperature", "humidity", "pressure", "rainfall")
    made = view(*(line(hours(3), [1, 2, 3], sensor=name) for name in names))
    layout = history_figure(made, CATALOGUE, width_px=532, height_px=350)["layout"]  # less margins and title
    assert layout["height"] == 350


def test_a_panel_names_what_its_points_stand_for_at_this_width() -> None:
    rain = series("aws-1", "rainfall", "bars", [START_MS], [0.2], width=np.array([7.0 * DAY_MS]), bucket="7d", exact=False)
    figure = history_figure(view(rain, line([START_MS], [1.0]), resolution="1d"), CATALOGUE)
    texts = [note["text"] for note in figure["layout"]["annotations"]]
    assert texts[:2] == ["<b>°C</b>  Air temperature", "<b>mm</b>  Rainfall · weekly sums"]
    assert [one["bucket"] for one in figure["layout"]["meta"]["buckets"]] == ["7d", "raw"]
