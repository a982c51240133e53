"""Time cells become ms on the wall clock, or ms UTC where they carry an offset."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from data.ingest.cells import BadCell, numbers, texts

ISO = "ISO8601"
_PER_UNIT = {"s": 1000.0, "ms": 1.0, "us": 0.001}
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock has no zone
_MISSING = np.iinfo(np.int64).min

Times = tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]


def read_times(columns: list[pa.Array], time_format: str, time_unit: str | None) -> Times:
    """Times of a chunk: int64 ms, which of them are UTC already, and which cells hold a time at all.

    Args:
        columns: one column, or several whose texts are joined by a space.
        time_format: ``ISO8601`` or strptime's.
        time_unit: of numbers since 1970-01-01 UTC; None when times are texts.

    Raises:
        BadCell: for the first cell that is no such time.
    """
    if len(columns) == 1 and pa.types.is_temporal(columns[0].type):
        return _stored(columns[0])
    if time_unit is not None:
        return _numbers(columns[0], _PER_UNIT[time_unit])
    cells = texts(columns[0])
    if len(columns) > 1:
        cells = pc.utf8_trim_whitespace(pc.binary_join_element_wise(*(texts(column) for column in columns), " "))
    present = _mask(pc.not_equal(cells, ""))
    filled = pc.if_else(pc.equal(cells, ""), pa.scalar(None, pa.string()), cells)
    ms, utc = _iso(filled) if time_format == ISO else _formatted(filled, time_format)
    return ms, utc, present


def expected(time_format: str, time_unit: str | None) -> str:
    """What a time cell should look like, for messages."""
    if time_unit is not None:
        return f"a number of {time_unit} since 1970"
    return "a time such as 2019-03-31 14:30:00" if time_format == ISO else f"a time like {time_format}"


def _stored(column: pa.Array) -> Times:
    utc = pa.types.is_timestamp(column.type) and column.type.tz is not None
    present = _mask(pc.is_valid(column))
    if not (pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)):
        raise BadCell(0, column[0].as_py() if len(column) else "")
    ms = _ms(pc.cast(column, pa.timestamp("ms", column.type.tz if utc else None), safe=False))
    return ms, np.full(len(ms), utc), present


def _numbers(column: pa.Array, per_unit_ms: float) -> Times:
    values = numbers(column, (), ".") * per_unit_ms
    present = np.isfinite(values)
    return np.where(present, values, 0).round().astype(np.int64), np.ones(len(values), np.bool_), present


def _iso(cells: pa.Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    for zone in (None, "UTC"):  # all cells of a file are mostly of one kind: then Arrow is quick
        try:
            ms = _ms(pc.cast(cells, pa.timestamp("us", zone)))
        except pa.ArrowInvalid:
            continue
        return ms, np.full(len(ms), zone is not None)
    return _one_by_one(cells.to_pylist(), datetime.fromisoformat)


def _formatted(cells: pa.Array, time_format: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    if "%z" in time_format:
        return _one_by_one(cells.to_pylist(), lambda text: datetime.strptime(text, time_format))  # noqa: DTZ007 - it has %z
    series = pd.Series(cells.to_pylist(), dtype="str")
    parsed = pd.to_datetime(series, format=time_format, errors="coerce")
    wrong = np.flatnonzero((parsed.isna() & series.notna()).to_numpy())
    if len(wrong):
        raise BadCell(int(wrong[0]), series.iloc[int(wrong[0])])
    ms = parsed.to_numpy().astype("datetime64[ms]").astype(np.int64)
    return np.where(ms == _MISSING, 0, ms), np.zeros(len(ms), np.bool_)


def _one_by_one(cells: list[str | None], parse: Callable[[str], datetime]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    ms, utc = np.zeros(len(cells), np.int64), np.zeros(len(cells), np.bool_)
    for index, cell in enumerate(cells):
        if cell is None:
            continue
        try:
            moment: datetime = parse(cell)
        except ValueError:
            raise BadCell(index, cell) from None
        utc[index] = moment.tzinfo is not None
        wall = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
        ms[index] = (wall - _EPOCH) // timedelta(milliseconds=1)
    return ms, utc


def _ms(array: pa.Array) -> npt.NDArray[np.int64]:
    """Timestamps as int64 ms, rounded down; 0 where missing."""
    whole = pc.fill_null(pc.cast(array, pa.int64()), 0).to_numpy(zero_copy_only=False)
    return np.asarray(whole // 1000 if array.type.unit == "us" else whole, dtype=np.int64)


def _mask(array: pa.Array) -> npt.NDArray[np.bool_]:
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.bool_)
