"""Cells become numbers, texts and times; a cell that cannot is named by its place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data.ingest.parsing import parse_number

_ALWAYS_MISSING = ("", "nan")  # besides the profile's own, in small letters


class BadCell(ValueError):
    """The cell of row ``index`` (of its chunk) is not what was expected."""

    def __init__(self, index: int, text: object) -> None:
        super().__init__(text)
        self.index, self.text = index, text


def texts(array: pa.Array) -> pa.Array:
    """Cells as trimmed text; missing ones become empty."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return pc.utf8_trim_whitespace(pc.fill_null(pc.cast(array, pa.string()), ""))


def numbers(array: pa.Array, missing: Sequence[str], decimal: str) -> npt.NDArray[np.float64]:
    """Cells as float64; NaN where missing; infinite ones stay.

    Missing are the empty cell, NaN, and ``missing``: texts whatever their case, numbers however they are written (-9999.00).

    Raises:
        BadCell: for the first cell that is no number.
    """
    kind = array.type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return _without(_floats(pc.cast(array, pa.float64())), missing)
    if pa.types.is_null(kind):
        return np.full(len(array), np.nan)
    cells = texts(array)
    known = pa.array([*_ALWAYS_MISSING, *(text.strip().lower() for text in missing)])
    cells = pc.if_else(pc.is_in(pc.utf8_lower(cells), value_set=known), pa.scalar(None, pa.string()), cells)
    if decimal != ".":
        cells = pc.replace_substring(cells, decimal, ".", max_replacements=1)
    try:
        values = _floats(pc.cast(cells, pa.float64()))
    except pa.ArrowInvalid:
        values = _one_by_one(cells.to_pylist())
    return _without(values, missing)


def _floats(array: pa.Array) -> npt.NDArray[np.float64]:
    return np.array(array.to_numpy(zero_copy_only=False), dtype=np.float64)


def _without(values: npt.NDArray[np.float64], missing: Sequence[str]) -> npt.NDArray[np.float64]:
    for text in missing:
        number = parse_number(text)
        if number is not None:
            values[values == number] = np.nan
    return values


def _one_by_one(cells: list[str | None]) -> npt.NDArray[np.float64]:
    values = np.full(len(cells), np.nan)
    for index, cell in enumerate(cells):
        if cell is not None:
            number = parse_number(cell)
            if number is None:
                raise BadCell(index, cell)
            values[index] = number
    return values
