"""Cold and warm loads against connectorx and pandas, and the memory of the process that loads.

Every measured run is a fresh process, which times itself after its imports: ours times
:func:`jobs.kinds.history.load_history` (the plan, reading, cleaning, writing, publishing), the
others one query of the same columns, WHERE and ORDER.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil

from benchmarks.processor_time import used_s
from config import Settings
from data.request import HistoryRequest
from data.site import open_site
from data.time.epoch import DAY_MS
from data.time.months import month_bounds_ms, month_of
from logs import configure_logs

STATION = "bench"
SENSORS = ("temperature", "humidity", "rainfall")
START_MS = 1_451_606_400_000  # 2016-01-01
_SAMPLE_S = 0.02  # how often a process's memory is looked at
_ROOT = Path(__file__).resolve().parent.parent


def make_station(
    settings: Settings, rows: int, *, step_s: int = 30, sensors: tuple[str, ...] = SENSORS, name: str = STATION
) -> None:
    """Fill a site with a station of ``rows`` rows, one each ``step_s`` seconds, whose values follow
    the course of a day; SQLite only, as fast as it goes.
    """
    from data.database.engine import migrate_observations, sqlite_path

    settings.prepare()
    site = open_site(settings)
    migrate_observations(site.engine, site.catalogue)
    # values lie in the valid range of every sensor that is measured
    generator = np.random.default_rng(2016)
    path = sqlite_path(settings.history_url)
    assert path is not None
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA synchronous = OFF")
        marks = ", ".join("?" * (2 + len(sensors)))
        for begin in range(0, rows, 250_000):
            count = min(250_000, rows - begin)
            times = START_MS + (begin + np.arange(count, dtype=np.int64)) * step_s * 1000
            course = 20 + 8 * np.sin(times / DAY_MS * 2 * np.pi)
            values = [np.round(course + 0.1 * generator.standard_normal(count).clip(-3, 3), 2) for _ in sensors]
            database.execute("BEGIN")
            statement = f"INSERT INTO observation (station, time, {', '.join(sensors)}) VALUES ({marks})"
            columns = [[name] * count, times.tolist(), *(value.tolist() for value in values)]
            database.executemany(statement, zip(*columns, strict=True))
            database.execute("COMMIT")
    with site.engine.begin() as connection:
        for month, first, last, count in _months(rows, step_s):
            site.inventory.record(connection, name, month=month, added=count, first_ms=first, last_ms=last)
        site.inventory.describe(connection, name, sensors=dict.fromkeys(sensors), step_ms=step_s * 1000, synthetic=True)
    site.engine.dispose()


def _months(rows: int, step_s: int) -> list[tuple[int, int, int, int]]:
    """(month, first, last, rows) of a regular series."""
    last = START_MS + (rows - 1) * step_s * 1000
    found = []
    for month in range(month_of(START_MS), month_of(last) + 1):
        begin, end = month_bounds_ms(month)
        low = max(0, -(-(begin - START_MS) // (step_s * 1000)))
        high = min(rows, -(-(end - START_MS) // (step_s * 1000)))
        found.append((month, START_MS + low * step_s * 1000, START_MS + (high - 1) * step_s * 1000, high - low))
    return found


def request_for(rows: int, *, step_s: int = 30, sensors: tuple[str, ...] = SENSORS, name: str = STATION) -> HistoryRequest:
    """The request for all rows that :func:`make_station` made."""
    return HistoryRequest((name,), sensors, START_MS, START_MS + rows * step_s * 1000)


def load_against_others(settings: Settings, request: HistoryRequest, *, repeat: int = 3, pandas: bool = True) -> dict[str, Any]:
    """Median seconds of a cold and a warm load, of connectorx and of pandas, and their ratios;
    runs take turns.
    """
    cold, warm, rival, memory = [], [], [], []
    for _ in range(repeat):
        shutil.rmtree(settings.tiles_path, ignore_errors=True)
        first, peak = in_fresh_process("load", settings, request)
        again, _ = in_fresh_process("load", settings, request)
        other, _ = in_fresh_process("connectorx", settings, request)
        cold.append(first["seconds"])
        warm.append(again["seconds"])
        rival.append(other["seconds"])
        memory.append(peak)
    result: dict[str, Any] = {
        "rows": first["rows"],
        "tiles": first["tiles_read"],
        "cold_s": median(cold),
        "connectorx_s": median(rival),
        "cold_to_connectorx": median(cold) / median(rival),
        "warm_s": median(warm),
        "warm_to_cold": median(warm) / median(cold),
        "private_memory_mb": max(memory),
    }
    if pandas:
        result["pandas_s"] = in_fresh_process("pandas", settings, request)[0]["seconds"]
        result["pandas_to_cold"] = result["pandas_s"] / result["cold_s"]
    return result


def memory_of_load(settings: Settings, request: HistoryRequest) -> dict[str, Any]:
    """Greatest memory (MB) of a process that loads a request cold, without mapped files."""
    shutil.rmtree(settings.tiles_path, ignore_errors=True)
    loaded, peak = in_fresh_process("load", settings, request)
    return {"rows": loaded["rows"], "seconds": loaded["seconds"], "private_memory_mb": peak}


def in_fresh_process(what: str, settings: Settings, request: HistoryRequest) -> tuple[dict[str, Any], float]:
    """What the process printed, and its greatest memory without mapped files in MB (10^6 bytes)."""
    command = [sys.executable, "-m", "benchmarks.load_cold", what, str(settings.data_dir.resolve()), request.to_json()]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:
        watched, peak = psutil.Process(process.pid), 0
        while process.poll() is None:
            try:
                memory = watched.memory_info()
                peak = max(peak, memory.rss - memory.shared)  # a tile that is mapped is the system's to take back
            except psutil.Error:
                break
            time.sleep(_SAMPLE_S)
        assert process.stdout is not None
        printed = process.stdout.read()
        if process.wait():
            raise RuntimeError(f"{what} failed")
    return json.loads(printed), round(peak / 1e6, 1)


def _load(settings: Settings, request: HistoryRequest) -> Callable[[], dict[str, Any]]:
    from jobs.kinds.history import load_history

    return lambda: load_history(open_site(settings), request, lambda _: None)


def _query(request: HistoryRequest) -> str:
    station = request.stations[0].replace("'", "''")
    return (
        f"SELECT time, {', '.join(request.sensors)} FROM observation WHERE station = '{station}'"
        f" AND time >= {request.start_ms} AND time < {request.end_ms} ORDER BY time"
    )


def _connectorx(settings: Settings, request: HistoryRequest) -> Callable[[], dict[str, Any]]:
    import connectorx
    import pyarrow as pa

    assert pa.cpu_count()  # imported before the clock starts

    return lambda: {"rows": connectorx.read_sql(settings.history_url, _query(request), return_type="arrow").num_rows}


def _pandas(settings: Settings, request: HistoryRequest) -> Callable[[], dict[str, Any]]:
    import pandas as pd
    from sqlalchemy import create_engine

    engine = create_engine(settings.history_url)
    return lambda: {"rows": len(pd.read_sql(_query(request), engine))}


def _run(what: str, data_dir: str, request_json: str) -> None:
    # to standard error: what is measured is the last word on standard output
    configure_logs("warning")
    settings = Settings(data_dir=Path(data_dir))
    request = HistoryRequest.from_json(request_json)
    run = {"load": _load, "connectorx": _connectorx, "pandas": _pandas}[what](settings, request)
    began, used = time.perf_counter(), used_s()
    result = run()
    print(json.dumps({**result, "seconds": time.perf_counter() - began, "processor_s": used_s() - used}))


if __name__ == "__main__":
    _run(*sys.argv[1:])
