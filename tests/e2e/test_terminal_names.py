"""What commands print of names that others chose:
no byte that a terminal obeys, and JSON that is the same data.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.processes import run_manage

pytestmark = pytest.mark.process

NAME = "a\x1b[31m\x9b2J\u202e[b]z"
FILE = f"timestamp_utc,station,temperature\n2020-01-01,{NAME},1\n2020-01-02,{NAME},2\n2020-01-02,x{NAME},2\n"
OBEYED = set("\x1b\x9b\u202e")


def test_no_command_sends_a_terminal_what_stands_in_a_name(tmp_path: Path) -> None:
    (tmp_path / "names.csv").write_text(FILE, encoding="utf-8")

    def printed(*arguments: str) -> str:
        done = run_manage(*arguments, cwd=tmp_path, data_dir=tmp_path / "var")
        assert not OBEYED & set(done.stdout + done.stderr), (arguments, done.stdout, done.stderr)
        return done.stdout + done.stderr

    printed("migrate")
    printed("import", "names.csv")
    assert r"a\u001b[31m\u009b2J\u202e[b]z" in printed("stations")
    assert [each["station"] for each in json.loads(printed("stations", "--json").splitlines()[0])] == [NAME, f"x{NAME}"]
    asked = ["history", "--sensor", "temperature", "--from", "2020-01-01", "--to", "2020-01-03"]
    assert "u001b" in printed(*asked, "--station", NAME)
