"""The benchmark of analyses asks every one, and writes its table into its own part of the page."""

from __future__ import annotations

from analysis.registry import ANALYSES
from benchmarks import analyses
from benchmarks.__main__ import _written
from benchmarks.measurement import Measurement


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
    page = "a <!-- bench:begin -->old<!-- bench:end --> b <!-- bench:analyses:begin -->old<!-- bench:analyses:end --> c"
    one, other = Measurement("rose", 1, "ms", 2), Measurement("view", 3, "ms", 4)
    written = _written(page, {"analyses": [one]}, {}, False)
    assert "a <!-- bench:begin -->old<!-- bench:end --> b" in written
    assert written.count("| rose |") == 1
    both = _written(page, {"view": [other], "analyses": [one]}, {}, False)
    assert both.index("| view |") < both.index(" b ") < both.index("| rose |") < both.index(" c")
    assert "old" not in both
