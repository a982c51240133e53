"""The keeper beside ``python app.py``: real processes,
started again when they die, ended with it.
"""

from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest

from jobs.worker.keeper import next_pause
from tests.processes import ROOT, wait_until
from tests.processes import is_gone as has_ended

KEEPER = """
import signal, sys
from jobs.worker.keeper import Keeper
keeper = Keeper([sys.executable, "-c", "import time; time.sleep(600)"], int(sys.argv[1]))
signal.signal(signal.SIGTERM, keeper.stop)
keeper.run()
"""


@pytest.fixture
def keeper():
    process = subprocess.Popen([sys.executable, "-c", KEEPER, str(os.getpid())], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        for one in (*psutil.Process(process.pid).children(), process) if process.poll() is None else ():
            one.kill()
        process.communicate()


def worker_of(keeper: subprocess.Popen[str]) -> psutil.Process:
    return wait_until(lambda: next(iter(psutil.Process(keeper.pid).children()), None), "a worker")


def test_a_worker_that_dies_is_started_again(keeper):
    first = worker_of(keeper)
    first.kill()
    wait_until(lambda: not first.is_running(), "the first worker to be gone")
    assert worker_of(keeper).pid != first.pid


def test_the_worker_ends_with_the_keeper(keeper):
    worker = worker_of(keeper)
    keeper.terminate()
    assert keeper.wait(60) == 0
    assert not worker.is_running()


def test_a_keeper_that_is_killed_takes_its_worker_along(keeper):
    worker = worker_of(keeper)
    keeper.kill()
    keeper.wait()
    wait_until(lambda: has_ended(worker), "the worker to end")


def test_a_keeper_without_its_parent_ends():
    parent = f"""
import os, subprocess, sys
silent = {{"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}}
keeper = subprocess.Popen([sys.executable, "-c", {KEEPER!r}, str(os.getpid())], **silent)
print(keeper.pid)
"""
    done = subprocess.run([sys.executable, "-c", parent], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    wait_until(lambda: is_gone(int(done.stdout)), "the keeper to end")


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize(
    ("pause_s", "lived_s", "expected_s"),
    [(0.25, 0.1, 0.5), (0.5, 0.1, 1.0), (16.0, 0.1, 30.0), (30.0, 59.0, 30.0), (30.0, 60.0, 0.5)],
)
def test_the_pause_doubles_until_a_worker_lived_for_a_while(pause_s, lived_s, expected_s):
    assert next_pause(pause_s, lived_s) == expected_s


def test_the_keeper_needs_only_the_standard_library():
    heavy = ("sqlalchemy", "dash", "numpy", "flask")
    code = f"import sys, jobs.worker.keeper; print(sorted(name for name in sys.modules if name in {heavy}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
