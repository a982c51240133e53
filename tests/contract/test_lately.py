"""Numbers of the queue as every database gives them, and the addresses that tell them."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from api.readiness import Readiness, SharedReadiness
from app import create_app
from commands.setup import bring_up_to_date
from config import Settings
from data.engine import make_engine
from data.request import HistoryRequest
from data.site import open_site
from jobs import tables
from jobs.job import JobError, Status, WorkerInfo
from jobs.lately import LATELY_S, lately
from jobs.ledger import Ledger, migrate_jobs
from jobs.manager import open_cache
from jobs.policy import QUEUES

ME = WorkerInfo("w1", "here", 1, QUEUES, 3, 0, 0)


def request(number: int) -> HistoryRequest:
    return HistoryRequest(("aws-1",), ("temperature",), 0, 1000 + number, "raw", "UTC")


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    opened = Ledger(make_engine(database_url))
    migrate_jobs(opened.engine)
    yield opened
    opened.engine.dispose()


def shift(ledger: Ledger, job_id: str, **by_ms: int) -> None:
    """Move times of a job back."""
    with ledger.engine.begin() as connection:
        moved = {name: tables.job.c[name] - ms for name, ms in by_ms.items()}
        connection.execute(update(tables.job).where(tables.job.c.id == job_id).values(**moved))


def test_the_queue_now_is_what_waits_runs_and_serves(ledger):
    for number in range(3):
        job = ledger.submit("siti", request(number))
    shift(ledger, job.id, queued_ms=60_000)
    ledger.heartbeat(ME, {})
    running = ledger.claim("w1", QUEUES)
    assert running.id == job.id
    shift(ledger, ledger.submit("siti", request(1)).id, queued_ms=30_000)
    found = lately(ledger, ledger.workers())
    first = found.queues[0]
    assert (first.queue, first.waiting, first.running, first.workers, first.slots) == ("history", 2, 1, 1, 3)
    assert 30 <= first.oldest_s < 60
    assert [queue.queue for queue in found.queues] == list(QUEUES)


def test_every_queue_is_named_also_when_nobody_serves_it(ledger):
    found = lately(ledger, ledger.workers())
    assert [(queue.queue, queue.workers) for queue in found.queues] == [(queue, 0) for queue in QUEUES]


def test_ended_jobs_are_those_of_the_last_quarter_of_an_hour(ledger):
    for number in range(2):
        ledger.submit("siti", request(number))
        job = ledger.claim("w1", QUEUES)
        ledger.complete(job.id, job.attempt, {"rows": 7})
    shift(ledger, job.id, finished_ms=(LATELY_S + 1) * 1000)
    (ended,) = lately(ledger, ()).ended
    assert (ended.status, ended.metrics) == (Status.COMPLETED, {"rows": 7})
    assert ended.waited_s >= 0
    assert ended.ran_s >= 0


def test_a_job_that_waits_for_another_attempt_counts_by_its_reason(ledger):
    ledger.submit("siti", request(0))
    job = ledger.claim("w1", QUEUES)
    ledger.fail(job.id, job.attempt, JobError("source_unavailable", "It does not answer.", {}, retryable=True), jitter=0)
    assert lately(ledger, ()).retrying == {("history", "source_unavailable"): 1}


def test_damaged_numbers_of_one_job_do_not_hide_the_others(ledger):
    for number in range(2):
        ledger.record_completed("siti", request(number), {"rows": 7})
    damaged = ledger.jobs()[0].id
    with ledger.engine.begin() as connection:
        connection.execute(update(tables.job).where(tables.job.c.id == damaged).values(metrics="?"))
    assert [dict(ended.metrics) for ended in lately(ledger, ()).ended] == [{}, {"rows": 7}]


def test_how_long_a_cancel_took_is_noted_when_its_process_has_ended(ledger):
    job_id = ledger.submit("siti", request(0)).id
    job = ledger.claim("w1", QUEUES)
    ledger.stopped(job_id, job.attempt)  # it runs: nothing to note
    assert ledger.get(job_id).metrics == {}
    ledger.cancel(job_id)
    shift(ledger, job_id, finished_ms=700)
    ledger.stopped(job_id, job.attempt)
    assert 0.7 <= ledger.get(job_id).metrics["cancel_seconds"] < 5
    (ended,) = lately(ledger, ()).ended
    assert ended.metrics["cancel_seconds"] >= 0.7


@pytest.fixture
def readiness(tmp_path: Path) -> Iterator[Readiness]:
    settings = Settings(data_dir=tmp_path / "var")
    bring_up_to_date(settings)
    ledger, cache = Ledger(make_engine(settings.jobs_url)), open_cache(settings)
    yield Readiness(open_site(settings), ledger, cache)
    cache.close()
    ledger.engine.dispose()


def test_a_site_is_ready_when_databases_cache_and_a_worker_of_each_queue_are_there(readiness):
    readiness.ledger.heartbeat(ME, {})
    assert all(readiness.checks().values())


def test_a_queue_that_no_worker_serves_is_named(readiness):
    readiness.ledger.heartbeat(WorkerInfo("w1", "here", 1, ("history",), 1, 0, 0), {})
    assert [name for name, well in readiness.checks().items() if not well] == ["worker history-large"]


def test_whoever_asks_often_is_told_what_was_found_within_the_last_second(readiness):
    now_s = [0.0]
    shared = SharedReadiness(readiness, lambda: now_s[0])
    assert not shared.checks()["worker history"]
    readiness.ledger.heartbeat(ME, {})
    now_s[0] = 0.9
    assert not shared.checks()["worker history"]  # nothing was asked again
    now_s[0] = 1.1
    assert all(shared.checks().values())


def test_a_cache_that_cannot_be_written_is_named(readiness, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("attempt to write a readonly database")

    monkeypatch.setattr(readiness.cache, "set", refuse)
    assert not readiness.checks()["cache"]


def test_a_database_of_jobs_that_is_not_there_is_named_and_its_workers_are_unknown(tmp_path):
    settings = Settings(data_dir=tmp_path / "var")
    bring_up_to_date(settings)
    gone = Ledger(make_engine(f"sqlite:///{tmp_path}/no/such/folder/jobs.sqlite"))
    cache = open_cache(settings)
    checks = Readiness(open_site(settings), gone, cache).checks()
    cache.close()
    assert checks == {"jobs": False, "observations": True, "cache": True, "worker history": False, "worker history-large": False}


def numbers(folder: Path, address: str = "127.0.0.1", headers: dict[str, str] | None = None, **settings: Any) -> tuple[int, str]:
    made = Settings(data_dir=folder / "var", **settings)
    bring_up_to_date(made)
    answer = create_app(made).server.test_client().get("/metrics", headers=headers, environ_overrides={"REMOTE_ADDR": address})
    return answer.status_code, answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("address", "headers", "listed", "status"),
    [
        ("127.0.0.1", {}, None, 200),
        ("::1", {}, None, 200),
        ("10.0.0.5", {}, None, 403),
        ("10.0.0.5", {}, "10.0.0.5", 200),
        ("127.0.0.1", {}, "10.0.0.5", 403),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, None, 403),
        ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}, None, 403),
        ("127.0.0.1", {"X-Forwarded-User": "admin"}, None, 403),
    ],
)
@pytest.mark.parametrize("auth", ["none", "proxy"])
def test_numbers_are_for_listed_addresses_that_come_straight(tmp_path, address, headers, listed, status, auth):
    settings = {} if listed is None else {"metrics_addresses": listed}
    assert numbers(tmp_path, address, headers, auth=auth, **settings)[0] == status


def test_numbers_say_how_ready_the_site_is_also_without_a_ledger(tmp_path):
    made = Settings(data_dir=tmp_path / "var")
    bring_up_to_date(made)
    (tmp_path / "var" / "riwayat.sqlite").unlink()
    text = create_app(made).server.test_client().get("/metrics").get_data(as_text=True)
    assert 'riwayat_ready{check="observations"} 1.0' in text


def test_the_time_of_requests_and_the_faults_among_them_are_counted(tmp_path):
    made = Settings(data_dir=tmp_path / "var")
    bring_up_to_date(made)
    server = create_app(made).server
    server.add_url_rule("/slow/", "slow", lambda: time.sleep(0.03) or "")
    server.add_url_rule("/wrong/", "wrong", lambda: ("", 500))
    server.add_url_rule("/later/", "later", lambda: ("", 503))
    client = server.test_client()
    for path in ("/slow/", "/wrong/", "/later/", "/healthz"):
        client.get(path)
    text = client.get("/metrics").get_data(as_text=True)
    assert 'riwayat_request_seconds_count{kind="page"} 3.0' in text
    assert 'riwayat_request_errors_total{kind="page"} 1.0' in text
    (total,) = re.findall(r'riwayat_request_seconds_sum\{kind="page"\} (.+)', text)
    assert float(total) >= 0.03
