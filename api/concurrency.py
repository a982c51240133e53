"""How much is in hand at a time: of one user, and of all together,
so that nobody takes all threads of a web process.

Each web process counts for itself, as rates do (api/rates.py).
"""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from flask import Response

from access.identity import Identity
from errors import Busy, TooManyRequests

AGAIN_S: Final = 5  # after which a slot may be free


def limit_key(identity: Identity) -> str:
    """Return with whom a request counts: a user, or all who look at one user's charts."""
    return f"viewers of {identity.counts_with}" if identity.via == "embed" else f"user {identity.user}"


class ConcurrencyLimit:
    """At most ``each`` of one key and ``in_all`` of all together.

    Those that were taken less than ``grace_s`` seconds ago do not count:
    a page may ask many quick things at once.
    """

    def __init__(self, *, each: int, in_all: int, grace_s: float = 0.0, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._each = each
        self._in_all = in_all
        self._grace_s = grace_s
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._taken: dict[str, list[float]] = {}  # when, by whom
        self._given_back: deque[tuple[str, float]] = deque()  # of these; they are still in there

    def acquire(self, key: str) -> Callable[[], None]:
        """Take a slot; what is returned gives it back, once, however often it is called.

        Raises:
            TooManyRequests: those of this key are as many as may be.
            Busy: all are taken.
        """
        now_s = self._clock_s()
        with self._lock:
            self._forget_given_back()
            if self._counted(self._taken.get(key, []), now_s) >= self._each:
                raise TooManyRequests(
                    "Your limit of requests at a time is reached ({count}). Try again when one has finished.",
                    wait_s=AGAIN_S,
                    count=self._each,
                )
            if sum(self._counted(times, now_s) for times in self._taken.values()) >= self._in_all:
                raise Busy
            self._taken.setdefault(key, []).append(now_s)
        # Without the lock: what gives back may be the collector of garbage,
        # in the midst of an `acquire` of the same thread.
        return _once(lambda: self._given_back.append((key, now_s)))

    def _counted(self, times: Iterable[float], now_s: float) -> int:
        return sum(now_s - taken_s >= self._grace_s for taken_s in times)

    def hold(self, key: str, answer: Response) -> None:
        """Take a slot until an answer is sent or dropped; raises as :meth:`acquire`."""
        give_back = self.acquire(key)
        answer.call_on_close(give_back)
        weakref.finalize(answer, give_back)

    def _forget_given_back(self) -> None:
        while self._given_back:
            key, taken_s = self._given_back.popleft()
            self._taken[key].remove(taken_s)
            if not self._taken[key]:
                del self._taken[key]


def _once(act: Callable[[], None]) -> Callable[[], None]:
    unused = threading.Lock()

    def first_time() -> None:
        if unused.acquire(blocking=False):
            act()

    return first_time
