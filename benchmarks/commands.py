"""The command line: processor time that a command takes, its imports included, with the files that
it reads in memory. The load of ``history`` without a worker is also told by the clock.
"""

from __future__ import annotations

import os
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.measurement import Measurement
from benchmarks.web import prepare
from tests.processes import run_manage

ROUNDS = 5
STATION, YEARS, STEP_S = "demo-1", 3.0, 60
LIMITS_S: Mapping[str, float] = {"--help": 0.3, "stations": 0.6, "history": 1.0}


@dataclass(frozen=True)
class Taken:
    """Processor time of a command and of all that it started, and the time of the clock, s."""

    processor_s: float
    clock_s: float


def measure(*, quick: bool = False) -> Iterator[Measurement]:
    """Run each command several times on a site of its own in a temporary folder."""
    rounds = 1 if quick else ROUNDS
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        settings: dict[str, Any] = {"data_dir": here / "var", "timezone": "UTC", "log_level": "warning"}
        prepare(here, settings, stations=1, years=0.25 if quick else YEARS, step_s=STEP_S)
        history = ("history", "--station", STATION, "--sensor", "temperature", "--from", "2000-01-01", "--to", "2100-01-01")
        yield _cold(here, settings, history, rounds)
        for name, arguments in (("--help", ("--help",)), ("stations", ("stations",)), ("history", history)):
            taken = [_taken(here, settings, arguments) for _ in range(rounds + 1)][1:]  # the first warms the files
            what = "history, tiles there" if name == "history" else name
            yield Measurement(
                f"manage.py {what}", median(one.processor_s for one in taken), "s", LIMITS_S[name], note=_note(taken, rounds)
            )


def _cold(here: Path, settings: dict[str, Any], history: tuple[str, ...], rounds: int) -> Measurement:
    """What ``history`` takes besides its job where it starts a worker for it, by the clock: no tile
    is there, and no worker runs.
    """
    beside = []
    for _ in range(rounds):
        shutil.rmtree(here / "var" / "tiles", ignore_errors=True)
        taken = _taken(here, settings, history)
        beside.append(taken.clock_s - _last_job_s(here, settings))
    return Measurement(
        "manage.py history, no tile, no worker: besides its job",
        median(beside),
        "s",
        1.5,
        note=f"by the clock, median of {rounds}; {_load()}",
    )


def _last_job_s(here: Path, settings: dict[str, Any]) -> float:
    from config import load_settings
    from jobs.ledger.ledger import open_ledger

    ledger = open_ledger(load_settings(data_dir=here / "var", timezone=settings["timezone"]))
    (job,) = ledger.jobs(limit=1)
    ledger.engine.dispose()
    return ((job.finished_ms or 0) - (job.started_ms or 0)) / 1000


def _taken(here: Path, settings: dict[str, Any], arguments: tuple[str, ...]) -> Taken:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = run_manage(*arguments, cwd=here, timeout_s=600, **settings)
    if done.returncode:
        raise RuntimeError(done.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor_s = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Taken(processor_s, time.perf_counter() - began)


def _note(taken: list[Taken], rounds: int) -> str:
    least = min(one.processor_s for one in taken)
    clock = median(one.clock_s for one in taken)
    return f"processor time, median of {rounds}, least {least:.2f} s; {clock:.2f} s by the clock; {_load()}"


def _load() -> str:
    return f"load average {os.getloadavg()[0]:.1f}"
