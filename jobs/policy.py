"""What happens next to a job: pure decisions. Time and chance are passed in;
the ledger and the worker act.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from access.grants import Purpose
from errors import QueueFull

HISTORY = "history"  # ordinary jobs
LARGE = "history-large"  # jobs that read so much that they would keep others waiting
QUEUES = (HISTORY, LARGE)

# kinds of jobs, as HISTORY is another: they write the rows of their request to a file
WORKBOOK = "workbook"
NETCDF = "netcdf"
FILE_FORMATS: Final[Mapping[str, str]] = {WORKBOOK: "xlsx", NETCDF: "netcdf"}  # as the API calls them
FILE_NAMES: Final[Mapping[str, str]] = {WORKBOOK: "Excel", NETCDF: "NetCDF"}  # as people call them

# and another kind: it answers a question about the readings of its request
ANALYSIS = "analysis"

# and another: it draws a figure that was made already as a picture
PICTURE = "picture"

# and one more: it writes a report of its request's readings (reports/)
REPORT = "report"

ALIVE_MS = 10_000  # a worker that was silent for longer is not counted

# a time that lies so much further ahead than it can means that the clock was set back
IMPLAUSIBLE_MS = 60_000


@dataclass(frozen=True)
class WorkerTimes:
    """The rhythm of a worker, in seconds.

    A lease, a heartbeat until it is seen to have run out, and ``certain_s``
    (jobs/ledger/leases.py): a dead worker is noticed within 10 s. ``stop_grace_s``: how long a job
    that is nearly done may still finish after a signal.
    """

    heartbeat_s: float = 2.0
    lease_s: float = 5.0
    stop_grace_s: float = 2.0

    @property
    def certain_s(self) -> float:
        """Return how long a lease must be seen to have run out: a heartbeat and a bit."""
        return 1.25 * self.heartbeat_s

    @property
    def lease_ms(self) -> int:
        """The lease in ms."""
        return round(self.lease_s * 1000)


TIMES = WorkerTimes()


@dataclass(frozen=True)
class Limits:
    """When a worker takes no more jobs by itself; None: never."""

    max_jobs: int | None = None
    max_seconds: float | None = None
    stop_when_empty: bool = False

    def reached(self, *, claimed: int, worked_s: float, empty: bool) -> bool:
        """Return whether it has claimed or worked enough, or found nothing left to do."""
        enough_jobs = self.max_jobs is not None and claimed >= self.max_jobs
        enough_time = self.max_seconds is not None and worked_s >= self.max_seconds
        return enough_jobs or enough_time or (self.stop_when_empty and empty)


@dataclass(frozen=True)
class Shares:
    """How much of the queue one user may take, and all together; None: as much as they like."""

    user_jobs: int | None = None  # queued or running
    queued_jobs: int | None = None

    def check(self, *, active_of_user: int, queued: int) -> None:
        """Return whether one more job may be queued.

        Raises:
            QueueFull: saying how many there are and what to do.
        """
        if self.user_jobs is not None and active_of_user >= self.user_jobs:
            raise QueueFull(
                "Your limit of active loads is reached ({count} of {limit}). Wait for one to finish or cancel one.",
                count=active_of_user,
                limit=self.user_jobs,
            )
        if self.queued_jobs is not None and queued >= self.queued_jobs:
            raise QueueFull(
                "The queue is full ({count} of {limit} loads are waiting). Try again in a few minutes.",
                count=queued,
                limit=self.queued_jobs,
            )


def purpose_of(kind: str) -> Purpose:
    """Return the purpose that must be granted for a job of a kind."""
    if kind in FILE_FORMATS or kind == REPORT:
        return Purpose.EXPORT
    return Purpose.VIEW if kind in (ANALYSIS, PICTURE) else Purpose.LOAD


def queue_of(rows_to_read: int, large_rows: int) -> str:
    """The queue of a job that has to read, or to look at, so many observations × sensors."""
    return LARGE if rows_to_read >= large_rows else HISTORY
