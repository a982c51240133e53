"""In which order the files of tests are begun, and what of a file stays in one process."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

# Files that take longest, in that order; then the other ones of tests/e2e, of tests/contract,
# of tests/unit.
LONGEST = (
    *("test_embed", "test_celery", "test_api_served", "test_proof_nginx", "test_worker", "test_tasks", "test_accessibility"),
    *("test_slow_clients", "test_workbench", "test_chart_truth", "test_stopping", "test_page_crashes", "test_page_states"),
    *("test_mapped", "test_page_progress", "test_faults", "test_mapped_reads", "test_strangers", "test_matrix"),
    *("test_quality_story", "test_history_page", "test_workbooks"),
)
# Files that would hold the whole run up, with a fixture of the module as first parameter.
DIVIDED = ("test_matrix",)
FOLDERS = ("e2e", "contract", "unit")


def duration_rank(item: pytest.Item) -> tuple[int, int]:
    """Return where a test's file stands in the order in which files are begun."""
    longest = LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST)
    return longest, FOLDERS.index(item.path.parent.name)


def unit_of(nodeid: str) -> str:
    """Return the name of what a test is run together with, in one process: its file, or of a file
    of :data:`DIVIDED` the tests that share the first parameter.
    """
    file, _, test = nodeid.partition("::")
    shared = re.match(r"\w+\[([^]-]*)", test)
    return f"{file}[{shared[1]}]" if shared and Path(file).stem in DIVIDED else file
