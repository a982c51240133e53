"""How cells of files and tables become times: the keys that say so,
and the one reader that does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from data.arrays import Bools, Floats, Integers
from data.cells.iso_times import alike_iso_times, iso_times, times_one_by_one, whole_ms
from data.cells.time_format import ISO, Format, check_format
from data.cells.time_parts import Part, check_parts, from_parts
from data.cells.values import ValueReader, mask, trimmed
from data.time.epoch import DAY_MS
from data.time.zones import offset_text, zone_of, zone_offset_ms

TimeUnit = Literal["s", "ms", "us", "ns", "excel_day"]

_PER_MS = {"s": 0.001, "ms": 1.0, "us": 1000.0, "ns": 1_000_000.0}
_EXCEL_EPOCH_DAYS = 25_569  # 1970-01-01 is day 25569 of the spreadsheet's calendar
_EXCEL_FIRST_DAY = 61  # before 1900-03-01 that calendar has a day that never was
_MISSING = np.iinfo(np.int64).min


class TimeKeys(BaseModel):
    """Keys on how the columns of the time are written;
    which columns they are is said by the profile or mapping.

    ``zones``: offsets of the words that %Z finds, such as ``{ EST = "-05:00" }``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    time_format: str | None = None
    time_unit: TimeUnit | None = None
    time_parts: dict[Part, str] | None = None
    hour24: bool = False
    zones: dict[str, str] = {}

    @field_validator("time_format")
    @classmethod
    def _unambiguous(cls, time_format: str | None) -> str | None:
        if time_format is not None:
            check_format(time_format)
        return time_format

    @field_validator("zones")
    @classmethod
    def _fixed(cls, zones: dict[str, str]) -> dict[str, str]:
        for word, name in zones.items():
            if not isinstance(zone_of(name), timezone):
                raise ValueError(f"{word}: expected an offset such as -05:00, not {name!r}")
        return zones

    @model_validator(mode="after")
    def _make_sense(self) -> TimeKeys:
        if self.time_unit is not None and (self.time_format is not None or self.time_parts is not None or self.hour24):
            raise ValueError("time_unit is of times that are numbers; leave out time_format, time_parts and hour24")
        if self.time_parts is not None:
            check_parts(self.time_parts)
            if self.time_format is not None and "date" not in self.time_parts:
                raise ValueError("time_format beside time_parts is that of the part date, which is lacking")
        elif self.hour24 and self.time_format not in {None, ISO} and "%H" not in str(self.time_format):
            raise ValueError("hour24 = true needs %H in time_format")
        if self.zones and "%Z" not in (self.time_format or ""):
            raise ValueError("zones says what the words at %Z mean; expected %Z in time_format")
        return self

    def reader(self, decimal: str = ".") -> TimeReader:
        """What these keys say, as a reader; ``decimal`` is of times that are numbers."""
        zones = tuple((word, offset_text(zone_offset_ms(zone_of(name), 0))) for word, name in self.zones.items())
        parts = None if self.time_parts is None else tuple(self.time_parts)
        return TimeReader(self.time_format or ISO, self.time_unit, parts, self.hour24, zones, decimal)


@dataclass(frozen=True)
class ReadTimes:
    """``ms``: int64, on the wall clock, or UTC where ``utc`` (bool) says so; ``present``: which
    rows have a time at all; ``unreadable``: positions (int64, sorted) of rows whose cells are no
    such time, which are not present either.
    """

    ms: Integers
    utc: Bools
    present: Bools
    unreadable: Integers


