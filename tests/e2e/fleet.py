"""Workers of one site on Celery, each as on a host of its own,
and what tests want to know of the jobs they run.
"""

import itertools
import time
from contextlib import contextmanager

import psutil
import redis
from sqlalchemy import select

from data.request import HistoryRequest
from jobs.job import Status
from jobs.ledger.tables import job as job_table
from jobs.policy import HISTORY
from tests.processes import ROOT, ServerProcess, is_gone, site_environment, wait_until

_numbers = itertools.count()


def new_request(what):
    """A request whose job does ``what`` (tests/e2e/job_worker.py), equal to no other."""
    return HistoryRequest((what,), ("temperature",), 0, 1000 + next(_numbers))


class Fleet:
    """Workers of one site, each in a folder of its own; all share databases, broker and tiles."""

    def __init__(self, folder, environment, ledger):
        self._folder, self._environment, self._ledger = folder, environment, ledger
        self.workers = []

    def keep(self, number):
        """See to it that so many workers are alive."""
        alive = [worker for worker in self.workers if worker.process.poll() is None]
        self.workers = alive + [self._start() for _ in range(number - len(alive))]
        for worker in self.workers:
            worker.wait_until_ready(lambda pid=worker.pid: any(pid == one.pid for one in self._ledger.workers()))

    def worker_of(self, job):
        """The worker that runs a job."""
        with self._ledger.engine.connect() as connection:
            name = connection.scalar(select(job_table.c.worker).where(job_table.c.id == job.id))
        pid = next(one.pid for one in self._ledger.workers() if one.id == name)
        return next(worker for worker in self.workers if worker.pid == pid)

    def _start(self):
        folder = self._folder / f"host-{time.monotonic_ns()}"
        folder.mkdir()
        environment = site_environment(**self._environment, data_dir=folder / "var") | {"PYTHONPATH": str(ROOT)}
        return ServerProcess(["-m", "tests.e2e.celery_jobs"], cwd=folder, env=environment)

    def kill(self):
        for worker in self.workers:
            worker.kill()


def become(ledger, job, status, deadline_s=60):
    return wait_until(lambda: (now := ledger.get(job.id)).status is status and now, f"job to be {status}", deadline_s)


def child_of(ledger, job):
    """The child's process, as soon as it has reported."""
    found = wait_until(lambda: (now := ledger.get(job.id)).status is Status.RUNNING and now.progress, "job to be half done")
    return psutil.Process(found.rows)  # these jobs report their pid as rows


def zombies(worker):
    """Children of a worker that have ended and that it has not collected."""
    return [child for child in psutil.Process(worker.pid).children() if child.is_running() and is_gone(child)]


@contextmanager
def no_message_in(settings, queue):
    """Take away what waits in a queue of the broker, as a broker does that lost its memory."""
    with redis.Redis.from_url(settings.redis_url) as client:
        wait_until(lambda: client.llen(f"{settings.redis_prefix}{queue}"), "a message to wait")
        for key in client.scan_iter(f"{settings.redis_prefix}{queue}*"):
            client.delete(key)
        yield


def idle(all_workers, ledger, number):
    """So many workers; what a test leaves them is taken away."""
    all_workers.keep(number)
    yield all_workers
    # shown when it failed
    print(*(worker.output()[-3000:] for worker in all_workers.workers), sep="\n--- another worker:\n")
    for status in (Status.QUEUED, Status.RUNNING):
        for job in ledger.jobs(status=status):
            ledger.cancel(job.id)


def assert_harmless(ledger, broker, job):
    """A message of a job that has ended changes nothing."""
    before = ledger.get(job.id)
    broker.send(job.id, 0, queue=HISTORY, timeout_s=300)
    wait_until(lambda: not any(one.job_id == job.id and not one.taken for one in broker.messages()), "the message to be taken")
    marker = ledger.submit("siti", new_request("quick"))
    become(ledger, marker, Status.COMPLETED)
    assert ledger.get(job.id) == before
