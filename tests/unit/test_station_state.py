"""A station is late or silent against its own usual step."""

from __future__ import annotations

import pytest

from data.inventory_records import StationInventory
from data.outlying import AHEAD_MS, Outlying
from data.station_state import by_trouble, punctuality, state_of
from data.time.epoch import DAY_MS, HOUR_MS, MINUTE_MS

NOW = 1_700_000_000_000


def _station(name: str, age_ms: int | None, step_ms: int | None = MINUTE_MS) -> StationInventory:
    last = None if age_ms is None else NOW - age_ms
    return StationInventory(name, (), None if last is None else 0, last, 1, step_ms, synthetic=False)


@pytest.mark.parametrize(
    ("age_ms", "step_ms", "state"),
    [
        (3 * MINUTE_MS, MINUTE_MS, "on time"),  # 2 steps and a minute
        (3 * MINUTE_MS + 1, MINUTE_MS, "late"),
        (HOUR_MS, MINUTE_MS, "late"),  # 10 steps are less than an hour
        (HOUR_MS + 1, MINUTE_MS, "silent"),
        (10 * HOUR_MS, HOUR_MS, "late"),
        (10 * HOUR_MS + 1, HOUR_MS, "silent"),
        (DAY_MS, None, "on time"),
        (DAY_MS + 1, None, "silent"),
    ],
)
def test_a_station_is_held_against_its_own_step(age_ms: int, step_ms: int | None, state: str) -> None:
    assert state_of(age_ms, step_ms) == state


def test_the_most_troubled_come_first_and_of_a_state_the_longest_away() -> None:
    ages = {"fine": 0, "late": 5 * MINUTE_MS, "later": 9 * MINUTE_MS, "gone": DAY_MS, "empty": None}
    found = by_trouble((_station(name, age) for name, age in ages.items()), NOW)
    assert [(each.station.name, each.state) for each in found] == [
        ("gone", "silent"),
        ("later", "late"),
        ("late", "late"),
        ("fine", "on time"),
        ("empty", "no data"),
    ]


def test_a_reading_from_the_future_does_not_hide_that_a_station_is_silent() -> None:
    ahead = NOW + AHEAD_MS + 1
    outlying = Outlying(rows=1, spans=((ahead, ahead),), usual=(0, NOW - DAY_MS))
    station = StationInventory("A", (), 0, ahead, 2, MINUTE_MS, synthetic=False, outlying=outlying)
    assert punctuality(station, NOW)[1:] == (NOW - DAY_MS, DAY_MS, "silent")
