"""Put faults into weather that nobody has measured, and tell which of them the rules find, and what
they find where there is none: ``python -m tests.invented_faults [SEED …]``.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import structlog

from analysis.quality.review import QualityEvent
from analysis.question import ask
from analysis.registry import find
from config import Settings
from data.arrays import Floats, Integers
from data.request import HistoryRequest
from data.site import Site, open_site
from data.station_metadata import StationMetadata
from jobs.kinds.history import load_history
from tests.databases import write_migrated
from tests.derived import store
from tests.invented_weather import CLIMATES, DAY, HOUR, SENSORS, Climate, Series, times_of, weather

_APART_DAYS = 3  # a fault each
_STATIONS = 4  # of each climate, half of them without any fault

Change = Callable[[Floats, np.random.Generator], Floats]


@dataclass(frozen=True)
class Fault:
    """What goes wrong with a sensor (all where it is empty), for how many hours (0: one reading),
    and what becomes of its readings.
    """

    name: str
    sensor: str
    hours: tuple[float, float]
    change: Change


@dataclass(frozen=True)
class Placed:
    """A fault in some readings, from the first to the last stamp (ms UTC)."""

    fault: Fault
    start_ms: int
    end_ms: int


def _sign(random: np.random.Generator) -> float:
    return float(random.choice([-1, 1]))


def _same(values: Floats, _random: np.random.Generator) -> Floats:
    return np.full(len(values), values[0])


FAULTS = (
    Fault("stands still", "temperature", (8, 20), _same),
    Fault("stands still", "pressure", (12, 24), _same),
    Fault("stands still", "humidity", (12, 24), lambda values, _: np.full(len(values), 57.0)),
    Fault("stands still", "wind_direction", (20, 36), lambda values, _: np.full(len(values), 213.0)),
    Fault("stands still", "wind_speed", (12, 24), lambda values, _: np.full(len(values), 4.3)),
    Fault("saturated", "humidity", (90, 130), lambda values, _: np.full(len(values), 100.0)),
    Fault("spike", "temperature", (0, 0), lambda values, random: values + _sign(random) * random.uniform(10, 18)),
    Fault("spike", "pressure", (0, 0), lambda values, random: values - random.uniform(9, 15)),
    Fault("spike", "humidity", (0, 0), lambda values, _: np.where(values > 50, values - 48, values + 48)),
    Fault("spike", "wind_speed", (0, 0), lambda values, random: values + random.uniform(40, 60)),
    Fault("step", "temperature", (20, 20), lambda values, random: values + _sign(random) * random.uniform(9, 14)),
    Fault("other unit", "temperature", (24, 24), lambda values, _: np.round(values * 1.8 + 32, 1)),
    Fault("other unit", "pressure", (24, 24), lambda values, _: np.round(values * 0.7501, 1)),
    Fault("light at night", "solar_radiation", (24, 24), lambda values, _: np.maximum(values, 0) + 60),
    Fault("total that begins again", "rainfall", (0, 0), lambda values, random: values + random.uniform(160, 400)),
    Fault("total in place of amounts", "rainfall", (30, 30), lambda values, _: 40 + np.cumsum(values)),
    Fault("silent", "temperature", (9, 9), lambda values, _: np.full(len(values), np.nan)),
    Fault("gap", "", (5, 5), lambda values, _: np.full(len(values), np.nan)),
    Fault("clock an hour late", "", (26, 26), lambda values, _: values),
)


def with_faults(times: Integers, clean: Series, random: np.random.Generator) -> tuple[Integers, Series, list[Placed]]:
    """Return readings with each fault once, in days of its own."""
    step_ms, values, stamps, made = (
        int(times[1] - times[0]),
        {name: each.copy() for name, each in clean.items()},
        times.copy(),
        [],
    )
    for slot, at in enumerate(random.permutation(len(FAULTS)).tolist()):
        fault, first = FAULTS[at], slot * _APART_DAYS * DAY // step_ms + int(random.integers(DAY // step_ms // 3, DAY // step_ms))
        stop = first + max(1, round(random.uniform(*fault.hours) * HOUR / step_ms))
        if stop > len(times):
            break
        for name in (fault.sensor,) if fault.sensor else SENSORS:
            values[name][first:stop] = fault.change(values[name][first:stop], random)
        if fault.name.startswith("clock"):
            stamps[first:stop] += HOUR
        made.append(Placed(fault, int(times[first]), int(times[stop - 1])))
    order = np.argsort(stamps, kind="stable")
    last = order[np.append(np.diff(stamps[order]) > 0, True)]  # of doubled stamps, as an import keeps them
    return stamps[last], {name: each[last] for name, each in values.items()}, made


def events(site: Site, station: str, climate: Climate) -> list[QualityEvent]:
    """Return what the rules find in a station, asked by itself."""
    times = times_of(climate)
    request = HistoryRequest((station,), SENSORS, int(times[0]), int(times[-1]) + 2 * HOUR)
    load_history(site, request, lambda _: None)
    quality = find("quality")
    answer = quality.answer(ask(quality.site(site), request, (request.start_ms, request.end_ms)), quality.options({}))
    return [event for subject in answer.subjects for event in subject.result.events]


def is_found(event: QualityEvent, placed: Placed, step_ms: int) -> bool:
    """Return whether an event is of a fault: of its sensor, or station, and at its time."""
    room_ms = 2 * (HOUR if placed.fault.name.startswith("clock") else step_ms)
    meets = event.from_ <= placed.end_ms + room_ms and event.to_ >= placed.start_ms - room_ms
    return meets and (not placed.fault.sensor or placed.fault.sensor in (event.sensor, event.other) or not event.sensor)


def tried(seed: int, folder: Path) -> Iterator[tuple[Climate, list[tuple[Placed, bool]], list[QualityEvent]]]:
    """Yield of each station climate, faults and whether each is found, and other events."""
    site = open_site(Settings(data_dir=folder / "var", _env_file=None))
    site.settings.prepare()
    write_migrated(site.settings.history_url)
    for climate in CLIMATES:
        for number in range(_STATIONS):
            random, station = np.random.default_rng([seed, number, climate.step_ms]), f"{climate.name} {number}"
            times, values, made = times_of(climate), weather(climate, random), list[Placed]()
            if number % 2:
                times, values, made = with_faults(times, values, random)
            store(site, times, values, station=station)
            places: Mapping[str, StationMetadata] = {
                station: StationMetadata(latitude=climate.position[0], longitude=climate.position[1])
            }
            found = events(replace(site, catalogue=replace(site.catalogue, stations=places)), station, climate)
            of_faults = [(one, any(is_found(event, one, climate.step_ms) for event in found)) for one in made]
            others = [event for event in found if not any(is_found(event, one, climate.step_ms) for one in made)]
            yield climate, of_faults, others
    site.engine.dispose()


def main(seeds: list[int]) -> None:
    """Print a table of faults, and one of other events."""
    all_of, found, false, days = Counter[str](), Counter[str](), Counter[str](), 0
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            for climate, of_faults, others in tried(seed, Path(folder)):
                days += climate.days
                all_of.update(f"{one.fault.name}: {one.fault.sensor or 'station'}" for one, _ in of_faults)
                found.update(f"{one.fault.name}: {one.fault.sensor or 'station'}" for one, is_there in of_faults if is_there)
                false.update(f"{climate.name}: {event.rule} of {event.sensor or 'station'}" for event in others)
    for name in sorted(all_of):
        print(f"{name:45} {found[name]:4} of {all_of[name]:4}")
    print(f"{'all':45} {found.total():4} of {all_of.total():4}")
    print(f"other events {false.total()}, in {days / 30.4:.0f} station-months: {dict(false)}")


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    main([int(each) for each in sys.argv[1:]] or [1])
