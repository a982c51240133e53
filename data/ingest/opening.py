"""Files as they come: plain, .gz, .bz2 or .xz, told by their first bytes;
and how far they have been read.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, cast

from errors import ImportRejected

_OPENERS: dict[bytes, Callable[[BinaryIO], object]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}


class OpenFile:
    """A file open for reading: ``stream`` gives its bytes, unpacked;
    ``fraction`` how much of it has been read (0..1); ``packed``: whether it is compressed.
    """

    def __init__(self, raw: BinaryIO, size: int) -> None:
        head = raw.read(6)
        raw.seek(0)
        opener = next((opener for magic, opener in _OPENERS.items() if head.startswith(magic)), None)
        self._raw, self._size = raw, size
        self.packed = opener is not None
        self.stream = cast(IO[bytes], opener(raw) if opener else raw)

    @property
    def fraction(self) -> float:
        """Return how much of the file has been read, 0..1."""
        return min(1.0, self._raw.tell() / self._size) if self._size else 1.0


@contextmanager
def opened(path: Path) -> Iterator[OpenFile]:
    """Open a file, packed or not.

    Raises:
        ImportRejected: when it cannot be opened, or when what it is packed with is damaged.
    """
    try:
        with path.open("rb") as raw:
            yield OpenFile(raw, path.stat().st_size)
    except (EOFError, gzip.BadGzipFile, lzma.LZMAError, zlib.error) as exc:
        raise ImportRejected("{file}: the compressed file is damaged or cut off: {why}.", file=path, why=exc) from exc
    except OSError as exc:
        raise ImportRejected("{file} cannot be read: {why}.", file=path, why=exc.strerror or exc) from exc
