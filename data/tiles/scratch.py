"""Memory for rows, used again.

The C library hands large memory back to the system as soon as it is free. Taking it anew costs more
than copying rows into it: the system clears every page first. A third of a wide view's processor
time was spent on that.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_LARGE_BYTES = 1 << 17  # from which on the C library hands memory back
_KEPT_BYTES = 1 << 24  # of one piece at most: rows for 4,096 pixels
_KEPT_PIECES = 4

_unused: list[npt.NDArray[np.uint8]] = []  # shared by threads: append and pop are atomic


def borrow(nbytes: int) -> npt.NDArray[np.uint8]:
    """Return ``nbytes`` of arbitrary content, lent until all views of it are gone."""
    if not _LARGE_BYTES <= nbytes <= _KEPT_BYTES:
        return np.empty(nbytes, np.uint8)
    try:
        memory = _unused.pop()
    except IndexError:
        memory = np.empty(nbytes, np.uint8)
    if len(memory) < nbytes:
        memory = np.empty(nbytes, np.uint8)
    return np.asarray(_Loan(memory))[:nbytes]


class _Loan:
    """The owner of a lent array, which the array and its views keep alive;
    takes the memory back when it dies.
    """

    def __init__(self, memory: npt.NDArray[np.uint8]) -> None:
        self._memory = memory
        self.__array_interface__ = memory.__array_interface__

    def __del__(self) -> None:
        if len(_unused) < _KEPT_PIECES:
            _unused.append(self._memory)
