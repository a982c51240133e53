"""Names on disk: station names are any text (spaces, slashes, dots, other scripts),
folder names are not.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterator
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from data.tiles.series import SeriesKey

NAME = "name"  # the file that tells which series a folder is
_LONGEST = 180  # characters; file systems allow 255 bytes


@lru_cache(maxsize=8192)
def quoted(text: str) -> str:
    """Return a folder name for any text, unique, without a leading dot and not empty."""
    name = quote(text, safe=" @+,=()", errors="surrogatepass").replace(".", "%2E") or "%"
    if len(name) <= _LONGEST:
        return name
    return f"{name[:_LONGEST]}~{hashlib.blake2b(text.encode('utf-8', 'surrogatepass'), digest_size=12).hexdigest()}"


def station_folder(source: str, station: str) -> Path:
    """Folder of a station's series, relative to the store."""
    return Path(f"{quoted(source)}/{quoted(station)}")


def folder_name(key: SeriesKey) -> Path:
    """Folder of a series, relative to the store."""
    return Path(f"{quoted(key.source)}/{quoted(key.station)}/{quoted(key.sensor)}")  # thousands: joining takes longer


def prepare(folder: Path, key: SeriesKey) -> None:
    """Make a series' folder and the file that names it."""
    if (folder / NAME).exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / NAME).write_text(json.dumps(key), encoding="utf-8")  # same bytes whoever writes


def keys_beside(root: Path, key: SeriesKey, begins: Collection[str]) -> list[SeriesKey]:
    """Return the station's series whose name begins with the name of one and one of ``begins``."""
    station, wanted = root / station_folder(key.source, key.station), tuple(key.sensor + begin for begin in begins)
    starts = tuple(quoted(start).partition("~")[0] for start in wanted)
    folders = sorted(name for name in names_in(station) if name.startswith(starts))
    found = (_named(station / name / NAME) for name in folders)
    return [each for each in found if each is not None and each.sensor.startswith(wanted)]


def names_in(folder: Path) -> set[str]:
    """Return the names of what is in a folder; none where there is no folder."""
    try:
        return set(os.listdir(folder))  # noqa: PTH208 - of hundreds of folders for one request
    except (FileNotFoundError, NotADirectoryError):
        return set()


def series_folders(root: Path) -> Iterator[tuple[SeriesKey, Path]]:
    """Yield every series of a store with its folder, sorted."""
    for path in sorted(root.glob(f"*/*/*/{NAME}")):
        key = _named(path)
        if key is not None:
            yield key, path.parent


def _named(path: Path) -> SeriesKey | None:
    """Return which series the file names; None of one that is being made, or cleared, just now."""
    try:
        return SeriesKey(*json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
