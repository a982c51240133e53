"""``manage.py schedule``: what is added is listed, and removed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.processes import run_manage

DEFINITION = 'stations = ["JFK"]\nsensors = ["temperature"]\ntimezone = "UTC"\n'


@pytest.fixture
def folder(sample_data_dir: Path, tmp_path: Path) -> Path:
    """A folder with a site, a definition, and a place for reports."""
    shutil.copytree(sample_data_dir, tmp_path / "var")
    (tmp_path / "jfk.toml").write_text(DEFINITION)
    (tmp_path / "out").mkdir()
    return tmp_path


def test_a_schedule_is_added_listed_and_removed(folder):
    def manage(*arguments: str) -> str:
        done = run_manage("schedule", *arguments, cwd=folder, data_dir=folder / "var")
        assert done.returncode == 0, done.stderr
        return done.stdout

    made = manage("add", "jfk.toml", "--every", "week", "--folder", "out", "--format", "xlsx").strip()
    (row,) = json.loads(manage("list", "--json"))
    assert (row["id"], row["every"], row["to"], row["periods"]) == (made, "week", [str(folder / "out")], [])
    manage("run", "--quiet")
    manage("remove", made)
    assert json.loads(manage("list", "--json")) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--to", "a@example.org"), "RIWAYAT_SMTP_HOST"),
        ((), "Say where reports go"),
        (("--folder", "nowhere"), "is no folder"),
        (("--folder", "out", "--every", "day"), "month, week"),
    ],
)
def test_what_could_never_be_delivered_is_refused(folder, arguments, said):
    done = run_manage("schedule", "add", "jfk.toml", *arguments, cwd=folder, data_dir=folder / "var")
    assert done.returncode in (1, 2)
    assert said in done.stderr
