"""The ledger: the single truth about jobs. Page, API, command line, manager and workers all go through it.

SQLAlchemy Core on SQLite, PostgreSQL and MariaDB. Times come from the database's clock. jobs/reading.py holds the
questions, jobs/attempts.py the workers' side; here is what users do: submit, cancel, retry.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from config import Settings
from data.drivers import SQLITE_BUSY_TIMEOUT_MS
from data.engine import make_engine, upgrade
from data.request import HistoryRequest
from data.silence import give_up_silent_servers
from errors import Conflict
from jobs.again import made_again
from jobs.attempts import AttemptLedger
from jobs.job import ACTIVE, Job, Metrics, Status
from jobs.policy import HISTORY, Shares
from jobs.reading import LedgerReading
from jobs.rows import active_key, job_of, new_id
from jobs.tables import BY_PAGE, job, job_page, now_ms, worker

MIGRATIONS = Path(__file__).with_name("migrations")
VERSION_TABLE = "alembic_version_jobs"

_SEEN_EVERY_MS = 3_000  # how often a page's sign of life is written
_SUBMIT_TRIES = 10  # the equal job that we found may end before we join it


class Ledger(LedgerReading, AttemptLedger):
    """All of it."""

    @made_again
    def submit(
        self,
        owner: str,
        request: HistoryRequest,
        *,
        kind: str = HISTORY,
        queue: str = HISTORY,
        rows_estimate: int = 0,
        tries: int = 3,
        timeout_s: float = 300,
        by_page: bool = False,
    ) -> Job:
        """Put a request into the line; an equal one of the same owner and kind that waits or runs is returned instead.

        ``by_page``: nobody but a page wants it (see :meth:`is_of_page`).

        Raises:
            QueueFull: the owner has, or all together have, as many jobs as they may.
        """
        key = active_key(owner, kind, request)
        values = _new_values(owner, request, queue, rows_estimate, tries, timeout_s) | {"kind": kind, "active_key": key}
        for _ in range(_SUBMIT_TRIES):
            try:
                with self._write() as connection:
                    row = connection.execute(select(job).where(job.c.active_key == key)).one_or_none()
                    if row is not None:
                        found = job_of(row)
                        if not by_page:
                            _note_page(connection, found.id, by_page=False)
                        return found
                    self._check_shares(connection, owner)
                    connection.execute(insert(job).values(**values, status=Status.QUEUED))
                    _note_page(connection, values["id"], by_page=by_page)
                return self.get(values["id"])
            except IntegrityError:  # an equal request came in between: join it
                continue
        raise Conflict("An equal job came and went too often; try again.")

    def check_room(self, owner: str, request: HistoryRequest) -> None:
        """Raise QueueFull where :meth:`submit` would; for what must not be begun in vain."""
        with self.engine.connect() as connection:
            equal = select(job.c.id).where(job.c.active_key == active_key(owner, HISTORY, request))
            if connection.execute(equal).first() is None:
                self._check_shares(connection, owner)

    @made_again
    def record_completed(self, owner: str, request: HistoryRequest, metrics: Metrics) -> Job:
        """Enter a job that needed no work, because every tile was there: completed from the start."""
        values = _new_values(owner, request, HISTORY, 0, 1, 0) | {"metrics": json.dumps(dict(metrics))}
        with self._write() as connection:
            done = {"status": Status.COMPLETED, "started_ms": now_ms(), "finished_ms": now_ms()}
            connection.execute(insert(job).values(**values | done))
        return self.get(values["id"])

    @made_again
    def cancel(self, job_id: str) -> Job:
        """Stop a job that waits or runs; its worker notices within a second.

        Raises:
            JobNotFound: when there is none.
            Conflict: when it has ended already.
        """
        with self._write() as connection:
            done = self._change(connection, Status.CANCELLED, job.c.id == job_id)
        found = self.get(job_id)
        if not done:
            raise Conflict("The job is {status} and cannot be cancelled.", status=found.status.value)
        return found

    @made_again
    def retry(self, job_id: str, *, limited: bool = True, by_page: bool = False) -> Job:
        """Put a failed or cancelled job at the end of the line, with all its tries; what it has read stays read.

        ``limited`` False is for whoever runs the site: no share of the queue holds him up. ``by_page`` as :meth:`submit`.

        Raises:
            JobNotFound: when there is none.
            Conflict: when it has not failed or been cancelled, or an equal job is on its way.
            QueueFull: as :meth:`submit`.
        """
        old = self.get(job_id)
        fresh = {"failures": 0, "queued_ms": now_ms(), "not_before_ms": 0, "started_ms": None, "finished_ms": None, "error": None}
        try:
            with self._write() as connection:
                key = active_key(old.owner, old.kind, old.request)
                # an ended job; a running one also may become queued, but that is the worker's to say
                ended = job.c.status.in_((Status.FAILED, Status.CANCELLED))
                done = self._change(connection, Status.QUEUED, job.c.id == job_id, ended, active_key=key, **fresh)
                if done:
                    _note_page(connection, job_id, by_page=by_page)
                if done and limited:
                    self._check_shares(connection, old.owner, besides=job_id)
        except IntegrityError:
            raise Conflict("An equal job is already queued or running.") from None
        found = self.get(job_id)
        if not done:
            raise Conflict("The job is {status} and cannot be retried.", status=found.status.value)
        return found

    def _check_shares(self, connection: Connection, owner: str, *, besides: str = "") -> None:
        """Raise QueueFull when there is no room for one more. Two that come at once to a server may both find the last place."""
        others = select(func.count()).where(job.c.id != besides)
        self._shares.check(
            active_of_user=connection.scalar(others.where(job.c.owner == owner, job.c.status.in_(ACTIVE))) or 0,
            queued=connection.scalar(others.where(job.c.status == Status.QUEUED)) or 0,
        )

    @made_again
    def seen(self, job_id: str, page: str) -> None:
        """A page (any text that is its own) asked for the job; written at most once in some seconds."""
        this = (job_page.c.job == job_id, job_page.c.page == page)
        with self.engine.connect() as connection:
            fresh = select(job_page.c.page).where(*this, job_page.c.seen_ms >= now_ms() - _SEEN_EVERY_MS)
            if connection.execute(fresh).first() is not None:
                return
        try:
            with self._write() as connection:
                if connection.execute(update(job_page).where(*this).values(seen_ms=now_ms())).rowcount == 0:
                    connection.execute(insert(job_page).values(job=job_id, page=page, seen_ms=now_ms()))
        except IntegrityError:  # the same page's other request was first
            pass

    @made_again
    def ask_restart(self) -> int:
        """Ask all workers to finish their jobs and begin anew; how many were asked."""
        with self._write() as connection:
            return connection.execute(update(worker).values(restart=True)).rowcount

    @made_again
    def prune(self, *, older_than_s: float) -> int:
        """Forget jobs that ended longer ago than this; how many they were. Tiles are not touched."""
        ended = job.c.status.in_([status for status in Status if status.is_final])
        with self._write() as connection:
            old = select(job.c.id).where(ended, job.c.finished_ms < now_ms() - round(older_than_s * 1000))
            ids = list(connection.scalars(old))
            for start in range(0, len(ids), 500):  # databases bound the number of parameters
                some = ids[start : start + 500]
                connection.execute(delete(job_page).where(job_page.c.job.in_(some)))
                connection.execute(delete(job).where(job.c.id.in_(some)))
        return len(ids)


def _note_page(connection: Connection, job_id: str, *, by_page: bool) -> None:
    connection.execute(delete(job_page).where(job_page.c.job == job_id, job_page.c.page == BY_PAGE))
    if by_page:
        connection.execute(insert(job_page).values(job=job_id, page=BY_PAGE, seen_ms=now_ms()))


def open_ledger(settings: Settings, *, busy_ms: int = SQLITE_BUSY_TIMEOUT_MS, impatient: bool = False) -> Ledger:
    """The ledger of a site; opens no connection yet. One per process, never carried across a fork while in use.

    ``busy_ms``: how long to wait for a SQLite file that somebody else writes to. ``impatient``: for the web process, which no
    server may hold up (data/silence.py).
    """
    engine = make_engine(settings.jobs_url, application_name="riwayat-ledger", busy_ms=busy_ms)
    if impatient:
        give_up_silent_servers(engine, "jobs")
    return Ledger(engine, shares=Shares(settings.user_jobs, settings.queued_jobs))


def migrate_jobs(engine: Engine) -> None:
    """Bring the jobs database up to date (Alembic). Safe to repeat."""
    upgrade(engine, MIGRATIONS, VERSION_TABLE)


def _new_values(
    owner: str, request: HistoryRequest, queue: str, rows_estimate: int, tries: int, timeout_s: float
) -> dict[str, Any]:
    return {
        "id": new_id(),
        "owner": owner,
        "kind": HISTORY,
        "queue": queue,
        "request": request.to_json(),
        "version": 0,
        "attempt": 0,
        "failures": 0,
        "tries": tries,
        "timeout_s": timeout_s,
        "rows_estimate": rows_estimate,
        "created_ms": now_ms(),
        "queued_ms": now_ms(),
        "not_before_ms": 0,
        "metrics": "{}",
    }
