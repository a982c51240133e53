"""What trying a mapping finds in its table, as records."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CheckedSensor:
    """A sensor in the month that was read: values, NULLs, what is no number, out of range,
    called bad; least and greatest.
    """

    sensor: str
    place: str
    type: str
    values: int
    nulls: int
    bad: int
    flagged: int
    least: float | None
    greatest: float | None


@dataclass(frozen=True)
class MappingReport:
    """What a mapping finds in its table.

    ``warnings`` say what to do; ``sample`` holds (shown time, UTC) of the newest rows;
    ``explain`` tells how the database reads a month.
    """

    table: str
    source: str
    time: str
    time_type: str
    stations: tuple[tuple[str, str, str], ...]
    step_seconds: float | None
    null_times: int
    unreadable_times: int
    null_stations: int
    freshness: str
    month_rows: int
    duplicates: int
    seconds: float
    rows_per_second: int
    fast_path: bool
    sensors: tuple[CheckedSensor, ...]
    sample: tuple[tuple[str, str], ...]
    explain: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class LeftOut:
    """Rows that belong to no month, and rows that belong to no station."""

    null_times: int
    unreadable_times: int
    misplaced: int
    null_stations: int
