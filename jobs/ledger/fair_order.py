"""Fair order of each queue: users take turns, and each user's jobs go first come, first served.

Next is the job of the user whose turn was longest ago, those first who never had one (of them the
one who came first); then each user's second job, and so on. So ten jobs of one user delay another's
first by none of those that wait. A viewer of an embedded chart takes the turns of the user who made
it (``share``). A turn is a number, not a time: a clock that is set changes nobody's position.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import CTE, ColumnElement, Over, Select, func, select

from jobs.job import Status
from jobs.ledger.tables import job


def queue_order(queues: Collection[str], *conditions: ColumnElement[bool]) -> CTE:
    """Queued jobs of ``queues`` that fulfil the conditions:
    ``id``, ``queue``, ``queued_ms``, ``position`` (1 = next in its queue).

    True as long as nobody comes, goes, or has a turn elsewhere:
    then jobs are claimed in this very order.
    """
    earlier = job.alias("earlier")
    had_turn = (
        select(func.coalesce(func.max(earlier.c.turn), 0))
        .where(earlier.c.share == job.c.share, earlier.c.queue == job.c.queue)
        .scalar_subquery()
    )
    waiting = (
        select(
            job.c.id,
            job.c.queue,
            job.c.queued_ms,
            had_turn.label("had_turn"),
            _among_own(func.row_number()).label("round"),
            _among_own(func.first_value(job.c.queued_ms)).label("came_ms"),
            _among_own(func.first_value(job.c.number)).label("came"),
        )
        .where(job.c.status == Status.QUEUED, job.c.queue.in_(queues), *conditions)
        .cte("waiting")
    )
    order = (waiting.c.round, waiting.c.had_turn, waiting.c.came_ms, waiting.c.came)
    position = func.row_number().over(partition_by=waiting.c.queue, order_by=order)
    return select(waiting.c.id, waiting.c.queue, waiting.c.queued_ms, position.label("position")).cte("queue_order")


def next_turn() -> Select[Any]:
    """The number of the next claim."""
    return select(func.coalesce(func.max(job.c.turn), 0) + 1)


def _among_own(function: Any) -> Over[Any]:
    """A window over a user's own jobs of the queue, as they came."""
    return Over(function, partition_by=(job.c.queue, job.c.share), order_by=(job.c.queued_ms, job.c.number))
