"""What becomes of the children of a worker, and of their jobs:
one worker, which is well after each of them.
"""

import signal
import time

import psutil
import pytest

from config import Settings
from jobs.job import Status
from jobs.ledger.ledger import migrate_jobs, open_ledger
from jobs.worker.wake import wake
from tests.e2e.fleet import become, child_of, new_request, zombies
from tests.e2e.job_worker import SAID
from tests.processes import ROOT, ServerProcess, assert_within, is_gone, site_environment, wait_until

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    made = Settings(data_dir=tmp_path_factory.mktemp("children") / "var", _env_file=None)
    made.prepare()
    return made


@pytest.fixture(scope="module")
def ledger(settings):
    opened = open_ledger(settings)
    migrate_jobs(opened.engine)
    yield opened
    opened.engine.dispose()


@pytest.fixture(scope="module")
def worker(settings, ledger, tmp_path_factory):
    """A worker of tests/e2e/job_worker.py, whom the ledger knows."""
    environment = site_environment(data_dir=settings.data_dir) | {"PYTHONPATH": str(ROOT)}
    with ServerProcess(["-m", "tests.e2e.job_worker"], cwd=tmp_path_factory.mktemp("worker"), env=environment) as made:
        made.wait_until_ready(lambda: any(alive.pid == made.pid for alive in ledger.workers()))
        yield made


@pytest.fixture
def submit(settings, ledger):
    def put(what, **how):
        job = ledger.submit("siti", new_request(what), **how)
        wake(settings)
        return job

    return put


def test_a_woken_worker_starts_a_job_at_once(ledger, worker, submit):
    waits_ms = []
    for _ in range(7):
        done = become(ledger, submit("quick"), Status.COMPLETED)
        waits_ms.append(done.started_ms - done.created_ms)
    assert sorted(waits_ms)[0] <= 500, waits_ms  # polling alone takes up to a second


def test_without_a_wake_up_a_job_is_found_by_polling(ledger, worker):
    job = ledger.submit("siti", new_request("quick"))
    done = become(ledger, job, Status.COMPLETED)
    assert done.attempt == 1


@pytest.mark.parametrize("what", ["slow", "ignore signals", "with family"])
@pytest.mark.parametrize("woken", [True, False])
def test_cancel_ends_the_child_and_all_it_started_within_a_second(ledger, settings, worker, submit, what, woken):
    def cancel():
        job = submit(what)
        child = child_of(ledger, job)
        family = [child, *child.children(recursive=True)]
        assert len(family) == (2 if what == "with family" else 1)
        began_s = time.monotonic()
        ledger.cancel(job.id)
        if woken:
            wake(settings)
        wait_until(lambda: all(is_gone(process) for process in family), "child to be gone")
        took_s = time.monotonic() - began_s
        assert ledger.get(job.id).status is Status.CANCELLED
        noted = wait_until(lambda: ledger.get(job.id).metrics, "how long that took to be written down")
        assert noted["cancel_seconds"] >= 0
        return took_s

    assert_within(1.0, cancel)
    become(ledger, submit("quick"), Status.COMPLETED)  # and the worker is well
    wait_until(lambda: not zombies(worker), "children to be collected")


def test_a_child_that_has_just_completed_its_job_has_its_last_words(ledger, settings, worker, submit):
    become(ledger, submit("last words"), Status.COMPLETED)
    wait_until((settings.data_dir / SAID).exists, "the child's last words")
    wait_until(lambda: not psutil.Process(worker.pid).children(), "the child to be collected")


def test_a_killed_child_is_noticed_told_and_tried_again(ledger, worker, submit):
    job = submit("slow once")
    child_of(ledger, job).send_signal(signal.SIGKILL)
    waiting = become(ledger, job, Status.QUEUED)
    assert "SIGKILL" in waiting.error.message
    done = become(ledger, job, Status.COMPLETED)
    assert (done.metrics["attempt"], done.failures, done.error) == (2, 1, None)
    wait_until(lambda: not zombies(worker), "children to be collected")


@pytest.mark.parametrize(
    ("what", "code", "words"),
    [("exit", "died", "exit code 7"), ("crash", "died", "SIGSEGV"), ("raise", "died", "exit code 1")],
)
def test_a_child_that_dies_is_a_failed_attempt_with_a_reason(ledger, worker, submit, what, code, words):
    failed = become(ledger, submit(what, tries=1), Status.FAILED)
    assert failed.error.code == code
    assert words in failed.error.message
    wait_until(lambda: not zombies(worker), "children to be collected")


def test_a_child_that_takes_too_long_is_killed(ledger, worker, submit):
    job = submit("slow", tries=1, timeout_s=4)
    child = child_of(ledger, job)
    failed = become(ledger, job, Status.FAILED)
    assert (failed.error.code, failed.error.message) == ("timeout", "The load exceeded the time limit of 4 s.")
    assert is_gone(child)


def test_what_a_finished_child_left_running_is_ended(ledger, worker, submit):
    become(ledger, submit("leaving family"), Status.COMPLETED)
    wait_until(lambda: len(worker.family()) == 1, "only the worker to be left")
