"""A request as its bytes come in, until it is whole:
what a server can collect before it gives a thread to it.

Only where a request ends is found out here (RFC 9112);
what it says is for the server's own parser to understand, and to refuse.
"""

from __future__ import annotations

import re
from typing import Final

MOST_HEAD_BYTES: Final = 64 << 10
# twice of what the site takes: what is only a little too long gets an answer
MOST_BODY_BYTES: Final = 8 << 20

_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,15})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked[ \t]*\r\n", re.IGNORECASE)
_EXPECTS: Final = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*\r\n", re.IGNORECASE)
_SIZE: Final = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(;[^\r\n]*)?\r\n")


class RequestBuffer:
    """What has come of one request, and of those that were sent behind it."""

    def __init__(self, begun: bytes = b"") -> None:
        self._text = bytearray(begun)
        self._body = 0  # where the body begins; 0: the head is not there yet
        self._end: int | None = None  # of the request; None: not known yet
        self._chunk = 0  # where the next chunk's size is to be; 0: the body does not come in chunks
        self.is_broken = False  # its chunks are none; known when it is whole

    def __len__(self) -> int:
        return len(self._text)

    def add(self, piece: bytes) -> None:
        """Take what has come."""
        self._text += piece

    @property
    def has_head(self) -> bool:
        """Whether what comes now is the body."""
        return bool(self._body)

    @property
    def too_long(self) -> bool:
        """Whether more has come of the head or the body than any request of the site has."""
        return len(self._text) - self._body > (MOST_BODY_BYTES if self._body else MOST_HEAD_BYTES)

    @property
    def is_whole(self) -> bool:
        """Whether nothing of the request is missing, or its body need not be waited for,
        because it is too long.
        """
        if not self._body and not self._find_body():
            return False
        if self._chunk:
            self._find_last_chunk()
        return self._end is not None and (len(self._text) >= self._end or self._end - self._body > MOST_BODY_BYTES)

    @property
    def is_torn(self) -> bool:
        """Whether a part of the request is not there, for it is too long to be waited for."""
        return self._end is None or self._end > len(self._text)

    @property
    def expects_continue(self) -> bool:
        """Whether the head is there, and the client sends the body when it is told to."""
        return not self.is_whole and self.has_head and _EXPECTS.search(self._head) is not None

    @property
    def first_line(self) -> bytes:
        """Method, path and version; as much of it as has come."""
        return bytes(self._text[: max(self._text.find(b"\r\n"), 0)])

    def cut(self) -> tuple[bytes, bytes]:
        """The request, and what came behind it."""
        end = len(self._text) if self._end is None else self._end
        return bytes(self._text[:end]), bytes(self._text[end:])

    @property
    def _head(self) -> bytes:
        return bytes(self._text[: self._body - 2])  # each line of it with its end

    def _find_body(self) -> bool:
        # an empty line before a request is not part of it
        begin = 2 if self._text[:2] == b"\r\n" else 0
        found = self._text.find(b"\r\n\r\n", begin)
        if found < 0:
            return False
        self._body = found + 4
        length = _LENGTH.search(self._head)
        if _CHUNKED.search(self._head):
            self._chunk = self._body
        else:
            self._end = self._body + (int(length[1]) if length else 0)
        return True

    def _find_last_chunk(self) -> None:
        """Step from chunk to chunk as far as they are there."""
        while self._end is None and self._chunk < len(self._text):
            size = _SIZE.match(self._text, self._chunk)
            self.is_broken = self._text[self._chunk - 2 : self._chunk] != b"\r\n"
            if size is None or self.is_broken:
                self.is_broken = self.is_broken or b"\r\n" in self._text[self._chunk : self._chunk + 256]
                self._end = len(self._text) if self.is_broken else None
                return
            if int(size[1], 16) == 0:
                closed = self._text.find(b"\r\n\r\n", size.end() - 2)  # trailers may stand between
                self._end = closed + 4 if closed >= 0 else None
                return
            self._chunk = size.end() + int(size[1], 16) + 2
            if self._chunk - self._body > MOST_BODY_BYTES:
                self._end = self._chunk  # of the part that is too long already
