"""What the inventory says of a station after rows of it have gone:
its sensors, its step, and whether it is there at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, select, update

from data.database.tables import month_inventory, station_inventory
from data.inventory import Inventory
from data.sensor_spans import Span, Spans, dump_spans, hull, measure, parse_spans, read_spans


def restore_station(connection: Connection, inventory: Inventory, table: Table, station: str, what: Mapping[str, Any]) -> None:
    """Make the inventory say of a station what it said before a batch,
    with what later ones have brought.

    ``what`` holds ``before`` (None: the station was new) and the ``step_ms`` that the batch set.
    """
    before, here = what["before"], _here(inventory, station)
    row = _kept(connection, inventory, station)
    if row is None:
        return
    known, now = read_spans(before["sensors"]) if before else {}, parse_spans(row[0])
    # A value that is there now was there before the batch, or is a later one's.
    limits = {name: _either(known, now, name) for name in {**known, **now}}
    values: dict[str, Any] = {"sensors": dump_spans(measure(connection, table, station, limits))}
    if before is not None:
        # Of a step that has changed again since, a later batch knows more.
        values |= {"step_ms": before["step_ms"]} if what["step_ms"] == row[1] or row[1] is None else {}
        values["synthetic"] = before["synthetic"]
    connection.execute(update(station_inventory).where(here).values(values))


def prune_station(connection: Connection, inventory: Inventory, table: Table, station: str, doubtful: Iterable[str]) -> None:
    """Remove a station that a deletion left without rows,
    and of the ``doubtful`` sensors those without a value.
    """
    row = _kept(connection, inventory, station)
    if row is None:
        return
    known, asked = parse_spans(row[0]), set(doubtful)
    kept = {name: span for name, span in known.items() if name not in asked}
    kept |= measure(connection, table, station, {name: span for name, span in known.items() if name in asked})
    statement = update(station_inventory).where(_here(inventory, station))
    connection.execute(statement.values(sensors=dump_spans(kept)))


def _either(some: Spans, others: Spans, name: str) -> Span | None:
    """Return where the values of a sensor lie at most by two spans; None: anywhere."""
    spans = [found[name] for found in (some, others) if name in found]
    return hull(span for span in spans if span) if all(spans) else None


def _here(inventory: Inventory, station: str) -> ColumnElement[bool]:
    columns = station_inventory.c
    return and_(columns.source == inventory.source, columns.station == station)


def _kept(connection: Connection, inventory: Inventory, station: str) -> Any | None:
    """Return the sensors and the step of a station; None of one without rows, which is removed.

    The generations of its months stay, so that no tile looks fresh again.
    """
    months, columns, here = month_inventory.c, station_inventory.c, _here(inventory, station)
    some = select(months.month).where(months.source == inventory.source, months.station == station, months.rows > 0)
    if connection.execute(some.limit(1)).first() is None:
        connection.execute(delete(station_inventory).where(here))
        return None
    return connection.execute(select(columns.sensors, columns.step_ms).where(here)).one()
