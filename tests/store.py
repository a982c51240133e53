"""An observations database of a test's own, and files written by the test itself."""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from data.catalogue import Catalogue, load_catalogue
from data.database.engine import make_engine
from data.database.tables import observation_flag, observation_table
from data.ingest.file_plan import ImportOptions
from data.ingest.importing import FileReport, import_files
from data.inventory import OWN_SOURCE, Inventory
from tests.databases import write_migrated

_PACKERS: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".xz": lzma.compress}


@dataclass(frozen=True)
class Store:
    """``folder`` takes the files; ``rows``, ``flags`` and ``generations`` say what is stored."""

    engine: Engine
    catalogue: Catalogue
    folder: Path

    @property
    def inventory(self) -> Inventory:
        return Inventory(self.engine, OWN_SOURCE)

    def file(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        data = text.encode() if isinstance(text, str) else text
        path.write_bytes(_PACKERS.get(path.suffix, lambda raw: raw)(data))
        return path

    def load(self, text: str | bytes, name: str = "file.csv", *, profile: str | None = None, **wishes: Any) -> FileReport:
        """Import one file; ``profile`` is the TOML of a profile, or a bundled one's name."""
        if profile is not None and "=" in profile:
            profile = str(self.file("profile.toml", profile))
        return import_files(self.engine, self.catalogue, [self.file(name, text)], ImportOptions(profile=profile, **wishes))[0]

    def rows(self, *sensors: str) -> list[tuple[Any, ...]]:
        """(station, time in ms, value …) of all observations, in order."""
        columns = observation_table(self.catalogue).c
        query = select(columns.station, columns.time, *(columns[name] for name in sensors))
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(query.order_by(columns.station, columns.time))]

    def flags(self) -> list[tuple[Any, ...]]:
        columns = observation_flag.c
        with self.engine.connect() as connection:
            return sorted(tuple(row) for row in connection.execute(select(columns.station, columns.time, columns.sensor)))

    def generations(self) -> dict[tuple[str, int], int]:
        return {
            (station.name, month): entry.generation
            for station in self.inventory.stations()
            for month, entry in self.inventory.months(station.name, 0, 120_000).items()
        }


def store_at(url: str, folder: Path) -> Store:
    """The store of a database that is migrated."""
    return Store(make_engine(url), load_catalogue(), folder)


def open_store(url: str, folder: Path) -> Store:
    """The store of a new file of SQLite."""
    write_migrated(url)
    return store_at(url, folder)
