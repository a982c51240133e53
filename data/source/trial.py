"""Trying a mapping: types, indexes, span, interval, a sample, what is missing or double, and how fast it reads."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, func, select

from data.catalogue import Catalogue
from data.clean import clean
from data.months import iso_utc, month_bounds_ms, month_of
from data.source import mapped_sql, survey, watch
from data.source.mapped import MappedReader, MappedSource
from data.source.shape import Shape

SAMPLE = 5


@dataclass(frozen=True)
class TriedSensor:
    """A sensor in the month that was read: values, NULLs, what is no number, out of range, called bad; least and greatest."""

    sensor: str
    place: str
    type: str
    values: int
    nulls: int
    bad: int
    flagged: int
    least: float | None
    greatest: float | None


@dataclass(frozen=True)
class Trial:
    """What a mapping gives. ``warnings`` say what to do; ``sample`` are (shown time, UTC) of the newest rows."""

    table: str
    source: str
    time: str
    time_type: str
    stations: tuple[tuple[str, str, str], ...]
    step_seconds: float | None
    null_times: int
    freshness: str
    month_rows: int
    duplicates: int
    seconds: float
    rows_per_second: int
    fast_path: bool
    sensors: tuple[TriedSensor, ...]
    sample: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]


def try_mapping(source: MappedSource, catalogue: Catalogue) -> Trial:
    """Look at the table and read the newest month of the station that was heard last.

    Raises:
        SourceUnavailable, SourceMismatch: see data/source/failures.py.
    """
    with source.open() as reader:
        shape = reader.shape
        with reader.session.engine() as engine, engine.connect() as connection:
            found = sorted(survey.bounds(connection, shape), key=lambda each: each[0])
            newest = max(found, key=lambda each: each[2], default=None)
            step = survey.usual_step(connection, shape, *newest) if newest else None
            null_times = _null_times(connection, shape)
            sample = _sample(connection, shape, newest)
        read = _Read(reader, catalogue, newest)
    column = shape.mapping.time
    return Trial(
        table=shape.mapping.table,
        source=source.id,
        time=column,
        time_type=f"{shape.types[column]}: {shape.clock.kind.value}",
        stations=tuple((name, iso_utc(first), iso_utc(last)) for name, first, last in found),
        step_seconds=step / 1000 if step else None,
        null_times=null_times,
        freshness=_freshness(shape),
        month_rows=read.rows,
        duplicates=read.duplicates,
        seconds=round(read.seconds, 3),
        rows_per_second=round(read.rows / read.seconds) if read.seconds and read.rows else 0,
        fast_path=reader.general_reads == 0,
        sensors=read.sensors,
        sample=sample,
        warnings=tuple(_warnings(shape, found, null_times, read)),
    )


class _Read:
    """The newest month of a station, read as a job would."""

    def __init__(self, reader: MappedReader, catalogue: Catalogue, newest: tuple[str, int, int] | None) -> None:
        self.rows = self.duplicates = 0
        self.seconds = 0.0
        self.sensors: tuple[TriedSensor, ...] = ()
        if newest is None:
            return
        mapping, types = reader.source.mapping, reader.shape.types
        names = [sensor.name for sensor in mapping.sensors]
        began = time.monotonic()
        readings = reader.read(newest[0], names, [month_bounds_ms(month_of(newest[2]))])
        self.seconds = time.monotonic() - began
        tried = []
        for sensor in mapping.sensors:
            times, values = readings.times_of(sensor.name), readings.values[sensor.name]
            cleaned = clean(times, values, catalogue[sensor.name], readings.flagged.get(sensor.name))
            self.rows = max(self.rows, len(times))
            self.duplicates = max(self.duplicates, len(times) - len(np.unique(times)))
            nulls = readings.missing[sensor.name]
            tried.append(
                TriedSensor(
                    sensor=sensor.name,
                    place=sensor.place,
                    type=str(types[mapping.value if mapping.value else sensor.place]),
                    values=len(cleaned.values),
                    nulls=nulls,
                    bad=cleaned.nonfinite - nulls,
                    flagged=int(np.count_nonzero(cleaned.flags)),
                    least=float(cleaned.values.min()) if len(cleaned.values) else None,
                    greatest=float(cleaned.values.max()) if len(cleaned.values) else None,
                )
            )
        self.sensors = tuple(tried)


def _null_times(connection: Connection, shape: Shape) -> int:
    column = shape.table.c[shape.mapping.time]
    return int(connection.execute(select(func.count()).select_from(shape.table).where(column.is_(None))).scalar_one())


def _sample(connection: Connection, shape: Shape, newest: tuple[str, int, int] | None) -> tuple[tuple[str, str], ...]:
    """The newest times as the table shows them and in UTC, so that a person sees a wrong zone."""
    if newest is None or not shape.clock.sorts:
        return ()
    column = shape.table.c[shape.mapping.time]
    query = select(column).where(mapped_sql.of_station(shape, newest[0]), mapped_sql.kept(shape), column.is_not(None))
    shown = list(connection.execute(query.order_by(column.desc()).limit(SAMPLE)).scalars())
    return tuple((str(each), iso_utc(int(utc[0]))) for each in shown if len(utc := watch.instants(shape, [each])))


def _freshness(shape: Shape) -> str:
    columns = [column for column in (shape.high_water, shape.updated) if column]
    if not columns:
        return "no auto-increment id and no indexed updated_at: months are compared by their fingerprints"
    corrections = "late rows and corrections" if shape.updated else "late rows, but not corrections in place"
    return f"high-water mark of {', '.join(columns)}: {corrections} are found"


def index_statement(shape: Shape) -> str:
    """The statement that makes the index from which reading a station's month profits most."""
    mapping = shape.mapping
    columns = ", ".join([*mapping.station, mapping.time])
    name = "".join(letter if letter.isalnum() else "_" for letter in f"{mapping.table}_by_station_and_time")[:60]
    table = f"{mapping.schema}.{mapping.table}" if mapping.schema else mapping.table
    return f"CREATE INDEX {name} ON {table} ({columns});"


def _warnings(shape: Shape, found: Sequence[Any], null_times: int, read: _Read) -> list[str]:
    warnings = []
    if not shape.station_led and not (shape.time_led and not shape.mapping.station):
        what = "an index that begins with the time only" if shape.time_led else "no index that begins with station or time"
        warnings.append(f"The table has {what}: every month of a station reads the others' rows, too. {index_statement(shape)}")
    if not found:
        warnings.append("No station has a row with a time: see where, time_format and time_unit.")
    if null_times:
        warnings.append(f"{null_times} rows have no time and are left out.")
    if read.duplicates:
        by = f"the one with the greatest {shape.order}" if shape.order else "the one that the database gives last"
        warnings.append(f"{read.duplicates} rows of that month repeat a time; {by} counts.")
    warnings += [
        f"{each.sensor}: {each.flagged} of {each.values} values are flagged; is the unit right?"
        for each in read.sensors
        if each.flagged > each.values / 2
    ]
    warnings += [f"{each.sensor}: no value in that month." for each in read.sensors if not each.values]
    return warnings
