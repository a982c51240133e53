"""The older dashboard's table on PostgreSQL and MariaDB:
cold loads through a mapping, and hourly means against its own query.

Every measured run is a fresh process, which times itself after its imports, and all take turns. The
rivals ask for the same columns, WHERE and ORDER BY, a query a station.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks import scada
from benchmarks.measurement import Measurement
from benchmarks.scada import START_MS, STATIONS, TABLE, ZONE
from config import Settings
from data.catalogue import load_catalogue
from data.database.engine import make_engine, migrate_observations
from data.request import HistoryRequest
from data.site import open_site
from data.source_sync import sync_inventory
from logs import configure_logs

ROWS, ROWS_QUICK = 3_000_000, 60_000
ROUNDS = 3
SENSORS = ("temperature", "humidity", "rainfall")
AGREE = 1e-6  # AVG of DECIMAL(10,2) is rounded to six decimals
_ROOT = Path(__file__).resolve().parent.parent
_HOUR = "DATE_FORMAT(timestamp_device, '%%Y-%%m-%%d %%H:00:00')"

Result = dict[str, Any]


def measure(*, quick: bool = False) -> Iterator[Measurement]:
    """Make the table on each server that answers, load it, and drop it again."""
    configure_logs("warning")
    rows, rounds = (ROWS_QUICK, 1) if quick else (ROWS, ROUNDS)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.csv"
        scada.write_rows(file, rows)
        for server in scada.SERVERS:
            with scada.database(server, file) as url:
                site = Path(folder) / server
                yield from _loads(site, server, url, rows, rounds)
                if server == "MariaDB":
                    yield from _hours(site, url, rows, rounds)


def _loads(folder: Path, server: str, url: str, rows: int, rounds: int) -> Iterator[Measurement]:
    looked_s = _make_site(folder, url)
    taken = _in_turns(folder, url, rows, rounds, ("load", "connectorx", "pandas"))
    cold, bare, pandas = (taken[what] for what in ("load", "connectorx", "pandas"))
    load = f"load average {os.getloadavg()[0]:.1f}"
    size = f"{rows / 1e6:g} M rows of {len(STATIONS)} stations × {len(SENSORS)} sensors, indexed by time only"
    note = f"{size}: {cold:.2f} s against {bare:.2f} s; the first look at the table took {looked_s:.2f} s; {load}"
    yield Measurement(f"{server}: cold load against connectorx", cold / bare, "×", 1.5, note=note)
    note = f"{pandas:.1f} s with pandas"
    yield Measurement(f"{server}: cold load against pandas.read_sql", pandas / cold, "× faster", 4, better="more", note=note)
    scada.run(url, scada.INDEX)
    taken = _in_turns(folder, url, rows, rounds, ("load", "connectorx"))
    cold, bare = taken["load"], taken["connectorx"]
    note = f"with the index on station and time: {cold:.2f} s against {bare:.2f} s"
    yield Measurement(f"{server}: the same with the recommended index", cold / bare, "×", 1.5, note=note)
    scada.run(url, scada.UNINDEX[server])


def _hours(folder: Path, url: str, rows: int, rounds: int) -> Iterator[Measurement]:
    """Hourly means of all rows of a sensor: the older dashboard's query, a warm site,
    and a site without tiles.
    """
    taken: dict[str, list[Result]] = {"query": [], "cold hours": [], "warm hours": []}
    for _ in range(rounds):
        shutil.rmtree(Settings(data_dir=folder).tiles_path, ignore_errors=True)
        for what, results in taken.items():
            results.append(_in_fresh_process(what, folder, url, rows))
    query, cold, warm = (median(each["seconds"] for each in results) for results in taken.values())
    theirs, ours = taken["query"][-1]["means"], taken["warm hours"][-1]["means"]
    if len(theirs) != len(ours) or not np.allclose(theirs, ours, rtol=0, atol=AGREE):
        raise RuntimeError("the hourly means differ")
    note = (
        f"{len(ours):,} hourly means of {rows / 1e6:g} M rows, equal to ±{AGREE:g}: {warm * 1000:.0f} ms, with least, greatest"
        f" and count, against {query:.2f} s; without any tile {cold:.2f} s ({query / cold:.1f} × as fast), which loads them"
    )
    yield Measurement(
        "MariaDB: hourly means against AVG … GROUP BY DATE_FORMAT", query / warm, "× faster", 50, better="more", note=note
    )


def _make_site(folder: Path, url: str) -> float:
    """A site that reads the table by a mapping and has synced its inventory;
    how long the sync took, in seconds.
    """
    folder.mkdir()
    sensors = "\n".join(f'{name} = "{name}"' for name in scada.SENSORS)
    head = f'url = "{url}"\ntable = "{TABLE}"\ntime = "timestamp_device"\ntimezone = "{ZONE}"\nstation = "nama_group"\n'
    (folder / "mapping.toml").write_text(f"{head}[sensors]\n{sensors}\n", encoding="utf-8")
    settings = _settings(folder)
    settings.prepare()
    engine = make_engine(settings.history_url)
    migrate_observations(engine, load_catalogue())
    engine.dispose()
    site = open_site(settings)
    began = time.perf_counter()
    sync_inventory(site)
    taken = time.perf_counter() - began
    site.engine.dispose()
    site.source.engine.dispose()
    return taken


def _settings(folder: Path) -> Settings:
    return Settings(data_dir=folder, source=folder / "mapping.toml")


def _in_turns(folder: Path, url: str, rows: int, rounds: int, whats: tuple[str, ...]) -> dict[str, float]:
    """Median seconds of each, the loads without any tile."""
    taken: dict[str, list[float]] = {what: [] for what in whats}
    for _ in range(rounds):
        shutil.rmtree(_settings(folder).tiles_path, ignore_errors=True)
        for what in whats:
            result = _in_fresh_process(what, folder, url, rows)
            if result["rows"] != len(STATIONS) * -(-rows // len(STATIONS)):
                raise RuntimeError(f"{what} read {result['rows']:,} rows")
            taken[what].append(result["seconds"])
    return {what: median(seconds) for what, seconds in taken.items()}


def _in_fresh_process(what: str, folder: Path, url: str, rows: int) -> Result:
    asked = [sys.executable, "-m", "benchmarks.servers", what, str(folder.resolve()), url, str(rows)]
    done = subprocess.run(asked, cwd=_ROOT, check=True, stdout=subprocess.PIPE, text=True, timeout=1800)
    result: Result = json.loads(done.stdout)
    return result


def _load(folder: Path, _url: str, request: HistoryRequest) -> Callable[[], Result]:
    from jobs.kinds.history import load_history

    def load() -> Result:
        done = load_history(open_site(_settings(folder)), request, lambda _: None)
        return {"rows": done["rows"] // len(request.sensors), "tiles": done["tiles_read"]}

    return load


def _queries(request: HistoryRequest) -> list[str]:
    first, last = (f"{_wall(ms):%Y-%m-%d %H:%M:%S}" for ms in (request.start_ms, request.end_ms))
    return [
        f"SELECT timestamp_device, {', '.join(request.sensors)} FROM {TABLE} WHERE nama_group = '{station}'"
        f" AND timestamp_device >= '{first}' AND timestamp_device < '{last}' ORDER BY timestamp_device, id"
        for station in request.stations
    ]


def _wall(ms: int) -> datetime:
    return datetime.fromtimestamp((ms + scada.OFFSET_MS) / 1000, UTC)


def _connectorx(_folder: Path, url: str, request: HistoryRequest) -> Callable[[], Result]:
    import connectorx
    import pyarrow as pa

    assert pa.cpu_count()  # imported before the clock starts
    plain = url.replace("+psycopg", "").replace("+pymysql", "")
    return lambda: {"rows": sum(connectorx.read_sql(plain, one, return_type="arrow").num_rows for one in _queries(request))}


def _pandas(_folder: Path, url: str, request: HistoryRequest) -> Callable[[], Result]:
    import pandas as pd
    from sqlalchemy import create_engine

    engine = create_engine(url)
    return lambda: {"rows": sum(len(pd.read_sql(one, engine)) for one in _queries(request))}


def _query(_folder: Path, url: str, request: HistoryRequest) -> Callable[[], Result]:
    from sqlalchemy import create_engine

    engine = create_engine(url)
    engine.connect().close()
    first, last = (f"{_wall(ms):%Y-%m-%d %H:%M:%S}" for ms in (request.start_ms, request.end_ms))
    sql = (
        f"SELECT nama_group, {_HOUR} AS hour, AVG({request.sensors[0]}) FROM {TABLE} WHERE timestamp_device >= '{first}'"
        f" AND timestamp_device < '{last}' GROUP BY nama_group, hour ORDER BY nama_group, hour"
    )

    def query() -> Result:
        with engine.connect() as connection:
            return {"means": [float(row[2]) for row in connection.exec_driver_sql(sql).all() if row[2] is not None]}

    return query


def _hourly(folder: Path, _url: str, request: HistoryRequest) -> Callable[[], Result]:
    """The request is planned, its tiles are opened, and every hour reduced from all rows."""
    from data.load_plan import plan
    from data.range_rows import open_observations
    from data.time.buckets import BY_NAME
    from data.view.aggregate import aggregate
    from data.view.window import SeriesContext, Window
    from jobs.kinds.history import load_history

    sensor_name = request.sensors[0]
    window = Window(request.start_ms, request.end_ms, 1200, ZONE, include_flagged=True)
    site = open_site(_settings(folder))

    def hourly() -> Result:
        if plan(site, request).missing:
            load_history(site, request, lambda _: None)
        found = []
        for station in request.stations:
            series = open_observations(site, request, station, sensor_name)
            found.append(aggregate(SeriesContext(series, site.catalogue[sensor_name], None), BY_NAME["1h"], window))
        return {"means": [mean for each in found for mean in each.value.tolist()]}

    return hourly


_RUNS = {"load": _load, "connectorx": _connectorx, "pandas": _pandas}
_RUNS |= {"query": _query, "cold hours": _hourly, "warm hours": _hourly}


def _run(what: str, folder: str, url: str, rows: str) -> None:
    configure_logs("warning")
    sensors = SENSORS if what in {"load", "connectorx", "pandas"} else SENSORS[:1]
    request = HistoryRequest(STATIONS, sensors, START_MS, scada.end_ms(int(rows)))
    run = _RUNS[what](Path(folder), url, request)
    began = time.perf_counter()
    result = run()
    print(json.dumps({**result, "seconds": time.perf_counter() - began}))


if __name__ == "__main__":
    _run(*sys.argv[1:])
