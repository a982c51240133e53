"""The bytes of a file, copied out of memory by the kernel:
who cuts the file short meanwhile ends no process with SIGBUS.

Reading a map beyond the end of its file is SIGBUS. Where the kernel reads it for us, to write it
into other memory, it is an error of that call.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
from functools import cache
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from data.arrays import Integers
from data.tiles.scratch import Bytes, borrow

_MOST_PIECES = 1024  # IOV_MAX of Linux: pieces that one call may copy


class FileCut(Exception):
    """The file has become shorter than it was."""


class FileBytes:
    """The bytes of an open file, mapped into memory or read at once;
    the file may be closed afterwards.

    ``address`` is where they begin, ``length`` how many there are.

    Raises:
        FileCut: there are none.
    """

    def __init__(self, file: BinaryIO, *, mapped: bool) -> None:
        self._map = _map(file) if mapped else None
        self._bytes = np.frombuffer(file.read() if self._map is None else self._map, np.uint8)
        self.address = address_of(self._bytes)
        self.length = len(self._bytes)

    def refuse_cut(self) -> None:
        """Raise when the file was cut short; to be called after copying:
        what lay in the last page that is left has come as zeros.

        Raises:
            FileCut: the file has become shorter.
        """
        if self._map is not None and self._map.size() < self.length:
            raise FileCut


def copied(*parts: tuple[Integers, int]) -> list[Bytes]:
    """Return, of each part (addresses, size), the ``size`` bytes at each address, one after the
    other, u1; in memory that is lent (data/tiles/scratch.py). Sizes are multiples of 8.

    Raises:
        FileCut: a file has become shorter.
    """
    ends = np.cumsum([len(addresses) * size for addresses, size in parts]).tolist()
    if can_copy():
        file, content = borrow(ends[-1])
        _write(np.concatenate([_pieces(*part) for part in parts]), file)
    else:  # then no file is mapped
        content = np.empty(ends[-1], np.uint8)
        target = address_of(content)
        for addresses, size in parts:
            for address in addresses.tolist():
                ctypes.memmove(target, address, size)
                target += size
    return [content[end - len(part[0]) * part[1] : end] for part, end in zip(parts, ends, strict=True)]


def _pieces(addresses: Integers, size: int) -> Integers:
    """Return what is to be copied, [n, (address, bytes)]: what lies together is one piece."""
    firsts = np.flatnonzero(np.diff(addresses, prepend=addresses[:1] - 1) != size)
    pieces = np.empty((len(firsts), 2), np.int64)
    pieces[:, 0] = addresses[firsts]
    pieces[:, 1] = np.diff(firsts, append=len(addresses)) * size
    return pieces


@cache
def can_copy() -> bool:
    """Return whether this system lets a process have its memory copied (some sandboxes do
    not): else no file may be mapped.
    """
    source = np.arange(4, dtype=np.int64)
    try:
        file, target = borrow(source.nbytes)
        _write(np.array([[address_of(source), source.nbytes]], np.int64), file)
    except (FileCut, OSError, AttributeError):  # AttributeError: a C library that lacks the call
        return False
    return bool((source == target.view(np.int64)).all())


def address_of(array: npt.NDArray[Any]) -> int:
    """Return where the first byte of an array is in memory."""
    return int(array.__array_interface__["data"][0])


def _map(file: BinaryIO) -> mmap.mmap:
    try:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except ValueError as exc:  # it is empty
        raise FileCut from exc


def _write(pieces: Integers, file: int) -> None:
    """Write pieces, [n, (address, bytes)], one after the other to the beginning of a file.

    Raises:
        FileCut: some of it is not there any more.
        OSError: there is no memory left.
    """
    at = 0
    for low in range(0, len(pieces), _MOST_PIECES):
        some = pieces[low : low + _MOST_PIECES]
        length = int(some[:, 1].sum())
        written = _library().pwritev(file, address_of(some), len(some), at)
        if written < length:
            _refuse_full(file, some, written, at)
            raise FileCut
        at += length


def _refuse_full(file: int, pieces: Integers, written: int, at: int) -> None:
    """Raise OSError where pieces were not written, or not all of them, for want of memory."""
    code = ctypes.get_errno()
    if written >= 0:  # the rest alone has an error of its own
        ends = np.cumsum(pieces[:, 1])
        left = pieces[int(np.searchsorted(ends, written, "right")) :].copy()
        begun = written - int(ends[-1] - left[:, 1].sum())  # of the first of these
        left[0] += begun, -begun
        if _library().pwritev(file, address_of(left), len(left), at + written) >= 0:
            return
        code = ctypes.get_errno()
    if code != errno.EFAULT:
        raise OSError(code, os.strerror(code))


@cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(None, use_errno=True)
    call = library.pwritev
    call.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_long]
    call.restype = ctypes.c_ssize_t
    return library
