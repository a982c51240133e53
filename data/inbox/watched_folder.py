"""Files that loggers append to or drop into a folder: what is new in each."""

from __future__ import annotations

import codecs
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Final

from data.catalogue import Catalogue
from data.inbox.arrivals import Arrivals
from data.inbox.files import read_sent_file
from data.inbox.headed_lines import LineReader, refuse_unwatched, whole_lines
from data.inbox.positions import Position, Positions, mark_of
from data.inbox.rejected_items import RejectedItem, rejected_item
from data.ingest.file_plan import FilePlan, ImportOptions, plan_file
from data.ingest.opening import opened
from errors import ImportRejected

_PIECE_BYTES: Final = 4 << 20
_WHOLE_BYTES: Final = 64_000_000  # of a file that is read as a whole
_UNFINISHED: Final = ("~", ".tmp", ".temp", ".part", ".partial", ".filepart", ".swp")


@dataclass(frozen=True)
class WatchedFolder:
    """A folder, and how its files are read."""

    path: Path
    wishes: ImportOptions

    @property
    def reading(self) -> str:
        """Return how its files are read, as text that is kept with what could not be."""
        wishes = self.wishes
        return json.dumps({"profile": wishes.profile, "station": wishes.station, "timezone": wishes.timezone})


@dataclass(frozen=True)
class FilePiece:
    """What a part of a file holds, and the position after it."""

    arrivals: tuple[Arrivals, ...]
    rejected: tuple[RejectedItem, ...]
    position: Position


@dataclass(frozen=True)
class FileLook:
    """A file as the folder lists it: ``size`` in bytes, ``changed`` in ns since 1970."""

    path: Path
    size: int
    changed: int


class FolderReader:
    """Reads what is new in files of a folder; keeps nothing itself."""

    def __init__(self, folder: WatchedFolder, catalogue: Catalogue, positions: Positions) -> None:
        self.folder, self._catalogue, self._positions = folder, catalogue, positions

    def files(self) -> Iterator[FileLook]:
        """Yield all files with something in them, those that are not known first: one that was
        renamed is told by its old position, which a new one of its name replaces.

        Raises:
            OSError: the folder cannot be listed.
        """
        os.scandir(self.folder.path).close()
        found = []
        for folder, _, names in os.walk(self.folder.path):
            for name in names:
                if name.startswith(".") or name.lower().endswith(_UNFINISHED):
                    continue
                path = Path(folder) / name
                try:
                    stat = path.stat()
                except OSError:  # gone meanwhile, or not ours to see
                    continue
                if path.is_file() and stat.st_size:
                    found.append(FileLook(path, stat.st_size, stat.st_mtime_ns))
        yield from sorted(found, key=lambda each: (self._positions.find(each.path) is not None, str(each.path)))

    def pieces(self, look: FileLook, *, at_rest: bool) -> Iterator[FilePiece | None]:
        """Yield what is new in a file, some megabytes at a time; None where it is to be looked at
        again when it is at rest: binary, JSON and packed files are read as a whole.

        Raises:
            ImportRejected, UnknownSensor, ConfigurationError: it cannot be read, with what to do.
            OSError: it is gone, or the network share is.
        """
        with look.path.open("rb") as file:
            position = self._position(look, file)
            if position is None:
                yield from self._first(look, file, at_rest=at_rest)
            elif position.line:
                yield from self._lines(look, file, position)
            elif position.offset < look.size:
                yield from self._whole(look, file, at_rest=at_rest)

    def plan(self, path: Path) -> FilePlan:
        """Decide how a file, or lines of one behind its header, are read."""
        return plan_file(path, self._catalogue, self.folder.wishes)

    def _position(self, look: FileLook, file: IO[bytes]) -> Position | None:
        known = self._positions.find(look.path)
        if known is not None and known.fits(file, look.size):
            return known
        renamed = self._positions.of_content(file, look.size)
        return None if renamed is None else replace(renamed, path=str(look.path))

    def _first(self, look: FileLook, file: IO[bytes], *, at_rest: bool) -> Iterator[FilePiece | None]:
        with opened(look.path) as whole:
            packed = whole.packed
        plan = self.plan(look.path)
        refuse_unwatched(plan)
        if packed or not plan.layout.is_text:
            yield from self._whole(look, file, at_rest=at_rest)
            return
        encoding = plan.layout.keys.encoding
        if codecs.lookup(encoding).name.startswith(("utf-16", "utf-32")):
            raise ImportRejected("{file} is {encoding} text; use manage.py import.", file=look.path, encoding=encoding)
        file.seek(0)
        lines = [file.readline() for _ in range(plan.layout.header_lines)]
        if all(line.endswith(b"\n") for line in lines):
            header = b"".join(lines)
            begin = Position(str(look.path), len(header), len(lines) + 1, header, mark_of(file, len(header)))
            yield from self._lines(look, file, begin, fresh=True)

    def _lines(self, look: FileLook, file: IO[bytes], position: Position, *, fresh: bool = False) -> Iterator[FilePiece]:
        """Yield pieces of whole lines; half a last one waits for its end."""
        reader = LineReader(self.plan, str(look.path))
        while True:
            file.seek(position.offset)
            data = file.read(_PIECE_BYTES)
            lines = whole_lines(data)
            if not lines and len(data) == _PIECE_BYTES:
                raise ImportRejected(
                    "{file}, line {line}: more than {mb} MB without an end of line.",
                    file=look.path,
                    line=position.line,
                    mb=_PIECE_BYTES >> 20,
                )
            read = reader.read(position.header, lines, position.line)
            if not read.taken:
                return
            if fresh and read.unread and not read.arrivals:
                raise read.unread[0].why  # not a file of this profile
            fresh = False
            offset = position.offset + sum(map(len, lines[: read.taken]))
            position = Position(str(look.path), offset, position.line + read.taken, read.header, mark_of(file, offset))
            rejected = [
                rejected_item(str(look.path), self.folder.reading, each.header, each.lines, each.why.message)
                for each in read.unread
            ]
            yield FilePiece(tuple(read.arrivals), tuple(rejected), position)

    def _whole(self, look: FileLook, file: IO[bytes], *, at_rest: bool) -> Iterator[FilePiece | None]:
        if look.size > _WHOLE_BYTES:
            raise ImportRejected(
                "{file} has {mb:.0f} MB; other files than plain text are watched up to {most:.0f} MB. Use manage.py import.",
                file=look.path,
                mb=look.size / 1e6,
                most=_WHOLE_BYTES / 1e6,
            )
        if not at_rest:
            yield None
            return
        sent = read_sent_file(look.path, self._catalogue, self.folder.wishes)
        yield FilePiece((sent.arrivals,), (), Position(str(look.path), look.size, 0, b"", mark_of(file, look.size)))
