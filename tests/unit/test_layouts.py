"""The page as a tree of components: every id once, words in both languages, each notice with its role."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from dash import html
from dash.development.base_component import Component

from app import create_app
from config import Settings
from data.catalogue import load_catalogue
from data.inventory import StationInventory
from i18n import set_language
from layouts import ids
from layouts.form import PRESETS, form, preset_names, sensor_options, station_options
from layouts.page import PageContext, page, plain_page
from layouts.start import MOST_STATIONS, first_sensors, start
from layouts.status import Notice, action_id, action_words, alert

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


def made(**changes: Any) -> html.Div:
    values = {
        "prefix": "/", "language": "en", "theme_choice": "auto", "shade": "light", "user": "local", "timezone": "Asia/Jakarta",
        "zone": "WIB", "stations": STATIONS, "start": "2019-01-01 00:00", "end": "2019-02-01 00:00",
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


def test_a_first_visit_offers_the_stations_that_have_data_real_ones_first():
    buttons = [part for part in parts(made()) if getattr(part, "data-start", None) is not None]
    assert [button.id["station"] for button in buttons] == ["aws-1", "demo-1"]
    assert [text(button).replace("\u202f", " ") for button in buttons] == [
        "aws-1 1 Jan 1970 – 5 Feb 1971 9 rows · every 1 min Air temperature",
        "demo-1 synthetic 1 Jan 1970 – 2 Jan 1970 9 rows · every 1 min Rainfall",
    ]


def test_many_stations_are_cut_and_counted():
    many = [replace(STATIONS[0], name=f"s{number:03}") for number in range(MOST_STATIONS + 30)]
    assert text(start(many, load_catalogue(), "UTC")).count("Air temperature") == MOST_STATIONS
    assert "30 more stations are in the form" in text(start(many, load_catalogue(), "UTC"))


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
    labels = [text(option["label"]) for option in station_options(STATIONS, "Asia/Jakarta")]
    assert labels == [
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
    assert set(preset_names()) == set(PRESETS)


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
    made = form(STATIONS, load_catalogue(), timezone="Asia/Jakarta", zone="WIB")
    assert [button.hidden for button in made.children if getattr(button, "id", None) == action_id("reload")] == [True]
    shows = create_app(Settings(data_dir=tmp_path)).callback_map['{"name":"reload","type":"action"}.hidden']
    assert [each["id"] for each in shows["inputs"]] == [ids.JOB_STATE]
