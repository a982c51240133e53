"""Indices of series in object storage, and the copies of them in the folder of a host
(docs/decisions/0048): ``index/SOURCE/STATION/SENSOR`` is a line of JSON, which series it is, and
then what the file ``index`` is.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from data.tiles import index as tile_index
from data.tiles import paths
from data.tiles.format import TileEntry
from data.tiles.object_store import ABSENT, AT_ONCE, ObjectStore, StoredObject
from data.tiles.series import SeriesKey
from errors import StorageUnavailable

LOOK_S: Final = 0.5  # a listing counts as long; a job that has published waits as long before it ends
WAIT_S: Final = 0.15  # of a page, for a listing of what its host knows already
COLD_S: Final = 5.0  # of a page, for what its host knows nothing of
CHANGE_S: Final = 60.0  # of a job, for an index that does not answer or that others change
INDICES: Final = "index"
_TAG, _LOOKED = "tag", ".looked"  # which version of the index a folder has; a station was looked at
_LOCK = "storage-lock"  # held while the storage is asked: another one than that of views, which note uses
_TAGS_KNOWN = 20_000

Change = Callable[[Mapping[int, TileEntry]], Mapping[int, TileEntry]]

_log = structlog.get_logger(__name__)


class IndexMirror:
    """Brings indices from object storage into a folder, and changes both. Threads may share it."""

    def __init__(self, objects: ObjectStore, root: Path) -> None:
        self.objects = objects
        self._root = root
        self._looked: dict[str, float] = {}  # stations: when the last answered listing began
        self._looking: dict[str, Future[None]] = {}
        self._tags: dict[Path, tuple[str, tile_index.Identity | None]] = {}
        self._lock = threading.Lock()
        self._lookers: ThreadPoolExecutor | None = None
        self._published_s = float("-inf")
        self._waits = _Waits()

    def look(self, stations: Iterable[str], *, anew: bool = False) -> None:
        """Bring the indices of stations, named as their folders, up to date, unless they have just
        been.

        A page does not wait for it longer than WAIT_S where its host knows them.

        Raises:
            StorageUnavailable: the storage does not answer, and nothing is known here yet.
        """
        due = list(stations) if anew else self._due(stations)
        for station in due if anew else ():
            self._looked.pop(station, None)
        if not due:
            return
        if self.objects.patient:
            self.objects.each(self._refresh, due)
            return
        with suppress(StorageUnavailable, OSError):  # OSError: a full disk, which must not stop a view
            self._look_briefly(due)
        if not all(map(self._is_known, due)):
            raise StorageUnavailable

    def settle(self) -> None:
        """Wait until everyone who looks at the storage sees what this process has published."""
        time.sleep(max(0.0, self._published_s + LOOK_S - time.monotonic()))

    def change(self, key: SeriesKey, change: Change) -> Mapping[int, TileEntry]:
        """Change an index in storage and folder; return its entries. ``change`` is asked anew where
        somebody else was first, or no answer came: it must bear being asked twice.

        Raises:
            StorageUnavailable: the storage does not answer, for a minute where a job asks.
        """
        folder, name = self._root / paths.folder_name(key), f"{INDICES}/{paths.folder_name(key)}"
        give_up_s = time.monotonic() + (CHANGE_S if self.objects.patient else 0.0)
        paths.prepare(folder, key)
        with tile_index.locked(folder, _LOCK):
            while True:
                with suppress(StorageUnavailable):
                    shown = self._try_change(key, name, change)
                    if shown is not None:
                        return shown
                if time.monotonic() >= give_up_s:
                    raise StorageUnavailable
                time.sleep(random.uniform(0.005, 0.1))  # noqa: S311 - spreads tries # nosec B311

    def _try_change(self, key: SeriesKey, name: str, change: Change) -> Mapping[int, TileEntry] | None:
        """Return the entries after a change; None where somebody else was first."""
        found = self.objects.get(name)
        known = _unpack(name, found[0]) if found else {}
        shown = change(known)
        data, tag = found or (b"", None)
        if found is None or shown != known:
            data = json.dumps(key).encode() + b"\n" + tile_index.pack_index(shown)
            tag = self.objects.put(name, data, found[1] if found else ABSENT)
        if tag is None:
            return None
        self._keep(self._root / paths.folder_name(key), data, tag)
        self._published_s = time.monotonic()
        return shown

    def stations(self) -> list[str]:
        """Return the stations in object storage, as they are called in the folder."""
        return sorted({each.name.split("/", 1)[1].rpartition("/")[0] for each in self.objects.listed(INDICES)})

    def look_at_all(self) -> None:
        """Bring all indices up to date; the rest as :meth:`look`."""
        self.objects.each(self._refresh, self.stations())

    def _due(self, stations: Iterable[str]) -> list[str]:
        now_s = time.monotonic()
        return [station for station in stations if now_s - self._looked.get(station, float("-inf")) >= LOOK_S]

    def _look_briefly(self, due: Sequence[str]) -> None:
        """Look in other threads, which go on when a page waits no longer."""
        if not self.objects.breaker.allow_probe():
            raise StorageUnavailable
        began_s = time.monotonic()
        until_s = began_s + (self._waits.left_s(began_s) if all(map(self._is_known, due)) else COLD_S)
        try:
            while (due := self._due(due)) and time.monotonic() < until_s:
                done, _ = wait(map(self._started, due), until_s - time.monotonic())
                for look in done:
                    look.result()
            for station in due:  # go on without us
                self._started(station)
        finally:
            self._waits.spent_s += time.monotonic() - began_s

    def _started(self, station: str) -> Future[None]:
        with self._lock:
            found = self._looking.get(station)
            if found is None or found.done():
                self._lookers = self._lookers or ThreadPoolExecutor(AT_ONCE, thread_name_prefix="look")
                found = self._looking[station] = self._lookers.submit(self._refresh, station)
            return found

    def _is_known(self, station: str) -> bool:
        return station in self._looked or (self._root / station / _LOOKED).exists()

    def _refresh(self, station: str) -> None:
        """Make the indices of a station in the folder what they are in the storage."""
        began_s, folder = time.monotonic(), self._root / station
        listed = list(self.objects.listed(f"{INDICES}/{station}"))
        names = {each.name.rpartition("/")[2] for each in listed}
        changed = [each.name for each in listed if not self._has(each)]
        gone = [f"{INDICES}/{station}/{path.parent.name}" for path in folder.glob(f"*/{tile_index.INDEX}")]
        for name in (*changed, *(name for name in gone if name.rpartition("/")[2] not in names)):
            self._take(name)
        if not self._is_known(station):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / _LOOKED).touch()
        self._looked[station] = max(began_s, self._looked.get(station, began_s))

    def _has(self, listed: StoredObject) -> bool:
        """Return whether the folder has this version of an index."""
        folder = self._root / listed.name.partition("/")[2]
        here = tile_index.identity(folder)
        if self._tags.get(folder) != (listed.tag, here) and here is not None:
            with suppress(OSError, ValueError, TypeError):
                tag, *identity = json.loads((folder / _TAG).read_text())
                self._note(folder, tag, tuple(identity))
        return here is not None and self._tags.get(folder) == (listed.tag, here)

    def _take(self, name: str) -> None:
        """Bring an index into the folder, or remove it there where the storage has none. Asks under
        the lock, so that no other process of the host puts an older one in its place.
        """
        folder = self._root / name.partition("/")[2]
        folder.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError), tile_index.locked(folder, _LOCK):  # not there: cleared meanwhile
            found = self.objects.get(name)
            if found is None:
                (folder / tile_index.INDEX).unlink(missing_ok=True)
                return
            line, _, _ = found[0].partition(b"\n")
            paths.prepare(folder, SeriesKey(*json.loads(line)))
            self._keep(folder, *found)

    def _keep(self, folder: Path, data: bytes, tag: str) -> None:
        """Write an index into the folder, and which version it is, under the lock."""
        body = data.partition(b"\n")[2]
        if _bytes_of(folder / tile_index.INDEX) != body:
            tile_index.replace_file(folder / tile_index.INDEX, [body])
        here = tile_index.identity(folder)
        tile_index.replace_file(folder / _TAG, [json.dumps([tag, *(here or ())]).encode()])
        self._note(folder, tag, here)

    def _note(self, folder: Path, tag: str, here: tuple[int, ...] | None) -> None:
        if len(self._tags) > _TAGS_KNOWN:
            self._tags.clear()
        self._tags[folder] = tag, here  # type: ignore[assignment]


class _Waits(threading.local):
    """How long a thread has waited in this second: a request that looks at a thousand stations one
    after the other waits no longer for all of them than for one.
    """

    since_s = float("-inf")
    spent_s = 0.0

    def left_s(self, now_s: float) -> float:
        """Return how long it may still wait."""
        if now_s - self.since_s > 1.0:
            self.since_s, self.spent_s = now_s, 0.0
        return max(0.0, WAIT_S - self.spent_s)


def _unpack(name: str, data: bytes) -> Mapping[int, TileEntry]:
    """Return the entries of an index of the storage; a damaged one has none, and is logged."""
    found = tile_index.unpack_index(data.partition(b"\n")[2])
    if found is None:
        _log.warning("tile index in the storage damaged", name=name)
    return found or {}


def _bytes_of(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
