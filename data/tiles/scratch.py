"""Memory for rows, which the kernel writes and this process reads, used again.

It is that of a file without a name (``memfd_create``): the kernel copies into it what lies in
mapped files (data/tiles/file_map.py). Taking it anew for each view would cost more than the
copying, since the system clears every page first.
"""

from __future__ import annotations

import mmap
import os

import numpy as np
import numpy.typing as npt

_KEPT_BYTES = 1 << 24  # of one piece at most, and only as much as was written of it: rows for 4,096 pixels
_KEPT_PIECES = 8

Bytes = npt.NDArray[np.uint8]


class Memory:
    """The memory of a file without a name: ``content`` u1 is what is written to ``file``, which is
    closed with it.
    """

    def __init__(self, file: int, nbytes: int) -> None:
        self.file = file
        self._process = os.getpid()
        os.ftruncate(file, nbytes)
        self.content: Bytes = np.frombuffer(mmap.mmap(file, nbytes), np.uint8)

    def __del__(self) -> None:
        os.close(self.file)

    @property
    def is_ours(self) -> bool:
        """Whether it is of this process: one that was forked shares it with its parent."""
        return self._process == os.getpid()


_unused: list[Memory] = []  # shared by threads: append and pop are atomic


def borrow(nbytes: int) -> tuple[int, Bytes]:
    """Return ``nbytes`` of arbitrary content, lent until all views of it are gone, and the file at
    the beginning of which they are written.

    Raises:
        OSError: this system has no such files, or no memory left.
    """
    memory = _take() if nbytes <= _KEPT_BYTES else _new(nbytes)
    return memory.file, np.asarray(_Loan(memory))[:nbytes]


def _take() -> Memory:
    while _unused:
        try:
            memory = _unused.pop()
        except IndexError:  # another thread was faster
            break
        if memory.is_ours:
            return memory
    return _new(_KEPT_BYTES)


def _new(nbytes: int) -> Memory:
    return Memory(os.memfd_create("rows", os.MFD_CLOEXEC), nbytes)


class _Loan:
    """The owner of a lent array, which the array and its views keep alive;
    takes the memory back when it dies.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.__array_interface__ = memory.content.__array_interface__

    def __del__(self) -> None:
        if len(_unused) < _KEPT_PIECES and len(self._memory.content) == _KEPT_BYTES and self._memory.is_ours:
            _unused.append(self._memory)
