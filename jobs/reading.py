"""The ledger's reading side: what page, API, command line and manager ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Select, func, select

from data.request import HistoryRequest
from errors import JobNotFound
from jobs.job import Job, Status, WorkerInfo
from jobs.line import line
from jobs.policy import ALIVE_MS
from jobs.rows import LedgerBase, job_of, worker_of
from jobs.tables import BY_PAGE, job, job_page, now_ms, worker

WATCHED_MS = 10_000  # a page that asked within this time is still there


class LedgerReading(LedgerBase):
    """Questions; nothing here writes."""

    def get(self, job_id: str) -> Job:
        """One job.

        Raises:
            JobNotFound: also for what cannot be a job id.
        """
        with self.engine.connect() as connection:
            row = connection.execute(select(job).where(job.c.id == str(job_id))).one_or_none()
        if row is None:
            raise JobNotFound("There is no job {job_id}.", job_id=str(job_id)[:40])
        return job_of(row)

    def jobs(
        self, owner: str | None = None, status: Status | None = None, limit: int = 50, before: str | None = None
    ) -> list[Job]:
        """Jobs, newest first; of one owner, of one status, older than the job ``before``, at most ``limit``."""
        query = select(job).order_by(job.c.number.desc()).limit(limit)
        if owner is not None:
            query = query.where(job.c.owner == owner)
        if status is not None:
            query = query.where(job.c.status == status)
        if before is not None:
            query = query.where(job.c.number < _number(before))
        with self.engine.connect() as connection:
            return [job_of(row) for row in connection.execute(query)]

    def latest(self, owner: str, kind: str, request: HistoryRequest) -> Job | None:
        """The newest job of an owner for exactly this, whatever became of it; None when there was none."""
        equal = (job.c.owner == owner, job.c.kind == kind, job.c.request == request.to_json())
        with self.engine.connect() as connection:
            row = connection.execute(select(job).where(*equal).order_by(job.c.number.desc()).limit(1)).one_or_none()
        return None if row is None else job_of(row)

    def position(self, waiting: Job) -> int | None:
        """Place in the line of its queue (jobs/line.py), 1 = next; None when the job does not wait."""
        return self.positions([waiting]).get(waiting.id)

    def positions(self, jobs: Iterable[Job]) -> Mapping[str, int]:
        """The same of many jobs by id, in one question; of those only that wait, and none where nobody does."""
        queues = {each.id: each.queue for each in jobs if each.status is Status.QUEUED}
        if not queues:
            return {}
        standing = line(set(queues.values()))
        with self.engine.connect() as connection:
            found = connection.execute(select(standing.c.id, standing.c.place).where(standing.c.id.in_(queues)))
            return {row.id: row.place for row in found}

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
        """Whether another page than ``except_page`` asked for the job within the last 10 s."""
        query = select(job_page.c.page).where(
            job_page.c.job == job_id, job_page.c.page.not_in((except_page, BY_PAGE)), job_page.c.seen_ms >= now_ms() - WATCHED_MS
        )
        with self.engine.connect() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def is_of_page(self, job_id: str) -> bool:
        """Whether a page put the job into the line, and no program or person at a command line has asked for it since."""
        query = select(job_page.c.page).where(job_page.c.job == job_id, job_page.c.page == BY_PAGE)
        with self.engine.connect() as connection:
            return connection.execute(query).first() is not None


def _number(job_id: str) -> Any:
    query: Select[Any] = select(job.c.number).where(job.c.id == job_id)
    return query.scalar_subquery()
