"""The ledger's reading side: what page, API, command line and manager ask."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Select, and_, func, select

from data.request import HistoryRequest
from errors import JobNotFound
from jobs.job import Job, Status, WorkerInfo
from jobs.ledger.fair_order import queue_order
from jobs.ledger.job_records import LedgerBase, job_of, worker_of
from jobs.ledger.tables import BY_PAGE, job, job_page, now_ms, worker
from jobs.policy import ALIVE_MS, HISTORY

_NOTED_EVERY_MS = 3_000  # how often a page's sign of life is written
_LEAST_MEASURED_ROWS = 50_000  # a smaller load measures the start of a process
_JOBS_LOOKED_AT = 1_000  # for the speed of loads
WATCHED_MS = 10_000  # a page that asked within this time is still there


class LedgerQueries(LedgerBase):
    """The queries of the ledger; none writes."""

    def get(self, job_id: str) -> Job:
        """Return one job.

        Raises:
            JobNotFound: also for what cannot be a job id.
        """
        with self.engine.connect() as connection:
            row = connection.execute(select(job).where(job.c.id == str(job_id))).one_or_none()
        if row is None:
            raise JobNotFound("There is no job {job_id}.", job_id=str(job_id)[:40])
        return job_of(row)

    def followed(self, job_id: str, page: str) -> tuple[Job, bool]:
        """Return one job, and whether it is time to note that ``page`` asks for it
        (:meth:`jobs.ledger.ledger.Ledger.note_page`).

        Raises:
            JobNotFound: as :meth:`get`.
        """
        noted = and_(job_page.c.job == job.c.id, job_page.c.page == page, job_page.c.seen_ms >= now_ms() - _NOTED_EVERY_MS)
        query = select(job, job_page.c.page).outerjoin(job_page, noted).where(job.c.id == job_id)
        with self.engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise JobNotFound("There is no job {job_id}.", job_id=job_id[:40])
        return job_of(row), row.page is None

    def jobs(
        self, owner: str | None = None, status: Status | None = None, limit: int = 50, before: str | None = None
    ) -> list[Job]:
        """Return at most ``limit`` jobs, newest first, older than the job ``before``."""
        query = select(job).order_by(job.c.number.desc()).limit(limit)
        if owner is not None:
            query = query.where(job.c.owner == owner)
        if status is not None:
            query = query.where(job.c.status == status)
        if before is not None:
            query = query.where(job.c.number < _number(before))
        with self.engine.connect() as connection:
            return [job_of(row) for row in connection.execute(query)]

    def load_speeds(self, limit: int) -> list[float]:
        """Return how fast the latest loads went, at most ``limit``: what their plans expected to
        read, observations × sensors, a second of the clock from start to end.

        Of loads that read tiles at their first attempt, and enough to tell; none older than the
        latest thousand jobs.
        """
        newest = select(func.max(job.c.number)).scalar_subquery()
        enough = (job.c.rows_estimate >= _LEAST_MEASURED_ROWS, job.c.attempt == 1, job.c.finished_ms > job.c.started_ms)
        loads = (job.c.number > newest - _JOBS_LOOKED_AT, job.c.kind == HISTORY, job.c.status == Status.COMPLETED)
        query = select(job.c.rows_estimate, job.c.finished_ms - job.c.started_ms, job.c.metrics).where(*loads, *enough)
        with self.engine.connect() as connection:
            found = connection.execute(query.order_by(job.c.number.desc()).limit(limit)).all()
        return [1000 * rows / taken_ms for rows, taken_ms, metrics in found if json.loads(metrics).get("tiles_read")]

    def latest(self, owner: str, kind: str, request: HistoryRequest, inquiry: str | None = None) -> Job | None:
        """Return the newest job of an owner for exactly this request (and inquiry), or None."""
        equal = (job.c.owner == owner, job.c.kind == kind, job.c.request == request.to_json(), job.c.inquiry == inquiry)
        with self.engine.connect() as connection:
            row = connection.execute(select(job).where(*equal).order_by(job.c.number.desc()).limit(1)).one_or_none()
        return None if row is None else job_of(row)

    def position(self, waiting: Job) -> int | None:
        """Place in the line of its queue (jobs/ledger/fair_order.py), 1 = next;
        None when the job does not wait.
        """
        return self.positions([waiting]).get(waiting.id)

    def positions(self, jobs: Iterable[Job]) -> Mapping[str, int]:
        """Return the positions of many jobs by id, in one query; of waiting jobs only."""
        queues = {each.id: each.queue for each in jobs if each.status is Status.QUEUED}
        if not queues:
            return {}
        order = queue_order(set(queues.values()))
        with self.engine.connect() as connection:
            found = connection.execute(select(order.c.id, order.c.position).where(order.c.id.in_(queues)))
            return {row.id: row.position for row in found}

    def counts(self) -> Mapping[str, Mapping[Status, int]]:
        """Jobs a queue and status; only what there is."""
        query = select(job.c.queue, job.c.status, func.count()).group_by(job.c.queue, job.c.status).order_by(job.c.queue)
        found: dict[str, dict[Status, int]] = {}
        with self.engine.connect() as connection:
            for queue, status, number in connection.execute(query):
                found.setdefault(queue, {})[Status(status)] = number
        return found

    def workers(self, queue: str | None = None) -> tuple[WorkerInfo, ...]:
        """Workers (of one queue, or all) that gave a sign of life within 10 s, oldest first."""
        # A sign of life from the future is one from before the clock was set back.
        lately = worker.c.seen_ms.between(now_ms() - ALIVE_MS, now_ms() + ALIVE_MS)
        query = select(worker).where(lately).order_by(worker.c.started_ms, worker.c.id)
        with self.engine.connect() as connection:
            found = [worker_of(row) for row in connection.execute(query)]
        return tuple(each for each in found if queue is None or queue in each.queues)

    def watched(self, job_id: str, *, except_page: str = "") -> bool:
        """Return whether another page asked for the job within the last 10 s."""
        query = select(job_page.c.page).where(
            job_page.c.job == job_id, job_page.c.page.not_in((except_page, BY_PAGE)), job_page.c.seen_ms >= now_ms() - WATCHED_MS
        )
        with self.engine.connect() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def is_of_page(self, job_id: str) -> bool:
        """Return whether a page put the job into the line,
        and no program or person at a command line has asked for it since.
        """
        query = select(job_page.c.page).where(job_page.c.job == job_id, job_page.c.page == BY_PAGE)
        with self.engine.connect() as connection:
            return connection.execute(query).first() is not None


def _number(job_id: str) -> Any:
    query: Select[Any] = select(job.c.number).where(job.c.id == job_id)
    return query.scalar_subquery()
