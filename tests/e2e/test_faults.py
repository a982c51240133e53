"""What may go wrong under a load, with real workers:
what the ledger says then, and that nothing is lost or left behind.
"""

import os
import sqlite3
import subprocess
from contextlib import closing, contextmanager

import pytest
from sqlalchemy import make_url

from jobs.job import Status
from tests.databases import POSTGRESQL, server_database
from tests.e2e.cable import Cable
from tests.e2e.desk import LONG_S, desk_at
from tests.processes import run_manage, wait_until

pytestmark = pytest.mark.process

SILENT_CHILD = "the ledger does not answer yet"  # what a child logs while it waits with its result


@contextmanager
def cable_to(url):
    """A cable to the server of ``url``, and the URL that goes through it."""
    server = make_url(url)
    with Cable(server.host, server.port) as cable:
        yield cable, server.set(host="127.0.0.1", port=cable.port).render_as_string(hide_password=False)


def test_a_lost_connection_is_tried_again_and_the_load_goes_on_where_it_was(tmp_path):
    folder = tmp_path / "var"
    with server_database(POSTGRESQL) as url, cable_to(url) as (cable, through):
        # a URL with options is read by SQLAlchemy: connectorx would try for 30 s to connect
        plain, slow = f"{url}?connect_timeout=5", f"{through}?connect_timeout=5"
        made = run_manage("setup", "--sample-only", cwd=tmp_path, data_dir=folder, observations_url=plain)
        assert made.returncode == 0, made.stderr
        with desk_at(tmp_path, data_dir=folder, observations_url=plain, job_tries=50) as desk:
            desk.gate.hold_from("EWR", 0.5)
            desk.start_worker(observations_url=slow)
            job = desk.submit(desk.year_of("EWR"))
            there = wait_until(lambda: desk.tiles("EWR") >= 5 and desk.tiles("EWR"), "half the tiles to be there", LONG_S)
            cable.cut()
            desk.gate.release()
            wait_until(lambda: desk.now(job).failures, "an attempt to fail", LONG_S)
            failed = desk.now(job)
            assert (failed.error.code, failed.error.retryable) == ("source_unavailable", True)
            assert failed.status in (Status.QUEUED, Status.RUNNING)
            # it waits before it tries again
            assert failed.not_before_ms > failed.started_ms or failed.status is Status.RUNNING
            cable.mend()
            done = desk.become(job, Status.COMPLETED)
            assert done.attempt == done.failures + 1 > 1
            assert done.metrics["tiles_reused"] >= there
            assert done.metrics["tiles_read"] + done.metrics["tiles_reused"] == len(desk.keys(job.request))


def test_what_waiting_cannot_mend_fails_at_once(data_dir, tmp_path):
    with closing(sqlite3.connect(data_dir / "observations.sqlite")) as connection:
        connection.execute("ALTER TABLE observation RENAME COLUMN temperature TO warmth")
    with desk_at(tmp_path, data_dir=data_dir, job_tries=3) as desk:
        desk.start_worker()
        failed = desk.become(desk.submit(desk.year_of("EWR")), Status.FAILED)
        assert (failed.attempt, failed.error.code, failed.error.retryable) == (1, "source_mismatch", False)
        assert "temperature" in failed.error.message


