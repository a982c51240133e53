"""The store of tiles: writes, publishes, opens, forgets them.
Threads and processes may share it (docs/tiles.md).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from data.arrays import Integers
from data.readings import FLAG_RANGE, FLAG_SOURCE, Observations, clean
from data.tiles import index as tile_index
from data.tiles import maintenance, paths
from data.tiles.cache import Lru
from data.tiles.disk_account import DiskAccount
from data.tiles.encoding import encode
from data.tiles.format import TileEntry, is_whole, read_entry
from data.tiles.open_tiles import OpenTiles
from data.tiles.series import Series, SeriesKey
from data.time.epoch import epoch_ms
from data.time.months import months_between
from errors import TileDamaged

__all__ = ["FLAG_RANGE", "FLAG_SOURCE", "Observations", "SeriesKey", "TileEntry", "TileStore", "clean"]

# whose folders' names are kept: making one takes longer than looking at its index
SERIES_KNOWN = 20_000
MARKS_BYTES = 56_000_000  # of what tells which tiles are fresh: 8,000 series of ten years
TOLD_BYTES = 32_000_000  # of what others were told from indices: 20,000 series
TOUCH_EVERY_MS = 60_000
Instead = Callable[[Mapping[int, TileEntry], Mapping[int, TileEntry]], Collection[int]]
_TRIES = 4  # at a series whose files change while it is opened

_log = structlog.get_logger(__name__)


class TileStore:
    """Tiles below one folder.

    ``budget_bytes`` is what they may take on disk (None: no limit). ``mapped`` maps files into
    memory, which is right on local disks only. ``clock`` gives int ms UTC.
    """

    def __init__(
        self,
        root: Path,
        budget_bytes: int | None = None,
        *,
        mapped: bool = True,
        clock: Callable[[], int] = epoch_ms,
    ) -> None:
        self.root = root
        self.budget_bytes = budget_bytes
        self._clock = clock
        self._indices: Lru[Mapping[int, TileEntry]] = Lru(1024)
        self._folders: Lru[Path] = Lru(SERIES_KNOWN)
        self._marks: Lru[tile_index.Marks] = Lru(MARKS_BYTES, lambda marks: marks.nbytes + 1000)
        self._told: Lru[Integers] = Lru(TOLD_BYTES, lambda numbers: numbers.nbytes + 1500)
        self._open = OpenTiles(self.drop, mapped=mapped)
        self._touched: dict[SeriesKey, int] = {}
        self._account = DiskAccount(root)

    def folder(self, key: SeriesKey) -> Path:
        """Return where a series' files are."""
        return self._folders.get(key, lambda: self.root / paths.folder_name(key))

    def entries(self, key: SeriesKey) -> Mapping[int, TileEntry]:
        """Published tiles by month; {} when there are none."""
        version = self.version(key)
        if version is None:
            return {}
        return self._indices.get((key, version), lambda: tile_index.read_index(self.folder(key)))

    def version(self, key: SeriesKey) -> tile_index.Identity | None:
        """Return what changes whenever a series' index does; None when there is none."""
        return tile_index.identity(self.folder(key))

    def marks(self, key: SeriesKey) -> tile_index.Marks:
        """Return the marks that tell which published tiles are fresh.
        Cheap: one look at the index file where that is known.
        """
        version = self.version(key)
        if version is None:
            return tile_index.NO_MARKS
        return self._marks.get((key, version), lambda: tile_index.read_marks(self.folder(key)))

    def read_marks(self, key: SeriesKey) -> tile_index.Marks:
        """Return :meth:`marks`, which are not kept for the next time."""
        return tile_index.read_marks(self.folder(key))

    def told(self, keys: Iterable[SeriesKey], about: Hashable, make: Callable[[], Integers]) -> Integers:
        """Return numbers that are made of the indices of some series, and of what they are
        ``about``; made once while these stay as they are.
        """
        versions = tuple((key, self.version(key)) for key in keys)
        return self._told.get((versions, about), make)

    def write(self, key: SeriesKey, month: int, cleaned: Observations, *, generation: int, fingerprint: int) -> TileEntry:
        """Write a tile whole or not at all; it is seen only once published.

        Raises:
            OSError: such as a full disk; nothing is left behind.
            ValueError: a row lies outside the month.
        """
        entry, pieces = encode(month, cleaned, generation=generation, fingerprint=fingerprint)
        folder = self.folder(key)
        paths.prepare(folder, key)
        try:
            tile_index.replace_file(folder / entry.file_name, pieces)
        except FileNotFoundError:  # cleared meanwhile
            paths.prepare(folder, key)
            tile_index.replace_file(folder / entry.file_name, pieces)
        return entry

    def resume(self, key: SeriesKey, month: int) -> TileEntry | None:
        """The newest whole tile of a month, published or not; None when there is none."""
        return tile_index.rebuild(self.folder(key), month).get(month)

    def publish(self, key: SeriesKey, entries: Iterable[TileEntry], *, ordered: bool = True) -> None:
        """Show tiles to all readers at once; files that they replace are removed.

        Generations are ``ordered``: where a slow job comes with an older one than is shown,
        that stays.

        Raises:
            TileDamaged: the folder was cleared since they were written.
        """
        fresh = {entry.month: entry for entry in entries}
        if not fresh:
            return
        try:
            self._publish(key, fresh, ordered)
            self._account.add(sum(entry.bytes for entry in fresh.values()))
        except FileNotFoundError as exc:
            raise TileDamaged("The tiles of {station} were removed while they were written.", station=key.station) from exc

    def _publish(self, key: SeriesKey, fresh: Mapping[int, TileEntry], ordered: bool) -> None:
        """The same; raises FileNotFoundError when a file is not there any more.

        The index names what is there: another writer of the same generation may have
        put his file in its place since.
        """
        folder = self.folder(key)
        with tile_index.locked(folder):
            fresh = {month: read_entry(folder / entry.file_name) for month, entry in fresh.items()}
            known = dict(tile_index.read_index_locked(folder))
            shown = tile_index.merged(known, fresh, ordered)
            tile_index.write_index(folder, shown)
            self._note_use(folder, fresh)
            for entry in tile_index.replaced(known, fresh, shown):
                (folder / entry.file_name).unlink(missing_ok=True)

    def _note_use(self, folder: Path, months: Iterable[int]) -> None:
        """Note that some months are in use now, under the lock of their series."""
        tile_index.write_used(folder, tile_index.read_used(folder) | dict.fromkeys(months, self._clock()))

    def touch(self, keys_months: Iterable[tuple[SeriesKey, int]]) -> None:
        """Note that tiles are in use; at most once a minute a series reaches the disk."""
        now = self._clock()
        months: dict[SeriesKey, set[int]] = {}
        for key, month in keys_months:
            months.setdefault(key, set()).add(month)
        for key, used in months.items():
            folder = self.folder(key)
            if now - self._touched.get(key, 0) < TOUCH_EVERY_MS or tile_index.identity(folder) is None:
                continue
            self._touched[key] = now
            try:
                with tile_index.locked(folder):
                    self._note_use(folder, used)
            except OSError as exc:
                # a full disk, or a folder that may only be read, must not stop a view
                _log.warning("use of tiles not noted", path=str(folder), reason=str(exc))

    def open_series(self, key: SeriesKey, start_ms: int, end_ms: int, *, lag_ms: int = 0) -> Series:
        """The published rows of [start_ms, end_ms), int ms UTC;
        months that are missing are just not there.

        ``lag_ms``: see :class:`Series`; observations of a request are opened by
        data/range_rows.py, which knows it.

        Raises:
            TileDamaged: a tile is damaged; it is out of the index then,
                so the next plan reads it again.
        """
        self._open.let_go()
        months, folder = months_between(start_ms + lag_ms, end_ms + lag_ms), self.folder(key)
        for look in range(1, _TRIES + 1):
            version = self.version(key)
            entries = tuple(entry for month, entry in self.entries(key).items() if month in months)
            try:
                table = self._open.table(key, folder, version, entries, months)
            except FileNotFoundError as exc:
                # A writer published between our look at the index and at the file: look again;
                # then the file is gone.
                self._bring(key, entries)
                if look == _TRIES:
                    self.drop(key, [entry for entry in entries if not is_whole(folder / entry.file_name, entry)])
                    raise TileDamaged("A tile of {station} is missing.", station=key.station) from exc
                continue
            return Series(key, entries, table, start_ms, end_ms, lag_ms)
        raise AssertionError("unreachable")

    def open_overlaid(
        self, key: SeriesKey, over: SeriesKey, instead: Instead, start_ms: int, end_ms: int, *, lag_ms: int = 0
    ) -> Series:
        """Return the rows as :meth:`open_series`, of some months from the tiles of the series
        ``over``: of those that ``instead`` names, told from the indices of both.
        """
        months, folders = months_between(start_ms + lag_ms, end_ms + lag_ms), (self.folder(key), self.folder(over))
        for _ in range(_TRIES):
            versions = [self.version(each) for each in (key, over)]
            base, other = ({month: each[month] for month in months if month in each} for each in map(self.entries, (key, over)))
            chosen = instead(base, other)
            if not chosen:
                break
            own = tuple(entry for month, entry in base.items() if month not in chosen)
            parts = zip((key, over), folders, versions, (own, tuple(other[month] for month in chosen)), strict=True)
            try:
                self._open.let_go()
                table = self._open.overlaid_table(list(parts), months)
                entries = [*own, *(other[month] for month in chosen)]
                return Series(key, tuple(sorted(entries, key=lambda entry: entry.month)), table, start_ms, end_ms, lag_ms)
            except FileNotFoundError:  # replaced meanwhile: look again
                self._bring(key, own)
                self._bring(over, [other[month] for month in chosen])
        else:
            self.drop_lost([over])
        return self.open_series(key, start_ms, end_ms, lag_ms=lag_ms)

    def look(self, source: str, stations: Iterable[str]) -> None:
        """Look at what is published of many stations at once, where a look takes a while."""

    def settle(self) -> None:
        """Wait until every process sees what this one has published, where that takes a while."""

    def _bring(self, key: SeriesKey, entries: Sequence[TileEntry]) -> None:
        """Bring tiles here that are elsewhere; of a folder there are none."""

    def drop(self, key: SeriesKey, entries: Iterable[TileEntry]) -> None:
        """Take damaged tiles out of the index and off the disk, and log it."""
        folder = self.folder(key)
        with suppress(FileNotFoundError), tile_index.locked(folder):  # not there: cleared meanwhile
            known = dict(tile_index.read_index_locked(folder))
            for entry in entries:
                _log.warning("tile damaged, dropped", path=str(folder / entry.file_name))
                if known.get(entry.month) == entry:
                    del known[entry.month]
                (folder / entry.file_name).unlink(missing_ok=True)
            tile_index.write_index(folder, known)

    def drop_lost(self, keys: Iterable[SeriesKey]) -> bool:
        """Take tiles whose file somebody has removed out of the indices of some series;
        whether there were any.
        """
        found = False
        for key in keys:
            entries = self.entries(key).values()
            names = paths.names_in(self.folder(key)) if entries else set()
            lost = [entry for entry in entries if entry.file_name not in names]
            again = self.entries(key)
            # not replaced just now
            lost = [entry for entry in lost if again.get(entry.month) == entry]
            if lost:
                self.drop(key, lost)
                found = True
        return found

    def evict(self, keep: Collection[tuple[SeriesKey, int]] = ()) -> int:
        """Remove the least recently used tiles where all take more than the budget, never those to
        keep; bytes removed.

        A request that is larger than the budget keeps all its tiles,
        and is over it until the next eviction.
        """
        if self.budget_bytes is None:
            return 0
        return maintenance.evict(self.root, self.budget_bytes, frozenset(keep))

    def status(self) -> tuple[maintenance.SeriesStatus, ...]:
        """What there is of every series."""
        return maintenance.status(self.root)

    def verify(self) -> tuple[int, tuple[maintenance.Damage, ...]]:
        """Check every byte: tiles checked, and the damaged ones, which are dropped."""
        return maintenance.verify(self.root, self.drop)

    def clear(self, station: str | None = None) -> int:
        """Remove all tiles, or one station's; bytes removed."""
        return maintenance.clear(self.root, station)
