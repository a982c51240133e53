"""Formulas of users in each kind of database, through load and view, over HTTP, in the dialog and
on the command line: whose they are, who sees what they give, and what is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from flask.testing import FlaskClient

from access.embeds.shown_rights import shown_rights
from access.embeds.spec import EmbedSpec
from access.formulas import own_formula as own_module
from access.formulas.own_formula import own_formulas, remove_formula, save_formula
from access.grants import Grant, Purpose, Rights
from access.identity import Identity
from access.made_of import made_of
from access.restricted_site import require_permission, restricted_site_for
from access.store import open_access
from api.operations import BODY_BYTES
from app import create_app
from callbacks.formulas import said
from config import Settings
from data.export.formats import export_csv, export_file
from data.export_names import export_names
from data.load_plan import plan
from data.request import HistoryRequest, request_of
from data.site import open_site
from data.user_formula import FormulaDefinition, define, is_formula_name
from data.view.view_request import view_request
from errors import Conflict, InvalidFormula, NotFound, RiwayatError, UnknownSensor, UnknownStation
from figures.words import picture_name
from jobs.kinds.history import load_history
from jobs.ledger.ledger import open_ledger
from jobs.services import Services
from layouts import ids
from layouts.formulas import EXAMPLES, NEW
from layouts.statistics import statistics_tsv
from tests.e2e.visitor import InProcess
from tests.people import person
from tests.processes import run_manage
from tests.unit.test_formula_refused import HOSTILE

SARI, BUDI = person("sari"), person("budi")
SPREAD = ("Spread", "temperature - dew_point(temperature, humidity)", "°C")
TO_JFK = ("To JFK", 'temperature - temperature["JFK"]', "°C")


@pytest.fixture
def services(data_dir: Path) -> Iterator[Services]:
    """Those of sari on a site that holds the sample; nothing is loaded."""
    settings = Settings(data_dir=data_dir, _env_file=None)
    ledger, access = open_ledger(settings), open_access(settings)
    site = open_site(settings, definitions=access.definitions)
    yield Services(settings, site, ledger, access, lambda: SARI, lambda: None)
    for engine in (ledger.engine, access.engine, site.engine):
        engine.dispose()


def july(*sensors: str) -> HistoryRequest:
    return request_of(["EWR"], sensors, "2013-07-01", "2013-08-01", "raw", "UTC")


def granted_to(services: Services, *grants: Grant) -> Identity:
    catalogue = replace(services.site.catalogue, definitions=services.access.definitions)
    return Identity("budi", via="proxy", rights=Rights(grants, derived=made_of(catalogue)))


# -- whose they are --------------------------------------------------------------------------------


def test_a_formula_is_listed_as_it_was_saved_replaced_and_removed_and_each_is_audited(store, sample):
    made = save_formula(store, sample, SARI, " Dew  spread ", SPREAD[1], "°C")
    assert (made.label, made.formula, made.unit, made.sums) == ("Dew spread", SPREAD[1], "°C", False)
    assert own_formulas(store, SARI) == [made]
    other = save_formula(store, sample, SARI, "Dew spread", SPREAD[1], "K", replaces=made.sensor)
    assert own_formulas(store, SARI) == [other]
    assert save_formula(store, sample, SARI, "Dew spread", SPREAD[1], "K") == other  # once more is the same
    remove_formula(store, SARI, other.sensor)
    assert own_formulas(store, SARI) == []
    for name in (other.sensor, "formula_0", "\0", 7, None):
        with pytest.raises(NotFound):
            remove_formula(store, SARI, name)
    found = [entry.action for entry in store.audit.entries(limit=9)]
    assert found == ["formula_removed", "formula_saved", "formula_saved", "formula_saved"]


def test_equal_names_of_two_users_never_meet_and_equal_formulas_are_one(store, sample):
    mine = save_formula(store, sample, SARI, "x", "temperature", "°C")
    theirs = save_formula(store, sample, BUDI, "x", "temperature + quantity(1, 'K')".replace("'", '"'), "°C")
    assert mine.sensor != theirs.sensor
    assert (own_formulas(store, SARI), own_formulas(store, BUDI)) == ([mine], [theirs])
    assert save_formula(store, sample, BUDI, "y", "humidity", "%").sensor == FormulaDefinition("y", "humidity", "%").sensor
    remove_formula(store, BUDI, theirs.sensor)
    assert own_formulas(store, SARI) == [mine]
    assert store.definitions(theirs.sensor) == theirs  # a chart that shows it goes on
    with pytest.raises(NotFound):
        remove_formula(store, BUDI, mine.sensor)
    with pytest.raises(Conflict, match="formula x already"):
        save_formula(store, sample, SARI, "x", "humidity", "%")


def test_a_user_has_so_many_formulas_and_with_an_account_go_its_own(store, sample, monkeypatch):
    monkeypatch.setattr(own_module, "MOST_FORMULAS", 1)
    made = save_formula(store, sample, SARI, *SPREAD)
    with pytest.raises(Conflict, match="1 formulas"):
        save_formula(store, sample, SARI, *TO_JFK)
    save_formula(store, sample, SARI, *TO_JFK, replaces=made.sensor)
    store.add_account("sari")
    store.remove_account("sari")
    assert own_formulas(store, SARI) == []


# -- what it gives ---------------------------------------------------------------------------------


def test_a_load_and_a_view_of_a_formula_are_those_of_any_sensor(services):
    name = save_formula(services.access, services.site, SARI, *TO_JFK).sensor
    request = july(name, "temperature")
    seen = require_permission(services.site, SARI, request, Purpose.LOAD)
    assert plan(seen, request).tiles_total == 2
    assert load_history(services.site, request, lambda _: None, seen)["tiles_derived"] == 1
    view = view_request(seen, request, request.start_ms, request.end_ms, 800)
    found = {one.sensor: one for one in view.statistics}[name]
    assert found.rows > 700
    assert seen.catalogue[name].label("id") == "To JFK"
    assert [sensor.name for sensor in seen.catalogue][-1] == name
    assert plan(services.site, request).is_complete


def test_files_call_a_formula_by_its_name_which_is_no_other_columns(services, tmp_path):
    difference = 'temperature - temperature["JFK"]'
    labels = {"To JFK (°C)": "To_JFK_C", "To JFK °C": "To_JFK_C_2", "temperature": "temperature_2", "station": "station_2"}
    names = [save_formula(services.access, services.site, SARI, label, difference, "°C").sensor for label in labels]
    request = july(*names, "temperature")
    site = require_permission(services.site, SARI, request, Purpose.EXPORT)
    load_history(services.site, request, lambda _: None, site)
    columns = dict(zip(request.sensors, export_names(site.catalogue, request.sensors), strict=True))
    assert columns == {**dict(zip(names, labels.values(), strict=True)), "temperature": "temperature"}
    text = b"".join(export_csv(site, request, request.start_ms, request.end_ms)).decode()
    assert text.splitlines()[0].split(",")[3:] == list(columns.values())
    export_file(site, request, tmp_path / "rows.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "rows.parquet")
    assert table.column_names[3:] == list(columns.values())
    assert table.num_rows == len(text.splitlines()) - 1
    view = view_request(site, request, request.start_ms, request.end_ms, 800)
    assert "temperature-To_JFK_C-temperature_2-and-2-more" in picture_name(view, site.catalogue)
    assert {line.split("\t")[1] for line in statistics_tsv(view, site.catalogue).splitlines()[1:]} == set(columns.values())


def test_who_lacks_an_input_has_no_such_sensor_and_who_sees_all_has_it_whoever_wrote_it(services):
    name = save_formula(services.access, services.site, SARI, *TO_JFK).sensor
    lacking = granted_to(services, Grant(("EWR",)), Grant(("JFK",), ("humidity",)))
    with pytest.raises(UnknownSensor) as hidden:
        require_permission(services.site, lacking, july(name), Purpose.LOAD)
    never = "formula_" + "0" * 32
    with pytest.raises(UnknownSensor) as unknown:
        require_permission(services.site, lacking, july(never), Purpose.LOAD)
    assert hidden.value.message.replace(name, never) == unknown.value.message
    seeing = granted_to(services, Grant(("EWR", "JFK"), ("temperature",)))
    seen = require_permission(services.site, seeing, july(name), Purpose.LOAD)
    assert name in seen.inventory.station("EWR").sensors


def test_an_embedded_chart_of_a_formula_goes_on_after_it_is_off_the_list(services):
    name = save_formula(services.access, services.site, SARI, *TO_JFK).sensor
    remove_formula(services.access, SARI, name)
    spec = EmbedSpec(("EWR",), (name,), start_ms=july(name).start_ms, end_ms=july(name).end_ms)
    owner = granted_to(services, Grant(may_embed=True)).rights
    rights = shown_rights(spec, owner, spec.end_ms)
    assert rights.allows(july(name), Purpose.VIEW)
    seen = restricted_site_for(services.site, rights, july(name))
    assert [(one.name, one.sensors) for one in seen.inventory.stations()] == [("EWR", (name,))]


def test_steps_of_rain_are_sums_and_of_what_looks_back_or_has_another_unit_means(sample):
    known, stations = sample.catalogue.measured.sensors, sample.catalogue.stations

    def sums(formula: str, unit: str) -> bool:
        return define("x", formula, unit, known, stations)[0].sums

    assert sums("2 * rainfall", "mm")
    assert not sums('rolling_sum(rainfall, "24 h")', "mm")
    assert not sums('rainfall / rainfall["JFK"]', "")
    assert not sums("rainfall if temperature > quantity(0, '°C') else 0 * rainfall".replace("'", '"'), "mm")


def test_each_example_of_the_dialog_is_a_formula_of_its_unit(sample):
    for formula, unit in EXAMPLES:
        define("x", formula, unit, sample.catalogue.measured.sensors, sample.catalogue.stations)


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [text for text, _ in HOSTILE.values()], ids=list(HOSTILE))
def test_a_hostile_text_is_refused_in_the_dialog(sample, text):
    with pytest.raises(InvalidFormula):
        define("x", text, "", sample.catalogue.measured.sensors, sample.catalogue.stations)


@pytest.mark.parametrize(
    ("label", "unit"),
    [
        *((text, "°C") for text in ("", " ", "=1+1", "@x", "-x", "<b>x</b>", "a&b", "x" * 61, "%{y}", "a\0b", "a{b}")),
        *(("x", unit) for unit in ("zorkmid", "<b>", "9**9", "°C" * 20)),
    ],
)
def test_a_name_that_a_page_or_a_spreadsheet_would_take_for_more_and_a_unit_that_is_none_are_refused(sample, label, unit):
    with pytest.raises(InvalidFormula):
        define(label, "temperature", unit, sample.catalogue.measured.sensors, sample.catalogue.stations)


@pytest.mark.parametrize(
    ("formula", "error", "says"),
    [
        ('temperature - temperature["LGA"]', UnknownStation, "no station LGA"),
        ('temperature - temperature["ZZZ"]', UnknownStation, "no station ZZZ"),
        ('temperature * humidity["JFK"]', UnknownSensor, "humidity"),
        ("temperature * rainfall", InvalidFormula, "no sensor rainfall"),
        ("wind_direction", InvalidFormula, "no sensor wind_direction"),
    ],
)
def test_a_formula_of_what_one_may_not_see_is_refused_as_of_what_is_not_there(services, formula, error, says):
    budi = granted_to(services, Grant(("EWR",), ("temperature", "humidity")), Grant(("JFK",), ("temperature",)))
    with pytest.raises(error, match=says):
        save_formula(services.access, services.site, budi, "x", formula, "K")
    assert own_formulas(services.access, budi) == []


def test_a_direction_cannot_be_computed_with_and_its_components_can(services):
    with pytest.raises(InvalidFormula, match="wind_u and wind_v"):
        save_formula(services.access, services.site, SARI, "x", "wind_direction", "degree")
    save_formula(services.access, services.site, SARI, "x", "wind_u(wind_speed, wind_direction)", "m/s")


def test_a_definition_that_is_not_what_its_name_says_is_none(services):
    made = save_formula(services.access, services.site, SARI, *SPREAD)
    with services.access.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE formula_definition SET formula = 'humidity'")
    again = open_access(services.settings)
    assert again.definitions(made.sensor) is None
    assert own_formulas(again, SARI) == []
    again.engine.dispose()


# -- the dialog ------------------------------------------------------------------------------------


def test_the_dialog_says_what_a_formula_gives_and_which_of_the_chosen_stations_have_it(services):
    assert said(services, TO_JFK[1], "°C", ["EWR", "JFK"]) == (
        "Gives a temperature difference in °C. EWR has it from 1 Jan 2013 to 30 Dec 2013. "
        "Not at JFK: a sensor that it reads is missing there, or the formula names the station."
    )
    assert said(services, "temperature", "°F", []) == "Gives a temperature in °F."
    assert said(services, "wind_speed / wind_speed", "", []) == "Gives a plain number."
    with pytest.raises(RiwayatError, match="Character 14"):
        said(services, "temperature -", "°C", ["EWR"])
    assert own_formulas(services.access, SARI) == []


# -- over HTTP and on the command line -------------------------------------------------------------


@pytest.fixture
def client(data_dir: Path) -> FlaskClient:
    return create_app(Settings(data_dir=data_dir, _env_file=None)).server.test_client()


def test_the_dialog_opens_with_empty_fields_which_no_later_answer_empties(client):
    page = InProcess(client, "", "")
    opened = page.ask(page.changing(ids.FORMULA_NAME, "value", ids.FORMULA_OPEN), {ids.FORMULA_OPEN: 1}).json["response"]
    assert opened[ids.FORMULA_OWN]["value"] == NEW
    assert [opened[name]["value"] for name in (ids.FORMULA_NAME, ids.FORMULA_TEXT, ids.FORMULA_UNIT)] == ["", "", ""]
    choose = page.changing(ids.FORMULA_NAME, "value", ids.FORMULA_OWN)
    as_opened = {ids.FORMULA_OWN: NEW, ids.FORMULA_REMOVE: opened[ids.FORMULA_REMOVE]["hidden"]}
    assert page.ask(choose, as_opened).json["response"] == {}
    of_own = page.ask(choose, {ids.FORMULA_OWN: NEW, ids.FORMULA_REMOVE: False}).json["response"]
    assert of_own[ids.FORMULA_TEXT] == {"value": ""}


def posted(client: FlaskClient, body: dict[str, Any], path: str = "") -> tuple[int, Any]:
    answer = client.post(f"/api/formulas{path}", json=body)
    return answer.status_code, answer.get_json()


def test_the_api_saves_lists_replaces_and_removes_and_its_sensor_can_be_asked_for(client):
    status, made = posted(client, {"name": SPREAD[0], "formula": SPREAD[1], "unit": "°C"})
    assert (status, is_formula_name(made["sensor"]), made["steps"]) == (201, True, "mean")
    assert client.get("/api/formulas").get_json() == {"formulas": [made]}
    job = {"stations": ["EWR"], "sensors": [made["sensor"]], "start": "2013-07-01", "end": "2013-08-01"}
    assert client.post("/api/jobs", json=job).status_code == 202
    status, other = posted(client, {"name": "Half", "formula": "humidity / 2", "unit": "%"}, f"/{made['sensor']}")
    assert (status, client.get("/api/formulas").get_json()) == (200, {"formulas": [other]})
    assert client.delete(f"/api/formulas/{other['sensor']}").status_code == 204
    assert client.delete(f"/api/formulas/{other['sensor']}").status_code == 404


def test_the_api_refuses_every_hostile_text_with_what_is_wrong(client):
    for text, _says in HOSTILE.values():
        status, answer = posted(client, {"name": "x", "formula": text})
        found = status, answer["error"]["code"]
        expected = (400, "invalid_formula")
        if "\ud800" in text:
            expected = (400, "invalid_request")  # not text at all
        if len(text) > BODY_BYTES:
            expected = (413, "request_entity_too_large")
        assert found == expected, ascii(text[:60])
    status, answer = posted(client, {"name": "x", "formula": "temperature + " * 5_000})
    assert status == 400
    assert client.get("/api/formulas").get_json() == {"formulas": []}


def test_the_command_line_adds_lists_and_removes(data_dir, tmp_path):
    added = run_manage("formulas", "add", *SPREAD[:2], "--unit", "°C", cwd=tmp_path, data_dir=data_dir)
    listed = run_manage("formulas", "list", "--json", cwd=tmp_path, data_dir=data_dir)
    assert [one["sensor"] for one in json.loads(listed.stdout)] == [added.stdout.strip()]
    removed = run_manage("formulas", "remove", added.stdout.strip(), cwd=tmp_path, data_dir=data_dir)
    assert (removed.returncode, run_manage("formulas", "list", "--json", cwd=tmp_path, data_dir=data_dir).stdout) == (0, "[]\n")
    wrong = run_manage("formulas", "add", "x", "temperature +", cwd=tmp_path, data_dir=data_dir)
    assert (wrong.returncode, "Character 14" in wrong.stderr) == (1, True)
