"""Corrections of people: what each does, and the laws that hold for any list of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.corrections import CorrectedRows, Good, corrected, measured
from data.decision import CORRECTIONS, Decision
from data.decision_reach import DecisionReach
from data.readings import FLAG_RANGE, FLAG_SOURCE, clean
from data.time.months import month_bounds_ms, month_of, months_of
from tests.tiled import DAY, HOUR, MARCH_2019, sensor_named

TEMPERATURE, DIRECTION = sensor_named("temperature"), sensor_named("wind_direction")
TIMES = MARCH_2019 + HOUR * np.arange(-48, 48)  # over the end of a month


def decision(number: int, kind: str, first: int, last: int, amount: float | None = None, **more: Any) -> Decision:
    """A decision about the rows ``first`` to ``last`` of TIMES."""
    return Decision(number, "a", "temperature", kind, int(TIMES[first]), int(TIMES[last]), amount=amount, **more)  # type: ignore[arg-type]


def rows(values: np.ndarray | None = None, times: np.ndarray = TIMES, bad: Any = None) -> CorrectedRows:
    found = clean(times, np.arange(len(times), dtype=float) / 4 if values is None else values, TEMPERATURE, bad)
    return measured(found.times, found.values, found.flags)


def equal(some: CorrectedRows, others: CorrectedRows) -> bool:
    return all(np.array_equal(getattr(some, name), getattr(others, name)) for name in vars(some))


@st.composite
def decisions(draw: st.DrawFn) -> list[Decision]:
    made = []
    for number in range(1, draw(st.integers(1, 5)) + 1):
        kind = draw(st.sampled_from(CORRECTIONS))
        first = draw(st.integers(0, len(TIMES) - 1))
        last = draw(st.integers(first, len(TIMES) - 1))
        amounts = {"offset": st.integers(-5, 5), "factor": st.sampled_from([0.5, 2, -1]), "shift": st.integers(-50, 50)}
        amount = float(draw(amounts[kind])) if kind in amounts else None
        if kind == "shift":
            amount = (amount or 0) * HOUR / 2
        made.append(decision(number, kind, first, last, amount, filled_from=("b", "temperature") if kind == "fill" else None))
    return made


def filling(of: list[Decision]) -> dict[int, Good]:
    """Readings of the other series: every half hour, of every decision that fills."""
    times = np.arange(TIMES[0] - DAY, TIMES[-1] + DAY, HOUR // 2)
    return {one.number: (times, np.full(len(times), 7.0)) for one in of if one.kind == "fill"}


@pytest.mark.parametrize(
    ("kind", "amount", "value", "after"),
    [("offset", 0.3, 16.8, 17.1), ("offset", -0.1, 0.1, 0.0), ("factor", 0.1, 3.0, 0.3), ("factor", 2.0, -1.5, -3.0)],
)
def test_values_of_a_span_are_corrected_without_the_noise_of_computing(kind: str, amount: float, value: float, after: float):
    found = corrected(rows(np.full(len(TIMES), value)), [decision(4, kind, 10, 12, amount)], TEMPERATURE)
    assert found.values.tolist() == [value] * 10 + [after] * 3 + [value] * (len(TIMES) - 13)
    assert found.by.nonzero()[0].tolist() == [10, 11, 12]
    assert set(found.by.tolist()) == {0, 4}


def test_a_direction_stays_within_the_circle():
    found = corrected(rows(np.linspace(0, 360, len(TIMES))), [decision(1, "offset", 0, 95, 15.0)], DIRECTION)
    assert ((found.values >= 0) & (found.values <= 360)).all()
    assert found.values[-1] == 15.0


def test_the_valid_range_is_asked_anew_and_what_is_bad_by_its_source_stays_so():
    values = np.full(len(TIMES), 59.0)
    values[3] = 99.0
    before = rows(values, bad=TIMES[5:6])
    assert before.flags.nonzero()[0].tolist() == [3, 5]
    found = corrected(before, [decision(1, "offset", 3, 3, -50.0), decision(2, "offset", 4, 5, 2.0)], TEMPERATURE)
    assert found.flags[[3, 4, 5]].tolist() == [0, FLAG_RANGE, FLAG_RANGE | FLAG_SOURCE]
    assert not np.delete(found.flags, [3, 4, 5]).any()


def test_a_shifted_reading_takes_no_place_of_one_that_is_not_shifted():
    found = corrected(rows(), [decision(1, "shift", 10, 19, 5.0 * HOUR)], TEMPERATURE)
    assert np.array_equal(found.times, np.delete(TIMES, np.arange(10, 15)))  # 15 to 19 came from 10 to 14
    assert found.values[10:15].tolist() == rows().values[10:15].tolist()
    assert found.values[15:].tolist() == rows().values[20:].tolist()


def test_readings_fill_in_where_there_is_none_or_a_flagged_one():
    values = np.full(len(TIMES), 5.0)
    values[12] = 99.0
    gap = np.delete(np.arange(len(TIMES)), [10, 11])
    own = rows(values[gap], TIMES[gap])
    one = decision(3, "fill", 9, 13, filled_from=("b", "temperature"))
    found = corrected(own, [one], TEMPERATURE, {3: (TIMES, np.full(len(TIMES), 7.0))})
    assert np.array_equal(found.times, TIMES)
    assert found.values[8:15].tolist() == [5, 5, 7, 7, 7, 5, 5]
    assert found.by[8:15].tolist() == [0, 0, 3, 3, 3, 0, 0]
    assert not found.flags.any()
    assert equal(corrected(own, [one], TEMPERATURE), own)  # of a series that is not there


def test_corrections_count_in_the_order_of_their_numbers():
    double, add = decision(1, "factor", 0, 95, 2.0), decision(2, "offset", 0, 95, 1.0)
    one, other = (corrected(rows(), order, TEMPERATURE) for order in ([add, double], [double, add]))
    assert equal(one, other)
    swapped = corrected(rows(), [replace(double, number=3), add], TEMPERATURE)
    assert (one.values[4], swapped.values[4]) == (3.0, 4.0)


def test_numbers_that_are_too_large_are_no_readings():
    found = corrected(rows(np.full(len(TIMES), 50.0)), [decision(1, "factor", 0, 1, 1e308)], TEMPERATURE)
    assert np.array_equal(found.times, TIMES[2:])


@given(decisions())
def test_readings_are_sorted_unique_and_finite_whatever_is_decided(made: list[Decision]):
    found = corrected(rows(), made, TEMPERATURE, filling(made))
    assert (np.diff(found.times) > 0).all()
    assert np.isfinite(found.values).all()


@given(decisions())
def test_nothing_changes_outside_of_the_spans_and_what_is_shifted(made: list[Decision]):
    found = corrected(rows(), made, TEMPERATURE, filling(made))
    touched = np.zeros(len(TIMES), bool)
    for one in made:
        touched |= (one.start_ms <= TIMES) & (one.end_ms >= TIMES)
    rest = TIMES[~touched]
    assert np.isin(rest, found.times).all()
    at = np.searchsorted(found.times, rest)
    assert np.array_equal(found.values[at], rows().values[~touched])
    assert not found.by[at].any()


@given(decisions())
def test_without_the_last_one_all_is_as_before_it_bit_for_bit(made: list[Decision]):
    before = corrected(rows(), made[:-1], TEMPERATURE, filling(made))
    step = corrected(before, made[-1:], TEMPERATURE, filling(made))
    assert equal(step, corrected(rows(), made, TEMPERATURE, filling(made)))
    assert equal(corrected(rows(), [], TEMPERATURE), rows())


@given(st.integers(0, 95), st.integers(0, 95), st.integers(-200, 200))
def test_a_shift_loses_only_what_would_take_the_place_of_another_reading(first: int, length: int, half_hours: int):
    last = min(first + length, len(TIMES) - 1)
    found = corrected(rows(), [decision(1, "shift", first, last, half_hours * HOUR / 2)], TEMPERATURE)
    moved = TIMES[first : last + 1] + half_hours * HOUR // 2
    met = np.isin(moved, np.delete(TIMES, np.arange(first, last + 1)))
    assert len(found.times) == len(TIMES) - int(met.sum())


@given(decisions())
def test_a_month_needs_no_more_than_its_reach_says(made: list[Decision]):
    """Corrected with the months and decisions of its reach alone, a month is as of the whole."""
    others, whole, reach = filling(made), corrected(rows(), made, TEMPERATURE, filling(made)), DecisionReach(made)
    for month in range(month_of(int(TIMES[0])) - 1, month_of(int(TIMES[-1])) + 2):
        of = reach.of(month)
        own = rows().chosen(np.isin(months_of(TIMES), [*of.months, month]))
        fills = {fill.decision.number: fill.months for fill in of.fills}
        some = {
            number: tuple(each[np.isin(months_of(good[0]), fills[number])] for each in good)
            for number, good in others.items()
            if number in fills
        }
        found = corrected(own, of.decisions, TEMPERATURE, some).between(*month_bounds_ms(month))  # type: ignore[arg-type]
        assert equal(found, whole.between(*month_bounds_ms(month)))


def test_a_decision_bears_on_its_own_months_alone():
    reach = DecisionReach([decision(1, "offset", 0, 5, 1.0), Decision(2, "a", "temperature", "wrong", 0, 5)])
    march = month_of(MARCH_2019)
    assert [bool(reach.of(month).decisions) for month in (march - 2, march - 1, march, 1970 * 12)] == [False, True, False, True]
    assert reach.of(march - 1).corrects
    assert not reach.of(1970 * 12).corrects


def test_a_shift_bears_on_the_month_that_it_comes_from_and_on_that_into_which_it_moves():
    reach = DecisionReach([decision(1, "shift", 40, 45, 10.0 * HOUR)])
    march = month_of(MARCH_2019)
    assert [reach.of(month).months for month in (march - 1, march, march + 1)] == [(), (march - 1,), ()]
    assert set(reach.months_shifted_to([march - 1])) == {march}
