"""Synthetic stations, marked as such: coherent weather with the faults of real ones:
gaps, spikes, stuck sensors.

The value of a station at a time depends on nothing but the station and that time:
made again, it is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Engine

from data.arrays import Floats, Integers
from data.batches import batch_records
from data.catalogue import Catalogue
from data.demo.weather import Climate, uniform, weather
from data.ingest.writer import ObservationWriter
from data.inventory import OWN_SOURCE
from data.sensor_spans import spans_of
from data.time.epoch import DAY_MS, HOUR_MS, MINUTE_MS
from data.time.months import month_bounds_ms, months_between
from errors import InvalidRequest

DEFAULT_STATIONS, DEFAULT_YEARS, DEFAULT_STEP_S = 1, 3.0, 60
DAYS_A_YEAR = 365.25
SENSORS = (
    "temperature", "humidity", "pressure", "rainfall", "wind_speed", "wind_direction", "solar_radiation", "par_sensor"
)  # fmt: skip

_ROWS_AT_ONCE = 50_000
_LOST_ROWS = 0.0004  # share of single rows that never arrived
_SPIKES = 4e-6  # share of values; each is far out of its valid range
_SPIKE_VALUES = {"temperature": 85.0, "humidity": -9999.0, "pressure": 0.0, "wind_speed": 120.0}
_STUCK_SENSORS = ("temperature", "humidity", "wind_direction", "pressure")


@dataclass(frozen=True)
class Demo:
    """Which stations to make: [start, end) in int ms UTC, both whole steps."""

    stations: int
    start_ms: int
    end_ms: int
    step_ms: int

    @property
    def rows(self) -> int:
        """Rows before the gaps."""
        return self.stations * ((self.end_ms - self.start_ms) // self.step_ms)


@dataclass(frozen=True)
class DemoReport:
    """What was made."""

    stations: tuple[str, ...]
    stored: int
    replaced: int


def plan_demo(
    *,
    now_ms: int,
    stations: int = DEFAULT_STATIONS,
    years: float = DEFAULT_YEARS,
    step_s: int = DEFAULT_STEP_S,
) -> Demo:
    """A demo that ends with the last whole UTC day before ``now_ms``.

    Raises:
        InvalidRequest: when a number makes no sense.
    """
    if stations < 1:
        raise InvalidRequest("--stations must be at least 1.", field="stations")
    if not 0 < years <= 500:
        raise InvalidRequest("--years must be above 0 and at most 500.", field="years")
    if not 1 <= step_s <= DAY_MS // 1000:
        raise InvalidRequest("--step must be 1 to 86400 seconds.", field="step")
    step_ms = step_s * 1000
    end_ms = now_ms // DAY_MS * DAY_MS // step_ms * step_ms
    steps = max(1, round(years * DAYS_A_YEAR * DAY_MS / step_ms))
    return Demo(stations, end_ms - steps * step_ms, end_ms, step_ms)


def make_demo(engine: Engine, catalogue: Catalogue, demo: Demo, report: Callable[[int], None] = lambda _: None) -> DemoReport:
    """Make and store the stations, month by month;
    ``report`` gets the number of rows done (of ``demo.rows``).
    """
    sensors = [name for name in SENSORS if name in catalogue]
    journal = batch_records.begin(engine, "demo", {"stations": demo.stations})
    writer = ObservationWriter(engine, catalogue, sensors, journal=journal)
    names = tuple(f"demo-{number}" for number in range(1, demo.stations + 1))
    stored = replaced = done = 0
    for number, name in enumerate(names, 1):
        for times in _pieces(demo):
            kept, columns = _observations(_climate(number), times, demo.step_ms)
            done += len(times)
            if len(kept):
                values = np.column_stack([columns[sensor] for sensor in sensors])
                with writer.engine.begin() as connection:
                    journal.note_station(connection, OWN_SOURCE, name, demo.step_ms)
                    writer.inventory.describe(
                        connection, name, sensors=spans_of(sensors, kept, values), step_ms=demo.step_ms, synthetic=True
                    )
                    written = writer.write(connection, name, kept, values)
                    journal.totals.stored += written.stored
                    journal.totals.replaced += written.replaced
                    journal.flush(connection)
                stored, replaced = stored + written.stored, replaced + written.replaced
            report(done)
    batch_records.finish(engine, journal)
    return DemoReport(names, stored, replaced)


def _climate(number: int) -> Climate:
    spread = uniform(number, 1, np.arange(3))
    return Climate(
        seed=1000 + number,
        latitude=round(-6.2 - 0.6 * float(spread[0]), 4),
        longitude=round(106.8 + 0.8 * float(spread[1]), 4),
        elevation_m=round(5 + 40 * float(spread[2]), 0),
    )


def _pieces(demo: Demo) -> Iterator[Integers]:
    """Yield all times, in pieces that cross no UTC month and fit into memory."""
    for month in months_between(demo.start_ms, demo.end_ms):
        first, last = month_bounds_ms(month)
        start = max(demo.start_ms, -(-first // demo.step_ms) * demo.step_ms)
        times = np.arange(start, min(demo.end_ms, last), demo.step_ms, dtype=np.int64)
        for at in range(0, len(times), _ROWS_AT_ONCE):
            yield times[at : at + _ROWS_AT_ONCE]


def _observations(climate: Climate, times: Integers, step_ms: int) -> tuple[Integers, dict[str, Floats]]:
    """The times that arrived, and what the sensors said."""
    columns = weather(climate, times, step_ms)
    for sensor, start, end in _stuck(climate, times):
        where = (times >= start) & (times < end)
        columns[sensor][where] = weather(climate, np.array([start]), step_ms)[sensor][0]
    for stream, (sensor, value) in enumerate(_SPIKE_VALUES.items(), 200):
        columns[sensor][uniform(climate.seed, stream, times) < _SPIKES] = value
    arrived = uniform(climate.seed, 100, times) >= _LOST_ROWS
    # Outages: about six a year, ten minutes to ten hours long.
    for _, start, end in _incidents(climate, times, 110, 1 / 60, 10 * MINUTE_MS, 10 * HOUR_MS):
        arrived &= (times < start) | (times >= end)
    return times[arrived], {name: values[arrived] for name, values in columns.items()}


def _stuck(climate: Climate, times: Integers) -> Iterator[tuple[str, int, int]]:
    """About four a year: one sensor repeats its value for three to twenty hours."""
    for choice, start, end in _incidents(climate, times, 120, 1 / 90, 3 * HOUR_MS, 20 * HOUR_MS):
        yield _STUCK_SENSORS[int(choice * len(_STUCK_SENSORS))], start, end


def _incidents(
    climate: Climate, times: Integers, stream: int, a_day: float, shortest_ms: int, longest_ms: int
) -> Iterator[tuple[float, int, int]]:
    """Incidents that touch the times: a choice in [0, 1), start and end.
    Short ones are more frequent than long ones.
    """
    days = np.arange(int(times[0]) // DAY_MS - 1, int(times[-1]) // DAY_MS + 1)
    happens = days[uniform(climate.seed, stream, days) < a_day]
    begin, length, choice = (uniform(climate.seed, stream + number, happens) for number in (1, 2, 3))
    starts = happens * DAY_MS + (begin * DAY_MS).astype(np.int64)
    lengths = (shortest_ms * (longest_ms / shortest_ms) ** length).astype(np.int64)
    yield from zip(choice.tolist(), starts.tolist(), (starts + lengths).tolist(), strict=True)
