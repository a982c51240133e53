"""Many fast reads or one general read, never both."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from data.source.connection.locks import SharedLock


def test_several_are_inside_together():
    lock, both = SharedLock(), threading.Barrier(2)

    def enter(_: int) -> None:
        with lock.shared():
            both.wait(10)  # breaks unless the other is inside, too

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(enter, range(2)))


def test_one_alone_is_alone_and_everybody_gets_in():
    lock, inside, seen = SharedLock(), set(), []

    def enter(number: int) -> None:
        alone = number % 3 == 0
        with lock.exclusive() if alone else lock.shared():
            inside.add(number)
            seen.append((alone, len(inside)))
            inside.remove(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(enter, range(300)))
    assert len(seen) == 300
    assert all(count == 1 for alone, count in seen if alone)


def test_the_lock_is_free_again_after_an_error():
    lock = SharedLock()
    for enter in (lock.exclusive, lock.shared):
        with pytest.raises(ZeroDivisionError), enter():
            raise ZeroDivisionError
    with lock.exclusive():
        pass
