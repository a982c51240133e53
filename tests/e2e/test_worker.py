"""Workers as real processes, each started for a test, and what becomes of jobs when they are
stopped, killed or stuck; what becomes of their children is in test_worker_children.py.
"""

import os
import signal

import psutil
import pytest
from sqlalchemy import select

from data.request import HistoryRequest
from jobs.job import Status
from jobs.ledger import tables
from jobs.ledger.ledger import migrate_jobs, open_ledger
from jobs.worker.process import SINGLE_THREADED
from jobs.worker.wake import wake
from tests.e2e.fleet import become, child_of, zombies
from tests.e2e.job_worker import TOLD
from tests.processes import READY_S, ROOT, ServerProcess, is_gone, run_manage, site_environment, wait_until

pytestmark = pytest.mark.process


@pytest.fixture
def ledger(settings):
    opened = open_ledger(settings)
    migrate_jobs(opened.engine)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def start_worker(settings, ledger, tmp_path):
    """Start a worker of tests/e2e/job_worker.py and wait until the ledger knows it;
    all are stopped in the end.
    """
    started = []

    def start(*limits, without=(), **others):
        environment = site_environment(data_dir=settings.data_dir, **others) | {"PYTHONPATH": str(ROOT)}
        environment = {name: value for name, value in environment.items() if name not in without}
        worker = ServerProcess(["-m", "tests.e2e.job_worker", *limits], cwd=tmp_path, env=environment)
        started.append(worker)
        worker.wait_until_ready(lambda: any(alive.pid == worker.pid for alive in ledger.workers()))
        return worker

    try:
        yield start
        for worker in started:
            worker.stop()
    finally:
        for worker in started:
            worker.kill()


@pytest.fixture
def submit(settings, ledger):
    def put(what, **how):
        job = ledger.submit("siti", HistoryRequest((what,), ("temperature",), 0, 1000 + how.pop("more_ms", 0)), **how)
        wake(settings)
        return job

    return put


def test_a_job_runs_in_a_child_of_its_own_that_inherits_nothing_harmful(ledger, start_worker, submit):
    # as an operator starts it, who does not know of these
    worker = start_worker(without=SINGLE_THREADED)
    metrics = become(ledger, submit("look"), Status.COMPLETED).metrics
    assert metrics["pid"] != worker.pid
    # a fork copies only one thread, but the locks of all
    assert psutil.Process(worker.pid).num_threads() == 1
    # the one that the job itself opened
    expected = {"threads": 1, "leader": 1, "databases": 1, "default_sigterm": 1}
    assert {name: metrics[name] for name in expected} == expected


def test_slots_bound_how_many_jobs_run_at_once(ledger, start_worker, submit):
    start_worker("slots=2")
    jobs = [submit("slow", more_ms=number) for number in range(3)]
    for job in jobs[:2]:
        child_of(ledger, job)
    assert ledger.get(jobs[2].id).status is Status.QUEUED
    ledger.cancel(jobs[0].id)
    become(ledger, jobs[2], Status.RUNNING)


def test_a_killed_worker_leaves_no_orphan_and_its_job_is_finished_by_the_next(ledger, start_worker, submit):
    first = start_worker()
    job = submit("slow once")
    child = child_of(ledger, job)
    os.kill(first.pid, signal.SIGKILL)
    wait_until(lambda: is_gone(child), "child to die with its worker")
    start_worker()
    lost = wait_until(lambda: (now := ledger.get(job.id)).failures == 1 and now, "the loss to be noticed")
    assert "stopped answering" in lost.error.message
    assert become(ledger, job, Status.COMPLETED).metrics["attempt"] == 2


def test_another_living_worker_takes_over_from_a_killed_one(ledger, start_worker, submit):
    first, job = start_worker(), submit("slow once")
    child_of(ledger, job)
    start_worker()
    os.kill(first.pid, signal.SIGKILL)
    assert become(ledger, job, Status.COMPLETED).metrics["attempt"] == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stopped_worker_gives_its_job_back_without_costing_a_try(ledger, start_worker, submit, number):
    worker = start_worker()
    job = submit("slow once", tries=1)
    child = child_of(ledger, job)
    assert worker.stop(number) == 0
    assert is_gone(child)
    back = ledger.get(job.id)
    assert (back.status, back.failures, back.error) == (Status.QUEUED, 0, None)
    assert ledger.workers() == ()
    start_worker()
    assert become(ledger, job, Status.COMPLETED).metrics["attempt"] == 2


def test_a_stopped_worker_lets_a_job_finish_that_is_nearly_done_and_begins_no_other(ledger, settings, start_worker, submit):
    # on a busy machine what is nearly done may need longer than the product's 2 s
    worker = start_worker("slots=1", "grace=60")
    job = submit("until told")
    child_of(ledger, job)
    waiting = submit("quick")
    worker.process.send_signal(signal.SIGTERM)
    (settings.data_dir / TOLD).touch()
    assert worker.process.wait(READY_S) == 0
    assert (ledger.get(job.id).status, ledger.get(job.id).attempt) == (Status.COMPLETED, 1)
    assert (ledger.get(waiting.id).status, ledger.get(waiting.id).attempt) == (Status.QUEUED, 0)


