"""Alarms: what changes, when, and that looking in pieces gives the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.alarms import AlarmCondition, AlarmReadings, AlarmState, go_on
from errors import InvalidRequest

START = AlarmState("normal", 0, 0)


def readings(rows: list[tuple[int, float, int]]) -> AlarmReadings:
    times, values, flags = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    return AlarmReadings(np.array(times, np.int64), np.array(values, float), np.array(flags, np.int64))


def changes(condition: AlarmCondition, rows: list[tuple[int, float, int]], until: int = 100) -> list[tuple[int, str]]:
    return [(each.at_ms, each.status) for each in go_on(condition, START, readings(rows), until)[1]]


def plain(*values: float) -> list[tuple[int, float, int]]:
    return [(place, value, 0) for place, value in enumerate(values, 1)]


@pytest.mark.parametrize(
    ("condition", "rows", "found"),
    [
        (AlarmCondition("above", 30), plain(30, 31, 29), [(2, "firing"), (3, "resolved")]),
        (AlarmCondition("below", 0), plain(0, -1, 0), [(2, "firing"), (3, "resolved")]),
        # comes back by the hysteresis, no sooner
        (AlarmCondition("above", 30, hysteresis=2), plain(31, 29, 28), [(1, "firing"), (3, "resolved")]),
        (AlarmCondition("below", 0, hysteresis=2), plain(-1, 1, 2), [(1, "firing"), (3, "resolved")]),
        (AlarmCondition("above", 30, for_ms=2), plain(31, 31, 31, 29), [(1, "pending"), (3, "firing"), (4, "resolved")]),
        (AlarmCondition("above", 30, for_ms=2), plain(31, 31, 29), [(1, "pending"), (3, "normal")]),
        # the change is that of a window, down as well as up, and no older reading counts
        (AlarmCondition("change", 3, within_ms=2), plain(5, 3, 1, 1, 1), [(3, "firing"), (4, "resolved")]),
        (AlarmCondition("change", 3, within_ms=2), plain(1, 3, 5, 7, 7), [(3, "firing"), (5, "resolved")]),
        # a reading with a flag says nothing of its value, and that it is there
        (AlarmCondition("above", 30), [(1, 99, 1), (2, 31, 0)], [(2, "firing")]),
        (AlarmCondition("flagged"), [(1, 1, 0), (2, 1, 4), (3, 1, 0)], [(2, "firing"), (3, "resolved")]),
        (
            AlarmCondition("silent", within_ms=10),
            [(10, 1, 0), (15, 1, 1), (40, 1, 0)],
            [(25, "firing"), (40, "resolved"), (50, "firing")],
        ),
        (
            AlarmCondition("silent", within_ms=10, for_ms=5),
            [(20, 1, 0)],
            [(10, "pending"), (15, "firing"), (20, "resolved"), (30, "pending"), (35, "firing")],
        ),
    ],
)
def test_an_alarm_changes_at_the_reading_that_shows_it(condition, rows, found):
    assert changes(condition, rows) == found


CONDITIONS = st.builds(
    AlarmCondition,
    st.sampled_from(["above", "below", "change", "silent", "flagged"]),
    st.sampled_from([-1.0, 0.0, 1.0]),
    st.integers(1, 8),
    st.integers(0, 6),
    st.sampled_from([0.0, 1.0]),
)
VALUES, FLAGS = st.sampled_from([-2.0, -1.0, 0.0, 1.0, 2.0, float("nan")]), st.sampled_from([0, 0, 0, 1])
ROWS = st.lists(st.tuples(st.integers(1, 60), VALUES, FLAGS), max_size=30, unique_by=lambda row: row[0])


@given(CONDITIONS, ROWS.map(sorted), st.lists(st.integers(0, 70), max_size=8).map(sorted))
def test_in_pieces_the_changes_and_the_state_are_those_of_one_go(condition, rows, cuts):
    whole, at_once = go_on(condition, START, readings(rows), 70)
    state, told = START, []
    for until in [*cuts, 70]:  # each piece has what came in by then, and the rows that change looks back to
        there = [row for row in rows if state.seen_ms - condition.within_ms <= row[0] <= until]
        state, found = go_on(condition, state, readings(there), until)
        told += found
    assert (state, [repr(each) for each in told]) == (whole, [repr(each) for each in at_once])


@pytest.mark.parametrize(
    ("field", "given_"),
    [
        ("kind", {"kind": "odd"}),
        ("limit", {"kind": "above", "limit": float("nan")}),
        ("hysteresis", {"kind": "above", "hysteresis": -1.0}),
        ("within", {"kind": "silent"}),
        ("for", {"kind": "above", "for_ms": -1}),
    ],
)
def test_a_condition_that_says_nothing_is_refused_by_its_field(field, given_):
    with pytest.raises(InvalidRequest) as refused:
        AlarmCondition(**given_)
    assert refused.value.field == field
