"""The ledger's side for workers: claim a job, hold its lease, and say how the attempt went.

Every write carries the number of its attempt. When another attempt has begun, or the job was
cancelled, the write is refused with StaleAttempt, and the child that made it must stop.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, delete, func, insert, or_, select, update

from data.database.serialization_failure import retry_on_serialization_failure
from data.time.epoch import DAY_MS
from errors import StaleAttempt
from jobs.job import Job, JobError, Metrics, Progress, Status, WorkerInfo
from jobs.ledger.fair_order import next_turn, queue_order
from jobs.ledger.job_records import UNREADABLE, LedgerBase, job_of, unreadable_error
from jobs.ledger.leases import ExpiredLease
from jobs.ledger.tables import BY_PAGE, job, job_page, now_ms, worker
from jobs.policy import IMPLAUSIBLE_MS
from jobs.retry import LONGEST_DELAY_MS, retry_delay_ms

_CLAIM_TRIES = 10  # other workers may take the job that we picked; then pick again
_FORGOTTEN_MS = DAY_MS  # a worker that was silent for a day leaves the list


def _held(job_id: str, attempt: int) -> ColumnElement[bool]:
    """The row of exactly this attempt, as long as it runs."""
    return and_(job.c.id == job_id, job.c.attempt == attempt, job.c.status == Status.RUNNING)


def is_due() -> ColumnElement[bool]:
    """Return whether the back-off is over; one that ends later than any can is from
    before the clock was set back.
    """
    latest = now_ms() + LONGEST_DELAY_MS + IMPLAUSIBLE_MS
    return or_(job.c.not_before_ms <= now_ms(), job.c.not_before_ms > latest)


def _next_due(queues: Collection[str]) -> Select[Any]:
    order = queue_order(queues, is_due())
    return select(order.c.id).order_by(order.c.position, order.c.queued_ms).limit(1)


def _if_due(queues: Collection[str], job_id: str) -> Select[Any]:
    return select(job.c.id).where(job.c.id == job_id, job.c.status == Status.QUEUED, job.c.queue.in_(queues), is_due())


class AttemptLedger(LedgerBase):
    """What a worker and its children write."""

    @retry_on_serialization_failure
    def claim(
        self, worker_id: str, queues: Collection[str], *, only: str | None = None, lease_ms: int | None = None
    ) -> Job | None:
        """Take the next job of ``queues`` (or the job ``only``) whose back-off is over;
        None when there is none.

        Picks an id, then changes the row only if it is still queued: of many workers exactly one
        succeeds. A job whose request cannot be read fails here.
        """
        pick = _next_due(queues) if only is None else _if_due(queues, only)
        for _ in range(_CLAIM_TRIES):
            # looking takes no write lock, so an idle worker disturbs nobody
            with self.engine.connect() as connection:
                job_id = connection.scalar(pick)
            if job_id is None:
                return None
            with self._write() as connection:
                if not self._take(connection, job_id, worker_id, lease_ms or self._lease_ms):
                    continue
                taken = job_of(connection.execute(select(job).where(job.c.id == job_id)).one())
            if taken.request is not UNREADABLE:
                return taken
            with suppress(StaleAttempt):  # cancelled in that very moment
                self.fail(taken.id, taken.attempt, taken.error or unreadable_error(""), jitter=0.0)
        return None

    def _take(self, connection: Connection, job_id: str, worker_id: str, lease_ms: int) -> bool:
        return self._change(
            connection,
            Status.RUNNING,
            job.c.id == job_id,
            attempt=job.c.attempt + 1,
            turn=connection.scalar(next_turn()),
            worker=worker_id,
            started_ms=now_ms(),
            finished_ms=None,
            lease_until_ms=now_ms() + lease_ms,
        )

    @retry_on_serialization_failure
    def report(self, job_id: str, attempt: int, progress: Progress) -> None:
        """Publish progress; a sign of life, too.

        Raises:
            StaleAttempt: as every write of an attempt.
        """
        lease = now_ms() + self._lease_ms
        statement = update(job).where(_held(job_id, attempt))
        with self._write() as connection:
            changed = connection.execute(
                statement.values(
                    progress=progress.to_json(),
                    version=job.c.version + 1,
                    lease_until_ms=case((job.c.lease_until_ms < lease, lease), else_=job.c.lease_until_ms),
                )
            ).rowcount
        self._expect(changed == 1, job_id, attempt)

    @retry_on_serialization_failure
    def complete(self, job_id: str, attempt: int, metrics: Metrics) -> None:
        """The attempt has succeeded."""
        with self._write() as connection:
            done = self._change(
                connection, Status.COMPLETED, _held(job_id, attempt), metrics=json.dumps(dict(metrics)), error=None
            )
        self._expect(done, job_id, attempt)

    @retry_on_serialization_failure
    def fail(self, job_id: str, attempt: int, error: JobError, *, jitter: float) -> None:
        """The attempt has failed: the job waits for its next attempt, or fails for good,
        as jobs/retry.py says.

        ``jitter`` in [0, 1) is the chance in the back-off.
        """
        with self._write() as connection:
            row = connection.execute(select(job.c.failures, job.c.tries).where(_held(job_id, attempt))).one_or_none()
            self._expect(row is not None, job_id, attempt)
            failures, tries = (row.failures + 1, row.tries) if row is not None else (1, 1)
            delay_ms = retry_delay_ms(failures, tries, error.retryable, jitter)
            values = {"failures": failures, "error": error.to_json()}
            if delay_ms is None:
                done = self._change(connection, Status.FAILED, _held(job_id, attempt), **values)
            else:
                waiting = {"not_before_ms": now_ms() + delay_ms, "worker": None, "lease_until_ms": None}
                done = self._change(connection, Status.QUEUED, _held(job_id, attempt), **values, **waiting)
        self._expect(done, job_id, attempt)

    @retry_on_serialization_failure
    def requeue(self, job_id: str, attempt: int) -> None:
        """Give the job back because the worker stops;
        no try and no turn is used up, and it keeps its place in the line.
        """
        unused = {"worker": None, "lease_until_ms": None, "turn": None}
        with self._write() as connection:
            done = self._change(connection, Status.QUEUED, _held(job_id, attempt), **unused)
        self._expect(done, job_id, attempt)

    @retry_on_serialization_failure
    def stopped(self, job_id: str, attempt: int) -> None:
        """The process of an attempt has ended; when that is because of a cancel,
        note how long it took (``cancel_seconds``).
        """
        cancelled = and_(job.c.id == job_id, job.c.attempt == attempt, job.c.status == Status.CANCELLED)
        with self._write() as connection:
            took_ms = connection.scalar(select(now_ms() - job.c.finished_ms).where(cancelled))
            if took_ms is not None:
                metrics = {"cancel_seconds": max(0, int(took_ms)) / 1000}
                connection.execute(update(job).where(cancelled).values(metrics=json.dumps(metrics)))

    def attempt_statuses(self, attempts: Mapping[str, int]) -> dict[str, Status]:
        """Return the status of each job (id: attempt) whose latest attempt that is."""
        if not attempts:
            return {}
        mine = or_(*(and_(job.c.id == job_id, job.c.attempt == attempt) for job_id, attempt in attempts.items()))
        with self.engine.connect() as connection:
            return {row.id: Status(row.status) for row in connection.execute(select(job.c.id, job.c.status).where(mine))}

    def expired(self) -> list[ExpiredLease]:
        """Leases that have run out: the worker is dead or cut off,
        or the clock was set and it has not renewed them yet.

        So whoever acts on it must have seen the same lease for some time of its own
        clock (jobs/ledger/leases.py).
        """
        longest_ms = job.c.timeout_s * 1000 + self._lease_ms
        over = or_(job.c.lease_until_ms < now_ms(), job.c.lease_until_ms > now_ms() + longest_ms + IMPLAUSIBLE_MS)
        query = select(job.c.id, job.c.attempt, job.c.lease_until_ms).where(job.c.status == Status.RUNNING, over)
        with self.engine.connect() as connection:
            return [ExpiredLease(*row) for row in connection.execute(query)]

    def waiting(self, queues: Collection[str]) -> int:
        """Return how many jobs of ``queues`` are queued, those in back-off included."""
        query = select(func.count()).where(job.c.status == Status.QUEUED, job.c.queue.in_(queues))
        with self.engine.connect() as connection:
            return connection.scalar(query) or 0

    @retry_on_serialization_failure
    def heartbeat(self, me: WorkerInfo, attempts: Mapping[str, int] = MappingProxyType({})) -> bool:
        """A worker's sign of life: renews its row and the leases of its attempts (job id: attempt).
        True: asked to restart.

        A job that it claimed without hearing of it, because the answer was lost, is not among them,
        and so is soon lost.
        """
        with self._write() as connection:
            my_row = worker.c.id == me.id
            if connection.execute(update(worker).where(my_row).values(seen_ms=now_ms())).rowcount == 0:
                fixed = {"id": me.id, "host": me.host, "pid": me.pid, "queues": json.dumps(list(me.queues)), "slots": me.slots}
                connection.execute(insert(worker).values(**fixed, started_ms=now_ms(), seen_ms=now_ms(), restart=False))
                connection.execute(delete(worker).where(worker.c.seen_ms < now_ms() - _FORGOTTEN_MS))
                connection.execute(
                    delete(job_page).where(job_page.c.page != BY_PAGE, job_page.c.seen_ms < now_ms() - _FORGOTTEN_MS)
                )
            self._renew(connection, attempts)
            return bool(connection.scalar(select(worker.c.restart).where(my_row)))

    @retry_on_serialization_failure
    def renew(self, attempts: Mapping[str, int]) -> None:
        """Renew the leases of attempts (job id: attempt), without a heartbeat of their worker."""
        with self._write() as connection:
            self._renew(connection, attempts)

    def _renew(self, connection: Connection, attempts: Mapping[str, int]) -> None:
        if attempts:
            mine = or_(*(_held(job_id, attempt) for job_id, attempt in attempts.items()))
            connection.execute(update(job).where(mine).values(lease_until_ms=now_ms() + self._lease_ms))

    @retry_on_serialization_failure
    def leave(self, worker_id: str) -> None:
        """The worker has ended in good order."""
        with self._write() as connection:
            connection.execute(delete(worker).where(worker.c.id == worker_id))

    @staticmethod
    def _expect(done: bool, job_id: str, attempt: int) -> None:
        if not done:
            raise StaleAttempt("Attempt {attempt} at job {job_id} has been superseded.", attempt=attempt, job_id=job_id)
