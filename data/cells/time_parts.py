"""Times from columns that each hold a part of them as a number:
year, day of the year, 30 for half past midnight.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa

from data.arrays import Bools, Floats, Integers
from data.cells.values import ValueReader
from data.time.epoch import DAY_MS, MINUTE_MS

Part = Literal[
    "date", "year", "month", "day", "doy", "hour", "minute", "second", "hhmm", "hhmmss", "yyyymmdd", "ddmmyyyy", "mmddyyyy",
    "yymmdd", "ddmmyy", "mmddyy", "yyyydoy", "yyyymmddhh", "yyyymmddhhmm", "yyyymmddhhmmss",
]  # fmt: skip

_DIGITS = {
    name: re.findall("yyyy|yy|doy|hh|mm|ss|dd", name)
    for name in get_args(Part)
    if re.fullmatch("(?:yyyy|yy|doy|hh|mm|ss|dd)+", name) and name != "doy"
}
_DIRECTIVES = {"month": "%m", "day": "%d", "doy": "%j", "hour": "%H", "minute": "%M", "second": "%S", "date": "%Y-%m-%d"}
_WIDTHS = {"yyyy": 4, "yy": 2, "doy": 3}
_PIVOT = 69  # as strptime: 69 is 1969, 68 is 2068


def check_parts(parts: Mapping[Any, str]) -> None:
    """Refuse parts that make no time or say something twice.

    Raises:
        ValueError: saying what was expected.
    """
    given = [unit for part in parts for unit in _units(part)]
    twice = sorted({unit for unit in given if given.count(unit) > 1})
    if twice:
        raise ValueError(f"time_parts gives {', '.join(twice)} twice")
    day = {"year", "month", "day"} <= {*given} or {"year", "doy"} <= {*given} or "date" in given
    alone = ("date" in given and {*given} & {"year", "month", "day", "doy"}) or ("doy" in given and {*given} & {"month", "day"})
    if not day or alone:
        raise ValueError("time_parts must give the day: date, or year, month and day, or year and doy, or such as yyyymmdd")
    for finer, coarser in (("minute", "hour"), ("second", "minute")):
        if finer in given and coarser not in given:
            raise ValueError(f"time_parts gives {finer} without {coarser}")


def in_order(parts: Mapping[Part, str]) -> dict[Part, str]:
    """Return the parts from the coarsest to the finest."""
    units = ["date", "year", "month", "day", "doy", "hour", "minute", "second"]
    return dict(sorted(parts.items(), key=lambda each: min(units.index(unit) for unit in _units(each[0]))))


def format_of(part: Part) -> str:
    """Strptime's format of a part that is written with all of its digits."""
    pieces = _DIGITS.get(part, [part])
    years = {"yyyy": "%Y", "year": "%Y", "yy": "%y"}
    return "".join(years.get(piece) or _DIRECTIVES[unit] for piece, unit in zip(pieces, _units(part), strict=True))


def from_parts(columns: Mapping[Part, pa.Array], date_ms: Integers | None, *, hour24: bool) -> tuple[Integers, Bools]:
    """int64 ms on the wall clock, and which rows are a time.
    ``date_ms``: midnight of each row's day where a text tells it.
    """
    units: dict[str, Floats] = {}
    for part, column in columns.items():
        units.update(_split(part, ValueReader().read(column).values))
    if date_ms is None:
        days, good = _days(units)
    else:
        days, good = (date_ms // DAY_MS).astype(np.float64), date_ms % DAY_MS == 0
    zero = np.zeros(len(days))
    hour, minute, second = (units.get(unit, zero) for unit in ("hour", "minute", "second"))
    for values, limit in ((hour, 24), (minute, 60)):
        good &= (values >= 0) & (values < limit + (hour24 and limit == 24)) & (values == np.floor(values))
    good &= (second >= 0) & (second < 60) & ((hour < 24) | ((minute == 0) & (second == 0)))
    ms = days * DAY_MS + hour * (60 * MINUTE_MS) + minute * MINUTE_MS + np.floor(second * 1000 + 0.001)
    return np.where(good, ms, 0).astype(np.int64), good


def _units(part: str) -> list[str]:
    """What a part tells: year, month, day, doy, hour, minute, second, date."""
    if part not in _DIGITS:
        return [part]
    pieces = _DIGITS[part]
    return [
        {"yyyy": "year", "yy": "year", "dd": "day", "doy": "doy", "hh": "hour", "ss": "second"}.get(
            piece, "minute" if "hh" in pieces[:at] else "month"
        )
        for at, piece in enumerate(pieces)
    ]


def _split(part: str, values: Floats) -> dict[str, Floats]:
    """Digits of a number, from its end, so that leading zeros may lack;
    NaN where it has more digits than the part.
    """
    if part not in _DIGITS:
        return {part: values}
    found: dict[str, Floats] = {}
    rest = np.where(np.isfinite(values) & (values >= 0) & (values == np.floor(values)), values, np.nan)
    for piece, unit in zip(reversed(_DIGITS[part]), reversed(_units(part)), strict=True):
        size = 10.0 ** _WIDTHS.get(piece, 2)
        rest, found[unit] = np.floor(rest / size), rest % size
    for unit in found:
        found[unit] = np.where(rest == 0, found[unit], np.nan)
    if "yy" in _DIGITS[part]:
        found["year"] = found["year"] + np.where(found["year"] < _PIVOT, 2000, 1900)
    return found


def _days(units: Mapping[str, Floats]) -> tuple[Floats, Bools]:
    """Return days since 1970-01-01, and which rows have one; two-digit years have none."""
    year = units["year"]
    good = (year >= 1000) & (year <= 9999) & (year == np.floor(year))
    month = units.get("month", np.ones(len(year)))
    day = units.get("doy", units.get("day", np.ones(len(year))))
    good &= (month >= 1) & (month <= 12) & (month == np.floor(month)) & (day >= 1) & (day == np.floor(day))
    months = (np.where(good, year, 1970) - 1970) * 12 + np.where(good, month, 1) - 1
    start = months.astype("datetime64[M]")
    first = start.astype("datetime64[D]").astype(np.int64)
    length = 12 if "doy" in units else 1
    until = (start + length).astype("datetime64[D]").astype(np.int64)
    good &= day <= until - first
    return np.asarray(first + np.where(good, day, 1) - 1, np.float64), np.asarray(good, np.bool_)
