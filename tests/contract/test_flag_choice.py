"""Which flags of rules count: a choice of every question, on the page and over HTTP."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any

import pyarrow.parquet as parquet
import pytest
from flask.testing import FlaskClient

from access.store import open_access
from app import create_app
from callbacks.pictures import ViewQuery
from callbacks.selection import Selection
from callbacks.view import ViewAnswer, draw
from data.export.manifest import Manifest
from data.site import Site
from data.tiles.series import SeriesKey
from data.time.months import parse_month
from errors import InvalidRequest
from figures.job_window import JobWindow
from i18n import set_language
from jobs.job import Job, Status, file_flags
from jobs.ledger.ledger import open_ledger
from jobs.services import Services
from jobs.worker.child import make_run_job
from layouts.views import check_view
from tests.contract.test_analyses import site  # noqa: F401 - a fixture
from tests.contract.test_flag_layer import STUCK, loaded, request  # noqa: F401 - a fixture
from tests.people import person

HARD = 1 + STUCK.stop - STUCK.start  # a spike, and what stands still


@pytest.fixture
def services(loaded: Site) -> Iterator[Services]:  # noqa: F811
    set_language("en")
    settings = loaded.settings
    yield Services(settings, loaded, open_ledger(settings), open_access(settings), lambda: person("local"), lambda: None)
    set_language("en")


@pytest.fixture
def job(services: Services) -> Job:
    return services.ledger.record_completed("local", request(), {})


@pytest.fixture
def client(services: Services) -> FlaskClient:
    return create_app(services.settings).server.test_client()


def drawn(services: Services, job: Job, view: str = "trend", **options: str) -> ViewAnswer:
    selection = Selection.of({"job": job.id}).with_view(view, options)
    return draw(services, ViewQuery(job.id, selection, False, "light", 800))


def words(component: Any) -> str:
    return json.dumps(component.to_plotly_json(), default=lambda part: part.to_plotly_json(), ensure_ascii=False)


def got(client: FlaskClient, address: str) -> Any:
    return client.get(address).json


@pytest.mark.parametrize(("flags", "flagged", "least"), [("none", 1, True), ("hard", 1 + HARD, False), ("all", 3 + HARD, False)])
def test_statistics_are_without_what_a_choice_leaves_out(client: FlaskClient, job: Job, flags: str, flagged: int, least: bool):
    (found,) = got(client, f"/api/jobs/{job.id}/stats?flags={flags}")["series"]
    assert (found["flagged"], found["min"] == -30) == (flagged, least)


def test_what_cannot_be_right_is_left_out_where_nothing_is_chosen(client: FlaskClient, job: Job) -> None:
    for path in ("stats?", "figure?", "analysis/summary?", "analysis/calendar?", "rows?limit=400&"):
        usual, hard, none = (client.get(f"/api/jobs/{job.id}/{path}{query}").json for query in ("", "flags=hard", "flags=none"))
        assert usual == hard
        assert usual != none


def test_a_figure_tells_how_many_readings_are_left_out(client: FlaskClient, job: Job) -> None:
    told = {flags: got(client, f"/api/jobs/{job.id}/figure?flags={flags}")["layout"]["meta"] for flags in ("none", "hard", "all")}
    assert {flags: (meta["flags"], meta["left_out"], meta["suspect"]) for flags, meta in told.items()} == {
        "none": ("none", 0, 0),
        "hard": ("hard", HARD, 2),
        "all": ("all", HARD + 2, 0),
    }


def test_months_that_no_rule_has_looked_at_are_named_where_rules_count(client: FlaskClient, services: Services, job: Job) -> None:
    def told(query: str) -> list[list[str]]:
        paths = ("stats?", "figure?", "figure?view=calendar&")
        answers = [got(client, f"/api/jobs/{job.id}/{path}{query}") for path in paths]
        return [(each["layout"]["meta"] if "layout" in each else each)["unchecked"] for each in answers]

    def of_file(query: str) -> tuple[bytes | None, list[str]]:
        file = client.get(f"/api/jobs/{job.id}/data?format=parquet&{query}").data
        metadata = parquet.read_schema(BytesIO(file)).metadata or {}
        return metadata.get(b"unchecked"), got(client, f"/api/jobs/{job.id}/manifest?format=parquet&{query}")["unchecked"]

    assert told("") == [[]] * 3
    assert of_file("flags=hard") == (None, [])
    tiles, key = services.site.tiles, SeriesKey("own", "a", "temperature@flags")
    february = tiles.entries(key)[parse_month("2024-02")]
    tiles.drop(key, [february])
    assert told("") == [["2024-02"]] * 3
    assert told("flags=none") == told("from=2024-01-03&to=2024-01-09") == [[]] * 3
    assert of_file("flags=hard") == (b"2024-02", ["2024-02"])
    assert of_file("flags=none") == of_file("flags=hard&from=2024-01-03&to=2024-01-09") == (None, [])


def test_there_is_no_other_choice(client: FlaskClient, job: Job) -> None:
    for path in ("stats", "figure", "analysis/summary", "rows", "data"):
        refused = client.get(f"/api/jobs/{job.id}/{path}?flags=some")
        assert refused.status_code == 400
        assert got(client, f"/api/jobs/{job.id}/{path}?flags=some")["error"]["field"] == "flags"
    with pytest.raises(InvalidRequest, match="no flags some; use none, hard, all"):
        check_view("calendar", {"flags": "some"})
    check_view("calendar", {"flags": "all"})


def test_a_file_has_a_column_of_flags_where_it_says_which_count(client: FlaskClient, job: Job) -> None:
    plain, told = (client.get(f"/api/jobs/{job.id}/data{query}").text.splitlines() for query in ("", "?flags=none"))
    assert (plain[0].endswith(",temperature"), told[0].endswith(",temperature,flag")) == (True, True)
    assert sum("stuck hard" in line for line in told) == STUCK.stop - STUCK.start


def test_the_page_says_how_many_readings_are_left_out_and_offers_to_leave_out_none(services: Services, job: Job) -> None:
    usual = drawn(services, job)
    assert f"{HARD} left out by quality rules · 2 suspect (▪)" in usual.badge.replace("\u00a0", " ")
    assert "Quality rules leave out" in words(usual.controls)
    marks = [shape for shape in usual.answer["figure"]["layout"]["shapes"] if shape["yref"] == "y domain"]
    assert marks
    none = drawn(services, job, flags="none")
    assert "quality rules" not in none.badge.replace("\u00a0", " ")
    assert none.rows_href is not None
    assert none.rows_href.endswith("flags=none")
    assert ["−30" in words(each.statistics) for each in (usual, none)] == [False, True]


def test_other_views_follow_and_keep_their_own_options(services: Services, job: Job) -> None:
    for view in ("calendar", "distribution", "events", "table"):
        answer = drawn(services, job, view, flags="all")
        assert f"{HARD + 2} left out by quality rules" in words(answer.controls)
        assert answer.answer["options"]["flags"] == "all"
    assert "Quality rules leave out" not in words(drawn(services, job, "quality").controls)


def test_what_no_rule_has_looked_at_is_told_when_the_load_has_ended(services: Services, job: Job) -> None:
    key, rights = SeriesKey("own", "a", "temperature@flags"), services.identify().rights
    services.site.tiles.drop(key, services.site.tiles.entries(key).values())
    hard, span = replace(services.site, flags="hard"), (job.request.start_ms, job.request.end_ms)
    told = [JobWindow(hard, replace(job, status=status), span, rights).view(400).marks[0].unmade for status in Status]
    assert told == [status.is_final for status in Status]


def test_a_choice_that_there_is_not_is_said_in_the_place_of_the_picture(services: Services, job: Job) -> None:
    assert "no flags some" in drawn(services, job, flags="some").badge


def test_a_workbook_of_another_choice_is_another_job(client: FlaskClient, services: Services, job: Job) -> None:
    usual, none = (got(client, f"/api/jobs/{job.id}/data?format=xlsx{query}") for query in ("", "&flags=none"))
    made = [services.ledger.get(answer["id"]) for answer in (usual, none)]
    assert [file_flags(each) for each in made] == ["hard", "none"]
    shown = [got(client, f"/api/jobs/{each.id}") for each in (job, *made)]
    assert [(each["inquiry"], each["flags"]) for each in shown] == [(None, None), (None, "hard"), (None, "none")]


def test_a_file_of_another_choice_is_given_by_its_own_job_whatever_the_request_leaves_out(
    client: FlaskClient, services: Services, job: Job
) -> None:
    answer = got(client, f"/api/jobs/{job.id}/data?format=netcdf&flags=none")
    claimed = services.ledger.claim("w", ["history", "history-large"])
    assert claimed is not None
    make_run_job(services.settings)(claimed.id, claimed.attempt)
    file, manifest = (client.get(f"/api/jobs/{answer['id']}/{path}", buffered=True) for path in ("data", "manifest"))
    assert file.status_code == manifest.status_code == 200
    told = Manifest.model_validate_json(manifest.data)
    assert (told.flags, told.file.sha256) == ("none", hashlib.sha256(file.data).hexdigest())
    assert services.ledger.claim("w", ["history", "history-large"]) is None
