"""What lies in Redis: messages that carry the id of a job, waiting in lists or taken by a worker.

A message is a hint. It may be lost, come twice or come late;
the ledger alone says what is to be done.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator

import redis
from kombu.exceptions import OperationalError

from config import Settings
from jobs.celery.app import LANES, SEPARATOR, WAIT_S, make_app, time_limits
from jobs.celery.message import TASK, Message, read_message
from jobs.policy import QUEUES

# what a broker that does not answer raises
BROKER_TROUBLE = (OperationalError, redis.RedisError, OSError)

_TURN_MS = 800  # one worker of the site looks after lost messages at a time


class Broker:
    """The broker of a site; connects when used, and is not to be carried across a fork."""

    def __init__(self, settings: Settings) -> None:
        self._app = make_app(settings)
        self._prefix = settings.redis_prefix
        self._patience_s = settings.ledger_patience
        self._redis = redis.Redis.from_url(settings.redis_url, socket_timeout=WAIT_S, socket_connect_timeout=WAIT_S)

    def send(self, job_id: str, attempt: int, *, queue: str, timeout_s: float, lane: int = 0) -> None:
        """Give the broker a message for a job.

        Raises:
            BROKER_TROUBLE: it does not answer.
        """
        soft_s, hard_s = time_limits(timeout_s, self._patience_s)
        try:
            self._app.send_task(
                TASK,
                args=[job_id],
                task_id=f"{job_id}.{attempt}.{secrets.token_hex(4)}",
                queue=queue,
                priority=min(lane, LANES - 1),
                soft_time_limit=soft_s,
                time_limit=hard_s,
                retry=False,
            )
        except (ValueError, TypeError, KeyError) as exc:
            # somebody has written to the table of queues that Celery keeps in Redis
            raise OperationalError(str(exc)) from exc

    def messages(self) -> list[Message]:
        """Return every message of ours that the broker holds.

        Raises:
            BROKER_TROUBLE: it does not answer.
        """
        with self._redis.pipeline(transaction=True) as pipe:
            for key in self.list_keys(QUEUES):
                pipe.lrange(key, 0, -1)
            pipe.hvals(f"{self._prefix}unacked")
            *waiting, taken = pipe.execute()
        found = [read_message(text, taken=False) for texts in waiting for text in texts]
        found += [read_message(text, taken=True) for text in taken]
        return [message for message in found if message is not None]

    def list_keys(self, queues: Collection[str]) -> Iterator[str]:
        """Names of the Redis lists in which the messages of some queues wait, every lane."""
        for queue in queues:
            for lane in range(LANES):
                yield f"{self._prefix}{queue}{SEPARATOR}{lane}" if lane else f"{self._prefix}{queue}"

    def my_turn(self, name: str) -> bool:
        """Return whether nobody else has had a turn at ``name`` for a moment;
        of many who ask one gets it.

        Raises:
            BROKER_TROUBLE: it does not answer.
        """
        return bool(self._redis.set(f"{self._prefix}turn:{name}", "1", nx=True, px=_TURN_MS))

    def close(self) -> None:
        """Let go of all connections."""
        self._app.close()
        self._redis.close()
