"""Memory that is lent is used again, but by nobody else while any part of it is still looked at."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from data.tiles import scratch
from data.tiles.file_map import address_of
from data.tiles.scratch import borrow

MEGABYTE = 1_000_000


@pytest.fixture(autouse=True)
def nothing_unused() -> Iterator[None]:
    scratch._unused.clear()
    yield
    scratch._unused.clear()


def test_memory_is_used_again_once_nothing_of_it_is_left() -> None:
    lent = borrow(MEGABYTE)
    address = address_of(lent)
    del lent
    assert address_of(borrow(MEGABYTE - 8)) == address


def test_a_view_of_lent_memory_keeps_it_from_others() -> None:
    lent = borrow(MEGABYTE)
    address = address_of(lent)
    rows = lent.view(np.int64).reshape(-1, 250)[3:, 1:]
    del lent
    other = borrow(MEGABYTE)
    assert address_of(other) != address
    del rows
    assert address_of(borrow(MEGABYTE)) == address


def test_memory_that_is_too_small_is_not_lent() -> None:
    borrow(MEGABYTE)
    assert len(borrow(2 * MEGABYTE)) == 2 * MEGABYTE


def test_few_pieces_and_no_huge_one_are_kept() -> None:
    many = [borrow(MEGABYTE) for _ in range(10)]
    many.append(borrow(100 * MEGABYTE))
    many.clear()
    assert 0 < sum(map(len, scratch._unused)) <= 4 * MEGABYTE


def test_threads_never_share_memory_that_is_lent() -> None:
    def use(number: int) -> bool:
        lent = borrow(MEGABYTE)
        lent[:] = number
        return bool((lent == number).all())

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(use, list(range(100)) * 3))
