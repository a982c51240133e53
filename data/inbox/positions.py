"""How far watched files have been read: durable, beside the data.

A position knows its file by what the file begins with and by what stands just before the position:
by times of files alone a file that was put in another's place would not be told.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

_HEAD_BYTES: Final = 4096
_TAIL_BYTES: Final = 512
_KEPT_S: Final = 180 * 86_400.0  # of files that are no longer there


@dataclass(frozen=True)
class Position:
    """``offset``: bytes of the file that were taken; ``line``: number of the line that follows
    (from 1); ``header``: the lines that name its columns; ``mark`` of what was taken.
    """

    path: str
    offset: int
    line: int
    header: bytes
    mark: str

    def fits(self, file: IO[bytes], size: int) -> bool:
        """Return whether a file is the one that was read, perhaps with more at its end."""
        return size >= self.offset and mark_of(file, self.offset) == self.mark


def mark_of(file: IO[bytes], offset: int) -> str:
    """Return what tells a file that was read up to ``offset`` from others."""
    file.seek(0)
    head = file.read(min(offset, _HEAD_BYTES))
    file.seek(max(0, offset - _TAIL_BYTES))
    return f"{_digest(head)}-{_digest(file.read(min(offset, _TAIL_BYTES)))}"


def _digest(some: bytes) -> str:
    return hashlib.sha256(some).hexdigest()[:32]


class Positions:
    """The positions of all watched files, in a file of SQLite; one process writes it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        with self._connection() as connection:
            connection.execute(
                "create table if not exists position"
                " (path text primary key, position integer, line integer, header blob, mark text, seen_s real)"
            )
            rows = connection.execute("select path, position, line, header, mark, seen_s from position").fetchall()
            oldest = time.time() - _KEPT_S
            gone = [(row[0],) for row in rows if row[5] < oldest and not Path(row[0]).exists()]
            connection.executemany("delete from position where path = ?", gone)
        self._known = {row[0]: Position(*row[:5]) for row in rows if (row[0],) not in gone}

    def find(self, path: Path) -> Position | None:
        """Return how far a file has been read; None: not at all."""
        return self._known.get(str(path))

    def of_content(self, file: IO[bytes], size: int) -> Position | None:
        """Return the furthest position of any name that fits a file: one that was renamed. Of files
        that begin otherwise nothing more is read, however many are known.
        """
        file.seek(0)
        head = file.read(_HEAD_BYTES)
        begins = {length: _digest(head[:length]) for length in {min(each.offset, _HEAD_BYTES) for each in self._known.values()}}
        alike = [each for each in self._known.values() if each.mark.startswith(begins[min(each.offset, _HEAD_BYTES)])]
        return next((each for each in sorted(alike, key=lambda each: -each.offset) if each.fits(file, size)), None)

    def save(self, positions: Iterable[Position]) -> None:
        """Keep positions; returns when they are on the disk."""
        some = list(positions)
        with self._connection() as connection:
            connection.executemany(
                "replace into position values (?, ?, ?, ?, ?, ?)",
                [(each.path, each.offset, each.line, each.header, each.mark, time.time()) for each in some],
            )
        self._known |= {each.path: each for each in some}

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=30)) as connection:
            connection.execute("pragma synchronous = full")
            with connection:
                yield connection
