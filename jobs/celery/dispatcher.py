"""Between ledger and broker: what the ledger has queued gets a message.
What it has cancelled, whoever runs it notices.

Run after each change of the ledger (it takes the place of the local wake-up) and every second by
each worker. So a message that was lost, with a worker or with the whole broker, is sent again, and
a job whose back-off is over gets its next.

Users take turns here, too: each queue has ten lanes. A user's first waiting job goes into the
first, the second into the second, so ten jobs of one user delay another's first by none of those
that wait.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from config import Settings
from jobs.celery.broker import BROKER_TROUBLE, Broker
from jobs.celery.message import Message
from jobs.job import Status
from jobs.ledger.attempts import is_due
from jobs.ledger.ledger import Ledger
from jobs.ledger.tables import job, now_ms

FRESH_MS = 1_000  # whoever has just queued a job is about to send its message
# a taken message whose job still waits after this was taken by a worker that has died
TAKEN_S = 5.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Waiting:
    """A queued job whose back-off is over. ``lane``: how many of the same user's
    jobs wait before it in the queue.
    """

    id: str
    queue: str
    attempt: int
    timeout_s: float
    lane: int
    fresh: bool


class CeleryDispatcher:
    """Keeps the broker in line with the ledger."""

    def __init__(self, ledger: Ledger, broker: Broker) -> None:
        self._ledger = ledger
        self._broker = broker
        self._taken_since_s: dict[str, float] = {}

    def wake(self) -> None:
        """Reconcile the broker after a change of the ledger. Raises nothing:
        workers do it again.
        """
        try:
            messages = self._broker.messages()
            self._send(self._ledger_order(), _carried(messages, lambda _: True))
        except (*BROKER_TROUBLE, SQLAlchemyError) as exc:
            log.warning("the broker could not be told", error=str(exc))

    def tick(self) -> None:
        """Bring the broker in line, as a worker that does so every second;
        of several workers one does at a time.

        Raises:
            BROKER_TROUBLE, SQLAlchemyError: one of the two does not answer.
        """
        if not self._broker.my_turn("tick"):
            return
        messages = self._broker.messages()
        now_s = time.monotonic()
        taken = {message.task_id for message in messages if message.taken}
        self._taken_since_s = {task_id: self._taken_since_s.get(task_id, now_s) for task_id in taken}
        waiting = [one for one in self._ledger_order() if not one.fresh]
        self._send(waiting, _carried(messages, lambda task_id: now_s - self._taken_since_s[task_id] < TAKEN_S))

    def reconcile(self) -> int:
        """Send a message for every job that waits and for which none waits; how many.
        A second message does no harm.

        Raises:
            BROKER_TROUBLE, SQLAlchemyError: one of the two does not answer.
        """
        return self._send(self._ledger_order(), _carried(self._broker.messages(), lambda _: False))

    def _send(self, waiting: Collection[Waiting], carried: set[tuple[str, int | None]]) -> int:
        lost = [one for one in waiting if not carried & {(one.id, None), (one.id, one.attempt)}]
        for one in lost:
            self._broker.send(one.id, one.attempt, queue=one.queue, timeout_s=one.timeout_s, lane=one.lane)
            log.info("job sent", job=one.id, attempt=one.attempt + 1, queue=one.queue, lane=one.lane)
        return len(lost)

    def _ledger_order(self) -> list[Waiting]:
        """Jobs that should have a message now, as they came."""
        fresh = (job.c.attempt == 0) & (job.c.queued_ms > now_ms() - FRESH_MS)
        columns = (
            job.c.id,
            job.c.share,
            job.c.queue,
            job.c.attempt,
            job.c.timeout_s,
            fresh.label("fresh"),
            is_due().label("due"),
        )
        query = select(*columns).where(job.c.status == Status.QUEUED).order_by(job.c.queued_ms, job.c.number)
        before: Counter[tuple[str, str]] = Counter()
        found = []
        with self._ledger.engine.connect() as connection:
            for row in connection.execute(query):
                if row.due:
                    lane = before[row.share, row.queue]
                    found.append(Waiting(row.id, row.queue, row.attempt, row.timeout_s, lane, bool(row.fresh)))
                before[row.share, row.queue] += 1
        return found


def celery_wake(settings: Settings, ledger: Ledger) -> Callable[[], None]:
    """Return the function to call after the ledger has changed; opens no connection yet."""
    return CeleryDispatcher(ledger, Broker(settings)).wake


def _carried(messages: Collection[Message], is_alive: Callable[[str], bool]) -> set[tuple[str, int | None]]:
    """For which (job, attempts it had had) a message is on its way.

    A waiting message serves its job however many attempts it had (None). One that a worker has
    taken served only the attempt it was sent for, if ``is_alive`` says of its task that the worker
    may be about to begin.
    """
    waiting: set[tuple[str, int | None]] = {(message.job_id, None) for message in messages if not message.taken}
    return waiting | {(message.job_id, message.attempt) for message in messages if message.taken and is_alive(message.task_id)}
