"""What tells whether anything of a station has changed, without its readings."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Engine, func, select

from data.database.tables import month_inventory


@dataclass(frozen=True)
class StationVersion:
    """``changes`` grows with every change of a station's rows, and ``rows`` is how many it has."""

    changes: int
    rows: int


NO_VERSION = StationVersion(0, 0)


def station_versions(engine: Engine, source: str, stations: Collection[str]) -> Mapping[str, StationVersion]:
    """Return the versions of some stations, by one query; of one without rows that of nothing."""
    columns = month_inventory.c
    summed = (func.sum(columns.generation), func.sum(columns.rows))
    query = select(columns.station, *summed).where(columns.source == source, columns.station.in_(stations))
    with engine.connect() as connection:
        found = connection.execute(query.group_by(columns.station)).all()
    known = {name: StationVersion(int(changes), int(rows)) for name, changes, rows in found}
    return dict.fromkeys(stations, NO_VERSION) | known
