"""Analyses over HTTP: one form for all, options in the query string, rights as of any window."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from analysis.registry import ANALYSES
from api.analysis import AnalysisAnswer, AnalysisQuery
from api.drawn_inputs import FigureQuery
from tests.contract.test_api import done, folder, ok, own_world, refused, sari, shared, world  # noqa: F401 - fixtures

QUERIES: dict[str, str] = {"events": "above=5"}
FITS = sorted(set(ANALYSES) - {"wind", "differences", "drift"})  # the job has temperature and rainfall of one station


@pytest.mark.parametrize("name", FITS)
def test_every_analysis_answers_as_json_and_as_a_table(sari, done, name):  # noqa: F811
    query = QUERIES.get(name, "")
    answer = ok(sari.get(f"/api/jobs/{done}/analysis/{name}?from=2013-03-01&to=2013-04-01&{query}"))
    AnalysisAnswer.model_validate(answer)
    assert answer["window"] == {"from": "2013-03-01T05:00:00Z", "to": "2013-04-01T04:00:00Z"}
    table = sari.get(f"/api/jobs/{done}/analysis/{name}?from=2013-03-01&to=2013-04-01&format=csv&{query}")
    rows = list(csv.reader(io.StringIO(table.text)))
    assert table.content_type == "text/csv; charset=utf-8"
    is_bare = name == "quality"  # these readings are right
    assert (rows[0][:2], len(rows) > 1) == (["station", "sensor"], not is_bare)


def test_no_option_has_a_name_that_the_query_string_means_something_else_by():
    for analysis in ANALYSES.values():
        known = {field.alias or name for model in (AnalysisQuery, FigureQuery) for name, field in model.model_fields.items()}
        assert not {*analysis.module.Options.model_fields} & {*known, "job"}, analysis.name


def test_the_zone_of_days_may_be_another_than_the_jobs(sari, done):  # noqa: F811
    def first_day(zone: str) -> Any:
        path = f"/api/jobs/{done}/analysis/calendar?from=2013-03-01T05:00:00Z&to=2013-03-03T05:00:00Z&zone={zone}"
        return ok(sari.get(path))["results"][0]["days"][0]

    assert (first_day("America/New_York")["date"], first_day("America/New_York")["expected"]) == ("2013-03-01", 24)
    assert first_day("UTC")["expected"] == 19  # the day is cut by the window
    refused(sari.get(f"/api/jobs/{done}/analysis/calendar?zone=Mars/Olympus"), 400, "invalid_request", "zone")


@pytest.mark.parametrize(
    ("path", "status", "code", "field", "said"),
    [
        ("rose", 404, "not_found", None, "there is summary, compare"),
        ("events", 400, "invalid_request", "above", "above or below"),
        ("events?above=30&colour=red", 400, "invalid_request", "colour", "no option colour"),
        ("distribution?bins=many", 400, "invalid_request", "bins", "bins"),
        ("wind", 400, "invalid_request", "sensors", "wind direction and wind speed"),
        ("differences", 400, "invalid_request", "stations", "two or more"),
        ("drift", 400, "invalid_request", "stations", "two or more"),
        ("earlier?offset=year", 400, "not_loaded", "offset", "Load from 2012-01-01T05:00:00Z"),
        ("summary?from=1999-01-01&to=1999-02-01", 400, "invalid_request", "to", "outside the job"),
    ],
)
def test_what_is_wrong_with_a_question_is_said(sari, done, path, status, code, field, said):  # noqa: F811
    assert said in refused(sari.get(f"/api/jobs/{done}/analysis/{path}"), status, code, field)


def test_an_analysis_of_a_job_that_has_lost_tiles_is_refused_rather_than_cut(own_world):  # noqa: F811
    client = own_world.user("sari")
    job = own_world.started(stations=["EWR"], sensors=["temperature"], start="2013-01-01", end="2014-01-01")
    ok(client.get(f"/api/jobs/{job}/analysis/summary"))
    own_world.site.tiles.clear()
    refused(client.get(f"/api/jobs/{job}/analysis/summary"), 409, "conflict")


def test_another_owners_job_cannot_be_analysed(world):  # noqa: F811
    job = world.started("sari")
    refused(world.user("budi").get(f"/api/jobs/{job}/analysis/summary"), 404, "job_not_found")


def test_a_table_that_is_taken_away_stands_in_the_audit_log_and_an_answer_does_not(world, sari, done):  # noqa: F811
    def exports() -> list[dict[str, Any]]:
        entries = ok(world.user("root").get("/api/audit?action=export"))["entries"]
        return [entry for entry in entries if entry["subject"].get("analysis")]

    before = len(exports())
    ok(sari.get(f"/api/jobs/{done}/analysis/calendar?from=2013-03-01&to=2013-04-01"))
    assert len(exports()) == before
    assert sari.get(f"/api/jobs/{done}/analysis/calendar?from=2013-03-01&to=2013-04-01&format=csv").status_code == 200
    assert exports()[0]["subject"]["analysis"] == "calendar"
    assert len(exports()) == before + 1
