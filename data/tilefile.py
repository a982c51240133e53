"""The bytes of one tile (docs/tiles.md): a header, the rows, the summaries of their blocks."""

from __future__ import annotations

import mmap
import os
import struct
import zlib
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path

import numpy as np
import numpy.typing as npt

from data.blocks import BLOCK_ROWS, Array, Blocks, concatenate, fields, pad_rows, steps_of, summarise
from data.clean import Cleaned
from data.months import month_bounds_ms, month_name
from errors import TileDamaged

MAGIC = b"RIWTILE\x01"
HEADER_BYTES = 128
SLICE_ROWS = 256 * BLOCK_ROWS  # summarised at a time
ENTRY = struct.Struct("<iIqqqqqqIIIII")
_CRC = struct.Struct("<I")


@dataclass(frozen=True)
class TileEntry:
    """What the index knows of one tile; times int ms UTC (the month's start when there is no row).

    ``generation`` is the inventory's when the rows were read, ``fingerprint`` the sensor's; ``bytes`` the file's length,
    ``step_ms`` the usual pause between rows (0 unknown), ``crc`` that of everything after the header.
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
        """Names what the file holds: a newer reading of the month never overwrites one that readers may still open."""
        return f"{month_name(self.month)}.{self.generation & 0xFFFF_FFFF_FFFF_FFFF:x}-{self.fingerprint:08x}.tile"


def pack_entry(entry: TileEntry) -> bytes:
    """The entry's bytes in a header or an index; :func:`unpack_entry` is the inverse."""
    return ENTRY.pack(*asdict(entry).values())


def unpack_entry(data: bytes) -> TileEntry:
    """The entry that :func:`pack_entry` wrote."""
    return TileEntry(*ENTRY.unpack(data))


class Tile:
    """One month of one series, over the bytes of its file; nothing of them is read before it is asked for."""

    __slots__ = ("_parts", "entry")

    def __init__(self, entry: TileEntry, parts: npt.NDArray[np.void]) -> None:
        self.entry = entry
        self._parts = parts

    @property
    def times(self) -> npt.NDArray[np.int64]:
        """[blocks, 256], int ms UTC; the last block repeats the last row, here and below."""
        return self._part("times").reshape(-1, BLOCK_ROWS)

    @property
    def values(self) -> npt.NDArray[np.float64]:
        """[blocks, 256]."""
        return self._part("values").reshape(-1, BLOCK_ROWS)

    @property
    def flags(self) -> npt.NDArray[np.uint8]:
        """[blocks, 256]."""
        return self._part("flags").reshape(-1, BLOCK_ROWS)

    @property
    def start(self) -> Array:
        """u4[blocks]: the time of each block's first row, ms since the month began."""
        return self._part("start")

    @property
    def step(self) -> Array:
        """u4[blocks]: its usual pause in ms."""
        return self._part("step")

    @property
    def good(self) -> Blocks:
        """Summaries of the unflagged rows."""
        return self._blocks("good")

    @property
    def flagged(self) -> Blocks:
        """Summaries of the flagged rows of those blocks that have any,"""
        return self._blocks("flagged")

    @property
    def flagged_at(self) -> Array:
        """And which blocks these are: u4."""
        return self._part("flagged_at")

    def _part(self, name: str) -> Array:
        found: Array = self._parts[name][0]
        return found

    def _blocks(self, which: str) -> Blocks:
        return Blocks(**{name: self._part(f"{which}.{name}") for name, _ in fields(bool(self.entry.direction))})


