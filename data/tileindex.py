"""The index of one series on disk: which tiles are published, and when each was last used (docs/tiles.md)."""

from __future__ import annotations

import fcntl
import json
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import structlog

from data.months import month_name, parse_month
from data.tilefile import ENTRY, TileEntry, pack_entry, read_entry, unpack_entry
from errors import TileDamaged

MAGIC = b"RIWINDX\x01"
INDEX, USED, LOCK = "index", "used", "lock"
_HEAD = struct.Struct("<II")  # checksum of the rest, number of entries

Integers = npt.NDArray[np.int64]

_MARKED = np.dtype(  # the beginning of an entry
    {
        "names": ["month", "fingerprint", "generation"],
        "formats": ["<i4", "<u4", "<i8"],
        "offsets": [0, 4, 8],
        "itemsize": ENTRY.size,
    }
)

_log = structlog.get_logger(__name__)

Identity = tuple[int, int, int]


class Marks(NamedTuple):
    """Of each published tile, by month: what tells whether it is fresh; arrays of int64."""

    month: Integers
    generation: Integers
    fingerprint: Integers

    @property
    def nbytes(self) -> int:
        """What they take in memory."""
        return sum(array.nbytes for array in self)


NO_MARKS = Marks(*[np.empty(0, np.int64)] * 3)


def identity(folder: Path) -> Identity | None:
    """What changes whenever the index is published anew: inode, time, length; None when there is no index."""
    return identity_of(f"{folder}/{INDEX}")


def identity_of(index: str) -> Identity | None:
    """The same of an index file."""
    try:
        found = os.stat(index)  # noqa: PTH116 - thousands of them for one estimate
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def read_index(folder: Path) -> Mapping[int, TileEntry]:
    """Published tiles by month; a missing index is empty, a damaged one is rebuilt from the tiles and logged."""
    entries = _read(folder)
    if entries is not None:
        return entries
    with locked(folder):
        return read_index_locked(folder)


def read_index_locked(folder: Path) -> Mapping[int, TileEntry]:
    """The same for a caller that holds :func:`locked`."""
    entries = _read(folder)
    if entries is not None:
        return entries
    _log.warning("tile index damaged, rebuilt from its tiles", path=str(folder / INDEX))
    rebuilt = rebuild(folder)
    write_index(folder, rebuilt)
    return rebuilt


def _read(folder: Path) -> Mapping[int, TileEntry] | None:
    try:
        data = (folder / INDEX).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    return _parse(data)


def _body(data: bytes) -> bytes | None:
    """The entries of an index file; None of a damaged one."""
    body = data[len(MAGIC) + _HEAD.size :]
    if not data.startswith(MAGIC) or len(data) < len(MAGIC) + _HEAD.size:
        return None
    crc, count = _HEAD.unpack_from(data, len(MAGIC))
    return body if zlib.crc32(body) == crc and len(body) == count * ENTRY.size else None


def _parse(data: bytes) -> Mapping[int, TileEntry] | None:
    body = _body(data)
    if body is None:
        return None
    entries = (unpack_entry(body[at : at + ENTRY.size]) for at in range(0, len(body), ENTRY.size))
    return {entry.month: entry for entry in entries}


def read_marks(folder: Path) -> Marks:
    """What :func:`read_index` tells, in arrays and without an object for each tile."""
    try:
        data = (folder / INDEX).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return NO_MARKS
    body = _body(data)
    found = read_index(folder) if body is None else None  # a damaged one is mended first
    if found is not None:
        body = b"".join(pack_entry(found[month]) for month in sorted(found))
    table = np.frombuffer(body or b"", _MARKED)
    return Marks(*(np.ascontiguousarray(table[name], np.int64) for name in Marks._fields))


def write_index(folder: Path, entries: Mapping[int, TileEntry]) -> None:
    """Replace the index at once; the caller holds :func:`locked`. Same entries give the same bytes."""
    body = b"".join(pack_entry(entries[month]) for month in sorted(entries))
    replace_file(folder / INDEX, [MAGIC + _HEAD.pack(zlib.crc32(body), len(entries)), body])


def rebuild(folder: Path, month: int | None = None) -> dict[int, TileEntry]:
    """The index that the tiles of a folder (or of one month) make: of every month its newest whole tile."""
    found: dict[int, tuple[float, TileEntry]] = {}
    for path in folder.glob("*.tile" if month is None else f"{month_name(month)}.*.tile"):
        try:
            entry, written = read_entry(path), path.stat().st_mtime
        except (TileDamaged, FileNotFoundError):
            continue
        if entry.month not in found or found[entry.month][0] <= written:
            found[entry.month] = written, entry
    return {month: found[month][1] for month in sorted(found)}


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Alone among all threads and processes of the host that change this series' index."""
    with (folder / LOCK).open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def read_used(folder: Path) -> dict[int, int]:
    """When each month was last used, int ms UTC; what is lost or damaged counts as never."""
    try:
        used = json.loads((folder / USED).read_text())
        return {int(parse_month(name)): int(at) for name, at in used.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def write_used(folder: Path, used: Mapping[int, int]) -> None:
    """Keep when each month was last used; beside the index, so that readers need not read the index again."""
    text = json.dumps({month_name(month): at for month, at in sorted(used.items())})
    replace_file(folder / USED, [text.encode()])


def replace_file(path: Path, pieces: list[memoryview | bytes] | list[bytes]) -> None:
    """Write under a temporary name, then rename: readers see the old file or the new one, and a full disk leaves the old.

    Not flushed to the platter: what a power cut takes is noticed by its checksum and read from the source again.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}.tmp")
    try:
        with draft.open("xb", buffering=0) as file:
            for piece in pieces:
                view = memoryview(piece)
                while view:
                    view = view[file.write(view) :]
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
