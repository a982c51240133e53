"""A file of text as UTF-8, served line by line up to the next header in it."""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Iterator
from typing import IO

_BLOCK_BYTES = 1 << 20
_LONGEST_LINE = 4 << 20
_ASCII_LIKE = {"utf-8", "ascii"}

IsHeader = Callable[[str], bool]


class TextStream(io.RawIOBase):
    """Bytes of a file, for Arrow and for Python: UTF-8 without a byte order mark,
    lines that end in a line feed.

    Reading ends before a line that ``is_header``, and at the end of the file. ``line`` is the
    number (from 1) of the line at which reading goes on; ``cut`` says that the file's last line has
    no end.
    """

    def __init__(self, raw: IO[bytes], encoding: str, needle: bytes, is_header: IsHeader) -> None:
        """``needle``: what every header contains;
        the search for it is all that a file without a second header costs.
        """
        super().__init__()
        self._raw, self._needle, self._is_header = raw, needle, is_header
        name = codecs.lookup(encoding).name
        self._decoder = None if name in _ASCII_LIKE or name == "utf-8-sig" else codecs.getincrementaldecoder(encoding)()
        self._buffer = b""
        self._clear = 0  # bytes in front that are known to hold no header
        self._begun = self._ended = self._second = False
        self._only_returns: bool | None = None  # how lines end; not known yet
        self.line = 1
        self.cut = False

    @property
    def at_header(self) -> bool:
        """Return whether reading ended before another header."""
        return self._second and not self._clear

    def peek(self, size: int = _BLOCK_BYTES) -> str:
        """Text from here on, of at least ``size`` bytes where there are so many."""
        while len(self._buffer) < size and not self._ended:
            self._fill()
        return self._buffer[:size].decode(errors="replace")

    def skip_lines(self, count: int) -> None:
        """Leave lines out, and read on to the next header."""
        end = 0
        for _ in range(count):
            at = self._buffer.find(b"\n", end)
            while at < 0 and not self._ended:
                self._fill()
                at = self._buffer.find(b"\n", end)
            end = at + 1 if at >= 0 else len(self._buffer)
        self._buffer = self._buffer[end:]
        self.line += count
        self._clear, self._second = 0, False

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        """Do nothing: Arrow closes what it has read to its end, but the next part may follow."""

    def read(self, size: int = -1) -> bytes:
        """Bytes up to the next header; empty at its line and at the end."""
        if not self._clear and not self._second:
            self._scan()
        count = self._clear if size < 0 else min(size, self._clear)
        piece, self._buffer = self._buffer[:count], self._buffer[count:]
        self._clear -= count
        self.line += piece.count(b"\n")
        return piece

    def lines(self) -> Iterator[str]:
        """Lines with their ends, up to the next header."""
        rest = b""
        while piece := self.read(_BLOCK_BYTES):
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                yield line.decode() + "\n"
        if rest:
            yield rest.decode()

    def _scan(self) -> None:
        """Find how far there are whole lines and no header among them."""
        while b"\n" not in self._buffer and not self._ended and len(self._buffer) < _LONGEST_LINE:
            self._fill()
        end = len(self._buffer) if self._ended else self._buffer.rfind(b"\n") + 1 or len(self._buffer)
        at = self._buffer.find(self._needle, 0, end) if self._needle else -1
        while at >= 0:
            start = self._buffer.rfind(b"\n", 0, at) + 1
            stop = self._buffer.find(b"\n", at, end)
            stop = end if stop < 0 else stop
            if self._is_header(self._buffer[start:stop].decode(errors="replace")):
                self._clear, self._second = start, True
                return
            at = self._buffer.find(self._needle, stop, end)
        self._clear = end
        if self._ended and self._buffer:
            self.cut = not self._buffer.endswith(b"\n")

    def _fill(self) -> None:
        data = self._raw.read(_BLOCK_BYTES)
        self._ended = not data
        if self._decoder is not None:
            data = self._decoder.decode(data, final=self._ended).encode()
        if not self._begun:
            self._begun = bool(data)
            data = data.removeprefix(codecs.BOM_UTF8)
        if self._only_returns is None and (b"\n" in data or b"\r" in data[:-1]):
            self._only_returns = b"\n" not in data
        # Returns alone, of old; and what becomes of line ends that were translated twice.
        self._buffer += data.replace(b"\r", b"\n") if self._only_returns else data.replace(b"\r\r\n", b"\n")
