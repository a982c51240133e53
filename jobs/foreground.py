"""A job whose asker waits for it in the foreground:
the command line, which also starts a worker where none is alive.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from access.identity import owner_identity
from access.store import open_access
from config import Settings
from data.request import HistoryRequest
from data.site import Site
from errors import Conflict, JobDied
from jobs.job import ACTIVE, Job, Status
from jobs.ledger.ledger import Ledger
from jobs.start import cancel_job, start_job
from jobs.worker.process import single_threaded, stop_process
from jobs.worker.wake import make_wake

POLL_S = 0.05
SLOW_POLL_S = 0.25  # after the first seconds
STOP_S = 10.0  # a worker that was asked to stop has ended by then

_MANAGE = Path(__file__).resolve().parent.parent / "manage.py"


def begin(site: Site, ledger: Ledger, owner: str, request: HistoryRequest) -> tuple[Job, bool]:
    """The job of a request, and whether it is ours (False: an equal one was on its way already).

    Raises:
        UnknownStation, UnknownSensor, NoData: then no job is started.
    """
    active = {job.id for status in ACTIVE for job in ledger.jobs(owner=owner, status=status, limit=1000)}
    settings = site.settings
    identity = owner_identity(settings, open_access(settings, engine=ledger.engine), owner)
    job = start_job(site, ledger, identity, request, make_wake(settings, ledger), must_flag=True)
    return job, job.id not in active


def wait_for(settings: Settings, ledger: Ledger, job: Job, show: Callable[[Job], None], say: Callable[[str], None]) -> Job:
    """The job when it has ended. ``show`` is called with what is new of it,
    ``say`` when a worker is started.

    Raises:
        JobDied: the worker that was started for it ends at once, again and again.
    """
    with _own_worker(settings, ledger, job.queue, say) as need_worker:
        began = time.monotonic()
        while not job.status.is_final:
            show(job)
            if job.status is Status.QUEUED:
                need_worker()
            time.sleep(POLL_S if time.monotonic() - began < 2 else SLOW_POLL_S)
            job = ledger.get(job.id)
        show(job)
    return job


def cancel(settings: Settings, ledger: Ledger, job: Job) -> None:
    """Stop a job that its asker no longer waits for."""
    with suppress(Conflict):  # it has ended meanwhile
        cancel_job(ledger, job, make_wake(settings, ledger))


@contextmanager
def _own_worker(settings: Settings, ledger: Ledger, queue: str, say: Callable[[str], None]) -> Iterator[Callable[[], None]]:
    """Return a function that starts a worker unless one is alive; ours is stopped at the end."""
    started: list[subprocess.Popen[bytes]] = []

    def need_worker() -> None:
        if started and started[-1].poll() is None:
            return
        if started and started[-1].returncode:
            raise JobDied("The worker ended with exit code {status}; its messages say why.", status=started[-1].returncode)
        if ledger.workers(queue):
            return
        if not started:
            say("No worker is running; starting one for this job.")
        started.append(_start_worker(settings))

    try:
        yield need_worker
    finally:
        for process in started:
            stop_process(process, STOP_S)


def _start_worker(settings: Settings) -> subprocess.Popen[bytes]:
    """A worker that ends when nothing is left to do;
    in a session of its own, so that Ctrl-C reaches only us.
    """
    environment = single_threaded(os.environ) | {
        "RIWAYAT_DATA_DIR": str(settings.data_dir.resolve()),
        "RIWAYAT_LOG_LEVEL": "error" if settings.log_level == "error" else "warning",
    }
    return subprocess.Popen(
        [sys.executable, str(_MANAGE), "worker", "--stop-when-empty"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
