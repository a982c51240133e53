"""Which columns of a file seem to be the time, and how it is written:
tried on the file's own cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa

from data.cells.times import ReadTimes, TimeKeys
from data.time.epoch import DAY_MS
from data.time.zones import offset_text, zone_of, zone_offset_ms

Columns = Mapping[str, Sequence[str]]

_NAMED = re.compile(
    r"time|date|datum|zeit|uhrzeit|stunde|uur|hour|^hh$|hhmm|tijd|tid\b|tanggal|waktu|jam|fecha|hora|heure|valid|stamp"
    r"|_ts\b|^ts$|last_changed|yyyy",
    re.IGNORECASE,
)
# times of something else
_LESS = re.compile(r"_start|_stop|start_|created|updated|inserted|received|serial|batch", re.I)
_DATES = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y",
    "%m-%d-%Y", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y", "%d-%b-%Y", "%d %b %Y",
    "%d-%b-%y", "%b %d %Y", "%b %d, %Y", "%d %B %Y",
)  # fmt: skip
_HOURS = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M:%S %p", "%I:%M %p", "%I:%M:%S%p", "%I:%M%p", "%H.%M", "%H.%M.%S")
_PACKED = {10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
# Least and greatest time by the unit: 1979 to 2128, days of spreadsheets 1954 to 2119.
_UNITS = {"s": (3e8, 5e9), "ms": (3e11, 5e12), "us": (3e14, 5e15), "ns": (3e17, 5e18), "excel_day": (2e4, 8e4)}
_PARTS = {
    "year": "year", "yr": "year", "tahun": "year", "jahr": "year", "jaar": "year",
    "month": "month", "mon": "month", "mo": "month", "bulan": "month", "monat": "month",
    "maand": "month", "day": "day", "dd": "day", "tag": "day", "dag": "day", "hari": "day",
    "doy": "doy", "jday": "doy", "julian": "doy", "day of year": "doy", "hour": "hour",
    "hr": "hour", "hh": "hour", "stunde": "hour", "uur": "hour", "jam": "hour", "minute": "minute",
    "min": "minute", "mm": "minute", "menit": "minute", "second": "second", "sec": "second",
    "detik": "second", "hhmm": "hhmm", "yyyymmdd": "yyyymmdd", "yyyymmddhhmm": "yyyymmddhhmm",
    "time hhmm": "hhmm",
}  # fmt: skip
_SAMPLE_CELLS = 60  # cells by which formats are sorted out; what is left is tried on all
_ZONE_IN_NAME = re.compile(r"\b(?:UTC|GMT)\s*([+-]\d{1,2}(?::?\d{2})?)|\b(UTC|GMT|UT)\b", re.I)


@dataclass(frozen=True)
class TimeGuess:
    """``columns`` of the time (none with ``time_parts``), ``keys`` as a profile has them,
    and what a person should look at.

    ``zone``: as the name of the column says. ``zoned``: whether every cell carries an offset
    itself. ``repeats``: whether rows repeat a time.
    """

    columns: tuple[str, ...]
    keys: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    zone: str | None = None
    zoned: bool = False
    repeats: bool = False

    @property
    def taken(self) -> set[str]:
        """Return all columns that make the time."""
        return {*self.columns, *self.keys.get("time_parts", {}).values()}


@dataclass(frozen=True)
class _Read:
    columns: tuple[str, ...]
    keys: Mapping[str, Any]
    found: ReadTimes = field(repr=False)

    @property
    def disorder(self) -> tuple[float, int]:
        """The share of steps that go back, and how many different steps there are:
        a wrong order of day and month makes many.
        """
        steps = np.diff(self.found.ms[self.found.present])
        return (float(np.mean(steps < 0)), len(np.unique(steps))) if len(steps) else (0.0, 0)

    @property
    def has_hours(self) -> bool:
        """Return whether not every time is a midnight."""
        return bool(np.any(self.found.ms[self.found.present] % DAY_MS))


def guess_time(columns: Columns, decimal: str = ".") -> TimeGuess | None:
    """The time of a table of texts; None when no column can be read as one."""
    names = sorted(columns, key=lambda name: (bool(_LESS.search(name)), not _NAMED.search(name)))
    tried = (
        _with_hours(columns, names, decimal)
        or _by_parts(columns)
        or _epochs(columns, names, decimal)
        or _day_column(columns, names)
    )
    if not tried:
        return None
    best = min(tried, key=lambda read: read.disorder)
    return TimeGuess(
        best.columns,
        best.keys,
        tuple(_ambiguous(best, tried)),
        next((zone for name in best.columns if (zone := _zone_in(name))), None),
        bool(best.found.utc[best.found.present].all()),
        len(np.unique(best.found.ms[best.found.present])) < int(best.found.present.sum()),
    )


def _with_hours(columns: Columns, names: Sequence[str], decimal: str) -> list[_Read]:
    """Return the columns of a time: one of date and hour, or one of each."""
    for name in names:
        found = [read for keys in _formats(columns[name]) if (read := _tried(columns, (name,), keys, decimal)) and read.has_hours]
        if found:
            return found
    for date in [name for name in names if _day_column(columns, [name])]:
        for hour in (name for name in names if name != date and _NAMED.search(name)):
            if found := _date_and_hour(columns, date, hour, decimal) or _date_and_number(columns, date, hour):
                return found
    return []


def _date_and_hour(columns: Columns, date: str, hour: str, decimal: str) -> list[_Read]:
    found = []
    days = [day for day in _DATES if _has_shape(columns[date], day)]
    tails = [tail for tail in _HOURS if _has_shape(columns[hour], tail)]
    for keys in ({"time_format": f"{day} {tail}"} for day in days for tail in tails):
        read = _tried(columns, (date, hour), keys, decimal) or _tried(columns, (date, hour), {**keys, "hour24": True}, decimal)
        if read:
            found.append(read)
    return found


def _date_and_number(columns: Columns, date: str, hour: str) -> list[_Read]:
    """A date, and the hour as a number: 7, or 730 for half past seven."""
    numbers = _numbers(columns[hour], ".")
    if numbers is None or not np.all((numbers >= 0) & (numbers == np.floor(numbers))):
        return []
    part = "hour" if numbers.max() <= 24 else "hhmm"
    for day in (day for day in _DATES if _has_shape(columns[date], day)):
        parts = {"yyyymmdd" if day == "%Y%m%d" else "date": date, part: hour}
        keys: dict[str, Any] = {"time_parts": parts}
        if day not in {"%Y%m%d", "%Y-%m-%d"}:
            keys["time_format"] = day
        if found := _tried_parts(columns, keys):
            return found
    return []


def _by_parts(columns: Columns) -> list[_Read]:
    """Year, month, day … in columns of their own, told by their names."""
    parts: dict[str, str] = {}
    for name in columns:
        part = _PARTS.get(re.sub(r"[^a-z]+", " ", name.lower()).strip())
        if part is not None and part not in parts:
            parts[part] = name
    if "doy" in parts or "yyyymmdd" in parts:
        parts = {part: name for part, name in parts.items() if part not in {"month", "day"}}
    return _tried_parts(columns, {"time_parts": parts})


def _tried_parts(columns: Columns, keys: Mapping[str, Any]) -> list[_Read]:
    for extra in ({}, {"hour24": True}):
        if read := _tried(columns, tuple(keys["time_parts"].values()), {**keys, **extra}, "."):
            return [replace(read, columns=())]
    return []


def _epochs(columns: Columns, names: Sequence[str], decimal: str) -> list[_Read]:
    for name in names:
        numbers = _numbers(columns[name], decimal)
        if numbers is None or not _NAMED.search(name):
            continue
        for unit, (least, most) in _UNITS.items():
            if numbers.min() >= least and numbers.max() <= most:
                return [read] if (read := _tried(columns, (name,), {"time_unit": unit}, decimal)) else []
    return []


def _day_column(columns: Columns, names: Sequence[str]) -> list[_Read]:
    """A column of days alone, or of midnights."""
    for name in names:
        formats = [*({"time_format": day} for day in _DATES if _has_shape(columns[name], day)), *_formats(columns[name])]
        if found := [read for keys in formats if (read := _tried(columns, (name,), keys, "."))]:
            return found
    return []


def _formats(cells: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Keys with which a column of dates and hours may be read, the likely first."""
    yield {}
    yield {"hour24": True}
    first = next((cell for cell in cells if cell), "")
    if first.isdigit():
        packed = [_PACKED[len(first)]] if len(first) in _PACKED else []
    else:
        days = [day for day in _DATES if _shape(day).match(first)]
        packed = [
            f"{day}{between}{hour}{zone}"
            for day, between, hour, zone in product(days, (" ", "T", ", "), _HOURS, ("", " %Z", "%z", " %z"))
        ]
    for time_format in packed:
        if _has_shape(cells, time_format):
            yield {"time_format": time_format}
            if "%H" in time_format:
                yield {"time_format": time_format, "hour24": True}


