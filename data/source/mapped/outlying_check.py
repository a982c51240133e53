"""Rows of a mapped table that are in the future or far from their station's rest,
counted for ``source check``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection, false, func, or_, select

from data.ingest.outlying_rows import OutlyingRows
from data.inventory_records import StationInventory
from data.source.mapped import sql
from data.source.mapped.readable_times import end_time
from data.source.mapped.reflected import ReflectedTable
from data.source.mapped.source import MappedSource
from data.time.months import iso_utc
from i18n import ngettext


def outlying_rows(source: MappedSource, stations: Iterable[StationInventory]) -> tuple[OutlyingRows, ...]:
    """Return the outlying rows of those stations that have some; where times do not sort as text
    does, about as many as the inventory says.
    """
    apart = [station for station in stations if station.outlying is not None]
    if not apart:
        return ()
    with source.open() as reader, reader.session.engine() as engine, engine.connect() as connection:
        return tuple(found for station in apart for found in _of(connection, reader.reflected, station))


def outlying_words(found: Sequence[OutlyingRows]) -> list[str]:
    """A sentence for each."""
    return [
        ngettext(
            "{station}: {count} row, at {first}, is in the future or far from the rest; it does not count for the range.",
            "{station}: {count} rows from {first} to {last} are in the future or far from the rest; "
            "they do not count for the range.",
            each.rows,
        ).format(station=each.station, count=each.rows, first=each.first, last=each.last)
        for each in found
    ]


def _of(connection: Connection, reflected: ReflectedTable, station: StationInventory) -> Iterator[OutlyingRows]:
    told = station.outlying
    if told is None:
        return
    if not reflected.clock.sorts:
        yield OutlyingRows(station.name, told.rows, iso_utc(told.spans[0][0]), iso_utc(told.spans[-1][1]))
        return
    within = or_(false(), *(reflected.between(first, last + 1) for first, last in told.spans))
    here = (within, sql.of_station(reflected, station.name), sql.kept(reflected))
    rows = int(connection.execute(select(func.count()).select_from(reflected.table).where(*here)).scalar_one())
    first, last = (end_time(connection, reflected, here, last=last).ms for last in (False, True))
    if first is not None and last is not None:
        yield OutlyingRows(station.name, rows, iso_utc(first), iso_utc(last))
