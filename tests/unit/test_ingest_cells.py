from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.ingest.cells import BadCell, numbers
from data.ingest.parsing import parse_number
from data.ingest.times import read_times

T0 = 1_577_836_800_000  # 2020-01-01T00:00Z


@pytest.mark.parametrize(
    ("cell", "number"),
    [("1.5", 1.5), (" -2 ", -2), ("+5", 5), (".5", 0.5), ("5.", 5), ("1e-3", 0.001), ("inf", np.inf), ("-INF", -np.inf)],
)
def test_numbers_as_loggers_write_them(cell, number):
    assert numbers(pa.array([cell]), (), ".").tolist() == [number]
    assert parse_number(cell) == number


@pytest.mark.parametrize("cell", ["1_000", "0x10", "1,5", "one", "1 2", "--1", "1.2.3", "٣"])
def test_what_is_no_number_is_named_by_its_row(cell):
    with pytest.raises(BadCell) as caught:
        numbers(pa.array(["1", "", cell]), (), ".")
    assert (caught.value.index, caught.value.text) == (2, cell)


def test_missing_cells_are_empty_nan_or_as_the_profile_says_whatever_the_case():
    cells = pa.array(["", None, "NaN", "NAN", "na", "-9999", "-9999.00", "1"])
    assert np.isnan(numbers(cells, ["NA", "-9999"], ".")).tolist() == [True] * 7 + [False]
    assert np.isnan(numbers(pa.array([-9999, 1]), ["-9999"], ".")).tolist() == [True, False]


def test_decimal_comma():
    assert numbers(pa.array(["1,5", "2", ""]), (), ",").tolist() == pytest.approx([1.5, 2.0, np.nan], nan_ok=True)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_a_written_float_is_read_as_itself(values):
    assert numbers(pa.array([repr(value) for value in values]), (), ".").tolist() == values


@pytest.mark.parametrize(
    ("cells", "ms", "utc"),
    [
        (["2020-01-01", "2020-01-01 00:01"], [T0, T0 + 60_000], [False, False]),
        (["2020-01-01T00:00:00Z", "2020-01-01T07:00:00+07:00"], [T0, T0], [True, True]),
        (["2020-01-01T00:00:00Z", "2020-01-01 00:00:00"], [T0, T0], [True, False]),  # mixed in one file
        (["2020-01-01 00:00:00.1239"], [T0 + 123], [False]),
        (["1969-12-31T23:59:59.9999Z"], [-1], [True]),  # rounded down, also before 1970
    ],
)
def test_iso_times_with_and_without_offset(cells, ms, utc):
    found, is_utc, present = read_times([pa.array(cells)], "ISO8601", None)
    assert (found.tolist(), is_utc.tolist(), present.all()) == (ms, utc, True)


def test_an_empty_time_is_no_time_and_a_wrong_one_is_named():
    assert read_times([pa.array(["", "2020-01-01", None])], "ISO8601", None)[2].tolist() == [False, True, False]
    assert read_times([pa.array(["", "2020"])], "%Y", None)[2].tolist() == [False, True]
    for time_format in ("ISO8601", "%Y-%m-%d", "%Y-%m-%d%z"):
        with pytest.raises(BadCell) as caught:
            read_times([pa.array(["", "soon"])], time_format, None)
        assert caught.value.index == 1


def test_formats_joined_columns_and_numbers_of_seconds():
    joined = [pa.array(["01/02/2020"]), pa.array(["3:04"])]
    assert read_times(joined, "%d/%m/%Y %H:%M", None)[0].tolist() == [1_580_526_240_000]
    assert read_times([pa.array(["2020-01-01 07:00 +0700"])], "%Y-%m-%d %H:%M %z", None)[0].tolist() == [T0]
    found, utc, present = read_times([pa.array([T0 / 1000, None])], "ISO8601", "s")
    assert (found.tolist()[0], utc.all(), present.tolist()) == (T0, True, [True, False])


@pytest.mark.parametrize("kind", [pa.timestamp("ns"), pa.timestamp("us", "Asia/Jakarta"), pa.date32(), pa.timestamp("s")])
def test_stored_timestamps(kind):
    stored = pa.array([T0, None], pa.timestamp("ms")).cast(pa.timestamp("us")).cast(kind)
    ms, utc, present = read_times([stored], "ISO8601", None)
    assert (ms.tolist()[0], present.tolist()) == (T0, [True, False])
    assert bool(utc[0]) == (getattr(kind, "tz", None) is not None)
