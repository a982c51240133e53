"""Memory that is lent is used again, but by nobody else while any part of it is still looked at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from data.tiles import scratch
from data.tiles.file_map import address_of
from data.tiles.scratch import Bytes

MEGABYTE = 1_000_000


@pytest.fixture(autouse=True)
def nothing_unused() -> Iterator[None]:
    scratch._unused.clear()
    yield
    scratch._unused.clear()


def borrow(nbytes: int) -> Bytes:
    return scratch.borrow(nbytes)[1]


def test_memory_is_used_again_once_nothing_of_it_is_left() -> None:
    lent = borrow(MEGABYTE)
    address = address_of(lent)
    del lent
    assert address_of(borrow(2 * MEGABYTE)) == address


def test_a_view_of_lent_memory_keeps_it_from_others() -> None:
    lent = borrow(MEGABYTE)
    address = address_of(lent)
    rows = lent.view(np.int64).reshape(-1, 250)[3:, 1:]
    del lent
    other = borrow(MEGABYTE)
    assert address_of(other) != address
    del rows
    assert address_of(borrow(MEGABYTE)) == address


def test_what_is_written_to_the_file_is_in_the_memory() -> None:
    file, lent = scratch.borrow(100)
    os.pwrite(file, bytes(range(100)), 0)
    assert lent.tolist() == list(range(100))


def test_memory_of_any_size_is_lent_and_no_huge_one_is_kept() -> None:
    many = [borrow(MEGABYTE) for _ in range(20)]
    many.append(borrow(100 * MEGABYTE))
    assert len(many[-1]) == 100 * MEGABYTE
    many.clear()
    assert [len(memory.content) for memory in scratch._unused] == [scratch._KEPT_BYTES] * 8


def test_the_file_of_memory_that_is_not_kept_is_closed() -> None:
    file, lent = scratch.borrow(100 * MEGABYTE)
    del lent
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(file)


def test_a_forked_process_never_borrows_what_its_parent_reads() -> None:
    borrow(MEGABYTE)  # and given back
    before = borrow(MEGABYTE)
    before[0] = 1
    child = os.fork()
    if not child:
        borrow(MEGABYTE)[0] = 2
        del before  # given back in the child
        borrow(MEGABYTE)[0] = 3
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert before[0] == 1


def test_threads_never_share_memory_that_is_lent() -> None:
    def use(number: int) -> bool:
        lent = borrow(MEGABYTE)
        lent[:] = number
        return bool((lent == number).all())

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(use, list(range(100)) * 3))
