"""Running totals and rates of a mapped table become what fell in each interval,
whatever months are read in whatever order.

An increment needs the total before it, and one of a day's total those of its whole local day as
well. So more rows are read than asked for: the context that data/cells/running_totals.py names, and
the nearest total before and after it, however far away.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo

import numpy as np
from sqlalchemy import ColumnElement, Connection, or_, select

from data.cells.running_totals import context_ms, increments, rate_to_sum
from data.source.connection.query_columns import Float64Array, Int64Array, Readings
from data.source.mapped import changes as mapped_changes
from data.source.mapped import sql
from data.source.mapped.mapping import MappedSensor
from data.source.mapped.reflected import ReflectedTable
from data.time.epoch import DAY_MS, HOUR_MS

# of a stretch that holds no usable total, the next is so much longer
_FIRST_SPAN_MS, _WIDER = 2 * HOUR_MS, 8
_LEAST_MS, _GREATEST_MS = -30_000_000_000_000, 250_000_000_000_000


@dataclass(frozen=True)
class Gauge:
    """Access to the totals of one sensor of a station: ``read`` those of [start, end) ms UTC;
    ``next_after``, ``next_before`` an edge, the time of the nearest row that is not NULL (None:
    there is none).
    """

    name: str
    day_zone: tzinfo | None
    read: Callable[[int, int], Readings]
    next_after: Callable[[int], int | None]
    next_before: Callable[[int], int | None]


def counted(sensor: MappedSensor, raw: Readings) -> Float64Array:
    """The values of a rate as sums over its interval; others as they are."""
    values = raw.values[sensor.name]
    return rate_to_sum(values, sensor.step_s * 1000) if sensor.step_s is not None else values


def increments_of(gauge: Gauge, raw: Readings, window: tuple[int, int]) -> Float64Array:
    """The increments of raw totals in a window, shape of the values;
    NaN where nobody can know, infinite as they are.
    """
    times, totals = raw.times_of(gauge.name), raw.values[gauge.name]
    values = np.where(np.isinf(totals), totals, np.nan)
    if not np.isfinite(totals).any():
        return values
    known_times, known = _context(gauge, window)
    found = increments(known_times, known, gauge.day_zone)
    of = np.flatnonzero(np.isfinite(totals))
    order = of[np.argsort(times[of], kind="stable")]
    # Of equal times the one that was written last counts:
    # the others have no increment of their own.
    last = order[np.append(times[order][1:] != times[order][:-1], True)]
    values[last] = found[np.searchsorted(known_times, times[last])]
    return values


def _context(gauge: Gauge, window: tuple[int, int]) -> tuple[Int64Array, Float64Array]:
    """Return the usable totals of a window and around it, sorted, the last of equal times."""
    start, last = context_ms(window[0], window[1] - 1, gauge.day_zone)
    parts = [_nearest(gauge, start, forward=False), _totals(gauge, start, last + 1)]
    if gauge.day_zone is not None:
        parts.append(_nearest(gauge, last + 1, forward=True))
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _nearest(gauge: Gauge, edge_ms: int, *, forward: bool) -> tuple[Int64Array, Float64Array]:
    """The usable totals of a stretch next to an edge that holds one;
    nothing where there is none to the end of the table.
    """
    span = _FIRST_SPAN_MS
    while True:
        found = gauge.next_after(edge_ms) if forward else gauge.next_before(edge_ms)
        if found is None:
            return np.empty(0, np.int64), np.empty(0)
        start, end = (edge_ms, found + span) if forward else (found - span, edge_ms)
        part = _totals(gauge, start, end)
        if len(part[0]):
            return part
        edge_ms, span = end if forward else start, span * _WIDER


def _totals(gauge: Gauge, start_ms: int, end_ms: int) -> tuple[Int64Array, Float64Array]:
    readings = gauge.read(start_ms, end_ms)
    times, totals = readings.times_of(gauge.name), readings.values[gauge.name]
    finite = np.isfinite(totals)
    times, totals = times[finite], totals[finite]
    if not (times[1:] > times[:-1]).all():
        order = np.argsort(times, kind="stable")
        times, totals = times[order], totals[order]
        last = np.append(times[1:] != times[:-1], True)
        times, totals = times[last], totals[last]
    return times, totals


def next_total(
    connection: Connection, reflected: ReflectedTable, station: str, sensor: MappedSensor, edge_ms: int, *, forward: bool
) -> int | None:
    """Return when (ms UTC) the nearest row of a sensor that is not NULL was, at or after an edge,
    or before it.
    """
    low, high = (edge_ms, _GREATEST_MS) if forward else (_LEAST_MS, edge_ms)
    nearest: list[int] = []
    for part in reflected.parts:
        order = [column if forward else column.desc() for column in part.by_time]
        query = (
            select(part.time)
            .where(part.between(low, high), sql.of_station(part, station), sql.kept(part))
            .where(sql.tagged(part, [sensor]), _holds(part, sensor))
            .order_by(*order)
        )
        # the first may lie beyond the edge: bounds are a little wide
        for shown in connection.execute(query.limit(8)).scalars():
            at = mapped_changes.instants(reflected, [shown])
            if len(at) and (int(at[0]) >= edge_ms) is forward:
                nearest.append(int(at[0]))
                break
    return (min(nearest) if forward else max(nearest)) if nearest else None


def _holds(reflected: ReflectedTable, sensor: MappedSensor) -> ColumnElement[bool]:
    columns = reflected.mapping.values or sensor.places
    return or_(*(reflected.table.c[name].is_not(None) for name in columns))


def fingerprints(
    connection: Connection, reflected: ReflectedTable, stations: Sequence[str], start_ms: int, end_ms: int
) -> dict[str, str]:
    """Return, by station, a text that any change of what decides the values of [start, end)
    changes.

    With running totals that is more than the rows in there:
    the last total before, and after a day's total the next two days.
    """
    found = mapped_changes.fingerprints(connection, reflected, stations, start_ms, end_ms)
    for sensor in (each for each in reflected.mapping.sensors if each.is_total):
        for station in stations:
            before = next_total(connection, reflected, station, sensor, start_ms, forward=False)
            if before is not None:
                found[station] += mapped_changes.fingerprints(connection, reflected, [station], before, start_ms)[station]
            if sensor.counts == "day_total":
                found[station] += mapped_changes.fingerprints(connection, reflected, [station], end_ms, end_ms + 2 * DAY_MS)[
                    station
                ]
    return found
