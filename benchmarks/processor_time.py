"""Processor time, all threads together: other work on the machine takes its share of the clock,
but not of this.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Final, TypeVar

Found = TypeVar("Found")
Run = Callable[[], object]
_OF_ALL: Final = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def once_ms(run: Run) -> float:
    """Return what one run takes in this process."""
    begun = time.process_time()
    run()
    return (time.process_time() - begun) * 1000


def processor_ms(run: Run, rounds: int = 5) -> float:
    """Return the median of some rounds after one that does not count."""
    run()
    return median(once_ms(run) for _ in range(rounds))


def in_turns(runs: Sequence[Callable[[], Found]], rounds: int) -> list[list[Found]]:
    """Return what each of some runs found in each of some rounds, after one that does not count;
    the runs take turns, so that what disturbs one disturbs all.
    """
    found = [[run() for run in runs] for _ in range(rounds + 1)]
    return [list(of_run) for of_run in zip(*found[1:], strict=True)]


def used_s() -> float:
    """Return what this process has taken so far, with its children that have ended."""
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, _OF_ALL))
