"""Rows of the own table that are in the future or far from their station's rest:
counted, so that an import can say so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Engine, func, or_, select

from data.database.tables import table_of
from data.inventory import Inventory
from data.time.months import iso_utc


@dataclass(frozen=True)
class OutlyingRows:
    """Rows of a station that set no range (data/outlying.py): how many, and their span."""

    station: str
    rows: int
    first: str
    last: str


def outlying_rows(engine: Engine, inventory: Inventory, names: Iterable[str]) -> tuple[OutlyingRows, ...]:
    """Return the outlying rows of the stations that have any, of all imports."""
    columns, found = table_of(()).c, []
    stations = [station for station in inventory.stations() if station.outlying is not None]
    wanted = set(names)
    with engine.connect() as connection:
        for station in stations:
            if station.name in wanted and station.outlying is not None:
                within = or_(*(columns.time.between(*span) for span in station.outlying.spans))
                query = select(func.count(), func.min(columns.time), func.max(columns.time))
                rows, first, last = connection.execute(query.where(columns.station == station.name, within)).one()
                found += [OutlyingRows(station.name, rows, iso_utc(first), iso_utc(last))] if rows else []
    return tuple(found)