def test_an_attempt_may_take_only_so_long_and_the_next_goes_on(data_dir, tmp_path):
    with desk_at(tmp_path, data_dir=data_dir, job_tries=50, job_timeout=3) as desk:
        desk.gate.hold_from("EWR", 0.5)
        desk.start_worker()
        job = desk.submit(desk.year_of("EWR"))
        wait_until(lambda: desk.now(job).failures, "an attempt to be stopped", LONG_S)
        assert desk.now(job).error.message == "The load exceeded the time limit of 3 s."
        desk.gate.release()
        assert desk.become(job, Status.COMPLETED).metrics["tiles_reused"] >= 5


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a file system of its own, with a function that makes it larger."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(*options):
        return subprocess.run(
            ["mount", "-t", "tmpfs", "-o", ",".join(options), "riwayat", folder], capture_output=True, check=False
        )

    if os.geteuid() != 0 or mount("size=128k").returncode != 0:
        pytest.skip("only root may mount a small file system here")
    try:
        yield folder, lambda: mount("remount", "size=64m")
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_fails_at_once_keeps_what_is_whole_and_a_retry_goes_on(data_dir, tmp_path, small_disk):
    folder, enlarge = small_disk
    with desk_at(tmp_path, data_dir=data_dir, tile_dir=folder, job_tries=3) as desk:
        desk.start_worker()
        job = desk.submit(desk.year_of("EWR"))
        failed = desk.become(job, Status.FAILED)
        assert (failed.attempt, failed.error.code) == (1, "disk_full")
        assert "make room" in failed.error.message
        assert list(folder.rglob("*.tmp")) == []
        assert enlarge().returncode == 0
        desk.ledger.retry(job.id)
        done = desk.become(job, Status.COMPLETED)
        assert done.metrics["tiles_reused"] >= 1
        assert done.metrics["tiles_read"] + done.metrics["tiles_reused"] == len(desk.keys(job.request))


@contextmanager
def held_exclusively(path):
    """A SQLite file to which nobody else can write."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=60)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield connection
        connection.execute("ROLLBACK")


def test_a_ledger_that_is_locked_for_longer_than_any_lease_loses_nothing(data_dir, tmp_path):
    with desk_at(tmp_path, data_dir=data_dir, job_tries=1) as desk:
        desk.gate.hold_from("EWR", 0.5)
        desk.start_worker()
        job = desk.submit(desk.year_of("EWR"))
        desk.become(job, Status.RUNNING)
        desk.start_worker()  # might take the job for lost
        wait_until(lambda: desk.now(job).progress, "the load to have begun", LONG_S)
        with held_exclusively(data_dir / "riwayat.sqlite"):
            desk.gate.release()
            wait_until(lambda: SILENT_CHILD in desk.workers[0].output(), "the result to wait", LONG_S)
            wait_until(desk.ledger.expired, "the lease to run out", LONG_S)
            assert desk.now(job).status is Status.RUNNING
        done = desk.become(job, Status.COMPLETED)
        assert (done.attempt, done.failures) == (1, 0)
        desk.no_child_is_left()


def test_a_ledger_that_cannot_be_reached_for_a_while_loses_nothing(data_dir, tmp_path):
    with (
        server_database(POSTGRESQL) as url,
        cable_to(url) as (cable, through),
        desk_at(tmp_path, data_dir=data_dir, database_url=url, job_tries=1) as desk,
    ):
        desk.gate.hold_from("EWR", 0.5)
        desk.start_worker(database_url=through)
        job = desk.submit(desk.year_of("EWR"))
        wait_until(lambda: desk.now(job).progress, "the load to have begun", LONG_S)
        cable.cut()
        desk.gate.release()
        wait_until(lambda: SILENT_CHILD in desk.workers[0].output(), "the result to wait", LONG_S)
        wait_until(desk.ledger.expired, "the lease to run out", LONG_S)
        assert desk.now(job).status is Status.RUNNING
        cable.mend()
        done = desk.become(job, Status.COMPLETED)
        assert (done.attempt, done.failures) == (1, 0)
        wait_until(lambda: len(desk.ledger.workers()) == 1, "the worker to be known again", LONG_S)
        desk.no_child_is_left()


def test_a_job_that_needs_more_memory_than_it_may_take_says_so(data_dir, tmp_path):
    with desk_at(tmp_path, data_dir=data_dir, job_tries=1) as desk:
        worker = desk.start_worker(worker_memory_mb=1)
        failed = desk.become(desk.submit(desk.year_of("EWR")), Status.FAILED)
        assert "memory" in failed.error.message
        desk.no_child_is_left()
        assert worker.process.poll() is None
