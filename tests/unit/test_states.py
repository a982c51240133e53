"""What the page says of each state of a job, in both languages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from callbacks.states import (
    ACTIVE_STATUS,
    WORKER_COMMAND,
    Situation,
    expired,
    fraction,
    job_notice,
    job_state,
    no_worker,
    not_found,
    panel_status,
    progress_words,
    request_title,
)
from data.catalogue import load_catalogue
from data.request import request_of
from i18n import THIN_SPACE, set_language
from jobs.job import Job, JobError, Progress, Status

NOW = 1_700_000_000_000
NOTHING_AROUND = Situation()
REQUEST = request_of(["aws-1"], ["temperature", "rainfall"], "2016-01-01", "2026-01-01", "raw", "Asia/Jakarta")
READING = Progress(0.62, 28, 120, 1_234_567, 5_000_000, "aws-1", 2019 * 12 + 2, 3.2)
ERROR = JobError(
    "source_unavailable", "{database} does not answer: {why}.", {"database": "db", "why": "refused"}, True, "Traceback"
)


def job(status: Status, **fields: Any) -> Job:
    made = Job(
        id="jobid", owner="local", kind="history", queue="history", request=REQUEST, status=status, progress=None, version=3,
        attempt=1, failures=0, tries=3, timeout_s=300, rows_estimate=0, created_ms=NOW - 20_000, queued_ms=NOW - 20_000,
        started_ms=None, finished_ms=None, not_before_ms=0, error=None, metrics={},
    )  # fmt: skip
    return replace(made, **fields)


@pytest.fixture(autouse=True)
def _english():
    set_language("en")
    yield
    set_language("en")


def words(of: Job, situation: Situation = NOTHING_AROUND, language: str = "en") -> str:
    set_language(language)
    return progress_words(of, situation).replace(THIN_SPACE, " ")


@pytest.mark.parametrize(
    ("of", "situation", "english", "indonesian"),
    [
        (job(Status.QUEUED), Situation(2), "Queued at position 2", "Dalam antrean, urutan ke-2"),
        (job(Status.RUNNING), Situation(), "Starting", "Memulai"),
        (
            job(Status.RUNNING, progress=READING),
            Situation(),
            "Reading aws-1, March 2019 · 14 of 60 months · 1.2 M rows · about 3 s left",  # 28 of 120 tiles of two sensors
            "Membaca aws-1, Maret 2019 · 14 dari 60 bulan · 1,2 jt baris · kira-kira 3 dtk lagi",
        ),
        (
            job(Status.COMPLETED, started_ms=NOW, finished_ms=NOW + 3_000, metrics={"rows": 5_000_000, "tiles_read": 120}),
            Situation(),
            "Read 5.0 M rows in 3 s",
            "5,0 jt baris dibaca dalam 3 dtk",
        ),
        (job(Status.COMPLETED, metrics={"rows": 10, "tiles_read": 0}), Situation(), "", ""),
        (
            job(Status.RUNNING, kind="workbook", progress=Progress(0.2, 0, 0, 1_000, 5_000, "aws-1", 2019 * 12 + 2, 3.2)),
            Situation(),
            "Writing the Excel file: 1 k of 5 k rows",
            "Menulis berkas Excel: 1 rb dari 5 rb baris",
        ),
        (job(Status.FAILED), Situation(), "", ""),
        (job(Status.CANCELLED), Situation(), "", ""),
        (
            job(Status.QUEUED, failures=1, error=ERROR),
            Situation(1),
            "Attempt 1 failed (db does not answer: refused); trying again soon",
            "Percobaan 1 gagal (db tidak menjawab: refused); segera dicoba lagi",
        ),
    ],
)
def test_progress_in_words(of, situation, english, indonesian):
    assert words(of, situation) == english
    assert words(of, situation, "id") == indonesian


def test_a_job_that_waits_without_a_worker_shows_the_command_but_not_at_once():
    assert job_notice(job(Status.QUEUED), Situation(1, workers=1), NOW, with_details=True) is None
    assert job_notice(job(Status.QUEUED, queued_ms=NOW - 500), Situation(1, workers=0), NOW, with_details=True) is None
    assert job_notice(job(Status.QUEUED), Situation(1, workers=0), NOW, with_details=True) == no_worker()
    assert (
        job_notice(job(Status.RUNNING), Situation(workers=0), NOW, with_details=True) == no_worker()
    )  # it died, and nobody takes over
    assert no_worker().command == WORKER_COMMAND


@pytest.mark.parametrize(("attempt", "says"), [(0, "before anything was read"), (1, "what had arrived is shown")])
def test_a_cancelled_job_can_be_resumed_and_says_whether_anything_arrived(attempt, says):
    found = job_notice(job(Status.CANCELLED, attempt=attempt), Situation(), NOW, with_details=True)
    assert found.action == "resume"
    assert says in found.sentence


def test_a_failed_job_says_why_and_can_be_tried_again():
    notice = job_notice(job(Status.FAILED, error=ERROR), Situation(), NOW, with_details=True)
    assert notice.sentence == "The load failed: db does not answer: refused."
    assert (notice.kind, notice.action, notice.details) == ("danger", "retry", "Traceback")
    assert job_notice(job(Status.FAILED), Situation(), NOW, with_details=True).action == "retry"


def test_who_may_not_see_a_traceback_gets_the_sentence_and_the_jobs_id():
    notice = job_notice(job(Status.FAILED, error=ERROR), Situation(), NOW, with_details=False)
    assert (notice.sentence, notice.details) == ("The load failed: db does not answer: refused.", "Job jobid")


@pytest.mark.parametrize("of", [None, job(Status.RUNNING), job(Status.COMPLETED)])
def test_a_job_that_is_well_has_no_notice(of):
    assert job_notice(of, Situation(), NOW, with_details=True) is None


@pytest.mark.parametrize("notice", [no_worker(), not_found(), expired()])
def test_a_notice_has_one_sentence_and_one_thing_to_do(notice):
    assert notice.sentence
    assert bool(notice.action) != bool(notice.command)


@pytest.mark.parametrize(
    ("of", "status", "value"),
    [
        (None, "", "0"),
        (job(Status.QUEUED), ACTIVE_STATUS, "0"),
        (job(Status.RUNNING, progress=READING), ACTIVE_STATUS, "0.6200"),
        (job(Status.COMPLETED), "completed", "1"),
        (job(Status.FAILED, progress=READING), "failed", "0.6200"),
        (job(Status.CANCELLED), "cancelled", "0"),
    ],
)
def test_status_and_fraction_of_the_panel(of, status, value):
    assert (panel_status(of), fraction(of)) == (status, value)


def test_the_notification_of_a_long_load_knows_how_long_it_took():
    ended = job_state(job(Status.COMPLETED, finished_ms=NOW))
    assert (ended["seconds"], ended["message"]) == (20.0, "The history of aws-1 is loaded.")
    assert job_state(job(Status.CANCELLED, finished_ms=NOW))["message"] == ""
    assert job_state(None)["id"] is None


def test_the_title_names_what_is_shown():
    catalogue = load_catalogue()
    assert request_title(REQUEST, catalogue) == "aws-1 · Air temperature, Rainfall · 1 Jan 2016 – 1 Jan 2026 WIB"
    many = request_of([f"s{n}" for n in range(9)], ["temperature"], "2016-01-01", "2017-01-01", "1d", "Asia/Jakarta")
    assert request_title(many, catalogue) == "9 stations · Air temperature · 1 Jan 2016 – 1 Jan 2017 WIB · 1 day"
    set_language("id")
    assert "Suhu udara, Curah hujan" in request_title(REQUEST, catalogue)
