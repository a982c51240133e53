"""The cache of threads: bounded by cost, and each value made once however
many ask for it at the same time.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from data.tiles.cache import Lru


def test_the_least_recently_used_goes_first_and_the_newest_always_stays():
    cache: Lru[int] = Lru(10, lambda value: value)
    for key, value in (("a", 4), ("b", 4), ("a", 4), ("c", 4)):
        cache.get(key, lambda value=value: value)
    made: list[str] = []
    for key in ("a", "c", "b"):
        cache.get(key, lambda key=key: made.append(key) or 4)
    assert made == ["b"]
    assert cache.get("large", lambda: 99) == cache.get("large", lambda: 0) == 99


def test_a_value_is_made_once_for_all_who_ask_at_the_same_time():
    cache: Lru[int] = Lru(10)
    made: list[int] = []
    go = threading.Event()

    def make() -> int:
        made.append(1)
        assert go.wait(30)
        return 7

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(cache.get, "key", make) for _ in range(4)]
        go.set()
        assert [each.result(30) for each in asked] == [7] * 4
    assert made == [1]


def test_who_waits_for_a_value_that_cannot_be_made_makes_it_himself():
    cache: Lru[int] = Lru(10)
    begun, go = threading.Event(), threading.Event()

    def fail() -> int:
        begun.set()
        assert go.wait(30)
        raise OSError("gone")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(cache.get, "key", fail)
        assert begun.wait(30)
        second = pool.submit(cache.get, "key", lambda: 7)
        go.set()
        with pytest.raises(OSError, match="gone"):
            first.result(30)
        assert second.result(30) == 7
