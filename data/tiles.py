"""The store of tiles: writes, publishes, opens, forgets them. Threads and processes may share it (docs/tiles.md)."""

from __future__ import annotations

import fcntl
import os
import resource
import struct
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import structlog

from data import tilecare, tileindex, tilepaths
from data.clean import FLAG_RANGE, FLAG_SOURCE, Cleaned, clean
from data.lru import Lru
from data.months import months_between
from data.series import BlockTable, Series, SeriesKey
from data.tilefile import Tile, TileEntry, encode, open_tile
from errors import TileDamaged

__all__ = ["FLAG_RANGE", "FLAG_SOURCE", "Cleaned", "SeriesKey", "TileEntry", "TileStore", "clean"]

OPEN_TILES = 4096  # maps kept open; far below Linux's limit of 65,530 a process
_FILES = 4 * OPEN_TILES  # Python keeps the file of a map open; views in hand hold some more, and other things want theirs
WHOLE_TILES_BYTES = 256_000_000  # tiles kept when files are read whole instead of mapped
TABLES_BYTES = 96_000_000  # block summaries kept in memory
MARKED_SERIES = 20_000
MARKS_BYTES = 32_000_000  # of what tells which tiles are fresh: 8,000 series of ten years
TOUCH_EVERY_MS = 60_000

_log = structlog.get_logger(__name__)


