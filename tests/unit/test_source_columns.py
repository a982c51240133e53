"""How single values become numbers and times."""

from decimal import Decimal

import numpy as np
import pytest

from data.source.columns import ReadingsBuilder, milliseconds, numbers


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
    assert numbers([value, None])[0][0] == expected
    assert numbers([value, None])[1:] == (1, 0)


@pytest.mark.parametrize("value", ["", "x", "12,5", "1_000", "١٢", b"12", 10**400, "0x1A", object()])
def test_what_is_no_number_is_counted_and_becomes_nan(value):
    array, missing, bad = numbers([1.0, value, None])
    assert np.isnan(array[1])
    assert (missing, bad) == (1, 1)


def test_nan_is_neither_missing_nor_bad_but_a_value_that_is_not_finite():
    array, missing, bad = numbers([float("nan"), None, 1.0])
    assert (missing, bad) == (1, 0)
    assert np.isnan(array[0])


def test_plain_columns_of_doubles_are_taken_as_they_are():
    array, missing, bad = numbers([1.5, None, -0.0])
    assert array.dtype == np.float64
    assert (missing, bad) == (1, 0)
    assert np.signbit(array[2])


@pytest.mark.parametrize(
    ("value", "expected"), [(5, 5), (5.9, 5), (-0.5, -1), (Decimal("7.2"), 7), (-(2**63), -(2**63)), (2**63 - 1, 2**63 - 1)]
)
def test_times_are_rounded_down_to_whole_milliseconds(value, expected):
    times, good = milliseconds([value, None])
    assert times.tolist() == [expected]
    assert good is not None
    assert good.tolist() == [True, False]


@pytest.mark.parametrize("value", [None, "5", b"5", float("nan"), float("inf"), True, 2**63, -(2**63) - 1, 1e30])
def test_what_is_no_time_is_left_out(value):
    times, good = milliseconds([1, value, 3])
    assert times.tolist() == [1, 3]
    assert good is not None
    assert good.tolist() == [True, False, True]


def test_chunks_are_joined_in_order_and_a_single_one_is_not_copied():
    builder = ReadingsBuilder(["a"])
    first = np.array([1.0, 2.0])
    builder.add(np.array([1, 2]), [first])
    assert builder.build().values["a"] is first
    builder = ReadingsBuilder(["a", "b"])
    builder.add(np.array([1]), [np.array([1.0]), np.array([10.0])])
    builder.add(np.array([2]), [np.array([2.0]), np.array([20.0])])
    readings = builder.build()
    assert readings.times.tolist() == [1, 2]
    assert readings.values["b"].tolist() == [10.0, 20.0]


def test_nothing_read_is_empty_columns_of_the_right_types():
    readings = ReadingsBuilder(["a"]).build()
    assert readings.times.dtype == np.int64
    assert readings.values["a"].dtype == np.float64
    assert len(readings.times) == 0
