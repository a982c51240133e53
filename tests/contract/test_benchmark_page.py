"""The page of measurements has a place for every suite."""

from __future__ import annotations

import pytest

from benchmarks import __main__ as benchmarks_main


@pytest.mark.parametrize("part", [*benchmarks_main.SUITES, "guard"])
def test_the_page_has_one_place_for_each_suite_named_in_a_heading(part):
    page = benchmarks_main.PAGE.read_text(encoding="utf-8")
    assert benchmarks_main.replaced(page, part, "new").count("new") >= 1
    assert part == "guard" or f"`{part}`" in "".join(line for line in page.splitlines() if line.startswith("## "))
