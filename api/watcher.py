"""Jobs that somebody listens to: one thread a process asks the ledger for all of them at once, while anybody listens."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError

from errors import JobNotFound, TooManyListeners
from jobs.job import Job
from jobs.ledger import Ledger
from jobs.visible import find_jobs

POLL_S = 0.5  # a job publishes its progress at most four times a second

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Standing:
    """A job and its place in the line (1 = next; None: it does not wait, or nobody knows)."""

    job: Job
    position: int | None

    def is_news_after(self, known: Standing | None) -> bool:
        """Whether somebody who knows ``known`` wants to be told: a later version, or another place of the same."""
        if known is None:
            return True
        if self.job.version != known.job.version:
            return self.job.version > known.job.version
        return self.position is not None and self.position != known.position


class JobWatcher:
    """At most ``most`` listeners at a time, because each of them holds a thread of the web server."""

    def __init__(self, ledger: Ledger, most: int) -> None:
        self._ledger = ledger
        self._most = most
        self._changed = threading.Condition()
        self._listeners: Counter[str] = Counter()
        self._known: dict[str, Standing] = {}
        self._gone: set[str] = set()
        self._thread: threading.Thread | None = None

    @property
    def is_watching(self) -> bool:
        """Whether the thread runs."""
        with self._changed:
            return self._thread is not None

    def listen(self, job_id: str) -> Listener:
        """A place among the listeners; it must be closed.

        Raises:
            TooManyListeners: all places are taken.
        """
        with self._changed:
            if self._listeners.total() >= self._most:
                raise TooManyListeners
            self._listeners[job_id] += 1
            self._known.pop(job_id, None)  # older than what the listener knows; others get the next look, too
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="job-watcher", daemon=True)
                self._thread.start()
        return Listener(self, job_id)

    def leave(self, job_id: str) -> None:
        """Give a place back."""
        with self._changed:
            self._listeners[job_id] -= 1
            self._listeners = +self._listeners  # only those above zero
            self._changed.notify_all()  # the thread need not wait for its next round to see that it may end

    def wait(self, job_id: str, known: Standing | None, timeout_s: float) -> Standing | None:
        """The job once it stands otherwise than ``known``; None when nothing was new in time.

        Raises:
            JobNotFound: the job was pruned meanwhile.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._is_news(job_id, known), timeout_s)
            if job_id in self._gone:
                raise JobNotFound("There is no job {job_id}.", job_id=job_id)
            return self._known[job_id] if self._is_news(job_id, known) else None

    def _is_news(self, job_id: str, known: Standing | None) -> bool:
        now = self._known.get(job_id)
        return job_id in self._gone or (now is not None and now.is_news_after(known))

    def _watch(self) -> None:
        try:
            while ids := self._wanted():
                self._look(ids)
        finally:
            with self._changed:  # whatever ended it, the next listener starts another
                self._thread = None

    def _look(self, ids: list[str]) -> None:
        began = time.monotonic()
        try:
            jobs = find_jobs(self._ledger, ids)
            positions = self._ledger.positions(jobs.values())
        except SQLAlchemyError as exc:  # listeners get their heartbeat; we ask again
            log.warning("the ledger does not answer the watcher", error=str(exc))
        else:
            self._tell(ids, {job_id: Standing(job, positions.get(job_id)) for job_id, job in jobs.items()})
        with self._changed:
            self._changed.wait_for(lambda: not self._listeners, began + POLL_S - time.monotonic())

    def _wanted(self) -> list[str]:
        """Ids to ask for; when there are none the thread ends, and what it knew is forgotten."""
        with self._changed:
            if not self._listeners:
                self._thread = None
                self._known.clear()
                self._gone.clear()
            return list(self._listeners)

    def _tell(self, ids: list[str], found: Mapping[str, Standing]) -> None:
        with self._changed:
            known = self._known | dict(found)
            self._known = {job_id: standing for job_id, standing in known.items() if job_id in self._listeners}
            self._gone = {job_id for job_id in ids if job_id not in found}
            self._changed.notify_all()


class Listener:
    """One place among the listeners of a job."""

    def __init__(self, watcher: JobWatcher, job_id: str) -> None:
        self._watcher = watcher
        self._job_id = job_id
        self._open = threading.Lock()  # held from the moment of closing on

    def wait(self, known: Standing | None, timeout_s: float) -> Standing | None:
        """As :meth:`JobWatcher.wait`."""
        return self._watcher.wait(self._job_id, known, timeout_s)

    def close(self) -> None:
        """Give the place back; once, however often it is called."""
        if self._open.acquire(blocking=False):
            self._watcher.leave(self._job_id)
