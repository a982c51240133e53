"""Tables as sites have them already, filled with one and the same history;
and a site that reads them by a mapping.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sqlalchemy import Connection, Engine, text

from config import Settings
from data.catalogue import load_catalogue
from data.database.engine import make_engine
from data.request import request_of
from data.site import Site, open_site
from data.source.mapped.mapping_loading import load_mapping
from data.source.mapped.source import MappedReader, MappedSource
from data.source_sync import sync_inventory
from data.tiles.series import SeriesKey
from jobs.kinds.history import load_history
from tests.databases import write_migrated

# For tests of what is decided before or after a database is asked, so that each gives the same.
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock

IDS = {
    "sqlite": "INTEGER PRIMARY KEY",
    "postgresql": "BIGSERIAL PRIMARY KEY",
    "mariadb": "BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY",
}
WALL = {"sqlite": "DATETIME", "postgresql": "TIMESTAMP", "mariadb": "DATETIME"}


def utc_ms(*parts: int) -> int:
    """A UTC time as ms."""
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type,misc]


def wall(ms: int, offset_h: float = 7) -> str:
    """How a wall clock that is so many hours ahead of UTC shows a time (ms)."""
    return str(EPOCH + timedelta(milliseconds=ms, hours=offset_h))


@dataclass
class Foreign:
    """A database of the site's, ours to write to only in tests."""

    engine: Engine
    folder: Path
    kind: str

    @property
    def url(self) -> str:
        """With its password."""
        return self.engine.url.render_as_string(hide_password=False)

    def run(self, *statements: str) -> None:
        """Run statements in one transaction."""
        with self.engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement if self.kind == "sqlite" else statement.replace("%", "%%"))

    def make(self, table: str, columns: str, *, number: bool = True) -> None:
        """Make a table, with an auto-increment id unless ``number`` is false;
        WALL stands for a time without a zone.
        """
        identity = f"id {IDS[self.kind]}, " if number else ""
        self.run(f"CREATE TABLE {table} ({identity}{columns.replace('WALL', WALL[self.kind])})")

    def add(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Insert rows of equal columns, in order."""
        many = list(rows)
        names = list(many[0])
        with self.engine.begin() as connection:
            insert = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"
            connection.execute(text(insert), [dict(row) for row in many])

    @contextmanager
    def reader(self, mapping: str) -> Iterator[tuple[MappedReader, Connection]]:
        """What reads a table by a mapping, and a connection to ask with, without a site:
        a fifth of the time.
        """
        file = self.folder / "mapping.toml"
        file.write_text(f"url = '{self.url}'\n{mapping}", encoding="utf-8")
        source = MappedSource(load_mapping(file, load_catalogue()), self.engine)
        with source.open() as reader, self.engine.connect() as connection:
            yield reader, connection

    @contextmanager
    def site(self, mapping: str, *, name: str = "site", synced: bool = True, **settings: Any) -> Iterator[Site]:
        """A site that reads this database by a mapping (its url is put before)."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        file = folder / "mapping.toml"
        head = "" if "url_env" in mapping else f"url = '{self.url}'\n"
        file.write_text(head + mapping, encoding="utf-8")
        made = Settings(data_dir=folder / "var", source=file, **settings)
        made.prepare()
        write_migrated(made.history_url)
        site = open_site(made)
        try:
            if synced:
                sync_inventory(site)
            yield site
        finally:
            site.engine.dispose()
            site.source.engine.dispose()


@contextmanager
def foreign_at(url: str, folder: Path) -> Iterator[Foreign]:
    """The database of a URL as the site's; its sites keep theirs in a folder."""
    engine = make_engine(url)
    yield Foreign(engine, folder, "mariadb" if engine.dialect.name == "mysql" else engine.dialect.name)
    engine.dispose()


def load(
    site: Site, station: str, sensors: Sequence[str], start: str = "2019-01-01", end: str = "2020-01-01"
) -> Mapping[str, float | int]:
    """Load a request (UTC); the job's metrics."""
    return load_history(site, request_of([station], list(sensors), start, end, "raw", "UTC"), lambda _: None)


def rows_of(
    site: Site, station: str, sensor: str
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.uint8]]:
    """All rows of a series' tiles: times, values, flags."""
    series = site.tiles.open_series(SeriesKey(site.source_id, station, sensor), -(2**60), 2**60)
    chunks = list(series.chunks(-(2**60), 2**60))
    if not chunks:
        return np.empty(0, np.int64), np.empty(0), np.empty(0, np.uint8)
    times, values, flags = (np.concatenate(each) for each in zip(*chunks, strict=True))
    return times, values, flags
