"""The SQL of a mapped table. SQLAlchemy writes it from reflected columns;
values are bound or typed literals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Double,
    Enum,
    Integer,
    Select,
    String,
    and_,
    case,
    cast,
    false,
    literal,
    or_,
    select,
    true,
    type_coerce,
    union_all,
)
from sqlalchemy.types import NullType

from data.source.mapped.mapping import MappedSensor, Quality
from data.source.mapped.reflected import ReflectedTable, typed
from data.source.mapped.wall_times import Segment


def readings(
    reflected: ReflectedTable, stations: Sequence[str], sensors: Sequence[MappedSensor], segment: Segment
) -> Select[Any]:
    """Rows of a segment by time, equal times as written; of a doubled hour as written.

    Columns: time; then, wide, a value a sensor and 0 or 1 for each quality column (1: bad); tall,
    the number of the sensor, its values, and 0 or 1 where any sensor has a quality column. Of
    several stations, last the number of the station.
    """
    order = reflected.order
    parts = [(part, _rows(part, stations, sensors, segment)) for part in reflected.parts]
    if len(parts) == 1:
        return parts[0][1].order_by(*_order(segment, reflected.by_time, reflected.table.c[order] if order else None))
    ordered = (rows.add_columns(part.table.c[order].label("o")) if order else rows for part, rows in parts)
    rows = union_all(*ordered).subquery("u")
    chosen = (each for each in rows.c if each.name != "o")
    return select(*chosen).order_by(*_order(segment, [rows.c.t], rows.c.o if order else None))


def _rows(reflected: ReflectedTable, stations: Sequence[str], sensors: Sequence[MappedSensor], segment: Segment) -> Select[Any]:
    """Return the statement of :func:`readings` for one table, in any order."""
    chosen = _tall(reflected, sensors) if reflected.mapping.tall else _wide(reflected, sensors)
    if len(stations) > 1:
        which = [(of_station(reflected, station), literal(at, Integer())) for at, station in enumerate(stations)]
        chosen.append(case(*which, else_=literal(-1, Integer())))
    within = reflected.within(segment.start_ms, segment.end_ms)
    return (
        select(reflected.time.label("t"), *(each.label(f"c{number}") for number, each in enumerate(chosen)))
        .where(within, of_stations(reflected, stations), kept(reflected))
        .where(tagged(reflected, sensors))
    )


def _order(
    segment: Segment, by_time: Sequence[ColumnElement[Any]], written: ColumnElement[Any] | None
) -> Sequence[ColumnElement[Any]]:
    """Order by time, equal times as written; all of a doubled hour as written."""
    if written is None:
        return by_time
    return [written] if segment.second_offset_ms is not None else [*by_time, written]


def of_station(reflected: ReflectedTable, station: str) -> ColumnElement[bool]:
    """Rows of one station."""
    columns, values = reflected.mapping.station, reflected.values_of(station)
    if not columns:
        return true()
    pairs = zip(columns, values, strict=bool(values))
    return and_(*(reflected.table.c[name] == _literal(reflected, name, value) for name, value in pairs)) if values else false()


def of_stations(reflected: ReflectedTable, stations: Sequence[str]) -> ColumnElement[bool]:
    """Rows of some stations."""
    columns = reflected.mapping.station
    if len(stations) > 1 and len(columns) == 1:
        (name,) = columns
        return reflected.table.c[name].in_(
            [_literal(reflected, name, value) for each in stations for value in reflected.values_of(each)]
        )
    return or_(*(of_station(reflected, station) for station in stations))


def kept(reflected: ReflectedTable) -> ColumnElement[bool]:
    """Rows that the mapping's filters keep."""
    conditions = []
    for each in reflected.mapping.where:
        column = reflected.table.c[each.column]
        values = [_literal(reflected, each.column, value) for value in each.equals]
        conditions.append(column.in_(values) if len(values) > 1 else column == values[0] if values else column.is_(None))
    return and_(true(), *conditions)


def listed(reflected: ReflectedTable) -> ColumnElement[bool]:
    """Rows of the stations that the mapping lists; all rows where it lists none."""
    return of_stations(reflected, reflected.mapping.stations) if reflected.mapping.stations else true()