def test_a_second_signal_does_not_wait(ledger, start_worker, submit):
    worker = start_worker("grace=600")  # seconds that the first signal alone would take
    child_of(ledger, submit("slow"))
    worker.process.send_signal(signal.SIGTERM)
    wait_until(lambda: worker.process.poll() is not None or worker.process.send_signal(signal.SIGTERM), "worker to end")


def test_asked_to_restart_a_worker_finishes_and_begins_anew(ledger, settings, start_worker, submit, tmp_path):
    worker = start_worker()
    (before,) = ledger.workers()
    job = submit("soon")
    child_of(ledger, job)
    assert run_manage("queue", "restart", cwd=tmp_path, data_dir=settings.data_dir).returncode == 0
    become(ledger, job, Status.COMPLETED)
    wait_until(lambda: [one.id for one in ledger.workers()] not in ([before.id], []), "a new worker")
    (after,) = ledger.workers()
    assert after.pid == before.pid == worker.pid
    become(ledger, submit("quick"), Status.COMPLETED)


@pytest.mark.parametrize(("limit", "left"), [("max_jobs=2", 1), ("stop_when_empty=1", 0), ("max_seconds=0", 3)])
def test_a_worker_ends_at_its_limits(ledger, settings, submit, tmp_path, limit, left):
    for number in range(3):
        submit("quick", more_ms=number)
    environment = site_environment(data_dir=settings.data_dir) | {"PYTHONPATH": str(ROOT)}
    with ServerProcess(["-m", "tests.e2e.job_worker", limit], cwd=tmp_path, env=environment) as worker:
        assert worker.process.wait(READY_S) == 0, worker.output()
    assert ledger.waiting(["history"]) == left
    assert len(ledger.jobs(status=Status.COMPLETED)) == 3 - left
    assert ledger.workers() == ()


def test_the_command_runs_until_the_queue_is_empty(ledger, settings, submit, tmp_path):
    job = submit("no such station", tries=3)
    done = run_manage("worker", "--stop-when-empty", cwd=tmp_path, data_dir=settings.data_dir)
    assert done.returncode == 0, done.stderr
    failed = ledger.get(job.id)
    assert (failed.status, failed.attempt) == (Status.FAILED, 1)  # trying again makes no table
    assert failed.error.code == "source_mismatch"
    assert ledger.workers() == ()
    assert f'"job": "{job.id}"' in done.stderr


def test_a_child_that_is_refused_memory_ends_and_the_worker_goes_on(ledger, start_worker, submit):
    worker = start_worker(worker_memory_mb=200)
    failed = become(ledger, submit("hungry", tries=1), Status.FAILED)
    assert failed.error.code == "died"  # of the product's own child: see test_faults.py
    assert "MemoryError" in worker.output()
    become(ledger, submit("quick"), Status.COMPLETED)
    wait_until(lambda: not zombies(worker), "children to be collected")


class Clock:
    """The wall clock of the workers and of their ledger: how far it is off."""

    def __init__(self, folder):
        self._file = folder / "clock"
        self.set(0)

    def set(self, off_ms):
        draft = self._file.with_suffix(".new")
        draft.write_text(str(off_ms))
        draft.rename(self._file)


def wait_for_heartbeats(ledger, number):
    """Wait until every worker has given so many signs of life, by whatever clock."""
    for _ in range(number):
        before = seen(ledger)
        wait_until(lambda: all(now != before[who] for who, now in seen(ledger).items()), "signs of life")  # noqa: B023


def seen(ledger):
    with ledger.engine.connect() as connection:
        return dict(connection.execute(select(tables.worker.c.id, tables.worker.c.seen_ms)).all())


def test_a_clock_that_is_set_ends_no_job_and_prolongs_none(ledger, settings, start_worker, submit):
    clock = Clock(settings.data_dir)
    start_worker()
    job = submit("slow", tries=1)
    child = child_of(ledger, job)
    start_worker()  # might take the job for lost
    for by_ms in (3_600_000, 0):  # an hour ahead, and back
        clock.set(by_ms)
        wait_for_heartbeats(ledger, 3)  # longer than it takes to be sure that a lease is lost
        assert (ledger.get(job.id).status, ledger.get(job.id).attempt) == (Status.RUNNING, 1)
        assert child.is_running()
    limited = submit("slow", more_ms=1, tries=1, timeout_s=4)
    child_of(ledger, limited)
    clock.set(-3_600_000)
    assert become(ledger, limited, Status.FAILED).error.code == "timeout"
    ledger.cancel(job.id)
