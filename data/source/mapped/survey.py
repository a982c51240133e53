"""What a mapped table holds, found by its indexes and by samples:
stations, first and last, usual step, months with rows.

Rows are estimated from the step; nothing is counted. Without an index led by the station, one scan
of the table finds the stations with their first and last.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, select

from data.source.mapped import sql
from data.source.mapped.changes import instants
from data.source.mapped.readable_times import EndTime, end_time
from data.source.mapped.reflected import ReflectedTable
from data.source.mapped.station_bounds import bounds, spans
from data.time.epoch import DAY_MS
from data.time.months import month_bounds_ms, month_of, month_start_ms

SAMPLE_ROWS = 400


@dataclass(frozen=True)
class FoundMonth:
    """A UTC month of a station; rows are an estimate."""

    month: int
    rows: int
    first_ms: int
    last_ms: int


@dataclass(frozen=True)
class FoundStation:
    """A station: first and last time (ms UTC), usual step, its months."""

    name: str
    first_ms: int
    last_ms: int
    step_ms: int | None
    months: tuple[FoundMonth, ...]


def survey(connection: Connection, reflected: ReflectedTable) -> Iterator[FoundStation]:
    """Yield all stations of the table, or those that the mapping lists, by name.

    Raises:
        SourceMismatch: more than MOST_STATIONS stations: the station's column is none;
            or it takes too long to find them.
    """
    for name, first_ms, last_ms in spans(bounds(connection, reflected)):
        step_ms = usual_step(connection, reflected, name, first_ms, last_ms)
        months = tuple(_estimated(span, step_ms) for span in _spans(connection, reflected, name, first_ms, last_ms))
        yield FoundStation(name, first_ms, last_ms, step_ms, months)


def usual_step(connection: Connection, reflected: ReflectedTable, station: str, first_ms: int, last_ms: int) -> int | None:
    """Return the most usual pause between observations, from three samples."""
    steps: list[int] = []
    for at in (first_ms, (first_ms + last_ms) // 2, max(first_ms, last_ms - DAY_MS)):
        times = np.unique(sample_times(connection, reflected, station, at, last_ms))
        steps += np.diff(times).tolist()
    if not steps:
        return None
    values, counts = np.unique(np.array(steps, np.int64), return_counts=True)
    return int(values[np.argmax(counts)])


def sample_times(connection: Connection, reflected: ReflectedTable, station: str, from_ms: int, until_ms: int) -> Any:
    """Instants of the first rows from a time on, int64 ms UTC."""
    time = reflected.time
    for segment in reflected.clock.segments(from_ms, min(until_ms + 1, from_ms + 40 * DAY_MS)):
        query = (
            select(time)
            .where(
                reflected.within(segment.start_ms, segment.end_ms),
                sql.of_station(reflected, station),
                sql.kept(reflected),
                sql.tagged(reflected, reflected.mapping.sensors[:1]),
            )
            .order_by(*(reflected.by_time if reflected.clock.sorts else []))
            .limit(SAMPLE_ROWS)
        )
        found = instants(reflected, list(connection.execute(query).scalars()))
        if len(found) > 1:
            return found
    return np.empty(0, np.int64)


def _spans(
    connection: Connection, reflected: ReflectedTable, station: str, first_ms: int, last_ms: int
) -> Iterator[tuple[int, int, int]]:
    """(month, first, last) of months that may have rows:
    with an index led by the station, only of those that have.
    """
    by_index = reflected.clock.sorts and (reflected.station_led or (not reflected.mapping.station and reflected.time_led))
    month, last_month = int(month_of(first_ms)), int(month_of(last_ms))
    if not by_index:
        for number in range(month, last_month + 1):
            yield (number, max(first_ms, month_start_ms(number)), min(last_ms, month_start_ms(number + 1) - 1))
        return
    at = first_ms
    while month <= last_month:
        found = _edge(connection, reflected, station, month_start_ms(month + 1), last_ms)
        # Where too many rows cannot be read, the next month may have any.
        following = month_start_ms(month + 1) if found.too_far else found.ms
        last = min(last_ms, month_start_ms(month + 1) - 1)
        # a row of 1970 alone is no month of rows
        if following is not None and month_of(following) > month + 1:
            latest = _edge(connection, reflected, station, at, last, last=True).ms
            last = last if latest is None else min(last, max(at, latest))
        yield (month, at, last)
        if following is None:
            return
        at, month = following, int(month_of(following))


def _edge(
    connection: Connection, reflected: ReflectedTable, station: str, from_ms: int, last_ms: int, *, last: bool = False
) -> EndTime:
    """Return the first time from ``from_ms`` on, or the last up to ``last_ms``, by the index."""
    where = [reflected.between(from_ms, last_ms + 1), sql.of_station(reflected, station), sql.kept(reflected)]
    return end_time(connection, reflected, where, last=last, least_ms=None if last else from_ms)


def _estimated(span: tuple[int, int, int], step_ms: int | None) -> FoundMonth:
    month, first, last = span
    start, end = month_bounds_ms(month)
    rows = (min(last, end - 1) - max(first, start)) // step_ms + 1 if step_ms else 1
    return FoundMonth(month, int(rows), first, last)