@lru_cache(maxsize=1024)
def _layout(blocks: int, flagged: int, direction: bool) -> np.dtype[np.void]:
    """Where the parts of a file are; months have few different lengths."""
    names = fields(direction)
    parts = [("times", "<i8", blocks * BLOCK_ROWS), ("values", "<f8", blocks * BLOCK_ROWS), ("flags", "u1", blocks * BLOCK_ROWS)]
    parts += [(f"good.{name}", dtype, blocks) for name, dtype in names]
    parts += [("start", "<u4", blocks), ("step", "<u4", blocks)]
    parts += [(f"flagged.{name}", dtype, flagged) for name, dtype in names] + [("flagged_at", "<u4", flagged)]
    sizes = [-(-np.dtype(dtype).itemsize * count // 8) * 8 for _, dtype, count in parts]
    *begins, end = accumulate([HEADER_BYTES, *sizes])
    formats = [(dtype, (count,)) for _, dtype, count in parts]
    return np.dtype({"names": [name for name, *_ in parts], "formats": formats, "offsets": begins, "itemsize": end})


def encode(month: int, cleaned: Cleaned, *, generation: int, fingerprint: int) -> tuple[TileEntry, list[memoryview | bytes]]:
    """A tile's entry and the bytes of its file, in pieces.

    Raises:
        ValueError: a row lies outside the month.
    """
    begin, end = month_bounds_ms(month)
    rows = len(cleaned.times)
    if rows and not (begin <= cleaned.times[0] and cleaned.times[-1] < end):
        raise ValueError(f"rows outside {month_name(month)}")
    good, flagged_at, flagged, start, step = _summaries(cleaned, begin)
    parts: list[Array] = [*(array for _, array in good.arrays()), start, step]
    parts += [*(array for _, array in flagged.arrays()), flagged_at]
    payload: list[memoryview | bytes] = []
    for column in (cleaned.times, cleaned.values, cleaned.flags):  # not padded as a whole, which would copy it
        payload += [_bytes(column), np.repeat(column[-1:], -rows % BLOCK_ROWS).tobytes()]
    for part in parts:
        payload += [_bytes(part), bytes(-part.nbytes % 8)]
    crc = 0
    for piece in payload:
        crc = zlib.crc32(piece, crc)
    entry = TileEntry(
        month=month,
        fingerprint=fingerprint,
        generation=generation,
        rows=rows,
        flagged=int(np.count_nonzero(cleaned.flags)),
        first_ms=int(cleaned.times[0]) if rows else begin,
        last_ms=int(cleaned.times[-1]) if rows else begin,
        bytes=HEADER_BYTES + sum(len(piece) for piece in payload),
        step_ms=int(np.median(step[step > 0])) if (step > 0).any() else 0,
        crc=crc,
        blocks=len(good),
        flagged_blocks=len(flagged),
        direction=int(cleaned.direction),
    )
    return entry, [_header(entry), *payload]


def _bytes(array: Array) -> memoryview | bytes:
    return np.ascontiguousarray(array).data.cast("B") if array.size else b""


def _summaries(cleaned: Cleaned, begin: int) -> tuple[Blocks, Array, Blocks, Array, Array]:
    """Blocks of the unflagged rows; which blocks have flagged rows; blocks of those; first time and pause of each block.

    A slice after the other: what they need in between is many times the rows, and stays in the processor's cache this way.
    """
    parts = [_slice_summaries(cleaned, begin, low) for low in range(0, len(cleaned.times), SLICE_ROWS)]
    good, flagged_at, flagged, start, step = zip(*parts, strict=True) if parts else ((),) * 5
    empty = np.empty(0, np.uint32)
    at, first, pause = (np.concatenate([empty, *arrays]) for arrays in (flagged_at, start, step))
    return concatenate(good, cleaned.direction), at, concatenate(flagged, cleaned.direction), first, pause


def _slice_summaries(cleaned: Cleaned, begin: int, low: int) -> tuple[Blocks, Array, Blocks, Array, Array]:
    """The same of the slice that begins with row ``low``."""
    times, values, flags = (pad_rows(array[low : low + SLICE_ROWS]) for array in (cleaned.times, cleaned.values, cleaned.flags))
    rows, direction = min(SLICE_ROWS, len(cleaned.times) - low), cleaned.direction
    since = (times - begin).astype(np.uint32)
    good = summarise(since, values, None, direction)
    is_row = np.arange(values.size).reshape(values.shape) < rows if rows % BLOCK_ROWS else None
    flagged_at = np.flatnonzero(flags.any(axis=1)).astype(np.uint32)
    partial = flagged_at if is_row is None else _with_last(flagged_at, len(values) - 1)
    chosen = flags[partial] == 0 if is_row is None else (flags[partial] == 0) & is_row[partial]
    exact = summarise(since[partial], values[partial], chosen, direction)
    for (_, array), (_, right) in zip(good.arrays(), exact.arrays(), strict=True):
        array[partial] = right
    bad = flags[flagged_at] != 0 if is_row is None else (flags[flagged_at] != 0) & is_row[flagged_at]
    flagged = summarise(since[flagged_at], values[flagged_at], bad, direction)
    return good, flagged_at + np.uint32(low // BLOCK_ROWS), flagged, since[:, 0], steps_of(since, rows)


def _with_last(numbers: Array, last: int) -> Array:
    """Increasing numbers up to ``last``, which is among them now."""
    return np.append(numbers[numbers < last], np.uint32(last))


def _header(entry: TileEntry) -> bytes:
    head = MAGIC + struct.pack("<II", BLOCK_ROWS, HEADER_BYTES) + pack_entry(entry)
    head = head.ljust(HEADER_BYTES - _CRC.size, b"\0")
    return head + _CRC.pack(zlib.crc32(head))


def read_entry(path: Path) -> TileEntry:
    """The entry in a tile's header; header and the file's length are checked.

    Raises:
        TileDamaged: what is there is not a whole tile.
        FileNotFoundError: there is no such file.
    """
    with path.open("rb") as file:
        return _checked(file.read(HEADER_BYTES), os.fstat(file.fileno()).st_size, path)


def _checked(head: bytes, length: int, path: Path | str) -> TileEntry:
    whole = len(head) == HEADER_BYTES and head.startswith(MAGIC)
    if not whole or zlib.crc32(head[: -_CRC.size]) != _CRC.unpack(head[-_CRC.size :])[0]:
        raise TileDamaged("The tile {path} has a damaged header.", path=path)
    entry = unpack_entry(head[len(MAGIC) + 8 :][: ENTRY.size])
    if entry.bytes != length:
        raise TileDamaged("The tile {path} has {length} bytes, not {expected}.", path=path, length=length, expected=entry.bytes)
    return entry


def open_tile(path: Path | str, *, mapped: bool = True) -> Tile:
    """A tile of a file: mapped into memory (right on local disks only), else read whole.

    Raises:
        TileDamaged: header or length are wrong.
        FileNotFoundError: there is no such file.
    """
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - thousands for one view
        length = os.fstat(file.fileno()).st_size
        if length < HEADER_BYTES:
            raise TileDamaged("The tile {path} has a damaged header.", path=path)
        data: mmap.mmap | bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if mapped else file.read()
    return decode(data, length, path)


def decode(data: mmap.mmap | bytes, length: int, path: Path | str) -> Tile:
    """A tile over the bytes of a file, without copying; raises TileDamaged when header or length are wrong."""
    entry = _checked(data[:HEADER_BYTES], length, path)
    layout = _layout(entry.blocks, entry.flagged_blocks, bool(entry.direction))
    if layout.itemsize != length:
        raise TileDamaged("The tile {path} does not hold what its header says.", path=path)
    return Tile(entry, np.frombuffer(data, layout, 1))


def verify_tile(path: Path) -> TileEntry:
    """Check everything: the header, the length, the checksum of all bytes, and that times increase.

    Raises:
        TileDamaged: saying what is wrong.
        FileNotFoundError: there is no such file.
    """
    data = path.read_bytes()
    tile = decode(data, len(data), path)
    if zlib.crc32(memoryview(data)[HEADER_BYTES:]) != tile.entry.crc:
        raise TileDamaged("The tile {path} fails its checksum.", path=path)
    times = tile.times.reshape(-1)[: tile.entry.rows]
    if not (times[1:] > times[:-1]).all():
        raise TileDamaged("The tile {path} is not sorted.", path=path)
    return tile.entry
