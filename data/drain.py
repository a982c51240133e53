"""A file that gives away what was written to it, so that writers of files can be streamed."""

from __future__ import annotations

import io
from typing import Any


class Drain(io.RawIOBase):
    """A sink that cannot be sought in; only what was written since the last :meth:`drain` is held."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        self._written += len(self._pieces[-1])
        return len(self._pieces[-1])

    def tell(self) -> int:
        return self._written

    def drain(self) -> bytes:
        """Everything since the last time."""
        drained = b"".join(self._pieces)
        self._pieces.clear()
        return drained
