"""Many users at once: 200 analysts who load, zoom and cancel for three minutes,
played by locust on the same machine.

gunicorn with its two web processes and one worker, as deployed;
users come with names, as through a proxy.
"""

from __future__ import annotations

import csv
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.measurement import Measurement
from config import load_settings
from data.site import open_site
from jobs.ledger.ledger import open_ledger
from tests.processes import ROOT, WorkerProcess, answers, run_manage
from tests.served import GunicornProcess

USERS, SECONDS, ARRIVALS_A_S = 200, 180, 10
USERS_QUICK, SECONDS_QUICK = 30, 20
STATIONS, YEARS, STEP_S = 12, 1.0, 60
YEARS_QUICK = 0.25
LOOK_S = 2.0
PAGES = ("page /", "page /_dash-layout", "page /_dash-dependencies", "poll", "submit", "cancel")
ZOOMS = ("zoom", "view while it loads", "stats")
LOCUST = ROOT / ".venv-load" / "bin" / "locust"  # make bench puts it there
LOCUSTFILE = Path(__file__).with_name("users.py")


@dataclass(frozen=True)
class Memory:
    """Memory of some processes together, MB (10^6 bytes). What they share is counted once
    (proportional set size). ``own_mb`` is theirs, ``tiles_mb`` pages of mapped tiles: the kernel's
    cache, which it takes back when others need room.
    """

    own_mb: float = 0.0
    tiles_mb: float = 0.0


@dataclass(frozen=True)
class Played:
    """What locust counted, a row a kind of request, and the site's greatest memory meanwhile."""

    rows: Mapping[str, Mapping[str, str]]
    web: Memory
    worker: Memory

    def count(self, column: str) -> int:
        """A sum over all requests."""
        return sum(int(row[column]) for row in self.rows.values())

    def quantile_ms(self, names: tuple[str, ...]) -> float:
        """The 95 % quantile of the slowest kind."""
        return max((float(self.rows[name]["95%"]) for name in names if name in self.rows), default=math.nan)

    def each(self, names: tuple[str, ...]) -> str:
        """The quantile of every kind, in words."""
        return ", ".join(f"{name} {float(self.rows[name]['95%']):.0f} ms" for name in names if name in self.rows)


def measure(*, quick: bool = False) -> Iterator[Measurement]:
    """Start a site of its own in a temporary folder and let users at it."""
    users, seconds = (USERS_QUICK, SECONDS_QUICK) if quick else (USERS, SECONDS)
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        settings: dict[str, Any] = {"data_dir": here / "var", "timezone": "UTC", "auth": "proxy", "log_level": "warning"}
        _prepare(here, settings, YEARS_QUICK if quick else YEARS)
        with GunicornProcess(cwd=here, **settings) as web, WorkerProcess(cwd=here, **settings) as worker:
            worker.wait_until_ready(lambda: answers(f"{web.url}/readyz"))
            played = _play(here, web, worker, users, seconds)
        waits_s = _waits_s(here / "var")
    yield from _told(played, waits_s, users, seconds)


def _prepare(here: Path, settings: dict[str, Any], years: float) -> None:
    demo = ("demo", "--stations", str(STATIONS), "--years", str(years), "--step", str(STEP_S))
    for arguments in (("migrate",), ("grants", "add", "everyone", "--stations", "*"), demo):
        done = run_manage(*arguments, cwd=here, timeout_s=900, **settings)
        if done.returncode:
            raise RuntimeError(done.stderr)


