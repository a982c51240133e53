"""What people say of readings, over what rules found: which flags count then."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.quality.flag_rows import Marked, Marks, worst_marks
from analysis.quality.review import RULES
from analysis.quality.verdicts import judged
from data.decision import Decision
from data.flag_names import FLAG_NAMES, packed, unpacked
from data.readings import FLAG_RANGE, FLAG_SOURCE

TIMES = np.arange(20, dtype=np.int64) * 1000
VALUES = np.where(np.arange(20) < 8, 1.0, np.arange(20))  # which stand still before the eighth


def marks(**found: list[int]) -> Marks:
    """What rules found: the places of readings, hard ones but for ``step``."""
    made = {}
    for rule, places in found.items():
        made[rule] = Marked.nothing(len(TIMES))
        made[rule].at[places] = True
        made[rule].hard[places] = rule != "step"
        made[rule].limit[places] = 3.0
    return made


def flags(**found: list[int]) -> np.ndarray:
    made = np.zeros(len(TIMES), np.uint8)
    for name, places in found.items():
        made[places] |= {"range": FLAG_RANGE, "source": FLAG_SOURCE}[name]
    return made


def said(number: int, kind: str, first: int, last: int, rule: str | None = None) -> Decision:
    return Decision(number, "a", "temperature", kind, first * 1000, last * 1000, rule)  # type: ignore[arg-type]


def told(own: np.ndarray, found: Any) -> dict[int, str]:
    """By place what a reading is flagged as; capitals: by itself."""
    rules = {
        int(at): f"{FLAG_NAMES[rule]} {'hard' if hard else 'suspect'}"
        for at, rule, hard in zip(found.at, found.rule, found.hard, strict=True)
    }
    return rules | {int(at): "ITSELF" for at in np.flatnonzero(own)}


FOUND: dict[str, Any] = {"spike": [3], "step": [3, 4, 9], "stuck": [12, 13]}
BEFORE = {0: "ITSELF", 3: "spike hard", 4: "step suspect", 9: "step suspect", 12: "stuck hard", 13: "stuck hard"}


@pytest.mark.parametrize(
    ("verdict", "changed"),
    [
        (("right", 0, 5, None), {0: None, 3: None, 4: None}),
        (("right", 0, 5, "spike"), {3: "step suspect"}),  # which another rule found, too
        (("right", 0, 5, "range"), {0: None}),
        (("right", 0, 19, "frozen"), {}),
        (("wrong", 4, 10, "step"), {4: "step hard", 9: "step hard"}),
        (("suspect", 12, 12, "stuck"), {12: "stuck suspect"}),
        (("wrong", 5, 6, None), {5: "hand hard", 6: "hand hard"}),
        (("suspect", 4, 5, None), {5: "hand suspect"}),
        (("wrong", 5, 6, "frozen"), {5: "frozen hard", 6: "frozen hard"}),
        (("wrong", 5, 6, "spike"), {}),  # the rule found none of these
        (("wrong", 5, 6, "stuck"), {5: "stuck hard", 6: "stuck hard"}),  # too short a part of a run
        (("wrong", 6, 10, "stuck"), {}),
        (("suspect", 6, 14, "stuck"), {12: "stuck suspect", 13: "stuck suspect"}),
        (("wrong", 0, 19, "gap"), {}),  # nothing is there
        (("wrong", 0, 2, "range"), {}),
        (("suspect", 0, 2, "range"), {0: "range suspect"}),
        (("wrong", 0, 1, None), {1: "hand hard"}),  # the other has a flag already
    ],
)
def test_a_verdict_is_about_its_rule_or_all(verdict: tuple[str, int, int, str | None], changed: dict[int, str | None]) -> None:
    expected = {at: word for at, word in (BEFORE | changed).items() if word}
    assert told(*judged(TIMES, VALUES, flags(range=[0]), marks(**FOUND), [said(5, *verdict)])) == expected


def test_the_last_verdict_counts() -> None:
    both = [said(1, "wrong", 5, 6), said(2, "right", 6, 7)]
    assert told(*judged(TIMES, VALUES, flags(), {}, both)) == {5: "hand hard"}
    assert told(*judged(TIMES, VALUES, flags(), {}, [said(3, "wrong", 5, 6), said(2, "right", 6, 7)])) == {
        5: "hand hard",
        6: "hand hard",
    }
    assert told(*judged(TIMES, VALUES, flags(range=[6]), {}, [*both, said(3, "wrong", 6, 6)])) == {5: "hand hard", 6: "hand hard"}


def test_a_flag_tells_which_decision_gave_it_and_keeps_the_limit_of_its_rule() -> None:
    _, found = judged(TIMES, VALUES, flags(), marks(**FOUND), [said(7, "wrong", 4, 6, "step"), said(8, "wrong", 6, 6)])
    by = dict(zip(found.at.tolist(), zip(found.by.tolist(), found.limit.tolist(), strict=True), strict=True))
    assert by[3] == (0, 3.0)
    assert by[4] == (7, 3.0)
    assert by[6][0] == 8
    assert np.isnan(by[6][1])


VERDICTS = st.lists(
    st.tuples(
        st.sampled_from(["right", "wrong", "suspect"]),
        st.integers(0, 19),
        st.integers(0, 19),
        st.sampled_from([None, *FLAG_NAMES]),
    ),
    max_size=4,
)


@given(VERDICTS)
def test_outside_of_their_spans_verdicts_change_nothing(verdicts: list[tuple[str, int, int, str | None]]) -> None:
    made = [said(number, kind, min(a, b), max(a, b), rule) for number, (kind, a, b, rule) in enumerate(verdicts, 1)]
    found = told(*judged(TIMES, VALUES, flags(range=[0]), marks(**FOUND), made))
    outside = [at for at in range(20) if not any(one.start_ms <= at * 1000 <= one.end_ms for one in made)]
    assert {at: found.get(at) for at in outside} == {at: BEFORE.get(at) for at in outside}


@given(VERDICTS)
def test_what_rules_found_is_not_touched_so_that_undoing_gives_it_back(verdicts: list[tuple[str, int, int, str | None]]) -> None:
    made = [said(number, kind, min(a, b), max(a, b), rule) for number, (kind, a, b, rule) in enumerate(verdicts, 1)]
    own, found = flags(range=[0]), marks(**FOUND)
    judged(TIMES, VALUES, own, found, made)
    assert told(*judged(TIMES, VALUES, own, found, [])) == BEFORE
    assert np.array_equal(worst_marks(found, 20).at, worst_marks(marks(**FOUND), 20).at)


def test_each_rule_has_a_place_in_tiles_that_stays() -> None:
    assert set(FLAG_NAMES) == {*RULES, "hand", "inputs"}
    assert FLAG_NAMES[:8] == ("climate", "step", "spike", "stuck", "variation", "dark", "sun", "hand")


@given(st.integers(0, 40), st.integers(0, 2**44))
def test_a_tile_tells_rule_and_decision_again(place: int, number: int) -> None:
    assert [each.tolist() for each in unpacked(packed(np.array([place]), np.array([number])))] == [[place], [number]]
