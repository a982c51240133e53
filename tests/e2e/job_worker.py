"""A worker whose jobs do what their station's name says;
started as a process of its own by test_worker.py.

``python -m tests.e2e.job_worker [max_jobs=2] [grace=600]``: limits, and for how many seconds a job
may still finish after a signal; settings from the environment. Everything but the job's body and
the rhythm of leases is the product's.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from config import load_settings
from data.time.months import Month
from errors import SourceUnavailable
from jobs.job import Progress
from jobs.ledger.ledger import Ledger, open_ledger
from jobs.policy import WorkerTimes
from jobs.worker.process import ensure_single_threaded, restart
from jobs.worker.supervisor import BUSY_TICK_S, WorkerEnd, run_worker
from logs import configure_logs

CLOCK = "clock"  # file in DATA_DIR: how many ms the clock is off
TOLD = "told"  # file in DATA_DIR: a job that waits for it may end
SAID = "said"  # file in DATA_DIR: a job has had its last words


def run_job(job_id: str, attempt: int) -> None:
    """Do what the request's first station says, then complete."""
    ledger = open_ledger(load_settings())
    what = ledger.get(job_id).request.stations[0]
    done = {"attempt": attempt, "pid": os.getpid(), **(BODIES[what](ledger, job_id, attempt) or {})}
    ledger.complete(job_id, attempt, done)


def _half(ledger: Ledger, job_id: str, attempt: int) -> None:
    ledger.report(job_id, attempt, Progress(0.5, 1, 2, os.getpid(), 2, "aws-1", Month(24_230)))


def _slow(ledger: Ledger, job_id: str, attempt: int) -> None:
    _half(ledger, job_id, attempt)
    time.sleep(600)


def _slow_once(ledger: Ledger, job_id: str, attempt: int) -> None:
    if attempt == 1:
        _slow(ledger, job_id, attempt)


def _soon(ledger: Ledger, job_id: str, attempt: int) -> None:
    _half(ledger, job_id, attempt)
    time.sleep(1)


def _until_told(ledger: Ledger, job_id: str, attempt: int) -> None:
    """Half done until there is a file :data:`TOLD` in DATA_DIR."""
    _half(ledger, job_id, attempt)
    while not (load_settings().data_dir / TOLD).exists():
        time.sleep(0.02)


def _with_family(ledger: Ledger, job_id: str, attempt: int) -> None:
    """A process of its own that stays behind."""
    subprocess.Popen(["sleep", "600"])
    _slow(ledger, job_id, attempt)


def _leaving_family(_ledger: Ledger, _job_id: str, _attempt: int) -> None:
    subprocess.Popen(["sleep", "600"])


def _exit(_ledger: Ledger, _job_id: str, _attempt: int) -> None:
    os._exit(7)


def _crash(_ledger: Ledger, _job_id: str, _attempt: int) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _raise(_ledger: Ledger, _job_id: str, _attempt: int) -> None:
    raise SourceUnavailable


def _ignore_signals(ledger: Ledger, job_id: str, attempt: int) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _slow(ledger, job_id, attempt)


def _look(_ledger: Ledger, _job_id: str, _attempt: int) -> dict[str, int]:
    """What this child got from its supervisor. (The ledger of the job itself is one connection,
    opened here.)
    """
    open_files = [str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.exists()]
    return {
        "threads": len(list(Path("/proc/self/task").iterdir())),
        "leader": int(os.getsid(0) == os.getpid()),
        "databases": sum(name.endswith("riwayat.sqlite") for name in open_files),
        "default_sigterm": int(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL),
    }


def _nothing(_ledger: Ledger, _job_id: str, _attempt: int) -> None:
    """Done at once."""


def _last_words(ledger: Ledger, job_id: str, attempt: int) -> None:
    """Complete, and say so only when the worker has looked at the ledger once more."""
    ledger.complete(job_id, attempt, {"pid": os.getpid()})
    time.sleep(2 * BUSY_TICK_S)
    (load_settings().data_dir / SAID).touch()


def _hungry(_ledger: Ledger, _job_id: str, _attempt: int) -> None:
    """Take memory until there is no more, and say how it ended as the product's child does."""
    taken = [bytearray(10_000_000) for _ in range(1_000)]
    raise AssertionError(f"{len(taken)} times 10 MB were there")


BODIES: dict[str, Callable[[Ledger, str, int], dict[str, int] | None]] = {
    "quick": _nothing,
    "slow": _slow,
    "slow once": _slow_once,
    "soon": _soon,
    "until told": _until_told,
    "with family": _with_family,
    "leaving family": _leaving_family,
    "exit": _exit,
    "crash": _crash,
    "raise": _raise,
    "ignore signals": _ignore_signals,
    "look": _look,
    "hungry": _hungry,
    "last words": _last_words,
}


def _follow(clock: Path) -> None:
    """Let this process's wall clock, and that of its ledger in SQLite,
    be off by as many ms as a file says.
    """
    true_time = time.time

    def off_s() -> float:
        return int(clock.read_text()) / 1000

    @event.listens_for(Engine, "connect")
    def connect(dbapi: Any, _record: object) -> None:
        dbapi.create_function("julianday", 1, lambda _now: 2440587.5 + (true_time() + off_s()) / 86_400)

    time.time = lambda: true_time() + off_s()


def main() -> None:
    """Be a worker."""
    ensure_single_threaded()
    settings = load_settings()
    if (settings.data_dir / CLOCK).exists():
        _follow(settings.data_dir / CLOCK)
    configure_logs(settings.log_level)
    limits = {name: int(value) for name, value in (argument.split("=") for argument in sys.argv[1:])}
    times = WorkerTimes(heartbeat_s=0.5, lease_s=3.0, stop_grace_s=limits.pop("grace", 0.2))
    if run_worker(settings, run_job, times=times, **limits) is WorkerEnd.RESTART:  # type: ignore[arg-type]
        restart()


if __name__ == "__main__":
    main()
