"""Care for a store of tiles: what there is, what is damaged, what must go."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from data.tiles import index as tile_index
from data.tiles.disk_account import DiskAccount
from data.tiles.file import verify_tile
from data.tiles.format import TileEntry
from data.tiles.paths import series_folders
from data.tiles.series import SeriesKey
from errors import TileDamaged

DRAFT_LIFE_S = 3600.0  # a temporary file older than this has lost its writer
# a tile that nobody published in this time is left over from a job that ended
STRAY_LIFE_S = 86_400.0
_ROOM_LEFT = 0.95  # of a budget that was exceeded: the next job need not look at all tiles again

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class SeriesStatus:
    """What the store holds of one series; months as in data/time/months.py,
    ``used_ms`` int ms UTC (0: never).
    """

    key: SeriesKey
    tiles: int
    rows: int
    flagged: int
    bytes: int
    first_month: int
    last_month: int
    used_ms: int


@dataclass(frozen=True)
class Damage:
    """A tile that failed :func:`verify`, and why."""

    key: SeriesKey
    month: int
    reason: str


def status(root: Path) -> tuple[SeriesStatus, ...]:
    """Return all series that have published tiles, sorted by name."""
    found = []
    for key, folder in series_folders(root):
        entries = tuple(tile_index.read_index(folder).values())
        if entries:
            months = [entry.month for entry in entries]
            rows, flagged = sum(entry.rows for entry in entries), sum(entry.flagged for entry in entries)
            size = sum(entry.bytes for entry in entries)
            used = max(tile_index.read_used(folder).values(), default=0)
            found.append(SeriesStatus(key, len(entries), rows, flagged, size, min(months), max(months), used))
    return tuple(found)


def verify(
    root: Path,
    drop: Callable[[SeriesKey, list[TileEntry]], None],
    damage: Callable[[SeriesKey, TileEntry], str | None] | None = None,
) -> tuple[int, tuple[Damage, ...]]:
    """Read every byte of every published tile; return how many, and the damaged ones, dropped.
    ``damage`` says what is wrong with one that is elsewhere than in its folder.
    """
    checked, damages = 0, []
    for key, folder in series_folders(root):
        for entry in tile_index.read_index(folder).values():
            checked += 1
            reason = damage(key, entry) if damage else _damage(folder, entry)
            if reason:
                damages.append(Damage(key, entry.month, reason))
                drop(key, [entry])
    return checked, tuple(damages)


def _damage(folder: Path, entry: TileEntry) -> str | None:
    try:
        found = verify_tile(folder / entry.file_name)
    except TileDamaged as exc:
        return exc.message
    except FileNotFoundError:
        # A writer may have replaced it since the index was read.
        return "missing" if tile_index.read_index(folder).get(entry.month) == entry else None
    if found != entry and tile_index.read_index(folder).get(entry.month) == entry:
        return "not the tile that the index names"
    return None


def clear(root: Path, station: str | None = None) -> int:
    """Remove all tiles, or one station's; return the bytes removed."""
    removed = 0
    for key, folder in list(series_folders(root)):
        if station is None or key.station == station:
            removed += _clear_series(folder)
    return removed


def _clear_series(folder: Path) -> int:
    # not there: somebody else clears it
    with suppress(FileNotFoundError), tile_index.locked(folder):
        # first, so that nobody takes what is cut for damaged
        (folder / tile_index.INDEX).unlink(missing_ok=True)
        removed = sum(_remove_file(path) for path in folder.glob("*.tile"))
        shutil.rmtree(folder, ignore_errors=True)
        return removed
    return 0


def evict(
    root: Path,
    budget_bytes: int,
    keep: Collection[tuple[SeriesKey, int]],
    *,
    remove: Callable[[Path, TileEntry], int] | None = None,
) -> int:
    """Remove the least recently used published tiles, never those to keep, where all take more
    than the budget, until they take 95 % of it; bytes removed. ``remove`` does so by folder and
    entry and returns bytes.

    A look at all tiles takes seconds where there are a million, so it is left out while they are
    known to fit (data/tiles/disk_account.py); nothing is removed then.
    """
    account = DiskAccount(root)
    if account.fits(budget_bytes):
        return 0
    account.begin()
    now = time.time()
    total, tiles = 0, []
    for key, folder in series_folders(root):
        entries, used = tile_index.read_index(folder), tile_index.read_used(folder)
        removable = {entry.file_name for month, entry in entries.items() if (key, month) not in keep}
        total += _sweep(folder, {entry.file_name for entry in entries.values()}, now)
        tiles += [(used.get(month, 0), key, folder, entry) for month, entry in entries.items() if entry.file_name in removable]
    removed, rest = 0, budget_bytes if total <= budget_bytes else budget_bytes * _ROOM_LEFT
    for _, _, folder, entry in sorted(tiles, key=lambda tile: (tile[0], tile[1], tile[3].month)):
        if total - removed <= rest:
            break
        removed += (remove or _remove)(folder, entry)
    account.end(total - removed)
    if removed:
        _log.info("tiles evicted", bytes=removed, budget_bytes=budget_bytes)
    return removed


def _sweep(folder: Path, published: Collection[str], now: float) -> int:
    """Bytes of a series on disk; what ended jobs left behind is removed."""
    total = 0
    for path in (*folder.glob("*.tile"), *folder.glob(".*.tmp")):
        try:
            found = path.stat()
        except FileNotFoundError:
            continue
        life = DRAFT_LIFE_S if path.suffix == ".tmp" else STRAY_LIFE_S
        if path.name not in published and now - found.st_mtime > life:
            path.unlink(missing_ok=True)
        else:
            total += found.st_size
    return total


def _remove(folder: Path, entry: TileEntry) -> int:
    if not folder.exists():  # cleared meanwhile
        return 0
    with tile_index.locked(folder):
        known = dict(tile_index.read_index_locked(folder))
        if known.get(entry.month) != entry:
            return 0
        del known[entry.month]
        tile_index.write_index(folder, known)
        _remove_file(folder / entry.file_name)
    return entry.bytes


def _remove_file(path: Path) -> int:
    """Remove a tile's file, and free its place on the disk at once, whoever has it open;
    bytes freed.

    A reader that has mapped it finds it cut, which does it no harm (data/tiles/file_map.py). A file
    with another name, as in a backup of hard links, is left as it is.
    """
    try:
        found = path.stat()
        if found.st_nlink == 1:
            os.truncate(path, 0)
        path.unlink()
    except FileNotFoundError:
        return 0
    return found.st_size