def _play(here: Path, web: GunicornProcess, worker: WorkerProcess, users: int, seconds: int) -> Played:
    site = open_site(load_settings(data_dir=here / "var"))
    stations = [{"name": one.name, "first": one.first_ms, "last": one.last_ms} for one in site.inventory.stations()]
    arguments = ["-f", str(LOCUSTFILE), "--headless", "--host", web.url, "-u", str(users), "-r", str(ARRIVALS_A_S)]
    arguments += ["-t", f"{seconds}s", "--csv", str(here / "played"), "--only-summary", "--exit-code-on-error", "0"]
    said = (here / "locust.txt").open("wb")
    locust = subprocess.Popen(
        [str(LOCUST), *arguments],
        cwd=ROOT,
        env=os.environ | {"BENCH_STATIONS": json.dumps(stations)},
        stdout=said,
        stderr=subprocess.STDOUT,
    )
    most_web = most_worker = Memory()
    while locust.poll() is None:
        most_web = max(most_web, memory_of(web.family()), key=lambda one: one.own_mb)
        most_worker = max(most_worker, memory_of(worker.family()), key=lambda one: one.own_mb)
        time.sleep(LOOK_S)
    said.close()
    if locust.returncode:
        raise RuntimeError((here / "locust.txt").read_text(encoding="utf-8"))
    with (here / "played_stats.csv").open(encoding="utf-8") as file:
        rows = {row["Name"]: row for row in csv.DictReader(file) if row["Name"] != "Aggregated"}
    with (here / "played_failures.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            print(f"failed: {row['Name']}: {row['Error']} ({row['Occurrences']} times)", file=sys.stderr)
    return Played(rows, most_web, most_worker)


def memory_of(processes: list[psutil.Process]) -> Memory:
    """Return the memory of some processes at this moment."""
    own = tiles = 0
    for process in processes:
        with suppress(OSError):  # it has ended
            of_tiles = False
            for line in Path(f"/proc/{process.pid}/smaps").read_text(encoding="utf-8").splitlines():
                name, value = line.split(maxsplit=1)
                if not name.endswith(":"):  # the head of the next mapping, with its file
                    of_tiles = "/tiles/" in value
                elif name == "Pss:":
                    size = int(value.split()[0]) * 1024
                    own, tiles = (own, tiles + size) if of_tiles else (own + size, tiles)
    return Memory(own / 1e6, tiles / 1e6)


def _waits_s(data_dir: Path) -> list[float]:
    """How long each job that started had waited, sorted, s."""
    ledger = open_ledger(load_settings(data_dir=data_dir))
    jobs = [job for job in ledger.jobs(limit=1_000_000) if job.attempt and job.started_ms is not None]
    ledger.engine.dispose()
    return sorted((job.started_ms - job.queued_ms) / 1000 for job in jobs if job.started_ms is not None)


def _told(played: Played, waits_s: list[float], users: int, seconds: int) -> Iterator[Measurement]:
    requests = played.count("Request Count")
    who = f"{users} users for {seconds} s, {requests} requests ({requests / seconds:.0f} a second)"
    yield Measurement("requests that failed (429s apart)", played.count("Failure Count"), "", 0, note=who)
    yield Measurement(
        "page requests, 95 % quantile of the slowest kind", played.quantile_ms(PAGES), "ms", 300, note=played.each(PAGES)
    )
    yield Measurement("zooms, 95 % quantile of the slowest kind", played.quantile_ms(ZOOMS), "ms", 1000, note=played.each(ZOOMS))
    wait_s = waits_s[math.ceil(0.95 * len(waits_s)) - 1] if waits_s else math.nan
    median_s = waits_s[len(waits_s) // 2] if waits_s else math.nan
    yield Measurement(
        "wait for a worker, 95 % quantile", wait_s, "s", 30, note=f"{len(waits_s)} loads, 2 at a time; median {median_s:.2g} s"
    )
    yield Measurement(
        "memory of the web processes",
        played.web.own_mb,
        "MB",
        1000,
        note=f"2 processes and their parent, what they share once; besides, {played.web.tiles_mb:.0f} MB of mapped tiles, the"
        " kernel's cache",
    )
    jobs = f"the worker and up to 3 jobs; besides, {played.worker.tiles_mb:.0f} MB of mapped tiles"
    yield Measurement("memory of worker and jobs", played.worker.own_mb, "MB", 1500, note=jobs)
