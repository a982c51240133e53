"""A page as gzip, of which a large part is always the same: that is compressed once a process."""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache
from typing import Final

_LEVEL: Final = 5  # as of other answers (api/compression.py)
_RAW: Final = -zlib.MAX_WBITS  # deflate without a head of its own
_HEAD: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # RFC 1952: deflate, no name, no time, any system


def gzip_page(before: bytes, same: bytes, after: bytes) -> bytes:
    """Return three parts as one member of gzip (RFC 1952). ``same`` should be one object each time.

    Blocks of deflate that end at a byte and look back at nothing before them may be put together;
    several members may not: browsers read the first alone.
    """
    crc = zlib.crc32(after, zlib.crc32(same, zlib.crc32(before)))
    size = (len(before) + len(same) + len(after)) & 0xFFFFFFFF
    body = _deflated(before, zlib.Z_SYNC_FLUSH) + _deflated_once(same) + _deflated(after, zlib.Z_FINISH)
    return _HEAD + body + struct.pack("<II", crc, size)


def _deflated(part: bytes, end: int) -> bytes:
    made = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW)
    return made.compress(part) + made.flush(end)


@lru_cache(maxsize=1)
def _deflated_once(part: bytes) -> bytes:
    return _deflated(part, zlib.Z_SYNC_FLUSH)
