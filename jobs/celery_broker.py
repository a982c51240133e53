"""What lies in Redis: messages that carry the id of a job, waiting in lists or taken by a worker.

A message is a hint. It may be lost, come twice or come late; the ledger alone says what is to be done.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import redis
from kombu.exceptions import OperationalError

from config import Settings
from jobs.celery_app import LANES, SEPARATOR, TASK, make_app, time_limits
from jobs.policy import QUEUES

BROKER_TROUBLE = (OperationalError, redis.RedisError, OSError)  # what a broker that does not answer raises

_WAIT_S = 3.0
_TURN_MS = 800  # one worker of the site looks after lost messages at a time


@dataclass(frozen=True)
class Message:
    """A message of the broker. ``attempt`` is how many attempts the job had had when it was sent; ``taken`` by a worker."""

    job_id: str
    attempt: int
    task_id: str
    taken: bool


class Broker:
    """The broker of a site. Opens no connection until used; not to be carried across a fork while in use."""

    def __init__(self, settings: Settings) -> None:
        self._app = make_app(settings)
        self._prefix = settings.redis_prefix
        self._patience_s = settings.ledger_patience
        self._redis = redis.Redis.from_url(settings.redis_url, socket_timeout=_WAIT_S, socket_connect_timeout=_WAIT_S)

    def send(self, job_id: str, attempt: int, *, queue: str, timeout_s: float, lane: int = 0) -> None:
        """Give the broker a message for a job.

        Raises:
            BROKER_TROUBLE: it does not answer.
        """
        soft_s, hard_s = time_limits(timeout_s, self._patience_s)
        self._app.send_task(
            TASK,
            args=[job_id],
            task_id=f"{job_id}.{attempt}.{secrets.token_hex(4)}",  # a new one each time: workers remember what was revoked
            queue=queue,
            priority=min(lane, LANES - 1),
            soft_time_limit=soft_s,
            time_limit=hard_s,
            retry=False,
        )

    def messages(self) -> list[Message]:
        """Every message of ours that the broker holds.

        Raises:
            BROKER_TROUBLE: it does not answer.
        """
        with self._redis.pipeline(transaction=True) as pipe:
            for key in self.list_keys(QUEUES):
                pipe.lrange(key, 0, -1)
            pipe.hvals(f"{self._prefix}unacked")
            *waiting, taken = pipe.execute()
        found = [_message(json.loads(text), taken=False) for texts in waiting for text in texts]
        found += [_message(json.loads(text)[0], taken=True) for text in taken]
        return [message for message in found if message is not None]

    def list_keys(self, queues: Collection[str]) -> Iterator[str]:
        """Names of the Redis lists in which the messages of some queues wait, every lane."""
        for queue in queues:
            for lane in range(LANES):
                yield f"{self._prefix}{queue}{SEPARATOR}{lane}" if lane else f"{self._prefix}{queue}"

    def revoke(self, task_ids: Sequence[str]) -> None:
        """Tell all workers: begin none of these tasks, and look at once whether the running ones may go on.

        SIGTERM is what makes the supervisor of an attempt look (jobs/celery_attempt.py). SIGKILL would do harm where the
        process has meanwhile begun another job.

        Raises:
            BROKER_TROUBLE: it does not answer.
        """
        if task_ids:
            self._app.control.revoke(list(task_ids), terminate=True, signal="SIGTERM")

    def my_turn(self, name: str) -> bool:
        """Whether nobody else has had a turn at ``name`` for a moment; of many who ask one gets it.

        Raises:
            BROKER_TROUBLE: it does not answer.
        """
        return bool(self._redis.set(f"{self._prefix}turn:{name}", "1", nx=True, px=_TURN_MS))

    def close(self) -> None:
        """Let go of all connections."""
        self._app.close()
        self._redis.close()


def _message(payload: Any, *, taken: bool) -> Message | None:
    """A message from its envelope; None for what is not ours (another program in the same database)."""
    try:
        headers = payload["headers"]
        job_id, attempt, _ = headers["id"].split(".")
        return Message(job_id, int(attempt), headers["id"], taken) if headers["task"] == TASK else None
    except (KeyError, TypeError, ValueError):
        return None
