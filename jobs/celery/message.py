"""Messages as we send them, and no other: whoever can write to Redis can make a
worker look for a job, nothing more.

Celery would do much of what a message asks for: run its own tasks, call others afterwards, wait,
decompress, end a process after a time. So of a message that comes in only the id of a job, the
number of its attempts and its time limits are taken, if they have the form that ours have, and the
message is put together anew of these.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import uuid
from dataclasses import dataclass
from typing import Any

import structlog
from kombu.transport import redis

TASK = "riwayat.run"

_TASK_ID = re.compile(r"([A-Za-z0-9_-]{1,64})\.([0-9]{1,9})\.[0-9a-f]{8}", re.ASCII)
_NOTHING_AFTER = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
_LONGEST = 10_000  # characters; ours have about 1,000
_LEAST_S, _MOST_S = 60, 10_000_000  # of a time limit

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Message:
    """A message of the broker. ``attempt`` is how many attempts the job had had when it was sent;
    ``taken`` by a worker.
    """

    job_id: str
    attempt: int
    task_id: str
    taken: bool
    limits_s: tuple[int, int] = (_MOST_S, _MOST_S)  # hard, soft


def read_message(text: str | bytes, *, taken: bool) -> Message | None:
    """A message from what lies in Redis; None for what is not ours.
    One that is ``taken`` lies there with its queue.
    """
    try:
        payload = json.loads(text) if len(text) <= _LONGEST else None
    except (ValueError, RecursionError):
        return None
    if taken:
        payload = payload[0] if isinstance(payload, list) and payload else None
    return parse_message(payload, taken=taken)


def parse_message(payload: Any, *, taken: bool = False) -> Message | None:
    """The same of an envelope."""
    try:
        headers, properties = payload["headers"], payload["properties"]
        found = _TASK_ID.fullmatch(headers["id"])
        ours = found is not None and headers["task"] == TASK and payload["content-type"] == "application/json"
        if not ours or found is None or properties["body_encoding"] != "base64" or len(payload["body"]) > _LONGEST:
            return None
        if json.loads(base64.b64decode(payload["body"], validate=True)) != [[found[1]], {}, _NOTHING_AFTER]:
            return None
        hard_s, soft_s = headers["timelimit"]
        if not (type(hard_s) is type(soft_s) is int and _LEAST_S <= soft_s <= hard_s <= _MOST_S):
            return None
        return Message(found[1], int(found[2]), headers["id"], taken, (hard_s, soft_s))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError, binascii.Error):
        return None


def envelope(message: Message, queue: str) -> dict[str, Any]:
    """The message as Celery expects it, with nothing of another's making in it."""
    body = json.dumps([[message.job_id], {}, _NOTHING_AFTER]).encode()
    task_id = message.task_id
    return {
        "body": base64.b64encode(body).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {
            "lang": "py",
            "task": TASK,
            "id": task_id,
            "root_id": task_id,
            "parent_id": None,
            "group": None,
            "retries": 0,
            "eta": None,
            "expires": None,
            "timelimit": list(message.limits_s),
            "ignore_result": None,
        },
        "properties": {
            "correlation_id": task_id,
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": queue},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": str(uuid.uuid4()),
        },
    }


class Channel(redis.Channel):  # type: ignore[misc]
    """Drops what is no JSON, which would end the worker."""

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)
        except (ValueError, RecursionError) as exc:
            log.warning("message dropped", why=str(exc)[:200])
            return True


class Transport(redis.Transport):  # type: ignore[misc]
    """Hands on messages that are ours alone."""

    Channel = Channel

    def _deliver(self, message: Any, queue: str) -> None:
        ours = parse_message(message)
        if ours is None:
            log.warning("message dropped", queue=queue, why="it is none of ours", message=repr(message)[:200])
            return
        super()._deliver(envelope(ours, queue), queue)
