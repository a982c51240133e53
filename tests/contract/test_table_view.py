"""The view Table of a job: the place of its rows, or in words why there is none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import callbacks.pictures
from access.grants import Grant
from callbacks.pictures import ViewQuery
from callbacks.selection import Selection
from callbacks.view import draw
from jobs.job import Job
from jobs.services import Services
from layouts.views import view_names
from tests.contract.test_job_view import DAY, REQUEST, START, folder, job, services  # noqa: F401 - fixtures
from tests.people import granted


def table_of(services: Services, job_id: str, options: dict[str, Any], start: int = START, end: int = START + 30 * DAY) -> Any:  # noqa: F811
    stored = {"job": job_id, "start": start, "end": end, "sequence": 3, "view": "table", "options": options}
    return draw(services, ViewQuery(job_id, Selection.of(stored), False, "light", 800)).whole


def said(drawn: Any) -> str:
    return " ".join(note["text"] for note in drawn["figure"]["layout"]["annotations"]).replace("<br>", " ")


def test_it_is_the_last_tab_and_tells_the_address_and_columns_of_the_rows(services, job):  # noqa: F811
    assert list(view_names())[-1] == "table"
    options = {"where": "temperature > 5", "at": "2013-01-05"}
    drawn = table_of(services, job.id, options)
    told = drawn["table"]
    assert (drawn["view"], drawn["options"], told["options"]) == ("table", options, options)
    assert told["rows"] == f"/api/jobs/{job.id}/rows?from={START}&to={START + 30 * DAY}&flags=hard"
    assert [column["id"] for column in told["columns"]] == ["/".join(series) for series in REQUEST.series]
    assert told["columns"][2]["label"] == "Wind direction (°)"
    assert told["byValue"]
    assert told["grid"] in str(drawn["lists"])
    assert "temperature > 5" in str(drawn["controls"])
    assert drawn["statistics"] is not None


def test_more_values_than_are_sorted_are_by_time_only_unless_they_are_filtered(services, job, monkeypatch):  # noqa: F811
    monkeypatch.setattr(callbacks.pictures, "MOST_SORTED", 1_000)
    assert not table_of(services, job.id, {})["table"]["byValue"]
    assert table_of(services, job.id, {"where": "temperature > 30"})["table"]["byValue"]


def test_a_filter_and_an_order_by_columns_of_another_load_are_dropped_and_what_nobody_has_is_told(services, job):  # noqa: F811
    def told(**options: str) -> Any:
        return table_of(services, job.id, options)["table"]["options"]

    assert told(where="Air pressure > 3 and temperature > 1", sort="-LGA/temperature", at="2013-01-05") == {"at": "2013-01-05"}
    for where in ("nothing > 3", "JFKK temperature > 3", "LGA temperature"):
        assert told(where=where, sort="-time") == {"where": where, "sort": "-time"}


@pytest.mark.parametrize(("view", "options"), [("table", {"where": "x" * 3_000, "sort": 5}), ("tables", {"at": "2013"})])
def test_what_an_address_cannot_mean_is_left_out(services, job, view, options):  # noqa: F811
    drawn = draw(
        services, ViewQuery(job.id, Selection.of({"job": job.id, "view": view, "options": options}), False, "light", 800)
    )
    assert drawn.answer["view"] == ("table" if view == "table" else "trend")
    assert drawn.answer["options"] == {}


def test_who_may_not_export_a_load_that_is_not_complete_and_an_empty_window_get_words(services, job):  # noqa: F811
    seen = replace(services, identify=lambda: granted("local", Grant(may_export=False)))
    refused = table_of(seen, job.id, {})
    assert (refused["table"], refused["lists"]) == (None, None)
    assert "not download it" in said(refused)
    running: Job = services.ledger.submit("local", replace(REQUEST, stations=("LGA",)))
    assert "when everything is loaded" in said(table_of(services, running.id, {}))
    wide = replace(REQUEST, start_ms=START - 400 * DAY)
    completed = services.ledger.record_completed("local", wide, {})
    empty = table_of(services, completed.id, {}, START - 300 * DAY, START - 200 * DAY)
    assert empty["table"] is None
    assert "No data here" in str(empty["note"])
