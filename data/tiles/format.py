"""The format of one tile (docs/tiles.md): a header, the rows,
the summaries and checksums of their blocks.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from data.tiles.blocks import BLOCK_ROWS, Array, Blocks, fields
from data.time.months import month_name
from errors import TileDamaged

MAGIC = b"RIWTILE"
# versions: one checksum over all, or one a block and one over the summaries
WHOLE_SUM, BLOCK_SUMS = 1, 2
HEADER_BYTES = 128
TIME_BYTES = VALUE_BYTES = 8 * BLOCK_ROWS  # of a block
FLAG_BYTES = BLOCK_ROWS
BLOCK_BYTES = TIME_BYTES + VALUE_BYTES + FLAG_BYTES
ENTRY = struct.Struct("<iIqqqqqqIIIII")
_CRC = struct.Struct("<I")
_NO_FLAGS = zlib.crc32(bytes(FLAG_BYTES))


@dataclass(frozen=True)
class TileEntry:
    """What the index knows of one tile; times int ms UTC (the month's start when there is no row).

    ``generation`` is the inventory's when the rows were read, ``fingerprint`` the sensor's;
    ``bytes`` the file's length, ``step_ms`` the usual pause between rows (0 unknown), ``crc`` that
    of the summaries, whose checksums of blocks stand for the rows (of the first version: of
    everything after the header). So it differs whenever anything does.
    """

    month: int
    fingerprint: int
    generation: int
    rows: int
    flagged: int
    first_ms: int
    last_ms: int
    bytes: int
    step_ms: int
    crc: int
    blocks: int
    flagged_blocks: int
    direction: int

    @property
    def file_name(self) -> str:
        """Names what the file holds: a newer reading of the month never overwrites
        one that readers may still open.
        """
        return f"{month_name(self.month)}.{self.generation & 0xFFFF_FFFF_FFFF_FFFF:x}-{self.fingerprint:08x}.tile"


def pack_entry(entry: TileEntry) -> bytes:
    """The entry's bytes in a header or an index."""
    return ENTRY.pack(*asdict(entry).values())


class Summaries:
    """What a tile says of its blocks: everything that follows its rows, as an array a name.

    ``start`` u4[blocks] is the time of each block's first row, ms since the month began, ``step``
    u4[blocks] its usual pause in ms, ``row_sums`` u4[blocks] the checksum of its times and values,
    ``flag_sums`` u4[blocks] that of its flags; ``flagged_at`` u4 are the indices of the blocks with
    flagged rows. ``good.min`` and so on are the fields of the summaries of the unflagged rows,
    ``flagged.min`` those of the flagged rows of the blocks that have any.
    """

    __slots__ = ("_parts", "direction")

    def __init__(self, entry: TileEntry, version: int, data: npt.NDArray[np.uint8]) -> None:
        self.direction = bool(entry.direction)
        self._parts = data.view(layout(entry, version))

    def __getitem__(self, name: str) -> Array:
        found: Array = self._parts[name][0]
        return found

    def blocks(self, which: Literal["good", "flagged"]) -> Blocks:
        """Summaries of the unflagged or of the flagged rows."""
        return Blocks(**{name: self[f"{which}.{name}"] for name, _ in fields(self.direction)})


def rows_bytes(entry: TileEntry) -> int:
    """Bytes of a tile's rows, which lie between its header and its summaries."""
    return entry.blocks * BLOCK_BYTES


def layout(entry: TileEntry, version: int) -> np.dtype[np.void]:
    """Return where the parts of a tile's summaries are."""
    return layout_of(entry.blocks, entry.flagged_blocks, bool(entry.direction), version)


@lru_cache(maxsize=1024)
def layout_of(blocks: int, flagged: int, direction: bool, version: int = BLOCK_SUMS) -> np.dtype[np.void]:
    """The same by what it depends on: months have few different lengths."""
    names = fields(direction)
    parts = [(f"good.{name}", dtype, blocks) for name, dtype in names]
    parts += [("start", "<u4", blocks), ("step", "<u4", blocks)]
    parts += [(f"flagged.{name}", dtype, flagged) for name, dtype in names] + [("flagged_at", "<u4", flagged)]
    parts += [("row_sums", "<u4", blocks), ("flag_sums", "<u4", blocks)] if version >= BLOCK_SUMS else []
    sizes = [-(-np.dtype(dtype).itemsize * count // 8) * 8 for _, dtype, count in parts]
    *begins, end = accumulate([0, *sizes])
    formats = [(dtype, (count,)) for _, dtype, count in parts]
    return np.dtype({"names": [name for name, *_ in parts], "formats": formats, "offsets": begins, "itemsize": end})


def header(entry: TileEntry) -> bytes:
    """The first bytes of a tile's file."""
    head = MAGIC + bytes([BLOCK_SUMS]) + struct.pack("<II", BLOCK_ROWS, HEADER_BYTES) + pack_entry(entry)
    head = head.ljust(HEADER_BYTES - _CRC.size, b"\0")
    return head + _CRC.pack(zlib.crc32(head))


def read_entry(path: Path) -> TileEntry:
    """The entry in a tile's header; header and the file's length are checked.

    Raises:
        TileDamaged: what is there is not a whole tile.
        FileNotFoundError: there is no such file.
    """
    with path.open("rb") as file:
        return parse_header(file.read(HEADER_BYTES), os.fstat(file.fileno()).st_size, path)[0]


def is_whole(path: Path, entry: TileEntry) -> bool:
    """Return whether a file is the tile that an entry names, by its header."""
    try:
        return read_entry(path) == entry
    except (TileDamaged, FileNotFoundError):
        return False


def parse_header(head: bytes, length: int, path: Path | str) -> tuple[TileEntry, int]:
    """Entry and version that the first bytes of a file of some length tell.

    Raises:
        TileDamaged: they are not those of a whole tile.
    """
    version = head[len(MAGIC)] if len(head) == HEADER_BYTES and head.startswith(MAGIC) else 0
    if version not in (WHOLE_SUM, BLOCK_SUMS) or zlib.crc32(head[: -_CRC.size]) != _CRC.unpack(head[-_CRC.size :])[0]:
        raise TileDamaged("The tile {path} has a damaged header.", path=path)
    entry = TileEntry(*ENTRY.unpack_from(head, len(MAGIC) + 1 + 8))
    if entry.bytes != length:
        raise TileDamaged("The tile {path} has {length} bytes, not {expected}.", path=path, length=length, expected=entry.bytes)
    if HEADER_BYTES + rows_bytes(entry) + layout(entry, version).itemsize != length:
        raise TileDamaged("The tile {path} does not hold what its header says.", path=path)
    return entry, version


def checksum(data: Array, before: int = 0) -> int:
    """CRC-32 of the bytes of a contiguous array, going on from that of what lies ``before``."""
    return zlib.crc32(data.data, before)


def row_sums(times: Array, values: Array) -> Array:
    """Return the checksums u4[blocks] of times and values, [blocks, 256] each, contiguous."""
    # thousands for one view: nothing between it and the rows of an array
    crc32: Callable[..., int] = zlib.crc32
    return np.fromiter(map(crc32, values, map(crc32, times)), np.uint32, len(times))


def flag_sums(flags: Array) -> Array:
    """Return the checksums u4[blocks] of each block's flags, u1 [blocks, 256]."""
    sums = np.full(len(flags), _NO_FLAGS, np.uint32)
    for at in np.flatnonzero(flags.any(axis=1)).tolist():
        sums[at] = checksum(flags[at])
    return sums
