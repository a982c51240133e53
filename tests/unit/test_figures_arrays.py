"""Typed arrays: small, and true to the displayed digits."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from figures.arrays import counts, measured, narrowed, typed


def back(array: dict[str, str]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(array["bdata"]), dtype="<" + array["dtype"])


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.integers(0, 3))
def test_the_displayed_digits_survive(values: list[float], decimals: int) -> None:
    sent = back(measured(np.array(values), decimals)).astype(np.float64)
    assert [f"{value:.{decimals}f}" for value in sent] == [f"{value:.{decimals}f}" for value in values]


@given(st.lists(st.integers(-100_000, 100_000), min_size=1, max_size=50))
def test_two_decimals_shown_as_one_stay_narrow_and_on_their_side_of_the_tie(hundredths: list[int]) -> None:
    values = np.array(hundredths) / 100  # every tenth of these is a tie, such as 2.35
    narrow = narrowed(values, 1)
    assert narrow is not None
    assert [f"{float(value):.1f}" for value in narrow] == [f"{value:.1f}" for value in values]


def test_values_too_large_for_float32_are_sent_whole() -> None:
    assert measured(np.array([123_456_789.25]), 2)["dtype"] == "f8"


def test_nan_breaks_survive() -> None:
    assert np.isnan(back(measured(np.array([1.0, np.nan, 2.0]), 1))[1])


@pytest.mark.parametrize(("most", "dtype"), [(0, "u1"), (255, "u1"), (256, "u2"), (65_535, "u2"), (65_536, "u4")])
def test_counts_take_the_smallest_type(most: int, dtype: str) -> None:
    sent = counts(np.array([0, most]))
    assert sent["dtype"] == dtype
    assert back(sent).tolist() == [0, most]


def test_bytes_are_little_endian() -> None:
    assert base64.b64decode(typed(np.array([1.0], dtype=">f8"), "f8")["bdata"]) == b"\x00\x00\x00\x00\x00\x00\xf0\x3f"
