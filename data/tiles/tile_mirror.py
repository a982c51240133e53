"""Tiles in object storage, and the copies of them in the folder of a host (docs/decisions/0048).

``tiles/SOURCE/STATION/SENSOR/2019-03.7-6e51b309-89abcdef.tile`` is named for what is in it: month,
generation, fingerprint, checksum.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Final

import structlog

from data.tiles import index as tile_index
from data.tiles import paths
from data.tiles.file import verify_tile
from data.tiles.format import HEADER_BYTES, TileEntry, is_whole, parse_header
from data.tiles.object_store import ABSENT, ObjectStore
from data.tiles.series import SeriesKey
from errors import StorageUnavailable, TileDamaged

FETCH_S: Final = 20.0  # of a page, for tiles that its host lacks
TILES: Final = "tiles"

_log = structlog.get_logger(__name__)


class TileMirror:
    """Brings tiles from object storage into a folder, and back. Threads may share it."""

    def __init__(self, objects: ObjectStore, root: Path) -> None:
        self._objects = objects
        self._root = root

    def upload(self, key: SeriesKey, entries: Iterable[TileEntry]) -> dict[int, TileEntry]:
        """Put tiles of the folder into the storage; return what was put, by month.

        Raises:
            FileNotFoundError: one is neither here nor published.
            StorageUnavailable: the storage does not answer.
        """
        folder = self._root / paths.folder_name(key)
        published = tile_index.read_index(folder)

        def put(entry: TileEntry) -> TileEntry:
            path = folder / entry.file_name
            if published.get(entry.month) == entry:
                return entry
            data = path.read_bytes()
            found = parse_header(data[:HEADER_BYTES], len(data), path)[0]
            self._objects.put(object_name(key, found), data, ABSENT)
            return found

        return {entry.month: entry for entry in self._objects.each(put, entries)}

    def remove(self, key: SeriesKey, entries: Collection[TileEntry]) -> None:
        """Remove tiles that no index names any more; what cannot be is left to ``tiles verify``."""
        try:
            self._objects.delete([object_name(key, entry) for entry in entries])
        except StorageUnavailable as exc:
            _log.warning("replaced tiles not removed", station=key.station, sensor=key.sensor, reason=exc.message)

    def fetch(self, key: SeriesKey, entries: Iterable[TileEntry]) -> list[TileEntry]:
        """Bring tiles into the folder that it lacks; return those that the storage lacks, too.

        Raises:
            StorageUnavailable: the storage does not answer.
            TileDamaged: what it has is not the tile.
        """
        folder = self._root / paths.folder_name(key)
        lacking = [entry for entry in entries if not is_whole(folder / entry.file_name, entry)]
        if lacking and not self._objects.patient and not self._objects.breaker.allow_probe():
            raise StorageUnavailable
        there = self._objects.each(lambda entry: self._fetch(key, entry), lacking, None if self._objects.patient else FETCH_S)
        return [entry for entry, is_there in zip(lacking, there, strict=True) if not is_there]

    def is_damaged(self, key: SeriesKey, entry: TileEntry) -> bool:
        """Return whether the storage's tile is damaged or lost; a damaged copy of a whole one is
        replaced, or removed where the storage does not answer.
        """
        path = self._root / paths.folder_name(key) / entry.file_name
        path.unlink(missing_ok=True)
        try:
            return not self._fetch(key, entry) or verify_tile(path) != entry
        except (TileDamaged, FileNotFoundError):
            return True
        except StorageUnavailable:
            return False

    def _fetch(self, key: SeriesKey, entry: TileEntry) -> bool:
        """Bring a tile into the folder; return whether the storage has it."""
        found, path = self._objects.pieces(object_name(key, entry)), self._root / paths.folder_name(key) / entry.file_name
        if found is None:
            return False
        size, pieces = found
        tile_index.replace_file(path, _of_tile(pieces, size, entry, path))
        return True


def object_name(key: SeriesKey, entry: TileEntry) -> str:
    """Return the name of a tile in object storage, which no other content has."""
    return f"{TILES}/{paths.folder_name(key)}/{entry.file_name.removesuffix('.tile')}-{entry.crc:08x}.tile"


def _of_tile(pieces: Iterator[bytes], size: int, entry: TileEntry, path: Path) -> Iterator[bytes]:
    """Yield the pieces; raises TileDamaged where they do not begin as the tile does."""
    first = next(pieces, b"")
    if parse_header(first[:HEADER_BYTES], size, path)[0] != entry:
        raise TileDamaged("The tile {path} in the storage is another one.", path=path)
    yield first
    yield from pieces
