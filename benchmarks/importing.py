"""A CSV file into SQLite: an import, with all of its checks, against pandas.read_csv + to_sql,
which checks nothing.

Every measured run is a fresh process, which counts its processor time after its imports, and both
take turns.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
import pyarrow.csv

from benchmarks.measurement import Measurement
from logs import configure_logs

ROWS, ROWS_QUICK = 1_500_000, 30_000
ROUNDS = 3
STATIONS = ("Bogor", "Cibinong", "Depok")
SENSORS = {"temperature": 24, "humidity": 70, "rainfall": 0, "wind_speed": 3}  # and their means
START = np.datetime64("2019-01-01T00:00", "s")
_ROOT = Path(__file__).resolve().parent.parent


def measure(*, quick: bool = False) -> Iterator[Measurement]:
    """Write the file, bring it in by both ways, in turns, and compare."""
    rows, rounds = (ROWS_QUICK, 1) if quick else (ROWS, ROUNDS)
    taken: dict[str, list[dict[str, float]]] = {"import": [], "pandas": []}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.csv"
        write_rows(file, rows)
        for _ in range(rounds):
            for what, results in taken.items():
                results.append(_in_fresh_process(what, file))
    for results in taken.values():
        if any(each["rows"] != rows for each in results):
            raise RuntimeError("rows are missing")
    ours, theirs = (median(each["processor"] for each in results) for results in taken.values())
    walls = [median(each["wall"] for each in results) for results in taken.values()]
    note = (
        f"{rows / 1e6:g} M rows × {len(SENSORS)} sensors of {len(STATIONS)} stations: {ours:.1f} s of processor time against "
        f"{theirs:.1f} s ({walls[0]:.1f} s against {walls[1]:.1f} s by the clock); load average {os.getloadavg()[0]:.1f}"
    )
    yield Measurement("import against pandas.read_csv + to_sql", ours / theirs, "×", 1.3, note=note)


def write_rows(file: Path, rows: int) -> None:
    """A row a minute and station, as Riwayat exports it; the same numbers each time."""
    chance = np.random.default_rng(12)
    minutes = (START + np.arange(rows) // len(STATIONS) * 60).astype(str)
    columns: dict[str, object] = {
        "timestamp_utc": np.char.add(minutes, "Z"),
        "station": np.resize(np.array(STATIONS), rows),
    }
    for name, mean in SENSORS.items():
        values = np.round(chance.normal(mean, max(1, mean / 10), rows), 1)
        columns[name] = np.maximum(values, 0) + 0.0
    pa.csv.write_csv(pa.table(columns), file, pa.csv.WriteOptions(quoting_style="none"))


def _in_fresh_process(what: str, file: Path) -> dict[str, float]:
    asked = [sys.executable, "-m", "benchmarks.importing", what, str(file)]
    done = subprocess.run(asked, cwd=_ROOT, check=True, stdout=subprocess.PIPE, text=True, timeout=1800)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def _import(file: Path, folder: Path) -> Callable[[], int]:
    from data.catalogue import load_catalogue
    from data.database.engine import make_engine, migrate_observations
    from data.ingest.file_plan import ImportOptions
    from data.ingest.importing import import_files

    engine, catalogue = make_engine(f"sqlite:///{folder / 'observations.sqlite'}"), load_catalogue()
    migrate_observations(engine, catalogue)
    return lambda: import_files(engine, catalogue, [file], ImportOptions(), spool_folder=folder)[0].stored


def _pandas(file: Path, folder: Path) -> Callable[[], int]:
    import sqlite3

    import pandas as pd

    connection = sqlite3.connect(folder / "pandas.sqlite")  # half of the time that an engine of SQLAlchemy takes

    def load() -> int:
        frame = pd.read_csv(file)
        frame.to_sql("observation", connection, index=False)
        connection.commit()
        return len(frame)

    return load


def _run(what: str, file: str) -> None:
    configure_logs("warning")
    with tempfile.TemporaryDirectory(dir=Path(file).parent) as folder:
        load = {"import": _import, "pandas": _pandas}[what](Path(file), Path(folder))
        processor, wall = time.process_time(), time.perf_counter()
        rows = load()
        print(json.dumps({"rows": rows, "processor": time.process_time() - processor, "wall": time.perf_counter() - wall}))


if __name__ == "__main__":
    _run(*sys.argv[1:])
