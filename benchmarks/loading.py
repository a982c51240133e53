"""Loading, as a table of targets: cold against connectorx and pandas, the same again,
and the memory of the loading process.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.load_cold import load_against_others, make_station, memory_of_load, request_for
from benchmarks.measurement import Measurement
from config import Settings

ROWS, ROWS_QUICK = 10_000_000, 200_000
ROWS_LONG, ROWS_LONG_QUICK = 100_000_000, 1_000_000
LONG_STEP_S = 10  # 100 million rows in about 32 years


def measure(*, quick: bool = False) -> Iterator[Measurement]:
    """Make SQLite databases in a temporary folder, load them, and compare."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _against_others(Settings(data_dir=Path(folder)), ROWS_QUICK if quick else ROWS)
    with tempfile.TemporaryDirectory() as folder:
        yield _memory(Settings(data_dir=Path(folder)), ROWS_LONG_QUICK if quick else ROWS_LONG)


def _against_others(settings: Settings, rows: int) -> Iterator[Measurement]:
    make_station(settings, rows)
    found = load_against_others(settings, request_for(rows))
    size = f"{rows / 1e6:g} M rows × 3 sensors, {found['tiles']} tiles"
    yield Measurement(
        "cold load against connectorx",
        found["cold_to_connectorx"],
        "×",
        1.5,
        note=f"{size}: {found['cold_s']:.2f} s against {found['connectorx_s']:.2f} s",
    )
    yield Measurement(
        "cold load against pandas.read_sql",
        found["pandas_to_cold"],
        "× faster",
        4,
        better="more",
        note=f"{found['pandas_s']:.2f} s with pandas",
    )
    again = f"{found['warm_s'] * 1000:.0f} ms"
    yield Measurement("the same request again, of the cold load", found["warm_to_cold"] * 100, "%", 5, note=again)


def _memory(settings: Settings, rows: int) -> Measurement:
    sensors = ("temperature",)
    make_station(settings, rows, step_s=LONG_STEP_S, sensors=sensors)
    found = memory_of_load(settings, request_for(rows, step_s=LONG_STEP_S, sensors=sensors))
    note = f"{rows / 1e6:g} M rows × 1 sensor in {found['seconds']:.1f} s"
    return Measurement("private memory of the loading process", found["private_memory_mb"], "MB", 300, note=note)
