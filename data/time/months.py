"""UTC months as integers: ``year * 12 + (month - 1)``, so that neighbours differ by one."""

from __future__ import annotations

from datetime import timedelta
from typing import NewType

import numpy as np

from data.arrays import Integers
from data.time.epoch import EPOCH

Month = NewType("Month", int)

_EPOCH_MONTH = 1970 * 12


def month_of(time_ms: int) -> Month:
    """The UTC month that holds a time (int ms since 1970-01-01 UTC; may be negative)."""
    return Month(int(np.datetime64(time_ms, "ms").astype("datetime64[M]").astype(np.int64)) + _EPOCH_MONTH)


def months_of(times_ms: Integers) -> Integers:
    """The UTC month of each time; shape as given, int64."""
    return times_ms.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64) + _EPOCH_MONTH


def month_start_ms(month: int) -> int:
    """First millisecond of a month, int ms UTC."""
    return int(np.datetime64(month - _EPOCH_MONTH, "M").astype("datetime64[ms]").astype(np.int64))


def month_starts_ms(months: Integers) -> Integers:
    """First millisecond of each month, int64 ms UTC; shape as given."""
    return (months - _EPOCH_MONTH).astype("datetime64[M]").astype("datetime64[ms]").astype(np.int64)


def month_bounds_ms(month: int) -> tuple[int, int]:
    """[start, end) of a month in int ms UTC."""
    return month_start_ms(month), month_start_ms(month + 1)


def months_between(start_ms: int, end_ms: int) -> range:
    """Return all months that [start, end) touches, in order; empty when start >= end."""
    return range(month_of(start_ms), month_of(end_ms - 1) + 1) if start_ms < end_ms else range(0)


def month_name(month: int) -> str:
    """ISO name, such as ``2019-03``."""
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


def parse_month(name: str) -> Month:
    """Inverse of :func:`month_name`."""
    year, month = name.split("-")
    return Month(int(year) * 12 + int(month) - 1)


def iso_utc(time_ms: int) -> str:
    """ISO 8601 in UTC with a Z; milliseconds only when there are any. Years 1 to 9999."""
    seconds, ms = divmod(time_ms, 1000)
    text = (EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    return f"{text}.{ms:03d}Z" if ms else f"{text}Z"


def iso_utc_or_none(time_ms: int | None) -> str | None:
    """Return :func:`iso_utc` of a time that may be absent."""
    return None if time_ms is None else iso_utc(time_ms)
