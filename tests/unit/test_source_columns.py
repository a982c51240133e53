"""How the cells of a table's rows become numbers and times."""

from datetime import UTC
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from data.cells.values import ValueReader
from data.source import Readings
from data.source.mapped.clock import Clock, Kind
from data.source.mapped.mapping import MappedSensor
from data.source.mapped.station_rows import Rows
from data.source.mapped.wall_times import Segment

CLOCK = Clock(Kind.EPOCH, UTC, 1000)


def readings(*chunks, sensors=("a",)) -> Readings:
    rows = Rows([MappedSensor(name, (name,), ValueReader()) for name in sensors], CLOCK, 0)
    for chunk in chunks:
        rows.add(chunk)
    rows.end_segment(Segment(0, 100, 0), 0, 100)
    return rows.readings()


def numbers(column):
    """(values, how many are missing)."""
    read = readings([list(range(len(column))), column])
    return read.values["a"], read.missing["a"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1.0),
        (True, 1.0),
        (2.5, 2.5),
        (Decimal("0.1"), 0.1),
        ("12.5", 12.5),
        (" 1e3 ", 1000.0),
        (2**53 + 1, float(2**53 + 1)),
        (float("inf"), float("inf")),
        ("inf", float("inf")),
    ],
)
def test_what_is_written_as_a_number_is_a_number(value, expected):
    array, missing = numbers([value, None])
    assert (array[0], missing) == (expected, 1)


@pytest.mark.parametrize("value", ["x", "12,5", "1_000", "١٢", b"12", 10**400, "0x1A", object()])
def test_what_is_no_number_is_infinite_which_no_line_shows_and_every_load_counts(value):
    array, missing = numbers([1.0, value, None])
    assert np.isinf(array[1])
    assert missing == 1


def test_plain_columns_of_doubles_are_taken_as_they_are():
    array, missing = numbers([1.5, None, -0.0])
    assert array.dtype == np.float64
    assert missing == 1
    assert np.signbit(array[2])


@pytest.mark.parametrize(
    ("value", "expected"), [(5, 5), (5.9, 5), (-0.5, -1), (Decimal("7.2"), 7), (-(2**63), -(2**63)), (2**63 - 1, 2**63 - 1)]
)
def test_times_are_rounded_down_to_whole_milliseconds(value, expected):
    times, valid = CLOCK.milliseconds([value, None])
    assert times[valid].tolist() == [expected]
    assert valid.tolist() == [True, False]


@pytest.mark.parametrize("value", [None, "5", b"5", float("nan"), float("inf"), True, 2**63, -(2**63) - 1, 1e30])
def test_what_is_no_time_is_left_out(value):
    times, valid = CLOCK.milliseconds([1, value, 3])
    assert times[valid].tolist() == [1, 3]
    assert valid.tolist() == [True, False, True]


def test_chunks_are_joined_in_order_and_a_single_one_is_not_copied():
    first = pa.array([1.0, 2.0])
    assert np.shares_memory(readings([pa.array([1, 2]), first]).values["a"], first.to_numpy())
    both = readings([[1], [1.0], [10.0]], [[2], [2.0], [20.0]], sensors=("a", "b"))
    assert both.times.tolist() == [1, 2]
    assert both.values["b"].tolist() == [10.0, 20.0]


def test_nothing_read_is_empty_columns_of_the_right_types():
    nothing = readings()
    assert nothing.times.dtype == np.int64
    assert nothing.values["a"].dtype == np.float64
    assert len(nothing.times) == 0
