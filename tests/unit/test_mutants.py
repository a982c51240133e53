"""The table of tests/mutants stays true: each line still stands in its file,
and its tests are there.
"""

from __future__ import annotations

from tests.mutants.table import MUTANTS
from tests.processes import ROOT


def test_each_line_that_is_to_be_broken_stands_in_its_file_once_and_its_tests_exist():
    wrong = []
    for mutant in MUTANTS:
        if (ROOT / mutant.file).read_text(encoding="utf-8").count(mutant.old) != 1 or mutant.old == mutant.new:
            wrong.append((mutant.file, mutant.old))
        wrong += [(mutant.file, word) for word in mutant.tests.split() if "/" in word and not (ROOT / word).is_file()]
    assert wrong == []
