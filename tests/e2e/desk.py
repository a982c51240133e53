"""A site of the bundled sample with workers of its own, real ones, and a test at its desk:
submits, holds, waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from access.store import migrate_access
from config import Settings
from data.load_plan import plan
from data.request import HistoryRequest
from data.site import Site, open_site
from data.tiles.tile_store import SeriesKey
from jobs.job import Job, Status
from jobs.ledger.ledger import Ledger, migrate_jobs, open_ledger
from jobs.start import start_job
from jobs.worker.wake import wake
from tests.e2e.gate import Gate
from tests.people import person
from tests.processes import WorkerProcess, wait_until

LONG_S = 90.0  # the machine may be busy with other tests

DAY_MS = 86_400_000


class Desk:
    """A site's settings, its parts, and its workers. ``gate`` holds months; it is open at first."""

    def __init__(self, cwd: Path, settings: dict[str, Any]) -> None:
        self._cwd, self._given = cwd, settings
        self.settings = Settings(**settings)
        self.site: Site = open_site(self.settings)
        self.ledger: Ledger = open_ledger(self.settings)
        self.gate = Gate(self.site)
        self.workers: list[WorkerProcess] = []

    def start_worker(self, **settings: object) -> WorkerProcess:
        """A worker that the ledger knows; other settings than the desk's where given."""
        worker = WorkerProcess(cwd=self._cwd, **{**self._given, **settings})
        self.workers.append(worker)
        worker.wait_until_ready(lambda: any(alive.pid == worker.pid for alive in self.ledger.workers()))
        return worker

    def year_of(self, station: str, *sensors: str) -> HistoryRequest:
        """All that a station of the sample has."""
        found = self.site.inventory.station(station)
        assert found.first_ms is not None
        assert found.last_ms is not None
        return HistoryRequest((station,), sensors or ("temperature",), found.first_ms, found.last_ms + 1)

    def submit(self, request: HistoryRequest, owner: str = "ayu") -> Job:
        """As the page would."""
        job = start_job(self.site, self.ledger, person(owner), request, lambda: wake(self.settings))
        self.site.engine.dispose()  # nothing of the test's stays open while others read
        return job

    def now(self, job: Job) -> Job:
        """The job as the ledger has it now."""
        return self.ledger.get(job.id)

    def become(self, job: Job, status: Status, deadline_s: float = LONG_S) -> Job:
        """Wait until the job has that status, and return it."""
        try:
            wait_until(lambda: self.now(job).status is status, f"the job to be {status}", deadline_s)
        except AssertionError as exc:
            outputs = "\n".join(worker.output() for worker in self.workers)
            raise AssertionError(f"{exc}; it is {self.now(job)}; the workers printed:\n{outputs}") from None
        return self.now(job)

    def tiles(self, station: str, sensor: str = "temperature") -> int:
        """How many tiles of a series are published."""
        return len(self.site.tiles.entries(SeriesKey(self.site.source_id, station, sensor)))

    def keys(self, *requests: HistoryRequest) -> set[Any]:
        """The tiles that the requests are made of."""
        found = {key for request in requests for key in plan(self.site, request).keys}
        self.site.engine.dispose()
        return found

    def kill_workers(self) -> None:
        """End them and all that they started, at once."""
        for worker in self.workers:
            worker.kill()

    def no_child_is_left(self) -> None:
        """Wait until no process of a job is there any more."""
        wait_until(lambda: not any(worker.child() for worker in self.workers), "no child to be left", LONG_S)


@contextmanager
def desk_at(cwd: Path, **settings: Any) -> Iterator[Desk]:
    """A desk; at the end its workers are asked to stop,
    and it is an error if anything that they started stays.
    """
    desk = Desk(cwd, settings)
    migrate_jobs(desk.ledger.engine)
    migrate_access(desk.ledger.engine)
    with ExitStack() as stack:
        stack.callback(desk.ledger.engine.dispose)
        stack.callback(desk.kill_workers)
        stack.callback(desk.gate.release)
        yield desk
        desk.gate.release()
        for worker in desk.workers:
            worker.stop()