def _has_shape(cells: Sequence[str], time_format: str) -> bool:
    """Return whether some cells are such a time, by their shape alone."""
    shape = _shape(time_format)
    some = [cell for cell in cells[: _SAMPLE_CELLS * 4] if cell][:_SAMPLE_CELLS]
    return bool(some) and all(shape.fullmatch(cell) for cell in some)


@cache
def _shape(time_format: str) -> re.Pattern[str]:
    pieces = {
        "%Y": r"\d{4}", "%y": r"\d{2}", "%m": r"\d{1,2}", "%d": r"\d{1,2}", "%H": r"\d{1,2}",
        "%I": r"\d{1,2}", "%M": r"\d{1,2}",
        "%S": r"\d{1,2}", "%f": r"\d{1,9}", "%p": r"[AaPp]\.?(?:[Mm]\.?)?", "%b": r"[^\W\d]{3}\.?",
        "%B": r"[^\W\d]{3,}",
        "%Z": r"[A-Z]{2,5}", "%z": r"(?:Z|[+-]\d{2}:?\d{2})",
    }  # fmt: skip
    if time_format == "%Y%m%d":
        return re.compile(r"\d{8}")
    return re.compile("".join(pieces.get(token, re.escape(token)) for token in re.findall(r"%.|.", time_format)))


