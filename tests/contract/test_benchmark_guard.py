"""The guard fails where a ratio is a fifth worse than what is committed, and only there."""

from __future__ import annotations

from itertools import chain, repeat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from analysis.registry import ANALYSES
from benchmarks import __main__ as benchmarks_main
from benchmarks import guarded
from benchmarks.guard import Pair, Ratio, committed_in, judge, measured, written

PAGE = "before <!-- bench:guard:begin -->{}<!-- bench:guard:end --> after <!-- bench:view:begin -->other<!-- bench:view:end -->"


def _pair(what: str, *ours_ms: float) -> Pair:
    """Ours takes this long in one round after the other, then as in the last; its yardstick 10."""
    return Pair(what, chain(ours_ms, repeat(ours_ms[-1])).__next__, lambda: 10.0, rounds=2)


@pytest.fixture
def guard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run the guard over a view that takes 30 ms, against a page of which a ratio is committed."""
    page = tmp_path / "performance.md"
    monkeypatch.setattr(benchmarks_main, "PAGE", page)
    monkeypatch.setattr(guarded, "pairs", lambda: [_pair("view", 30)])

    def run(committed: float, *arguments: str):
        page.write_text(PAGE.format(written([Ratio("view", committed, 1)], "Today.")), encoding="utf-8")
        return CliRunner().invoke(benchmarks_main.program, ["--guard", *(each.format(page=page) for each in arguments)]), page

    return run


@pytest.mark.parametrize(
    ("committed", "code", "word"),
    [(3.0, 0, "holds"), (2.51, 0, "holds"), (2.49, 1, "WORSE"), (4.0, 0, "better: renew the table")],
)
def test_the_guard_fails_only_where_a_ratio_is_a_fifth_worse_than_committed(guard, committed, code, word):
    done, _page = guard(committed)
    assert done.exit_code == code, done.output
    assert word in " ".join(done.output.split())


def test_a_renewed_table_is_what_the_next_run_is_held_against(guard):
    done, page = guard(1.0, "--write", "{page}")
    assert done.exit_code == 0
    text = page.read_text(encoding="utf-8")
    assert committed_in(text) == {"view": 3.0}
    assert text.startswith("before ")
    assert text.endswith(" after <!-- bench:view:begin -->other<!-- bench:view:end -->")


def test_a_ratio_that_is_not_committed_or_no_longer_measured_fails():
    verdicts = judge([Ratio("new", 1, 1)], {"old": 1.0})
    assert {one.what: one.word.partition(":")[0] for one in verdicts} == {"new": "NOT COMMITTED", "old": "NOT MEASURED"}
    assert not any(one.holds for one in verdicts)


def test_the_least_round_counts_and_what_is_too_slow_is_measured_once_more():
    """Rounds of 2 after one that does not count; a second time of 4 after one."""
    slow_at_first = _pair("view", 99, 60, 50, 99, 33, 40, 30)
    assert [one.ours_ms for one in measured([_pair("view", 99, 30, 31)], {"view": 3.0})] == [30]
    assert [one.ours_ms for one in measured([slow_at_first], {"view": 3.0})] == [30]
    assert [one.ours_ms for one in measured([_pair("view", 99, 60, 50)], {})] == [50]


def test_the_page_has_a_ratio_of_every_analysis():
    page = benchmarks_main.PAGE.read_text(encoding="utf-8")
    committed = committed_in(benchmarks_main._part(page, "guard"))
    assert {f"{name} against bincount by hour of the day" for name in ANALYSES} <= committed.keys()
