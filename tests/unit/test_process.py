"""Limits of a child's memory, in real children."""

import os

import pytest

from jobs.job import JobError
from jobs.worker.process import end_child, fork_child, lift_memory_limit, limit_memory

pytestmark = pytest.mark.process


def run(body):
    """The exit code of a child that runs ``body``; 0 when it returned."""
    pid = fork_child(body)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return end_child(pid)


def take(megabytes):
    return bytearray(megabytes * 1_000_000)


def test_a_child_may_take_what_it_is_given_and_no_more():
    def body():
        limit_memory(100)
        take(60)
        with pytest.raises(MemoryError) as refused:
            take(200)
        error = JobError.of(refused.value)
        assert (error.code, error.retryable) == ("memory", False)
        assert "more memory than it is allowed" in error.message

    assert run(body) == 0


def test_the_limit_is_lifted_to_write_down_what_happened():
    def body():
        limit_memory(1)
        lift_memory_limit()
        take(200)

    assert run(body) == 0
