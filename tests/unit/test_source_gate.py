"""Many fast reads or one general read, never both."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from data.source.gate import Gate


def test_several_are_inside_together():
    gate, both = Gate(), threading.Barrier(2)

    def enter(_: int) -> None:
        with gate.together():
            both.wait(10)  # breaks unless the other is inside, too

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(enter, range(2)))


def test_one_alone_is_alone_and_everybody_gets_in():
    gate, inside, seen = Gate(), set(), []

    def enter(number: int) -> None:
        alone = number % 3 == 0
        with gate.alone() if alone else gate.together():
            inside.add(number)
            seen.append((alone, len(inside)))
            inside.remove(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(enter, range(300)))
    assert len(seen) == 300
    assert all(count == 1 for alone, count in seen if alone)


def test_the_gate_opens_again_after_an_error():
    gate = Gate()
    for enter in (gate.alone, gate.together):
        with pytest.raises(ZeroDivisionError), enter():
            raise ZeroDivisionError
    with gate.alone():
        pass
