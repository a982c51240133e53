"""Listeners to jobs: each asks the ledger by itself, and no more listen than the site allows."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError

from errors import TooManyListeners
from jobs.job import Job
from jobs.ledger.ledger import Ledger

POLL_S = 0.5  # a job publishes its progress at most four times a second

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class JobSnapshot:
    """A job and its position in the queue (1 = next; None: it does not wait, or nobody knows)."""

    job: Job
    position: int | None

    def is_news_after(self, known: JobSnapshot | None) -> bool:
        """Whether somebody who knows ``known`` wants to be told:
        a later version, or another position of the same.
        """
        if known is None:
            return True
        if self.job.version != known.job.version:
            return self.job.version > known.job.version
        return self.position is not None and self.position != known.position


class JobWatcher:
    """At most ``most`` listeners at a time: each holds a thread of the web server."""

    def __init__(self, ledger: Ledger, most: int) -> None:
        self._ledger = ledger
        self._slots = threading.Semaphore(most)

    def listen(self, job_id: str) -> Listener:
        """Return a listener with a slot of its own; it must be closed.

        Raises:
            TooManyListeners: all slots are taken.
        """
        if not self._slots.acquire(blocking=False):
            raise TooManyListeners
        return Listener(self._ledger, job_id, self._slots)


class Listener:
    """A listener with its slot. A poll costs one statement, two while the job waits."""

    def __init__(self, ledger: Ledger, job_id: str, slots: threading.Semaphore) -> None:
        self._ledger = ledger
        self._job_id = job_id
        self._slots = slots
        self._open = threading.Lock()  # held from the moment of closing on

    def wait(self, known: JobSnapshot | None, timeout_s: float) -> JobSnapshot | None:
        """Return the job once it stands otherwise than ``known``;
        None when nothing was new in time.

        Raises:
            JobNotFound: the job was pruned meanwhile.
        """
        until = time.monotonic() + timeout_s
        while (left_s := until - time.monotonic()) > 0:
            time.sleep(min(POLL_S, left_s))
            found = self._poll()
            if found is not None and found.is_news_after(known):
                return found
        return None

    def _poll(self) -> JobSnapshot | None:
        try:
            job = self._ledger.get(self._job_id)
            return JobSnapshot(job, self._ledger.position(job))
        except SQLAlchemyError as exc:  # whoever listens gets a heartbeat, and we ask again
            log.warning("the ledger does not answer a listener", error=str(exc))
            return None

    def close(self) -> None:
        """Give the slot back; once, however often it is called."""
        if self._open.acquire(blocking=False):
            self._slots.release()
