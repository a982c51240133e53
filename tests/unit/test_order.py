"""The order of the run of all tests: the files that it names are there, and each is whole but for
those that are divided.
"""

import pytest

from tests.order import DIVIDED, FOLDERS, LONGEST, unit_of
from tests.processes import ROOT

MATRIX = "tests/contract/test_matrix.py"


def test_each_file_that_is_named_is_there():
    names = [path.stem for folder in FOLDERS for path in (ROOT / "tests" / folder).glob("test_*.py")]
    assert [name for name in {*LONGEST, *DIVIDED} if name not in names] == []
    assert len(set(LONGEST)) == len(LONGEST)


@pytest.mark.parametrize(
    ("nodeid", "unit"),
    [
        (f"{MATRIX}::test_every_route_has_a_rule[login]", f"{MATRIX}[login]"),
        (f"{MATRIX}::test_a_route[proxy-/api/jobs/<job_id>-GET]", f"{MATRIX}[proxy]"),
        (f"{MATRIX}::test_alone", MATRIX),
        ("tests/unit/test_months.py::test_a_month[login-1]", "tests/unit/test_months.py"),
    ],
)
def test_a_file_stays_in_one_process_but_for_those_that_are_divided(nodeid, unit):
    assert unit_of(nodeid) == unit
