"""Care for tiles in object storage: what is damaged, what nobody names any more, what must go.

The indices in the folder of the host have been brought up to date before.
"""

from __future__ import annotations

import secrets
from pathlib import Path

import structlog

from data.tiles import index as tile_index
from data.tiles.file import verify_tile
from data.tiles.format import TileEntry
from data.tiles.index_mirror import INDICES
from data.tiles.maintenance import STRAY_LIFE_S
from data.tiles.object_store import ObjectStore, StoredObject, write_pieces
from data.tiles.paths import folder_name, series_folders
from data.tiles.series import SeriesKey
from data.tiles.tile_mirror import TILES, object_name
from errors import TileDamaged

_log = structlog.get_logger(__name__)


def damage(objects: ObjectStore, root: Path, key: SeriesKey, entry: TileEntry) -> str | None:
    """Return what is wrong with a tile in the storage; None of a whole one. Fills no cache."""
    found = objects.pieces(object_name(key, entry))
    if found is None:
        return "missing"
    draft = root / folder_name(key) / f".verify.{secrets.token_hex(4)}.tmp"
    try:
        write_pieces(found[1], draft)
        return None if verify_tile(draft) == entry else "not the tile that the index names"
    except TileDamaged as exc:
        return exc.message
    finally:
        draft.unlink(missing_ok=True)


def sweep(objects: ObjectStore, root: Path) -> int:
    """Remove tiles that no index names, of jobs that ended before they published them; bytes
    removed. Those of the last day, by the storage's own clock, may belong to one that runs.
    """
    removed = 0
    newest = max((each.written_s for each in objects.listed(INDICES)), default=0.0)
    for key, folder in series_folders(root):
        found = list(objects.listed(f"{TILES}/{folder_name(key)}"))
        now_s = max([newest, *(each.written_s for each in found)])
        old = [each for each in found if now_s - each.written_s > STRAY_LIFE_S]
        named = {object_name(key, entry) for entry in tile_index.read_index(folder).values()} if old else set()
        strays = [each for each in old if each.name not in named]
        objects.delete([each.name for each in strays])
        removed += sum(each.bytes for each in strays)
    if removed:
        _log.info("tiles that no index names removed", bytes=removed)
    return removed


def clear(objects: ObjectStore, root: Path, station: str | None) -> int:
    """Remove all tiles, or one station's; bytes removed. Indices go first, so that nobody takes
    what is gone for lost.
    """
    below = [""]
    if station is not None:
        below = sorted({f"/{folder_name(key).parent}" for key, _ in series_folders(root) if key.station == station})
    for folder in below:
        _remove(objects, INDICES + folder)
    return sum(_remove(objects, TILES + folder) for folder in below)


def _remove(objects: ObjectStore, prefix: str) -> int:
    found: list[StoredObject] = list(objects.listed(prefix))
    objects.delete([each.name for each in found])
    return sum(each.bytes for each in found)