def _tried(columns: Columns, names: tuple[str, ...], keys: Mapping[str, Any], decimal: str) -> _Read | None:
    try:
        reader = TimeKeys(**keys).reader(decimal)
    except ValueError:
        return None
    if not any(cell and cell[0].isalnum() for cell in columns[names[0]][:_SAMPLE_CELLS]):
        return None
    found = reader.read([pa.array(list(columns[name]), pa.string()) for name in names])
    return _Read(names, keys, found) if found.present.any() and not len(found.unreadable) else None


def _ambiguous(best: _Read, tried: Sequence[_Read]) -> Iterator[str]:
    for other in tried:
        differ = not np.array_equal(other.found.ms, best.found.ms)
        if differ and other.disorder <= best.disorder and other.keys.get("time_format"):
            yield f"day or month first? No day of the rows looked at is beyond 12; else {other.keys['time_format']}"
            return


def _numbers(cells: Sequence[str], decimal: str) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    told = [cell.replace(decimal, ".") for cell in cells if cell]
    try:
        return np.array([float(cell) for cell in told]) if told else None
    except ValueError:
        return None


def _zone_in(name: str) -> str | None:
    found = _ZONE_IN_NAME.search(name)
    if not found:
        return None
    if found.group(2):
        return "UTC"
    return offset_text(zone_offset_ms(zone_of(found.group(1)), 0))
