"""Texts of times as ms since 1970, rounded down."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.arrays import Bools, Integers
from data.time.epoch import ms_of

_ISO_TEXT = re.compile(
    r"\d{4}-?\d{2}-?\d{2}(?:[T ]\d{2}(?::?\d{2}){0,2}(?:[.,]\d+)?\s*(?:Z|[+-]\d{2}(?::?\d{2}){0,2})?)?", re.ASCII | re.IGNORECASE
)
# which fromisoformat does not take
_BEFORE_OFFSET = re.compile(r"\s+(?=Z$|[+-][0-9:]+$)", re.IGNORECASE)


def iso_times(cells: pa.Array) -> tuple[Integers, Bools, Bools]:
    """Texts of ISO 8601 (null where there is none) as int64 ms, which of them tell an offset,
    and which are a time at all.
    """
    alike = alike_iso_times(cells)
    return times_one_by_one(cells.to_pylist(), _moment) if alike is None else alike


def alike_iso_times(cells: pa.Array) -> tuple[Integers, Bools, Bools] | None:
    """Read texts as :func:`iso_times` does where all are of one kind, as those of a file mostly
    are: then Arrow is quick. None where they are not, or no texts.
    """
    if not pa.types.is_string(cells.type):
        return None
    first = pc.drop_null(cells)[:1]  # tells the kind: Arrow needs 3 µs for each cell that it cannot read
    for unit, zone in (("us", None), ("us", "UTC"), ("ns", None), ("ns", "UTC")):
        try:
            pc.cast(first, pa.timestamp(unit, zone))
            ms = whole_ms(pc.cast(cells, pa.timestamp(unit, zone)))
        except pa.ArrowInvalid:
            continue
        return ms, np.full(len(ms), zone is not None), np.asarray(pc.is_valid(cells).to_numpy(zero_copy_only=False), np.bool_)
    return None


def _moment(text: str) -> datetime:
    # fromisoformat takes any sign between date and time, also a digit:
    # a count of milliseconds would be a date.
    if not _ISO_TEXT.fullmatch(text):
        raise ValueError(text)
    return datetime.fromisoformat(_BEFORE_OFFSET.sub("", text))


def times_one_by_one(cells: list[str | None], parse: Callable[[str], datetime]) -> tuple[Integers, Bools, Bools]:
    """Read texts as :func:`iso_times` does, by ``parse``, which raises ValueError."""
    ms, utc, good = np.zeros(len(cells), np.int64), np.zeros(len(cells), np.bool_), np.zeros(len(cells), np.bool_)
    for index, cell in enumerate(cells):
        if cell is None:
            continue
        try:
            moment = parse(cell)
            since_ms = ms_of(moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC))
        except (ValueError, OverflowError):
            continue
        utc[index], good[index] = moment.tzinfo is not None, True
        ms[index] = since_ms
    return ms, utc, good


def whole_ms(array: pa.Array) -> Integers:
    """Timestamps as int64 ms, rounded down; 0 where missing."""
    whole = pc.fill_null(pc.cast(array, pa.int64()), 0).to_numpy(zero_copy_only=False)
    return np.asarray(whole // {"ms": 1, "us": 1000, "ns": 1_000_000}[array.type.unit], dtype=np.int64)
