"""Whether stations report as they usually do: on time, late, silent, or without data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

from data.inventory_records import StationInventory
from data.outlying import AHEAD_MS
from data.time.epoch import DAY_MS, HOUR_MS, MINUTE_MS

StationState = Literal["silent", "late", "on time", "no data"]

_BY_TROUBLE: Final[tuple[StationState, ...]] = ("silent", "late", "on time", "no data")
_LATE_STEPS: Final = 2
_SILENT_STEPS: Final = 10


class Punctuality(NamedTuple):
    """A station's last reading (ms UTC), its age (ms, 0 or more), and what that says of it."""

    station: StationInventory
    last_ms: int | None
    age_ms: int | None
    state: StationState


def punctuality(station: StationInventory, now_ms: int) -> Punctuality:
    """Hold a station's last reading against its own usual step; one from the future does not
    count where others do.
    """
    last_ms = station.last_ms
    if last_ms is not None and last_ms > now_ms + AHEAD_MS and station.usual is not None:
        last_ms = station.usual[1]
    if last_ms is None:
        return Punctuality(station, None, None, "no data")
    age_ms = max(0, now_ms - last_ms)
    return Punctuality(station, last_ms, age_ms, state_of(age_ms, station.step_ms))


def state_of(age_ms: int, step_ms: int | None) -> StationState:
    """Return the state for the age of a last reading (ms) and a usual step (ms): late after two
    steps and a minute, silent after ten steps and at least an hour; where the step is not known,
    silent after a day.
    """
    if step_ms is None:
        return "silent" if age_ms > DAY_MS else "on time"
    if age_ms > max(_SILENT_STEPS * step_ms, HOUR_MS):
        return "silent"
    return "late" if age_ms > _LATE_STEPS * step_ms + MINUTE_MS else "on time"


def by_trouble(stations: Iterable[StationInventory], now_ms: int) -> list[Punctuality]:
    """Return stations, the most troubled first: by state, then the longest without a reading,
    then by name.
    """
    found = [punctuality(station, now_ms) for station in stations]
    return sorted(found, key=lambda each: (_BY_TROUBLE.index(each.state), -(each.age_ms or 0), each.station.name))