def tagged(reflected: ReflectedTable, sensors: Sequence[MappedSensor]) -> ColumnElement[bool]:
    """Rows of some sensors; all rows of a wide table."""
    if reflected.mapping.tag is None:
        return true()
    keys = [key for each in sensors for key in reflected.keys_of(each)]
    return (
        reflected.table.c[reflected.mapping.tag].in_([_literal(reflected, reflected.mapping.tag, key) for key in keys])
        if keys
        else false()
    )


def qualities(sensors: Sequence[MappedSensor]) -> list[Quality]:
    """The different quality columns of some sensors, in order."""
    return list(dict.fromkeys(each.quality for each in sensors if each.quality))


def number(reflected: ReflectedTable, column: str) -> ColumnElement[Any]:
    """A column of values; DECIMAL and singles as double precision,
    which every driver then gives alike.

    A single becomes the double that equals it;
    :class:`data.source.mapped.station_rows.Rows` makes of it what was written.
    """
    plain = reflected.table.c[column]
    # Without a type nothing is converted: SQLAlchemy's DOUBLE of MariaDB gives ten digits, its
    # NUMERIC of SQLite fails for text.
    return type_coerce(plain, NullType()) if reflected.is_exact(column) else cast(plain, Double())


def singles(reflected: ReflectedTable, sensors: Sequence[MappedSensor]) -> frozenset[int]:
    """The positions, among the columns of :func:`readings`,
    of values that are of single precision in the table.
    """
    mapping = reflected.mapping
    first, columns = (2, mapping.values) if mapping.tall else (1, [each.place for each in sensors])
    return frozenset(at for at, column in enumerate(columns, first) if reflected.is_single(column))


def _wide(reflected: ReflectedTable, sensors: Sequence[MappedSensor]) -> list[ColumnElement[Any]]:
    return [
        *(number(reflected, each.place) for each in sensors),
        *(_is_bad(reflected, each) for each in qualities(sensors)),
    ]


def _tall(reflected: ReflectedTable, sensors: Sequence[MappedSensor]) -> list[ColumnElement[Any]]:
    of = [_of_sensor(reflected, each) for each in sensors]
    places = [(each, literal(at, Integer())) for at, each in enumerate(of)]
    chosen = [
        case(*places, else_=literal(len(places), Integer())),
        *(number(reflected, name) for name in reflected.mapping.values),
    ]
    marked = [(at, each) for at, each in zip(of, sensors, strict=True) if each.quality]
    if marked:
        bad = [(and_(at, _is_bad(reflected, each.quality) == 1), literal(1, Integer())) for at, each in marked if each.quality]
        chosen.append(case(*bad, else_=literal(0, Integer())))
    return chosen


def _of_sensor(reflected: ReflectedTable, sensor: MappedSensor) -> ColumnElement[bool]:
    """Rows of a tall table that are a sensor's."""
    column, keys = str(reflected.mapping.tag), reflected.keys_of(sensor)
    tag, values = reflected.table.c[column], [_literal(reflected, column, key) for key in keys]
    return tag.in_(values) if len(values) > 1 else tag == values[0] if values else false()


def _is_bad(reflected: ReflectedTable, quality: Quality) -> ColumnElement[Any]:
    column = reflected.table.c[quality.column]
    good = or_(column.is_(None), column.in_([_literal(reflected, quality.column, code) for code in quality.good]))
    return case((good, literal(0, Integer())), else_=literal(1, Integer()))


def _literal(reflected: ReflectedTable, column: str, value: Any) -> ColumnElement[Any]:
    """A value of a mapping or a station's name as a literal of the column's own type."""
    kind = reflected.types[column]
    if isinstance(kind, String) and not isinstance(kind, Enum):
        return literal(str(value), String())
    if isinstance(value, bool) and isinstance(kind, Integer):
        value = int(value)
    value = typed(kind, value) if isinstance(value, str) else value
    return literal(value) if isinstance(value, str) and not isinstance(kind, Enum) else literal(value, kind)
