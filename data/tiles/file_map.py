"""The bytes of a file, copied out of memory by the kernel:
who cuts the file short meanwhile ends no process with SIGBUS.

Reading a map beyond the end of its file is SIGBUS.
Where the kernel reads it for us, it is an error of that call.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from functools import cache
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from data.arrays import Integers

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


def copy(addresses: Integers, size: int, out: npt.NDArray[Any]) -> None:
    """Fill ``out`` with the ``size`` bytes at each address, one after the other.

    Raises:
        FileCut: a file has become shorter.
    """
    target = address_of(out)
    if not size or not len(addresses):
        return
    if not can_copy():  # then no file is mapped
        for number, address in enumerate(addresses.tolist()):
            ctypes.memmove(target + number * size, address, size)
        return
    # what lies together is one piece
    firsts = np.flatnonzero(np.concatenate([[True], addresses[1:] - addresses[:-1] != size]))
    pieces = np.empty((len(firsts), 2), np.int64)
    pieces[:, 0] = addresses[firsts]
    pieces[:-1, 1], pieces[-1, 1] = (firsts[1:] - firsts[:-1]) * size, (len(addresses) - int(firsts[-1])) * size
    for low in range(0, len(pieces), _MOST_PIECES):
        _copy(pieces[low : low + _MOST_PIECES], target + int(firsts[low]) * size)


@cache
def can_copy() -> bool:
    """Return whether this system lets a process have its memory copied (some sandboxes do
    not): else no file may be mapped.
    """
    source, target = np.arange(4, dtype=np.int64), np.zeros(4, np.int64)
    try:
        _copy(np.array([[address_of(source), source.nbytes]], np.int64), address_of(target))
    except (FileCut, AttributeError):  # AttributeError: a C library that lacks the call
        return False
    return bool((source == target).all())


def address_of(array: npt.NDArray[Any]) -> int:
    """Return where the first byte of an array is in memory."""
    return int(array.__array_interface__["data"][0])


def _map(file: BinaryIO) -> mmap.mmap:
    try:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except ValueError as exc:  # it is empty
        raise FileCut from exc


def _copy(pieces: Integers, target: int) -> None:
    """Copy pieces, [n, (address, bytes)], one after the other to an address."""
    length = int(pieces[:, 1].sum())
    local = np.array([target, length], np.int64)
    copied = _library().process_vm_readv(os.getpid(), address_of(local), 1, address_of(pieces), len(pieces), 0)
    if copied != length:
        raise FileCut


@cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(None, use_errno=True)
    call = library.process_vm_readv
    call.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong]
    call.restype = ctypes.c_ssize_t
    return library
