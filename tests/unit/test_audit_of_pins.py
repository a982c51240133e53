"""What ``make check`` makes of pip-audit's answers."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from typing import Any

import pytest

from tests.processes import ROOT

CLEAN: dict[str, Any] = {"name": "flask", "version": "3.1.3", "vulns": []}
FLAW = {"id": "PYSEC-2030-1", "fix_versions": ["3.1.4"], "aliases": [], "description": "…"}
WRONG = CLEAN | {"vulns": [FLAW]}
SKIPPED = {"name": "celery", "skip_reason": "Dependency not found on PyPI and could not be audited: celery (5.7.0)"}


@pytest.fixture(scope="module")
def audit() -> Any:
    spec = importlib.util.spec_from_file_location("audit_of_pins", ROOT / ".ci" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def said(audit: Any, *found: Any) -> tuple[int, str]:
    status, sentence = audit.verdict(json.dumps({"dependencies": list(found), "fixes": []}))
    return int(status), str(sentence)


def test_a_known_vulnerability_fails_and_is_named(audit):
    status, sentence = said(audit, CLEAN, SKIPPED, WRONG)
    assert status == 1
    assert "flask 3.1.3: PYSEC-2030-1, mended in 3.1.4" in sentence


@pytest.mark.parametrize("output", ["", "Traceback …", "[]", "{}", "null"])
def test_where_nothing_answers_it_says_so_and_passes(audit, output):
    assert audit.verdict(output) == (0, "advisories not reachable: not audited")


def test_where_every_package_is_skipped_nothing_was_audited(audit):
    assert said(audit, SKIPPED, SKIPPED) == (0, "advisories not reachable: not audited")


def test_what_was_audited_and_what_not_is_told(audit):
    assert said(audit, CLEAN, CLEAN) == (0, "2 packages without a known vulnerability")
    assert said(audit, CLEAN, SKIPPED) == (0, "1 packages without a known vulnerability, 1 not audited")


def test_a_service_that_answers_nothing_in_time_does_not_hold_the_check_up(audit, monkeypatch, capsys):
    def hang(command: list[str], **options: Any) -> Any:
        raise subprocess.TimeoutExpired(command, options["timeout"])

    monkeypatch.setattr(audit.subprocess, "run", hang)
    assert audit.main() == 0
    assert "not audited" in capsys.readouterr().out


def test_bandit_finds_what_is_dangerous_with_our_configuration(tmp_path):
    (tmp_path / "bad.py").write_text("import pickle\npickle.loads(input())\n")
    command = [sys.executable, "-m", "bandit", "-q", "-c", str(ROOT / "pyproject.toml"), str(tmp_path / "bad.py")]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert "B301" in found.stdout


def test_make_check_runs_both():
    check = re.search(r"^check:.*?\n\n", (ROOT / "Makefile").read_text(), re.MULTILINE | re.DOTALL)
    assert check is not None
    assert "/bandit " in check[0]
    assert ".ci/audit.py" in check[0]
