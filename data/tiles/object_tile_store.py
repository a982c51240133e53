"""The store of tiles in object storage, with a folder of this host before it
(docs/decisions/0048).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import structlog

from data.tiles import index as tile_index
from data.tiles import maintenance, object_maintenance, paths
from data.tiles.format import TileEntry
from data.tiles.index_mirror import IndexMirror
from data.tiles.object_store import ObjectStore
from data.tiles.series import SeriesKey
from data.tiles.tile_mirror import TileMirror
from data.tiles.tile_store import TileStore
from data.time.epoch import epoch_ms
from errors import DiskFull, RiwayatError, disk_errors

_TRIM_PART = 50  # of the budget: so much is fetched before a page's host looks whether it fits

_log = structlog.get_logger(__name__)


class ObjectTileStore(TileStore):
    """Tiles in object storage; ``root`` is the folder of copies of those that this host uses,
    ``budget_bytes`` what they may take there.
    """

    def __init__(
        self, objects: ObjectStore, root: Path, budget_bytes: int | None = None, *, clock: Callable[[], int] = epoch_ms
    ) -> None:
        super().__init__(root, budget_bytes, clock=clock)
        self._objects = objects
        self._index_mirror = IndexMirror(objects, root)
        self._tile_mirror = TileMirror(objects, root)
        self._fetched: dict[tuple[SeriesKey, int], int] = {}  # bytes of copies since the last look whether they fit
        self._trimming = threading.Lock()

    def version(self, key: SeriesKey) -> tile_index.Identity | None:
        """Return what changes whenever a series' index does.

        Raises:
            StorageUnavailable: the storage does not answer, and nothing of it is known here.
        """
        self.look(key.source, (key.station,))
        return super().version(key)

    def read_marks(self, key: SeriesKey) -> tile_index.Marks:
        """Return the marks as :meth:`TileStore.read_marks`; raises as :meth:`version`."""
        self.look(key.source, (key.station,))
        return super().read_marks(key)

    def look(self, source: str, stations: Iterable[str]) -> None:
        """Look at the indices of many stations at once; raises as :meth:`version`."""
        self._index_mirror.look(f"{paths.quoted(source)}/{paths.quoted(station)}" for station in stations)

    def settle(self) -> None:
        """Wait until other hosts see what this process has published, half a second at most."""
        self._index_mirror.settle()

    def resume(self, key: SeriesKey, month: int) -> TileEntry | None:
        """The newest tile of a month, written here or published by any host."""
        written, published = super().resume(key, month), self.entries(key).get(month)
        if written is None or (published is not None and published.generation >= written.generation):
            return published
        return written

    def _publish(self, key: SeriesKey, fresh: Mapping[int, TileEntry], ordered: bool) -> None:
        uploaded = self._tile_mirror.upload(key, fresh.values())
        unwanted: set[TileEntry] = set()

        def publish(known: Mapping[int, TileEntry]) -> Mapping[int, TileEntry]:
            shown = tile_index.merged(known, uploaded, ordered)
            unwanted.update(known[month] for month in uploaded.keys() & known.keys())
            return shown

        shown, folder = self._index_mirror.change(key, publish), self.folder(key)
        unwanted = (unwanted | set(uploaded.values())) - set(shown.values())
        self._tile_mirror.remove(key, unwanted)
        with tile_index.locked(folder):
            self._note_use(folder, fresh)
        for name in {entry.file_name for entry in unwanted} - {entry.file_name for entry in shown.values()}:
            (folder / name).unlink(missing_ok=True)

    def _bring(self, key: SeriesKey, entries: Sequence[TileEntry]) -> None:
        """Fetch tiles that this host lacks; what the storage lacks, too, leaves its index.

        Raises:
            StorageUnavailable: the storage does not answer.
            DiskFull: this host has no room for them.
            RiwayatError: they cannot be written for another reason.
        """
        full = DiskFull(
            "The disk is full, so no tile can be written to {path}; make room or lower RIWAYAT_TILE_BUDGET_GB, then retry.",
            path=self.root,
        )
        with disk_errors(full, self._unwritten):
            lost = self._tile_mirror.fetch(key, entries)
        if lost:  # or replaced just now
            self._index_mirror.look([str(paths.station_folder(key.source, key.station))], anew=True)
            named = self.entries(key)
            self.drop(key, [entry for entry in lost if named.get(entry.month) == entry])
        sizes = {(key, entry.month): entry.bytes for entry in entries}
        self._account.add(sum(sizes.values()))
        self._fetched.update(sizes)
        if self.budget_bytes is not None and sum(list(self._fetched.values())) > self.budget_bytes // _TRIM_PART:
            fetched, self._fetched = self._fetched, {}
            threading.Thread(target=self._trim, args=(frozenset(fetched),), daemon=True).start()

    def _unwritten(self, why: str) -> RiwayatError:
        return RiwayatError("The tiles in {path} cannot be written: {why}.", path=self.root, why=why)

    def _trim(self, fetched: Collection[tuple[SeriesKey, int]]) -> None:
        """Make room, but for what was just fetched: somebody is about to open it."""
        if self._trimming.acquire(blocking=False):
            try:
                self.evict(fetched)
            finally:
                self._trimming.release()

    def drop(self, key: SeriesKey, entries: Iterable[TileEntry]) -> None:
        """Take tiles that the storage has damaged, or lost, out of the index; a damaged copy of a
        whole one is fetched anew.
        """
        damaged = [entry for entry in entries if self._tile_mirror.is_damaged(key, entry)]
        if not damaged:
            return

        def without(known: Mapping[int, TileEntry]) -> Mapping[int, TileEntry]:
            return {month: entry for month, entry in known.items() if entry not in damaged}

        for entry in damaged:
            _log.warning("tile damaged, dropped", path=str(self.folder(key) / entry.file_name))
            (self.folder(key) / entry.file_name).unlink(missing_ok=True)
        self._index_mirror.change(key, without)
        self._tile_mirror.remove(key, damaged)

    def drop_lost(self, keys: Iterable[SeriesKey]) -> bool:  # noqa: ARG002 - as of every store
        """Return False: what object storage has lost is found when it is fetched."""
        return False

    def evict(self, keep: Collection[tuple[SeriesKey, int]] = ()) -> int:
        """Remove the least recently used copies from this host until the rest fits the budget."""
        if self.budget_bytes is None:
            return 0
        return maintenance.evict(self.root, self.budget_bytes, frozenset(keep), remove=_forget)

    def status(self) -> tuple[maintenance.SeriesStatus, ...]:
        """What the storage has of every series; ``used_ms`` is when this host last used it."""
        self._index_mirror.look_at_all()
        return super().status()

    def verify(self) -> tuple[int, tuple[maintenance.Damage, ...]]:
        """Check every byte in object storage, as :meth:`TileStore.verify`; objects that no index
        has named for a day are removed.
        """
        self._index_mirror.look_at_all()
        checked = maintenance.verify(self.root, self.drop, partial(object_maintenance.damage, self._objects, self.root))
        object_maintenance.sweep(self._objects, self.root)
        return checked

    def clear(self, station: str | None = None) -> int:
        """Remove all tiles, or one station's, from the storage and this host; bytes removed of the
        storage. Other hosts notice it with their next look.
        """
        self._index_mirror.look_at_all()
        removed = object_maintenance.clear(self._objects, self.root, station)
        maintenance.clear(self.root, station)
        return removed


def _forget(folder: Path, entry: TileEntry) -> int:
    """Remove a copy; whoever has it open goes on with it. Return the bytes freed."""
    path = folder / entry.file_name
    with suppress(FileNotFoundError):
        size = path.stat().st_size
        path.unlink()
        return size
    return 0
