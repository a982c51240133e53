"""A job as a row of the Jobs page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from callbacks.job_rows import job_row, repeat_query
from callbacks.link import parse_link
from data.catalogue import load_catalogue
from data.request import request_of
from i18n import THIN_SPACE, set_language
from jobs.job import Job, JobError, Progress, Status
from layouts.jobs_grid import columns

NOW = 1_700_000_000_000
REQUEST = request_of(["aws-1"], ["rainfall", "temperature"], "2016-01-01", "2026-01-01", "1h", "Asia/Jakarta")
DONE = {"rows": 6_000_000, "tiles_read": 12, "seconds_reading": 2.0, "peak_memory_mb": 143.4}


def job(status: Status, **fields: Any) -> Job:
    made = Job(
        id="jobid", owner="sari", kind="history", queue="history", request=REQUEST, status=status, progress=None, version=3,
        attempt=1, failures=0, tries=3, timeout_s=300, rows_estimate=0, created_ms=NOW - 20_000, queued_ms=NOW - 20_000,
        started_ms=None, finished_ms=None, not_before_ms=0, error=None, metrics={},
    )  # fmt: skip
    return replace(made, **fields)


def row(of: Job, position: int | None = None, prefix: str = "/", *, with_details: bool = True) -> dict[str, Any]:
    made = job_row(
        of, load_catalogue(), prefix=prefix, timezone="Asia/Jakarta", now_ms=NOW, position=position, with_details=with_details
    )
    return {name: value.replace(THIN_SPACE, " ") if isinstance(value, str) else value for name, value in made.items()}


@pytest.fixture(autouse=True)
def _english():
    set_language("en")
    yield
    set_language("en")


def test_a_completed_job_tells_what_it_took():
    made = row(job(Status.COMPLETED, started_ms=NOW - 9_000, finished_ms=NOW - 6_500, metrics=DONE))
    shown = {name: made[name] for name in ("status_words", "duration", "rows", "speed", "memory", "attempts", "error")}
    assert shown == {
        "status_words": "Completed", "duration": "2.5 s", "rows": "6 000 000", "speed": "3.0 M", "memory": "143 MB",
        "attempts": "1", "error": "",
    }  # fmt: skip
    assert (made["can_cancel"], made["can_retry"]) == (False, False)


@pytest.mark.parametrize(("kind", "name", "shown"), [("workbook", "Excel", "xlsx"), ("netcdf", "NetCDF", "netcdf")])
def test_a_file_says_that_it_is_one_and_opens_as_a_download_once_it_is_written(kind, name, shown):
    waiting, done = row(job(Status.QUEUED, kind=kind)), row(job(Status.COMPLETED, kind=kind), prefix="/r/")
    assert waiting["stations"] == done["stations"] == f"{name} file of aws-1"
    assert (waiting["open"], waiting["is_file"]) == ("/?job=jobid", False)
    assert (done["open"], done["is_file"]) == (f"/r/api/jobs/jobid/data?format={shown}", True)


def test_an_analysis_says_that_it_is_one_and_is_no_file():
    made = row(job(Status.COMPLETED, kind="analysis"))
    assert (made["stations"], made["is_file"], made["open"]) == ("Analysis of aws-1", False, "/?job=jobid")


def test_what_was_all_on_disk_took_no_time_and_has_no_speed():
    made = row(job(Status.COMPLETED, attempt=0, started_ms=NOW, finished_ms=NOW, metrics={"rows": 10, "tiles_read": 0}))
    assert (made["duration"], made["speed"], made["rows"]) == ("", "", "10")


def test_a_running_job_tells_how_far_it_is_and_how_long_it_runs():
    progress = Progress(0.629, 28, 120, 1_234_567, 5_000_000)
    made = row(job(Status.RUNNING, started_ms=NOW - 200_000, progress=progress))
    assert (made["status_words"], made["duration"], made["rows"], made["fraction"]) == (
        "Running 62 %",
        "3 min",
        "1 234 567",
        0.629,
    )
    assert (made["can_cancel"], made["can_retry"]) == (True, False)


def test_a_waiting_job_tells_its_place_and_has_no_duration():
    made = row(job(Status.QUEUED, attempt=0), position=3)
    assert (made["queue"], made["duration"], made["rows"]) == ("history, position 3", "", "")


def test_a_failed_job_tells_the_whole_cause_in_the_language_of_the_page():
    error = JobError(
        "source_unavailable", "{database} does not answer: {why}.", {"database": "db", "why": "x" * 500}, True, "Trace"
    )
    failed = job(Status.FAILED, attempt=3, failures=3, error=error)
    assert row(failed)["error"] == f"db does not answer: {'x' * 500}."
    assert (row(failed)["details"], row(failed)["attempts"], row(failed)["can_retry"]) == ("Trace", "3, 3 failed", True)
    hidden = row(failed, with_details=False)
    assert (hidden["details"], hidden["error"]) == ("", row(failed)["error"])
    set_language("id")
    assert (row(failed)["status_words"], row(failed)["sensors"]) == ("Gagal", "Suhu udara, Curah hujan")


def test_sensors_stand_in_the_catalogue_s_order_and_many_are_counted():
    assert row(job(Status.QUEUED))["sensors"] == "Air temperature, Rainfall"
    many = request_of([f"s{n}" for n in range(9)], ["temperature"], "2016-01-01", "2017-01-01", "raw", "UTC")
    assert row(job(Status.QUEUED, request=many))["stations"] == "9 stations"


def test_links_lie_below_the_prefix_and_repeating_fills_the_form_with_the_same_request():
    made = row(job(Status.COMPLETED), prefix="/weather/")
    assert made["open"] == "/weather/?job=jobid"
    link = parse_link(f"?{repeat_query(REQUEST)}")
    again = request_of(link.stations, link.sensors, link.start, link.end, link.resolution, "Asia/Jakarta")
    assert again == REQUEST
    assert made["repeat"] == f"/weather/?{repeat_query(REQUEST)}"


@pytest.mark.parametrize("with_owner", [True, False])
def test_every_column_shows_a_field_of_the_row(with_owner):
    made = row(job(Status.QUEUED))
    fields = {column["field"] for column in columns(with_owner=with_owner) if "field" in column}
    assert fields <= set(made)
    assert ("owner" in fields) is with_owner
