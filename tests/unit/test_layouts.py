"""The page as a tree of components: every id once, words in both languages,
each notice with its role.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from dash import html
from dash.development.base_component import Component

from access.saved.saved_selection import PRESETS
from app import create_app
from config import Settings
from data.catalogue import load_catalogue
from data.inventory import Outlying, StationInventory
from i18n import set_language
from layouts import ids
from layouts.form import form, preset_names, sensor_options, station_options, zone_options
from layouts.header import Chrome
from layouts.notices import Notice, action_id, action_words, alert
from layouts.page import PageContext, page, plain_page
from layouts.start import SEARCHED, first_sensors, start, station_rows, with_data

DAY = 86_400_000
STATIONS = (
    StationInventory("aws-1", ("temperature",), 0, 400 * DAY, 9, 60_000, synthetic=False),
    StationInventory("demo-1", ("rainfall",), 0, DAY, 9, 60_000, synthetic=True),
    StationInventory("new", (), None, None, 0, None, synthetic=False),
)
# What browser tests and portals outside rely on.
PUBLIC_IDS = [
    "station",
    "sensor",
    "range-start",
    "range-end",
    "range-preset",
    "zone",
    "resolution",
    "load",
    "cancel",
    "progress",
    "progress-text",
    "job-id",
    "chart",
    "stats",
    "alert",
]


@pytest.fixture(autouse=True)
def _english():
    set_language("en")
    yield
    set_language("en")


ZONES = zone_options(0, "America/New_York", "Asia/Jakarta")


def made(*, prefix: str = "/", language: str = "en", **changes: Any) -> html.Div:
    values = {
        "chrome": Chrome(prefix, language, "auto", "light", "local"), "timezone": "Asia/Jakarta", "zones": ZONES,
        "stations": STATIONS, "start": "2019-01-01 00:00", "end": "2019-02-01 00:00",
    }  # fmt: skip
    chart = html.Div([html.Div(id=ids.CHART), html.Div(id=ids.STATS)])
    return page(PageContext(**{**values, **changes}), load_catalogue(), chart)


def parts(tree: Component) -> list[Any]:
    return [tree, *tree._traverse()]


def text(tree: Any) -> str:
    if not isinstance(tree, Component):
        return " ".join(text(one) for one in tree) if isinstance(tree, (list, tuple)) else str(tree or "")
    return text(getattr(tree, "children", None))


def test_the_public_ids_are_there_once_each():
    found = Counter(str(part.id) for part in parts(made()) if getattr(part, "id", None))
    assert {name: found[name] for name in PUBLIC_IDS} == dict.fromkeys(PUBLIC_IDS, 1)
    assert {name: count for name, count in found.items() if count > 1} == {}


def test_every_named_id_has_one_name():
    values = [value for name, value in vars(ids).items() if name.isupper()]
    assert len(values) == len(set(values))


def test_the_page_speaks_the_language_of_the_request():
    assert "Load history" in text(made())
    set_language("id")
    assert "Muat riwayat" in text(made(language="id"))
    assert "Load history" not in text(made(language="id"))


def test_links_stay_below_the_prefix():
    links = [part.href for part in parts(made(prefix="/weather/")) if getattr(part, "href", None)]
    images = [part.src for part in parts(made(prefix="/weather/")) if getattr(part, "src", None)]
    assert all(link.startswith(("/weather/", "#")) for link in links + images if link != "about:blank")


def test_a_site_without_data_shows_how_to_import():
    assert "manage.py import" in text(made(stations=()))
    assert "manage.py import" not in text(made())


def test_the_form_begins_with_the_first_station_of_the_list_and_what_to_look_at_first_of_it():
    fields = {part.id: part for part in parts(made()) if isinstance(getattr(part, "id", None), str)}
    first = fields[ids.STATION_ROWS].data["rows"][0][0]
    assert fields[ids.STATION].value == [first]
    known = next(station for station in STATIONS if station.name == first)
    assert fields[ids.SENSOR].value == first_sensors(load_catalogue(), known.sensors)
    usable = {option["value"] for option in fields[ids.SENSOR].options if not option["disabled"]}
    assert usable == set(known.sensors)


def test_without_a_station_that_has_data_nothing_is_chosen():
    fields = {part.id: part for part in parts(made(stations=[])) if isinstance(getattr(part, "id", None), str)}
    assert (fields[ids.STATION].value, fields[ids.SENSOR].value) == ([], [])


def rows_of(*stations: StationInventory) -> list[list[Any]]:
    found: list[list[Any]] = station_rows(with_data(stations), load_catalogue(), "UTC")["rows"]
    return found


def test_a_first_visit_lists_the_stations_that_have_data_real_ones_first():
    (store,) = [part for part in parts(made()) if getattr(part, "id", None) == ids.STATION_ROWS]
    assert store.data["sensors"] == ["Air temperature", "Rainfall"]
    assert [[str(cell).replace("\u202f", " ") for cell in row] for row in store.data["rows"]] == [
        ["aws-1", "aws-1", "0", "1000", "0 %", "5 Feb 1971", "9", "1 min", "0", "0"],
        ["demo-1", "demo-1", "0", "2", "0 %", "2 Jan 1970", "9", "1 min", "1", "1"],
    ]


@pytest.mark.parametrize(
    ("rows", "step_ms", "said"),
    [(10, DAY, "90 %"), (11, DAY, "100 %"), (12, DAY, "100 %"), (10, None, ""), (1099, DAY // 100, "99 %")],
)
def test_completeness_is_of_the_readings_that_are_due_and_rounded_down(rows, step_ms, said):
    station = replace(STATIONS[0], last_ms=10 * DAY if step_ms != DAY // 100 else 11 * DAY - 1, rows=rows, step_ms=step_ms)
    assert rows_of(station)[0][4] == said


def test_bars_lie_in_the_span_of_all_stations_without_outlying_rows():
    late = replace(STATIONS[0], name="late", first_ms=300 * DAY)
    astray = replace(
        late, name="astray", last_ms=9000 * DAY, outlying=Outlying(1, ((9000 * DAY, 9000 * DAY),), (300 * DAY, 400 * DAY))
    )
    assert {row[0]: row[2:4] for row in rows_of(STATIONS[0], late, astray)} == {
        "aws-1": [0, 1000],
        "late": [750, 250],
        "astray": [750, 250],
    }


@pytest.mark.parametrize(
    ("names", "places"),
    [
        (("EWR", "aws-1", "JFK"), [["EWR", 40.683, -74.169, 2.1], ["JFK", 40.639, -73.762, 3.4]]),
        (("EWR", "aws-1"), [["EWR", 40.683, -74.169, 2.1]]),
        (("aws-1",), []),
    ],
)
def test_a_map_shows_stations_whose_place_is_known_and_is_there_for_two_and_more(names, places):
    stations = [replace(STATIONS[0], name=name) for name in names]
    found = station_rows(with_data(stations), load_catalogue(), "UTC")
    assert [[found["rows"][at][0], *place] for at, *place in found["places"]] == places
    shown = [part for part in parts(start(stations, load_catalogue(), "UTC")) if getattr(part, "id", None) == ids.STATION_MAP]
    assert len(shown) == int(len(places) > 1)


@pytest.mark.parametrize(("stations", "hidden"), [(SEARCHED, True), (SEARCHED + 1, False)])
def test_many_stations_can_be_searched(stations, hidden):
    many = [replace(STATIONS[0], name=f"s{number:03}") for number in range(stations)]
    search = next(part for part in parts(start(many, load_catalogue(), "UTC")) if getattr(part, "hidden", None) is not None)
    assert search.hidden is hidden


@pytest.mark.parametrize(
    ("measured", "first"),
    [
        (("humidity", "rainfall", "temperature", "wind_direction"), ["temperature", "rainfall"]),
        (("wind_speed",), ["wind_speed"]),
        (("wind_direction",), ["wind_direction"]),  # neither line nor bars
        ((), []),
    ],
)
def test_a_first_look_is_a_line_and_bars_where_there_are(measured, first):
    assert first_sensors(load_catalogue(), measured) == first


def test_stations_tell_from_when_to_when_they_have_data():
    found = station_options(STATIONS, "Asia/Jakarta")
    assert [f"{option['label']} {option['title']}" for option in found] == [
        "aws-1 1 Jan 1970 – 5 Feb 1971",
        "demo-1 1 Jan 1970 – 2 Jan 1970 · synthetic",
        "new no data yet",
    ]


def test_sensors_that_nothing_measured_are_last_and_cannot_be_chosen():
    options = sensor_options(load_catalogue(), {"rainfall"})
    assert [option["value"] for option in options if not option["disabled"]] == ["rainfall"]
    assert options[0]["value"] == "rainfall"
    assert text(options[0]["label"]) == "Rainfall mm"
    set_language("id")
    assert "Curah hujan" in sensor_options(load_catalogue(), {"rainfall"})[0]["search"]


def test_every_preset_has_a_name():
    assert set(preset_names()) < set(PRESETS)


@pytest.mark.parametrize(("kind", "role"), [("info", "status"), ("warning", "alert"), ("danger", "alert")])
def test_a_notice_is_announced_as_loud_as_it_is(kind, role):
    shown = alert(Notice(kind, "A sentence."))
    assert (shown.role, text(shown)) == (role, "A sentence.")
    assert alert(None) is None


@pytest.mark.parametrize("name", sorted(action_words()))
def test_an_action_is_one_button(name):
    buttons = [part for part in parts(alert(Notice("info", "A sentence.", action=name))) if isinstance(part, html.Button)]
    assert [text(button) for button in buttons] == [action_words()[name]]
    if name not in ("form", "page"):
        assert buttons[0].id == action_id(name)


def test_details_can_be_copied():
    shown = parts(alert(Notice("danger", "It failed.", details="Traceback")))
    assert [part for part in shown if getattr(part, "data-copy", None) == "Traceback"]


def test_a_plain_page_escapes_what_it_shows():
    assert "<script>" not in plain_page("en", "<script>", "<script>", "/")


def test_a_plain_page_asks_for_nothing_else_not_even_an_icon():
    made = plain_page("en", "No", "No.", "/")
    assert re.findall(r'(?:src|href)="([^"]*)"', made) == ["data:,", "/"]


def test_nothing_can_be_loaded_again_before_something_is_shown(tmp_path):
    made = form(STATIONS, load_catalogue(), timezone="Asia/Jakarta", zones=ZONES)
    assert [button.hidden for button in made.children if getattr(button, "id", None) == action_id("reload")] == [True]
    shows = create_app(Settings(data_dir=tmp_path)).callback_map['{"name":"reload","type":"action"}.hidden']
    assert [each["id"] for each in shows["inputs"]] == [ids.JOB_STATE]
