"""Retry of transactions that a database rolls back because they got in each other's way:
deadlock, serialization failure.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError

_TRIES = 6
_PAUSE_S = 0.01  # at most, before the second try; twice as long before each further one

# Deadlock, serialisation failure (PostgreSQL); deadlock, a row changed since it was read (MariaDB).
_ROLLED_BACK_SQLSTATES = {"40P01", "40001"}
_ROLLED_BACK_MYSQL = {1213, 1020}

P = ParamSpec("P")
T = TypeVar("T")


def is_serialization_failure(exc: DBAPIError) -> bool:
    """Return whether the database rolled back the whole transaction for the sake of another one,
    so that a retry may succeed.
    """
    original = exc.orig
    number = original.args[0] if original is not None and original.args else None
    return getattr(original, "sqlstate", None) in _ROLLED_BACK_SQLSTATES or number in _ROLLED_BACK_MYSQL


def retry_on_serialization_failure(write: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function that does all its writing in one transaction:
    call it again when that was rolled back, up to 6 times.

    For example on MariaDB: a heartbeat finds its jobs by an index and then locks their rows, a
    claim locks a row and then changes that index.
    """

    @wraps(write)
    def repeated(*args: P.args, **kwargs: P.kwargs) -> T:
        for number in range(_TRIES - 1):
            try:
                return write(*args, **kwargs)
            except DBAPIError as exc:
                if not is_serialization_failure(exc):
                    raise
            time.sleep(random.uniform(0, _PAUSE_S * 2**number))  # noqa: S311 - so that two do not meet again # nosec B311
        return write(*args, **kwargs)

    return repeated
