"""The ledger: the single truth about jobs. Page, API, command line,
manager and workers all go through it.

SQLAlchemy Core on SQLite, PostgreSQL and MariaDB. Times come from the database's clock.
jobs/ledger/queries.py holds the questions, jobs/ledger/attempts.py the workers' side; here is what
users do: submit, cancel, retry.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, case, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from config import Settings
from data.database.drivers import SQLITE_BUSY_TIMEOUT_MS
from data.database.engine import make_engine, upgrade
from data.database.network_timeouts import install_network_timeouts
from data.database.serialization_failure import retry_on_serialization_failure
from data.request import HistoryRequest
from errors import Conflict
from jobs.job import ACTIVE, ENDED, Job, Metrics, Status
from jobs.ledger.attempts import AttemptLedger
from jobs.ledger.job_records import active_key, job_of, key_after, new_id
from jobs.ledger.queries import LedgerQueries
from jobs.ledger.tables import BY_PAGE, job, job_page, now_ms, worker
from jobs.policy import HISTORY, TIMES, Shares

MIGRATIONS = Path(__file__).with_name("migrations")
VERSION_TABLE = "alembic_version_jobs"

_SUBMIT_TRIES = 10  # the equal job that we found may end before we join it


class Ledger(LedgerQueries, AttemptLedger):
    """Every operation on the table of jobs."""

    @retry_on_serialization_failure
    def submit(
        self,
        owner: str,
        request: HistoryRequest,
        *,
        kind: str = HISTORY,
        inquiry: str | None = None,
        queue: str = HISTORY,
        rows_estimate: int = 0,
        tries: int = 3,
        timeout_s: float = 300,
        by_page: bool = False,
        share: str = "",
        anew: bool = False,
    ) -> Job:
        """Put a request into the line; an equal one of the same owner and kind that
        waits or runs is returned instead.

        ``inquiry``: what a job of an analysis is asked, equal for equal questions.
        ``by_page``: only a page wants it (see :meth:`is_of_page`).
        ``share``: the user with whom it counts, where that is not the owner.
        ``anew``: something has changed, of which an equal job that runs may know nothing; one that
        waits will.

        Raises:
            QueueFull: that user has, or all together have, as many jobs as they may.
        """
        key = active_key(owner, kind, request, inquiry)
        share = share or owner
        values = _new_values(owner, request, queue, rows_estimate, tries, timeout_s)
        values |= {"kind": kind, "inquiry": inquiry, "active_key": key, "share": share}
        for _ in range(_SUBMIT_TRIES):
            try:
                with self._write() as connection:
                    equal = self._check_shares(connection, share, key=key)
                    if equal and anew and _runs(connection, equal):
                        key = values["active_key"] = key_after(equal)
                        continue
                    if equal is None:
                        added = _add(connection, values | {"status": Status.QUEUED})
                        if by_page:
                            _mark_of_page(connection, added.id)
                        return added
                    if not by_page:
                        _unmark_of_page(connection, equal)
                    return _job(connection, equal)
            except IntegrityError:  # an equal request came in between: join it
                continue
        raise Conflict("The load could not be queued because of concurrent requests. Try again.")

    def check_room(self, owner: str, request: HistoryRequest) -> None:
        """Raise QueueFull where :meth:`submit` would; for what must not be begun in vain."""
        with self.engine.connect() as connection:
            self._check_shares(connection, owner, key=active_key(owner, HISTORY, request))

    @retry_on_serialization_failure
    def record_completed(self, owner: str, request: HistoryRequest, metrics: Metrics) -> Job:
        """Enter a job that needed no work, as every tile was there: completed from the start."""
        values = _new_values(owner, request, HISTORY, 0, 1, 0) | {"metrics": json.dumps(dict(metrics))}
        with self._write() as connection:
            done = {"status": Status.COMPLETED, "started_ms": now_ms(), "finished_ms": now_ms()}
            return _add(connection, values | done)

    @retry_on_serialization_failure
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

    @retry_on_serialization_failure
    def retry(self, job_id: str, *, limited: bool = True, by_page: bool = False) -> Job:
        """Put a failed or cancelled job at the end of the line, with all its tries;
        what it has read stays read.

        ``limited`` False is for the administrator, whom no share of the queue holds up.
        ``by_page`` as :meth:`submit`.

        Raises:
            JobNotFound: when there is none.
            Conflict: when it has not failed or been cancelled, or an equal job is on its way.
            QueueFull: as :meth:`submit`.
        """
        old = self.get(job_id)
        fresh = {"failures": 0, "queued_ms": now_ms(), "not_before_ms": 0, "started_ms": None, "finished_ms": None, "error": None}
        try:
            with self._write() as connection:
                key = active_key(old.owner, old.kind, old.request, old.inquiry)
                # an ended job; a running one also may become queued,
                # but that is the worker's to say
                ended = job.c.status.in_((Status.FAILED, Status.CANCELLED))
                done = self._change(connection, Status.QUEUED, job.c.id == job_id, ended, active_key=key, **fresh)
                if done:
                    _unmark_of_page(connection, job_id)
                    if by_page:
                        _mark_of_page(connection, job_id)
                if done and limited:
                    self._check_shares(connection, old.share, besides=job_id)
        except IntegrityError:
            raise Conflict("The same load is already queued or running.") from None
        found = self.get(job_id)
        if not done:
            raise Conflict("The job is {status} and cannot be retried.", status=found.status.value)
        return found

    def _check_shares(self, connection: Connection, share: str, *, key: str | None = None, besides: str = "") -> str | None:
        """Return the id of the active job with the key, which needs no room;
        None where there is none, and room for one more.

        Two that come at once to a server may both find the last place.

        Raises:
            QueueFull: as :meth:`submit`.
        """
        counted = select(
            func.max(case((job.c.active_key == key, job.c.id))),
            func.sum(case((job.c.share == share, 1), else_=0)),
            func.sum(case((job.c.status == Status.QUEUED, 1), else_=0)),
        )
        equal, of_user, queued = connection.execute(counted.where(job.c.status.in_(ACTIVE), job.c.id != besides)).one()
        if equal is None:
            self._shares.check(active_of_user=int(of_user or 0), queued=int(queued or 0))
        return None if equal is None else str(equal)

    @retry_on_serialization_failure
    def note_page(self, job_id: str, page: str) -> None:
        """Write down that a page (any text that is its own) has just asked for the job."""
        this = (job_page.c.job == job_id, job_page.c.page == page)
        try:
            with self._write() as connection:
                if connection.execute(update(job_page).where(*this).values(seen_ms=now_ms())).rowcount == 0:
                    connection.execute(insert(job_page).values(job=job_id, page=page, seen_ms=now_ms()))
        except IntegrityError:  # the same page's other request was first
            pass

    @retry_on_serialization_failure
    def ask_restart(self) -> int:
        """Ask all workers to finish their jobs and begin anew; how many were asked."""
        with self._write() as connection:
            return connection.execute(update(worker).values(restart=True)).rowcount

    @retry_on_serialization_failure
    def prune(self, *, older_than_s: float) -> int:
        """Forget jobs that ended longer ago; return how many. Tiles are not touched."""
        ended = job.c.status.in_(ENDED)
        with self._write() as connection:
            old = select(job.c.id).where(ended, job.c.finished_ms < now_ms() - round(older_than_s * 1000))
            ids = list(connection.scalars(old))
            for start in range(0, len(ids), 500):  # databases bound the number of parameters
                some = ids[start : start + 500]
                connection.execute(delete(job_page).where(job_page.c.job.in_(some)))
                connection.execute(delete(job).where(job.c.id.in_(some)))
        return len(ids)


def _runs(connection: Connection, job_id: str) -> bool:
    status = connection.execute(select(job.c.status).where(job.c.id == job_id)).scalar_one()
    return bool(status == Status.RUNNING)


def _job(connection: Connection, job_id: str) -> Job:
    return job_of(connection.execute(select(job).where(job.c.id == job_id)).one())


def _add(connection: Connection, values: Mapping[str, Any]) -> Job:
    """Enter a job and return it with what the database fills in; MySQL, unlike the others, says
    that only when it is asked again.
    """
    entered = insert(job).values(**values)
    if connection.dialect.insert_returning:
        return job_of(connection.execute(entered.returning(job)).one())
    connection.execute(entered)
    return _job(connection, values["id"])


def _mark_of_page(connection: Connection, job_id: str) -> None:
    connection.execute(insert(job_page).values(job=job_id, page=BY_PAGE, seen_ms=now_ms()))


def _unmark_of_page(connection: Connection, job_id: str) -> None:
    connection.execute(delete(job_page).where(job_page.c.job == job_id, job_page.c.page == BY_PAGE))


def open_ledger(
    settings: Settings,
    *,
    busy_ms: int = SQLITE_BUSY_TIMEOUT_MS,
    impatient: bool = False,
    lease_ms: int = TIMES.lease_ms,
) -> Ledger:
    """The ledger of a site; opens no connection yet.
    One per process, never carried across a fork while in use.

    ``busy_ms``: how long to wait for a SQLite file that another process writes to. ``impatient``:
    for the web process, which no server may hold up (data/database/network_timeouts.py).
    ``lease_ms``: how long a claim or a heartbeat holds a job.
    """
    engine = make_engine(settings.jobs_url, application_name="riwayat-ledger", busy_ms=busy_ms)
    if impatient:
        install_network_timeouts(engine, "jobs")
    return Ledger(engine, lease_ms=lease_ms, shares=_shares(settings))


def _shares(settings: Settings) -> Shares:
    """Return the shares of the settings;
    the last slot of all goes to no user who has the others.
    """
    return Shares(min(settings.user_jobs, max(1, settings.queued_jobs - 1)), settings.queued_jobs)


def migrate_jobs(engine: Engine) -> None:
    """Bring the jobs database up to date (Alembic). Safe to repeat."""
    upgrade(engine, MIGRATIONS, VERSION_TABLE)


def _new_values(
    owner: str, request: HistoryRequest, queue: str, rows_estimate: int, tries: int, timeout_s: float
) -> dict[str, Any]:
    return {
        "id": new_id(),
        "owner": owner,
        "share": owner,
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
