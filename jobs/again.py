"""Writes that a database undoes because they got in each other's way: they are made again."""

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
_UNDONE_SQLSTATES = {"40P01", "40001"}
_UNDONE_MYSQL = {1213, 1020}

P = ParamSpec("P")
T = TypeVar("T")


def undone(exc: DBAPIError) -> bool:
    """Whether the database undid a whole transaction for the sake of another one; made again, it will do."""
    original = exc.orig
    number = original.args[0] if original is not None and original.args else None
    return getattr(original, "sqlstate", None) in _UNDONE_SQLSTATES or number in _UNDONE_MYSQL


def made_again(write: Callable[P, T]) -> Callable[P, T]:
    """A method that does all its writing in one transaction, repeated when that was undone.

    Such as on MariaDB: a heartbeat finds its jobs by an index and then locks their rows, a claim locks a row and then
    changes that index.
    """

    @wraps(write)
    def repeated(*args: P.args, **kwargs: P.kwargs) -> T:
        for number in range(_TRIES - 1):
            try:
                return write(*args, **kwargs)
            except DBAPIError as exc:
                if not undone(exc):
                    raise
            time.sleep(random.uniform(0, _PAUSE_S * 2**number))  # noqa: S311 - so that two do not meet again # nosec B311
        return write(*args, **kwargs)

    return repeated
