# ruff: noqa: E501 - a case is one line
from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from data.cells.numerals import parse_number, widened
from data.cells.units import UnitError
from data.cells.values import CellKeys, ValueKeys, ValueReader, value_reader

NAN = float("nan")


def read(cells, target="mm", **keys):
    """Values, how many are missing, positions of those that are no number."""
    found = value_reader(ValueKeys(**keys), target).read(pa.array(cells))
    return found.values.tolist(), found.missing, found.unreadable.tolist()


def same(values):
    return pytest.approx(values, nan_ok=True, abs=0, rel=0)


@pytest.mark.parametrize(
    ("cell", "number"),
    [("1.5", 1.5), (" -2 ", -2), ("+5", 5), (".5", 0.5), ("5.", 5), ("1e-3", 0.001), ("inf", np.inf), ("-INF", -np.inf)],
)
def test_numbers_as_loggers_write_them(cell, number):
    assert read([cell]) == ([number], 0, [])
    assert parse_number(cell) == number


@pytest.mark.parametrize("cell", ["1_000", "0x10", "1,5", "one", "1 2", "--1", "1.2.3", "٣", "1'000"])
def test_what_is_no_number_is_counted_and_named_by_its_place(cell):
    assert read(["1", "", cell, "2"]) == (same([1, NAN, NAN, 2]), 1, [2])


def test_missing_cells_are_empty_nan_or_as_the_keys_say_whatever_the_case():
    cells = ["", None, "NaN", "NAN", "na", "-9999", "-9999.00", "1"]
    assert read(cells, missing=["NA", "-9999"]) == (same([NAN] * 7 + [1]), 7, [])
    assert read([-9999, 1], missing=[-9999]) == (same([NAN, 1]), 1, [])
    assert read(["-9999,0", "1,5"], missing=["-9999,00"], decimal=",") == (same([NAN, 1.5]), 1, [])


@pytest.mark.parametrize(
    ("keys", "cells", "values"),
    [
        ({"decimal": ","}, ["1,5", "2", ",5", "-1,"], [1.5, 2, 0.5, -1]),
        # a point where the comma is decimal may group thousands, or may not: never guessed
        ({"decimal": ","}, ["1.013", "1.2", "1.013,5", "1.013.000"], [NAN] * 4),
        ({"decimal": ",", "thousands": "."}, ["1.013", "1.013,5", "1013,5", "-12.345.678", "998,4"], [1013, 1013.5, 1013.5, -12345678, 998.4]),
        ({"decimal": ",", "thousands": "."}, ["1.2", "10.13", "1.0134", "0.123", "1013.500", ".123"], [NAN] * 6),
        ({}, ["1,234.5", "1,234", "1,5"], [NAN] * 3),
        ({"thousands": ","}, ["1,234.5", "1,234", "12", "0.5"], [1234.5, 1234, 12, 0.5]),
        ({"thousands": ","}, ["1,5", "1,23", "12,34,567", "1,234,5"], [NAN] * 4),
        ({"thousands": " "}, ["1 234.5", "1\u00a0234", "1\u202f234", "1\u2009234"], [1234.5, 1234, 1234, 1234]),
        ({"thousands": " "}, ["1  234", "1 2", "12 34"], [NAN] * 3),
        ({"thousands": "'"}, ["1'234.5", "1’234"], [1234.5, 1234]),
    ],
)  # fmt: skip
def test_signs_of_decimals_and_thousands(keys, cells, values):
    found, missing, unreadable = read(cells, **keys)
    assert found == same(values)
    assert (missing, unreadable) == (0, [at for at, value in enumerate(values) if value != value])


def test_what_is_ambiguous_says_which_key_to_write():
    assert 'thousands = "."' in value_reader(ValueKeys(decimal=","), "hPa").explain("1.013")
    for text in ("1,013.5", "1'013", "1 013", "10,5"):
        assert "decimal or thousands" in value_reader(ValueKeys(), "hPa").explain(text)
    assert value_reader(ValueKeys(), "hPa").explain("warm") == "a number"


def test_words_stand_for_numbers_in_the_columns_unit_whatever_the_scale():
    assert read(["NNW", "vrb", "310"], "degree", words={"NNW": 337.5}, missing=["VRB"]) == (same([337.5, NAN, 310]), 1, [])
    assert read(["T", "0.01", "t"], "mm", unit="inch", words={"T": 0.005})[0] == [0.127, 0.254, 0.127]
    # tenths of a millimetre, -1 for a trace; as texts and as numbers
    for cells in (["-1", "12", "-1.0"], [-1, 12, -1]):
        assert read(cells, "mm", scale=0.1, words={"-1": 0.025}) == ([0.025, 1.2, 0.025], 0, [])


def test_a_cell_may_carry_its_own_unit():
    cells = ["21.5 °C", "32 °F", "-3.5℃", "21.5", "3 kPa", "", "warm"]
    assert read(cells, "degC", unit_in_cell=True) == (same([21.5, 0, -3.5, NAN, NAN, NAN, NAN]), 1, [3, 4, 6])
    assert read(["1.013,5 hPa", "98 kPa"], "hPa", unit_in_cell=True, decimal=",", thousands=".")[0] == [1013.5, 980]


def test_a_driver_gives_numbers_of_all_kinds_and_texts_in_one_column():
    column = [1.5, None, Decimal("2.5"), "7", "x", -9999, b"1", 10**400, "-9999.0", 3]
    found = ValueReader(missing=("-9999",)).read(column)
    assert found.values.tolist() == same([1.5, NAN, 2.5, 7, NAN, NAN, NAN, NAN, NAN, 3])
    assert (found.missing, found.unreadable.tolist()) == (3, [4, 6, 7])


