"""import list, undo and forget, and delete, as a shell sees them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.processes import MANAGE, run_manage, run_program, site_environment

GAUGE = "timestamp_utc,station,temperature\n" + "".join(f"2020-01-0{day},A,{day}\n" for day in range(1, 6))

pytestmark = pytest.mark.process


def manage(folder: Path, *arguments: str, code: int = 0) -> str:
    done = run_manage(*arguments, cwd=folder, data_dir=folder / "var")
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def answered(folder: Path, answer: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command whose question gets an answer."""
    return run_program([MANAGE, *arguments], cwd=folder, env=site_environment(data_dir=folder / "var"), answer=answer)


def audited(folder: Path) -> list[tuple[str, Any]]:
    entries = json.loads(manage(folder, "audit", "list", "--json"))
    return [(entry["action"], entry["subject"]["batch"]) for entry in reversed(entries)]


def test_import_delete_and_undo_are_batches_that_are_asked_for_listed_and_audited(tmp_path):
    (tmp_path / "list").write_text(GAUGE)  # a file that is called like a command
    imported = json.loads(manage(tmp_path, "import", "./list", "--json"))
    assert (imported["batch"], imported["files"][0]["stored"]) == (1, 5)
    span = ("--station", "A", "--from", "2020-01-02T00:00Z", "--to", "2020-01-04T00:00Z")
    refused = answered(tmp_path, "n\n", "delete", *span)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "2 rows of A from 2020-01-02T00:00:00Z to 2020-01-03T00:00:00Z will be deleted." in refused.stderr
    asked = answered(tmp_path, "y\n", "delete", *span, "--json")
    assert json.loads(asked.stdout)["rows"] == 2, asked.stderr
    assert "import undo 2" in manage(tmp_path, "import", "undo", "1", code=1)
    done = json.loads(manage(tmp_path, "import", "undo", "2", "--json"))
    assert done == {"batch": 2, "removed": 0, "restored": 2}
    listed = json.loads(manage(tmp_path, "import", "list", "--json"))
    assert [(each["batch"], each["kind"], each["state"]) for each in listed] == [(2, "delete", "undone"), (1, "import", "done")]
    assert listed[-1]["files"] == ["list"]
    assert audited(tmp_path) == [("imported", 1), ("deleted", 2), ("import_undone", 2)]


def test_a_deletion_of_nothing_is_said_and_makes_no_batch(tmp_path):
    (tmp_path / "gauge.csv").write_text(GAUGE)
    manage(tmp_path, "import", "gauge.csv")
    nothing = json.loads(manage(tmp_path, "delete", "--station", "A", "--from", "2030-01-01", "--to", "2031-01-01", "--json"))
    assert nothing == {"batch": None, "rows": 0, "first": None, "last": None}
