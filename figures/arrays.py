"""Numpy arrays as Plotly's typed arrays: base64 of raw little-endian bytes,
the fastest and smallest that a figure can carry.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import numpy.typing as npt

TypedArray = dict[str, str]

_COUNTS: tuple[tuple[str, type[np.unsignedinteger[Any]]], ...] = (("u1", np.uint8), ("u2", np.uint16), ("u4", np.uint32))
_FLOAT32_DIGITS = 2.0**22  # above this, float32 has less than a quarter of the last displayed digit


def typed(values: npt.NDArray[Any], dtype: str) -> TypedArray:
    """An array in one of Plotly's dtypes (``f8``, ``f4``, ``u4``, ``u2``, ``u1``)."""
    raw = np.ascontiguousarray(values, dtype="<" + dtype).tobytes()
    return {"dtype": dtype, "bdata": base64.b64encode(raw).decode("ascii")}


def times(values_ms: npt.NDArray[np.float64]) -> TypedArray:
    """Axis times as float64 ms."""
    return typed(values_ms, "f8")


def counts(values: npt.NDArray[np.int64]) -> TypedArray:
    """Counts (at least 0, below 2^32) in the smallest dtype that holds them."""
    most = int(values.max(initial=0))
    return typed(values, next((name for name, kind in _COUNTS if most <= np.iinfo(kind).max), "f8"))


def measured(values: npt.NDArray[np.float64], decimals: int) -> TypedArray:
    """Measured values as float32 where the displayed digits survive it, else as float64."""
    narrow = narrowed(values, decimals)
    return typed(values, "f8") if narrow is None else typed(narrow, "f4")


def narrowed(values: npt.NDArray[np.float64], decimals: int) -> npt.NDArray[np.float32] | None:
    """float32 values that show the same ``decimals`` digits, or None where there are none.

    A value next to a rounding tie (2.35 shown with one decimal) may fall on its other side;
    its float32 neighbour does not.
    """
    scaled = np.abs(values) * 10.0**decimals
    if not np.all(scaled[np.isfinite(scaled)] < _FLOAT32_DIGITS):
        return None
    narrow = values.astype(np.float32)
    near_tie = np.abs(scaled - np.floor(scaled) - 0.5) <= scaled * 2.0**-22 + 1e-9
    for place in np.flatnonzero(near_tie):
        wanted = f"{values[place]:.{decimals}f}"
        if f"{float(narrow[place]):.{decimals}f}" != wanted:
            narrow[place] = np.nextafter(narrow[place], np.float32(np.inf if values[place] > narrow[place] else -np.inf))
        if f"{float(narrow[place]):.{decimals}f}" != wanted:
            return None
    return narrow
