"""A part of a Redis server of a test's own: a prefix of all keys, gone when the test ends.
The server itself is others', too.

``TEST_REDIS_URL`` names a server or database number other than the local one.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager

import redis

from tests.databases import missing_server

REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/9")

_numbers = itertools.count()


@contextmanager
def redis_prefix() -> Iterator[str]:
    """A prefix that nobody else uses; skips where no server answers (in CI: fails)."""
    client = redis.Redis.from_url(REDIS, socket_timeout=5, socket_connect_timeout=5)
    prefix = f"riwayat-test-{os.getpid()}-{next(_numbers)}:"
    try:
        client.ping()
    except redis.RedisError as exc:
        client.close()
        missing_server(f"Redis does not answer: {exc}")
    try:
        yield prefix
    finally:
        for key in client.scan_iter(f"{prefix}*"):
            client.delete(key)
        client.close()
