"""A small cache for threads: the least recently used goes first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Lru(Generic[Value]):
    """Keeps values while the sum of their costs stays within
    ``capacity`` (the newest is always kept).

    Making a value happens outside the lock, and once: who asks for the same one meanwhile waits for
    it. A page's chart and overview ask for the same tiles at the same moment.
    """

    def __init__(self, capacity: int, cost: Callable[[Value], int] = lambda _: 1) -> None:
        self._capacity = capacity
        self._cost = cost
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._making: dict[Hashable, threading.Event] = {}
        self._spent = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of a key, made when it is not there;
        what ``make`` raises is raised for its caller alone.
        """
        while True:
            with self._lock:
                if key in self._values:
                    self._values.move_to_end(key)
                    return self._values[key]
                others = self._making.get(key)
                if others is None:
                    self._making[key] = done = threading.Event()
                    break
            others.wait()
        try:
            return self._keep(key, make())
        finally:
            with self._lock:
                del self._making[key]
            done.set()

    def _keep(self, key: Hashable, value: Value) -> Value:
        with self._lock:
            self._values[key] = value
            self._spent += self._cost(value)
            while self._spent > self._capacity and len(self._values) > 1:
                _, old = self._values.popitem(last=False)
                self._spent -= self._cost(old)
        return value

    def forget(self, which: Callable[[Value], bool]) -> None:
        """Forget some values."""
        with self._lock:
            found = list(self._values.items())
        gone = [(key, value) for key, value in found if which(value)]
        with self._lock:
            for key, value in gone:
                if self._values.get(key) is value:
                    del self._values[key]
                    self._spent -= self._cost(value)