@dataclass(frozen=True)
class TimeReader:
    """Makes times of one or several columns; equal readers read alike.

    ``parts`` names what each column holds; without it several columns are
    texts to be joined by a space.
    """

    time_format: str = ISO
    time_unit: TimeUnit | None = None
    parts: tuple[Part, ...] | None = None
    hour24: bool = False
    zones: tuple[tuple[str, str], ...] = ()
    decimal: str = "."

    def read(self, columns: Sequence[pa.Array]) -> ReadTimes:
        """Times of Arrow columns of any type, rounded down to ms. Never raises for a cell."""
        if self.parts is not None:
            return self._of_parts(columns)
        if len(columns) == 1 and (pa.types.is_timestamp(columns[0].type) or pa.types.is_date(columns[0].type)):
            utc = pa.types.is_timestamp(columns[0].type) and columns[0].type.tz is not None
            ms = whole_ms(pc.cast(columns[0], pa.timestamp("ms", columns[0].type.tz if utc else None), safe=False))
            return ReadTimes(ms, np.full(len(ms), utc), mask(pc.is_valid(columns[0])), np.empty(0, np.int64))
        if self.time_unit is not None:
            return self._of_numbers(columns[0])
        alike = alike_iso_times(columns[0]) if self._is_plain_iso and len(columns) == 1 else None
        if alike is not None:
            return ReadTimes(*alike, np.empty(0, np.int64))
        return self._of_texts(joined(columns))

    @property
    def _is_plain_iso(self) -> bool:
        return self.time_format == ISO and not self.hour24

    @property
    def expected(self) -> str:
        """What the cells should hold, for messages."""
        if self.parts is not None:
            return f"a time in the parts {', '.join(self.parts)}"
        if self.time_unit == "excel_day":
            return "a number of days as a spreadsheet counts them, such as 45413.25"
        if self.time_unit is not None:
            return f"a number of {self.time_unit} since 1970"
        if self.time_format == ISO:
            return "a time such as 2019-03-31 14:30:00"
        hint = " of its full width; digits that lack zeros, such as 30 for 00:30, need time_parts" if self._format.packed else ""
        zones = (
            ' with UTC, GMT or a word that zones gives, such as zones = { EST = "-05:00" }' if "%Z" in self.time_format else ""
        )
        return f"a time like {self.time_format}{hint}{zones}"

    def explain(self, text: str) -> str:
        """What cells should hold in place of these, for messages."""
        if self.time_unit is None and not self.hour24 and "24" in text.replace("2024", ""):
            return f"{self.expected}; where hour 24 ends a day, write hour24 = true"
        return self.expected

    def _of_parts(self, columns: Sequence[pa.Array]) -> ReadTimes:
        parts = dict(zip(self.parts or (), columns, strict=True))
        date = parts.pop("date", None)
        of_date = None
        if date is not None:
            of_date = TimeReader(self.time_format).read([date])
        blank = np.logical_and.reduce([mask(pc.equal(trimmed(column), "")) for column in columns])
        ms, good = from_parts(parts, None if of_date is None else of_date.ms, hour24=self.hour24)
        if of_date is not None:
            good &= of_date.present & ~of_date.utc
        return ReadTimes(np.where(good, ms, 0), np.zeros(len(ms), np.bool_), good, np.flatnonzero(~good & ~blank))

    def _of_numbers(self, column: pa.Array) -> ReadTimes:
        if self.time_unit == "excel_day":
            found = ValueReader(decimal=self.decimal).read(column)
            early = found.values < _EXCEL_FIRST_DAY
            # days of five decimals tell seconds, and no more
            seconds = np.round((found.values - _EXCEL_EPOCH_DAYS) * (DAY_MS // 1000))
            seconds[early] = np.nan
            return _of_floats(seconds * 1000, np.union1d(found.unreadable, np.flatnonzero(early)), utc=False)
        per_ms = _PER_MS[str(self.time_unit)]
        whole = _whole_numbers(column)
        if whole is not None:
            present = mask(pc.is_valid(whole))
            number = np.asarray(pc.fill_null(whole, 0).to_numpy(zero_copy_only=False), np.int64)
            if per_ms < 1:
                return _of_floats(np.where(present, number * 1000.0, np.nan), np.empty(0, np.int64), utc=True)
            return ReadTimes(number // int(per_ms), np.ones(len(number), np.bool_), present, np.empty(0, np.int64))
        found = ValueReader(decimal=self.decimal).read(column)
        return _of_floats(found.values / per_ms, found.unreadable, utc=True)

    def _of_texts(self, cells: pa.Array) -> ReadTimes:
        empty = mask(pc.equal(cells, ""))
        filled = pc.if_else(pc.equal(cells, ""), pa.scalar(None, pa.string()), cells)
        if self._is_plain_iso:
            prepared, at_24 = filled, None
        else:
            prepared, at_24 = self._format.prepare(filled)
        ms, utc, good = iso_times(prepared) if self.time_format == ISO else self._formatted(prepared)
        if at_24 is not None:
            ms = ms + np.where(mask(pc.fill_null(at_24, False)), DAY_MS, 0)
        return ReadTimes(np.where(good, ms, 0), utc, good, np.flatnonzero(~good & ~empty))

    def _formatted(self, cells: pa.Array) -> tuple[Integers, Bools, Bools]:
        strptime = self._format.strptime
        if "%z" in strptime:
            return times_one_by_one(cells.to_pylist(), lambda text: datetime.strptime(text, strptime))  # noqa: DTZ007 - it has %z
        import pandas as pd  # half of a program's start, for formats alone

        parsed = pd.to_datetime(pd.Series(cells.to_pylist(), dtype="str"), format=strptime, errors="coerce")
        ms = parsed.to_numpy().astype("datetime64[ms]").astype(np.int64)
        good = ms != _MISSING
        days = self._format.days_of_year(cells)
        if days is not None:  # strptime makes day 366 of a common year the next new year's day
            new_year = ms.astype("datetime64[ms]").astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)
            good &= np.where(good, ms // DAY_MS - new_year + 1, 0) == days
        return ms, np.zeros(len(ms), np.bool_), good

    @cached_property
    def _format(self) -> Format:
        return Format(self.time_format, hour24=self.hour24, zones=dict(self.zones))


def joined(columns: Sequence[pa.Array]) -> pa.Array:
    """Columns of a time as trimmed texts, joined by a space."""
    if len(columns) == 1:
        return trimmed(columns[0])
    return pc.utf8_trim_whitespace(pc.binary_join_element_wise(*(trimmed(column) for column in columns), " "))


def _whole_numbers(column: pa.Array) -> pa.Array | None:
    """Integers, exactly (null where missing); None where a cell is none:
    a double holds no nanoseconds since 1970.
    """
    if pa.types.is_string(column.type):
        column = pc.utf8_trim_whitespace(column)
        # Arrow would read 0x1F
        if pc.any(pc.match_substring(column, "x", ignore_case=True)).as_py():
            return None
        column = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
    elif not pa.types.is_integer(column.type):
        return None
    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid:
        return None


def _of_floats(ms: Floats, unreadable: Integers, *, utc: bool) -> ReadTimes:
    good = np.isfinite(ms)
    beyond = good & (np.abs(ms) > 2.0**62)
    good &= ~beyond
    # A double of seconds holds milliseconds only nearly.
    whole = np.floor(np.where(good, ms, 0) + 0.001).astype(np.int64)
    wrong = np.union1d(unreadable, np.flatnonzero(beyond | np.isinf(ms)))
    return ReadTimes(whole, np.full(len(ms), utc), good, wrong)
