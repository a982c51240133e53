"""Types of Campbell's binary fields: how long they are,
and the values that TOA5 would show for them.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa

from data.arrays import Floats, Integers

_EPOCH_S = 631_152_000  # 1990-01-01
# Least significant byte first, unless the name says otherwise.
# Of those with V only the length matters.
_TYPES = {
    "IEEE4": "<f4", "IEEE4L": "<f4", "IEEE4B": ">f4", "IEEE8": "<f8", "IEEE8L": "<f8", "IEEE8B": ">f8",
    "BYTE": "u1", "INT1": "i1", "SHORT": "<i2", "USHORT": "<u2", "LONG": "<i4", "ULONG": "<u4",
    "UINT2": ">u2", "INT2": ">i2", "UINT4": ">u4", "INT4": ">i4", "FP2": ">u2",
    "BOOL": "u1", "BOOL2": ">u2", "BOOL4": ">u4", "BOOL8": "u1",
    "SECNANO": "<i4,<i4", "NSEC": ">i4,>i4", "FP3": "V3", "FP4": "V4", "SEC": "V4", "USEC": "V6",
}  # fmt: skip
_ASCII = re.compile(r"ASCII\((\d+)\)")
_LARGEST_FP2 = 7999

Fields = np.ndarray[Any, Any]


class TobError(ValueError):
    """A file is not what its kind wants, or has a type of field that is not read; says which."""


def dtype_of(name: str) -> str:
    """A type's name for numpy.

    Raises:
        TobError: for a type of unknown length, which leaves the length of a record unknown, too.
    """
    text = _ASCII.fullmatch(name)
    if text:
        return f"S{text.group(1)}"
    if name not in _TYPES:
        raise TobError(f"a field is of type {name}; expected one of {', '.join(_TYPES)}, ASCII(n)")
    return _TYPES[name]


def values_of(kind: str, cells: Fields) -> pa.Array:
    """Fields of one type as Arrow keeps them: times on the logger's clock, float64, or text.

    Raises:
        TobError: for a type of which only the length is known.
    """
    if cells.dtype.names:
        return times(ns_since_1970(cells["f0"], cells["f1"]))
    if kind == "BOOL8":
        return pa.array([f"{flags:08b}"[::-1] for flags in cells.tolist()], pa.string())
    if cells.dtype.kind == "S":
        return pa.array([cell.split(b"\0")[0].decode("latin-1") for cell in cells.tolist()], pa.string())
    if cells.dtype.kind == "V":
        raise TobError(f"a field is of type {kind}, which is not read")
    return pa.array(_numbers(kind, cells))


def ns_since_1970(seconds: Fields, ns: Fields) -> Integers:
    """Campbell's seconds since 1990, with the ns of the second."""
    return (seconds.astype(np.int64) + _EPOCH_S) * 10**9 + ns.astype(np.int64)


def times(times_ns: Integers) -> pa.Array:
    """Times without a zone, to the ms below."""
    return pa.array(times_ns // 10**6, pa.timestamp("ms"))


def _numbers(kind: str, cells: Fields) -> Floats:
    if kind == "FP2":
        return _fp2(cells.astype(np.int64))
    if kind.startswith("BOOL"):
        return np.where(cells != 0, -1.0, 0.0)  # TOA5 has -1 for true, too
    with np.errstate(invalid="ignore"):  # damaged bytes may be a signalling NaN
        values: Floats = cells.astype(np.float64)
    return _seven_digits(values) if cells.dtype.kind == "f" and cells.dtype.itemsize == 4 else values


def _fp2(cells: Integers) -> Floats:
    """Sign, two bits of decimal places, 13 bits of digits.

    Campbell allows digits up to 7999. Beyond, without decimal places, 8191 is infinite,
    and 8190 no number.
    """
    digits, places = cells & 0x1FFF, cells >> 13 & 3
    values: Floats = digits / 10.0**places
    values[(places == 0) & (digits > _LARGEST_FP2)] = np.nan
    values[(places == 0) & (digits == 0x1FFF)] = np.inf
    return np.where(cells >> 15 == 1, -values, values)


def _seven_digits(values: Floats) -> Floats:
    """Four-byte numbers as TOA5 writes them: 21.4 rather than 21.399999618530273."""
    rounded = values.copy()
    known = np.isfinite(values) & (np.abs(values) > 1e-15) & (np.abs(values) < 1e15)
    shown = values[known]
    places = 6 - np.floor(np.log10(np.abs(shown))).astype(np.int64)
    # Powers of ten up to 10**22 are exact, so one division gives the float
    # that the decimal number means.
    up, down = 10.0 ** np.maximum(places, 0), 10.0 ** np.maximum(-places, 0)
    rounded[known] = np.rint(shown * up / down) / up * down
    return rounded
