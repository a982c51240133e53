"""The tiles that a process has open, and the summaries of their blocks."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from data.tiles import index as tile_index
from data.tiles.block_table import BlockTable
from data.tiles.cache import Lru
from data.tiles.file import Tile, open_tile
from data.tiles.file_map import can_copy
from data.tiles.format import TileEntry
from data.tiles.series import SeriesKey
from errors import TileDamaged

OPEN_TILES = 4096  # maps kept open; far below Linux's limit of 65,530 a process
# Python keeps the file of a map open; views in hand hold some more, and other things want theirs
_FILES = 4 * OPEN_TILES
WHOLE_TILES_BYTES = 256_000_000  # tiles kept when files are read whole instead of mapped
TABLES_BYTES = 96_000_000  # block summaries kept in memory
LET_GO_EVERY_S = 10.0

Drop = Callable[[SeriesKey, list[TileEntry]], None]
Part = tuple[SeriesKey, Path, tile_index.Identity | None, tuple[TileEntry, ...]]  # a series, where it is, what of it


class OpenTiles:
    """Threads may share it. ``drop`` takes tiles that are damaged out of the index."""

    def __init__(self, drop: Drop, *, mapped: bool) -> None:
        self._drop = drop
        self._mapped = mapped and can_copy()
        self._tables: Lru[BlockTable] = Lru(TABLES_BYTES, lambda table: table.nbytes)
        if self._mapped:
            self._tiles: Lru[Tile] = Lru(_open_tiles())
        else:
            self._tiles = Lru(WHOLE_TILES_BYTES, lambda tile: tile.entry.bytes)
        self._let_go_at_s = time.monotonic() + LET_GO_EVERY_S

    def table(
        self,
        key: SeriesKey,
        folder: Path,
        version: tile_index.Identity | None,
        entries: tuple[TileEntry, ...],
        months: range,
    ) -> BlockTable:
        """The blocks of some months of a series, whose index has a version, that names ``entries``.

        Raises:
            FileNotFoundError: what the index names was replaced or removed since.
            TileDamaged: a tile is damaged; it is out of the index then.
        """
        return self._tables.get((key, version, months), lambda: self._table([(key, folder, version, entries)]))

    def overlaid_table(self, parts: Sequence[Part], months: range) -> BlockTable:
        """The blocks of some months that are from several series; raises as :meth:`table`."""
        known = tuple((key, version, tuple(entry.month for entry in entries)) for key, _, version, entries in parts), months
        return self._tables.get(known, lambda: self._table(parts))

    def let_go(self) -> None:
        """Let go of files that were changed, replaced or removed, now and then:
        while they are open they keep their place on the disk.
        """
        if time.monotonic() < self._let_go_at_s or not self._mapped:
            return
        self._let_go_at_s = time.monotonic() + LET_GO_EVERY_S
        self._tiles.forget(lambda tile: not tile.is_current)
        self._tables.forget(lambda table: not all(tile.is_current for tile in table.tiles))

    def _table(self, parts: Sequence[Part]) -> BlockTable:
        tiles = [tile for part in parts for tile in self._tiles_of(*part)]
        tiles.sort(key=lambda tile: tile.entry.month)
        try:
            return BlockTable(tiles)
        except TileDamaged:
            if any(tile.was_removed for tile in tiles):
                for _, folder, version, _ in parts:
                    _refuse_change(folder, version)
            raise

    def _tiles_of(
        self, key: SeriesKey, folder: Path, version: tile_index.Identity | None, entries: tuple[TileEntry, ...]
    ) -> list[Tile]:
        tiles, damaged = [], []
        for entry in entries:
            try:
                # pathlib takes longer than the opening
                tiles.append(self._tile(key, f"{folder}/{entry.file_name}", entry))
            except TileDamaged as exc:
                damaged.append((entry, exc))
        if damaged:
            _refuse_change(folder, version)
            self._drop(key, [entry for entry, _ in damaged])
            raise damaged[0][1]
        return tiles

    def _tile(self, key: SeriesKey, path: str, entry: TileEntry) -> Tile:
        def make() -> Tile:
            return open_tile(path, mapped=self._mapped, on_damage=lambda tile: self._on_damage(key, tile))

        tile = self._tiles.get((path, entry.crc), make)
        if not tile.is_current:
            self._forget(tile)
            tile = self._tiles.get((path, entry.crc), make)
        if tile.entry != entry:
            self._forget(tile)
            raise FileNotFoundError(path)  # another file bears its name
        return tile

    def _on_damage(self, key: SeriesKey, tile: Tile) -> None:
        """Let go of a tile that was found damaged, or cut.
        Where its file is there no more, another may bear its name by now.
        """
        self._forget(tile)
        if not tile.was_removed:
            self._drop(key, [tile.entry])

    def _forget(self, tile: Tile) -> None:
        self._tiles.forget(lambda other: other is tile)
        self._tables.forget(lambda table: tile in table.tiles)


def _open_tiles() -> int:
    """Return how many tiles may stay open; raises this process's limit of open files,
    usually 1,024, if the system lets it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return min(OPEN_TILES, wanted // 4)


def _refuse_change(folder: Path, version: tile_index.Identity | None) -> None:
    """Raises FileNotFoundError when the index has another version by now."""
    if tile_index.identity(folder) != version:
        raise FileNotFoundError(folder)
