"""The command line as a shell sees it: exit codes, and what goes to which output."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from config import Settings
from jobs.first_visit import is_first_visit
from tests.processes import MANAGE, ROOT, run_manage


@pytest.mark.real_start
def test_help_names_every_command_and_exits_0(tmp_path):
    done = run_manage("--help", cwd=tmp_path)
    assert done.returncode == 0
    for command in ("migrate", "import", "demo", "history", "worker", "queue", "stations", "sensors", "tiles", "doctor", "setup"):
        assert f" {command} " in done.stdout, command


def test_help_waits_for_no_heavy_library(tmp_path):
    heavy = ("pandas", "pyarrow", "dash", "plotly", "connectorx", "sqlalchemy", "alembic")
    code = f"import sys, manage; manage.build(); print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_bad_usage_exits_2(tmp_path):
    assert run_manage("no-such-command", cwd=tmp_path).returncode == 2
    assert run_manage("setup", "--no-such-option", cwd=tmp_path).returncode == 2


@pytest.mark.real_start
def test_an_error_is_one_sentence_on_standard_error_and_exits_1(tmp_path):
    done = run_manage("migrate", cwd=tmp_path, data_dir=tmp_path, timezone="Mars/Olympus")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("Error: Wrong setting: RIWAYAT_TIMEZONE")
    assert "Traceback" not in done.stderr


def test_migrate_may_be_repeated(tmp_path):
    for _ in range(2):
        done = run_manage("migrate", cwd=tmp_path, data_dir=tmp_path / "var")
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "var").stat().st_mode & 0o777 == 0o700


def test_setup_says_so_when_the_port_is_taken(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run_manage("setup", "--for-run", cwd=tmp_path, data_dir=tmp_path / "var", host="127.0.0.1", port=port)
    assert done.returncode == 1
    assert f"port {port}" in done.stderr
    assert "RIWAYAT_PORT=" in done.stderr
    assert not (tmp_path / "var").exists()


def test_a_fresh_data_dir_gets_the_sample_once(sample_data_dir, tmp_path):
    again = run_manage("setup", "--sample-only", cwd=tmp_path, data_dir=sample_data_dir)
    assert again.returncode == 0, again.stderr
    assert "sample" not in again.stderr


def test_the_doctor_finds_a_prepared_site_well_except_for_the_worker(sample_data_dir, tmp_path):
    done = run_manage("doctor", "--json", cwd=tmp_path, data_dir=sample_data_dir)
    found = {check["check"]: check["ok"] for check in json.loads(done.stdout)["checks"]}
    assert found.pop("worker") is False
    assert all(found.values()), found
    assert done.returncode == 1


def unprivileged(*arguments, data_dir):
    """Run a command as its user alone, even where that is root:
    what may not be written is not written.
    """
    command = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", sys.executable, MANAGE, *arguments]
    environment = os.environ | {"RIWAYAT_DATA_DIR": str(data_dir)}
    return subprocess.run(command, cwd=data_dir.parent, env=environment, capture_output=True, text=True, check=False)


def test_a_data_folder_that_may_not_be_written_is_said_in_a_sentence(tmp_path):
    folder = tmp_path / "var"
    assert run_manage("migrate", cwd=tmp_path, data_dir=folder).returncode == 0
    for path in [*folder.glob("*.sqlite"), folder]:
        path.chmod(path.stat().st_mode & ~0o222)
    try:
        told = [unprivileged(*words, data_dir=folder) for words in (["migrate"], ["queue", "list"], ["worker"], ["doctor"])]
    finally:
        folder.chmod(0o700)
    assert [done.returncode for done in told] == [1] * 4
    assert not any("Traceback" in done.stderr for done in told), [done.stderr for done in told]
    assert "RIWAYAT_DATA_DIR" in told[0].stderr
    assert "cannot be written" in told[1].stderr
    assert str(folder) in told[2].stderr


def test_a_url_that_cannot_be_understood_is_a_finding_of_the_doctor(tmp_path):
    done = run_manage("doctor", "--json", cwd=tmp_path, data_dir=tmp_path / "var", database_url="nonsense")
    found = {check["check"]: check["found"] for check in json.loads(done.stdout)["checks"]}
    assert "cannot be understood" in found["job ledger"]
    assert done.returncode == 1


def test_two_that_set_up_one_folder_at_once_both_succeed(tmp_path):
    words, where = ("setup", "--sample-only", "--for-run"), {"cwd": tmp_path, "data_dir": tmp_path / "var", "port": 0}
    with ThreadPoolExecutor(2) as both:
        done = list(both.map(lambda _: run_manage(*words, **where), range(2)))
    assert [each.returncode for each in done] == [0, 0], [each.stderr for each in done]
    assert is_first_visit(Settings(data_dir=tmp_path / "var"))


def test_a_worker_of_a_queue_that_does_not_exist_is_bad_usage(tmp_path):
    done = run_manage("worker", "--queue", "histori", "--stop-when-empty", cwd=tmp_path, data_dir=tmp_path / "var")
    assert done.returncode == 2
    assert "histori" in done.stderr


def test_no_finding_of_the_doctor_is_cut_for_a_pipe(sample_data_dir, tmp_path):
    done = run_manage("doctor", cwd=tmp_path, data_dir=sample_data_dir)
    assert "start the site (make run), or a worker alone: manage.py worker" in done.stdout