def _open_tiles() -> int:
    """How many tiles may stay open: from now on this process may have more files than the usual 1,024, if the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return min(OPEN_TILES, wanted // 4)


class TileStore:
    """Tiles below one folder.

    ``budget_bytes`` is what they may take on disk (None: no limit). ``mapped`` maps files into memory, which is right on
    local disks only. ``clock`` gives int ms UTC.
    """

    def __init__(
        self,
        root: Path,
        budget_bytes: int | None = None,
        *,
        mapped: bool = True,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.root = root
        self.budget_bytes = budget_bytes
        self._mapped = mapped
        self._clock = clock
        self._indices: Lru[Mapping[int, TileEntry]] = Lru(1024)
        self._index_files: Lru[str] = Lru(MARKED_SERIES)
        self._marks: Lru[tileindex.Marks] = Lru(MARKS_BYTES, lambda marks: marks.nbytes + 1000)
        self._tables: Lru[BlockTable] = Lru(TABLES_BYTES, lambda table: table.nbytes)
        self._tiles: Lru[Tile] = Lru(_open_tiles()) if mapped else Lru(WHOLE_TILES_BYTES, lambda tile: tile.entry.bytes)
        self._touched: dict[SeriesKey, int] = {}

    def folder(self, key: SeriesKey) -> Path:
        """Where a series' files are."""
        return self.root / tilepaths.folder_name(key)

    def entries(self, key: SeriesKey) -> Mapping[int, TileEntry]:
        """Published tiles by month; {} when there are none."""
        folder = self.folder(key)
        version = tileindex.identity(folder)
        if version is None:
            return {}
        return self._indices.get((key, version), lambda: tileindex.read_index(folder))

    def marks(self, key: SeriesKey) -> tileindex.Marks:
        """What tells which of the published tiles are fresh. Cheap: one look at the index file where that is known."""
        index = self._index_files.get(key, lambda: f"{self.folder(key)}/{tileindex.INDEX}")
        version = tileindex.identity_of(index)
        if version is None:
            return tileindex.NO_MARKS
        return self._marks.get((key, version), lambda: tileindex.read_marks(self.folder(key)))

    def write(self, key: SeriesKey, month: int, cleaned: Cleaned, *, generation: int, fingerprint: int) -> TileEntry:
        """Write a tile whole or not at all; it is seen only once published.

        Raises:
            OSError: such as a full disk; nothing is left behind.
            ValueError: a row lies outside the month.
        """
        entry, pieces = encode(month, cleaned, generation=generation, fingerprint=fingerprint)
        folder = self.folder(key)
        tilepaths.prepare(folder, key)
        tileindex.replace_file(folder / entry.file_name, pieces)
        return entry

    def resume(self, key: SeriesKey, month: int) -> TileEntry | None:
        """The newest whole tile of a month, published or not; None when there is none."""
        return tileindex.rebuild(self.folder(key), month).get(month)

    def publish(self, key: SeriesKey, entries: Iterable[TileEntry], *, ordered: bool = True) -> None:
        """Show tiles to all readers at once; files that they replace are removed.

        Generations are ``ordered``: where a slow job comes with an older one than is shown, that stays.

        Raises:
            TileDamaged: the folder was cleared since they were written.
        """
        fresh = {entry.month: entry for entry in entries}
        if not fresh:
            return
        folder = self.folder(key)
        if not folder.exists():
            raise TileDamaged("The tiles of {station} were removed while they were written.", station=key.station)
        with tileindex.locked(folder):
            known = dict(tileindex.read_index_locked(folder))
            late = {
                month
                for month, entry in fresh.items()
                if ordered and month in known and entry.generation < known[month].generation
            }
            shown = known | {month: entry for month, entry in fresh.items() if month not in late}
            tileindex.write_index(folder, shown)
            used = tileindex.read_used(folder)
            tileindex.write_used(folder, used | dict.fromkeys(fresh, self._clock()))
            for month in fresh.keys() & known.keys():
                for entry in (known[month], fresh[month]):
                    if entry.file_name != shown[month].file_name:
                        (folder / entry.file_name).unlink(missing_ok=True)

    @contextmanager
    def build_lock(self, source: str, station: str, month: int) -> Iterator[None]:
        """Alone among all workers of the host that read this station's month; waits for the other."""
        folder = self.root / tilepaths.station_folder(source, station)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("ab") as file:
            # One byte of one file a month. Locks of the open file description, so that threads exclude each other too.
            span = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, month, 1, 0)
            fcntl.fcntl(file, fcntl.F_OFD_SETLKW, span)
            yield

    def touch(self, keys_months: Iterable[tuple[SeriesKey, int]]) -> None:
        """Note that tiles are in use; at most once a minute a series reaches the disk."""
        now = self._clock()
        months: dict[SeriesKey, set[int]] = {}
        for key, month in keys_months:
            months.setdefault(key, set()).add(month)
        for key, used in months.items():
            if now - self._touched.get(key, 0) < TOUCH_EVERY_MS or tileindex.identity(self.folder(key)) is None:
                continue
            self._touched[key] = now
            try:
                with tileindex.locked(self.folder(key)):
                    known = tileindex.read_used(self.folder(key))
                    tileindex.write_used(self.folder(key), known | dict.fromkeys(used, now))
            except OSError as exc:  # a full disk, or a folder that may only be read, must not stop a view
                _log.warning("use of tiles not noted", path=str(self.folder(key)), reason=str(exc))

    def open_series(self, key: SeriesKey, start_ms: int, end_ms: int) -> Series:
        """The published observations of [start_ms, end_ms), int ms UTC; months that are missing are just not there.

        Raises:
            TileDamaged: a tile is damaged; it is out of the index then, so the next plan reads it again.
        """
        months = months_between(start_ms, end_ms)
        for attempt in range(3):
            folder = self.folder(key)
            version = tileindex.identity(folder)
            entries = tuple(entry for month, entry in self.entries(key).items() if month in months)
            try:
                table = self._tables.get((key, version, months), lambda: self._table(key, entries))  # noqa: B023 - used at once
            except FileNotFoundError as exc:
                # A writer published between our look at the index and at the file: look again; then the file is gone.
                if attempt == 2:
                    self._drop_missing(key, entries)
                    raise TileDamaged("A tile of {station} is missing.", station=key.station) from exc
                continue
            return Series(key, entries, table, start_ms, end_ms)
        raise AssertionError("unreachable")

    def _table(self, key: SeriesKey, entries: tuple[TileEntry, ...]) -> BlockTable:
        tiles, damaged, folder = [], [], str(self.folder(key))
        for entry in entries:
            path = f"{folder}/{entry.file_name}"  # pathlib would take longer than the opening
            try:
                tiles.append(self._tiles.get((path, entry.crc), lambda: open_tile(path, mapped=self._mapped)))  # noqa: B023
            except TileDamaged as exc:
                damaged.append((entry, exc))
        if damaged:
            self.drop(key, [entry for entry, _ in damaged])
            raise damaged[0][1]
        return BlockTable(tiles)

    def _drop_missing(self, key: SeriesKey, entries: Iterable[TileEntry]) -> None:
        self.drop(key, [entry for entry in entries if not (self.folder(key) / entry.file_name).exists()])

    def drop(self, key: SeriesKey, entries: Iterable[TileEntry]) -> None:
        """Take damaged tiles out of the index and off the disk, and log it."""
        folder = self.folder(key)
        with tileindex.locked(folder):
            known = dict(tileindex.read_index_locked(folder))
            for entry in entries:
                _log.warning("tile damaged, dropped", path=str(folder / entry.file_name))
                if known.get(entry.month) == entry:
                    del known[entry.month]
                (folder / entry.file_name).unlink(missing_ok=True)
            tileindex.write_index(folder, known)

    def evict(self, keep: Collection[tuple[SeriesKey, int]] = ()) -> int:
        """Remove the least recently used tiles until the rest fits the budget, never those to keep; bytes removed.

        A request that is larger than the budget keeps all its tiles, and is over it until the next eviction.
        """
        if self.budget_bytes is None:
            return 0
        return tilecare.evict(self.root, self.budget_bytes, frozenset(keep))

    def status(self) -> tuple[tilecare.SeriesStatus, ...]:
        """What there is of every series."""
        return tilecare.status(self.root)

    def verify(self) -> tuple[int, tuple[tilecare.Damage, ...]]:
        """Check every byte: tiles checked, and the damaged ones, which are dropped."""
        return tilecare.verify(self.root, self.drop)

    def clear(self, station: str | None = None) -> int:
        """Remove all tiles, or one station's; bytes removed."""
        return tilecare.clear(self.root, station)
