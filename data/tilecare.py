"""Care for a store of tiles: what there is, what is damaged, what must go."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import structlog

from data import tileindex
from data.series import SeriesKey
from data.tilefile import TileEntry, verify_tile
from data.tilepaths import series_folders
from errors import TileDamaged

DRAFT_LIFE_S = 3600.0  # a temporary file older than this has lost its writer
STRAY_LIFE_S = 86_400.0  # a tile that nobody published in this time is left over from a job that ended

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class SeriesStatus:
    """What the store holds of one series; months as in data/months.py, ``used_ms`` int ms UTC (0: never)."""

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
    """All series that have published tiles, sorted by name."""
    found = []
    for key, folder in series_folders(root):
        entries = tuple(tileindex.read_index(folder).values())
        if entries:
            months = [entry.month for entry in entries]
            rows, flagged = sum(entry.rows for entry in entries), sum(entry.flagged for entry in entries)
            size = sum(entry.bytes for entry in entries)
            used = max(tileindex.read_used(folder).values(), default=0)
            found.append(SeriesStatus(key, len(entries), rows, flagged, size, min(months), max(months), used))
    return tuple(found)


def verify(root: Path, drop: Callable[[SeriesKey, list[TileEntry]], None]) -> tuple[int, tuple[Damage, ...]]:
    """Read every byte of every published tile: how many there are, and the damaged ones, which are dropped."""
    checked, damages = 0, []
    for key, folder in series_folders(root):
        for entry in tileindex.read_index(folder).values():
            checked += 1
            reason = _damage(folder, entry)
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
        return "missing" if tileindex.read_index(folder).get(entry.month) == entry else None
    if found != entry and tileindex.read_index(folder).get(entry.month) == entry:
        return "not the tile that the index names"
    return None


def clear(root: Path, station: str | None = None) -> int:
    """Remove all tiles, or one station's; bytes removed. They are read from the source again when needed."""
    removed = 0
    for key, folder in list(series_folders(root)):
        if station is None or key.station == station:
            removed += sum(path.stat().st_size for path in folder.glob("*.tile"))
            shutil.rmtree(folder, ignore_errors=True)
    return removed


def evict(root: Path, budget_bytes: int, keep: Collection[tuple[SeriesKey, int]]) -> int:
    """Remove the least recently used published tiles, never those to keep, until the rest fits; bytes removed."""
    now = time.time()
    total, tiles = 0, []
    for key, folder in series_folders(root):
        entries, used = tileindex.read_index(folder), tileindex.read_used(folder)
        removable = {entry.file_name for month, entry in entries.items() if (key, month) not in keep}
        total += _sweep(folder, {entry.file_name for entry in entries.values()}, now)
        tiles += [(used.get(month, 0), key, folder, entry) for month, entry in entries.items() if entry.file_name in removable]
    removed = 0
    for _, _, folder, entry in sorted(tiles, key=lambda tile: (tile[0], tile[1], tile[3].month)):
        if total - removed <= budget_bytes:
            break
        removed += _remove(folder, entry)
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
    with tileindex.locked(folder):
        known = dict(tileindex.read_index_locked(folder))
        if known.get(entry.month) != entry:
            return 0
        del known[entry.month]
        tileindex.write_index(folder, known)
        (folder / entry.file_name).unlink(missing_ok=True)
    return entry.bytes
