"""Trying a mapping: types, indexes, span, interval, a sample, what is missing or double,
and how fast it reads.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection, false, func, not_, or_, select

from data.catalogue import Catalogue
from data.outlying import AHEAD_MS
from data.readings import clean
from data.source.connection.sqltext import as_text
from data.source.mapped import changes as mapped_changes
from data.source.mapped import sql as mapped_sql
from data.source.mapped import station_bounds, survey
from data.source.mapped.mapping_report import CheckedSensor, LeftOut, MappingReport
from data.source.mapped.mapping_warnings import index_warnings, name_warnings, row_warnings, station_warnings, value_warnings
from data.source.mapped.reflected import ReflectedTable
from data.source.mapped.source import MappedReader, MappedSource
from data.time.epoch import epoch_ms
from data.time.months import iso_utc, month_bounds_ms, month_of
from i18n import gettext as _

SAMPLE = 5


def check_mapping(source: MappedSource, catalogue: Catalogue) -> MappingReport:
    """Examine the table, and read the newest month of the station with the latest row.

    Raises:
        SourceUnavailable, SourceMismatch: see data/source/connection/failures.py.
    """
    with source.open() as reader:
        reflected = reader.reflected
        with reader.session.engine() as engine, engine.connect() as connection:
            bounds = station_bounds.bounds(connection, reflected)
            found = station_bounds.spans(bounds)
            newest = _newest(found, epoch_ms())
            step = survey.usual_step(connection, reflected, *newest) if newest else None
            left_out = _left_out(connection, reflected, bounds)
            hints = tuple(index_warnings(connection, reflected))
            explained = _explained(connection, reflected, newest)
            sample = _sample(connection, reflected, newest)
        read = _Read(reader, catalogue, newest)
    mapping = reflected.mapping
    return MappingReport(
        table=mapping.label,
        source=source.id,
        time=", ".join(mapping.time),
        time_type=f"{', '.join(str(reflected.types[name]) for name in mapping.time)}: {reflected.clock.kind.value}",
        stations=tuple((name, iso_utc(first), iso_utc(last)) for name, first, last in found),
        step_seconds=step / 1000 if step else None,
        null_times=left_out.null_times,
        unreadable_times=left_out.unreadable_times,
        null_stations=left_out.null_stations,
        freshness=_freshness(reflected),
        month_rows=read.rows,
        duplicates=read.duplicates,
        seconds=round(read.seconds, 3),
        rows_per_second=round(read.rows / read.seconds) if read.seconds and read.rows else 0,
        fast_path=reader.general_reads == 0,
        sensors=read.sensors,
        sample=sample,
        explain=explained,
        warnings=(
            *hints,
            *name_warnings(reflected),
            *station_warnings(reflected, bounds),
            *row_warnings(left_out, reflected.clock.reader.expected),
            *value_warnings(reflected, read.duplicates, read.sensors),
        ),
    )


def _newest(found: Sequence[tuple[str, int, int]], now_ms: int) -> tuple[str, int, int] | None:
    """Return the station heard last, one with a clock in the future only if there is no other."""
    return max(found, key=lambda each: (each[2] <= now_ms + AHEAD_MS, each[2]), default=None)


class _Read:
    """The newest month of a station, read as a job would."""

    def __init__(self, reader: MappedReader, catalogue: Catalogue, newest: tuple[str, int, int] | None) -> None:
        self.rows = self.duplicates = 0
        self.seconds = 0.0
        self.sensors: tuple[CheckedSensor, ...] = ()
        if newest is None:
            return
        mapping, types = reader.source.mapping, reader.reflected.types
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
                CheckedSensor(
                    sensor=sensor.name,
                    place=sensor.place,
                    type=", ".join(str(types[name]) for name in mapping.values or sensor.places),
                    values=len(cleaned.values),
                    nulls=nulls,
                    bad=cleaned.nonfinite - nulls,
                    flagged=int(np.count_nonzero(cleaned.flags)),
                    least=float(cleaned.values.min()) if len(cleaned.values) else None,
                    greatest=float(cleaned.values.max()) if len(cleaned.values) else None,
                )
            )
        self.sensors = tuple(tried)


def _left_out(connection: Connection, reflected: ReflectedTable, found: Sequence[station_bounds.Bounds]) -> LeftOut:
    time = reflected.time
    nameless = or_(false(), *(reflected.table.c[name].is_(None) for name in reflected.mapping.station))
    null_times, misplaced, without_station = (
        int(
            connection.execute(
                select(func.count()).select_from(reflected.table).where(mapped_sql.kept(reflected), which)
            ).scalar_one()
        )
        for which in (time.is_(None), reflected.clock.misplaced(time), nameless)
    )
    lacking = station_bounds.untimed(connection, reflected, not_(reflected.clock.misplaced(time))) - null_times
    unreadable_times = lacking + station_bounds.unreadable(connection, reflected, found)
    return LeftOut(null_times, unreadable_times, misplaced, without_station)


def _sample(
    connection: Connection, reflected: ReflectedTable, newest: tuple[str, int, int] | None
) -> tuple[tuple[str, str], ...]:
    """The newest times as the table shows them and in UTC, so that a person sees a wrong zone."""
    if newest is None or not reflected.clock.sorts:
        return ()
    column = reflected.time
    query = select(column).where(mapped_sql.of_station(reflected, newest[0]), mapped_sql.kept(reflected), reflected.timed())
    shown = list(connection.execute(query.order_by(*(each.desc() for each in reflected.by_time)).limit(SAMPLE)).scalars())
    return tuple((str(each), iso_utc(int(utc[0]))) for each in shown if len(utc := mapped_changes.instants(reflected, [each])))


def _freshness(reflected: ReflectedTable) -> str:
    columns = ", ".join(column for column in (reflected.high_water, reflected.updated) if column)
    if not columns:
        return _("no auto-increment id and no indexed updated_at: months are compared by their fingerprints")
    if reflected.updated:
        return _("high-water mark of {columns}: late rows and corrections are found").format(columns=columns)
    return _("high-water mark of {columns}: late rows are found, but not corrections").format(columns=columns)


def _explained(connection: Connection, reflected: ReflectedTable, newest: tuple[str, int, int] | None) -> tuple[str, ...]:
    """How the database reads a month of a query or of many tables, in its own words."""
    if newest is None or reflected.mapping.table is not None:
        return ()
    name, _first, last = newest
    segment = reflected.clock.segments(*month_bounds_ms(int(month_of(last))))[0]
    statement = mapped_sql.readings(reflected, [name], reflected.mapping.sensors, segment)
    how = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "
    text = how + as_text(statement, connection.dialect)
    rows = connection.exec_driver_sql(text if connection.dialect.name == "sqlite" else text.replace("%", "%%"))
    return tuple("  ".join(str(value) for value in row if value is not None) for row in rows)
