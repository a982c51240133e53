"""What the page says of each state of a job, in both languages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from callbacks.job_words import (
    ACTIVE_STATUS,
    WORKER_COMMAND,
    QueueState,
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
NOTHING_AROUND = QueueState()
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


def words(of: Job, queue_state: QueueState = NOTHING_AROUND, language: str = "en") -> str:
    set_language(language)
    return progress_words(of, queue_state).replace(THIN_SPACE, " ")


@pytest.mark.parametrize(
    ("of", "queue_state", "english", "indonesian"),
    [
        (job(Status.QUEUED), QueueState(2), "Queued at position 2", "Dalam antrean, urutan ke-2"),
        (job(Status.RUNNING), QueueState(), "Starting", "Memulai"),
        (
            job(Status.RUNNING, progress=READING),
            QueueState(),
            # 28 of 120 tiles of two sensors
            "Reading aws-1, March 2019 · 14 of 60 months · 1.2 M rows · about 3 s left",
            "Membaca aws-1, Maret 2019 · 14 dari 60 bulan · 1,2 jt baris · kira-kira 3 dtk lagi",
        ),
        (
            job(Status.COMPLETED, started_ms=NOW, finished_ms=NOW + 3_000, metrics={"rows": 5_000_000, "tiles_read": 120}),
            QueueState(),
            "Read 5.0 M rows in 3 s",
            "5,0 jt baris dibaca dalam 3 dtk",
        ),
        (
            job(
                Status.COMPLETED,
                started_ms=NOW,
                finished_ms=NOW + 3_000,
                metrics={"rows": 500, "tiles_read": 1, "bad_values": 12, "bad_times": 3},
            ),
            QueueState(),
            "Read 500 rows in 3 s · 12 values could not be read · 3 rows have no time",
            "500 baris dibaca dalam 3 dtk · 12 nilai tidak terbaca · 3 baris tanpa waktu",
        ),
        (
            job(
                Status.COMPLETED,
                started_ms=NOW,
                finished_ms=NOW + 3_000,
                metrics={"rows": 500, "tiles_read": 1, "bad_values": 1, "bad_times": 1},
            ),
            QueueState(),
            "Read 500 rows in 3 s · 1 value could not be read · 1 row has no time",
            "500 baris dibaca dalam 3 dtk · 1 nilai tidak terbaca · 1 baris tanpa waktu",
        ),
        (job(Status.COMPLETED, metrics={"rows": 10, "tiles_read": 0}), QueueState(), "", ""),
        (
            job(Status.RUNNING, kind="workbook", progress=Progress(0.2, 0, 0, 1_000, 5_000, "aws-1", 2019 * 12 + 2, 3.2)),
            QueueState(),
            "Writing the Excel file: 1.0 k of 5.0 k rows",
            "Menulis berkas Excel: 1,0 rb dari 5,0 rb baris",
        ),
        (
            job(Status.RUNNING, kind="analysis", progress=Progress(0.2, 0, 0, 1_000, 5_000, "aws-1", 2019 * 12 + 2, 3.2)),
            QueueState(),
            "Analysing: 1.0 k of 5.0 k readings",
            "Menganalisis: 1,0 rb dari 5,0 rb pembacaan",
        ),
        (job(Status.COMPLETED, kind="analysis", metrics={"rows": 10, "tiles_read": 1}), QueueState(), "", ""),
        (job(Status.FAILED), QueueState(), "", ""),
        (job(Status.CANCELLED), QueueState(), "", ""),
        (
            job(Status.QUEUED, failures=1, error=ERROR),
            QueueState(1),
            "Attempt 1 failed (db does not answer: refused); trying again soon",
            "Percobaan 1 gagal (db tidak menjawab: refused); segera dicoba lagi",
        ),
    ],
)
def test_progress_in_words(of, queue_state, english, indonesian):
    assert words(of, queue_state) == english
    assert words(of, queue_state, "id") == indonesian


def test_a_job_that_waits_without_a_worker_shows_the_command_but_not_at_once():
    assert job_notice(job(Status.QUEUED), QueueState(1, workers=1), NOW, with_details=True) is None
    assert job_notice(job(Status.QUEUED, queued_ms=NOW - 500), QueueState(1, workers=0), NOW, with_details=True) is None
    assert job_notice(job(Status.QUEUED), QueueState(1, workers=0), NOW, with_details=True) == no_worker()
    assert (
        job_notice(job(Status.RUNNING), QueueState(workers=0), NOW, with_details=True) == no_worker()
    )  # it died, and nobody takes over
    assert no_worker().command == WORKER_COMMAND


@pytest.mark.parametrize(("attempt", "says"), [(0, "before anything was read"), (1, "already loaded is shown")])
def test_a_cancelled_job_can_be_resumed_and_says_whether_anything_arrived(attempt, says):
    found = job_notice(job(Status.CANCELLED, attempt=attempt), QueueState(), NOW, with_details=True)
    assert found.action == "resume"
    assert says in found.sentence


def test_a_failed_job_says_why_and_can_be_tried_again():
    notice = job_notice(job(Status.FAILED, error=ERROR), QueueState(), NOW, with_details=True)
    assert notice.sentence == "The load failed: db does not answer: refused."
    assert (notice.kind, notice.action, notice.details) == ("danger", "retry", "Traceback")
    assert job_notice(job(Status.FAILED), QueueState(), NOW, with_details=True).action == "retry"


def test_who_may_not_see_a_traceback_gets_the_sentence_and_the_jobs_id():
    notice = job_notice(job(Status.FAILED, error=ERROR), QueueState(), NOW, with_details=False)
    assert (notice.sentence, notice.details) == ("The load failed: db does not answer: refused.", "Job jobid")


@pytest.mark.parametrize("of", [None, job(Status.RUNNING), job(Status.COMPLETED)])
def test_a_job_that_is_well_has_no_notice(of):
    assert job_notice(of, QueueState(), NOW, with_details=True) is None


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
    assert request_title(REQUEST, catalogue) == "aws-1 · Air temperature, Rainfall · 1 Jan 2016 – 31 Dec 2025 WIB"
    many = request_of([f"s{n}" for n in range(9)], ["temperature"], "2016-01-01", "2017-01-01", "1d", "Asia/Jakarta")
    assert request_title(many, catalogue) == "9 stations · Air temperature · 1 Jan 2016 – 31 Dec 2016 WIB"
    set_language("id")
    assert "Suhu udara, Curah hujan" in request_title(REQUEST, catalogue)
