"""Trying a mapping: types, indexes, span, interval, a sample, what is missing or double, and how fast it reads."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, false, func, or_, select

from data.catalogue import Catalogue
from data.clean import clean
from data.months import iso_utc, month_bounds_ms, month_of
from data.source import mapped_sql, survey, watch
from data.source.indexing import index_statement
from data.source.mapped import MappedReader, MappedSource
from data.source.shape import Shape
from i18n import gettext as _
from i18n import ngettext

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
    zero_times: int
    null_stations: int
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
            left_out = _left_out(connection, shape)
            index = index_statement(connection.dialect, shape)
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
        null_times=left_out.null_times,
        zero_times=left_out.zero_times,
        null_stations=left_out.null_stations,
        freshness=_freshness(shape),
        month_rows=read.rows,
        duplicates=read.duplicates,
        seconds=round(read.seconds, 3),
        rows_per_second=round(read.rows / read.seconds) if read.seconds and read.rows else 0,
        fast_path=reader.general_reads == 0,
        sensors=read.sensors,
        sample=sample,
        warnings=(*_of_indexes(shape, index), *_of_stations(shape, found), *_of_rows(left_out), *_of_values(shape, read)),
    )


@dataclass(frozen=True)
class _LeftOut:
    """Rows that belong to no month, and rows that belong to no station."""

    null_times: int
    zero_times: int
    null_stations: int


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


def _left_out(connection: Connection, shape: Shape) -> _LeftOut:
    time = shape.table.c[shape.mapping.time]
    nameless = or_(false(), *(shape.table.c[name].is_(None) for name in shape.mapping.station))
    null_times, without_station = (
        int(connection.execute(select(func.count()).select_from(shape.table).where(mapped_sql.kept(shape), which)).scalar_one())
        for which in (time.is_(None), nameless)
    )
    return _LeftOut(null_times, survey.untimed(connection, shape) - null_times, without_station)


def _sample(connection: Connection, shape: Shape, newest: tuple[str, int, int] | None) -> tuple[tuple[str, str], ...]:
    """The newest times as the table shows them and in UTC, so that a person sees a wrong zone."""
    if newest is None or not shape.clock.sorts:
        return ()
    column = shape.table.c[shape.mapping.time]
    query = select(column).where(mapped_sql.of_station(shape, newest[0]), mapped_sql.kept(shape), column.is_not(None))
    shown = list(connection.execute(query.order_by(column.desc()).limit(SAMPLE)).scalars())
    return tuple((str(each), iso_utc(int(utc[0]))) for each in shown if len(utc := watch.instants(shape, [each])))


def _freshness(shape: Shape) -> str:
    columns = ", ".join(column for column in (shape.high_water, shape.updated) if column)
    if not columns:
        return _("no auto-increment id and no indexed updated_at: months are compared by their fingerprints")
    if shape.updated:
        return _("high-water mark of {columns}: late rows and corrections are found").format(columns=columns)
    return _("high-water mark of {columns}: late rows are found, but not corrections in place").format(columns=columns)


def _of_indexes(shape: Shape, statement: str) -> Iterator[str]:
    if shape.station_led or (shape.time_led and not shape.mapping.station):
        return
    if shape.time_led:
        yield _(
            "The table has an index that begins with the time only: every month of a station reads the others' rows, too. {sql}"
        ).format(sql=statement)
    else:
        yield _("The table has no index that begins with station or time: every month reads all of its rows. {sql}").format(
            sql=statement
        )


def _of_stations(shape: Shape, found: Sequence[tuple[str, int, int]]) -> Iterator[str]:
    if not found:
        yield _("No station has a row with a time: see where, time_format and time_unit.")
        return
    lacking = [name for name in shape.mapping.stations if name not in {each[0] for each in found}]
    if lacking:
        yield _("stations: no row with a time is of {names}.").format(names=", ".join(lacking))


def _of_rows(left_out: _LeftOut) -> Iterator[str]:
    if left_out.null_times:
        count = left_out.null_times
        yield ngettext(
            "{count} row has no time (NULL) and is left out.", "{count} rows have no time (NULL) and are left out.", count
        ).format(count=count)
    if left_out.zero_times:
        count = left_out.zero_times
        yield ngettext(
            "{count} row has a zero date and is left out.", "{count} rows have a zero date and are left out.", count
        ).format(count=count)
    if left_out.null_stations:
        count = left_out.null_stations
        yield ngettext(
            "{count} row names no station (NULL) and is left out.",
            "{count} rows name no station (NULL) and are left out.",
            count,
        ).format(count=count)


def _of_values(shape: Shape, read: _Read) -> Iterator[str]:
    if read.duplicates and shape.order:
        yield _("{count} rows of that month repeat a time; the one with the greatest {column} counts.").format(
            count=read.duplicates, column=shape.order
        )
    elif read.duplicates:
        yield _("{count} rows of that month repeat a time; the one that the database gives last counts.").format(
            count=read.duplicates
        )
    for each in read.sensors:
        if each.flagged > each.values / 2:
            yield _("{sensor}: {flagged} of {values} values are flagged; is the unit right?").format(
                sensor=each.sensor, flagged=each.flagged, values=each.values
            )
        if not each.values:
            yield _("{sensor}: no value in that month.").format(sensor=each.sensor)
