"""The index of one series on disk: which tiles are published,
and when each was last used (docs/tiles.md).
"""

from __future__ import annotations

import fcntl
import json
import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import structlog

from data.arrays import Integers
from data.tiles.format import ENTRY, TileEntry, pack_entry, read_entry
from data.time.months import month_name, parse_month
from errors import TileDamaged

MAGIC = b"RIWINDX\x01"
INDEX, USED, LOCK = "index", "used", "lock"
_HEAD = struct.Struct("<II")  # checksum of the rest, number of entries


_MARKED = np.dtype(  # some parts of an entry
    {
        "names": ["month", "fingerprint", "generation", "rows", "flagged", "crc"],
        "formats": ["<i4", "<u4", "<i8", "<i8", "<i8", "<u4"],
        "offsets": [0, 4, 8, 16, 24, 60],
        "itemsize": ENTRY.size,
    }
)

_log = structlog.get_logger(__name__)

Identity = tuple[int, int, int]


class Marks(NamedTuple):
    """Of each published tile, by month: what tells whether it is fresh, and how many rows it has;
    arrays of int64 (see :class:`TileEntry`).
    """

    month: Integers
    generation: Integers
    fingerprint: Integers
    rows: Integers
    flagged: Integers
    crc: Integers

    @property
    def nbytes(self) -> int:
        """Return how many bytes the arrays take in memory."""
        return sum(array.nbytes for array in self)


NO_MARKS = Marks(*[np.empty(0, np.int64)] * len(Marks._fields))


def identity(folder: Path) -> Identity | None:
    """Return inode, time and length, which change whenever the index is published anew;
    None when there is no index.
    """
    try:
        found = os.stat(f"{folder}/{INDEX}")  # noqa: PTH116 - thousands of them for one estimate
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def read_index(folder: Path) -> Mapping[int, TileEntry]:
    """Published tiles by month; a missing index is empty,
    a damaged one is rebuilt from the tiles and logged.
    """
    body = _body(folder)
    if body is not None:
        return _entries(body)
    with locked(folder):
        return read_index_locked(folder)


def read_index_locked(folder: Path) -> Mapping[int, TileEntry]:
    """Return the entries of an index by month, for a caller that holds :func:`locked`."""
    body = _body(folder)
    if body is not None:
        return _entries(body)
    _log.warning("tile index damaged, rebuilt from its tiles", path=str(folder / INDEX))
    rebuilt = rebuild(folder)
    write_index(folder, rebuilt)
    return rebuilt


def read_marks(folder: Path) -> Marks:
    """Return what :func:`read_index` does, in arrays and without an object for each tile."""
    body = _body(folder)
    if body is None:
        read_index(folder)  # mends it
        body = _body(folder)
    table = np.frombuffer(body or b"", _MARKED)
    return Marks(*(np.ascontiguousarray(table[name], np.int64) for name in Marks._fields))


def _body(folder: Path) -> bytes | None:
    """The entries of an index file, none where there is no file; None of a damaged one."""
    try:
        with open(f"{folder}/{INDEX}", "rb", buffering=0) as file:  # noqa: PTH123 - as for identity
            data = file.readall()
    except (FileNotFoundError, NotADirectoryError):
        return b""
    return _checked(data)


def _checked(data: bytes) -> bytes | None:
    """The entries in the bytes of an index; None of damaged ones."""
    body = data[len(MAGIC) + _HEAD.size :]
    if not data.startswith(MAGIC) or len(data) < len(MAGIC) + _HEAD.size:
        return None
    crc, count = _HEAD.unpack_from(data, len(MAGIC))
    return body if zlib.crc32(body) == crc and len(body) == count * ENTRY.size else None


def _entries(body: bytes) -> Mapping[int, TileEntry]:
    entries = (TileEntry(*values) for values in ENTRY.iter_unpack(body))
    return {entry.month: entry for entry in entries}


def pack_index(entries: Mapping[int, TileEntry]) -> bytes:
    """Return the bytes of an index. Same entries give the same bytes."""
    body = b"".join(pack_entry(entries[month]) for month in sorted(entries))
    return MAGIC + _HEAD.pack(zlib.crc32(body), len(entries)) + body


def unpack_index(data: bytes) -> Mapping[int, TileEntry] | None:
    """Return the entries in the bytes of an index by month; None of damaged ones."""
    body = _checked(data)
    return None if body is None else _entries(body)


def write_index(folder: Path, entries: Mapping[int, TileEntry]) -> None:
    """Replace the index at once, under :func:`locked`."""
    replace_file(folder / INDEX, [pack_index(entries)])


def merged(known: Mapping[int, TileEntry], fresh: Mapping[int, TileEntry], ordered: bool) -> dict[int, TileEntry]:
    """Return what an index of ``known`` tiles names when others are published: no older generation
    in place of a newer one, where they are ``ordered``.
    """
    late = {month for month, entry in fresh.items() if ordered and month in known and entry.generation < known[month].generation}
    return {**known, **{month: entry for month, entry in fresh.items() if month not in late}}


def replaced(
    known: Mapping[int, TileEntry], fresh: Mapping[int, TileEntry], shown: Mapping[int, TileEntry]
) -> Iterator[TileEntry]:
    """Yield the tiles whose file is no longer wanted after :func:`merged`."""
    for month in fresh.keys() & known.keys():
        yield from (entry for entry in (known[month], fresh[month]) if entry.file_name != shown[month].file_name)


def rebuild(folder: Path, month: int | None = None) -> dict[int, TileEntry]:
    """Make the index of a folder's tiles (or of one month's): each month's newest whole one."""
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
def locked(folder: Path, lock: str = LOCK) -> Iterator[None]:
    """Alone among all threads and processes of the host that change this series' index."""
    with (folder / lock).open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def read_used(folder: Path) -> dict[int, int]:
    """Return when each month was last used, int ms UTC; what is lost or damaged counts as never."""
    try:
        used = json.loads((folder / USED).read_text())
        return {int(parse_month(name)): int(at) for name, at in used.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def write_used(folder: Path, used: Mapping[int, int]) -> None:
    """Keep when each month was last used, beside the index, which need not be read again."""
    text = json.dumps({month_name(month): at for month, at in sorted(used.items())})
    replace_file(folder / USED, [text.encode()])


def replace_file(path: Path, pieces: Iterable[memoryview | bytes]) -> None:
    """Write under a temporary name, then rename: readers see the old file or the new one,
    and a full disk leaves the old.

    Not flushed to the platter: what a power cut takes is noticed by its checksum
    and read from the source again.
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
