"""The benchmark of analyses asks every one, and writes its table into its own part of the page."""

from __future__ import annotations

import pytest
from typer import BadParameter

from analysis.registry import ANALYSES
from benchmarks import analyses
from benchmarks.__main__ import replaced


def test_a_small_benchmark_asks_every_analysis(monkeypatch):
    monkeypatch.setattr(analyses, "ROWS", 400_000)
    found = list(analyses.measure(quick=True))
    assert {one.what.partition(",")[0] for one in found} == {
        *ANALYSES,
        "quality: memory of the process",
        "the slowest of as many readings as are answered at once",
        "the slowest answer that a job has kept",
        "wind rose against numpy's bincount of sector and class",
    }
    assert all(one.measured > 0 for one in found)


def test_a_suite_is_written_into_its_own_part_and_leaves_the_others():
    page = "a <!-- bench:view:begin -->old<!-- bench:view:end --> <!-- bench:analyses:begin -->kept<!-- bench:analyses:end -->"
    written = replaced(page, "view", "new")
    assert written == page.replace("old", "\nnew\n")
    with pytest.raises(BadParameter, match="no place for peers"):
        replaced(page, "peers", "new")