@pytest.mark.parametrize(
    "kind", [pa.float32(), pa.int16(), pa.decimal128(5, 1), pa.dictionary(pa.int8(), pa.string()), pa.string()]
)
def test_columns_of_every_kind_are_read_alike(kind):
    column = pa.array(["1", "2", None]).cast(kind) if "string" in str(kind) else pa.array([1.0, 2.0, None]).cast(kind)
    found = ValueReader().read(column)
    assert (found.values.tolist(), found.missing) == (same([1, 2, NAN]), 1)


def test_singles_are_the_numbers_they_were_written_as():
    written = [22.2, -99.9, 0.1, 1013.25, -0.0254, 16_777_216.0, 0.0, 1e-9, float("inf"), NAN]
    reader = value_reader(ValueKeys(missing=[-99.9], words={"0.1": 7}), "mm")
    read = reader.read(pa.array([*written, None], pa.float32()))
    assert read.values.tolist() == same([22.2, NAN, 7, *written[3:], NAN])
    assert (read.missing, read.unreadable.tolist()) == (3, [])


@given(st.lists(st.integers(-999_999, 999_999), min_size=1), st.integers(0, 6))
def test_six_digits_come_back_from_a_single(digits, decimals):
    numbers = [round(each / 10**decimals, decimals) for each in digits]
    assert widened(pa.array(numbers, pa.float32())).tolist() == numbers


@given(st.lists(st.floats(width=32), min_size=1))
def test_a_single_is_the_shortest_decimal_that_means_it(singles):
    wanted = [float(str(np.float32(each))) for each in singles]
    assert widened(pa.array(singles, pa.float32())).tobytes() == np.array(wanted).tobytes()


def test_a_columns_keys_hold_before_the_whole_files_and_add_to_what_is_missing():
    whole = CellKeys(missing=["M"], decimal=",", words={"T": 0, "U": 1})
    reader = value_reader(ValueKeys(missing=["X"], decimal=".", words={"T": 5}), "mm", whole=whole)
    assert reader.read(pa.array(["M", "X", "1.5", "T", "U"])).values.tolist() == same([NAN, NAN, 1.5, 5, 1])


@pytest.mark.parametrize(
    ("own", "whole", "expected"),
    [
        ({"words": {"-1": 0.025}}, {"missing": [-1]}, 0.025),
        ({"missing": [-1]}, {"words": {"-1.0": 0.025}}, NAN),
        ({"words": {"-1.00": 7}}, {"words": {"-1": 0.025}}, 7),
    ],
)
def test_a_columns_own_meaning_of_a_cell_holds_however_the_cell_is_written(own, whole, expected):
    reader = value_reader(ValueKeys(**own), "mm", whole=CellKeys(**whole))
    for cells in (["-1"], ["-1.0"], [-1.0]):
        assert reader.read(pa.array(cells)).values.tolist() == same([expected])


def test_a_columns_own_word_holds_whatever_its_case():
    reader = value_reader(ValueKeys(words={"T": 5}), "mm", whole=CellKeys(words={"t": 0}))
    assert reader.read(pa.array(["T", "t"])).values.tolist() == [5, 5]


def test_equal_keys_make_equal_readers():
    keys = {"unit": "inch", "missing": ["x"], "words": {"T": 0}}
    assert value_reader(ValueKeys(**keys), "mm") == value_reader(ValueKeys(**keys), "mm")
    assert value_reader(ValueKeys(**keys), "mm") != value_reader(ValueKeys(**keys, scale=10), "mm")
    assert repr(value_reader(ValueKeys(**keys), "mm")) == repr(value_reader(ValueKeys(**keys), "mm"))


@pytest.mark.parametrize(
    "keys",
    [
        {"scale": 0}, {"scale": NAN}, {"unit": " "}, {"unit_in_cell": True, "unit": "mm"}, {"step_s": 60}, {"thousands": "."},
        {"decimal": ",", "thousands": ","}, {"thousands": ";"}, {"words": {"T": "none"}}, {"words": {"T": float("inf")}}, {"sacle": 1},
        {"words": {"-1": 0}, "missing": ["-1.0"]}, {"words": {"-1": 5, "-1.0": 7}}, {"words": {"T": 0, "t": 1}},
    ],
)  # fmt: skip
def test_keys_without_sense_are_refused(keys):
    with pytest.raises(ValidationError):
        ValueKeys(**keys)


def test_signs_that_meet_from_column_and_file_are_refused():
    with pytest.raises(UnitError, match="they must differ"):
        value_reader(ValueKeys(decimal=","), "mm", whole=CellKeys(thousands=","))


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_a_written_float_is_read_as_itself(values):
    assert read([repr(value) for value in values])[0] == values


@given(
    st.lists(
        st.sampled_from(["0", "1.5", "-9999", "-9999.0", "+7", ".5", "1e3", "NaN", "inf", "-INF", "nan", "1.", "1e400", None]),
        max_size=6,
    )
)
def test_plain_numbers_are_read_at_once_as_they_are_one_by_one(texts):
    reader = ValueReader(missing=("-9999", "---"))
    at_once = reader.read(pa.array(texts, pa.string()))
    one_by_one = reader.read(pa.array([*texts, " 2 "], pa.string()))  # which Arrow takes for no number
    np.testing.assert_array_equal(at_once.values, one_by_one.values[:-1])
    assert (at_once.missing, at_once.unreadable.tolist()) == (one_by_one.missing, [])
