"""The own table as a source: a built-in mapping of ``observation``, a row a station and time, with
flags in a table beside it.

Filling it belongs to data.ingest, tables of others to data.source.mapped (docs/decisions/0030).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, inspect, select

from data.catalogue import Catalogue
from data.cells.values import ValueReader
from data.database.tables import OWN_SOURCE, observation_flag
from data.source.connection.failures import database_name
from data.source.connection.query_columns import Int64Array, Readings
from data.source.mapped.mapping import MappedSensor, SourceMapping
from data.source.mapped.reflected import ReflectedTable, reflect_table
from data.source.mapped.source import MappedReader, TableSource
from errors import SourceMismatch

_TABLE = "observation"


@dataclass(frozen=True)
class OwnSource(TableSource):
    """The table ``observation`` of our own database (data/database/tables.py)."""

    id = OWN_SOURCE  # whatever the catalogue

    def open(self, *, fast: bool = True) -> OwnReader:
        """Open a reader, for a ``with`` statement; ``fast=False``: the general path only."""
        return OwnReader(self, fast_path=fast)


def own_source(engine: Engine, catalogue: Catalogue, **options: Any) -> OwnSource:
    """The own table with a column a measured sensor of the catalogue; ``options`` are those of
    :class:`TableSource`.

    ``fast=False`` where a process that reads it also writes to the same SQLite file: two SQLite
    libraries in one process break each other's locks (data/source/connection/locks.py).
    """
    sensors = tuple(MappedSensor(sensor.name, (sensor.name,), ValueReader()) for sensor in catalogue.measured)
    mapping = SourceMapping(
        file=Path(_TABLE),
        url=engine.url,
        table=_TABLE,
        time=("time",),
        time_unit="ms",
        timezone=UTC,
        station=("station",),
        sensors=sensors,
    )
    return OwnSource(mapping, engine, **options)


class OwnReader(MappedReader):
    """A connected :class:`OwnSource`."""

    _flagged: dict[str, bool]  # by station whether it has flags at all: most have none, and months are many

    def reflect(self, connection: Connection) -> ReflectedTable:
        """The table with the sensors that it has a column of: the others matter only to who asks
        for them.
        """
        self._flagged = {}
        present = {str(column["name"]) for column in inspect(connection).get_columns(_TABLE)}
        mapping = self.source.mapping
        return reflect_table(
            connection, replace(mapping, sensors=tuple(each for each in mapping.sensors if each.name in present))
        )

    def read_together(
        self, stations: Sequence[str], sensors: Sequence[str], windows: Iterable[tuple[int, int]]
    ) -> dict[str, Readings]:
        """See :class:`MappedReader`."""
        lacking = sorted(set(sensors) - set(self.reflected.types))
        if lacking:
            raise SourceMismatch(
                "The table {table} in {database} lacks {columns}; it has {present}.",
                table=_TABLE,
                database=database_name(self.source.engine.url),
                columns=", ".join(lacking),
                present=", ".join(sorted(self.reflected.types)),
            )
        return super().read_together(stations, sensors, windows)

    def flags(self, station: str, sensors: Sequence[str], start_ms: int, end_ms: int) -> Mapping[str, Int64Array]:
        """Of what import has flagged."""
        columns = observation_flag.c
        query = select(columns.sensor, columns.time).where(columns.station == station)
        if station not in self._flagged:
            found: list[Any] = []
            self.session.stream(query.limit(1), station, found.append)
            self._flagged[station] = any(len(chunk[0]) for chunk in found)
        if not self._flagged[station]:
            return {}
        chunks: list[Any] = []
        here = (columns.time >= start_ms, columns.time < end_ms, columns.sensor.in_(sensors))
        self.session.stream(query.where(*here).order_by(columns.time), station, chunks.append)
        names, times = (np.concatenate([np.empty(0, object), *(np.asarray(chunk[at]) for chunk in chunks)]) for at in (0, 1))
        return {sensor: times[names == sensor].astype(np.int64) for sensor in sensors if (names == sensor).any()}

    def fingerprints(self, stations: Sequence[str], month: int) -> Mapping[str, str | None]:
        """Return None for each station: an import raises the generation itself."""
        del month
        return dict.fromkeys(stations)

    def untimed(self, stations: Sequence[str]) -> int:
        """Return always 0: the primary key forbids rows without a time."""
        del stations
        return 0
