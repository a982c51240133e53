"""The SQL of a mapped table. SQLAlchemy writes it from reflected columns; values are bound or typed literals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Double, Enum, Integer, Select, String, and_, case, cast, false, literal, or_, select, true

from data.source.mapping import MappedSensor, Quality
from data.source.shape import Shape, typed
from data.source.zones import Segment


def readings(shape: Shape, stations: Sequence[str], sensors: Sequence[MappedSensor], segment: Segment) -> Select[Any]:
    """Rows of a segment by time, equal times as written; of a doubled hour as written.

    Columns: time; then, wide, a value a sensor and 0 or 1 for each quality column (1: bad); tall, the number of the sensor,
    its value, and 0 or 1 where any sensor has a quality column. Of several stations, last the number of the station.
    """
    time = shape.table.c[shape.mapping.time]
    order = [shape.table.c[shape.order]] if shape.order else []
    chosen = _tall(shape, sensors) if shape.mapping.tall else _wide(shape, sensors)
    if len(stations) > 1:
        which = [(of_station(shape, station), literal(at, Integer())) for at, station in enumerate(stations)]
        chosen.append(case(*which, else_=literal(-1, Integer())))
    return (
        select(time.label("t"), *(each.label(f"c{number}") for number, each in enumerate(chosen)))
        .where(shape.clock.within(time, segment.start_ms, segment.end_ms), of_stations(shape, stations), kept(shape))
        .where(tagged(shape, sensors))
        .order_by(*(order if segment.second_offset_ms is not None and order else [time, *order]))
    )


def of_station(shape: Shape, station: str) -> ColumnElement[bool]:
    """Rows of one station."""
    columns, values = shape.mapping.station, shape.values_of(station)
    if not columns:
        return true()
    pairs = zip(columns, values, strict=bool(values))
    return and_(*(shape.table.c[name] == _literal(shape, name, value) for name, value in pairs)) if values else false()


def of_stations(shape: Shape, stations: Sequence[str]) -> ColumnElement[bool]:
    """Rows of some stations."""
    columns = shape.mapping.station
    if len(stations) > 1 and len(columns) == 1:
        (name,) = columns
        return shape.table.c[name].in_([_literal(shape, name, value) for each in stations for value in shape.values_of(each)])
    return or_(*(of_station(shape, station) for station in stations))


def kept(shape: Shape) -> ColumnElement[bool]:
    """Rows that the mapping's filters keep."""
    conditions = []
    for each in shape.mapping.where:
        column = shape.table.c[each.column]
        values = [_literal(shape, each.column, value) for value in each.equals]
        conditions.append(column.in_(values) if len(values) > 1 else column == values[0] if values else column.is_(None))
    return and_(true(), *conditions)


def listed(shape: Shape) -> ColumnElement[bool]:
    """Rows of the stations that the mapping lists; all rows where it lists none."""
    return of_stations(shape, shape.mapping.stations) if shape.mapping.stations else true()


def tagged(shape: Shape, sensors: Sequence[MappedSensor]) -> ColumnElement[bool]:
    """Rows of some sensors; all rows of a wide table."""
    if shape.mapping.tag is None:
        return true()
    return shape.table.c[shape.mapping.tag].in_([_literal(shape, shape.mapping.tag, each.place) for each in sensors])


def qualities(sensors: Sequence[MappedSensor]) -> list[Quality]:
    """The different quality columns of some sensors, in order."""
    return list(dict.fromkeys(each.quality for each in sensors if each.quality))


def number(shape: Shape, column: str) -> ColumnElement[Any]:
    """A column of values; DECIMAL and single floats as double precision, which every driver then gives alike."""
    plain = shape.table.c[column]
    return plain if shape.is_exact(column) else cast(plain, Double())


def _wide(shape: Shape, sensors: Sequence[MappedSensor]) -> list[ColumnElement[Any]]:
    return [
        *(number(shape, each.place) for each in sensors),
        *(_is_bad(shape, each) for each in qualities(sensors)),
    ]


def _tall(shape: Shape, sensors: Sequence[MappedSensor]) -> list[ColumnElement[Any]]:
    tag = shape.table.c[str(shape.mapping.tag)]
    places = [
        (tag == _literal(shape, str(shape.mapping.tag), each.place), literal(at, Integer())) for at, each in enumerate(sensors)
    ]
    chosen = [case(*places, else_=literal(len(places), Integer())), number(shape, str(shape.mapping.value))]
    marked = [(at, each) for at, each in zip(places, sensors, strict=True) if each.quality]
    if marked:
        bad = [(and_(at[0], _is_bad(shape, each.quality) == 1), literal(1, Integer())) for at, each in marked if each.quality]
        chosen.append(case(*bad, else_=literal(0, Integer())))
    return chosen


def _is_bad(shape: Shape, quality: Quality) -> ColumnElement[Any]:
    column = shape.table.c[quality.column]
    good = or_(column.is_(None), column.in_([_literal(shape, quality.column, code) for code in quality.good]))
    return case((good, literal(0, Integer())), else_=literal(1, Integer()))


def _literal(shape: Shape, column: str, value: Any) -> ColumnElement[Any]:
    """A value of a mapping or a station's name as a literal of the column's own type."""
    kind = shape.types[column]
    if isinstance(kind, String) and not isinstance(kind, Enum):
        return literal(str(value), String())
    if isinstance(value, bool) and isinstance(kind, Integer):
        value = int(value)
    value = typed(kind, value) if isinstance(value, str) else value
    return literal(value) if isinstance(value, str) and not isinstance(kind, Enum) else literal(value, kind)
