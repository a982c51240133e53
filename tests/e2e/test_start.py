"""``python app.py``: web and worker start together and stop together."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys

import psutil
import pytest

from config import Settings
from data.database.engine import sqlite_path
from tests.processes import READY_S, ROOT, ServerProcess, SiteProcess, free_port, is_gone, site_environment, wait_until


def is_worker(process) -> bool:
    try:
        return [word for word in process.cmdline() if word][-1:] == ["worker"]  # its keeper is jobs.worker.keeper
    except psutil.Error:  # it has just ended
        return False


@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGINT, marks=pytest.mark.real_start, id="SIGINT"), pytest.param(signal.SIGTERM, id="SIGTERM")]
)
def test_a_stopped_site_leaves_no_process(start_site, number):
    site = start_site()
    wait_until(lambda: any(is_worker(process) for process in site.family()), "the worker")
    site.stop(number)
    assert site.family() == []


def test_a_site_that_is_killed_leaves_no_worker(start_site):
    site = start_site()
    wait_until(lambda: any(is_worker(process) for process in site.family()), "the worker")
    site.process.kill()
    site.process.wait()
    wait_until(lambda: not site.family(), "the worker to end")


@pytest.mark.real_start
def test_a_keeper_that_is_killed_comes_back_with_a_worker_and_ends_with_the_site(start_site):
    site = start_site()
    first = wait_until(lambda: [process for process in site.family() if is_worker(process)], "the worker")
    keeper = first[0].parent()
    keeper.kill()
    wait_until(lambda: all(is_gone(process) for process in (keeper, *first)), "the keeper and its worker to be gone")
    wait_until(lambda: any(is_worker(process) for process in site.family()), "another worker")
    site.stop()
    assert site.family() == []
    assert "a keeper ended" in site.output()


def test_a_port_in_use_is_said_in_a_sentence(data_dir, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        site = SiteProcess(cwd=tmp_path, data_dir=data_dir, port=port)
        try:
            assert site.process.wait(READY_S) != 0
        finally:
            site.kill()
    assert str(port) in site.output()
    assert "RIWAYAT_PORT" in site.output()
    assert "Traceback" not in site.output()


def test_a_wrong_setting_is_said_in_a_sentence(tmp_path):
    site = SiteProcess(cwd=tmp_path, data_dir=tmp_path / "var", timezone="Mars/Olympus")
    try:
        assert site.process.wait(READY_S) != 0
    finally:
        site.kill()
    assert "RIWAYAT_TIMEZONE" in site.output()
    assert "Traceback" not in site.output()


@pytest.mark.parametrize(("name", "wrong"), [("TIMEZONE", "Mars/Olympus"), ("DATA_DIR", "/dev/null/var")])
def test_gunicorn_says_a_wrong_setting_in_a_sentence_and_starts_nothing(tmp_path, name, wrong):
    environment = os.environ | {"RIWAYAT_DATA_DIR": str(tmp_path / "var"), f"RIWAYAT_{name}": wrong, "RIWAYAT_PORT": "0"}
    command = [sys.executable, "-m", "gunicorn", "--config", str(ROOT / "gunicorn.conf.py")]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=READY_S)
    assert done.returncode == 1
    assert f"RIWAYAT_{name}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.real_start
def test_ctrl_c_before_anything_is_served_ends_it_without_a_traceback(data_dir, tmp_path):
    settings = Settings(data_dir=data_dir)
    with sqlite3.connect(sqlite_path(settings.jobs_url), isolation_level=None) as jobs:
        # so that there is something to write, for which it must wait
        jobs.execute("DROP TABLE alembic_version_jobs")
        jobs.execute("BEGIN IMMEDIATE")
        site = ServerProcess([str(ROOT / "serve.py")], cwd=tmp_path, env=site_environment(data_dir=data_dir, port=free_port()))
        waits = psutil.Process(site.pid)
        wait_until(lambda: any(file.path == str(sqlite_path(settings.jobs_url)) for file in waits.open_files()), "its database")
        site.process.send_signal(signal.SIGINT)
        jobs.execute("ROLLBACK")
    jobs.close()
    assert site.process.wait(READY_S) == 130
    assert site.output() == ""
