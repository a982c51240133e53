"""Numbers of the queue as every database gives them, and the addresses that tell them."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from api.monitoring.readiness import Readiness, SharedReadiness
from app import create_app
from commands.setup import bring_up_to_date
from config import Settings
from data.database.engine import make_engine
from data.request import HistoryRequest
from data.site import open_site
from jobs.job import JobError, Status, WorkerInfo
from jobs.ledger import tables
from jobs.ledger.ledger import Ledger
from jobs.manager import open_cache
from jobs.monitoring.queue_metrics import LATELY_S, queue_metrics
from jobs.policy import QUEUES
from tests.databases import migrate_as_new

ME = WorkerInfo("w1", "here", 1, QUEUES, 3, 0, 0)


def request(number: int) -> HistoryRequest:
    return HistoryRequest(("aws-1",), ("temperature",), 0, 1000 + number, "raw", "UTC")


@pytest.fixture
def ledger(migrated_url: str) -> Iterator[Ledger]:
    opened = Ledger(make_engine(migrated_url))
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
    found = queue_metrics(ledger, ledger.workers())
    first = found.queues[0]
    assert (first.queue, first.waiting, first.running, first.workers, first.slots) == ("history", 2, 1, 1, 3)
    assert 30 <= first.oldest_s < 60
    assert [queue.queue for queue in found.queues] == list(QUEUES)


def test_every_queue_is_named_also_when_nobody_serves_it(ledger):
    found = queue_metrics(ledger, ledger.workers())
    assert [(queue.queue, queue.workers) for queue in found.queues] == [(queue, 0) for queue in QUEUES]


def test_ended_jobs_are_those_of_the_last_quarter_of_an_hour(ledger):
    for number in range(2):
        ledger.submit("siti", request(number))
        job = ledger.claim("w1", QUEUES)
        ledger.complete(job.id, job.attempt, {"rows": 7})
    shift(ledger, job.id, finished_ms=(LATELY_S + 1) * 1000)
    (ended,) = queue_metrics(ledger, ()).ended
    assert (ended.status, ended.metrics) == (Status.COMPLETED, {"rows": 7})
    assert ended.waited_s >= 0
    assert ended.ran_s >= 0


def test_a_job_that_waits_for_another_attempt_counts_by_its_reason(ledger):
    ledger.submit("siti", request(0))
    job = ledger.claim("w1", QUEUES)
    ledger.fail(job.id, job.attempt, JobError("source_unavailable", "It does not answer.", {}, retryable=True), jitter=0)
    assert queue_metrics(ledger, ()).retrying == {("history", "source_unavailable"): 1}


def test_damaged_numbers_of_one_job_do_not_hide_the_others(ledger):
    for number in range(2):
        ledger.record_completed("siti", request(number), {"rows": 7})
    damaged = ledger.jobs()[0].id
    with ledger.engine.begin() as connection:
        connection.execute(update(tables.job).where(tables.job.c.id == damaged).values(metrics="?"))
    assert [dict(ended.metrics) for ended in queue_metrics(ledger, ()).ended] == [{}, {"rows": 7}]


def test_how_long_a_cancel_took_is_noted_when_its_process_has_ended(ledger):
    job_id = ledger.submit("siti", request(0)).id
    job = ledger.claim("w1", QUEUES)
    ledger.stopped(job_id, job.attempt)  # it runs: nothing to note
    assert ledger.get(job_id).metrics == {}
    ledger.cancel(job_id)
    shift(ledger, job_id, finished_ms=700)
    ledger.stopped(job_id, job.attempt)
    assert 0.7 <= ledger.get(job_id).metrics["cancel_seconds"] < 5
    (ended,) = queue_metrics(ledger, ()).ended
    assert ended.metrics["cancel_seconds"] >= 0.7


@pytest.fixture
def readiness(tmp_path: Path) -> Iterator[Readiness]:
    settings = Settings(data_dir=tmp_path / "var")
    migrate_as_new(settings)
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
    well = {"observations": True, "cache": True, "disk": True}
    assert checks == {"jobs": False, **well, "worker history": False, "worker history-large": False}


def test_a_disk_with_less_room_than_a_load_needs_is_named(readiness):
    readiness.ledger.heartbeat(ME, {})
    free = shutil.disk_usage(readiness.site.settings.tiles_path).free
    for least, failed in ((free // 2, []), (free * 2, ["disk"])):
        checks = replace(readiness, least_free_bytes=least).checks()
        assert [name for name, well in checks.items() if not well] == failed


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting takes root")
def test_a_full_disk_of_tiles_is_named(tmp_path):
    """A small file system, filled by somebody else."""
    folder = tmp_path / "small"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", str(folder)], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("a file system cannot be mounted here")
    try:
        settings = Settings(data_dir=tmp_path / "var", tile_dir=folder / "tiles")
        bring_up_to_date(settings)
        ledger, cache = Ledger(make_engine(settings.jobs_url)), open_cache(settings)
        readiness = Readiness(open_site(settings), ledger, cache)
        assert readiness.checks()["disk"]
        with (folder / "others").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, 300_000_000)
        assert not readiness.checks()["disk"]
        cache.close()
        ledger.engine.dispose()
    finally:
        subprocess.run(["umount", str(folder)], check=True)


ASKERS = [  # address, headers, the setting, the answer
    ("127.0.0.1", {}, None, 200),
    ("::1", {}, None, 200),
    ("10.0.0.5", {}, None, 403),
    ("10.0.0.5", {}, "10.0.0.5", 200),
    ("127.0.0.1", {}, "10.0.0.5", 403),
    ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, None, 403),
    ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}, None, 403),
    ("127.0.0.1", {"X-Forwarded-User": "admin"}, None, 403),
]


@pytest.mark.parametrize("auth", ["none", "proxy"])
def test_numbers_are_for_listed_addresses_that_come_straight(tmp_path, auth):
    for setting in (None, "10.0.0.5"):
        given = {} if setting is None else {"metrics_addresses": setting}
        made = Settings(data_dir=tmp_path / f"var {setting}", auth=auth, **given)
        migrate_as_new(made)
        client = create_app(made).server.test_client()
        for address, headers, listed, status in ASKERS:
            if listed == setting:
                answer = client.get("/metrics", headers=headers, environ_overrides={"REMOTE_ADDR": address})
                assert answer.status_code == status, (address, headers, listed)


def test_numbers_say_how_ready_the_site_is_also_without_a_ledger(tmp_path):
    made = Settings(data_dir=tmp_path / "var")
    migrate_as_new(made)
    (tmp_path / "var" / "riwayat.sqlite").unlink()
    text = create_app(made).server.test_client().get("/metrics").get_data(as_text=True)
    assert 'riwayat_ready{check="observations"} 1.0' in text


def test_the_time_of_requests_and_the_faults_among_them_are_counted(tmp_path):
    made = Settings(data_dir=tmp_path / "var")
    migrate_as_new(made)
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
