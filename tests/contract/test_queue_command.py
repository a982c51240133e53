"""``manage.py queue …`` as a shell sees it."""

import json

import pytest
from typer.testing import CliRunner

from data.request import HistoryRequest
from errors import Conflict, JobNotFound
from jobs.job import JobError, Progress, Status, WorkerInfo
from jobs.ledger.ledger import migrate_jobs, open_ledger
from manage import build


@pytest.fixture
def ledger(settings, monkeypatch):
    monkeypatch.setenv("RIWAYAT_DATA_DIR", str(settings.data_dir))
    opened = open_ledger(settings)
    migrate_jobs(opened.engine)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def queue(ledger):
    def run(*arguments):
        return CliRunner().invoke(build(), ["queue", *arguments])

    return run


def submit(ledger, number=0, **how):
    return ledger.submit(
        "siti", HistoryRequest(("aws-1",), ("rainfall", "temperature"), number, 1000, "1h", "Asia/Jakarta"), **how
    )


def fail(ledger, job):
    claimed = ledger.claim("w", [job.queue], only=job.id)
    ledger.report(job.id, claimed.attempt, Progress(0.5, 1, 2, 3, 4, "aws-1", 24_230, 9.0))
    ledger.fail(
        job.id, claimed.attempt, JobError("source", "The table has no {column}.", {"column": "x"}, False, "Traceback"), jitter=0
    )


def test_list_gives_jobs_as_the_api_does(ledger, queue):
    job = submit(ledger)
    fail(ledger, job)
    (shown,) = json.loads(queue("list", "--json").stdout)
    times = {name: shown.pop(name) for name in ("created", "started", "finished")}
    assert all(text.endswith("Z") and text[10] == "T" for text in times.values())
    assert shown == {
        "id": job.id,
        "status": "failed",
        "queue": "history",
        "owner": "siti",
        "kind": "history",
        "inquiry": None,
        "flags": None,
        "request": {
            "stations": ["aws-1"],
            "sensors": ["rainfall", "temperature"],
            "start": "1970-01-01T00:00:00Z",
            "end": "1970-01-01T00:00:01Z",
            "resolution": "1h",
            "timezone": "Asia/Jakarta",
        },
        "progress": {
            "fraction": 0.5,
            "tiles_done": 1,
            "tiles_total": 2,
            "rows": 3,
            "rows_total": 4,
            "station": "aws-1",
            "month": "2019-03",
            "seconds_left": 9.0,
        },
        "version": 3,
        "attempts": 1,
        "failures": 1,
        "tries": 3,
        "error": {"code": "source", "message": "The table has no x."},
        "metrics": {},
    }


def test_list_can_be_filtered_and_is_readable(ledger, queue):
    first, second = submit(ledger), submit(ledger, 1)
    ledger.cancel(first.id)
    assert [job["id"] for job in json.loads(queue("list", "--json", "--status", "queued").stdout)] == [second.id]
    assert json.loads(queue("list", "--json", "--owner", "budi").stdout) == []
    assert [job["id"] for job in json.loads(queue("list", "--json", "--before", second.id).stdout)] == [first.id]
    lines = queue("list").stdout.splitlines()
    assert first.id in lines[2]
    assert "aws-1 × rainfall,temperature" in lines[2]  # not cut
    assert queue("list", "--status", "nonsense").exit_code == 2


def test_status_counts_jobs_and_workers(ledger, queue):
    submit(ledger)
    assert "manage.py worker" in queue("status").stdout
    ledger.heartbeat(WorkerInfo("w", "host", 7, ("history", "other"), 2, 0, 0))
    shown = json.loads(queue("status", "--json").stdout)
    assert shown["queues"] == {"history": {"queued": 1, "running": 0, "completed": 0, "failed": 0, "cancelled": 0}}
    assert [(worker["pid"], worker["queues"], worker["slots"]) for worker in shown["workers"]] == [(7, ["history", "other"], 2)]
    assert "worker 7 on host" in queue("status").stdout


def test_show_tells_the_place_in_line_and_the_details_of_an_error(ledger, queue):
    submit(ledger)
    second = submit(ledger, 1)
    assert "position: 2" in queue("show", second.id).stdout
    fail(ledger, second)
    assert "Traceback" in queue("show", second.id).stdout
    assert json.loads(queue("show", second.id, "--json").stdout)["id"] == second.id
    assert isinstance(queue("show", "nope").exception, JobNotFound)


def test_retry_takes_ids_or_all_failed(ledger, queue):
    jobs = [submit(ledger, number) for number in range(4)]
    for job in jobs[:3]:
        fail(ledger, job)
    assert [job["id"] for job in json.loads(queue("failed", "--json").stdout)] == [job.id for job in jobs[2::-1]]
    assert queue("retry", jobs[1].id).exit_code == 0
    assert ledger.get(jobs[1].id).status is Status.QUEUED
    assert queue("retry", "all").exit_code == 0
    assert ledger.counts() == {"history": {Status.QUEUED: 4}}
    refused = queue("retry", jobs[1].id)
    assert refused.exit_code == 1
    assert "cannot be retried" in refused.stderr


def test_cancel_and_prune(ledger, queue):
    job = submit(ledger)
    assert queue("cancel", job.id).exit_code == 0
    assert ledger.get(job.id).status is Status.CANCELLED
    assert isinstance(queue("cancel", job.id).exception, Conflict)
    assert queue("prune").exit_code == 0
    assert len(ledger.jobs()) == 1
    assert queue("prune", "--days", "0").exit_code == 0
    assert ledger.jobs() == []


def test_every_command_that_acts_can_say_as_json_what_it_did(ledger, queue):
    failed, waiting = submit(ledger), submit(ledger, 1)
    fail(ledger, failed)
    done = queue("retry", failed.id, waiting.id, "nope", "--json")
    # one was not to be retried, one is not there; the other is queued all the same
    assert done.exit_code == 1
    said = json.loads(done.stdout)
    assert said["queued"] == [failed.id]
    assert [(one["id"], "no job" in one["message"]) for one in said["refused"]] == [(waiting.id, False), ("nope", True)]
    assert json.loads(queue("show", waiting.id, "--json").stdout)["position"] == 1
    assert json.loads(queue("cancel", waiting.id, "--json").stdout)["status"] == "cancelled"
    assert json.loads(queue("restart", "--json").stdout) == {"workers": 0}
    assert json.loads(queue("prune", "--days", "0", "--json").stdout) == {"forgotten": 1, "workbook_bytes": 0}
