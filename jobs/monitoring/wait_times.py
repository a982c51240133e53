"""How long jobs waited, and so how long the queue was: read back from the ledger's rows;
nothing is recorded for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, not_, or_, select

from data.time.epoch import DAY_MS
from jobs.job import Status
from jobs.ledger.job_records import LedgerBase
from jobs.ledger.tables import job, now_ms

_MOST = 50_000  # rows of three numbers; a site with more in a day gets the latest of them


@dataclass(frozen=True)
class Wait:
    """A job's time in the line, int ms UTC. ``until_ms`` is None while it waits; ``started`` False:
    it was cancelled there.

    Of a job that ran more than once it is the time from its place in the line to its latest start.
    """

    queued_ms: int
    until_ms: int | None
    started: bool


@dataclass(frozen=True)
class QueueDay:
    """The last day of the queue: [now_ms - 24 h, now_ms] of the database's clock,
    and every wait that touches it.
    """

    now_ms: int
    waits: tuple[Wait, ...]

    @property
    def since_ms(self) -> int:
        """Return where the day begins."""
        return self.now_ms - DAY_MS

    @property
    def waiting(self) -> int:
        """Jobs that wait now."""
        return sum(wait.until_ms is None for wait in self.waits)

    @property
    def longest_now_ms(self) -> int:
        """Return how long the job that waits longest has been waiting; 0 when none waits."""
        return max((max(0, self.now_ms - wait.queued_ms) for wait in self.waits if wait.until_ms is None), default=0)

    @property
    def ended(self) -> tuple[Wait, ...]:
        """Waits that ended with a start within the day."""
        return tuple(wait for wait in self.waits if wait.started and (wait.until_ms or 0) >= self.since_ms)


def queue_day(ledger: LedgerBase) -> QueueDay:
    """Return the waits of the jobs of the last 24 hours, of all queues and owners; one query."""
    since = now_ms() - DAY_MS
    left = func.coalesce(job.c.started_ms, job.c.finished_ms)
    # every tile was there: it never stood in the line
    at_once = (job.c.status == Status.COMPLETED) & (job.c.attempt == 0)
    touches = or_(job.c.status == Status.QUEUED, left >= since)
    query = select(job.c.status, job.c.queued_ms, job.c.started_ms, job.c.finished_ms).where(touches, not_(at_once))
    with ledger.engine.connect() as connection:
        now = int(connection.scalar(select(now_ms())) or 0)
        rows = connection.execute(query.order_by(job.c.number.desc()).limit(_MOST)).all()
    return QueueDay(now, tuple(_wait(*row) for row in rows))


def _wait(status: str, queued_ms: int, started_ms: int | None, finished_ms: int | None) -> Wait:
    if status == Status.QUEUED:
        return Wait(queued_ms, None, started=False)
    return Wait(queued_ms, started_ms or finished_ms, started=started_ms is not None)
